"""Hot tiers for tests, made by the product's own writer and commits, and what their events are as flat rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.core import schema
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.table import prepare as table
from transforms.hot_tier.table.commit import commit
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.promoted_columns import missing_columns
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.hot_tier.table.statistics import ColumnStatistics, statistics_json
from transforms.storage import TierStore

Event = tuple[dict[str, Any], dict[str, str]]


def event(at: str | datetime, message: str = "", /, *, system: Any = None, **attributes: Any) -> Event:
    """Return an event: its system columns that are not null, and its attributes."""
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at).replace(tzinfo=timezone.utc)
    return {"_time": moment, "_time_source": "record", "_message": message, **(system or {})}, attributes


def as_batch(events: Sequence[Event], *, source: str) -> pa.RecordBatch:
    """Return events of one object as they are in flight."""
    columns: dict[str, pa.Array] = {}
    for name, kind in schema.SYSTEM_COLUMNS.items():
        values = [one[0].get(name) for one in events]
        if any(value is not None for value in values):
            columns[name] = pa.array(values, schema.TIME if kind == schema.TIME else schema.TEXT)
    columns["_object"] = pa.array([source] * len(events), schema.CONSTANT)
    columns["_event_id"] = pa.array([f"e_{source}-{number}" for number in range(len(events))], schema.TEXT)
    for name in dict.fromkeys(name for one in events for name in one[1]):
        columns[schema.attribute_column(name)] = pa.array([one[1].get(name) for one in events], schema.TEXT)
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def give_columns(store: TierStore, names: Sequence[str]) -> list[str]:
    """Give attributes columns as another program may, though files keep them in their maps; return all columns."""
    snapshot = Snapshot.load(store)
    missing = missing_columns(names, snapshot.columns)
    if missing:
        commit(snapshot, transactions=(), columns=missing)
    return [*snapshot.columns, *missing]


@dataclass
class Tier:
    """A hot tier and all that was put into it."""

    store: TierStore
    events: list[tuple[Event, str]] = field(default_factory=list)
    commits: int = 0

    def add(self, *objects: Sequence[Event], promote: Sequence[str] = ()) -> Tier:
        """Publish events of some objects, each in files of its own; attributes to promote get their columns first.

        Older files may keep these in their maps: readers take them as they are, whoever has given the column.
        """
        if not self.commits:
            table.prepare(self.store)
        columns = give_columns(self.store, promote)
        files = []
        for number, events in enumerate(objects):
            source = f"s3://logs/{self.commits}/{number}"
            writer = HotTierWriter(self.store, columns=columns)
            writer.write(as_batch(events, source=source))
            files += writer.close()
            self.events += [(one, f"{source}-{ordinal}") for ordinal, one in enumerate(events)]
        commit(Snapshot.load(self.store), added=files, transactions=[("test", self.commits)])
        self.commits += 1
        return self

    def add_foreign(self, events: Sequence[Event], columns: pa.Table, *, name: str = "part-00000") -> Tier:
        """Publish events in another writer's file, which may keep an attribute in its column and in the map."""
        day = events[0][0]["_time"].date().isoformat()
        path = f"tier=hot/date={day}/{name}-foreign.c000.snappy.parquet"
        written = pa.BufferOutputStream()
        pq.write_table(columns, written)
        data = written.getvalue().to_pybytes()
        self.store.put(f"events/{path}", data)
        statistics = {"_object": ColumnStatistics(0, "foreign", "foreign"), "status": ColumnStatistics(1, "404", "404")}
        times = [int(one[0]["_time"].timestamp() * 1_000_000) for one in events]
        stats = statistics_json(len(events), min_time=min(times), max_time=max(times), columns=statistics)
        file = FileDescription(path, len(data), len(events), "hot", day, stats, {}, min(times), max(times))
        commit(Snapshot.load(self.store), added=[file], transactions=[("test", self.commits)])
        self.events += [(one, f"foreign-{ordinal}") for ordinal, one in enumerate(events)]
        self.commits += 1
        return self

    def rows(self) -> list[dict[str, Any]]:
        """Return all events as flat rows."""
        rows = []
        for (system, attributes), origin in self.events:
            row = {**system, "_event_id": f"e_{origin}", "_object": origin.rpartition("-")[0]}
            rows.append(row | {schema.attribute_column(name): value for name, value in attributes.items()})
        return rows


def foreign_file(store: TierStore) -> Tier:
    """Return a tier with a file that a foreign compaction made of an older and a newer one."""
    first, second = (
        event("2025-03-01T00:00:00", "in the map", status="404"),
        event("2025-03-01T00:00:01", "in its column", status="404"),
    )
    both = [first, second]
    columns = pa.table(
        {
            "_time": pa.array([one[0]["_time"] for one in both], schema.TIME),
            "_time_source": ["record"] * 2,
            "_message": [one[0]["_message"] for one in both],
            "_event_id": ["e_foreign-0", "e_foreign-1"],
            "_object": ["foreign"] * 2,
            "status": pa.array([None, "404"], pa.string()),
            "attributes": pa.array([[("status", "404")], None], pa.map_(pa.string(), pa.string())),
        }
    )
    return Tier(store).add(promote=["status"]).add_foreign(both, columns)
