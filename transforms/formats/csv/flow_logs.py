"""AWS's names of the fields of VPC flow logs: as a first line, they are the header of CSV by blanks.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

_NAMES = frozenset(
    """
    version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action
    log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type
    sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path ecs-cluster-arn
    ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id ecs-second-container-id
    ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id reject-reason resource-id encryption-status
    tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id
    tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id
    packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired
    """.split()  # noqa: SIM905 - a list would be a page
)
_FEWEST = 3


def is_flow_log_header(cells: Sequence[str]) -> bool:
    """Whether cells are names of flow log fields, as AWS writes them."""
    return len(cells) >= _FEWEST and _NAMES.issuperset(cells)


def flow_log_times(fields: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """Return the field that has a record's time, an epoch in seconds, under a name that is known for one."""
    return next(({"timestamp": fields[name]} for name in ("start", "end") if name in fields), {})
