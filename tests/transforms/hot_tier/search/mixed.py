"""Random tiers with all that tiers have: columns and maps, both tiers, deleted rows, events twice, small row groups."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.transforms.hot_tier.search.test_events import random_tier
from tests.transforms.hot_tier.tiers import Event, Tier
from transforms.hot_tier.table.commit import commit
from transforms.hot_tier.table.file_description import FileDescription, layout_of, new_path
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.hot_tier.table.statistics import ColumnStatistics, statistics_columns, statistics_json
from transforms.storage import StorageOptions, open_tier


def mixed_tier(folder: Path, rng: random.Random) -> Tier:
    """Return a random tier: a file is cold, another has lost rows, an object was ingested twice."""
    tier = random_tier(open_tier(str(folder), StorageOptions()), rng)
    files = Snapshot.load(tier.store).files.values()  # their paths are new each time: only what they hold is the seed's
    by_content = sorted(files, key=lambda file: (file.min_time, file.max_time, file.rows, str(file.min_object)))
    again, cold, deleted = (file.path for file in rng.sample(by_content, 3))
    rewrite(tier, again, keep_old=True)
    rewrite(tier, cold, tier_name="cold")
    rewrite(tier, deleted, lost=rng)
    return tier


def rewrite(
    tier: Tier, path: str, *, tier_name: str = "hot", lost: random.Random | None = None, keep_old: bool = False
) -> None:
    """Write a file again in small row groups: in another tier, without some rows, or as one that is there twice."""
    snapshot = Snapshot.load(tier.store)
    table = pq.read_table(Path(snapshot.tier.table_uri("events")) / path, partitioning=None)
    if lost is not None:
        table = table.filter(pa.array([number == 0 or lost.random() < 0.6 for number in range(table.num_rows)]))
    date = snapshot.files[path].date
    name = new_path(tier_name, date, layout_of(path))
    written = pa.BufferOutputStream()
    pq.write_table(table, written, row_group_size=7)
    tier.store.put(f"events/{name}", data := written.getvalue().to_pybytes())
    times = [int(time.timestamp() * 1e6) for time in table["_time"].to_pylist()]
    stats = statistics_json(
        len(times), min_time=min(times), max_time=max(times), columns=statistics_of(table, snapshot.columns)
    )
    file = FileDescription(name, len(data), len(times), tier_name, date, stats, {}, min(times), max(times))
    commit(snapshot, added=[file], removed=[] if keep_old else [path], transactions=[("test", tier.commits)])
    tier.commits += 1
    kept = set(table["_event_id"].to_pylist())
    old = set(pq.read_table(Path(snapshot.tier.table_uri("events")) / path, partitioning=None)["_event_id"].to_pylist())
    if keep_old:
        tier.events += [one for one in tier.events if f"e_{one[1]}" in kept]
    else:
        tier.events = [one for one in tier.events if f"e_{one[1]}" not in old - kept]


def statistics_of(table: pa.Table, promoted: Sequence[str]) -> dict[str, ColumnStatistics]:
    """Return the statistics that the log has of a file's rows; a column that the file lacks is all nulls."""
    found = {}
    for name in statistics_columns(promoted)[1:]:
        values = table[name].to_pylist() if name in table.column_names else [None] * table.num_rows
        there = [value for value in values if value is not None]
        found[name] = ColumnStatistics(len(values) - len(there), min(there, default=None), max(there, default=None))
    return found


def matching(tier: Tier, ids: dict[str, object]) -> list[tuple[Event, str]]:
    """Return the events whose ids are among these, as often as the tier has them."""
    return [one for one in tier.events if f"e_{one[1]}" in ids]
