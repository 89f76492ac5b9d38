"""A backfill, a compaction, a deletion and a move at the same time on one tier.

Nothing is lost, doubled, or deleted that no rule names.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import THOROUGH
from tests.pipelines import processes
from tests.pipelines.conftest import Ended, read_files
from tests.pipelines.reading import DAY, GONE, NOW, ROWS, RULES, audit_rows, check_places, made_tier, read_live
from transforms.storage import StorageOptions, TierStore, open_tier

Rekindle = Callable[..., Ended]
ROUNDS = 20 if THOROUGH else 4
KINDS = ((40, "web", "old"), (20, "db", "short"), (20, "web", ""), (10, "db", ""), (1, "web", ""), (0.1, "db", ""))
"""Age in days, service, and the rule of `RULES` that deletes such an event."""


def lines_of(number: int) -> tuple[list[str], list[str]]:
    """Return an object's lines, and those of them that no rule deletes."""
    lines, kept = [], []
    for index, (age, service, rule) in enumerate(KINDS * 3):
        user = "ann" if index % 6 == 1 and number % 2 else "bob"
        at: datetime = NOW - age * DAY + timedelta(seconds=index)
        lines.append(
            json.dumps({"timestamp": at.isoformat(), "service": service, "user": user, "n": f"{number}-{index}"})
        )
        if not rule or user == "ann":
            kept.append(f"{number}-{index}")
    return lines, kept


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def maintenance_commands(rules: Path, tier: Path) -> dict[str, tuple[object, ...]]:
    at = ("--hot-tier", tier, "--json")
    by = ("--rules", rules, "--now", NOW.isoformat(), "--execute", "--yes", *at)
    return {"delete": ("delete", *by), "tier": ("tier", *by), "compact": ("compact", *at),
            "promote": ("promote", "service", *at)}  # fmt: skip


def numbers(rekindle: Rekindle, tier: Path) -> Counter[Any]:
    """Return how often each event is there, by DuckDB."""
    return Counter(dict(read_files(rekindle, tier, "SELECT n, count(*) FROM events GROUP BY n")))


@pytest.mark.slow
def test_everything_at_once(tmp_path: Path, rules: Path, rekindle: Rekindle) -> None:
    tier, source = tmp_path / "hot", tmp_path / "source"
    source.mkdir()
    job = ("backfill", "--bucket", f"file://{source}", "--hot-tier", tier, "--json")
    commands = maintenance_commands(rules, tier)
    keep: set[str] = set()
    everything: set[str] = set()
    deleted = 0
    for number in range(ROUNDS + 1):
        lines, kept = lines_of(number)
        (source / f"{number:02d}.jsonl").write_text("\n".join(lines) + "\n")
        everything |= {json.loads(line)["n"] for line in lines}
        keep |= set(kept)
        started = {"backfill": processes.start(tmp_path, *job)}
        if number:  # the first makes the tier
            started |= {name: processes.start(tmp_path, *flags) for name, flags in commands.items()}
        ended = {name: process.wait() for name, process in started.items()}
        assert all(one.code == 0 for one in ended.values()), ended
        assert (ended["backfill"].json["objects"]["ingested"], ended["backfill"].json["events"]) == (1, len(lines))
        deleted += ended["delete"].json["events"] if number else 0
        found = numbers(rekindle, tier)
        assert set(found.values()) == {1}, "an event is there twice"
        assert keep <= found.keys() <= everything, "an event is lost, or one of another place is there"
    store = open_tier(str(tier), StorageOptions())
    for name in ("delete", "tier", "compact"):
        last = rekindle(*commands[name])
        assert last.code == 0, last.err
        deleted += last.json["events"] if name == "delete" else 0
    assert set(numbers(rekindle, tier)) == keep
    assert deleted == len(everything) - len(keep)
    check_audit(store, deleted)
    assert rekindle(*job).json["objects"]["ingested"] == 0


def check_audit(store: TierStore, deleted: int) -> None:
    rows = audit_rows(store)
    assert len({(row["run_id"], row["kind"], row["rule"]) for row in rows}) == len(rows)
    assert sum(row["events"] for row in rows if row["kind"] == "delete") == deleted


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [
        ("delete", "delete"),
        ("compact", "compact"),
        ("delete", "tier"),
        ("tier", "tier"),
        ("delete", "compact"),
        ("promote", "promote"),
        ("promote", "delete"),
        ("promote", "compact"),
        ("promote", "tier"),
    ],
    ids="-".join,
)
def test_two_at_once_do_what_one_does(tmp_path: Path, rules: Path, names: tuple[str, str]) -> None:
    for number in range(5):
        tier = tmp_path / f"hot{number}"
        store = open_tier(str(tier), StorageOptions())
        made_tier(store, promote="promote" not in names)
        before = read_live(store).rows()
        ended = [
            process.wait()
            for process in [processes.start(tmp_path, *maintenance_commands(rules, tier)[name]) for name in names]
        ]
        assert [one.code for one in ended] == [0, 0], ended
        after = read_live(store).rows()
        gone = GONE if "delete" in names else set()
        assert after == Counter({row: count for row, count in before.items() if dict(row)["_message"] not in gone})
        reports = [one.json for one in ended]
        if "delete" in names:
            deleted = [report["events"] for name, report in zip(names, reports, strict=True) if name == "delete"]
            assert sum(deleted) == len(GONE)
            check_audit(store, len(GONE))
        if names == ("tier", "tier"):
            assert sorted(report["events"] for report in reports) == [0, 16]
        assert sum(after.values()) == ROWS - len(gone)
        check_places(store)
