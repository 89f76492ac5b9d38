"""The conformance cases of spec §12 that are settled by reading one object: a local file, through codec, format and times."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa

from transforms import schema
from transforms.read_object import ReadSettings, read_object
from transforms.storage.local import LocalStore


def read_events(folder: Path, key: str, data: bytes) -> list[dict[str, Any]]:
    """Return the events of a file, each with the columns that have a value."""
    (folder / key).write_bytes(data)
    store = LocalStore(f"file://{folder}")
    (info,) = [info for page in store.list_pages("") for info in page if info.key == key]
    batches = [batch for batch in read_object(info, store, ReadSettings(task_id="t_1"), wave=0) if isinstance(batch, pa.RecordBatch)]
    return [{name: value for name, value in row.items() if value is not None} for batch in batches for row in batch.to_pylist()]


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
