"""Rows that another program has appended to the table: rules hold for them, wherever attributes are, sorted or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import deltalake
import polars as pl
import pyarrow as pa
import pytest

from tests.pipelines.conftest import Ended
from tests.pipelines.reading import DAY, NOW, made_tier, read_live
from transforms.storage import StorageOptions, TierStore, open_tier

Rekindle = Callable[..., Ended]
RULES = """
rules: [{name: some, retention: 1d, when: service=db OR more=x}, {name: all, retention: 90d}]
tiers: [{name: cold, retention: 1d, when: service=web}]
"""


def append(store: TierStore, **columns: list[Any]) -> None:
    """Append rows by deltalake's own writer."""
    rows = len(columns["_time"])
    filled = {"tier": ["hot"] * rows, "date": [(time or NOW).date() for time in columns["_time"]], **columns}
    types = {"attributes": pa.map_(pa.string(), pa.string()), "date": pa.date32()}
    table = pa.table(
        {name: pa.array(values, types[name]) if name in types else pa.array(values) for name, values in filled.items()}
    )
    deltalake.write_deltalake(store.table_uri("events"), table, mode="append", schema_mode="merge")


@pytest.mark.parametrize("with_objects", [True, False], ids=["objects", "no objects"])
def test_rows_of_deltalake(tmp_path: Path, rekindle: Rekindle, with_objects: bool) -> None:
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    times = [NOW - 10 * DAY + timedelta(hours=hour) for hour in (9, 3, 7, 5, 1)]
    append(
        store,
        _time=times,
        _message=[f"foreign {number}" for number in range(5)],
        _event_id=[f"f{number}" for number in range(5)],
        service=["db", None, "web", "web", "db"],
        attributes=[None, [("service", "db"), ("more", "y")], [("more", "x")], [("more", "z")], []],
        **({"_object": ["s3://foreign/a"] * 5} if with_objects else {}),
    )
    flags = ("--rules", rules, "--hot-tier", store.uri, "--now", NOW.isoformat(), "--execute", "--yes", "--json")
    deleted = rekindle("delete", *flags)
    assert deleted.code == 0, deleted.err
    left = {row["_message"]: row for row in map(dict, read_live(store).rows()) if row["_message"].startswith("foreign")}
    assert left.keys() == {"foreign 3"}
    assert (left["foreign 3"]["service"], left["foreign 3"]["more"]) == ("web", "z")
    assert rekindle("delete", *flags).json["events"] == 0
    moved = rekindle("tier", *flags)
    assert moved.code == 0, moved.err
    assert "foreign 3" in {dict(row)["_message"] for row in read_live(store).rows("cold")}
    back = rekindle("restore", "--run", deleted.json["runId"], "--hot-tier", store.uri, "--execute", "--json")
    assert back.code == 0, back.err
    messages = [dict(row)["_message"] for row in read_live(store).rows()]
    assert sorted(message for message in messages if message.startswith("foreign")) == [
        f"foreign {number}" for number in range(5)
    ]
    assert rekindle("search", "foreign", "--hot-tier", store.uri, "--count", "--json").json == {"count": 5}


def renamed(store: TierStore, name: str, *, safe: str) -> None:
    """Give the file of the newest commit another name, which the log has URL-encoded."""
    assert store.local_path is not None
    table = store.local_path / "events"
    entry = max((table / "_delta_log").glob("*.json"))
    actions = [json.loads(line) for line in entry.read_text().splitlines()]
    (add,) = (action["add"] for action in actions if "add" in action)
    folder = add["path"].rpartition("/")[0]
    (table / add["path"]).rename(table / folder / name)
    add["path"] = f"{folder}/{quote(name, safe=safe)}"
    entry.write_text("".join(json.dumps(action) + "\n" for action in actions))


def rows_by_others(store: TierStore) -> list[int]:
    """Return how many rows deltalake and Polars find in the table."""
    table = store.table_uri("events")
    return [
        deltalake.DeltaTable(table).to_pyarrow_table().num_rows,
        pl.scan_delta(table).select(pl.len()).collect().item(),
    ]


@pytest.mark.parametrize(
    ("name", "safe", "can_go"),
    [
        ("a b=c%20d.parquet", "=", True),
        ("ü+[1]*.parquet", "+", True),
        ("part 1=2.parquet", "", False),
        ("a+b.parquet", "", False),
    ],
)
def test_names_that_the_log_has_encoded(tmp_path: Path, rekindle: Rekindle, name: str, safe: str, can_go: bool) -> None:
    """What a commit can't name as the log does is left alone: else its rows would be there twice."""
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    (tmp_path / "rules.yaml").write_text(RULES)
    times = [NOW - 10 * DAY + timedelta(hours=hour) for hour in (1, 2, 3)]
    append(
        store,
        _time=times,
        _message=["foreign"] * 3,
        _event_id=list("abc"),
        service=["db", "web", "web"],
        attributes=[None] * 3,
    )
    renamed(store, name, safe=safe)
    before = rows_by_others(store)
    assert any(path.endswith(f"/{name}") for path in rekindle("files", "--hot-tier", store.uri).out.splitlines())
    flags = (
        "--rules",
        tmp_path / "rules.yaml",
        "--hot-tier",
        store.uri,
        "--now",
        NOW.isoformat(),
        "--execute",
        "--yes",
        "--json",
    )

    def left() -> int:
        counted = rekindle("search", "foreign", "--hot-tier", store.uri, "--count", "--json")
        assert counted.code == 0, counted.err
        found: int = counted.json["count"]
        return found

    assert left() == 3
    deleted = rekindle("delete", *flags)
    assert deleted.code == 0, deleted.err
    assert (left(), bool(deleted.json["warnings"])) == ((2, False) if can_go else (3, True))
    assert before == [count + deleted.json["events"] for count in rows_by_others(store)]
    back = rekindle("restore", "--run", deleted.json["runId"], "--hot-tier", store.uri, "--execute", "--json")
    assert (back.code, left()) == (0, 3), back.err
    moved = rekindle("tier", *flags)
    assert (moved.code, left(), rows_by_others(store)) == (0, 3, before), moved.err
    assert rekindle("compact", "--hot-tier", store.uri, "--json").code == 0
    assert (left(), rows_by_others(store)) == (3, before)


@pytest.mark.parametrize("name", ["x*.parquet", "x[1].parquet", "x?.parquet"])
def test_names_that_look_like_patterns(tmp_path: Path, rekindle: Rekindle, name: str) -> None:
    """Each is that file alone, not all that the pattern matches."""
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    for number, given in enumerate(("x1.parquet", name)):
        append(
            store,
            _time=[NOW - 10 * DAY],
            _message=[given],
            _event_id=[f"f{number}"],
            service=["ours"],
            attributes=[None],
        )
        renamed(store, given, safe="")
    flags = ("--hot-tier", store.uri, "--json")
    found = rekindle("sql", "SELECT _message FROM events WHERE service = 'ours' ORDER BY _event_id", *flags)
    assert [row["_message"] for row in found.rows] == ["x1.parquet", name], found.err
    assert {row["value"]: row["count"] for row in rekindle("search", "--top", "service", *flags).rows}["ours"] == 2
    assert rekindle("search", "service=ours", "--count", *flags).json == {"count": 2}
    assert sorted(row["_message"] for row in rekindle("search", "service=ours", *flags).rows) == sorted(
        ["x1.parquet", name]
    )
    histogram = rekindle("search", "service=ours", "--histogram", *flags)
    assert sum(row["count"] for row in histogram.rows) == 2


@pytest.mark.parametrize("times", [[NOW - 100 * DAY, None], [None, None]], ids=["some", "all"])
def test_rows_without_a_time(tmp_path: Path, rekindle: Rekindle, times: list[Any]) -> None:
    """No rule takes them, and no row beside them, however old all that have a time are; all of it is told."""
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: [{name: all, retention: 90d}]")
    before = rows_by_others(store)
    append(
        store,
        _time=pa.array(times, pa.timestamp("us", "UTC")).to_pylist(),
        _message=["foreign"] * 2,
        _event_id=list("ab"),
        service=["db"] * 2,
        attributes=[None] * 2,
        tier=["hot"] * 2,
        date=[(NOW - 100 * DAY).date()] * 2,
    )
    flags = ("--rules", rules, "--hot-tier", store.uri, "--now", NOW.isoformat(), "--execute", "--yes", "--json")
    deleted = rekindle("delete", *flags)
    left = rows_by_others(store)
    if times[0] is None:
        assert deleted.code == 1
        assert "another program added this file without statistics (numRecords, and bounds of _time)" in deleted.err
        assert left == [count + 2 for count in before]
        return
    assert deleted.code == 0, deleted.err
    assert any("events that have no _time: it is left as it is" in warning for warning in deleted.json["warnings"])
    assert left == [count + 2 - deleted.json["events"] for count in before]
    assert pl.scan_delta(store.table_uri("events")).filter(pl.col("_message") == "foreign").collect().height == 2


@pytest.mark.parametrize("stats", ["{}", '{"numRecords": 1}', None], ids=["empty", "rows only", "none"])
def test_files_without_statistics_are_refused(tmp_path: Path, rekindle: Rekindle, stats: str | None) -> None:
    """Nothing is guessed of their rows: each command names the file, and changes nothing."""
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    (tmp_path / "rules.yaml").write_text(RULES)
    append(store, _time=[NOW - 10 * DAY], _message=["foreign"], _event_id=["a"], service=["db"], attributes=[None])
    assert store.local_path is not None
    entry = max((store.local_path / "events" / "_delta_log").glob("*.json"))
    actions = [json.loads(line) for line in entry.read_text().splitlines()]
    (add,) = (action["add"] for action in actions if "add" in action)
    if stats is None:
        del add["stats"]
    else:
        add["stats"] = stats
    entry.write_text("".join(json.dumps(action) + "\n" for action in actions))
    for command in (
        ("search", "*"),
        ("delete", "--rules", tmp_path / "rules.yaml", "--now", NOW.isoformat(), "--execute", "--yes"),
        ("compact",),
    ):
        ended = rekindle(*command, "--hot-tier", store.uri, "--json")
        assert ended.code == 1, (command, ended)
        assert f"{add['path']}: another program added this file without statistics" in ended.err.replace("%3D", "=")
    assert rows_by_others(store)[1] == sum(1 for _ in pl.scan_delta(store.table_uri("events")).collect().rows())
