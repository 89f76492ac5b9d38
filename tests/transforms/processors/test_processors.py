"""Every processor, by a table: what an event has before, what it has after, whether the processor failed on it."""

from __future__ import annotations

import hashlib
import hmac
import json
import pickle
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from transforms.core.errors import ConfigurationError
from transforms.event_pipelines import PipelineCounts, StepName, apply_pipelines
from transforms.event_pipelines.definition import load_pipelines
from transforms.processors import PROCESSORS

NOW = datetime(2025, 11, 21, 12, tzinfo=timezone.utc)
Event = dict[str, Any]


def batch_of(events: list[Event]) -> pa.RecordBatch:
    """Return events as they are in flight: `m` is the message."""
    names = ["_message", *dict.fromkeys(name for event in events for name in event if name != "m")]
    columns = {
        name: [event.get("m", "text") if name == "_message" else event.get(name) for event in events] for name in names
    }
    return pa.RecordBatch.from_arrays([pa.array(values, pa.string_view()) for values in columns.values()], names=names)


def run(steps: list[Event], events: list[Event], **pipeline: object) -> tuple[list[Event], Counter[StepName]]:
    """Return events after a pipeline, without what is null and without `_pipelines`, and the failures."""
    text = json.dumps({"pipelines": [{"name": "p", "steps": steps, **pipeline}]})
    counts = PipelineCounts()
    done = apply_pipelines(batch_of(events), load_pipelines(text, source="p.json"), received=NOW, counts=counts)
    assert done.num_rows == len(events)
    rows = [
        {"m" if name == "_message" else name: value for name, value in row.items() if value is not None}
        for row in done.to_pylist()
    ]
    return [{name: value for name, value in row.items() if name != "_pipelines"} for row in rows], counts.failures


def grok(pattern: str, **more: object) -> Event:
    return {"grok": {"source": "message", "pattern": pattern, **more}}


def kv(**more: object) -> Event:
    return {"key_value": {"source": "message", **more}}


def js(**more: object) -> Event:
    return {"json": {"source": "message", **more}}


def compute(formula: str, **more: object) -> Event:
    return {"arithmetic": {"output": "r", "formula": formula, **more}}


def redact(pattern: str, **more: object) -> Event:
    return {"redact": {"source": "message", "pattern": pattern, **more}}


FAILED = True
HASHED = hmac.new(b"key of the tests", b"17", hashlib.sha256).hexdigest()[:32]
HASHED_CARD = hmac.new(b"key of the tests", b"4111 1111 1111 1111", hashlib.sha256).hexdigest()[:32]
ADDRESSES = [
    (text, text)
    for text in ("std::bad_alloc", "Foo::Bar", "user::admin", "ActiveRecord::Base", "arn:aws:iam::123456789012:role/x",
    "Bad::x", "x::bad",
                 "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99", "12:30:45", "::", "1:2:3:4:5:6:7", "::ffffg",
                 "a_::1")
] + [
    ("fe80::1%eth0 from 2001:db8::: x", "***%eth0 from ***: x"),
    ("addr=::ffff:192.0.2.1, peer:2001:db8::8a2e:370:7334.", "addr=***, peer:***."),
    ("1:2:3:4:5:6:192.0.2.1 via fe80:: end", "*** via *** end"),
    ("2001:0db8:85a3:0000:0000:8a2e:0370:7334/64", "***/64"),
]  # fmt: skip
CARDS = [
    ("4111111111111111 12/27", "*** 12/27"),
    ("card 4111 1111 1111 1111 123", "card *** 123"),
    ("4111111111111111-123", "***-123"),
    ("200 4111111111111111", "200 ***"),
    ("Aug 11 22:24:37 4111111111111111", "Aug 11 22:24:37 ***"),
    ("amount 100 4111-1111-1111-1111", "amount 100 ***"),
    ("1 4111 1111 1111 1111 5500-0000-0000-0004 2", "1 *** *** 2"),
    ("2025 4111 1111 1111 1111 2025", "2025 *** 2025"),
    ("3782 822463 10005 and 378282246310005", "*** and ***"),
    ("4222222222222, 30569309025904, 6304 0000 0000 0000 000", "***, ***, ***"),
    ("é4111111111111111é", "é***é"),
    # no cards
    *((text, text) for text in (
        "4111 1111 1111 1112", "x4111111111111111", "1700000000005 1700000000000000003", "0000 0000 0000 0000",
        "41 1111 1111 111111",
        "2025-01-02 12345674", "41111111 1111 1111", "4111  1111 1111 1111", "411111111111111100000000",
    )),
]  # fmt: skip
HAPROXY = (
    "Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] "
    "http-in static/srv1 10/0/30/69/109 "
    "200 2750 - - "
    '---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"'
)
HAPROXY_ATTRIBUTES = {
    "syslog_timestamp": "Feb  6 12:14:14", "syslog_server": "localhost", "program": "haproxy", "pid": "14389",
    "client_ip": "10.0.1.2",
    "client_port": "33317", "accept_date": "06/Feb/2009:12:14:14.655", "haproxy_monthday": "06", "haproxy_month": "Feb",
    "haproxy_year": "2009", "haproxy_time": "12:14:14", "haproxy_hour": "12", "haproxy_minute": "14",
    "haproxy_second": "14",
    "haproxy_milliseconds": "655", "frontend_name": "http-in", "backend_name": "static", "server_name": "srv1",
    "time_request": "10",
    "time_queue": "0", "time_backend_connect": "30", "time_backend_response": "69", "time_duration": "109",
    "http_status_code": "200",
    "bytes_read": "2750", "captured_request_cookie": "-", "captured_response_cookie": "-", "termination_state": "----",
    "actconn": "1",
    "feconn": "1", "beconn": "1", "srvconn": "1", "retries": "0", "srv_queue": "0", "backend_queue": "0",
    "captured_request_headers": "1wt.eu", "captured_response_headers": "", "http_verb": "GET",
    "http_request": "/index.html",
    "http_version": "1.1",
}  # fmt: skip
CASES: list[tuple[Event, Event, Event, bool]] = [
    # regex (more in test_apply.py)
    ({"regex": {"source": "message", "pattern": r"(?P<n>\d+)"}}, {"m": "a7"}, {"n": "7"}, False),
    ({"regex": {"source": "message", "pattern": r"(?P<n>\d+)"}}, {"m": "a", "n": "1"}, {}, FAILED),
    ({"regex": {"source": "message", "pattern": r"a(?P<n>\d+)?"}}, {"m": "a", "n": "1"}, {}, False),
    ({"regex": {"source": "x", "pattern": r"(?P<n>\d+)"}}, {}, {}, False),
    ({"regex": {"source": "attributes.date", "pattern": r"(?P<n>\d+)"}}, {"attributes.date": "7"}, {"n": "7"}, False),
    # grok
    (grok("%{IPORHOST:client} %{WORD:verb} %{NUMBER:bytes:int}"), {"m": "10.0.0.1 GET 17"},
     {"client": "10.0.0.1", "verb": "GET", "bytes": "17"}, False),
    (grok("%{NUMBER:n}"), {"m": "none", "n": "1"}, {}, FAILED),
    (grok("%{NUMBER:n}", source="x"), {}, {}, False),
    (grok("^%{SHOP:shop}$", definitions={"SHOP": "shop-%{INT}"}), {"m": "shop-12"}, {"shop": "shop-12"}, False),
    (grok("(?<a>x)(y)|(?<a>z)"), {"m": "z"}, {"a": "z"}, False),
    (grok("%{WORD:a.b}-%{WORD:@c}"), {"m": "x-y"}, {"a.b": "x", "@c": "y"}, False),
    (grok("%{GREEDYDATA:message}"), {"m": "all"}, {"message": "all"}, False),
    (grok(r"[(]%{WORD:a}\)[)(]?"), {"m": "(x)"}, {"a": "x"}, False),
    (grok("%{QS:q}"), {"m": r'say "a \" b" now'}, {"q": r'"a \" b"'}, False),
    (grok("^%{IPV4:a}$"), {"m": "250.249.199.99"}, {"a": "250.249.199.99"}, False),
    (grok("^%{IPV4:a}$"), {"m": "256.1.1.1"}, {}, FAILED),
    (grok("^%{IP:a}$"), {"m": "fe80::1%eth0"}, {"a": "fe80::1%eth0"}, False),
    (grok("%{TIMESTAMP_ISO8601:t}"), {"m": "at 2025-01-02T03:04:05.678+01:00!"},
    {"t": "2025-01-02T03:04:05.678+01:00"}, False),
    (grok("%{SYSLOGLINE}"), {"m": "Mar 27 13:06:56 ip-10 sshd[1291]: hello"},
     {"timestamp": "Mar 27 13:06:56", "logsource": "ip-10", "program": "sshd", "pid": "1291", "message": "hello"},
     False),
    (grok("%{COMMONAPACHELOG}"), {"m": '1.2.3.4 - bob [10/Oct/2011:13:55:36 -0700] "GET /x HTTP/1.0" 200 -'},
     {"clientip": "1.2.3.4", "ident": "-", "auth": "bob", "timestamp": "10/Oct/2011:13:55:36 -0700", "verb": "GET",
     "request": "/x",
      "httpversion": "1.0", "response": "200"}, False),
    (grok("%{HAPROXYHTTP}"), {"m": HAPROXY}, HAPROXY_ATTRIBUTES, False),
    (grok("%{HAPROXYTIME:t}"), {"m": "12:14"}, {}, FAILED),
    # map
    ({"map": {"source": "a", "output": "b"}}, {"a": "1"}, {"b": "1"}, False),
    ({"map": {"source": "a", "output": "b"}}, {"a": "1", "b": ""}, {}, False),
    ({"map": {"source": "a", "output": "b", "override": True}}, {"a": "", "b": "2"}, {"b": ""}, False),
    ({"map": {"source": "a", "output": "b", "override": True}}, {"b": "2"}, {}, False),
    ({"map": {"source": "message", "output": "b"}}, {"m": "t"}, {"b": "t"}, False),
    # set
    ({"set": {"output": "a", "value": "x"}}, {}, {"a": "x"}, False),
    ({"set": {"output": "a", "value": "x"}}, {"a": "1"}, {}, False),
    ({"set": {"output": "a", "value": "", "override": True}}, {"a": "1"}, {"a": ""}, False),
    ({"set": {"output": "tier", "value": "gold"}}, {}, {"attributes.tier": "gold"}, False),
    ({"set": {"output": "a", "value": "${b}-${c}"}}, {"b": "1", "c": ""}, {"a": "1-"}, False),
    ({"set": {"output": "a", "value": "${b}"}}, {"b": "1"}, {"a": "1"}, False),
    ({"set": {"output": "a", "value": "<${message}> $$ $${b} $1"}}, {"m": "x"}, {"a": "<x> $$ ${b} $1"}, False),
    ({"set": {"output": "a", "value": "${b}-${c}"}}, {"b": "1"}, {}, FAILED),
    ({"set": {"output": "a", "value": "${b}"}}, {"a": "1"}, {}, False),
    ({"set": {"output": "a", "value": "${b}", "override": True}}, {"a": "1"}, {}, FAILED),
    ({"set": {"output": "a", "value": "${a}!", "override": True}}, {"a": "1"}, {"a": "1!"}, False),
    # remove
    ({"remove": {"attributes": ["a", "b"]}}, {"a": "1", "c": "2"}, {"a": None}, False),
    ({"remove": {"attributes": ["date"]}}, {"attributes.date": "1"}, {"attributes.date": None}, False),
    # arithmetic
    (compute("a + b * 2"), {"a": "1", "b": "3"}, {"r": "7"}, False),
    (compute("(a + b) * 2"), {"a": "1", "b": "3"}, {"r": "8"}, False),
    (compute("a - b - c"), {"a": "9", "b": "3", "c": "2"}, {"r": "4"}, False),
    (compute("-a + +b"), {"a": "9", "b": "3"}, {"r": "-6"}, False),
    *((compute("a / b * 100"), {"a": str(percent), "b": "100"}, {"r": str(percent)}, False) for percent in (7, 14, 29,
    57)),
    (compute("a / b * b"), {"a": "1", "b": "49"}, {"r": "1"}, False),
    (compute("a * 0.01 * 100"), {"a": "29"}, {"r": "29"}, False),
    (compute("a / 7"), {"a": "999999999999999"}, {"r": "142857142857143"}, False),
    (compute("a / b"), {"a": "1", "b": "3"}, {"r": "0.333333333333333"}, False),
    (compute("a / b"), {"a": "10", "b": "4"}, {"r": "2.5"}, False),
    (compute("a / b"), {"a": "1", "b": "0"}, {}, FAILED),
    (compute("a % b"), {"a": "1", "b": "0"}, {}, FAILED),
    (compute("a % b"), {"a": "-7", "b": "3"}, {"r": "-1"}, False),
    (compute("a % b"), {"a": "7.5", "b": "2"}, {"r": "1.5"}, False),
    (compute("a + b"), {"a": "0.1", "b": "0.2"}, {"r": "0.3"}, False),
    (compute("a - b"), {"a": "1000000.1", "b": "1000000"}, {"r": "0.1"}, False),
    (compute("a * 1000"), {"a": "0.123"}, {"r": "123"}, False),
    (compute("a + 1"), {"a": "9007199254740993"}, {"r": "9007199254740994"}, False),
    (compute("a * a"), {"a": "123456789012345"}, {"r": "15241578753238669120562399025"}, False),
    (compute("a / 1000000000"), {"a": "1"}, {"r": "0.000000001"}, False),
    (compute("a * 1"), {"a": "1e3"}, {"r": "1000"}, False),
    (compute("a * 1"), {"a": "-0"}, {"r": "0"}, False),
    (compute("a * 1"), {"a": "1e99999999"}, {}, FAILED),
    (compute("a * 1"), {"a": "12 kB"}, {}, FAILED),
    (compute("a * 1"), {"a": ""}, {}, FAILED),
    (compute("a * 1"), {"a": "NaN"}, {}, FAILED),
    (compute("a * 1"), {"a": "٣"}, {}, FAILED),
    (compute("a * 1"), {"a": "9" * 1000}, {}, FAILED),
    (compute("a * b"), {"a": "1"}, {}, False),
    (compute("a * 2"), {"a": "1", "r": "x"}, {}, False),
    (compute("a * 2", override=True), {"a": "1", "r": "x"}, {"r": "2"}, False),
    (compute("a * 2", override=True), {"a": "y", "r": "x"}, {}, FAILED),
    (compute("`a-b` - `c``d`"), {"a-b": "5", "c`d": "2"}, {"r": "3"}, False),
    (compute("attributes.date * 2"), {"attributes.date": "2"}, {"r": "4"}, False),
    # message
    ({"message": {"source": "a"}}, {"a": "new"}, {"m": "new"}, False),
    ({"message": {"source": "a"}}, {"a": ""}, {"m": ""}, False),
    ({"message": {"source": "a"}}, {}, {}, False),
    ({"message": {"source": "attributes.message"}}, {"message": "own"}, {"m": "own"}, False),
    # redact
    (redact("email"), {"m": "to ann.b+c@mail.example.org, bob@x.io."}, {"m": "to ***, ***."}, False),
    (redact("email"), {"m": "user@localhost"}, {}, False),
    (redact("email"), {"m": "an jörg@exämple.com, 用户@例子.公司, ann@[192.0.2.1]"}, {"m": "an ***, ***, ***"}, False),
    (redact("email"), {"m": 'to "ann b"@x.io, "a\\"b"@x.io, say "hi" x@y.io_z'},
    {"m": 'to ***, ***, say "hi" ***_z'}, False),
    (redact("email"), {"m": "from=bob@x.io path=/a/bob@x.io?x=1 m='a2@x.io'"},
    {"m": "from=*** path=/a/***?x=1 m='***'"}, False),
    (redact("ipv4"), {"m": "10.0.0.1 1.2.3.4.5 256.1.1.1"}, {"m": "*** ***.5 256.1.1.1"}, False),
    (redact("ipv6"), {"m": "[2001:db8::1]:80 ::1 fe80::1:2 1:2:3:4:5:6:7:8 ::ffff:1.2.3.4"},
    {"m": "[***]:80 *** *** *** ***"}, False),
    (redact("ipv6"), {"m": "12:30:45 a::b::"}, {"m": "12:30:45 ***::"}, False),
    *((redact("ipv6"), {"m": text}, {"m": masked}, False) for text, masked in ADDRESSES),
    *((redact("credit_card"), {"m": text}, {"m": masked}, False) for text, masked in CARDS),
    (redact("credit_card", hash=True), {"m": "17, 4111 1111 1111 1111 17"}, {"m": f"17, {HASHED_CARD} 17"}, False),
    (redact("credit_card", replacement="<$0$$>"), {"m": "4111111111111111 17"}, {"m": "<4111111111111111$> 17"}, False),
    (redact("credit_card"), {"m": "4111 1111 1111 1111, 5500-0000-0000-0004, 4111111111111112"},
     {"m": "***, ***, 4111111111111112"}, False),
    (redact("aws_key"), {"m": "AKIAI44QH8DHBEXAMPLE"}, {"m": "***"}, False),
    (redact("aws_key"), {"m": "key=AKIAIOSFODNN7EXAMPLE, xAKIAIOSFODNN7EXAMPLE"},
    {"m": "key=***, xAKIAIOSFODNN7EXAMPLE"}, False),
    (redact("jwt", replacement="<jwt>"), {"m": "Bearer eyJhbGciOi.eyJzdWIi.c2ln x"}, {"m": "Bearer <jwt> x"}, False),
    (redact("mac"), {"m": "00:1A:2b:3c:4d:5e"}, {"m": "***"}, False),
    (redact("us_ssn"), {"m": "078-05-1120"}, {"m": "***"}, False),
    (redact("uuid"), {"m": "123e4567-e89b-12d3-a456-426614174000"}, {"m": "***"}, False),
    (redact(r"(password=)\S+", replacement="${1}x"), {"m": "user=a password=b c"}, {"m": "user=a password=x c"}, False),
    (redact("password"), {"m": "a password"}, {"m": "a ***"}, False),
    (redact("(phone)"), {"m": "a phone"}, {"m": "a ***"}, False),
    (redact("(?P<x>a)b", replacement="$x$1$0$$."), {"m": "ab"}, {"m": "aaab$."}, False),
    (redact(r"\d+", replacement=""), {"m": "a1b22"}, {"m": "ab"}, False),
    (redact(r"\d+"), {"m": "none"}, {}, False),
    (redact(r"\d+", source="a"), {"m": "1", "a": "2"}, {"a": "***"}, False),
    (redact(r"\d+", source="a"), {"m": "1"}, {}, False),
    (redact(r"\d+", hash=True), {"m": "id 17, 17"}, {"m": f"id {HASHED}, {HASHED}"}, False),
    # json
    (js(), {"m": '{"a":1.10,"b":"x","c":[1, 2],"d":null,"e":{"f":true},"a":2}', "d": "kept"},
     {"a": "1.10", "b": "x", "c": "[1,2]", "e": '{"f":true}'}, False),
    (js(prefix="k."), {"m": ' {"a":"1"}\n'}, {"k.a": "1"}, False),
    (js(source="p"), {"p": '{"_time":"x","date":"y","_own":"z"}'}, {"attributes._time": "x", "attributes.date": "y",
    "_own": "z"}, False),
    (js(), {"m": '{"a":"new"}', "a": "old"}, {"a": "new"}, False),
    (js(), {"m": '{"a":1', "a": "old"}, {}, FAILED),
    (js(), {"m": "[1]"}, {}, FAILED),
    (js(), {"m": ""}, {}, FAILED),
    (js(), {"m": "{}"}, {}, False),
    (js(source="p"), {}, {}, False),
    # key_value
    (kv(separator=" "), {"m": 'a=1,2;3 b="x y" c= d=e=f'}, {"a": "1,2;3", "b": "x y", "c": "", "d": "e=f"}, False),
    (kv(separator="\t"), {"m": 'a=1 "2"\t b=x y\tno\tc=d=e'}, {"a": '1 "2"', "b": "x y", "c": "d=e"}, False),
    (kv(separator="^"), {"m": "a=1^b=2^a=3"}, {"a": "1", "b": "2"}, False),
    (kv(separator="next_key"), {"m": "src=1 act=blocked a \\= b  msg=two\\nlines \\\\n cs1Label=x"},
     {"src": "1", "act": "blocked a = b", "msg": "two\nlines \\n", "cs1Label": "x"}, False),
    (kv(separator="next_key"), {"m": "nothing"}, {}, FAILED),
    (kv(), {"m": 'level=info msg="two words" n=1, path=/a/b; e= q=\'x y\''},
     {"level": "info", "msg": "two words", "n": "1", "path": "/a/b", "e": "", "q": "x y"}, False),
    (kv(), {"m": "msg=it's ok=1"}, {"msg": "it's", "ok": "1"}, False),
    (kv(), {"m": "a=\"un b=2;c=5'10, d=x\\ e='f g' h='z"}, {"a": '"un', "b": "2",
    "c": "5'10", "d": "x\\", "e": "f g", "h": "'z"}, False),
    (kv(), {"m": r'a="say \"x\" \\ y" b=2'}, {"a": r'say "x" \ y', "b": "2"}, False),
    (kv(prefix="f_"), {"m": "a=1 a=2 date=3"}, {"f_a": "1", "f_date": "3"}, False),
    (kv(), {"m": "a=1 date=3 é=4", "a": "old"}, {"a": "1", "attributes.date": "3", "é": "4"}, False),
    (kv(), {"m": "no pairs here = none"}, {}, FAILED),
    (kv(source="q"), {"q": "x=y=z"}, {"x": "y=z"}, False),
    (kv(source="q"), {}, {}, False),
    # timestamp (more in test_apply.py)
    ({"timestamp": {"source": "t", "format": "CLF"}}, {"t": "no time"}, {}, FAILED),
    ({"timestamp": {"source": "t", "format": "CLF"}}, {}, {}, False),
    ({"timestamp": {"source": "t", "format": "yyyy-MM-dd"}}, {"t": "no time"}, {"_time": NOW,
    "_time_source": "received"}, FAILED),
    ({"timestamp": {"source": "t", "format": "EPOCH_SECONDS"}}, {"t": "86400"},
     {"_time": datetime(1970, 1, 2, tzinfo=timezone.utc), "_time_source": "pipeline"}, False),
    # drop, sample (more in test_drop.py)
    ({"drop": {}}, {}, {"_dropped_by": "p"}, False),
    ({"drop": {"when": "level=debug"}}, {"level": "debug"}, {"_dropped_by": "p"}, False),
    ({"drop": {"when": "level=debug"}}, {"level": "info"}, {}, False),
    ({"drop": {"when": "level=debug"}}, {}, {}, False),
    ({"sample": {"keep": 1}}, {"_event_id": "a"}, {}, False),
    ({"sample": {"keep": 0}}, {"_event_id": "a"}, {"_dropped_by": "p"}, False),
    ({"sample": {"keep": 0.0, "by": "user"}}, {"user": "ann"}, {"_dropped_by": "p"}, False),
]  # fmt: skip


def names(cases: list[tuple[Event, Event, Event, bool]]) -> list[str]:
    return [f"{at}-{next(iter(case[0]))}" for at, case in enumerate(cases)]


@pytest.fixture(autouse=True)
def hash_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKINDLE_HASH_KEY", "key of the tests")


NOT_OTHERS = ("m", "_time", "_time_source", "_dropped_by")


def expected(before: Event, changes: Event) -> Event:
    return {name: value for name, value in ({"m": "text"} | before | changes).items() if value is not None}


@pytest.mark.parametrize(("step", "before", "changes", "failed"), CASES, ids=names(CASES))
def test_processor(step: Event, before: Event, changes: Event, *, failed: bool) -> None:
    (after,), failures = run([step], [before])
    assert after == expected(before, changes)
    assert failures == ({StepName("p", f"steps[0].{next(iter(step))}"): 1} if failed else {})


@pytest.mark.parametrize(("step", "before", "changes", "failed"), CASES, ids=names(CASES))
def test_processor_among_other_events(step: Event, before: Event, changes: Event, *, failed: bool) -> None:
    """The same with a condition that chooses two of four events, and values that stand in for those of the others."""
    other = {name: "other" for name in expected(before, changes) if name not in NOT_OTHERS} | {"m": "other"}
    chosen = before | {"chosen": "yes"}
    after, failures = run([step], [other, chosen, other, chosen], when="chosen=yes")
    assert after == [other, expected(chosen, changes), other, expected(chosen, changes)]
    assert sum(failures.values()) == 2 * failed


def test_every_processor_has_cases() -> None:
    assert {next(iter(step)) for step, *_ in CASES} == set(PROCESSORS)


REFUSED = [
    ({"grok": {"source": "message", "pattern": "%{WORD:a}", "required": "yes"}}, "required: must be true or false"),
    ({"regex": {"source": "message", "pattern": "(?P<a>x)", "required": 1}}, "required: must be true or false"),
    ({"grok": {"source": "message", "pattern": "%{NOPE:a}"}},
    "pattern: character 1, '%{NOPE:a}': no pattern is called NOPE"),
    ({"grok": {"source": "message", "pattern": "%{A:a}", "definitions": {"A": "%{B}", "B": "%{A}"}}},
     "pattern: A is defined by itself: A → B → A"),
    ({"grok": {"source": "message", "pattern": "%{A:a}", "definitions": {"A": "%{B}"}}},
     "pattern: in the definition of A, '%{B}': no pattern"),
    ({"grok": {"source": "message", "pattern": "%{WORD}"}}, "pattern: names no attribute"),
    ({"grok": {"source": "message", "pattern": "%{WORD:a}(?=b)"}},
     "pattern: look-around, including look-ahead and look-behind, is not supported"),
    ({"grok": {"source": "message", "pattern": "(?<!x)%{WORD:a}"}}, "pattern: look-around"),
    ({"grok": {"source": "message", "pattern": "(?>%{WORD:a})"}}, "pattern: unrecognized flag"),
    ({"grok": {"source": "message", "pattern": "%{WORD:_time}"}}, "pattern: '_time' is a system attribute"),
    ({"grok": {"source": "message", "pattern": "%{WORD:a:text}"}},
    "pattern: character 1, '%{WORD:a:text}': text is none of int, float"),
    ({"grok": {"source": "message", "pattern": "%{A:a}", "definitions": {"A": 7, "x-y": "b"}}},
    "definitions.A: must be a pattern, not 7"),
    ({"grok": {"source": "message", "pattern": "%{WORD:a}", "definitions": []}}, "definitions: must be a mapping"),
    ({"map": {"source": "a"}}, "output: is required"),
    ({"map": {"source": "a", "output": "_time"}}, "output: '_time' is a system attribute"),
    ({"map": {"source": "a", "output": "b", "override": "yes"}}, "override: must be true or false, not 'yes'"),
    ({"set": {"output": "a"}}, "value: is required"),
    ({"set": {"output": "a", "value": 5}}, "value: must be a text, not 5; put it in quotes"),
    ({"remove": {}}, "attributes: must name at least one attribute"),
    ({"remove": {"attributes": "a"}}, "attributes: must be a list of texts, not 'a'"),
    ({"remove": {"attributes": ["a", "_message"]}}, "attributes[1]: '_message' is a system attribute"),
    ({"message": {"source": "message"}}, "source: must be an attribute; 'message' is the event's text already"),
    (compute("a +"), "formula: character 4 of 'a +': expected a number, an attribute or '('"),
    (compute("(a"), "formula: character 3 of '(a': expected an operator or ')'"),
    (compute("a b"), "formula: character 3 of 'a b': expected an operator or the end"),
    (compute("a & b"), "formula: character 2 of 'a & b': no number, attribute or operator"),
    (compute("1 + 2"), "formula: '1 + 2' names no attribute"),
    (compute("_time - a"), "formula: '_time' is a system attribute"),
    (compute("message * 2"), "formula: 'message' is the event's text, no number"),
    (compute("(" * 300 + "a"), "formula: character 200 of '((("),
    (redact("phone_number"), "pattern: 'phone_number' is none of the named patterns, email, ipv4"),
    *((redact(word), f"pattern: {word!r} is the named pattern {name} written otherwise; write {name}; "
       f"if the word itself is meant, write (")
      for word, name in (("credit-card", "credit_card"), ("creditcard", "credit_card"), ("Email", "email"), ("EMAIL",
      "email"),
                         ("emails", "email"), ("AWS-Key", "aws_key"), ("IPv4", "ipv4"))),
    (redact("phone"), "pattern: 'phone' is none of the named patterns, email, ipv4"),
    (redact("(a)", replacement="$1x"), "replacement: '$1x' names no group of the pattern; write ${1}x"),
    (redact("(a)", replacement="$5"), "replacement: '$5' names no group of the pattern; a dollar sign itself is $$"),
    (redact("email", replacement="$1"), "replacement: '$1' names no group"),
    (redact("(?P<x>a)", replacement="${y}"), "replacement: '${y}' names no group"),
    (redact("a*"), "pattern: 'a*' matches the empty text"),
    (redact(".*;|x"), "pattern: '.*;|x' takes time that grows with the square of a text's length"),
    (redact("(?:ab|ba)+c|a|b"), "pattern: '(?:ab|ba)+c|a|b' takes time that grows with the square of a text's length"),
    (redact("é+c|é"), "pattern: 'é+c|é' takes time that grows with the square of a text's length"),
    (redact("a.*b|a"), "pattern: 'a.*b|a' takes time"),
    (redact("(?=a)b"), "pattern: character 1, '(?=': look-around"),
    (redact("a", hash=True, replacement="x"), "replacement: goes without hash"),
    (redact("a", hash_key_file="x"), "hash_key_file: goes with hash: true"),
    (redact("a", hash=True, hash_key_file="/no/such"), "hash_key_file: can't be read"),
    (js(prefix="_"), "prefix: '_' is a system attribute"),
    (kv(prefix=1), "prefix: must be a text, not 1"),
    ({"drop": {"if": "a=b"}}, "if: unknown parameter; this processor takes when"),
    ({"drop": {"when": ""}}, "when: is empty; leave it out for all events"),
    ({"drop": {"when": "a=("}}, "when: "),
    ({"sample": {}}, "keep: is required"),
    ({"sample": {"keep": 1.1}}, "keep: must be a number from 0 to 1, not 1.1"),
    ({"sample": {"keep": -1}}, "keep: must be a number from 0 to 1, not -1"),
    ({"sample": {"keep": True}}, "keep: must be a number from 0 to 1, not True"),
    ({"sample": {"keep": "10%"}}, "keep: must be a number from 0 to 1, not '10%'"),
    ({"sample": {"keep": 0.1, "by": "_time"}}, "by: '_time' is a system attribute"),
    ({"sample": {"keep": 0.1, "by": ""}}, "by: must not be empty"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "message"), REFUSED, ids=[message[:50] for _, message in REFUSED])
def test_refuses_when_loaded(step: Event, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        run([step], [{}])
    assert f"pipelines[0].steps[0].{message}" in str(error.value)


def test_a_hash_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REKINDLE_HASH_KEY")
    with pytest.raises(ConfigurationError, match=r"hash: needs a key"):
        run([redact("email", hash=True)], [{}])


def test_hashes_by_a_key_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("another key\n")
    here, _ = run([redact("email", hash=True, hash_key_file=str(tmp_path / "key"))], [{"m": "a@b.cd"}])
    there, _ = run([redact("email", hash=True)], [{"m": "a@b.cd"}])
    assert len(here[0]["m"]) == 32
    assert here != there
    (tmp_path / "key").write_text("key of the tests\r\n")
    without_its_last_newline, _ = run(
        [redact("email", hash=True, hash_key_file=str(tmp_path / "key"))], [{"m": "a@b.cd"}]
    )
    assert without_its_last_newline == there
    pipelines = load_pipelines(
        json.dumps({"pipelines": [{"name": "p", "steps": [redact("email", hash=True)]}]}), source="p"
    )
    assert "key of the tests" not in repr(pipelines)


@pytest.mark.parametrize(
    ("step", "common", "rare"),
    [(kv(), "a=1 b=2", "a=1 x{}=2"), (js(), '{{"a":"1","b":"2"}}', '{{"a":"1","x{}":"2"}}')],
    ids=["key_value", "json"],
)
def test_many_names_fail_rather_than_fill_memory(step: Event, common: str, rare: str) -> None:
    events = [{"m": common.format()}] * 3000 + [{"m": rare.format(number)} for number in range(2000)]
    after, failures = run([step], events)
    assert after[0] == {**events[0], "a": "1", "b": "2"}
    assert failures == {StepName("p", f"steps[0].{next(iter(step))}"): 2000 - 998}
    assert sorted(len(event) for event in after[3000:]) == [1] * (2000 - 998) + [3] * 998


def test_pipelines_travel_to_workers() -> None:
    steps = [step for step, *_ in CASES]
    pipelines = load_pipelines(
        json.dumps({"pipelines": [{"name": "p", "when": "a=b", "steps": steps}]}), source="p.json"
    )
    assert pickle.loads(pickle.dumps(pipelines)) == pipelines


def test_every_grok_pattern_compiles() -> None:
    from transforms.processors.grok import library

    names = list(library())
    assert len(names) > 150
    for name in names:
        run([grok(f"%{{{name}:a}}")], [{"m": "x"}])


YEARLESS = [
    ("2019-06-30T10:00:00Z Jun 30 10:00:00 web-1 x", "Jun 30 10:00:00", "2019-06-30T10:00:00+00:00"),
    ("2020-01-01T00:30:00Z Dec 31 23:30:00 web-1 x", "Dec 31 23:30:00", "2020-01-01T00:30:00+00:00"),
    ("2019-03-01T10:00:00Z Jun 30 10:00:00 web-1 x", "Jun 30 10:00:00", "2025-06-30T10:00:00+00:00"),
    ("2019-06-30T10:00:00Z x", "2018-06-30 10:00:00", "2018-06-30T10:00:00+00:00"),
    ("no stamp", "Jun 30 10:00:00", "2025-06-30T10:00:00+00:00"),
    ("2019-06-30T10:00:00Z x", "no time", None),
]


def test_a_time_without_a_year_gives_way_to_a_full_one_of_that_day() -> None:
    events = [{"m": message, "t": value} for message, value, _ in YEARLESS]
    rows, _ = run([{"timestamp": {"source": "t"}}], events)
    times = [row["_time"].isoformat() if "_time" in row else None for row in rows]
    assert times == [expected for _, _, expected in YEARLESS]
