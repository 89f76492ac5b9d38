"""Which attributes a job gives columns, and that each keeps its place in the table (decision 22)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from tests.pipelines.conftest import Ended
from tests.pipelines.reading import check_places
from transforms.hot_tier.table import promoted_columns
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, open_tier

Rekindle = Callable[..., Ended]
Rows = Counter[tuple[Any, ...]]


class Place:
    """A folder of logs, and a hot tier made of it."""

    def __init__(self, folder: Path, rekindle: Rekindle) -> None:
        self.source, self.tier, self._rekindle = folder / "source", folder / "hot", rekindle
        self.source.mkdir()
        self.count = 0

    def put(self, name: str, *records: dict[str, Any]) -> None:
        """Write a JSON object of records, each at a time of its own."""
        lines = []
        for record in records:
            self.count += 1
            lines.append(json.dumps({"timestamp": f"2025-03-01T00:00:{self.count:02}Z"} | record))
        (self.source / name).write_text("\n".join(lines) + "\n")

    def backfill(self, *flags: object) -> dict[str, Any]:
        done = self._rekindle("backfill", "--bucket", f"file://{self.source}", *self.at, "--json", *flags)
        assert done.code == 0, done.err
        return dict(done.json) | {"err": done.err}

    def run(self, *argv: object) -> Ended:
        done = self._rekindle(*argv, *self.at)
        assert done.code == 0, done.err
        return done

    @property
    def at(self) -> tuple[object, ...]:
        return "--hot-tier", self.tier

    @property
    def columns(self) -> list[str]:
        return Snapshot.load(open_tier(str(self.tier), StorageOptions())).columns

    def check_places(self) -> None:
        check_places(open_tier(str(self.tier), StorageOptions()))


@pytest.fixture
def place(tmp_path: Path, rekindle: Rekindle) -> Place:
    return Place(tmp_path, rekindle)


def by_duckdb(place: Place, name: str) -> Rows:
    connection = duckdb.connect()
    files = place.run("files").out.splitlines()
    connection.register("events", connection.read_parquet(files, union_by_name=True))
    value = f'"{name}"' if name in place.columns else f"attributes['{name}']"
    return Counter(connection.execute(f"SELECT {value}, _event_id FROM events WHERE {value} IS NOT NULL").fetchall())


def by_polars(place: Place, name: str) -> Rows:
    value = pl.col(name) if name in place.columns else pl.col("attributes").map.get(pl.lit(name))
    found = pl.scan_delta(f"{place.tier}/events").select(value.alias("value"), "_event_id").collect()
    return Counter(found.filter(pl.col("value").is_not_null()).rows())


def by_pandas(place: Place, name: str) -> Rows:
    frames = [pd.read_parquet(path) for path in place.run("files").out.splitlines()]
    rows = pd.concat(frames).to_dict("records")
    found = ((row.get(name) if name in place.columns else _entry(row["attributes"], name), row) for row in rows)
    return Counter((value, row["_event_id"]) for value, row in found if isinstance(value, str))


def _entry(entries: Any, name: str) -> Any:
    return dict(entries).get(name) if entries is not None else None


def by_sql(place: Place, name: str) -> Rows:
    value = f'"{name}"' if name in place.columns else f"attributes['{name}']"
    found = place.run("sql", f"SELECT {value} AS v, _event_id FROM events WHERE {value} IS NOT NULL", "--json")
    return Counter((row["v"], row["_event_id"]) for row in found.rows)


def by_search(place: Place, name: str) -> Rows:
    found = place.run("search", f"{name}=*", "--limit", 0, "--fields", f"{name},#eventId", "--json")
    return Counter((row[name], row["_event_id"]) for row in found.rows)


READERS = (by_duckdb, by_polars, by_pandas, by_sql, by_search)


def check_readers(place: Place, name: str, values: list[str]) -> None:
    """Check that every reader finds exactly these values of an attribute, where its first answer was."""
    found = [reader(place, name) for reader in READERS]
    assert [one == found[0] for one in found] == [True] * len(found), found
    assert sorted(value for value, _ in found[0].elements()) == sorted(values)


def test_a_saved_query_finds_all_after_a_new_object_came(place: Place) -> None:
    """The story of issue 14: the first job samples three of four objects, the second the new one alone."""
    for name in "abc":
        place.put(f"{name}.json", {"kind": "x"})
    place.put("d.json", {"kind": "y", "eventName": "Put"})
    assert place.backfill()["columnsAdded"] == ["timestamp", "kind"]
    check_readers(place, "eventName", ["Put"])
    saved = ("sql", "SELECT count(*) AS n FROM events WHERE attributes['eventName'] IS NOT NULL", "--json")
    assert place.run(*saved).rows == [{"n": 1}]
    place.put("e.json", {"kind": "z", "eventName": "Get"})
    second = place.backfill()
    assert second["columnsAdded"] == []
    assert "eventName stay in the map, where older files keep them; `rekindle promote NAME`" in second["err"]
    assert place.run(*saved).rows == [{"n": 2}]
    check_readers(place, "eventName", ["Put", "Get"])
    place.run("promote", "eventName")
    check_readers(place, "eventName", ["Put", "Get"])
    place.check_places()


def test_what_found_no_room_stays_in_the_map(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(promoted_columns.promote_new, "__kwdefaults__", {"limit": 7})
        place.put("a.json", *({"kind": "x"} for _ in range(3)), {"kind": "y", "eventName": "Put"})
        first = place.backfill()
    assert first["columnsAdded"] == ["timestamp", "kind"]
    assert first["warnings"] == [
        "no room for more columns: eventName stay in the map; `rekindle promote NAME` gives one a column"
    ]
    check_readers(place, "eventName", ["Put"])
    place.put("b.json", {"kind": "z", "eventName": "Get", "user": "ann"})
    second = place.backfill()
    assert second["columnsAdded"] == ["user"]
    assert "eventName stay in the map, where older files keep them; `rekindle promote NAME`" in second["err"]
    check_readers(place, "eventName", ["Put", "Get"])
    place.run("compact")
    check_readers(place, "eventName", ["Put", "Get"])
    place.put("c.json", {"kind": "z", "eventName": "Head"})
    third = place.backfill("--promote", "eventName,nowhere")
    assert third["columnsAdded"] == ["nowhere", "eventName"]
    assert "--promote: files keep eventName in their maps; these files are written anew" in third["err"]
    check_readers(place, "eventName", ["Put", "Get", "Head"])
    check_readers(place, "user", ["ann"])
    assert place.backfill("--promote", "later")["columnsAdded"] == ["later"], "though nothing is new"
    place.check_places()


def test_a_pipelines_outputs_get_columns_where_it_ran(place: Place, tmp_path: Path) -> None:
    pipelines = tmp_path / "pipelines.yaml"
    pipelines.write_text(
        "pipelines:\n"
        "  - {name: runs, steps: [{set: {output: shop, value: web}}, {remove: {attributes: [gone]}}]}\n"
        "  - {name: never, when: kind=nothing, steps: [{set: {output: nowhere, value: x}}]}\n"
        "  - {name: drops, when: kind=noise, steps: [{drop: {}}]}\n"
    )
    place.put("a.json", {"kind": "x", "gone": "1"}, {"kind": "noise", "lost": "1"})
    report = place.backfill("--pipelines", pipelines)
    assert sorted(report["columnsAdded"]) == ["kind", "shop", "timestamp"]
    preview = place.run("preview", "--bucket", f"file://{place.source}", "--pipelines", pipelines, "--json").json
    assert preview["columns"] == place.columns


def test_names_that_differ_from_a_column_only_in_case_are_told(place: Place) -> None:
    place.put("a.json", {"kind": "x"})
    report = place.backfill("--promote", "HOST,Kind")
    assert report["columnsAdded"][0] == "Kind"
    assert report["warnings"] == ["--promote: HOST differ from columns only in case, and stay in the map"]
    place.check_places()
