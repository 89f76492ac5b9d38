"""`--daily`: when a run is due, that one of several services does it, and that a killed one's is gone on with."""

from __future__ import annotations

import sys
import threading
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pipelines.jobs.queued.claims import ClaimFile, JobClaim, take_claim, write_claim
from service.operation import daily, daily_run
from service.operation.daily import DailyRuns, DailySchedule
from service.operation.daily_folder import KINDS, DailyKind, folder_of
from service.operation.metrics import Metrics
from service.settings import ServiceSettings
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.hot_tier.configuration.rules import set_rules
from transforms.hot_tier.maintenance.audit import read_audit
from transforms.hot_tier.table.live_files import load_events
from transforms.storage import StorageOptions, TierStore, open_tier

DAY = date(2026, 11, 30)
AT = time(2, 17)
DUE = datetime(2026, 11, 30, 2, 17, tzinfo=timezone.utc)
RULES = """
rules:
  - {name: old, retention: 52w, when: source=old}
tiers:
  - {name: cold, retention: 26w, when: source=cold}
"""


@pytest.fixture
def tier(tmp_path: Path) -> TierStore:
    return open_tier(str(tmp_path / "hot"), StorageOptions())


def end(tier: TierStore, kind: DailyKind, number: int = 1, day: date = DAY, state: Any = "ended") -> JobClaim:
    folder = folder_of(tier, day, kind)
    claim = take_claim(folder, number)
    assert claim is not None
    write_claim(folder, claim, state)
    return claim


@pytest.mark.parametrize(
    ("after", "due"),
    [
        (timedelta(seconds=-1), None),
        (timedelta(0), (DAY, "delete", 1)),
        (timedelta(minutes=59), (DAY, "delete", 1)),
        (timedelta(hours=1), None),
        (timedelta(hours=23), None),
        (timedelta(days=1), (DAY + timedelta(days=1), "delete", 1)),
    ],
    ids=str,
)
def test_when_a_run_is_due(tier: TierStore, after: timedelta, due: object) -> None:
    assert DailySchedule(at=AT).next_run(tier, DUE + after) == due


def test_the_move_follows_the_deletion_also_after_midnight(tier: TierStore) -> None:
    schedule = DailySchedule(at=time(23, 50))
    begun = datetime(2026, 11, 30, 23, 50, tzinfo=timezone.utc)
    assert schedule.next_run(tier, begun) == (DAY, "delete", 1)
    end(tier, "delete")
    assert schedule.next_run(tier, begun + timedelta(hours=5)) == (DAY, "tier", 1)
    end(tier, "tier")
    assert schedule.next_run(tier, begun + timedelta(hours=5)) is None


def test_a_run_at_work_is_left_alone_and_one_that_was_killed_is_taken_over(tier: TierStore) -> None:
    schedule = DailySchedule(at=AT)
    folder = folder_of(tier, DAY, "delete")
    claim = take_claim(folder, 1)
    assert claim is not None
    assert schedule.next_run(tier, DUE) is None
    folder.write_json("claim/1.json", ClaimFile(**{**vars(claim.content), "pid": 2**22 + 1}).as_document())
    assert schedule.next_run(tier, DUE + timedelta(hours=5)) == (DAY, "delete", 2)


def test_a_run_that_failed_is_tried_again_after_a_pause_and_not_for_ever(tier: TierStore) -> None:
    schedule = DailySchedule(at=AT)
    now = datetime.now(timezone.utc)
    schedule.at = now.time().replace(second=0, microsecond=0, tzinfo=None)
    day = now.date()
    end(tier, "delete", 1, day, "released")
    assert schedule.next_run(tier, now) is None
    assert schedule.next_run(tier, now + daily.PAUSE + timedelta(minutes=1)) == (day, "delete", 2)
    end(tier, "delete", daily.MOST_CLAIMS, day, "released")
    assert schedule.next_run(tier, now + daily.PAUSE + timedelta(minutes=1)) == (day, "tier", 1)


@pytest.mark.parametrize("kind", KINDS)
def test_without_rules_or_events_nothing_is_done(tier: TierStore, kind: DailyKind) -> None:
    settings = ServiceSettings(hot_tier=tier.uri)
    assert daily_run.run(settings, kind, DAY, 1) == "no_events"
    Tier(tier).add([event("2025-01-01T00:00:00", "m")])
    assert daily_run.run(settings, kind, DAY, 2) == "no_rules"
    assert load_events(tier).rows == 1


def test_a_day_of_two_services(tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the process that the service starts, for both services at once: each run is done once, and audited."""
    Tier(tier).add(
        [
            event("2020-01-01T00:00:00", "goes", source="old"),
            event("2020-01-02T00:00:00", "moves", source="cold"),
            event("2020-01-03T00:00:00", "stays", source="new"),
            event("2020-01-03T00:00:01", "stays", source="new"),
        ]
    )
    set_rules(tier, RULES, file="rules.yaml")
    settings = ServiceSettings(hot_tier=tier.uri, daily="02:17")
    began, pause = threading.Barrier(2), threading.Event()
    done: list[Any] = []

    def run_here(command: list[str], **_: object) -> object:
        kind, day, number = command[-3:]
        outcome = daily_run.run(settings, kind, date.fromisoformat(day), int(number))  # type: ignore[arg-type]
        done.append((kind, outcome))
        return type("Ended", (), {"stdout": (outcome or "").encode(), "returncode": 0})

    monkeypatch.setattr("service.operation.daily.subprocess.run", run_here)
    metrics = [Metrics(), Metrics()]

    def serve(number: int) -> None:
        runs = DailyRuns(settings=settings, tier=tier, metrics=metrics[number], clock=lambda: DUE)
        schedule = DailySchedule(at=AT)
        began.wait()
        while not {("delete", "done"), ("tier", "done")} <= set(done) and ("delete", "failed") not in done:
            runs.run_due(schedule)
            pause.wait(0.01)

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one for one in done if one[1]) == [("delete", "done"), ("tier", "done")]
    snapshot = load_events(tier)
    assert snapshot.rows == 3
    assert sum(file.rows for file in snapshot.files.values() if file.tier == "cold") == 1
    assert sorted(row["kind"] for row in read_audit(tier, limit=10) if row["kind"] in KINDS) == ["delete", "tier"]
    counted = [
        one.registry.get_sample_value("rekindle_daily_runs_total", {"kind": kind, "outcome": "done"}) or 0
        for one in metrics
        for kind in KINDS
    ]
    assert sum(counted) == 2
    for file in (folder_of(tier, DAY - timedelta(days=8), "tier"), folder_of(tier, DAY - timedelta(days=7), "tier")):
        take_claim(file, 1)
    assert daily_run.run(settings, "tier", DAY, 2) == "done"
    days = {file.path.split("/")[2] for file in tier.list("_rekindle/daily/")}
    assert days == {"2026-11-23", "2026-11-30"}


def test_more_than_half_is_refused(tier: TierStore) -> None:
    Tier(tier).add([event("2020-01-01T00:00:00", "m", source="old")])
    set_rules(tier, RULES, file="rules.yaml")
    assert daily_run.run(ServiceSettings(hot_tier=tier.uri), "delete", DAY, 1) == "refused"
    assert load_events(tier).rows == 1


@pytest.mark.slow
def test_the_process_of_a_run(tier: TierStore) -> None:
    Tier(tier).add([event("2025-01-01T00:00:00", "m")])
    metrics = Metrics()
    settings = ServiceSettings(hot_tier=tier.uri, daily="02:17")
    runs = DailyRuns(settings=settings, tier=tier, metrics=metrics, clock=lambda: DUE)
    assert runs.run_due(DailySchedule(at=AT))
    assert runs.run_due(DailySchedule(at=AT))
    assert not runs.run_due(DailySchedule(at=AT))
    for kind in KINDS:
        labels = {"kind": kind, "outcome": "no_rules"}
        assert metrics.registry.get_sample_value("rekindle_daily_runs_total", labels) == 1
    assert sys.executable
