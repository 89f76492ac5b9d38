"""Conformance cases 1 and 5: an object read, and its pipelines run."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from transforms.core import schema
from transforms.event_pipelines.definition import load_pipelines
from transforms.objects.event_shaping import ShapingSettings, shape_events
from transforms.objects.read_object import read_object
from transforms.objects.reading import ReadSettings
from transforms.storage.local import LocalStore

CASE_1 = r"""
pipelines:
  - name: http version
    steps:
      - regex: {source: message, pattern: 'HTTP/(?P<http_version>[0-9.]+)'}
"""
CASE_5 = r"""
pipelines:
  - name: tokens
    when: 'sourcetype=httpevent "token grant failed"'
    steps:
      - regex: {source: message, pattern: 'realm \[(?P<realm>[^\]]+)\]'}
      - map: {source: status, output: http_status}
      - remove: {attributes: [userid, status]}
"""


def event_of(folder: Path, sent: dict[str, Any], pipelines: str) -> dict[str, Any]:
    """Return what becomes of an event that was sent to Splunk's HTTP Event Collector."""
    (folder / "collected").write_text(json.dumps(sent))
    store = LocalStore(f"file://{folder}")
    (info,) = [info for page in store.list_pages("") for info in page]
    (batch,) = [
        shape_events(read, ShapingSettings(pipelines=load_pipelines(pipelines, source="p.yaml")))
        for read in read_object(info, store, ReadSettings(task_id="t_1"))
        if isinstance(read, schema.EventBatch)
    ]
    (row,) = batch.events.to_pylist()
    return {name: value for name, value in row.items() if value is not None}


def attributes(event: dict[str, Any]) -> dict[str, str]:
    return {name: value for column, value in event.items() if (name := schema.attribute_name(column)) is not None}


def test_case_1_access_line(tmp_path: Path) -> None:
    line = (
        '87.129.182.205 - jaredevans [11/Aug/2025:22:24:37 +0000] "GET /products HTTP/1.1" 200 1987 "-" "Mozilla/5.0 '
        "(Linux; Android "
        '5.1.1; Nexus 5) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/91.0.4472.124 Mobile Safari/537.36"'
    )
    sent = {
        "event": line,
        "host": "web-1",
        "index": "main",
        "source": "site_visitors.log",
        "sourcetype": "access_combined",
    }
    event = event_of(tmp_path, sent, CASE_1)
    assert attributes(event) == {
        "host": "web-1",
        "http_version": "1.1",
        "index": "main",
        "source": "site_visitors.log",
        "sourcetype": "access_combined",
        "filename": "collected",
    }
    assert event["_time"] == datetime(2025, 8, 11, 22, 24, 37, tzinfo=timezone.utc)
    assert (event["_message"], event["_time_source"], event["_pipelines"]) == (line, "detected", "http version")


def test_case_5_tutorial(tmp_path: Path) -> None:
    text = "Service token grant failed for realm [demo], status [401], response [Invalid API key]"
    event = event_of(tmp_path, {"event": text, "source": "curl", "fields": {"userid": "wilma", "status": 401}}, CASE_5)
    assert attributes(event) == {
        "realm": "demo",
        "http_status": "401",
        "source": "curl",
        "sourcetype": "httpevent",
        "filename": "collected",
    }
    assert (event["_message"], event["_pipelines"]) == (text, "tokens")
