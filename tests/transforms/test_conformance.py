"""The conformance cases that one local file shows, read through codec, format and times."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa

from transforms.core import schema
from transforms.formats import FORMATS
from transforms.objects.read_object import read_object
from transforms.objects.reading import ReadSettings
from transforms.storage.local import LocalStore
from transforms.timestamps import choose_times

NOW = datetime(2025, 12, 1, tzinfo=timezone.utc)


def read_events(folder: Path, key: str, data: bytes, settings: ReadSettings | None = None) -> list[dict[str, Any]]:
    """Return the events of a file, each with the columns that have a value."""
    (folder / key).write_bytes(data)
    store = LocalStore(f"file://{folder}")
    (info,) = [info for page in store.list_pages("") for info in page if info.key == key]
    batches = [
        batch.events
        for batch in read_object(info, store, settings or ReadSettings(task_id="t_1"))
        if isinstance(batch, schema.EventBatch)
    ]
    return [
        {name: value for name, value in row.items() if value is not None}
        for batch in batches
        for row in batch.to_pylist()
    ]


def attributes(event: dict[str, Any]) -> dict[str, str]:
    """Return an event's user attributes."""
    return {name: value for column, value in event.items() if (name := schema.attribute_name(column)) is not None}


def test_case_2_csv(tmp_path: Path) -> None:
    row = '127.0.0.1,24/Mar/2025:16:25:29 -0500,"Chicago, IL"'
    (event,) = read_events(tmp_path, "hosts.csv", f"host,timestamp,location\n{row}\n".encode())
    assert attributes(event) == {
        "host": "127.0.0.1",
        "timestamp": "24/Mar/2025:16:25:29 -0500",
        "location": "Chicago, IL",
        "filename": "hosts.csv",
    }
    assert (event["_time"], event["_time_source"]) == (datetime(2025, 3, 24, 21, 25, 29, tzinfo=timezone.utc), "record")
    assert (event["_message"], event["_format"]) == (row, "csv")


def hec(folder: Path, data: str) -> list[dict[str, Any]]:
    """Return the events of what was sent to Splunk's HTTP Event Collector."""
    return read_events(folder, "collected", data.encode())


def test_case_1_arrives_as_hec(tmp_path: Path) -> None:
    """The collector's part of it: the key's attributes and the regex processor are not the format's."""
    line = (
        '87.129.182.205 - jaredevans [11/Aug/2025:22:24:37 +0000] "GET /products HTTP/1.1" 200 1987 "-" '
        '"Mozilla/5.0 (Linux; Android 5.1.1; Nexus 5) AppleWebKit/537.36 (KHTML, like Gecko) '
        'Chrome/91.0.4472.124 Mobile Safari/537.36"'
    )
    sent = {
        "event": line,
        "host": "web-1",
        "index": "main",
        "source": "site_visitors.log",
        "sourcetype": "access_combined",
    }
    (event,) = hec(tmp_path, json.dumps(sent))
    assert (event["_format"], event["_message"]) == ("splunk_hec", line)
    assert attributes(event) == {name: value for name, value in sent.items() if name != "event"} | {
        "filename": "collected"
    }
    collected = [{"_message": text, "_format": "splunk_hec"} for text in (line, '{"at":"2025-08-11T22:24:37Z"}')]
    timed = choose_times(
        pa.RecordBatch.from_pylist(collected),
        timestamp="auto",
        timezone="UTC",
        modified=NOW,
        received=NOW,
        lines=FORMATS["splunk_hec"].lines,
    )
    assert timed.column("_time").to_pylist() == [datetime(2025, 8, 11, 22, 24, 37, tzinfo=timezone.utc), NOW]


def test_case_3_hec_with_fields(tmp_path: Path) -> None:
    fields = '{"key1":"value1","key2":["value2.0","value2.1"]}'
    text = f'{{"event":"Demo log","time":"2025-11-14T22:46:11Z","index":"demo","fields":{fields}}}'
    wanted = {
        "index": "demo",
        "key1": "value1",
        "key2": '["value2.0","value2.1"]',
        "sourcetype": "httpevent",
        "filename": "collected",
    }
    for sent in (text, text[:-1] + ',"status":500}'):
        (event,) = hec(tmp_path, sent)
        assert (event["_format"], event["_message"], event["_time_source"]) == ("splunk_hec", "Demo log", "record")
        assert event["_time"] == datetime(2025, 11, 14, 22, 46, 11, tzinfo=timezone.utc)
        assert attributes(event) == wanted
        assert "_error" not in event


def test_case_4_layouts_of_json(tmp_path: Path) -> None:
    one, two = '{"time":"2025-08-11T00:00:00Z","n":1}', '{"time":"2025-08-11T00:00:01Z","n":2,"s":"a b"}'
    read = [
        read_events(tmp_path, "two.json", text.encode())
        for text in (one + two, f"[{one},{two}]", f"{one}\n{two}\n", f"[\n{one},\n{two}\n]")
    ]
    for event in (event for events in read for event in events):
        del event["_observed_at"]
    assert [event["_message"] for event in read[0]] == [one, two]
    prefixes = [{event.pop("_event_id").rpartition("-")[0] for event in events} for events in read]
    assert [len(prefix) for prefix in prefixes] == [1, 1, 1, 1]
    assert read[0] == read[1] == read[2] == read[3]


def test_case_5_arrives_as_hec(tmp_path: Path) -> None:
    event = "Service token grant failed for realm [demo], status [401], response [Invalid API key]"
    (read,) = hec(
        tmp_path, json.dumps({"event": event, "source": "curl", "fields": {"userid": "wilma", "status": 401}})
    )
    assert read["_message"] == event
    assert attributes(read) == {
        "source": "curl",
        "userid": "wilma",
        "status": "401",
        "sourcetype": "httpevent",
        "filename": "collected",
    }


def test_a_jobs_sourcetype_comes_before_the_formats(tmp_path: Path) -> None:
    settings = ReadSettings(task_id="t_1", defaults=(("sourcetype", "mine"),))
    (event,) = read_events(tmp_path, "collected", b'{"event":"x","host":"a"}', settings)
    assert event["sourcetype"] == "mine"
