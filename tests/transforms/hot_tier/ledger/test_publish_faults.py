"""A wave is published exactly once over a network and a store that fail at every request that matters."""

from __future__ import annotations

import pytest

from tests.conftest import REGION, S3
from tests.fault_proxy import Fault, FaultProxy
from tests.transforms.hot_tier.samples import expected_ids, ids, publish
from transforms.core.errors import TierError
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.table.prepare import prepare
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, TierStore, open_tier


@pytest.fixture
def straight(s3: S3) -> TierStore:
    """A hot tier with events of one job."""
    made = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    prepare(made)
    publish(made, ["a", "old"], job="old")
    return made


@pytest.fixture
def tier(straight: TierStore, fault_proxy: FaultProxy) -> TierStore:
    """The same, through the proxy."""
    return open_tier(straight.uri, StorageOptions(endpoint_url=fault_proxy.endpoint_url, region=REGION))


def log_entry(tier: TierStore) -> str:
    return f"hot/events/_delta_log/{Snapshot.load(tier).version + 1:020d}.json"


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    "fault",
    [
        {"lose_answer": True},
        {"reset": True},
        {"status": 503},
        {"status": 500, "code": "InternalError"},
        {"status": 412, "code": "PreconditionFailed"},
    ],
    ids=["answer-lost", "reset", "503", "500", "reported-conflict"],
)
def test_put_of_the_log_entry(
    tier: TierStore, straight: TierStore, fault_proxy: FaultProxy, fault: dict[str, object], times: int
) -> None:
    met = fault_proxy.add(Fault(log_entry(straight), method="PUT", count=times, **fault))  # type: ignore[arg-type]
    publish(tier, ["a", "b"], content="2")

    assert met.count < times
    assert ids(straight) == sorted([*expected_ids(["old"]), *expected_ids(["a", "b"], content="2")])
    assert len(Ledger.load(straight, Snapshot.load(straight)).waves_of_job("job")) == 1


@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD", "POST"])
def test_every_request_fails_now_and_then(
    tier: TierStore, straight: TierStore, fault_proxy: FaultProxy, method: str
) -> None:
    for skip in range(0, 12, 3):
        fault_proxy.add(Fault("*", method=method, skip=skip, status=503))
    publish(tier, ["a", "b"], content="2")

    assert ids(straight) == sorted([*expected_ids(["old"]), *expected_ids(["a", "b"], content="2")])


def test_permission_that_is_gone(
    tier: TierStore, straight: TierStore, fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transforms.hot_tier.ledger.publish.back_off", lambda failures: 0.0)
    fault_proxy.add(Fault(log_entry(straight), method="PUT", count=-1, status=403, code="AccessDenied"))
    with pytest.raises(TierError, match=r"wave 0 of job job can't be published.*Nothing of it was"):
        publish(tier, ["b"])
    assert ids(straight) == expected_ids(["a", "old"])
    publish(straight, ["b"])
    assert ids(straight) == expected_ids(["a", "b", "old"])


def test_store_that_ignores_conditions(s3: S3, fault_proxy: FaultProxy) -> None:
    fault_proxy.add(Fault("*", method="PUT", count=-1, drop_conditions=True))
    tier = open_tier(f"s3://{s3.bucket}/new", StorageOptions(endpoint_url=fault_proxy.endpoint_url, region=REGION))
    with pytest.raises(TierError, match="If-None-Match"):
        prepare(tier)
    assert list(open_tier(f"s3://{s3.bucket}/new", s3.options).list("")) == []


def test_no_longer_kept_conditions_are_seen_before_a_job_writes(
    tier: TierStore, straight: TierStore, fault_proxy: FaultProxy
) -> None:
    fault_proxy.add(Fault("*", method="PUT", count=-1, drop_conditions=True))
    with pytest.raises(TierError, match="If-None-Match"):
        prepare(tier)
