"""`backfill --reprocess`: whole jobs over known objects."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from pipelines.jobs.plan import JobPlan
from pipelines.jobs.waves import run_wave
from tests.pipelines.conftest import Ended, read_files

Rekindle = Callable[..., Ended]
PIPELINES = "pipelines: [{name: took, steps: [{regex: {source: message, pattern: 'took (?P<ms>[0-9]+)'}}]}]\n"
HINT = "were read with other options or pipelines; add --reprocess to read them again"
NOW = datetime.now(timezone.utc)


class Place:
    """A folder with objects, a tier, and the command line over both."""

    def __init__(self, folder: Path, rekindle: Rekindle) -> None:
        self.source, self.tier, self.rekindle = folder / "source", folder / "hot", rekindle
        self.source.mkdir()
        self.pipelines = folder / "pipelines.yaml"
        self.pipelines.write_text(PIPELINES)
        self.rules = folder / "rules.yaml"

    def write(self, name: str, *days: float) -> None:
        """Write an object with an event for each age."""
        lines = [
            json.dumps({"timestamp": (NOW - timedelta(days=day)).isoformat(), "n": number, "text": f"took {number}"})
            for number, day in enumerate(days)
        ]
        (self.source / name).write_text("\n".join(lines) + "\n")

    def run(self, *flags: object, command: str = "backfill", code: int = 0) -> dict[str, Any]:
        where = ("--bucket", f"file://{self.source}", "--hot-tier", self.tier, "--json")
        ended = self.rekindle(command, *where, *flags)
        assert ended.code == code, ended.err
        report: dict[str, Any] = ended.json
        return report

    def maintain(self, *flags: object) -> dict[str, Any]:
        ended = self.rekindle(*flags, "--hot-tier", self.tier, "--json")
        assert ended.code == 0, ended.err
        report: dict[str, Any] = ended.json
        return report

    def delete(self, rules: str) -> dict[str, Any]:
        self.rules.write_text(rules)
        return self.maintain("delete", "--rules", self.rules, "--execute", "--yes")

    def ids(self) -> Counter[str]:
        return Counter(row[0] for row in read_files(self.rekindle, self.tier, "SELECT _event_id FROM events"))

    def rows(self, expression: str) -> list[tuple[Any, ...]]:
        return sorted(read_files(self.rekindle, self.tier, f"SELECT filename, {expression} FROM events"))


@pytest.fixture
def place(tmp_path: Path, rekindle: Rekindle) -> Place:
    return Place(tmp_path, rekindle)


def objects(report: dict[str, Any]) -> dict[str, int]:
    """Return how many objects became what."""
    of_all = ("evaluated", "matched")
    return {name: number for name, number in report["objects"].items() if number and name not in of_all}


def test_known_objects_are_read_again_with_other_pipelines(place: Place) -> None:
    for name in "abc":
        place.write(f"{name}.jsonl", 1, 2, 3)
    assert place.run("--pattern", "[ab]*")["warnings"] == []
    before = place.ids()
    assert place.run("--pattern", "[ab]*")["warnings"] == [], "nothing has changed"

    hinted = place.run("--pipelines", place.pipelines, "--pattern", "[ab]*")
    assert (objects(hinted), hinted["warnings"]) == ({"known": 2}, [f"2 known objects {HINT}"])
    again = ("--pipelines", place.pipelines, "--reprocess")
    preview = place.run(*again, command="preview")
    assert {name: preview["objects"][name] for name in ("work", "replaced", "known")} == {
        "work": 3, "replaced": 2, "known": 0,
    }  # fmt: skip

    done = place.run(*again)
    assert objects(done) == {"ingested": 3, "replaced": 2}
    assert (done["events"], done["warnings"]) == (9, [])
    assert before.keys() < place.ids().keys()
    assert set(place.ids().values()) == {1}
    assert place.rows("ms") == [(f"{name}.jsonl", str(n)) for name in "abc" for n in range(3)]
    assert {row[1] for row in place.rows("_correlation_id")} == {done["taskId"]}

    assert place.run("--pipelines", place.pipelines)["warnings"] == [], "the digest is that of the last reading"
    assert place.run()["warnings"] == [f"3 known objects {HINT}"]
    assert objects(place.run(*again)) == {"ingested": 3, "replaced": 3}, "all known ones, also with the same digest"
    assert set(place.ids().values()) == {1}


@pytest.mark.slow
def test_other_format_options(place: Place) -> None:
    (place.source / "a.txt").write_text("2026-01-01T00:00:00Z one\n  more\n2026-01-01T00:00:01Z two\n")
    assert place.run()["events"] == 3
    start = ("--multiline-start", "^[0-9]")
    assert place.run(*start)["warnings"] == [
        "1 known object was read with other options or pipelines; add --reprocess to read it again"
    ]
    assert place.rekindle("holds", "add", "case", "--when", "n=1", "--hot-tier", place.tier).code == 0
    done = place.run(*start, "--reprocess")
    assert [text for text in done["warnings"] if "holds" in text] == [
        "the tier's holds (case) keep events from deletion, and not from being replaced: what pipelines drop or change "
        "now is no longer as it was"
    ]
    assert (done["events"], objects(done)) == (2, {"ingested": 1, "replaced": 1})
    assert [row[1][21:] for row in place.rows("_message")] == ["one\n  more", "two"]


def test_force_excludes_it(place: Place) -> None:
    ended = place.rekindle("backfill", "--bucket", f"file://{place.source}", "--force", "--reprocess")
    assert (ended.code, "--force and --reprocess exclude each other" in ended.err) == (2, True)


@pytest.mark.slow
def test_what_rules_have_deleted_does_not_come_back(place: Place) -> None:
    place.write("whole.jsonl", 40, 41)
    place.write("partly.jsonl", 40, 1, 42, 2)
    place.write("kept.jsonl", 1, 2)
    place.run()
    assert place.delete("rules: [{name: old, retention: 30d}]")["events"] == 4
    for number in range(2):  # the second time the table shows nothing of the deletion any more
        done = place.run("--pipelines", place.pipelines, "--reprocess")
        assert objects(done) == {"deleted": 1, "ingested": 2, "replaced": 2}, number
        assert (done["recordsIn"], done["events"], done["dropped"]) == (6, 4, 2)
        assert done["droppedByPipeline"] == {}
        assert "2 events that rule old had deleted were not brought back" in done["warnings"]
        assert [row[1] for row in place.rows("ms")] == ["0", "1", "1", "3"]
    assert place.run("--pattern", "partly*", "--force")["events"] == 4
    done = place.run("--pattern", "partly*", "--reprocess")
    assert (done["events"], objects(done)) == (4, {"ingested": 1, "replaced": 1}), "--force has brought them"
    assert set(place.ids().values()) == {1}


@pytest.mark.slow
def test_what_came_after_a_deletion_was_held_or_is_restored_comes_back(place: Place) -> None:
    place.write("a.jsonl", 40, 41, 1)
    place.run()
    deleted = place.delete("{rules: [{name: old, retention: 30d}], holds: [{name: one, when: n=1}]}")
    assert deleted["events"] == 1
    place.write("later.jsonl", 50, 51)
    place.run("--pattern", "later*")
    done = place.run("--reprocess")
    assert (done["events"], done["dropped"]) == (4, 1)
    assert [row[1] for row in place.rows("n")] == ["1", "2", "0", "1"]

    place.maintain("restore", "--run", deleted["runId"], "--execute")
    assert place.run("--reprocess")["events"] == 5
    assert set(place.ids().values()) == {1}


@pytest.mark.slow
def test_only_salvaged_objects_by_retry_failed(place: Place) -> None:
    """And what a rule has deleted of one stays away."""
    lines = "".join(f'{{"timestamp": "{(NOW - timedelta(days=day)).isoformat()}", "n": {day}}}\n' for day in (1, 40, 2))
    whole = gzip.compress((lines * 2000).encode(), mtime=0)
    (place.source / "a.jsonl.gz").write_bytes(whole[:-9])
    assert objects(place.run(code=3)) == {"salvaged": 1}
    assert place.delete("rules: [{name: old, retention: 30d}]")["events"] > 0
    before = place.ids()
    done = place.run("--retry-failed", code=3)
    assert (objects(done), place.ids() == before) == ({"salvaged": 1}, True)


def versions(place: Place, first: int) -> dict[int, Counter[str]]:
    """Return the events' ids of each version of the table from one on, read by deltalake alone."""
    last = DeltaTable(place.tier / "events").version()
    return {
        number: Counter(
            DeltaTable(place.tier / "events", version=number)
            .to_pyarrow_table(columns=["_event_id"])["_event_id"]
            .to_pylist()
        )
        for number in range(first, last + 1)
    }


def test_every_version_has_all_events_once(place: Place) -> None:
    for name in "abcd":
        place.write(f"{name}.jsonl", 1, 2, 3)
    place.run()
    place.maintain("compact")
    before, first = place.ids(), DeltaTable(place.tier / "events").version()
    done = place.run("--pipelines", place.pipelines, "--reprocess", "--wave-bytes", "1")
    assert (done["waves"], done["objects"]["replaced"]) == (2, 4)
    found = versions(place, first)
    assert len(found) > 2
    assert all(ids == before for ids in found.values())


def test_a_deletion_in_the_middle_of_a_wave_is_seen(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its objects were read by then, with what it has deleted: they are read once more."""
    for name in "ab":
        place.write(f"{name}.jsonl", 40, 1, 41, 2)
    place.run()
    waves: list[int] = []

    def delete_first(plan: JobPlan, wave: int, *args: Any, **more: Any) -> None:
        if not waves:
            place.delete("rules: [{name: old, retention: 30d}]")
        waves.append(wave)
        run_wave(plan, wave, *args, **more)

    monkeypatch.setattr("pipelines.jobs.job.run_wave", delete_first)
    done = place.run("--reprocess", "--pipelines", place.pipelines)
    assert waves == [0, 0]
    assert (done["events"], done["dropped"], objects(done)) == (4, 4, {"ingested": 2, "replaced": 2})
    assert [row[1] for row in place.rows("ms")] == ["1", "3", "1", "3"]


@pytest.mark.slow
def test_rows_in_the_cold_tier_and_a_promoted_name(place: Place) -> None:
    for name in "ab":
        place.write(f"{name}.jsonl", 40, 1, 41, 2)
    place.run()
    before = place.ids()
    place.rules.write_text("tiers: [{name: cold, retention: 30d}]")
    assert place.maintain("tier", "--rules", place.rules, "--execute")["events"] == 4
    done = place.run("--reprocess", "--pattern", "a*", "--pipelines", place.pipelines, "--promote", "ms")
    assert objects(done) == {"ingested": 1, "replaced": 1}
    assert place.ids() == before
    assert Counter(row for row in place.rows("tier")) == {
        ("a.jsonl", "hot"): 4, ("b.jsonl", "hot"): 2, ("b.jsonl", "cold"): 2,
    }  # fmt: skip
    assert place.maintain("tier", "--rules", place.rules, "--execute")["events"] == 2
    assert (place.ids(), place.maintain("tier", "--rules", place.rules)["events"]) == (before, 0)
