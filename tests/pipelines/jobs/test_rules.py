"""`--rules`: a job and its preview say which events a deletion rule would delete at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pipelines.jobs import context
from pipelines.jobs.settings import RunSettings, StoredJob
from pipelines.jobs.specification import check_specification
from tests.pipelines.conftest import Ended
from transforms.hot_tier.configuration.holds import add_hold
from transforms.hot_tier.configuration.rules import set_rules
from transforms.storage import StorageOptions, open_tier
from transforms.storage.job_folder import JobFolder

Rekindle = Callable[..., Ended]
NOW = datetime.now(timezone.utc)
RULES = """
rules:
  - {name: all, retention: 8w}
  - {name: short, retention: 14d, when: service=db level=noisy}
  - {name: spare, retention: 1h, enabled: false}
holds:
  - {name: case 17, when: user=ann}
tiers:
  - {name: cold, retention: 5w, when: service=db}
"""
PIPELINES = """
pipelines:
  - name: level
    steps: [regex: {source: message, pattern: 'is (?P<level>noisy)'}]
"""
NEXT = "the next `rekindle delete` by this rule removes"


def line(days: int, **fields: str) -> str:
    return json.dumps({"timestamp": (NOW - timedelta(days=days)).isoformat(), "text": "this is noisy", **fields}) + "\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    db = {"service": "db"}
    (folder / "a.jsonl").write_text(
        line(13, **db) + line(15, **db) + line(15, **db, user="ann") + line(15) + line(60) + line(60, **db)
    )
    (folder / "b.jsonl").write_text(line(20, service="DB"))
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "pipelines.yaml").write_text(PIPELINES)
    return folder


def flags(source: Path) -> tuple[object, ...]:
    files = ("--rules", source.parent / "rules.yaml", "--pipelines", source.parent / "pipelines.yaml")
    return ("--bucket", f"file://{source}", "--hot-tier", source.parent / "hot", "--json", *files)


def test_a_job_warns_of_events_that_are_old_enough(rekindle: Rekindle, source: Path) -> None:
    ended = rekindle("backfill", *flags(source))
    assert ended.code == 0, ended.err
    assert ended.json["warnings"] == [
        f"1 event is older than rule all allows (56d): {NEXT} it",
        f"3 events are older than rule short allows (14d): {NEXT} them",
        "1 event is older than tier cold allows (35d): the next `rekindle tier` by this rule moves it",
    ]
    shown = rekindle("jobs", "show", ended.json["taskId"], "--hot-tier", source.parent / "hot", "--json")
    assert shown.json["warnings"] == ended.json["warnings"]
    again = rekindle("backfill", *flags(source))
    assert again.json["warnings"] == [], "what is known is not read"


def test_the_preview_warns_of_all_sampled_events(rekindle: Rekindle, source: Path) -> None:
    ended = rekindle("preview", *flags(source), "--events", 1)
    assert ended.code == 0, ended.err
    found = {sample["object"].rpartition("/")[2]: sample for sample in ended.json["samples"]}
    assert found["a.jsonl"]["tooOld"] == {"sampled": 6, "rules": {"short": 2, "all": 1}, "tiers": {"cold": 1}}
    assert found["b.jsonl"]["tooOld"] == {"sampled": 1, "rules": {"short": 1}, "tiers": {}}
    assert found["a.jsonl"]["warnings"] == [
        f"2 of 6 sampled events are older than rule short allows (14d): {NEXT} them",
        f"1 of 6 sampled events is older than rule all allows (56d): {NEXT} it",
        "1 of 6 sampled events is older than tier cold allows (35d): the next `rekindle tier` by this rule moves it",
    ]
    without = rekindle("preview", "--bucket", f"file://{source}", "--hot-tier", source.parent / "hot", "--json")
    assert [(sample["tooOld"], sample["warnings"]) for sample in without.json["samples"]] == [(None, [])] * 2


def test_without_a_file_the_rules_of_the_tier_count(rekindle: Rekindle, source: Path) -> None:
    hot, rules = source.parent / "hot", source.parent / "rules.yaml"
    rules.write_text(RULES.partition("holds:")[0] + "tiers:\n" + RULES.partition("tiers:\n")[2])
    assert rekindle("rules", "set", rules, "--hot-tier", hot).code == 0
    add_hold(open_tier(str(hot), StorageOptions()), name="case", when="user=ann")
    given = flags(source)
    assert rekindle("preview", *given[:5], *given[7:]).json["samples"][0]["tooOld"]["rules"] == {"short": 2, "all": 1}
    ended = rekindle("backfill", *given[:5], *given[7:])
    assert ended.code == 0, ended.err
    assert ended.json["warnings"] == [
        f"1 event is older than rule all allows (56d): {NEXT} it",
        f"3 events are older than rule short allows (14d): {NEXT} them",
        "1 event is older than tier cold allows (35d): the next `rekindle tier` by this rule moves it",
    ]
    assert (ended.json["rules"]["file"], ended.json["rules"]["version"]) == (str(rules), 2)
    shown = rekindle("jobs", "show", ended.json["taskId"], "--hot-tier", hot).out
    assert f"{rules}, as the tier keeps it (version 2)" in shown


def test_a_job_goes_on_with_the_rules_of_the_tier_that_it_has_begun_with(tmp_path: Path) -> None:
    tier = open_tier(str(tmp_path / "hot"), StorageOptions())
    job, given = check_specification({"bucket": f"file://{tmp_path}"}), RunSettings(hot_tier=tier.uri)
    without = context.JobContext.open("job", job, given)
    assert (without.settings.rules, without.settings.rules_version, without.rules_by_section) == (None, 0, {})
    set_rules(tier, "rules: [{name: a, retention: 1d}]", file="rules.yaml")
    first = context.JobContext.open("job", job, given)
    set_rules(tier, "rules: []", file="rules.yaml")
    assert list(context.JobContext.open("job", job, first.settings).rules_by_section) == ["rules"]
    assert context.JobContext.open("job", job, without.settings).settings.rules is None
    assert context.JobContext.open("job", job, given).warnings_of_listing([], Counter([0])) == [], "it asked for none"


@pytest.mark.parametrize("command", ["backfill", "preview"])
def test_a_file_without_rules_that_hold_is_told(rekindle: Rekindle, source: Path, command: str) -> None:
    rules = source.parent / "rules.yaml"
    rules.write_text("holds: [{name: a, when: b=c}]")
    ended = rekindle(command, *flags(source))
    assert ended.code == 0, ended.err
    assert ended.json["warnings"] == [f"{rules}: no rule in it is in force, so no event is too old"]


@pytest.mark.parametrize("command", ["backfill", "preview"])
def test_mistakes_are_all_told_before_anything_is_requested(rekindle: Rekindle, source: Path, command: str) -> None:
    rules = source.parent / "rules.yaml"
    rules.write_text("rules:\n- name: a\n  retention: 30\n  when: #error=*\n")
    ended = rekindle(command, "--bucket", "nowhere", *flags(source)[2:], "--key", "k")
    assert ended.code == 2
    assert f"{rules}:3:14: rules[0].retention: 30 has no unit" in ended.err
    assert f"{rules}:4:8: rules[0].when: YAML takes '#error=*' for a comment" in ended.err
    assert not (source.parent / "hot").exists()
    missing = rekindle(command, *flags(source), "--rules", source.parent / "none.yaml")
    assert (missing.code, "--rules" in missing.err) == (2, True)


def test_a_resumed_job_judges_by_the_time_of_its_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(days=40)

    specification = check_specification({"bucket": f"file://{tmp_path}"})
    first = context.JobContext.open("task", specification, RunSettings(hot_tier=str(tmp_path / "hot"), rules=RULES))
    kept = read_again(StoredJob(job=specification, settings=first.settings), tmp_path).settings
    monkeypatch.setattr(context, "datetime", Later)
    resumed = context.JobContext.open(
        "task", specification, kept.reached_like(RunSettings(hot_tier=str(tmp_path / "hot")))
    )
    assert resumed.rules_by_section == first.rules_by_section
    assert (
        context.JobContext.open(
            "task", specification, RunSettings(hot_tier=str(tmp_path / "hot"), rules=RULES)
        ).rules_by_section
        != first.rules_by_section
    )


def test_settings_of_jobs_before_there_were_rules_are_read(tmp_path: Path) -> None:
    job = StoredJob(job=check_specification({"bucket": f"file://{tmp_path}"}), settings=RunSettings(hot_tier="h"))
    assert read_again(job, tmp_path, without=("rules", "rules_file", "rules_now")) == job


def read_again(job: StoredJob, path: Path, *, without: Sequence[str] = ()) -> StoredJob:
    """Write a job into a tier, take settings out of the file, and read it."""
    folder = JobFolder(open_tier(str(path), StorageOptions()), "task")
    job.save(folder)
    document = folder.read_json("job.json")
    for name in without:
        del document["settings"][name]
    folder.write_json("job.json", document)
    return StoredJob.load(folder)
