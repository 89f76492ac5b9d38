"""A line with a field more or fewer is none of a ready-made pipeline's: no field is ever shifted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timezone
from importlib.resources import files
from typing import Any

import pyarrow as pa
import pytest
import yaml

from transforms.core.schema import attribute_name
from transforms.event_pipelines import Pipeline, apply_pipelines
from transforms.event_pipelines.definition import load_ready_made
from transforms.event_pipelines.ready_made import ready_made_names
from transforms.processors.processor import Processor

NOW = datetime(2025, 11, 21, 12, tzinfo=timezone.utc)
LIBRARY = files("transforms.event_pipelines.library")
BLANKS = r'^[A-Z][a-z]{2}  ?[0-9]+|"(?:[^"\\]|\\.)*"|\[[^\]]*\](?= )|\{[^}]*\}|\S+'
CELLS = r'(?:"(?:[^"]|"")*"|[^,])+|(?<=,)(?=,)|(?<=,)$'
SYSLOG = (
    r"(?:<[0-9]+>)?(?:[0-9]+: )?\*?[A-Z][a-z]{2}  ?[0-9]+ (?:[0-9]{4} )?[0-9:.]+"
    r"(?: (?:CST [0-9]{4}|[0-9]{4}|UTC|EST|CET)(?=:? ))?:?"
    r'|[0-9]{4} [A-Z][a-z]{2} [0-9]+ [0-9:]+|\[[^ ]+ (?:"(?:[^"\\]|\\.)*"|[^"\]])*\]|\S+'
)
FIELDS = {
    "access_combined": (BLANKS, " "),
    "aws_alb": (BLANKS, " "),
    "aws_cloudfront": (r"[^\t]+", "\t"),
    "aws_s3_access": (BLANKS, " "),
    "aws_vpcflow": (BLANKS, " "),
    "cef": (r"(?:[^|\\]|\\.)+", "|"),
    "fluentd_file": (r"[^\t]+", "\t"),
    "gcs_usage": (CELLS, ","),
    "haproxy": (BLANKS, " "),
    "iis": (BLANKS, " "),
    "kubernetes": (r"\S+", " "),
    "leef": (r"[^|]+", "|"),
    "logfmt": (r'[^\s"]*"(?:[^"\\]|\\.)*"|\S+', " "),
    "nginx_error": (r"[0-9/]+ [0-9:]+|[0-9]+#[0-9]+:|\S+", " "),
    "postgresql": (r"[0-9-]+ [0-9:.]+ [A-Z]+(?:::?\S+|-\S+)?|\S+", " "),
    "postgresql_csv": (CELLS, ","),
    "syslog": (SYSLOG, " "),
}
"""Pipeline -> what a field is, and what stands between two."""
FREE_TEXT = {
    "kubernetes": re.compile(r" [FP] "),
    "nginx_error": re.compile(r"#[0-9]+: (?:\*[0-9]+ )?"),
    "postgresql": re.compile(r"[A-Z]+:  "),
    "syslog": re.compile(r"(?<=[^ :]): (?=\D)|(?<= - )(?=-? ?\S)|\] (?=[^:]*$)"),
}
"""What stands right before text that may be anything: what is in it is no field."""
BY_NAME = ("aws_cloudtrail", "docker_json", "waf", "windows_event_json")
"""Those whose fields have names: what another document has is no match, below."""
_ABSENT = "-"  # no value, so none in the wrong place
_TWO_READINGS = re.compile(
    r'" a" |[0-9-] "-" "-"$|\{\} "|"203.0.113.9, 10.0.0.1"$|^[0-9.]+, |^host\.example\.net |'
    r'\|(?:\^|0?x[0-9A-Fa-f]+)\||"new" new$| 400 226 "-" "-"$|'
    r"@shop/psql |,app=(?:pgAdmin 4|a LOG)|"  # an application's name may have blanks
    r"(?: no host|behind a full stamp|Use the BFG!|web-1 hello|last message repeated 2 times)$"
)
"""Samples that are another whole form with a field more or fewer: the last of a list, LEEF's delimiter, a syslog line
with and without a host, or with words behind its host that may be a text.
"""
_TEXT = "error_message"
MORE = ["-", "x", '"-"', '"x"', "203.0.113.1", "200", ""]


def read(name: str, messages: list[str]) -> list[dict[str, Any]]:
    batch = pa.RecordBatch.from_arrays(
        [pa.array(messages, pa.string_view()), pa.array(["text"] * len(messages)).dictionary_encode()],
        names=["_message", "_format"],
    )
    done = apply_pipelines(batch, load_ready_made(name), received=NOW).to_pylist()
    return [{key: value for key, value in row.items() if key[0] != "_" and value is not None} for row in done]


def changed(message: str, field: str, separator: str) -> Iterator[str]:
    """Yield a line with each field taken out, and with one more before each and at the end."""
    parts = re.findall(field, message)
    assert separator.join(parts) == message, "the test cuts the line where its fields end"
    for at in range(len(parts) + 1):
        if at < len(parts):
            yield separator.join(parts[:at] + parts[at + 1 :])
        for more in MORE:
            yield separator.join([*parts[:at], more, *parts[at:]])


def samples() -> list[Any]:
    found = []
    for name in FIELDS:
        text = (LIBRARY / f"{name}.samples.yaml").read_text(encoding="utf-8")
        for at, sample in enumerate(yaml.safe_load(text)):
            if "failed" not in sample and sample.get("ran", name) and not _TWO_READINGS.search(sample["message"]):
                found.append(pytest.param(name, sample["message"], id=f"{name}-{at}"))
    return found


@pytest.mark.parametrize(("name", "message"), samples())
def test_no_field_is_shifted(name: str, message: str) -> None:
    field, separator = FIELDS[name]
    header = message.rfind("|", 0, message.find("=")) if separator == "|" else len(message)
    if name in FREE_TEXT and (free := FREE_TEXT[name].search(message)):
        header = len(message[: free.end()].rstrip())
    lines = list(dict.fromkeys(line + message[header:] for line in changed(message[:header], field, separator)))
    (whole, *others) = read(name, [message, *lines])
    shifted = {
        line: wrong
        for line, row in zip(lines, others, strict=True)
        if (wrong := {key: value for key, value in row.items() if value not in ("-", whole.get(key))})
        and wrong.keys() != {_TEXT}  # which may be anything; and what is absent is no shift
    }
    assert not shifted


OTHER_DOCUMENTS: dict[str, dict[str, str]] = {
    "S3 notification": {
        "eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": "2025-02-03T04:05:06Z",
        "eventName": "ObjectCreated:Put", "userIdentity": '{"principalId":"x"}', "s3": '{"bucket":{"name":"b"}}',
    },
    "DynamoDB stream": {"eventVersion": "1.1", "eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": "{}"},
    "EventBridge": {"source": "aws.iam", "time": "2025-02-03T04:05:06Z", "detail": '{"eventVersion":"1.08"}'},
    "GuardDuty": {"schemaVersion": "2.0", "createdAt": "2025-02-03T04:05:06Z", "service": '{"action":{}}'},
    "application, log and time": {"log": "x", "time": "1738555506", "stream": "orders"},
    "application, epoch": {"log": "x", "time": "1738555506", "stream": "stdout"},
    "application, Event": {"Event": "login", "EventID": "7"},
    "application, EventID": {"EventID": "signed-up", "EventTime": "2025-02-03T04:05:06Z", "Channel": "web"},
    "application, winlog": {"winlog": '{"score":1}', "@timestamp": "2025-02-03T04:05:06Z"},
    "application, action": {"action": "BLOCK", "timestamp": "1738555506125", "httpRequest": "GET /"},
    "Network Firewall": {"firewall_name": "f", "event_timestamp": "1738555506", "event": '{"action":"alert"}'},
    "Okta": {"published": "2025-02-03T04:05:06Z", "eventType": "x", "actor": "{}"},
    "Kubernetes audit": {"kind": "Event", "stage": "Panic", "requestReceivedTimestamp": "2025-02-03T04:05:06Z"},
    "Windows event, by other names": {"event_id": "4624", "channel": "Security", "computer_name": "PC"},
}  # fmt: skip
"""What the pipelines by name are not for, some of it much like what they are for."""


def given(name: str, fields: dict[str, str]) -> dict[str, Any]:
    """Return the columns of a JSON event behind a pipeline."""
    columns = {"_message": "{}", **fields}
    batch = pa.RecordBatch.from_arrays(
        [*(pa.array([value], pa.string_view()) for value in columns.values()), pa.array(["json"]).dictionary_encode()],
        names=[*columns, "_format"],
    )
    (row,) = apply_pipelines(batch, load_ready_made(name), received=NOW).to_pylist()
    return {key: value for key, value in row.items() if value is not None}


@pytest.mark.parametrize("name", [*BY_NAME, "kubernetes", "gcs_usage", "postgresql_csv"])
@pytest.mark.parametrize("fields", OTHER_DOCUMENTS.values(), ids=OTHER_DOCUMENTS)
def test_another_document_is_no_match(name: str, fields: dict[str, str]) -> None:
    found = given(name, fields)
    found.pop("_pipelines", None)
    assert found == {"_message": "{}", "_format": "json", **fields}


def documents() -> list[Any]:
    return [
        pytest.param(name, sample["given"], id=f"{name}-{at}")
        for name in BY_NAME
        for at, sample in enumerate(yaml.safe_load((LIBRARY / f"{name}.samples.yaml").read_text(encoding="utf-8")))
        if sample.get("ran", name)
    ]


@pytest.mark.parametrize(("name", "fields"), documents())
def test_a_field_more_or_fewer_changes_no_other(name: str, fields: dict[str, str]) -> None:
    fields = {key: value for key, value in fields.items() if key != "_format"}
    whole = given(name, fields)
    changes = [{key: value for key, value in fields.items() if key != left} for left in fields]
    for changed_fields in [*changes, {**fields, "more": "x"}]:
        found = given(name, changed_fields)
        known = {**fields, **whole, "more": "x"}
        others = {key for key, value in found.items() if value not in (known.get(key), changed_fields.get(key))}
        assert others <= {"_pipelines", "_message"}  # if it was no match


def attributes_of(steps: tuple[Processor | Pipeline, ...]) -> set[str]:
    """Return the attributes that steps read, write or take away."""
    found: set[str] = set()
    for step in steps:
        if isinstance(step, Pipeline):
            found |= attributes_of(step.steps)
        else:
            column = attribute_name(getattr(step, "source", "_message"))
            found |= {*step.outputs, *getattr(step, "attributes", ()), *([column] if column else [])}
    return found - set(_OWN)


_OWN = ("clf_time", "cloudwatch_time", "cri_time", "fluentd_time", "leef_pairs", "cef_extension")
"""Names that a pipeline has for what it takes away in the end."""
_VALUES = ("2001-02-03T04:05:06Z", "03/Feb/2001:04:05:06 +0000", "981173106", '{"a":1}', "a=b", "x")


@pytest.mark.parametrize("name", FIELDS)
def test_what_did_not_match_stays_as_it_is(name: str) -> None:
    """No step behind the pattern touches an attribute that an event has brought along by that name."""
    names = sorted(attributes_of(load_ready_made(name)) - {"filename", "log", "fluentd_record"})
    rows = [{attribute: value} for attribute in names for value in _VALUES]
    columns = {attribute: pa.array([row.get(attribute) for row in rows], pa.string_view()) for attribute in names}
    constants = {
        "_message": pa.array(["no line of that kind"] * len(rows), pa.string_view()),
        "_format": pa.array(["text"] * len(rows)).dictionary_encode(),
    }
    given_events = {key: column for key, column in columns.items() if key != "message"} | constants
    before = pa.RecordBatch.from_arrays(list(given_events.values()), names=list(given_events))
    after = apply_pipelines(before, load_ready_made(name), received=NOW).to_pylist()
    assert [{key: value for key, value in row.items() if key != "_pipelines"} for row in after] == before.to_pylist()


def test_every_pipeline_is_tested() -> None:
    assert {*FIELDS, *BY_NAME} == set(ready_made_names())
