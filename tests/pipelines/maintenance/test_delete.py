"""`rekindle delete`: what goes, what stays, what is asked and shown."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pipelines.maintenance.delete import GRACE
from service.api.administration.deletions import DeletionRequest
from service.workers.maintenance import MaintenanceRequest
from tests.conftest import S3
from tests.fault_proxy import FaultProxy
from tests.pipelines import processes
from tests.pipelines.conftest import ROOT, Ended, read_files
from tests.pipelines.reading import (
    DAY,
    GONE,
    NOW,
    ROWS,
    audit_rows,
    everything_in,
    made_deletion,
    read_live,
    stored_files,
)
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.retention.durations import parse_duration
from transforms.storage import StorageOptions, TierStore, open_tier

Rekindle = Callable[..., Ended]
A, B = (
    "{name: A, retention: 14d, when: service=postgresql}",
    "{name: B, retention: 30d, when: service=postgresql OR service=mysql}",
)
FIELDS = ["runId", "executed", "now", "rules", "held", "events", "share", "versionBefore", "versionAfter"]
RULE_FIELDS = ["name", "cutoff", "events", "files", "filesWhole", "bytes", "share"]


def write_rules(folder: Path, text: str) -> Path:
    path = folder / "rules.yaml"
    path.write_text(text)
    return path


@pytest.fixture
def store(tmp_path: Path) -> TierStore:
    return open_tier(str(tmp_path / "hot"), StorageOptions())


@pytest.fixture
def flags(tmp_path: Path, store: TierStore) -> tuple[object, ...]:
    """A tier with events for the rules, and the flags of a deletion."""
    return (*made_deletion(store, tmp_path), "--json")


def messages(store: TierStore) -> list[str]:
    return sorted(message for table in read_live(store).files.values() for message in table["_message"].to_pylist())


# Conformance, case 6


def case_6(folder: Path, rekindle: Rekindle, order: str) -> dict[int, list[dict[str, Any]]]:
    """Ingest a day of three services, and return what is left after a deletion by both rules at days 13, 20 and 31."""
    source = folder.parent / "source"
    lines = [
        {"timestamp": f"2025-03-01T{hour:02d}:00:00Z", "service": name, "n": hour}
        for hour in range(24)
        for name in ("postgresql", "mysql", "redis")
    ]
    for part in range(0 if source.exists() else 4):
        source.mkdir(exist_ok=True)
        (source / f"{part}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines[part::4]))
    tier = folder / "hot"
    assert rekindle("backfill", "--bucket", f"file://{source}", "--hot-tier", tier).code == 0
    rules = write_rules(folder.parent, f"rules: [{order}]")
    left = {}
    for day in (13, 20, 31):
        now = datetime(2025, 3, 2, tzinfo=timezone.utc) + day * DAY
        ended = rekindle(
            "delete", "--rules", rules, "--hot-tier", tier, "--now", now.isoformat(), "--execute", "--yes", "--json"
        )
        assert ended.code == 0, ended.err
        assert sum(rule["events"] for rule in ended.json["rules"]) == ended.json["events"]
        columns = "filename, n, service, _message, _time::VARCHAR AS at, _event_id, date::VARCHAR AS date, tier"
        names = [name.strip().rpartition(" ")[2] for name in columns.split(",")]
        rows = read_files(rekindle, tier, f"SELECT {columns} FROM events ORDER BY _event_id")
        left[day] = [dict(zip(names, row, strict=True)) for row in rows]
    return left


def test_case_6(tmp_path: Path, rekindle: Rekindle) -> None:
    left = case_6(tmp_path / "AB", rekindle, f"{A}, {B}")
    assert {day: Counter(row["service"] for row in rows) for day, rows in left.items()} == {
        13: {"postgresql": 24, "mysql": 24, "redis": 24},
        20: {"mysql": 24, "redis": 24},
        31: {"redis": 24},
    }
    assert [row for row in left[13] if row["service"] != "postgresql"] == left[20]
    assert [row for row in left[20] if row["service"] == "redis"] == left[31]
    assert case_6(tmp_path / "BA", rekindle, f"{B}, {A}") == left


# The report


def test_the_report_of_a_deletion(flags: tuple[object, ...], store: TierStore, rekindle: Rekindle) -> None:
    before = read_live(store)
    done = rekindle(*flags, "--execute")
    assert done.code == 0, done.err
    report = done.json
    assert [name for name in report if name in FIELDS] == FIELDS
    assert set(report) - set(FIELDS) == {
        *("holds", "bytes", "warnings", "removed"),
        *("rulesFile", "rulesSha256", "rulesVersion"),
    }
    assert all(list(rule) == RULE_FIELDS for rule in report["rules"])
    assert (report["executed"], report["now"], report["warnings"]) == (True, "2026-11-20T00:00:00Z", [])
    assert [
        (rule["name"], rule["cutoff"], rule["events"], rule["files"], rule["filesWhole"]) for rule in report["rules"]
    ] == [
        ("short", "2026-11-06T00:00:00Z", 3, 3, 2),
        ("old", "2026-10-21T00:00:00Z", 2, 2, 2),
    ]
    assert (report["held"], report["events"], report["share"]) == (1, 5, round(5 / ROWS, 6))
    assert report["holds"] == [{"name": "case 17", "events": 1}]
    assert sum(rule["bytes"] for rule in report["rules"]) == report["bytes"] > 0
    assert (report["versionBefore"], report["versionAfter"]) == (before.version, before.version + 1)
    assert re.fullmatch(r"\d{8}T\d{6}Z-delete-[0-9a-f]{8}", report["runId"])
    assert (
        set(messages(store)) == {one for table in before.files.values() for one in table["_message"].to_pylist()} - GONE
    )
    assert report["removed"] == {"files": 0, "bytes": 0}

    rows = [row for row in audit_rows(store) if row["kind"] == "delete"]
    assert sorted(
        (row["rule"], row["events"], row["files"], row["version_before"], row["version_after"]) for row in rows
    ) == [
        ("old", 2, 2, before.version, before.version + 1),
        ("short", 3, 3, before.version, before.version + 1),
    ]
    assert {(row["run_id"], bool(row["who"]), row["rules_file"]) for row in rows} == {
        (report["runId"], True, str(flags[2]))
    }

    again = rekindle(*flags, "--execute").json
    assert (again["events"], again["held"], again["versionBefore"], again["versionAfter"]) == (
        0,
        1,
        before.version + 1,
        before.version + 1,
    )


def test_a_dry_run_writes_nothing(flags: tuple[object, ...], store: TierStore, rekindle: Rekindle) -> None:
    before = everything_in(store)
    dry = rekindle(*flags)
    assert dry.code == 0, dry.err
    assert everything_in(store) == before
    assert (dry.json["executed"], dry.json["versionAfter"], dry.json["events"]) == (False, None, 5)
    assert [name for name in dry.json if name in FIELDS] == FIELDS
    done = rekindle(*flags, "--execute").json
    assert {name: done[name] for name in ("rules", "holds", "held", "events", "share", "bytes", "versionBefore")} == {
        name: dry.json[name] for name in ("rules", "holds", "held", "events", "share", "bytes", "versionBefore")
    }


@pytest.mark.parametrize(
    ("later", "stay"), [(timedelta(hours=1), True), (7 * DAY - timedelta(hours=1), True), (7 * DAY, False)]
)
def test_the_grace_is_seven_days_unless_it_is_said(
    flags: tuple[object, ...], store: TierStore, rekindle: Rekindle, later: timedelta, stay: bool
) -> None:
    """By the clock of the runs; what compaction and the service take is the same length."""
    assert rekindle(*flags, "--execute").code == 0
    before = stored_files(store)
    first = max(NOW, datetime.now(timezone.utc))
    again = tuple((first + later).isoformat() if one == NOW.isoformat() else one for one in flags)
    done = rekindle(*again, "--execute")
    assert done.code == 0, done.err
    assert (before <= stored_files(store)) == stay
    assert GRACE == parse_duration(DeletionRequest.model_fields["grace"].default) == 7 * DAY
    assert parse_duration(MaintenanceRequest.model_fields["grace"].default) == 7 * DAY


@pytest.mark.parametrize(("grace", "stay"), [("7d", True), ("1m", True), ("0", False), ("0d", False)])
def test_grace(flags: tuple[object, ...], store: TierStore, rekindle: Rekindle, grace: str, stay: bool) -> None:
    files = stored_files(store)
    done = rekindle(*flags, "--execute", "--grace", grace)
    assert done.code == 0, done.err
    live = read_live(store).files.keys()
    assert (stored_files(store) - live == files - live) is stay
    assert (stored_files(store) == live) is not stay
    assert (done.json["removed"]["files"], done.json["removed"]["bytes"] > 0) == (
        (0, False) if stay else (len(files - live), True)
    )


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        (("--grace", "7"), "--grace"),
        (("--grace", "-1d"), "--grace"),
        (("--now", "soon"), "soon"),
        (("--grace", "1y"), "1y"),
    ],
)
def test_flags_that_are_wrong(
    flags: tuple[object, ...], store: TierStore, rekindle: Rekindle, more: tuple[str, str], shown: str
) -> None:
    before = everything_in(store)
    ended = rekindle(*flags, "--execute", *more)
    assert (ended.code, shown in ended.err) == (2, True), ended.err
    assert everything_in(store) == before


# More than half


@pytest.fixture
def wide(flags: tuple[object, ...], tmp_path: Path) -> tuple[object, ...]:
    """The flags of a deletion that takes more than half of the events."""
    write_rules(tmp_path, "rules: [{name: wide, retention: 4d}]")
    return tuple(flag for flag in flags if flag != "--json")


def test_more_than_half_is_refused_where_nobody_can_be_asked(
    wide: tuple[object, ...], store: TierStore, rekindle: Rekindle
) -> None:
    before = everything_in(store)
    refused = rekindle(*wide, "--execute")
    assert refused.code == 4
    assert (
        "16 of 19 events (84%) would be deleted: nothing was deleted; add --yes to delete more than half of all events"
        in refused.err
    )
    assert everything_in(store) == before
    assert rekindle(*wide).code == 0, "a dry run asks nobody"
    assert rekindle(*wide, "--execute", "--yes").code == 0
    assert len(messages(store)) == 3


def test_half_is_not_more_than_half(store: TierStore, tmp_path: Path, rekindle: Rekindle) -> None:
    Tier(store).add([event("2025-03-01T00:00:00"), event("2025-03-02T00:00:00")])
    rules = write_rules(tmp_path, "rules: [{name: a, retention: 1d}]")
    ended = rekindle(
        "delete", "--rules", rules, "--hot-tier", store.uri, "--now", "2025-03-02T12:00:00Z", "--execute", "--json"
    )
    assert (ended.code, ended.json["share"]) == (0, 0.5)


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 4, ROWS), ("", 4, ROWS), ("y", 0, 3)])
def test_more_than_half_is_asked_for_on_a_terminal(
    wide: tuple[object, ...], store: TierStore, answer: str, code: int, left: int
) -> None:
    version = read_live(store).version
    shown, ended = on_a_terminal(*wide, "--execute", answer=answer)
    assert "16 of 19 events (84%) would be deleted. Go on?" in shown
    assert ended == code, shown
    before, _, after = shown.partition("16 of 19 events")
    assert "wide 2026-11-16T00:00:00Z 16 " in before, "what the dry run shows comes before the question"
    assert ("wide 2026-11-16T00:00:00Z 16 " in after) is (code == 0)
    assert len(messages(store)) == left
    if code:
        assert (read_live(store).version, audit_rows(store)) == (version, [])


def on_a_terminal(*argv: object, answer: str) -> tuple[str, int]:
    """Run `rekindle ARGV` on a terminal, answer its question, and return what it has shown and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *map(str, argv)], cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    try:
        while select.select([ours], [], [], 60)[0]:
            try:
                read = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            shown += read
            if not read:
                break
            if b"[y/N]" in shown and answer is not None:
                os.write(ours, answer.encode() + b"\n")
                answer = None  # type: ignore[assignment]
        code = process.wait(60)
    finally:
        process.kill()
        os.close(ours)
    return " ".join(shown.decode().split()), code


# What is read


@pytest.fixture
def days(s3: S3) -> Iterator[TierStore]:
    """A tier on S3: ten days, a file each."""
    store = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    Tier(store).add(
        *([event(NOW - day * DAY, service="db"), event(NOW - day * DAY - DAY / 4, service="db")] for day in range(10))
    )
    yield store


PROGRAM = """
import sys
from pipelines.cli import main as cli
code = cli.run(sys.argv[1:])
print("imported:", [name for name in sys.modules if name == "apache_beam"], file=sys.stderr)
sys.exit(code)
"""


def test_whole_files_go_unopened_and_without_beam(days: TierStore, fault_proxy: FaultProxy, tmp_path: Path) -> None:
    rules = write_rules(tmp_path, "rules: [{name: a, retention: 7d}]")
    argv = [
        "delete",
        "--rules",
        rules,
        "--hot-tier",
        days.uri,
        "--endpoint-url",
        fault_proxy.endpoint_url,
        "--now",
        NOW.isoformat(),
        "--json",
    ]
    for more in ([], ["--execute", "--grace", "0"]):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *map(str, argv), *more],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        report = json.loads(done.stdout)
        assert (report["events"], report["rules"][0]["files"], report["rules"][0]["filesWhole"]) == (5, 5, 5)
        assert "imported: []" in done.stderr
    opened = {one.key for one in fault_proxy.seen if one.method in ("GET", "HEAD") and one.key and "/tier=" in one.key}
    assert not opened
    assert len(messages(days)) == 15


def test_only_files_that_may_matter_are_opened(days: TierStore, fault_proxy: FaultProxy, tmp_path: Path) -> None:
    """Of the files, some go by their statistics, one holds the cut-off, and others can't meet the condition."""
    Tier(days, commits=1).add(*([event(NOW - day * DAY, service="web")] * 2 for day in range(10)), promote=["service"])
    write_rules(tmp_path, "rules: [{name: a, retention: 7d, when: service=web}]")
    live = read_live(days).files
    argv = (
        "delete",
        "--rules",
        tmp_path / "rules.yaml",
        "--hot-tier",
        days.uri,
        "--endpoint-url",
        fault_proxy.endpoint_url,
    )
    ended = processes.start(tmp_path, *argv, "--now", NOW.isoformat(), "--execute", "--yes", "--json").wait()
    assert ended.code == 0, ended.err
    opened = {
        one.key.partition("events/")[2]
        for one in fault_proxy.seen
        if one.method == "GET" and one.key and "/tier=" in one.key
    }
    old = NOW - 7 * DAY
    of_map = {
        path
        for path, table in live.items()
        if "service" not in table.schema.names and min(table["_time"].to_pylist()) < old
    }
    assert opened & live.keys() == of_map, "files from before the promotion say nothing of it in the log"
    assert ended.json["rules"][0]["filesWhole"] == 2


# Rules with mistakes

MISTAKES = {
    "a comment": (
        "rules:\n- name: a\n  retention: 1d\n  when: #error=*\n",
        ["4:8: rules[0].when: YAML takes '#error=*' for a comment"],
    ),
    "cut short": ("rules:\n- name: a\n  retention: 1d\n  when: service=a #error=*\n", ["4:9: rules[0].when:"]),
    "empty": ("rules:\n- name: a\n  retention: 1d\n  when:\n", ["4:8: rules[0].when: is empty"]),
    "yes": ("rules:\n- name: a\n  retention: 1d\n  when: yes\n", ["4:9: rules[0].when:"]),
    "unknown field": ("rules:\n- {name: a, retention: 1d, if: a}\n", ["2:28: rules[0].if: unknown field"]),
    "bad retention": (
        "rules:\n- {name: a, retention: 30}\n- {name: b, retention: 0d}\n- {name: c}\n",
        ["2:", "3:", "4:"],
    ),
    "time": (
        "rules:\n- {name: a, retention: 1d, when: '#time<2025-01-01'}\n",
        ["rules[0].when:", "a rule has no condition on time"],
    ),
    "too many": (
        "rules:\n" + "".join(f"- {{name: r{n}, retention: 1d}}\n" for n in range(101)),
        ["102:3: rules[100]: 'r100' is number 101"],
    ),
    "two of one name": (
        "rules:\n- {name: a, retention: 1d}\n- {name: a, retention: 2d}\n",
        ["rules[1].name: 'a' names rules[0] too"],
    ),
    "in another section": ("rules: []\ntiers:\n- {name: a, retention: 1}\n", ["3:24: tiers[0].retention:"]),
    "in a hold": ("rules: []\nholds:\n- {name: a, when: 'a=b OR c=d e=f'}\n", ["holds[0].when:"]),
    "no YAML": ("rules: [", ["rules.yaml"]),
    "many": (
        "rules:\n- {name: a, retention: x}\n- {name: a, retention: 1d, when: '('}\n- {nam: b}\nhold: []\n",
        ["rules[0].retention", "rules[1].name", "rules[1].when", "rules[2].nam", "hold: unknown field"],
    ),
}


@pytest.mark.parametrize("command", ["delete", "tier"])
@pytest.mark.parametrize(("text", "shown"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_all_told_and_nothing_is_requested(
    tmp_path: Path, fault_proxy: FaultProxy, rekindle: Rekindle, command: str, text: str, shown: list[str]
) -> None:
    rules = write_rules(tmp_path, text)
    ended = rekindle(
        command,
        "--rules",
        rules,
        "--hot-tier",
        "s3://bucket/hot",
        "--endpoint-url",
        fault_proxy.endpoint_url,
        "--execute",
    )
    assert ended.code == 2
    message = "".join(ended.err.splitlines())
    assert all(one in message or one in ended.err for one in shown), ended.err
    assert fault_proxy.seen == []


def test_a_file_that_is_not_there(rekindle: Rekindle, tmp_path: Path) -> None:
    ended = rekindle("delete", "--rules", tmp_path / "none.yaml", "--hot-tier", tmp_path / "hot")
    assert (ended.code, "--rules" in ended.err) == (2, True)
    ended = rekindle(
        "delete", "--rules", write_rules(tmp_path, "rules: []"), "--hot-tier", tmp_path / "hot", "--execute"
    )
    assert ended.code != 0
    assert not (tmp_path / "hot").exists()


# Ingesting again


def test_what_was_deleted_does_not_come_back(tmp_path: Path, rekindle: Rekindle) -> None:
    source = tmp_path / "source"
    source.mkdir()
    now = datetime.now(timezone.utc)

    def write(name: str, *days: float) -> None:
        lines = [
            json.dumps({"timestamp": (now - timedelta(days=day)).isoformat(), "n": number})
            for number, day in enumerate(days)
        ]
        (source / name).write_text("\n".join(lines) + "\n")

    write("whole.jsonl", 40, 41)
    write("partly.jsonl", 40, 1)
    write("kept.jsonl", 1, 2)
    rules = write_rules(tmp_path, "rules: [{name: old, retention: 30d}]")
    job = ("backfill", "--bucket", f"file://{source}", "--hot-tier", tmp_path / "hot", "--json")
    assert rekindle(*job).json["events"] == 6
    done = rekindle("delete", "--rules", rules, "--hot-tier", tmp_path / "hot", "--execute", "--json")
    assert (done.code, done.json["events"]) == (0, 3)
    for _ in range(2):
        again = rekindle(*job)
        assert again.code == 0, again.err
        objects = again.json["objects"]
        assert {name: objects[name] for name in ("matched", "known", "deleted", "ingested")} == {
            "matched": 3, "known": 2, "deleted": 1, "ingested": 0,
        }  # fmt: skip
        assert (again.json["events"], again.json["warnings"]) == (0, [])
        assert read_files(rekindle, tmp_path / "hot", "SELECT count(*) FROM events") == [(3,)]
        rekindle("compact", "--hot-tier", tmp_path / "hot")
    forced = rekindle(*job, "--force")
    assert forced.code == 0, forced.err
    assert forced.json["objects"]["ingested"] == 3
    (warning,) = forced.json["warnings"]
    assert warning.startswith("--force: events of 2 objects that deletion rules have removed come back")
    assert read_files(rekindle, tmp_path / "hot", "SELECT count(*) FROM events WHERE filename='whole.jsonl'") == [(2,)]
    last = rekindle("delete", "--rules", rules, "--hot-tier", tmp_path / "hot", "--execute", "--json")
    assert last.json["events"] == 3
