"""Random tiers, rules, holds and clocks: deletion, tiering and compaction leave what a row-by-row reference leaves."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.maintenance.compact import compact
from pipelines.maintenance.delete import Deletion, delete
from pipelines.maintenance.reports import RulesReport
from pipelines.maintenance.restore import Restore, restore
from pipelines.maintenance.rewriter import MaintenanceSettings, Rewriter
from pipelines.maintenance.rules import Rules
from pipelines.maintenance.tier import Tiering, tier
from tests.conftest import THOROUGH
from tests.pipelines.maintenance.execute_here import execute_here
from tests.pipelines.reading import LiveRows, audit_rows, read_live, version_of
from tests.transforms.hot_tier.tiers import Event, Tier
from tests.transforms.query.test_compiler import TIME, random_event
from tests.transforms.retention.rule_samples import expected_rule, random_rules, rules_file
from transforms.core import schema
from transforms.core.names import is_system
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.retention.rules import Rule, RulesFile
from transforms.storage import StorageOptions, open_tier

HOUR = timedelta(hours=1)
LENGTHS = [HOUR, 2 * HOUR, 12 * HOUR, 24 * HOUR, 40 * HOUR]
MORE_NAMES = ("date", "tier", "attributes", "Ünï", "a\tb", "ﬀ", "attributes.message", "_env")


@pytest.fixture(autouse=True)
def in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Carry tasks out right here; a test that asks for `beam` lets Beam do it."""
    if "beam" not in request.fixturenames:
        monkeypatch.setattr(Rewriter, "_run", execute_here)


class Sample:
    """A random tier: what is in it, by message id, and as a reader sees it."""

    def __init__(self, path: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.tier = Tier(open_tier(str(path), StorageOptions()))
        self.settings = MaintenanceSettings(hot_tier=str(path))
        for promote in ([], ["status"], [], ["tags", "x y", "host"]):
            self.tier.add(*(self._events() for _ in range(self.rng.randrange(1, 4))), promote=promote)
            if self.rng.random() < 0.3:
                self._add_foreign()
            if self.rng.random() < 0.2:
                self.move(rules_file(Rule(name="cold", retention=HOUR)), self.now())
        self.events: dict[str, Event] = {f"e_{name}": _as_stored(one, name) for one, name in self.tier.events}
        assert len(self.events) == len(self.tier.events)

    def now(self) -> datetime:
        """Return a clock that some events are old enough for, now and then to the microsecond."""
        return (
            TIME
            + self.rng.randrange(-2, 100) * HOUR
            + timedelta(seconds=self.rng.choice([0, 1, 60]), microseconds=self.rng.choice([0, 5]))
        )

    def rules(self) -> RulesFile:
        file = random_rules(self.rng, LENGTHS)
        if self.rng.random() < 0.2:
            file = rules_file(*file.rules, Rule(name="all", retention=self.rng.choice(LENGTHS)), holds=file.holds)
        return file

    def read(self) -> LiveRows:
        return read_live(self.tier.store)

    def move(self, file: RulesFile, now: datetime, *, execute: bool = True) -> RulesReport:
        return tier(self.settings, Tiering(rules=_rules(file, "tiers"), now=now, execute=execute))

    def delete(self, file: RulesFile, now: datetime, *, execute: bool = True, **more: Any) -> RulesReport:
        asked = Deletion(rules=_rules(file, "rules"), now=now, execute=execute, confirm=lambda *_: True, **more)
        return delete(self.settings, asked)

    def _events(self) -> list[Event]:
        events = [random_event(self.rng) for _ in range(self.rng.randrange(1, 25))]
        alike = self.rng.random() < 0.3
        hours = self.rng.randrange(60)
        for number, (system, attributes) in enumerate(events):
            system.pop("_event_id", None)
            system |= (
                {"_time_source": "record", "_env": "test"} if self.rng.random() < 0.2 else {"_time_source": "received"}
            )
            system["_time"] += (hours if alike else self.rng.randrange(60)) * HOUR
            if alike:
                attributes.clear()
                attributes.update(events[0][1] if number else attributes)
            elif self.rng.random() < 0.3:
                attributes.clear()
            elif self.rng.random() < 0.3:
                attributes[self.rng.choice(MORE_NAMES)] = self.rng.choice(["", "a", "x" * 80])
        return sorted(events, key=lambda one: one[0]["_time"])

    def _add_foreign(self) -> None:
        """Add a file that another writer made, which keeps attributes in columns here and in the map there."""
        events = [one for one in self._events() if one[0]["_time"].date() == TIME.date()] or [random_event(self.rng)]
        self.rng.shuffle(events)
        for system, _ in events:
            system.pop("_event_id", None)
        promoted = Snapshot.load(self.tier.store).columns
        columns: dict[str, list[Any]] = {
            name: [] for name in (*schema.SYSTEM_COLUMNS, *promoted, schema.ATTRIBUTES_COLUMN)
        }
        number = self.tier.commits
        for index, (system, attributes) in enumerate(events):
            row = {**system, "_event_id": f"e_foreign{number}-{index}", "_object": f"foreign{number}"}
            for name in schema.SYSTEM_COLUMNS:
                columns[name].append(row.get(name))
            in_columns = {name for name in promoted if self.rng.random() < 0.5}
            for name in promoted:
                columns[name].append(attributes.get(name) if name in in_columns else None)
            rest = [(name, value) for name, value in attributes.items() if name not in in_columns]
            columns[schema.ATTRIBUTES_COLUMN].append(rest or None)
        types = {**schema.SYSTEM_COLUMNS, schema.ATTRIBUTES_COLUMN: pa.map_(pa.string(), pa.string())}
        typed = ("_time", "_observed_at", "attributes")
        arrays = {name: pa.array(values, types.get(name, pa.string()) if name in typed else pa.string())
                  for name, values in columns.items()}  # fmt: skip
        before = len(self.tier.events)
        self.tier.add_foreign(events, pa.table(arrays), name=f"part-{number}")
        self.tier.events[before:] = [(one, f"foreign{number}-{index}") for index, one in enumerate(events)]


def _as_stored(one: Event, name: str) -> Event:
    system, attributes = one
    return {**system, "_event_id": f"e_{name}", "_object": name.rpartition("-")[0]}, attributes


def _rules(file: RulesFile, section: str) -> Rules:
    return Rules(name="rules.yaml", text="rules: []", section=section, file=file)


def evaluated(sample: Sample, file: RulesFile, now: datetime, ids: Sequence[str]) -> tuple[dict[str, str], int]:
    """Return the rule that takes each event that one takes, and how many are held, as the reference says."""
    found = {one: expected_rule(file, now, sample.events[one]) for one in ids}
    return {one: rule for one, (rule, _) in found.items() if rule is not None}, sum(held for _, held in found.values())


def check_report(report: RulesReport, taken: dict[str, str], held: int, rows: int) -> None:
    counts = Counter(taken.values())
    assert {rule.name: rule.events for rule in report.rules} == {rule.name: counts[rule.name] for rule in report.rules}
    assert sum(rule.events for rule in report.rules) == report.events == len(taken)
    assert report.held == held
    assert sum(hold.events for hold in report.holds) == held
    assert report.share == (round(len(taken) / rows, 6) if rows else 0)


def without(before: LiveRows, gone: Sequence[str]) -> Counter[Any]:
    """Return the rows that must be left."""
    ids = set(gone)
    return Counter({row: count for row, count in before.rows().items() if dict(row)["_event_id"] not in ids})


def check_deletion(sample: Sample, file: RulesFile, now: datetime) -> int:
    before = sample.read()
    taken, held = evaluated(sample, file, now, before.ids())
    dry = sample.delete(file, now, execute=False)
    check_report(dry, taken, held, len(before.ids()))
    assert version_of(sample.tier.store) == before.version
    done = sample.delete(file, now)
    check_report(done, taken, held, len(before.ids()))
    assert done.rules == dry.rules
    after = sample.read()
    assert after.rows() == without(before, list(taken))
    check_untouched(before, after, set(taken))
    assert (done.version_after == done.version_before) == (not taken)
    again = sample.delete(file, now)
    assert (again.events, again.held, again.version_after) == (0, held, done.version_after)
    assert version_of(sample.tier.store) == after.version
    audit = [row for row in audit_rows(sample.tier.store) if row["run_id"] == done.run_id]
    assert {row["rule"]: row["events"] for row in audit if row["kind"] == "delete" and row["events"]} == Counter(
        taken.values()
    )
    assert len({(row["kind"], row["rule"]) for row in audit}) == len(audit)
    if taken and sample.rng.random() < 0.4:
        check_restoring(sample, done.run_id, before, len(taken))
    return len(taken)


def check_restoring(sample: Sample, run_id: str, before: LiveRows, taken: int) -> None:
    """Restore, now and then after a compaction or a move; and delete it again."""
    if sample.rng.random() < 0.3:
        compact(sample.settings)
    elif sample.rng.random() < 0.3:
        sample.move(rules_file(Rule(name="cold", retention=HOUR)), sample.now())
    version = version_of(sample.tier.store)
    dry = restore(sample.settings, Restore(run_id=run_id))
    assert (dry.events, version_of(sample.tier.store)) == (taken, version)
    done = restore(sample.settings, Restore(run_id=run_id, execute=True))
    assert (done.events, done.newer, done.version_after) == (taken, 0, version + 1)
    assert sample.read().rows() == before.rows()
    again = restore(sample.settings, Restore(run_id=run_id, execute=True))
    assert (again.events, again.version_after) == (0, version + 1)
    file = rules_file(Rule(name="again", retention=HOUR))
    gone, _ = evaluated(sample, file, TIME + 200 * HOUR, before.ids())
    assert sample.delete(file, TIME + 200 * HOUR).events == len(gone) == len(before.ids())
    last = sample.read()
    assert not last.rows()
    assert restore(sample.settings, Restore(to=last.version - 1, execute=True)).events == len(gone)
    assert sample.read().rows() == before.rows()


def check_untouched(before: LiveRows, after: LiveRows, gone: set[str]) -> None:
    """Check that rows are what they were in every column, map and null, and files that lose none the same files.

    Another writer's files may keep in their maps what is a column; where rows are written anew it goes there.
    """
    rows = {row["_event_id"]: _present(row) for table in after.files.values() for row in table.to_pylist()}
    columns = {name for table in after.files.values() for name in table.schema.names if not is_system(name)}
    for path, table in before.files.items():
        ids = table["_event_id"].to_pylist()
        assert (path in after.files) == gone.isdisjoint(ids), path
        for row in table.to_pylist():
            if row["_event_id"] not in gone:
                assert rows[row["_event_id"]] == _present(row if path in after.files else _laid_out(row, columns))


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _laid_out(row: dict[str, Any], columns: set[str]) -> dict[str, Any]:
    """Return a row with those of its map's entries in columns that have one."""
    entries = row["attributes"] or []
    moved = {name: value for name, value in entries if name in columns}
    return {**row, **moved, "attributes": [(name, value) for name, value in entries if name not in moved] or None}


def check_tiering(sample: Sample, file: RulesFile, now: datetime) -> int:
    before = sample.read()
    cold = {dict(row)["_event_id"] for row in before.rows("cold")}
    taken, held = evaluated(sample, file, now, [one for one in before.ids() if one not in cold])
    check_report(sample.move(file, now, execute=False), taken, held, len(before.ids()))
    done = sample.move(file, now)
    check_report(done, taken, held, len(before.ids()))
    after = sample.read()
    assert after.rows() == before.rows()
    assert {dict(row)["_event_id"] for row in after.rows("cold")} == cold | set(taken)
    again = sample.move(file, now)
    assert again.events == 0
    assert version_of(sample.tier.store) == after.version
    return len(taken)


def check_compaction(sample: Sample) -> int:
    before = sample.read()
    done = compact(sample.settings, target_bytes=sample.rng.choice([256 << 20, 10_000]))
    after = sample.read()
    assert (after.rows(), after.rows("cold")) == (before.rows(), before.rows("cold"))
    assert (done.files_before, done.files_after) == (len(before.files), len(after.files))
    whole = compact(sample.settings)
    assert (whole.merged > 0) == (sample.read().version > after.version)
    last = sample.read()
    assert last.rows() == before.rows()
    again = compact(sample.settings)
    assert (again.merged, again.version_after) == (0, last.version)
    assert version_of(sample.tier.store) == last.version
    return done.merged


def deletions(path: Path, seed: int, rounds: int) -> int:
    """Delete again and again from one tier, with something else in between."""
    sample = Sample(path, seed)
    telling = 0
    for _ in range(rounds):
        file, now = sample.rules(), sample.now()
        rows = len(sample.read().ids())
        telling += 0 < check_deletion(sample, file, now) < rows
        if sample.rng.random() < 0.5:
            compact(sample.settings)
        else:
            sample.move(rules_file(Rule(name="cold", retention=sample.rng.choice(LENGTHS))), sample.now())
    return telling


@pytest.mark.parametrize("seed", range(4))
def test_random_deletions(tmp_path: Path, seed: int) -> None:
    deletions(tmp_path / "hot", seed, 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "seeds",
    [range(start, start + 15) for start in range(100, 175 if THOROUGH else 115, 15)],
    ids=lambda seeds: f"{seeds[0]}",
)
def test_many_random_deletions(tmp_path: Path, seeds: range) -> None:
    assert sum(deletions(tmp_path / str(seed), seed, 4) for seed in seeds) >= 10


@pytest.mark.parametrize("seed", range(4))
def test_random_moves_to_the_cold_tier(tmp_path: Path, seed: int) -> None:
    sample = Sample(tmp_path / "hot", seed)
    for _ in range(3):
        check_tiering(sample, sample.rules(), sample.now())


@pytest.mark.slow
@pytest.mark.parametrize(
    "seeds",
    [range(start, start + 20) for start in range(500, 540 if THOROUGH else 520, 20)],
    ids=lambda seeds: f"{seeds[0]}",
)
def test_many_random_moves_to_the_cold_tier(tmp_path: Path, seeds: range) -> None:
    moved = 0
    for seed in seeds:
        sample = Sample(tmp_path / str(seed), seed)
        moved += check_tiering(sample, sample.rules(), sample.now())
        moved += check_tiering(sample, sample.rules(), sample.now())
    assert moved > 20


@pytest.mark.parametrize("seed", [0, 2, 3, 4])
def test_random_compactions(tmp_path: Path, seed: int) -> None:
    assert check_compaction(Sample(tmp_path / "hot", seed)) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "seeds",
    [range(start, start + 20) for start in range(600, 640 if THOROUGH else 620, 20)],
    ids=lambda seeds: f"{seeds[0]}",
)
def test_many_random_compactions(tmp_path: Path, seeds: range) -> None:
    for seed in seeds:
        check_compaction(Sample(tmp_path / str(seed), seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_by_beam(tmp_path: Path, seed: int, beam: None) -> None:
    sample = Sample(tmp_path / "hot", seed)
    check_deletion(sample, sample.rules(), sample.now())
    check_tiering(sample, sample.rules(), sample.now())
    check_compaction(sample)


@pytest.fixture
def beam() -> None:
    """Asked for by tests whose tasks Beam carries out."""
