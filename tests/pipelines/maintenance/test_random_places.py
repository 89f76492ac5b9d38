"""Random histories: whatever happens to a tier, each attribute keeps one place, and every reader gives one answer.

Each history has all of: jobs (two at once among them) over attributes that come and go, replacements, promotions,
compactions, moves, deletions, undone jobs, restores and a kill. After each step, each name is asked for by each reader,
and compared with a row-by-row reference (decision 22).
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from pipelines.maintenance.compact import compact
from pipelines.maintenance.delete import Deletion, delete
from pipelines.maintenance.promote import promote
from pipelines.maintenance.restore import Restore, restore
from pipelines.maintenance.rewriter import MaintenanceSettings
from pipelines.maintenance.rules import Rules
from pipelines.maintenance.tier import Tiering, tier
from pipelines.maintenance.undo import Undo, undo
from tests.conftest import THOROUGH
from tests.pipelines.reading import check_places
from tests.transforms.hot_tier.maintenance.failing import Failing, Killed
from tests.transforms.hot_tier.samples import entry, events, times_of, uri_of
from tests.transforms.retention.rule_samples import rules_file
from transforms.core import schema
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.search.events import search
from transforms.hot_tier.search.sql import run_sql
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.live_files import live_files
from transforms.hot_tier.table.prepare import prepare, promoted_columns
from transforms.hot_tier.table.promoted_columns import missing_columns, promote_new
from transforms.query.parser import parse
from transforms.retention.rules import Rule, RulesFile
from transforms.storage import StorageOptions, TierStore, open_tier

pytestmark = pytest.mark.usefixtures("in_this_process")

NAMES = ("status", "user", "Status", "k8s.pod", "it's", "zone", "date", "a b", "host")
VALUES = ("1", "2", "", "x y")
HOUR = timedelta(hours=1)
Attributes = dict[str, str]
Rows = Counter[tuple[str, str]]
Wave = tuple[str, list[str], list[FileDescription], dict[str, Attributes]]
"""A job, its objects, its files, and the events in them."""
Kill = tuple[int, bool]
"""The number of the call at which a process is gone, and whether the call is done before."""


class Settings(MaintenanceSettings):
    """Settings whose tier is killed at a call, when it is asked for."""

    kill: Kill | None = None

    def open_tier(self) -> TierStore:
        opened = super().open_tier()
        return opened if self.kill is None else Failing(opened, self.kill[0], after=self.kill[1])  # type: ignore[return-value]


class History:
    """A tier, and what is in it: the attributes of each event by its id, and of each object its present content."""

    def __init__(self, path: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.store = open_tier(str(path), StorageOptions())
        self.settings = Settings(hot_tier=str(path))
        prepare(self.store)
        self.events: dict[str, Attributes] = {}
        self.contents: dict[str, str] = {}
        self.jobs = 0
        self.kills = 0
        self.deleted: list[tuple[str, dict[str, Attributes]]] = []
        self.undone: dict[str, tuple[str, list[str]]] = {}

    # Steps

    def job(self) -> None:
        """Publish a job, of objects that are new or replace older ones; its sample may have been any."""
        before, after = self.rng.random() < 0.5, self.rng.random() < 0.3
        if before:
            self._sample()
        wave = self._write(self._keys(set()))
        if after:
            self._sample()
        self._publish(wave, kill=self._kill(40) if self.rng.random() < 0.4 else None)
        self._note(wave)

    def killed_job(self) -> None:
        """Publish a job that is killed at one of the first calls, and then begun again."""
        wave = self._write(self._keys(set()))
        self._publish(wave, kill=self._kill(6))
        self._note(wave)

    def two_jobs(self) -> None:
        """Publish two jobs at the same time, both laid out for columns of before; meanwhile others add some.

        One of them may be killed, and begun again while the other is at work.
        """
        first = self._keys(set())
        waves = [self._write(first), self._write(self._keys(set(first)))]
        for meanwhile in self.rng.sample([self._sample, self.promotion, self.compaction], 2):
            meanwhile()
        kills = [self._kill(40) if self.rng.random() < 0.4 else None, None]
        errors: list[BaseException] = []

        def run(wave: Wave, kill: Kill | None) -> None:
            try:
                self._publish(wave, kill=kill)
            except BaseException as error:  # noqa: BLE001 - the test looks at it
                errors.append(error)

        threads = [threading.Thread(target=run, args=each) for each in zip(waves, kills, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        for wave in waves:
            self._note(wave)

    def promotion(self) -> None:
        possible = missing_columns(self.rng.sample(NAMES, len(NAMES)), promoted_columns(self.store))
        if possible:
            self._killed_or_not(lambda: promote(self.settings, possible[: self.rng.randrange(1, 3)]))

    def compaction(self) -> None:
        self._killed_or_not(lambda: compact(self.settings, target_bytes=self.rng.choice([256 << 20, 20_000])))

    def move(self) -> None:
        name = self.rng.choice(NAMES)
        asked = Tiering(rules=_rules(rules_file(Rule(name="cold", retention=HOUR, when=_is(name, "1"))), "tiers"),
                        execute=True)  # fmt: skip
        self._killed_or_not(lambda: tier(self.settings, asked))

    def deletion(self) -> None:
        name = self.rng.choice(NAMES)
        gone = {one: attributes for one, attributes in self.events.items() if attributes.get(name) == "2"}
        asked = Deletion(rules=_rules(rules_file(Rule(name="old", retention=HOUR, when=_is(name, "2"))), "rules"),
                         execute=True, confirm=lambda *_: True)  # fmt: skip
        report = self._killed_or_not(lambda: delete(self.settings, asked))
        self.events = {one: attributes for one, attributes in self.events.items() if one not in gone}
        if report is not None and gone and report.events == len(gone):
            self.deleted.append((report.run_id, gone))

    def undoing(self) -> None:
        """Undo a job; its objects are then no longer known, until it is restored or they are published again."""
        job = self.rng.choice(sorted(set(self.contents.values())) or ["none"])
        gone = {one: attributes for one, attributes in self.events.items() if f"-{job}-" in one}
        keys = [key for key, content in self.contents.items() if content == job]
        report = self._killed_or_not(lambda: undo(self.settings, Undo(task_id=job, confirm=lambda *_: True)))
        self.events = {one: attributes for one, attributes in self.events.items() if one not in gone}
        self.contents = {key: content for key, content in self.contents.items() if content != job}
        if report is not None and keys:
            assert (report.events, report.objects) == (len(gone), len(keys))
            self.deleted.append((report.run_id, gone))
            self.undone[report.run_id] = job, keys

    def restoring(self) -> None:
        if self.deleted:
            run_id, gone = self.deleted.pop(self.rng.randrange(len(self.deleted)))
            done = restore(self.settings, Restore(run_id=run_id, execute=True))
            job, keys = self.undone.pop(run_id, ("", []))
            known = {key: job for key in keys if key not in self.contents}
            assert done.objects == len(known)
            self.contents |= known
            back = {one: attributes for one, attributes in gone.items() if self._is_present(one)}
            assert done.events == len(back)
            self.events |= back

    def steps(self, count: int) -> list[Callable[[], None]]:
        """Return that many steps in random order, each kind among them where there are as many."""
        kinds = [self.job, self.two_jobs, self.promotion, self.compaction, self.move, self.deletion, self.undoing,
                 self.restoring]  # fmt: skip
        more = self.rng.choices([self.job, *kinds], k=max(0, count - len(kinds)))
        self.rng.shuffle(kinds)
        chosen = [*kinds, *more][:count]
        self.rng.shuffle(chosen)
        return chosen

    # What they are made of

    def _sample(self) -> None:
        """Give columns as a job does by its sample, while there is room."""
        names = self.rng.sample(NAMES, self.rng.randrange(len(NAMES)))
        promote_new(self.store, names, limit=len(schema.BASE_ATTRIBUTES) + self.rng.randrange(8))

    def _keys(self, taken: set[str]) -> list[str]:
        free = [key for key in (f"k{number}" for number in range(8)) if key not in taken]
        return self.rng.sample(free, self.rng.randrange(1, 4))

    def _write(self, keys: list[str]) -> Wave:
        """Write a job's files for the columns that there are now."""
        self.jobs += 1
        job = f"job{self.jobs}"
        names = self.rng.sample(NAMES, self.rng.randrange(2, len(NAMES) + 1))
        made: dict[str, Attributes] = {}
        writer = HotTierWriter(self.store, columns=promoted_columns(self.store), job=job)
        files: list[FileDescription] = []
        for key in keys:
            rows = [self._attributes(names) for _ in range(3)]
            columns = {name: [row.get(name) for row in rows] for name in names}
            writer.write(events(uri_of(key), times_of(key, 3), job, job, **columns))
            made |= {f"e_{uri_of(key)}-{job}-{number}": row for number, row in enumerate(rows)}
            if self.rng.random() < 0.5:
                files += writer.close()
                writer = HotTierWriter(self.store, columns=promoted_columns(self.store), job=job)
        return job, keys, files + writer.close(), made

    def _attributes(self, names: Sequence[str]) -> Attributes:
        return {name: self.rng.choice(VALUES) for name in names if self.rng.random() < 0.4}

    def _kill(self, calls: int) -> Kill:
        """Return before or after which call a process is gone, one of the first so many."""
        return self.rng.randrange(1, calls), self.rng.random() < 0.5

    def _publish(self, wave: Wave, *, kill: Kill | None) -> None:
        """Publish a job's files; where it is killed, once more."""
        job, keys, files, _ = wave
        entries = [entry(key, 3, job=job, content=job) for key in keys]

        def publish(store: Any) -> None:
            publish_wave(store, job=job, wave=0, files=files, entries=entries)

        if kill is not None:
            try:
                publish(Failing(self.store, kill[0], after=kill[1]))
            except Killed:
                self.kills += 1
        publish(self.store)

    def _note(self, wave: Wave) -> None:
        """Note what the reference has since a wave was published."""
        job, keys, _, made = wave
        for key in keys:
            self.contents[key] = job
        self.events = {one: row for one, row in self.events.items() if self._is_present(one)} | made

    def _is_present(self, event_id: str) -> bool:
        """Whether an event is of its object's present content."""
        uri, content, _ = event_id.removeprefix("e_").rsplit("-", 2)
        return self.contents.get(uri.rpartition("/")[2]) == content

    def _killed_or_not(self, work: Callable[[], Any]) -> Any:
        """Do some work, now and then killed before and done again; return its report, None where it was killed."""
        if self.rng.random() < 0.3:
            object.__setattr__(self.settings, "kill", self._kill(60))
            try:
                return work()
            except Killed:
                self.kills += 1
            finally:
                object.__setattr__(self.settings, "kill", None)
            work()
            return None
        return work()

    # What readers find

    def check(self) -> None:
        check_places(self.store)
        columns = promoted_columns(self.store)
        expected = {
            name: Counter((row[name], one) for one, row in self.events.items() if name in row) for name in NAMES
        }
        for reader in (by_duckdb, by_polars, by_pandas, by_sql):
            assert reader(self.store, columns) == expected, reader.__name__
        some = self.rng.sample(NAMES, 2)
        for name in NAMES if THOROUGH else some:
            found = search(self.store, parse(f"`{name}`=*"))
            key = schema.attribute_column(name)
            assert Counter((row[key], row["_event_id"]) for row in found) == expected[name], name
        whole = run_sql(self.store, "SELECT _event_id, attributes FROM events").rows()
        assert {one: {name: row[name] for name in NAMES if name in row} for one, row in whole} == self.events


def _is(name: str, value: str) -> Any:
    return parse(f"`{name}`={value}")


def _rules(file: RulesFile, section: str) -> Rules:
    return Rules(name="rules.yaml", text="rules: []", section=section, file=file)


def _sql_of(name: str, columns: Sequence[str]) -> str:
    quoted = name.replace("'", "''")
    return f'"{name}"' if name in columns else f"attributes['{quoted}']"


def _by_name(rows: Sequence[Sequence[Any]]) -> dict[str, Rows]:
    """Return the values of each name with their events, of rows of an id and the values of all names."""
    return {
        name: Counter((row[number], row[0]) for row in rows if isinstance(row[number], str))
        for number, name in enumerate(NAMES, 1)
    }


def by_duckdb(store: TierStore, columns: Sequence[str]) -> dict[str, Rows]:
    if not live_files(store):
        return _by_name([])
    connection = duckdb.connect()
    files = connection.read_parquet(live_files(store), union_by_name=True, hive_partitioning=False)
    there = set(files.columns)
    connection.register("events", files)
    values = ["NULL" if name in columns and name not in there else _sql_of(name, columns) for name in NAMES]
    if "attributes" not in there:
        values = ["NULL" if value.startswith("attributes") else value for value in values]
    return _by_name(connection.execute(f"SELECT _event_id, {', '.join(values)} FROM events").fetchall())


def by_polars(store: TierStore, columns: Sequence[str]) -> dict[str, Rows]:
    values = [
        (pl.col(name) if name in columns else pl.col("attributes").map.get(pl.lit(name))).alias(f"{number}")
        for number, name in enumerate(NAMES)
    ]
    return _by_name(pl.scan_delta(store.table_uri("events")).select("_event_id", *values).collect().rows())


def by_pandas(store: TierStore, columns: Sequence[str]) -> dict[str, Rows]:
    rows = [row for path in live_files(store) for row in pd.read_parquet(path).to_dict("records")]
    maps = [dict(row["attributes"]) if row.get("attributes") is not None else {} for row in rows]
    return _by_name(
        [
            [row["_event_id"], *(row.get(name) if name in columns else entries.get(name) for name in NAMES)]
            for row, entries in zip(rows, maps, strict=True)
        ]
    )


def by_sql(store: TierStore, columns: Sequence[str]) -> dict[str, Rows]:
    values = ", ".join(_sql_of(name, columns) for name in NAMES)
    return _by_name(list(run_sql(store, f"SELECT _event_id, {values} FROM events").rows()))


def live(path: Path, seed: int, steps: int) -> History:
    history = History(path, seed)
    history.job()
    history.check()
    for step in history.steps(steps):
        step()
        history.check()
    if not history.kills:
        history.killed_job()
        history.check()
    return history


@pytest.mark.parametrize("seed", range(3))
def test_random_histories(tmp_path: Path, seed: int) -> None:
    live(tmp_path / "hot", seed, 8)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 1200 if THOROUGH else 1005, 5))
def test_many_random_histories(tmp_path: Path, start: int) -> None:
    promoted = 0
    for seed in range(start, start + 5):
        promoted += len(promoted_columns(live(tmp_path / str(seed), seed, 12).store))
    assert promoted > 5 * len(schema.BASE_ATTRIBUTES)
