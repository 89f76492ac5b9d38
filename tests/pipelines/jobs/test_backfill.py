"""A whole job, as a user runs it: objects in, a table out."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pipelines.backfill import run
from tests.pipelines.conftest import Ended, content, read_files

Rekindle = Callable[..., Ended]

ACCESS = '10.0.0.{n} - alice [11/Aug/2025:22:{m:02d}:37 +0000] "GET /p/{n} HTTP/1.1" 200 {n} "-" "curl/8.5.0"'
PIPELINES = r"""
pipelines:
  - name: access
    steps:
      - regex:
          source: message
          pattern: '^(?P<clientip>\S+) \S+ (?P<user>\S+) \[(?P<req_time>[^\]]+)\]
            "(?P<method>\S+) (?P<uri>\S+) HTTP/[^"]+" (?P<status>\d+)'
      - timestamp: {source: req_time, format: CLF}
"""


PACKED: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}


def make_logs(folder: Path) -> int:
    """Write plain, gzip and zstd objects of text, JSON and CSV; return how many records they hold."""
    access = "".join(ACCESS.format(n=n, m=n % 60) + "\n" for n in range(200))
    ndjson = "".join(
        json.dumps(
            {"time": f"2025-08-12T01:00:{n % 60:02d}.5Z", "level": "info", "n": n, "host": "app-1", "tags": ["a", n]}
        )
        + "\n"
        for n in range(150)
    )
    csv = "timestamp,host,note\r\n" + "".join(
        f'2025-08-10 00:00:{n % 60:02d},web-{n},"said ""{n}"", twice"\r\n' for n in range(100)
    )
    for name, text in {"web/a.log": access, "app/b.ndjson": ndjson, "audit/c.csv": csv}.items():
        for ending, pack in PACKED.items():
            path = folder / (name + ending)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pack(text.encode()))
    (folder / "other.txt").write_text("left out\n")
    return 3 * (200 + 150 + 100)


def test_a_job_and_the_same_again(tmp_path: Path, rekindle: Rekindle) -> None:
    records = make_logs(tmp_path / "logs")
    (tmp_path / "pipelines.yaml").write_text(PIPELINES)
    source = ("--bucket", f"file://{tmp_path}/logs", "--pattern", "{web,app,audit}/**")
    job = ("backfill", *source, "--pipelines", tmp_path / "pipelines.yaml", "--hot-tier", tmp_path / "hot", "--json")
    first = rekindle(*job)
    assert first.code == 0, first.err
    report = first.json
    assert report["status"] == "Succeeded"
    assert {name: report["objects"][name] for name in ("evaluated", "matched", "known", "ingested")} == {
        "evaluated": 9, "matched": 9, "known": 0, "ingested": 9,
    }  # fmt: skip
    assert report["recordsIn"] == report["events"] == records
    assert (report["header"], report["blank"], report["rejected"], report["eventsWithError"]) == (3, 0, 0, 0)
    assert report["byFormat"] == {
        "csv": {"objects": 3, "events": 300},
        "json": {"objects": 3, "events": 450},
        "text": {"objects": 3, "events": 600},
    }
    assert {codec: row["objects"] for codec, row in report["byCodec"].items()} == {"gzip": 3, "none": 3, "zstd": 3}
    assert report["timeRange"] == ["2025-08-10T00:00:00Z", "2025-08-12T01:00:59.500000Z"]
    assert report["failures"] == []
    assert report["warnings"] == ["pipeline access, steps[0].regex failed on 750 events, left as they were"]

    rows = read_files(
        rekindle,
        tmp_path / "hot",
        "SELECT status, clientip, date::VARCHAR, _time_source, count(*) FROM events WHERE uri='/p/7' GROUP BY ALL",
    )
    assert rows == [("200", "10.0.0.7", "2025-08-11", "pipeline", 3)]
    assert read_files(rekindle, tmp_path / "hot", "SELECT DISTINCT note, host FROM events WHERE host='web-9'") == [
        ('said "9", twice', "web-9")
    ]
    assert read_files(
        rekindle, tmp_path / "hot", "SELECT DISTINCT tags, n, _time::VARCHAR FROM events WHERE n='61'"
    ) == [('["a",61]', "61", "2025-08-12 01:00:01.5+00")]

    before = content(rekindle, tmp_path / "hot")
    again = rekindle(*job)
    assert again.code == 0, again.err
    assert again.json["objects"]["known"] == 9
    assert (again.json["events"], again.json["filesWritten"], again.json["waves"]) == (0, 0, 0)
    assert content(rekindle, tmp_path / "hot") == before
    assert len({row["_event_id"] for row in before}) == records

    forced = rekindle(*job, "--force")
    assert forced.json["events"] == records
    doubled = content(rekindle, tmp_path / "hot")
    assert doubled == sorted(before * 2, key=lambda row: (row["_event_id"], json.dumps(row)))


def test_run_takes_beam_style_flags(tmp_path: Path, rekindle: Rekindle) -> None:
    records = make_logs(tmp_path / "logs")
    code = run(
        [
            "--bucket",
            f"file://{tmp_path}/logs",
            "--pattern",
            "**/*.gz",
            "--hot_tier",
            str(tmp_path / "hot"),
            "--runner",
            "DirectRunner",
        ]
    )
    assert code == 0
    assert read_files(rekindle, tmp_path / "hot", "SELECT count(*) FROM events") == [(records // 3,)]


def test_defaults_are_for_events_without_their_own(tmp_path: Path, rekindle: Rekindle) -> None:
    make_logs(tmp_path / "logs")
    source = ("--bucket", f"file://{tmp_path}/logs", "--pattern", "*/*.{log,ndjson}")
    defaults = ("--host", "h-0", "--index", "main", "--sourcetype", "st")
    ended = rekindle("backfill", *source, *defaults, "--hot-tier", tmp_path / "hot", "--json")
    assert ended.code == 0, ended.err
    assert read_files(
        rekindle,
        tmp_path / "hot",
        "SELECT filename, host, index, sourcetype, source FROM events GROUP BY ALL ORDER BY ALL",
    ) == [
        ("app/b.ndjson", "app-1", "main", "st", None),
        ("web/a.log", "h-0", "main", "st", None),
    ]


def test_changed_objects(tmp_path: Path, rekindle: Rekindle) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_text("one\ntwo\n")
    (logs / "b.log").write_text("stays\n")

    def backfill(*flags: str) -> dict[str, Any]:
        ended = rekindle("backfill", "--bucket", f"file://{logs}", "--hot-tier", tmp_path / "hot", "--json", *flags)
        assert ended.code == 0, ended.err
        return ended.json

    def messages() -> list[str]:
        return [
            message for (message,) in read_files(rekindle, tmp_path / "hot", "SELECT _message FROM events ORDER BY 1")
        ]

    backfill()
    (logs / "a.log").write_text("three\n")
    assert backfill("--on-changed", "skip")["objects"]["skipped"] == 1
    assert messages() == ["one", "stays", "two"]
    report = backfill("--on-changed", "append")
    assert (report["objects"]["ingested"], report["objects"]["replaced"], report["objects"]["known"]) == (1, 0, 1)
    assert messages() == ["one", "stays", "three", "two"]
    assert backfill()["objects"]["known"] == 2
    (logs / "a.log").write_text("four!\nfive!\n")
    report = backfill()
    assert (report["objects"]["ingested"], report["objects"]["replaced"], report["events"]) == (1, 1, 2)
    assert messages() == ["five!", "four!", "stays"]


@pytest.mark.parametrize(
    ("on_error", "code", "status", "events"),
    [("salvage", 3, "salvaged", None), ("quarantine", 3, "quarantined", 0), ("fail", 1, "failed", 0)],
)
def test_an_object_that_is_cut_off(
    tmp_path: Path, rekindle: Rekindle, on_error: str, code: int, status: str, events: int | None
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    lines = "".join(f"line {n} {os.urandom(8).hex()}\n" for n in range(20_000))
    whole = gzip.compress(lines.encode())
    (logs / "cut.log.gz").write_bytes(whole[: len(whole) // 2])
    (logs / "good.log").write_text("good\n")
    ended = rekindle(
        "backfill", "--bucket", f"file://{logs}", "--on-error", on_error, "--hot-tier", tmp_path / "hot", "--json"
    )
    assert ended.code == code, ended.err
    report = ended.json
    assert [(one["object"], one["status"]) for one in report["failures"]] == [(f"file://{logs}/cut.log.gz", status)]
    assert "gzip" in report["failures"][0]["reason"]
    assert report["objects"][status] == 1
    assert report["recordsIn"] == report["events"] + report["rejected"]
    if on_error == "fail":
        assert report["status"] == "Failed"
        assert (report["objects"]["matched"], report["objects"]["failed"], report["objects"]["quarantined"]) == (
            2,
            1,
            1,
        )
        assert report["rejected"] >= 1
        assert report["bytesRead"] > len("good\n")
        assert rekindle("files", "--hot-tier", tmp_path / "hot").out == ""
        return
    messages = [row["_message"] for row in content(rekindle, tmp_path / "hot")]
    salvaged = [message for message in messages if message != "good"]
    assert "good" in messages
    assert report["events"] == len(messages)
    assert set(salvaged) <= set(lines.splitlines())
    assert len(salvaged) == events if events is not None else len(salvaged) > 5_000


def test_empty_objects_and_liars_are_no_failures(tmp_path: Path, rekindle: Rekindle) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "empty.log").write_bytes(b"")
    (logs / "liar.log.gz").write_text("2025-08-11T00:00:00Z not packed at all\n")
    (logs / "liar.json.gz").write_bytes(zstandard.compress(b'{"a":1}\n'))
    ended = rekindle("backfill", "--bucket", f"file://{logs}", "--hot-tier", tmp_path / "hot", "--json")
    assert ended.code == 0, ended.err
    assert (ended.json["objects"]["empty"], ended.json["objects"]["ingested"], ended.json["events"]) == (1, 2, 2)
    assert len([text for text in ended.json["warnings"] if text.startswith("file://")]) == 2
    assert sorted(row["_message"] for row in content(rekindle, tmp_path / "hot")) == [
        "2025-08-11T00:00:00Z not packed at all",
        '{"a":1}',
    ]


def test_names_that_lie_lose_no_record(tmp_path: Path, rekindle: Rekindle) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "json.csv").write_text('{"a":1}\n{"a":2}\n')
    (logs / "mac.csv").write_bytes(b'a,b\r1,"x\ry"\r3,4\r')
    ended = rekindle("backfill", "--bucket", f"file://{logs}", "--hot-tier", tmp_path / "hot", "--json")
    assert (ended.code, ended.json["events"], ended.json["eventsWithError"]) == (0, 4, 0), ended
    assert len([text for text in ended.json["warnings"] if text.startswith("file://")]) == 1
    assert sorted(row["a"] for row in content(rekindle, tmp_path / "hot")) == ["1", "1", "2", "3"]


def test_the_sample_of_a_long_object_gives_columns(tmp_path: Path, rekindle: Rekindle) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    text = "".join(json.dumps({"n": n, "noise": os.urandom(100).hex()}) + "\n" for n in range(10_000))
    for ending, pack in list(PACKED.items())[1:]:
        (logs / f"long.json{ending}").write_bytes(pack(text.encode()))
        ended = rekindle("backfill", "--bucket", f"file://{logs}", "--hot-tier", tmp_path / ending, "--json")
        assert ended.code == 0, ended.err
        columns = read_files(rekindle, tmp_path / ending, "SELECT column_name FROM (DESCRIBE events)")
        assert {("n",), ("noise",)} <= set(columns)


def test_events_without_the_record_as_message(tmp_path: Path, rekindle: Rekindle) -> None:
    source = tmp_path / "source"
    source.mkdir()
    rows = "".join(f'{{"time": "2025-08-11T01:02:{n:02d}Z", "word": "abc"}}\n' for n in range(20))
    (source / "a.json").write_text(rows + "{bad abc\n")
    tier = ("--hot-tier", tmp_path / "hot")
    ended = rekindle("backfill", "--bucket", f"file://{source}", *tier, "--no-message", "--json")
    report = ended.json
    assert (report["events"], report["eventsWithError"], report["recordsIn"]) == (21, 1, 21)
    assert report["job"]["formatOptions"]["keepMessage"] is False
    counted = [
        rekindle("search", query, *tier, "--count", "--json").json["count"] for query in ("abc", "word=abc", "NOT abc")
    ]
    assert counted == [1, 20, 20]
    shown = rekindle("search", "word=abc", *tier, "--limit", "1").out
    assert "word=abc" in shown


def test_nothing_matched_is_a_warning(tmp_path: Path, rekindle: Rekindle) -> None:
    make_logs(tmp_path / "logs")
    job = (
        "backfill",
        "--bucket",
        f"file://{tmp_path}/logs",
        "--pattern",
        "nothing/**",
        "--hot-tier",
        tmp_path / "hot",
        "--json",
    )
    ended = rekindle(*job)
    assert ended.code == 0
    assert "nothing matched" in ended.json["warnings"][0]
    assert rekindle(*job, "--require-match").code == 1
    assert not [path for path in (tmp_path / "hot").rglob("*") if path.is_file()], "no job's folder is left"


def test_too_many_objects_are_refused_with_a_proposal(tmp_path: Path, rekindle: Rekindle) -> None:
    make_logs(tmp_path / "logs")
    ended = rekindle(
        "backfill", "--bucket", f"file://{tmp_path}/logs", "--max-objects", 5, "--hot-tier", tmp_path / "hot", "--json"
    )
    assert ended.code == 1
    assert ended.json["status"] == "Failed"
    assert "more than 5 objects" in ended.json["reason"]
    assert "--pattern 'audit/**'" in ended.json["reason"]


def test_a_tier_inside_the_source_is_left_out(tmp_path: Path, rekindle: Rekindle) -> None:
    records = make_logs(tmp_path)
    job = ("backfill", "--bucket", f"file://{tmp_path}", "--hot-tier", tmp_path / "hot", "--json")
    assert rekindle(*job).json["events"] == records + 1
    again = rekindle(*job).json
    assert (again["objects"]["matched"], again["objects"]["known"], again["events"]) == (10, 10, 0)
    assert "left out" in again["warnings"][0]
