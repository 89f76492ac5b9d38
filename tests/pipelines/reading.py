"""What is in a hot tier, read by deltalake and pyarrow alone, and a tier for the tests of maintenance."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq

from tests.transforms.hot_tier.tiers import Tier, event
from transforms.core.names import can_be_column
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

Flat = tuple[tuple[str, Any], ...]
NOW = datetime(2026, 11, 20, tzinfo=timezone.utc)
"""The time by which the rules of these tests are reckoned."""
DAY = timedelta(days=1)
RULES = """
rules:
  - {name: old, retention: 30d}
  - {name: short, retention: 14d, when: service=db}
holds:
  - {name: case 17, when: user=ann}
tiers:
  - {name: cold, retention: 5d}
  - {name: cold at once, retention: 1d, when: service=db}
"""


@dataclass(frozen=True)
class LiveRows:
    """One version of the table.

    Attributes:
        version: Its number.
        files: The rows of each live file by its path, in their order; all columns, as they are.
    """

    version: int
    files: dict[str, pa.Table]

    def rows(self, tier: str | None = None) -> Counter[Flat]:
        """Return the flat events, each with how often it is there, of one tier or of both."""
        return Counter(
            row
            for path, table in self.files.items()
            if tier is None or path.startswith(f"tier={tier}/")
            for row in flat(table)
        )

    def ids(self) -> list[str]:
        return sorted(value for table in self.files.values() for value in table["_event_id"].to_pylist())


def read_live(store: TierStore) -> LiveRows:
    """Read the table as it is now; check the log's row counts, and that rows are in the partition and order of time."""
    table = deltalake.DeltaTable(store.table_uri("events"), storage_options=store.delta_options())
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    files = {}
    for action in actions:
        path = unquote(action["path"])
        rows = files[path] = pq.ParquetFile(io.BytesIO(store.get(f"events/{path}"))).read()
        times = rows["_time"].to_pylist()
        assert rows.num_rows == action["num_records"], path
        assert times == sorted(times) or "foreign" in path, path
        assert {time.date().isoformat() for time in times} == {str(action["partition.date"])}, path
        assert path.startswith(f"tier={action['partition.tier']}/date={action['partition.date']}/"), path
    return LiveRows(table.version(), files)


def check_places(store: TierStore) -> None:
    """Check that no file has a promoted name in its map, and that the table lists all names that maps have."""
    snapshot = Snapshot.load(store)
    for path, rows in read_live(store).files.items():
        names = {name for entries in rows["attributes"].to_pylist() for name, _ in entries or ()}
        assert names.isdisjoint(snapshot.columns), path
        assert all(name in snapshot.map_names for name in names if can_be_column(name)), path


def version_of(store: TierStore) -> int:
    return int(deltalake.DeltaTable(store.table_uri("events"), storage_options=store.delta_options()).version())


def flat(table: pa.Table) -> Iterable[Flat]:
    """Yield events with what is not null, attributes wherever they are kept."""
    for row in table.to_pylist():
        columns = {name: value for name, value in row.items() if name != "attributes" and value is not None}
        values = {
            f"attribute {name}" if name.startswith("_") else name: value for name, value in row.get("attributes") or ()
        }
        yield tuple(sorted((values | columns).items()))


def stored_files(store: TierStore) -> set[str]:
    """Return the data files that are in the store, live or not."""
    return {file.path.removeprefix("events/") for file in store.list("events/tier=")}


def everything_in(store: TierStore) -> dict[str, bytes]:
    """Return all there is in the tier."""
    return {file.path: store.get(file.path) for file in store.list("")}


def audit_rows(store: TierStore) -> list[dict[str, Any]]:
    """Return the audit, none where there is none."""
    if not deltalake.DeltaTable.is_deltatable(store.table_uri("audit"), storage_options=store.delta_options()):
        return []
    table = deltalake.DeltaTable(store.table_uri("audit"), storage_options=store.delta_options())
    paths = [unquote(path) for path in pa.table(table.get_add_actions(flatten=True)).column("path").to_pylist()]
    rows = [row for path in paths for row in pq.read_table(io.BytesIO(store.get(f"audit/{path}"))).to_pylist()]
    return [row | {"detail": json.loads(row["detail"])} for row in rows]


def made_tier(store: TierStore, *, promote: bool = True) -> Tier:
    """Return a tier of small files, for the rules above each of another kind: dropped, written again, held, kept."""

    def of_age(days: float, service: str, **attributes: str) -> Any:
        return event(NOW - days * DAY, f"{service} {days}", service=service, **attributes)

    tier = Tier(store).add(
        [of_age(40, "db"), of_age(40, "web")],
        [of_age(40.01, "web")],
        [of_age(20, "db"), of_age(20.001, "web"), of_age(20.002, "db", user="ann")],
        promote=["service", "user"] if promote else [],
    )
    return tier.add(
        [of_age(20.1, "db", level="x"), of_age(20.2, "web", level="x")],
        [of_age(3, "db"), of_age(3.01, "web", user="ann")],
        [of_age(6 + number / 100, "web") for number in range(8)],
        [of_age(3.02, "web")],
        promote=["level"] if promote else [],
    )


def made_deletion(store: TierStore, folder: Path, *, promote: bool = True) -> tuple[object, ...]:
    """Make that tier, and return the flags of a deletion by the rules above."""
    made_tier(store, promote=promote)
    rules = folder / "rules.yaml"
    rules.write_text(RULES)
    return ("delete", "--rules", rules, "--hot-tier", store.uri, "--now", NOW.isoformat())


GONE = {"db 40", "web 40", "web 40.01", "db 20", "db 20.1"}
"""The messages of the events that the rules above delete from it."""
ROWS = 19
