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

from transforms.event_pipelines import apply_pipelines
from transforms.event_pipelines.definition import load_ready_made

NOW = datetime(2025, 11, 21, 12, tzinfo=timezone.utc)
LIBRARY = files("transforms.event_pipelines.library")
BLANKS = r'^[A-Z][a-z]{2}  ?[0-9]+|"(?:[^"\\]|\\.)*"|\[[^\]]*\](?= )|\{[^}]*\}|\S+'
CELLS = r'(?:"(?:[^"]|"")*"|[^,])+|(?<=,)(?=,)|(?<=,)$'
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
    "leef": (r"[^|]+", "|"),
    "postgresql_csv": (CELLS, ","),
}
"""Pipeline -> what a field is, and what stands between two."""
_ABSENT = "-"  # no value, so none in the wrong place
_TWO_READINGS = re.compile(
    r'" a" |[0-9-] "-" "-"$|\{\} "|"203.0.113.9, 10.0.0.1"$|^[0-9.]+, |^host\.example\.net |'
    r'\|\^\||0x3B|"new" new$| 400 226 "-" "-"$'
)
"""Samples of which a field may be left out so that another form is whole: the last of a list, LEEF's delimiter."""
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
    lines = list(dict.fromkeys(line + message[header:] for line in changed(message[:header], field, separator)))
    (whole, *others) = read(name, [message, *lines])
    shifted = {
        line: wrong
        for line, row in zip(lines, others, strict=True)
        if (
            wrong := {key: value for key, value in row.items() if value not in ("-", whole.get(key))}
        )  # absent is no shift
    }
    assert not shifted
