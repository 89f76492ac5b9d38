"""Patterns and lines made to stall a job: all processors take linear time, else these tests do not end."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pytest

from transforms.event_pipelines import PipelineCounts, apply_pipelines
from transforms.event_pipelines.definition import load_pipelines

NOW = datetime(2025, 11, 21, 12, tzinfo=timezone.utc)
SIZE = 10 << 20
A = "a" * SIZE
FAILED = True

HOSTILE: list[tuple[dict[str, Any], str, bool]] = [
    ({"regex": {"source": "message", "pattern": "(a+)+$", "outputs": ["x"]}}, A + "!", FAILED),
    ({"regex": {"source": "message", "pattern": "^(?:(a|aa)+)+$", "outputs": ["x"]}}, A + "!", FAILED),
    ({"grok": {"source": "message", "pattern": "^%{GREEDYDATA}%{GREEDYDATA} %{GREEDYDATA:x}$"}}, A, FAILED),
    ({"grok": {"source": "message", "pattern": "^%{UNIXPATH:x}$"}}, "/" * SIZE + "\n", FAILED),
    ({"redact": {"source": "message", "pattern": "email"}}, A, not FAILED),
    ({"redact": {"source": "message", "pattern": "email"}}, "a@b" * (SIZE // 3), not FAILED),
    ({"redact": {"source": "message", "pattern": "ipv6"}}, "1:" * (SIZE // 2), not FAILED),
    ({"redact": {"source": "message", "pattern": "credit_card"}}, "1 " * (SIZE // 2), not FAILED),
    ({"redact": {"source": "message", "pattern": "credit_card"}}, "4111 1111 " * (SIZE // 64), not FAILED),
    ({"redact": {"source": "message", "pattern": "[a-f]", "hash": True}}, "ab" * (SIZE // 32), not FAILED),
    ({"json": {"source": "message"}}, "[" * SIZE, FAILED),
    ({"json": {"source": "message"}}, '{"a":' * (SIZE // 20), FAILED),
    ({"key_value": {"source": "message"}}, A, FAILED),
    ({"key_value": {"source": "message"}}, 'a="' + "\\" * SIZE, not FAILED),
    ({"key_value": {"source": "message"}}, "a=" * (SIZE // 2), not FAILED),
    ({"timestamp": {"source": "message"}}, "2025-" * (SIZE // 5), FAILED),
    ({"timestamp": {"source": "message", "format": "yyyy-MM-dd"}}, "2025-" * (SIZE // 5), FAILED),
    ({"arithmetic": {"output": "x", "formula": "a * a"}}, "9" * SIZE, FAILED),
]


@pytest.mark.parametrize(
    ("step", "text", "failed"), HOSTILE, ids=[f"{at}-{next(iter(step))}" for at, (step, _, _) in enumerate(HOSTILE)]
)
def test_ends(step: dict[str, Any], text: str, monkeypatch: pytest.MonkeyPatch, *, failed: bool) -> None:
    monkeypatch.setenv("REKINDLE_HASH_KEY", "key of the tests")
    counts = PipelineCounts()
    pipelines = load_pipelines(json.dumps({"pipelines": [{"name": "p", "steps": [step]}]}), source="p.json")
    values = pa.array([text, "short"], pa.string_view())
    batch = pa.RecordBatch.from_arrays([values, values], names=["_message", "a"])
    done = apply_pipelines(batch, pipelines, received=NOW, counts=counts)
    assert done.num_rows == 2
    if failed:
        assert sum(counts.failures.values()) >= 1
        assert done["_message"][0].as_py() == text
