"""What is right for each of the files in `inputs.py`."""

# ruff: noqa: E501  an event a line
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """An event.

    Attributes:
        time: Its time.
        source: Where that is from.
        attributes: All its attributes but the file's name.
        error: The code of what is wrong with it.
        rescued: What its format has no place for.
        message: Its text; None where that is not compared.
    """

    time: str
    source: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    rescued: str | None = None
    message: str | None = None


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What becomes of a file.

    Attributes:
        events: Its events.
        format: The format that it is read as.
        header: Lines of its header.
        blank: Its blank lines.
        status: As the ledger has it.
        reason: Why it failed.
        warnings: What its user is told of it.
    """

    events: tuple[Event, ...]
    format: str = "json"
    header: int = 0
    blank: int = 0
    status: str = "ingested"
    reason: str | None = None
    warnings: tuple[str, ...] = ()


_NO_HEADER = "its first row has a number, a time or another value where a header has a name: it is read as data, of column_1, column_2…; --headers names them"
_WRAPPED = tuple(
    Event(f"2025-02-03T04:{number // 60:02}:{number % 60:02}Z", "record", {"time": f"2025-02-03T04:{number // 60:02}:{number % 60:02}Z", "n": str(number), "pad": "y" * 600})
    for number in range(300)
)  # fmt: skip

EXPECTED: Mapping[str, Expected] = {
    "01/E1EXAMPLE.2025-02-03-04.1a2b.gz": Expected(format="w3c", header=2, events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "04:05:06", "x-edge-location": "FRA56-P4", "sc-bytes": "512", "c-ip": "203.0.113.5", "cs-method": "GET", "cs-uri-stem": "/a b.css", "sc-status": "200", "date": "2025-02-03", "cs(Host)": "d1.cloudfront.net", "cs(User-Agent)": "curl/8.5%20(x)"}),
    )),
    "02/flow-5.log.gz": Expected(format="csv", header=1, events=(
        Event("2025-02-03T04:05:06Z", "record", {"version": "5", "start": "1738555506", "end": "1738555560", "vpc-id": "vpc-9", "az-id": "euw1-az2", "flow-direction": "egress", "srcaddr": "10.0.0.7"}),
        Event("2025-02-03T04:05:07Z", "record", {"version": "5", "start": "1738555507", "end": "1738555560", "vpc-id": "vpc-9", "az-id": "euw1-az2", "flow-direction": "ingress", "pkt-src-aws-service": "S3"}),
    )),
    "03/flow-2.log": Expected(format="csv", header=1, events=(
        Event("2025-02-03T04:05:06Z", "record", {"version": "2", "start": "1738555506", "end": "1738555560", "srcaddr": "10.0.0.7", "account-id": "111122223333", "interface-id": "eni-7", "log-status": "OK", "dstaddr": "10.0.0.8", "srcport": "443", "dstport": "5100", "protocol": "6", "packets": "9", "bytes": "840", "action": "ACCEPT"}),
        Event("2025-02-03T04:05:07Z", "record", {"version": "2", "start": "1738555507", "end": "1738555560", "account-id": "111122223333", "interface-id": "eni-7", "log-status": "NODATA"}),
    )),
    "03/bare.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06Z", "pipeline", {"version": "2", "bytes": "840", "account_id": "111122223333", "interface_id": "eni-7", "srcaddr": "10.0.0.7", "dstaddr": "10.0.0.8", "srcport": "443", "dstport": "5100", "protocol": "6", "packets": "9", "start": "1738555506", "end": "1738555560", "action": "REJECT", "log_status": "OK"}),
        Event("2025-02-03T04:05:06Z", "inherited"),
    )),
    "04/alb.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06.000001Z", "pipeline", {"method": "GET", "uri": "https://shop.example:443/a?x=1", "request": "GET https://shop.example:443/a?x=1 HTTP/2.0", "useragent": "curl/8.5", "type": "h2", "time": "2025-02-03T04:05:06.000001Z", "elb": "app/shop/1a2b", "client_ip": "198.51.100.7", "client_port": "5501", "target_ip": "10.0.0.4", "target_port": "443", "request_processing_time": "0.001", "target_processing_time": "0.020", "response_processing_time": "0.000", "elb_status_code": "200", "target_status_code": "200", "received_bytes": "120", "sent_bytes": "4510", "http_version": "HTTP/2.0", "ssl_cipher": "TLS_AES_128_GCM_SHA256", "ssl_protocol": "TLSv1.3", "target_group_arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/shop/9f", "trace_id": "Root=1-67a0-1", "domain_name": "shop.example", "chosen_cert_arn": "session-reused", "matched_rule_priority": "3", "request_creation_time": "2025-02-03T04:05:00.100000Z", "actions_executed": "forward", "redirect_url": "-", "error_reason": "-", "target_port_list": "10.0.0.4:443", "target_status_code_list": "200", "classification": "-", "classification_reason": "-"}),
        Event("2025-02-03T04:05:07.000001Z", "pipeline", {"method": "GET", "uri": "https://shop.example:443/a b  c.php", "request": "GET https://shop.example:443/a b  c.php HTTP/1.1", "useragent": "curl/8.5", "type": "h2", "time": "2025-02-03T04:05:07.000001Z", "elb": "app/shop/1a2b", "client_ip": "198.51.100.7", "client_port": "5501", "target_ip": "10.0.0.4", "target_port": "443", "request_processing_time": "0.001", "target_processing_time": "0.020", "response_processing_time": "0.000", "elb_status_code": "400", "target_status_code": "200", "received_bytes": "120", "sent_bytes": "4510", "http_version": "HTTP/1.1", "ssl_cipher": "TLS_AES_128_GCM_SHA256", "ssl_protocol": "TLSv1.3", "target_group_arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/shop/9f", "trace_id": "Root=1-67a0-1", "domain_name": "shop.example", "chosen_cert_arn": "session-reused", "matched_rule_priority": "3", "request_creation_time": "2025-02-03T04:05:00.100000Z", "actions_executed": "forward", "redirect_url": "-", "error_reason": "-", "target_port_list": "10.0.0.4:443", "target_status_code_list": "200", "classification": "-", "classification_reason": "-"}),
        Event("2025-02-03T04:05:08.000001Z", "pipeline", {"method": "-", "uri": "https://shop.example:443-", "request": "- https://shop.example:443- -", "useragent": "curl/8.5", "type": "h2", "time": "2025-02-03T04:05:08.000001Z", "elb": "app/shop/1a2b", "client_ip": "198.51.100.7", "client_port": "5501", "target_ip": "10.0.0.4", "target_port": "443", "request_processing_time": "0.001", "target_processing_time": "0.020", "response_processing_time": "0.000", "elb_status_code": "400", "target_status_code": "200", "received_bytes": "120", "sent_bytes": "4510", "http_version": "-", "ssl_cipher": "TLS_AES_128_GCM_SHA256", "ssl_protocol": "TLSv1.3", "target_group_arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/shop/9f", "trace_id": "Root=1-67a0-1", "domain_name": "shop.example", "chosen_cert_arn": "session-reused", "matched_rule_priority": "3", "request_creation_time": "2025-02-03T04:05:00.100000Z", "actions_executed": "forward", "redirect_url": "-", "error_reason": "-", "target_port_list": "10.0.0.4:443", "target_status_code_list": "200", "classification": "-", "classification_reason": "-"}),
        Event("2025-02-03T04:05:09.000001Z", "pipeline", {"method": "GET", "uri": "https://shop.example:443/x", "request": "GET https://shop.example:443/x", "useragent": "curl/8.5", "type": "h2", "time": "2025-02-03T04:05:09.000001Z", "elb": "app/shop/1a2b", "client_ip": "198.51.100.7", "client_port": "5501", "target_ip": "10.0.0.4", "target_port": "443", "request_processing_time": "0.001", "target_processing_time": "0.020", "response_processing_time": "0.000", "elb_status_code": "400", "target_status_code": "200", "received_bytes": "120", "sent_bytes": "4510", "ssl_cipher": "TLS_AES_128_GCM_SHA256", "ssl_protocol": "TLSv1.3", "target_group_arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/shop/9f", "trace_id": "Root=1-67a0-1", "domain_name": "shop.example", "chosen_cert_arn": "session-reused", "matched_rule_priority": "3", "request_creation_time": "2025-02-03T04:05:00.100000Z", "actions_executed": "forward", "redirect_url": "-", "error_reason": "-", "target_port_list": "10.0.0.4:443", "target_status_code_list": "200", "classification": "-", "classification_reason": "-"}),
    )),
    "06/audit.log": Expected(events=(
        Event("2025-02-03T04:05:01.500000Z", "record", {"kind": "Event", "stage": "ResponseStarted", "requestReceivedTimestamp": "2025-02-03T04:05:01.5Z", "stageTimestamp": "2025-02-03T04:05:02Z"}),
    )),
    "06/findings.jsonl": Expected(events=(
        Event("2025-02-03T04:05:02.125000Z", "record", {"id": "f", "createdAt": "2025-02-03T04:05:02.125Z", "updatedAt": "2025-03-03T00:00:00Z"}),
    )),
    "06/log4j2.json": Expected(events=(
        Event("2025-02-03T04:05:03.250000Z", "record", {"level": "WARN", "instant": "{\"epochSecond\":1738555503,\"nanoOfSecond\":250000000}"}),
    )),
    "06/mongod.json": Expected(events=(
        Event("2025-02-03T04:05:04Z", "record", {"t": "{\"$date\":\"2025-02-03T05:05:04.000+01:00\"}", "s": "W"}),
    )),
    "06/nginx.json": Expected(events=(
        Event("2025-02-03T04:05:05Z", "record", {"time_iso8601": "2025-02-03T05:05:05+01:00", "status": "204"}),
    )),
    "06/okta.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"published": "2025-02-03T04:05:06.000Z", "eventType": "x"}),
        Event("2025-02-03T04:05:07Z", "record", {"published": "2025-02-03T04:05:07.000Z"}),
    )),
    "06/resolver.jsonl": Expected(events=(
        Event("2025-02-03T04:05:08Z", "record", {"query_timestamp": "2025-02-03T04:05:08Z", "query_name": "a.example."}),
    )),
    "06/otlp.json": Expected(events=(
        Event("2025-02-03T04:05:09Z", "record", {"timeUnixNano": "1738555509000000000", "severityText": "INFO", "scope": "{\"name\":\"s\"}", "resource": "{\"attributes\":[{\"key\":\"k\"}]}"}),
        Event("2025-02-03T04:05:10Z", "record", {"timeUnixNano": "1738555510000000500", "severityText": "WARN", "scope": "{\"name\":\"s\"}", "resource": "{\"attributes\":[{\"key\":\"k\"}]}"}),
    )),
    "07/comma.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06.125000Z", "detected"),
        Event("2025-02-03T02:05:06.125000Z", "detected"),
        Event("2025-02-03T04:05:06.125000Z", "detected"),
        Event("2025-02-03T04:05:06.125000Z", "detected"),
        Event("2025-02-03T04:05:06.125456Z", "detected"),
    )),
    "08/de.log": Expected(format="text", events=(
        Event("2024-03-03T04:05:06.500000Z", "detected"),
        Event("2024-05-03T04:05:06.500000Z", "detected"),
        Event("2024-10-03T04:05:06.500000Z", "detected"),
        Event("2024-12-03T04:05:06.500000Z", "detected"),
    )),
    "08/es.log": Expected(format="text", events=(
        Event("2024-01-03T04:05:06Z", "detected"),
        Event("2024-08-03T04:05:06Z", "detected"),
        Event("2024-12-03T04:05:06Z", "detected"),
    )),
    "08/fr.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06Z", "detected"),
        Event("2025-07-03T04:05:06Z", "detected"),
        Event("2025-08-03T04:05:06Z", "detected"),
    )),
    "09/iso.log": Expected(format="text", events=(
        Event("2024-02-29T04:05:06.250000Z", "detected"),
        Event("2024-02-29T00:00:00Z", "detected"),
        Event("2024-02-29T04:05:06Z", "detected"),
        Event("2024-02-29T09:05:06Z", "detected"),
        Event("2024-02-29T04:05:00Z", "detected"),
        Event("2024-02-29T04:05:06.500000Z", "detected"),
        Event("2024-02-29T04:05:06.500000Z", "inherited"),
    )),
    "10/orders.csv": Expected(format="csv", header=1, events=(
        Event("2024-03-04T00:00:00Z", "record", {"id": "1", "name": "a", "date": "04/03/2024"}),
        Event("2024-03-25T00:00:00Z", "record", {"id": "2", "name": "b", "date": "25/03/2024"}),
        Event("2024-12-05T00:00:00Z", "record", {"id": "3", "name": "c", "date": "05/12/2024"}),
    )),
    "10/orders.log": Expected(format="text", events=(
        Event("2024-03-04T04:05:06Z", "detected"),
        Event("2024-03-25T04:05:06Z", "detected"),
        Event("2024-12-05T04:05:06Z", "detected"),
    )),
    "10/short.csv": Expected(format="csv", header=1, events=(
        Event("2024-03-04T00:00:00Z", "record", {"id": "1", "name": "a", "date": "04/03/2024"}),
    )),
    "11/firewall.log": Expected(format="text", events=(
        Event("2025-02-03T12:05:06Z", "detected"),
        Event("2025-02-03T03:05:06Z", "detected"),
        Event("2025-02-03T04:05:06Z", "detected"),
    )),
    "12/postgresql.csv": Expected(format="csv", warnings=(_NO_HEADER,), events=(
        Event("2024-05-02T08:15:21.125000Z", "record", {"column_1": "2024-05-02 08:15:21.125 UTC", "column_2": "app", "column_3": "crm", "column_4": "812", "column_5": "10.0.0.9:5521", "column_6": "6634f1a1.32c", "column_7": "1", "column_8": "INSERT", "column_9": "2024-05-02 08:15:20 UTC", "column_10": "3/7", "column_11": "0", "column_12": "ERROR", "column_13": "23505", "column_14": "duplicate key value violates unique constraint \"users_pkey\"\nDETAIL 1\nDETAIL 2", "column_15": "", "column_16": "", "column_17": "", "column_18": "", "column_19": "", "column_20": "insert into users", "column_21": "13", "column_22": "", "column_23": "psql"}),
        Event("2024-05-02T08:15:22.125000Z", "record", {"column_1": "2024-05-02 08:15:22.125 UTC", "column_2": "app", "column_3": "crm", "column_4": "812", "column_5": "10.0.0.9:5521", "column_6": "6634f1a1.32c", "column_7": "1", "column_8": "INSERT", "column_9": "2024-05-02 08:15:20 UTC", "column_10": "3/7", "column_11": "0", "column_12": "ERROR", "column_13": "23505", "column_14": "duplicate key value violates unique constraint \"users_pkey\"", "column_15": "", "column_16": "", "column_17": "", "column_18": "", "column_19": "", "column_20": "insert into users", "column_21": "13", "column_22": "", "column_23": "psql"}),
        Event("2024-05-02T08:15:23.125000Z", "record", {"column_1": "2024-05-02 08:15:23.125 UTC", "column_2": "app", "column_3": "crm", "column_4": "812", "column_5": "10.0.0.9:5521", "column_6": "6634f1a1.32c", "column_7": "1", "column_8": "INSERT", "column_9": "2024-05-02 08:15:20 UTC", "column_10": "3/7", "column_11": "0", "column_12": "ERROR", "column_13": "23505", "column_14": "duplicate key value violates unique constraint \"users_pkey\"", "column_15": "", "column_16": "", "column_17": "", "column_18": "", "column_19": "", "column_20": "insert into users", "column_21": "13", "column_22": "", "column_23": "psql"}),
    )),
    "12/postgresql.log": Expected(format="csv", warnings=(_NO_HEADER,), events=(
        Event("2024-05-02T08:15:21.125000Z", "record", {"column_1": "2024-05-02 08:15:21.125 UTC", "column_2": "app", "column_3": "crm", "column_4": "812", "column_5": "10.0.0.9:5521", "column_6": "6634f1a1.32c", "column_7": "1", "column_8": "INSERT", "column_9": "2024-05-02 08:15:20 UTC", "column_10": "3/7", "column_11": "0", "column_12": "ERROR", "column_13": "23505", "column_14": "duplicate key value violates unique constraint \"users_pkey\"\nDETAIL 1", "column_15": "", "column_16": "", "column_17": "", "column_18": "", "column_19": "", "column_20": "insert into users", "column_21": "13", "column_22": "", "column_23": "psql"}),
        Event("2024-05-02T08:15:22.125000Z", "record", {"column_1": "2024-05-02 08:15:22.125 UTC", "column_2": "app", "column_3": "crm", "column_4": "812", "column_5": "10.0.0.9:5521", "column_6": "6634f1a1.32c", "column_7": "1", "column_8": "INSERT", "column_9": "2024-05-02 08:15:20 UTC", "column_10": "3/7", "column_11": "0", "column_12": "ERROR", "column_13": "23505", "column_14": "duplicate key value violates unique constraint \"users_pkey\"", "column_15": "", "column_16": "", "column_17": "", "column_18": "", "column_19": "", "column_20": "insert into users", "column_21": "13", "column_22": "", "column_23": "psql"}),
    )),
    "13/bucket_usage_2025_02_03_04_00_00_0a_v0": Expected(format="csv", header=1, events=(
        Event("2025-02-03T04:05:06.250000Z", "record", {"time_micros": "1738555506250000", "c_ip": "203.0.113.5", "cs_method": "GET", "sc_status": "200"}),
    )),
    "13/rows.csv": Expected(format="csv", warnings=(_NO_HEADER,), events=(
        Event("2025-09-01T00:00:00Z", "object", {"column_1": "1738555506250000", "column_2": "203.0.113.5", "column_3": "GET", "column_4": "200"}),
        Event("2025-09-01T00:00:00Z", "object", {"column_1": "1738555507250000", "column_2": "203.0.113.6", "column_3": "GET", "column_4": "304"}),
    )),
    "14/sep.csv": Expected(format="csv", header=2, events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "user": "ann", "text": "a,b"}),
    )),
    "14/sep-comma.csv": Expected(format="csv", header=2, events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "user": "ann"}),
    )),
    "14/blanks.csv": Expected(format="csv", header=1, events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "user": "ann", "text": "a, b"}),
    )),
    "14/trailing.csv": Expected(format="csv", header=1, events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "user": "ann"}),
        Event("2025-02-03T04:05:07Z", "record", {"time": "2025-02-03T04:05:07Z", "user": "bob"}),
    )),
    "14/comment.csv": Expected(format="csv", header=1, events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "user": "ann"}),
    )),
    "14/preamble.csv": Expected(format="csv", blank=1, warnings=("3 lines before its header are no row: --skip-rows 3 passes over them",), events=(
        Event("2025-09-01T00:00:00Z", "object", {"column_1": "Report"}),
        Event("2025-09-01T00:00:00Z", "object", {"column_1": "Made: today"}),
        Event("2025-09-01T00:00:00Z", "object", {"column_1": "time", "column_2": "user"}),
        Event("2025-09-01T00:00:00Z", "object", {"column_1": "2025-02-03T04:05:06Z", "column_2": "ann"}),
        Event("2025-09-01T00:00:00Z", "object", {"column_1": "2025-02-03T04:05:07Z", "column_2": "bob"}),
    )),
    "14/skipped.csv": Expected(format="csv", header=4, events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "user": "ann"}),
    )),
    "14/backslash.csv": Expected(format="csv", header=1, events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "user": "ann", "text": "a \"b\", c"}),
        Event("2025-02-03T04:05:07Z", "record", {"time": "2025-02-03T04:05:07Z", "user": "bob", "text": "d"}),
    )),
    "16/json-first.log": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "n": "1"}),
        Event("2025-02-03T04:05:07Z", "detected", error="invalid_json", message="2025-02-03 04:05:07 WARN plain"),
        Event("2025-02-03T04:05:07Z", "inherited", error="invalid_json", message="\tat a.B.c(B.java:7)"),
        Event("2025-02-03T04:05:08Z", "record", {"time": "2025-02-03T04:05:08Z", "n": "2"}),
    )),
    "16/prefixed.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06Z", "detected"),
    )),
    "16/text-first.log": Expected(format="text", events=(
        Event("2025-09-01T00:00:00Z", "object"),
        Event("2025-02-03T04:05:06Z", "detected"),
        Event("2025-02-03T04:05:07Z", "detected"),
    )),
    "17/config.json.gz": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"configurationItemCaptureTime": "2025-02-03T04:05:06Z", "resourceId": "a", "fileVersion": "1.0"}),
        Event("2025-02-03T04:05:07Z", "record", {"configurationItemCaptureTime": "2025-02-03T04:05:07Z", "resourceId": "b", "fileVersion": "1.0"}),
    )),
    "17/elastic.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"_index": "i", "n": "1", "total": "2", "took": "1", "@timestamp": "2025-02-03T04:05:06Z"}),
        Event("2025-02-03T04:05:07Z", "record", {"total": "2", "took": "1", "@timestamp": "2025-02-03T04:05:07Z"}),
    )),
    "17/o365.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"CreationTime": "2025-02-03T04:05:06", "Id": "1"}),
        Event("2025-02-03T04:05:07Z", "record", {"CreationTime": "2025-02-03T04:05:07", "Id": "2"}),
    )),
    "17/PT1H.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "category": "NSG"}),
        Event("2025-02-03T04:05:07Z", "record", {"time": "2025-02-03T04:05:07Z", "category": "NSG"}),
    )),
    "21/hadoop.log.snappy": Expected(events=(), format="text", status="failed", reason="unsupported: a stream of snappy-java (xerial): write framed Snappy instead"),
    "21/kafka": Expected(events=(), format="text", status="failed", reason="unsupported: a stream of snappy-java (xerial): write framed Snappy instead"),
    "21/spark.log.lz4": Expected(events=(), format="text", status="failed", reason="unsupported: a stream of lz4-java (LZ4Block): write LZ4 frames instead"),
    "27/rollover.log": Expected(format="text", events=(
        Event("2024-11-30T10:00:00Z", "detected"),
        Event("2024-12-31T23:59:59Z", "detected"),
        Event("2025-01-01T00:00:01Z", "detected"),
    )),
    "27/years.log": Expected(format="text", events=(
        Event("2024-05-10T01:00:00Z", "detected"),
        Event("2024-12-31T23:59:59Z", "detected"),
        Event("2025-01-01T00:00:01Z", "detected"),
        Event("2025-03-20T01:00:00Z", "detected"),
    )),
    "27/three-years.log": Expected(format="text", events=(
        Event("2024-01-10T01:00:00Z", "detected"),
        Event("2024-12-31T23:59:59Z", "detected"),
        Event("2025-01-01T00:00:01Z", "detected"),
        Event("2024-12-31T23:59:58Z", "detected"),
        Event("2025-09-10T01:00:00Z", "detected"),
        Event("2026-03-20T01:00:00Z", "detected"),
    )),
    "27/flag.log": Expected(format="text", events=(
        Event("2019-12-31T23:59:59Z", "detected"),
        Event("2020-01-01T00:00:01Z", "detected"),
    )),
    "27/copied.log": Expected(format="text", events=(
        Event("2024-02-11T20:44:26Z", "detected"),
        Event("2024-02-29T20:44:26Z", "detected"),
    )),
    "27/leap.log": Expected(format="text", events=(
        Event("2019-02-11T20:44:26Z", "detected"),
        Event("2019-02-11T20:44:26Z", "inherited"),
    )),
    "28/utf16.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06Z", "detected", message="2025-02-03 04:05:06 Grüße"),
        Event("2025-02-03T04:05:07Z", "detected", message="2025-02-03 04:05:07 漢"),
    )),
    "28/utf16le.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06.500000Z", "detected", message="2025-02-03 04:05:06.5 Server   Grüße"),
        Event("2025-02-03T04:05:07.500000Z", "detected", message="2025-02-03 04:05:07.5 Server   zwei"),
    )),
    "28/western.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06Z", "detected", message="2025-02-03 04:05:06 à bientôt"),
    )),
    "28/unnamed.log": Expected(format="text", warnings=("2 byte sequences that are no UTF-8 were replaced by U+FFFD",), events=(
        Event("2025-02-03T04:05:06Z", "detected", message="2025-02-03 04:05:06 \ufffd bient\ufffdt"),
    )),
    "28/japanese.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06Z", "detected", message="2025-02-03 04:05:06 ログ"),
    )),
    "28/exchange.LOG": Expected(format="w3c", header=3, events=(
        Event("2025-02-03T04:05:06.001000Z", "record", {"date-time": "2025-02-03T04:05:06.001Z", "client-ip": "10.0.0.5", "event-id": "RECEIVE", "recipient-address": "ann@example.com"}),
    )),
    "29/partial.log": Expected(format="text", warnings=("--join-partial joins them",), events=(
        Event("2025-02-03T04:05:06.100000Z", "pipeline", {"stream": "stdout", "logtag": "P"}, message="one "),
        Event("2025-02-03T04:05:06.200000Z", "pipeline", {"stream": "stderr", "logtag": "F"}, message="other"),
        Event("2025-02-03T04:05:06.300000Z", "pipeline", {"stream": "stdout", "logtag": "F"}, message="two"),
    )),
    "30/dns.log.gz": Expected(format="zeek", header=8, events=(
        Event("2025-02-03T04:05:06.250000Z", "record", {"ts": "1738555506.250000", "uid": "C1", "id.orig_h": "10.0.0.7", "answers": "192.0.2.1,192.0.2.2", "query": "a.example"}, message="1738555506.250000\tC1\t10.0.0.7\ta.example\t192.0.2.1,192.0.2.2"),
        Event("2025-02-03T04:05:07.250000Z", "record", {"ts": "1738555507.250000", "uid": "C2", "id.orig_h": "10.0.0.7", "answers": ""}, message="1738555507.250000\tC2\t10.0.0.7\t-\t(empty)"),
    )),
    "31/u_ex.log": Expected(format="w3c", header=6, events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "04:05:06", "cs-uri-stem": "/a", "sc-status": "200", "date": "2025-02-03", "s-ip": "10.0.0.1", "cs(User-Agent)": "curl/8.5+(x)"}),
        Event("2025-02-03T05:00:01Z", "record", {"time": "05:00:01", "cs-uri-stem": "/b", "date": "2025-02-03"}),
    )),
    "31/clock.log": Expected(format="w3c", header=3, events=(
        Event("2025-02-03T23:59:51Z", "record", {"time": "23:59:51", "c-ip": "10.0.0.1"}),
        Event("2025-02-04T00:00:02Z", "record", {"time": "00:00:02", "c-ip": "10.0.0.2"}),
    )),
    "31/quoted.log": Expected(format="w3c", header=2, events=(
        Event("2025-02-03T04:05:06.500000Z", "record", {"time": "04:05:06.5", "cs-uri-stem": "/a b", "date": "2025-02-03"}),
        Event("2025-02-03T04:05:07Z", "record", {"time": "04:05:07", "cs-uri-stem": "/c", "date": "2025-02-03"}, error="too_many_columns", rescued="[\"x\"]", message="2025-02-03 04:05:07 /c x"),
    )),
    "34/squid.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06.021000Z", "detected"),
    )),
    "34/logfmt.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06.125000Z", "detected"),
        Event("2025-02-03T04:05:07Z", "detected"),
        Event("2025-02-03T04:05:08Z", "detected"),
    )),
    "34/millis.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06.125000Z", "detected"),
        Event("2025-02-03T04:05:07.262003Z", "detected"),
    )),
    "34/events.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06Z", "detected"),
        Event("2025-02-03T04:05:07Z", "detected"),
        Event("2025-02-03T04:05:08Z", "detected"),
    )),
    "35/seq.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "n": "1"}),
        Event("2025-02-03T04:05:07Z", "record", {"time": "2025-02-03T04:05:07Z", "n": "2"}),
    )),
    "35/seq.log": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "n": "1"}),
        Event("2025-02-03T04:05:07Z", "record", {"time": "2025-02-03T04:05:07Z", "n": "2"}),
    )),
    "35/nul.json": Expected(events=(
        Event("2025-02-03T04:05:06.250000Z", "record", {"timestamp": "1738555506.25", "n": "1"}),
        Event("2025-02-03T04:05:07.250000Z", "record", {"timestamp": "1738555507.25", "n": "2"}),
    )),
    "35/commas.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "n": "1"}),
        Event("2025-02-03T04:05:07Z", "record", {"time": "2025-02-03T04:05:07Z", "n": "2"}),
    )),
    "35/comment.jsonl": Expected(events=(
        Event("2025-09-01T00:00:00Z", "object", error="invalid_json", message="// made 2024"),
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "n": "1"}),
    )),
    "35/bad.json": Expected(warnings=("4 of 5 records could not be read as json, the first: invalid_json: unexpected text at character 36",), events=(
        Event("2025-02-03T04:05:06Z", "detected", error="invalid_json", message="{\"time\":\"2025-02-03T04:05:06Z\",\"v\":NaN}"),
        Event("2025-02-03T04:05:07Z", "record", {"time": "2025-02-03T04:05:07Z", "v": "1"}),
        Event("2025-02-03T04:05:08Z", "detected", error="invalid_json", message="{\"time\":\"2025-02-03T04:05:08Z\",\"text\":\"a"),
        Event("2025-02-03T04:05:08Z", "inherited", error="invalid_json", message="b\"}"),
        Event("2025-02-03T04:05:09Z", "detected", error="invalid_json", message="{\"time\":\"2025-02-03T04:05:09Z\",\"text\":\"a\tb\"}"),
    )),
    "35/repr.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "detected", error="invalid_json", message="{'time': '2025-02-03T04:05:06Z', 'a': 'b'}"),
    )),
    "35/texts.json": Expected(events=(
        Event("2025-09-01T00:00:00Z", "object", error="not_an_object", message="[\"a\",\"b\"]"),
    )),
    "35/last-comma.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "n": "1"}),
        Event("2025-02-03T04:05:07Z", "record", {"time": "2025-02-03T04:05:07Z", "n": "2"}),
    )),
    "35/open.json": Expected(warnings=("its array, or the list of its records, is not closed at the end: the object may be cut off",), events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "n": "1"}),
        Event("2025-02-03T04:05:07Z", "record", {"time": "2025-02-03T04:05:07Z", "n": "2"}),
    )),
    "35/verbatim.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "id": "18446744073709551616", "f": "1e400", "z": "-0", "d": "1.10", "e": "é😀"}),
    )),
    "36/units.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"timestamp": "1738555506"}),
        Event("2025-02-03T04:05:06.125000Z", "record", {"timestamp": "1738555506125"}),
        Event("2025-02-03T04:05:06.125456Z", "record", {"timestamp": "1738555506125456"}),
        Event("2025-02-03T04:05:06.125456Z", "record", {"timestamp": "1738555506125456789"}),
        Event("2025-02-03T04:05:06.125456Z", "record", {"timestamp": "1738555506.125456789"}),
        Event("2025-02-03T04:05:06.125500Z", "record", {"timestamp": "1738555506125.5"}),
        Event("2025-02-03T04:05:06Z", "record", {"timestamp": "20250203040506"}),
        Event("2025-02-03T04:05:06.125000Z", "record", {"timestamp": "20250203040506.125"}),
        Event("2025-09-01T00:00:00Z", "object", {"timestamp": "638741523061250000"}),
        Event("2025-09-01T00:00:00Z", "object", {"timestamp": "133830291061250000"}),
        Event("2025-09-01T00:00:00Z", "object", {"timestamp": "45691.17"}),
        Event("2025-09-01T00:00:00Z", "object", {"timestamp": "-1"}),
        Event("2025-09-01T00:00:00Z", "object", {"timestamp": "0"}),
        Event("2025-09-01T00:00:00Z", "object", {"timestamp": ""}),
        Event("2025-09-01T00:00:00Z", "object"),
    )),
    "38/PT1H.json": Expected(events=_WRAPPED),
    "38/trail.json.bz2": Expected(events=_WRAPPED),
    "43/zones.log": Expected(format="text", events=(
        Event("2025-02-03T02:05:06Z", "detected"),
        Event("2025-02-02T22:35:06Z", "detected"),
        Event("2025-02-03T21:05:06Z", "detected"),
        Event("2025-02-03T02:05:06Z", "detected"),
        Event("2025-02-03T02:05:06Z", "detected"),
        Event("2025-02-03T02:05:06Z", "detected"),
    )),
    "43/zones.json": Expected(events=(
        Event("2025-02-03T02:05:06Z", "record", {"time": "2025-02-03 04:05:06 GMT+2"}),
        Event("2025-02-02T22:35:06Z", "record", {"time": "2/3/2025, 4:05:06 AM GMT+5:30"}),
        Event("2025-02-03T02:05:06Z", "record", {"time": "2025-02-03 04:05:06 UTC+2:00"}),
        Event("2025-02-03T02:05:06Z", "record", {"time": "Mon Feb 03 2025 04:05:06 GMT+0200 (EET)"}),
        Event("2025-02-03T04:05:06.125000Z", "record", {"time": "2025-02-03T04:05:06,125Z"}),
        Event("2025-02-04T00:00:00Z", "record", {"time": "2025-02-03T24:00:00Z"}),
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-034T04:05:06Z"}),
        Event("2025-03-03T04:05:06.125000Z", "record", {"time": "03-Mär-2025 04:05:06.125"}),
        Event("2025-02-03T09:05:06Z", "record", {"time": "2025-02-03T04:05:06\u221205:00"}),
        Event("2025-09-01T00:00:00Z", "object", {"time": "2025-02-03 04:05:06 IST"}),
    )),
    "44/epochs.csv": Expected(format="csv", warnings=(_NO_HEADER,), events=(
        Event("2025-09-01T00:00:00Z", "object", {"column_1": "1738555506", "column_2": "10.0.0.1", "column_3": "GET"}),
        Event("2025-09-01T00:00:00Z", "object", {"column_1": "1738555507", "column_2": "10.0.0.2", "column_3": "GET"}),
    )),
    "44/addresses.csv": Expected(format="csv", warnings=(_NO_HEADER,), events=(
        Event("2025-09-01T00:00:00Z", "object", {"column_1": "10.0.0.1", "column_2": "10.0.0.2", "column_3": "443", "column_4": "tcp"}),
        Event("2025-09-01T00:00:00Z", "object", {"column_1": "10.0.0.1", "column_2": "10.0.0.3", "column_3": "443", "column_4": "tcp"}),
    )),
    "44/one.csv": Expected(format="csv", warnings=(_NO_HEADER,), events=(
        Event("2025-02-03T04:05:06Z", "record", {"column_1": "2025-02-03 04:05:06", "column_2": "ann", "column_3": "login"}),
    )),
    "44/uneven.csv": Expected(format="csv", warnings=(_NO_HEADER,), events=(
        Event("2025-02-03T04:05:06Z", "record", {"column_1": "1", "column_2": "2025/02/03 04:05:06", "column_3": "TRAFFIC", "column_4": "10.1.1.1"}),
        Event("2025-02-03T04:05:07Z", "record", {"column_1": "1", "column_2": "2025/02/03 04:05:07", "column_3": "THREAT", "column_4": "10.1.1.2"}, error="too_many_columns", rescued="[\"more\",\"cells\"]", message="1,2025/02/03 04:05:07,THREAT,10.1.1.2,more,cells"),
        Event("2025-02-03T04:05:08Z", "record", {"column_1": "1", "column_2": "2025/02/03 04:05:08", "column_3": "TRAFFIC", "column_4": "10.1.1.1"}),
    )),
    "44/quoted.csv": Expected(format="csv", warnings=(_NO_HEADER,), events=(
        Event("2025-02-03T04:05:06Z", "record", {"column_1": "2025-02-03 04:05:06", "column_2": "ann", "column_3": "ann,HQ", "column_4": "10.10.1.100"}),
        Event("2025-02-03T04:05:07Z", "record", {"column_1": "2025-02-03 04:05:07", "column_2": "bob", "column_3": "bob,HQ", "column_4": "10.10.1.101"}),
    )),
    "46/security.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06.765432Z", "detected"),
        Event("2025-02-03T04:05:07.765432Z", "detected"),
    )),
    "49/app.json": Expected(events=(
        Event("2025-09-01T00:00:00Z", "object", {"host": "pc", "event": "boot"}),
        Event("2025-02-03T04:05:06Z", "record", {"host": "pc", "timestamp": "2025-02-03T04:05:06Z", "user": "ann", "level": "info", "event": "login"}),
    )),
    "49/timed.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "user": "ann", "event": "login"}),
    )),
    "56/segment.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "1738555506", "event": "Order Completed", "properties": "{\"id\":1}"}),
        Event("2025-02-03T04:05:07Z", "record", {"time": "1738555507", "event": "Order Refunded", "properties": "{\"id\":2}", "reason": "x"}),
    )),
    "56/hec.json": Expected(format="splunk_hec", warnings=("its objects have 'status', which is no member of HEC: it is kept in _rescued, and --format json makes an attribute of it",), events=(
        Event("2025-02-03T04:05:06Z", "record", {"sourcetype": "s"}, rescued="{\"status\":5}"),
        Event("2025-02-03T04:05:07Z", "record", {"sourcetype": "s"}),
    )),
    "53/0f1e/lambda/000000.gz": Expected(format="text", events=(
        Event("2025-02-03T04:05:06.250000Z", "detected"),
        Event("2025-02-03T04:05:07.250000Z", "pipeline", {"version": "2", "bytes": "840", "account_id": "111122223333", "interface_id": "eni-7", "srcaddr": "10.0.0.7", "dstaddr": "10.0.0.8", "srcport": "443", "dstport": "5100", "protocol": "6", "packets": "9", "start": "1738555500", "end": "1738555560", "action": "ACCEPT", "log_status": "OK"}),
        Event("2025-02-03T04:05:08.250000Z", "pipeline", {"clientip": "203.0.113.9", "ident": "-", "user": "ann", "req_time": "03/Feb/2025:04:05:01 +0000", "method": "GET", "uri": "/", "uri_path": "/", "version": "HTTP/1.1", "status": "200", "bytes": "5", "referer": "-", "useragent": "curl/8.5"}),
    )),
    "53/aws-logs-write-test": Expected(format="text", warnings=("it is no log, but the object by which an export of CloudWatch Logs tries whether it may write",), events=(
        Event("2025-09-01T00:00:00Z", "object"),
    )),
    "54/buffer.log": Expected(format="text", events=(
        Event("2025-02-03T04:05:06Z", "pipeline", {"tag": "app.web", "level": "warn", "a": "{\"b\":1}"}),
    )),
    "54/untimed.json": Expected(events=(
        Event("2025-09-01T00:00:00Z", "object", {"level": "info", "msg": "x"}),
    )),
    "58/gcp.json": Expected(events=(
        Event("2025-02-03T04:05:06.123456Z", "record", {"timestamp": "2025-02-03T04:05:06.123456789Z", "insertId": "1a", "receiveTimestamp": "2025-02-03T04:10:00Z"}),
    )),
    "58/azure.json": Expected(events=(
        Event("2025-02-03T04:05:06.698351Z", "record", {"time": "2025-02-03T04:05:06.6983518Z", "properties": "{\"a\":1}"}),
    )),
    "58/cloudfront-v2.json": Expected(events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "04:05:06", "sc-bytes": "1", "date": "2025-02-03"}),
    )),
    "58/caddy.log": Expected(events=(
        Event("2025-02-03T04:05:06.315275Z", "record", {"level": "info", "ts": "1738555506.3152757", "msg": "handled"}),
    )),
    "58/waf.json": Expected(events=(
        Event("2025-02-03T04:05:06.125000Z", "pipeline", {"uri": "/", "timestamp": "1738555506125", "formatVersion": "1", "webaclId": "arn:x", "action": "ALLOW", "httpRequest": "{\"clientIp\":\"10.0.0.1\",\"uri\":\"/\"}", "httpRequest.clientIp": "10.0.0.1", "httpRequest.uri": "/", "src": "10.0.0.1"}),
    )),
    "62/devices.log": Expected(format="text", events=(
        Event("2017-02-03T04:05:06Z", "pipeline", {"host": "SW-01", "timestamp": "Feb 03 04:05:06 2017", "program": "%%10WEB/4/LOGIN(l)"}),
        Event("2024-02-03T04:05:06Z", "pipeline", {"host": "asa7", "priority": "166", "timestamp": "Feb 03 2024 04:05:06", "program": "%ASA-6-302013", "severity": "6", "facility": "20"}),
        Event("2024-02-03T04:05:06.250000Z", "pipeline", {"priority": "189", "timestamp": "Feb  3 2024 04:05:06.250 UTC", "program": "%SYS-5-CONFIG_I", "severity": "5", "facility": "23"}),
        Event("2024-02-02T20:05:06Z", "pipeline", {"host": "vpn", "priority": "30", "timestamp": "2024-02-03T04:05:06+08:00", "program": "charon", "pid": "15", "structured_data": "[meta sequenceId=\"1\"]", "severity": "6", "facility": "3"}),
        Event("2025-02-03T04:05:06Z", "pipeline", {"host": "10.0.0.99", "priority": "13", "timestamp": "Feb  3 04:05:06", "severity": "5", "facility": "1"}),
        Event("2024-02-03T04:05:06Z", "pipeline", {"host": "pc", "timestamp": "2024 Feb 03 04:05:06", "program": "app", "pid": "1"}),
        Event("2025-02-03T03:05:06Z", "pipeline", {"host": "pc", "priority": "34", "timestamp": "Feb  3 04:05:06 CET", "program": "su", "pid": "1", "severity": "2", "facility": "4"}),
    )),
    "90/long.log": Expected(format="text", warnings=("1 record longer than 65,536 bytes (--max-record) was cut: 4,484 bytes of them are not kept",), events=(
        Event("2025-02-03T04:05:06Z", "detected", error="record_too_long"),
        Event("2025-02-03T04:05:07Z", "detected"),
    )),
    "90/long.csv": Expected(format="csv", header=1, warnings=("1 record longer than 65,536 bytes (--max-record) was cut: 4,485 bytes of them are not kept",), events=(
        Event("2025-02-03T04:05:06Z", "record", {"time": "2025-02-03T04:05:06Z", "text": "a"}),
        Event("2025-02-03T04:05:07Z", "detected", error="record_too_long"),
    )),
}  # fmt: skip
