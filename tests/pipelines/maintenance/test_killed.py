"""`kill -9` at every write to the store.

After a new run all is as if nothing had happened, and readers never saw anything in between.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipelines.liveness import run_periodically
from pipelines.maintenance.compact import compact
from pipelines.maintenance.rewriter import MaintenanceSettings, Rewriter
from tests.conftest import S3, THOROUGH
from tests.fault_proxy import Fault, FaultProxy
from tests.pipelines import processes
from tests.pipelines.conftest import Ended
from tests.pipelines.maintenance.execute_here import execute_here
from tests.pipelines.processes import Started, was_killed
from tests.pipelines.reading import (
    NOW,
    RULES,
    Flat,
    LiveRows,
    audit_rows,
    made_tier,
    read_live,
    stored_files,
    version_of,
)
from tests.transforms.hot_tier.samples import publish
from transforms.storage import StorageOptions, TierStore, open_tier
from transforms.storage.job_folder import JobFolder

Rekindle = Callable[..., Ended]
WRITES = "PUT POST DELETE"
KILLS = 20 if THOROUGH else 4
AT_FIRST = 1
"""Before any deletion."""
_NAMES = (
    (r"part-[0-9a-f-]{36}-\d+", "PART"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\d{8}T\d{6}Z-(\w+)-[0-9a-f]{8}", r"RUN-\1"),
    (r"date=\d{4}-\d{2}-\d{2}", "date=DATE"),  # what is written side by side comes in any order
    (r"\d{20}-[0-9a-f]{8}", "COMMIT"),
    (r"\d{20}", "VERSION"),
    (r"[0-9a-f]{32}", "TASK"),
)


@pytest.fixture
def commands(tmp_path: Path) -> dict[str, tuple[object, ...]]:
    """Commands and their flags, but for where the tier is."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    at = ("--now", NOW.isoformat(), "--rules", rules, "--execute", "--yes", "--json")
    return {"delete": ("delete", "--grace", "0", *at), "tier": ("tier", *at), "compact": ("compact", "--json"),
            "promote": ("promote", "service", "--json"), "undo": ("jobs", "undo", "two", "--yes", "--json"),
            "restore": ("restore", "--to", AT_FIRST, "--execute", "--json")}  # fmt: skip


@dataclass
class States:
    """What a reader in a loop has seen: each version's rows; a file may be gone where the table is newer by then."""

    store: TierStore
    seen: dict[int, tuple[Counter[Flat], Counter[Flat]]] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)

    def look(self, *, whole: bool = False) -> None:
        try:
            if not whole and version_of(self.store) in self.seen:
                return
            live = read_live(self.store)
        except (OSError, AssertionError) as error:
            try:
                read_live(self.store)
            except (OSError, AssertionError):
                self.errors.append(error)
            return
        self.seen[live.version] = live.rows("hot"), live.rows("cold")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Read again and again until the block ends."""
        self.look()
        with run_periodically(self.look, self.errors.append, seconds=0.3):
            yield
        self.look(whole=True)


def halves(live: LiveRows) -> tuple[Counter[Flat], Counter[Flat]]:
    return live.rows("hot"), live.rows("cold")


def audited(store: TierStore) -> Counter[tuple[Any, ...]]:
    """Return what was done by the audit, without what differs from run to run; each run's row may be there once."""
    rows = audit_rows(store)
    assert len({(row["run_id"], row["kind"], row["rule"]) for row in rows}) == len(rows), "a run is in the audit twice"
    return Counter(
        (row["kind"], row["rule"], row["events"]) for row in rows if row["events"] or row["kind"].startswith("hold")
    )


@dataclass(frozen=True)
class Outcome:
    """How a tier is after a command: its rows by tier, the audit, and the files that are not live."""

    rows: tuple[Counter[Flat], Counter[Flat]]
    audit: Counter[tuple[Any, ...]]
    dead: frozenset[str]

    @classmethod
    def of(cls, store: TierStore) -> Outcome:
        live = read_live(store)
        runs = {file.path.split("/")[2] for file in store.list("_rekindle/runs/")}
        results = {file.path for file in store.list("_rekindle/results/")}
        # of runs that had not begun they stay for a day
        left = {path for path in results if path.split("/")[2] in runs}
        return cls(halves(live), audited(store), frozenset(stored_files(store) - live.files.keys()) | left)


def boundary(key: str | None) -> str:
    """Return a key's name without what differs from run to run."""
    name = (key or "").partition("hot/")[2]
    for pattern, text in _NAMES:
        name = re.sub(pattern, text, name)
    return name


def made(store: TierStore, name: str, settings: MaintenanceSettings) -> None:
    """Make the tier on which a command is killed; for the undoing of a job some files have events of two jobs."""
    made_tier(store, promote=name != "promote")
    if name == "undo":
        for job, keys in (("one", "ab"), ("two", "cd")):
            publish(store, list(keys), job=job)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Rewriter, "_run", execute_here)
            compact(settings)
        publish(store, ["e"], job="two", wave=1)
        JobFolder(store, "two").write_json("job.json", {})
        JobFolder(store, "two").write_json("status.json", {"status": "Succeeded"})


@dataclass
class Setting:
    """Copies of one tier on S3, each for one run."""

    s3: S3
    folder: Path
    proxy: FaultProxy
    copies: int = 0

    def copy(self) -> TierStore:
        self.copies += 1
        prefix = f"copy{self.copies}/hot"
        for page in self.s3.client.get_paginator("list_objects_v2").paginate(Bucket=self.s3.bucket, Prefix="made/hot/"):
            for one in page["Contents"]:
                target = one["Key"].replace("made/hot", prefix, 1)
                self.s3.client.copy_object(
                    Bucket=self.s3.bucket, Key=target, CopySource={"Bucket": self.s3.bucket, "Key": one["Key"]}
                )
        return open_tier(f"s3://{self.s3.bucket}/{prefix}", self.s3.options)

    def start(self, store: TierStore, flags: tuple[object, ...]) -> Started:
        return processes.start(self.folder, *flags, "--hot-tier", store.uri, "--endpoint-url", self.proxy.endpoint_url)

    def run_again(self, rekindle: Rekindle, store: TierStore, flags: tuple[object, ...]) -> None:
        ended = rekindle(*flags, "--hot-tier", store.uri, "--endpoint-url", self.s3.endpoint_url)
        assert ended.code == 0, ended.err


@pytest.fixture
def setting(s3: S3, fault_proxy: FaultProxy, tmp_path: Path, name: str) -> Setting:
    settings = MaintenanceSettings(hot_tier=f"s3://{s3.bucket}/made/hot", tier_options=s3.options)
    made(settings.open_tier(), name, settings)
    return Setting(s3, tmp_path, fault_proxy)


NAMES = ("delete", "restore", "undo", "promote", "tier", "compact")
SWEEPS = [(name, moment) for moment in ("before", "after") for name in NAMES]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "moment"), SWEEPS if THOROUGH else SWEEPS[:2])
def test_killed_at_every_write(
    name: str, moment: str, setting: Setting, commands: dict[str, tuple[object, ...]], rekindle: Rekindle
) -> None:
    flags = commands[name]
    if name == "restore":
        setting.run_again(
            rekindle,
            open_tier(f"s3://{setting.s3.bucket}/made/hot", setting.s3.options),
            without_removal(commands["delete"]),
        )
    store = setting.copy()
    before = halves(read_live(store))
    undisturbed = setting.start(store, flags).wait()
    assert undisturbed.code == 0, undisturbed.err
    undisturbed_outcome = Outcome.of(store)
    assert undisturbed_outcome.rows != before or name in ("compact", "promote")
    assert not undisturbed_outcome.dead or name != "delete"
    writes = [boundary(one.key) for one in setting.proxy.seen if one.method in WRITES.split()]
    moments = [(write, writes[:index].count(write)) for index, write in enumerate(writes)]
    if moment == "after":  # elsewhere the moment after a write is the one before the next
        moments = [
            (write, number) for write, number in moments if "_delta_log" in write or (write, number) == moments[-1]
        ]
    hit: list[str] = []
    if not THOROUGH:
        moments = [(write, number) for write, number in moments if number == 0]
    for write, number in moments:
        store = setting.copy()
        if not _run_killed(setting, store, flags, moment, write, number, before, undisturbed_outcome):
            continue
        hit.append(write)
        setting.run_again(rekindle, store, flags)
        found = Outcome.of(store)
        assert found.rows == undisturbed_outcome.rows, write
        assert +_of_kind(found.audit, name) == +_of_kind(undisturbed_outcome.audit, name), write
        assert not {path for path in found.dead if name == "delete" or path.startswith("_rekindle")}, (
            write,
            found.dead,
        )
    assert {write for write, _ in moments} == set(hit)


def without_removal(delete: tuple[object, ...]) -> tuple[object, ...]:
    return tuple("7d" if flag == "0" else flag for flag in delete)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _of_kind(audit: Counter[tuple[Any, ...]], name: str) -> Counter[tuple[Any, ...]]:
    """Return the part of the audit about a command and holds: what is removed differs by what a killed run has left.

    Each run that was executed has a row for a hold that was in force: the one that was killed and the one after it.
    """
    return Counter({row: 1 if row[0] == "hold" else count for row, count in audit.items() if row[0] in (name, "hold")})


def _run_killed(
    setting: Setting,
    store: TierStore,
    flags: tuple[object, ...],
    moment: str,
    write: str,
    number: int,
    before: Any,
    undisturbed_outcome: Outcome,
) -> bool:
    """Run a command, kill it at a write of a name, after so many others of it, and check what readers saw.

    False where the command ended before: of what is written by the clock, as signs of life are, there are more or less.
    """
    started: list[Started] = []
    known = threading.Event()

    def kill() -> None:
        known.wait(60)
        os.kill(started[0].pid, signal.SIGKILL)
        until = time.monotonic() + 60
        while not is_gone(started[0].pid) and time.monotonic() < until:
            time.sleep(0.005)

    doing: dict[str, Any] = {"before": kill, "reset": True} if moment == "before" else {"after": kill}
    fault = setting.proxy.add(Fault("*", method=WRITES, named=lambda key: boundary(key) == write, skip=number, **doing))
    states = States(store)
    with states.watched():
        started.append(setting.start(store, flags))
        known.set()
        ended = started[0].wait()
    is_hit, fault.count = fault.count == 0, 0
    assert not states.errors, (write, number, states.errors)
    assert all(rows in (before, undisturbed_outcome.rows) for rows in states.seen.values()), (write, number)
    assert was_killed(ended) if is_hit else ended.code == 0, ended
    return is_hit


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_killed_at_any_moment(
    name: str, tmp_path: Path, commands: dict[str, tuple[object, ...]], rekindle: Rekindle
) -> None:
    rng = random.Random(name)
    settings = MaintenanceSettings(hot_tier=str(tmp_path / "made"))
    made(settings.open_tier(), name, settings)
    if name == "restore":
        assert rekindle(*without_removal(commands["delete"]), "--hot-tier", tmp_path / "made").code == 0

    def start(number: int) -> tuple[TierStore, Started]:
        path = tmp_path / f"copy{number}"
        shutil.copytree(tmp_path / "made", path)
        return open_tier(str(path), StorageOptions()), processes.start(tmp_path, *commands[name], "--hot-tier", path)

    processes.start(tmp_path, *commands[name], "--hot-tier", tmp_path / "none").wait()  # all is imported from now on
    began = time.monotonic()
    store, started = start(-1)
    before = halves(read_live(store))
    assert started.wait().code == 0
    seconds, undisturbed_outcome = time.monotonic() - began, Outcome.of(store)
    killed = 0
    for number in range(KILLS):
        store, started = start(number)
        states = States(store)
        with states.watched():
            started.process.join(rng.uniform(0, seconds))
            started.kill()
        killed += was_killed(started.wait())
        assert not states.errors
        assert all(rows in (before, undisturbed_outcome.rows) for rows in states.seen.values())
        again = rekindle(*commands[name], "--hot-tier", store.uri)
        assert again.code == 0, again.err
        found = Outcome.of(store)
        assert found.rows == undisturbed_outcome.rows
        assert +_of_kind(found.audit, name) == +_of_kind(undisturbed_outcome.audit, name)
        assert found.dead <= undisturbed_outcome.dead or name != "delete"
    assert killed
