"""`rekindle promote`: what files keep in their maps becomes a column for all events, in one commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.maintenance.compact import compact
from pipelines.maintenance.delete import Deletion, delete
from pipelines.maintenance.promote import promote
from pipelines.maintenance.restore import Restore, restore
from pipelines.maintenance.rewriter import MaintenanceSettings, Rewriter
from pipelines.maintenance.rules import Rules
from tests.pipelines.conftest import Ended
from tests.pipelines.maintenance.execute_here import execute_here
from tests.pipelines.reading import DAY, GONE, NOW, audit_rows, check_places, made_deletion, made_tier, read_live
from tests.transforms.hot_tier.tiers import Tier, event
from tests.transforms.retention.rule_samples import rules_file
from transforms.core.errors import ConfigurationError, TierError
from transforms.hot_tier.maintenance.tasks import Task, TaskResult
from transforms.hot_tier.table.map_names import MapNames
from transforms.hot_tier.table.promoted_columns import promote_new
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.parser import parse
from transforms.retention.rules import Rule
from transforms.storage import StorageOptions, TierStore, open_tier

Rekindle = Callable[..., Ended]


@pytest.fixture
def store(tmp_path: Path) -> TierStore:
    return open_tier(str(tmp_path / "hot"), StorageOptions())


@pytest.fixture
def settings(store: TierStore, monkeypatch: pytest.MonkeyPatch) -> MaintenanceSettings:
    """Return settings whose tasks run in this process, without Beam."""
    monkeypatch.setattr(Rewriter, "_run", execute_here)
    return MaintenanceSettings(hot_tier=store.uri)


def unpromoted(store: TierStore) -> TierStore:
    """Make the tier of the other tests, with all attributes in maps."""
    made_tier(store, promote=False)
    return store


def test_the_report_of_a_promotion(store: TierStore, rekindle: Rekindle) -> None:
    unpromoted(store)
    before = read_live(store)
    holding = {path for path, rows in before.files.items() if "level" in str(rows["attributes"].to_pylist())}
    done = rekindle("promote", "level,user", "host", "--hot-tier", store.uri, "--json")
    assert done.code == 0, done.err
    report, after = done.json, read_live(store)
    assert (report["columnsAdded"], report["alreadyColumns"]) == (["level", "user"], ["host"])
    assert (report["versionBefore"], report["versionAfter"]) == (before.version, before.version + 1) == (2, 3)
    assert report["filesExamined"] == len(before.files)
    assert report["filesRewritten"] == len(before.files.keys() - after.files.keys()) >= len(holding) > 0
    assert after.files.keys() & before.files.keys(), "files that keep none stay as they are"
    assert after.rows() == before.rows(), "ids, times and all values"
    check_places(store)
    assert [(row["kind"], row["events"], row["detail"]["columns"]) for row in audit_rows(store)] == [
        ("promote", report["events"], ["level", "user"])
    ]
    again = rekindle("promote", "level", "user", "--hot-tier", store.uri)
    assert (again.code, again.out) == (0, "columns already: level, user\n")
    assert Snapshot.load(store).version == 3


def test_every_reader_finds_it_in_the_column(store: TierStore, settings: MaintenanceSettings) -> None:
    unpromoted(store)
    before = Counter(pl.scan_delta(f"{store.uri}/events").select(service=_entry("service")).collect()["service"])
    promote(settings, ["service"])
    assert Counter(pl.scan_delta(f"{store.uri}/events").collect()["service"]) == before
    events = Snapshot.load(store).events.to_pyarrow_dataset()
    connection = duckdb.connect()
    connection.register("events", events)
    counted = connection.execute("SELECT service, count(*) FROM events GROUP BY 1").fetchall()
    assert dict(counted) == before
    assert pl.scan_delta(f"{store.uri}/events").select(_entry("service")).collect().to_series().null_count() == 19


def _entry(name: str) -> pl.Expr:
    return pl.col("attributes").map.get(pl.lit(name))


def test_order_of_rows_stays(store: TierStore, settings: MaintenanceSettings) -> None:
    unpromoted(store)
    before = [rows["_event_id"].to_pylist() for rows in read_live(store).files.values()]
    promote(settings, ["service"])
    assert sorted(rows["_event_id"].to_pylist() for rows in read_live(store).files.values()) == sorted(before)


def test_what_no_map_has_opens_no_file(store: TierStore, settings: MaintenanceSettings) -> None:
    unpromoted(store)
    report = promote(settings, ["nowhere"])
    assert (report.columns_added, report.files_examined, report.version_after) == (["nowhere"], 0, 3)
    assert report.version_after == report.version_before + 1


@pytest.mark.parametrize("are_left", [True, False])
def test_a_list_that_was_full_is_made_anew(store: TierStore, settings: MaintenanceSettings, *, are_left: bool) -> None:
    """Beyond 4,096 names any name counts as one that maps have, until a promotion has looked into all files."""
    unpromoted(store)
    wild = {f"wild{number}": "x" for number in range(4097)}
    promote_new(store, ["wilder"])
    Tier(store).add([event(NOW, "wild", wilder="yes", **wild)])
    if not are_left:
        rules = rules_file(Rule(name="wild", retention=DAY, when=parse("wilder=yes")))
        asked = Rules(name="r.yaml", text="rules: []", section="rules", file=rules)
        delete(settings, Deletion(rules=asked, now=NOW + 2 * DAY, execute=True, confirm=lambda *_: True))
    assert Snapshot.load(store).map_names == MapNames(is_any=True), "what was deleted may come back"
    assert promote_new(store, ["new"]).in_maps == ("new",)
    report = promote(settings, ["service"])
    assert (report.columns_added, report.files_examined) == (["service"], len(read_live(store).files))
    if are_left:
        assert Snapshot.load(store).map_names.is_any
        return
    assert Snapshot.load(store).map_names.names == {"user", "level"}
    assert promote_new(store, ["new"]).added == ("new",)
    check_places(store)


def test_what_comes_back_is_in_the_list_again(store: TierStore, settings: MaintenanceSettings) -> None:
    """A restored file keeps in its map what no live one had when the list was made anew."""
    unpromoted(store)
    rules = rules_file(Rule(name="x", retention=DAY, when=parse("level=x")))
    asked = Rules(name="r.yaml", text="rules: []", section="rules", file=rules)
    gone = delete(settings, Deletion(rules=asked, now=NOW, execute=True, confirm=lambda *_: True))
    assert gone.events > 0
    promote(settings, ["service"])
    assert Snapshot.load(store).map_names.names == {"user"}
    restore(settings, Restore(run_id=gone.run_id, execute=True))
    assert Snapshot.load(store).map_names.names == {"user", "level"}
    assert promote_new(store, ["level"]).in_maps == ("level",)
    check_places(store)


def test_files_that_come_meanwhile_are_written_anew_too(
    store: TierStore, settings: MaintenanceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wave and a compaction are committed while the workers write; then the plan is made anew."""
    tier = made_tier(store, promote=False)
    original = Rewriter._run
    calls: list[int] = []

    def run(rewriter: Rewriter, tasks: list[Task], promoted: tuple[str, ...] | None) -> list[TaskResult]:
        results = original(rewriter, tasks, promoted)
        calls.append(len(tasks))
        if len(calls) == 1:
            tier.add([one for one, _ in tier.events[:3]])
            compact(settings)
        return results

    monkeypatch.setattr(Rewriter, "_run", run)
    before = read_live(store).rows()
    report = promote(settings, ["service"])
    assert report.columns_added == ["service"]
    assert len(calls) > 2
    assert sum(read_live(store).rows().values()) == sum(before.values()) + 3
    check_places(store)


def test_deleted_events_come_back_to_the_column(
    store: TierStore, tmp_path: Path, settings: MaintenanceSettings, rekindle: Rekindle
) -> None:
    flags = made_deletion(store, tmp_path, promote=False)
    before = read_live(store).rows()
    deleted = rekindle(*flags, "--execute", "--yes", "--json").json
    assert deleted["events"] == len(GONE)
    promote(settings, ["service", "user"])
    restored = restore(settings, Restore(run_id=deleted["runId"], execute=True))
    assert restored.events == len(GONE)
    assert read_live(store).rows() == before
    check_places(store)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["date"], "'date' can't be a column"),
        (["a b"], "'a b' can't be a column"),
        (["_x"], "'_x' can't be a column"),
        (["User", "user"], "'user' and 'User' differ only in case: choose one"),
        (["HOST"], "'HOST' differs from the column host only in case"),
    ],
    ids=["date", "blank", "system", "twice", "column"],
)
def test_names_that_can_be_no_column(
    store: TierStore, settings: MaintenanceSettings, names: list[str], message: str
) -> None:
    unpromoted(store)
    with pytest.raises(ConfigurationError, match=message):
        promote(settings, names)
    assert Snapshot.load(store).version == 2


def test_an_attribute_that_no_event_has_is_told(store: TierStore, rekindle: Rekindle) -> None:
    unpromoted(store)
    done = rekindle("promote", "Level", "--hot-tier", store.uri)
    assert (done.code, "No event has Level yet. Names are case-sensitive." in done.err) == (0, True)
    assert "No event has" not in rekindle("promote", "user", "--hot-tier", store.uri).err


def test_no_tier(store: TierStore, rekindle: Rekindle) -> None:
    assert rekindle("promote", "x", "--hot-tier", store.uri).code == 1
    assert rekindle("promote", "--hot-tier", store.uri).code == 2


def test_a_killed_promotion_changes_nothing_and_is_run_again(
    store: TierStore, settings: MaintenanceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpromoted(store)
    before = read_live(store)
    with monkeypatch.context() as patch:
        patch.setattr(Rewriter, "_run", lambda *_: (_ for _ in ()).throw(TierError("the disk is gone")))
        with pytest.raises(TierError, match="the disk is gone"):
            promote(settings, ["service"])
    assert read_live(store).version == before.version
    assert "service" not in Snapshot.load(store).columns
    promote(settings, ["service"])
    assert read_live(store).rows() == before.rows()
    check_places(store)
