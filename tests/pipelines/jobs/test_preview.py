"""`rekindle preview`: what it says of a mixed bucket, and that it writes nothing and reads little."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import S3
from tests.fault_proxy import FaultProxy
from tests.pipelines.conftest import Ended

Rekindle = Callable[..., Ended]
MODIFIED = datetime(2025, 8, 12, tzinfo=timezone.utc).timestamp()
ACCESS = '10.0.0.1 - - [11/Aug/2025:22:24:37 +0000] "GET / HTTP/1.1" 200 1\n'
FILES: dict[str, bytes] = {
    "web/access.log.gz": gzip.compress(ACCESS.encode() * 20),
    "app/app.jsonl": b'{"timestamp": "2025-08-11T01:02:03Z", "level": "info", "_x": 1}\n' * 20,
    "table.txt": b"host,when\n10.0.0.7,2025-08-11 04:05:06\n10.0.0.8,2025-08-11 04:05:07\n",
    "plain.gz": b"no codec at all\n",
    "backup.tar": b"dir/".ljust(257, b"\0") + b"ustar" + bytes(700),
    "cut.log.gz": gzip.compress(os.urandom(4000).hex().encode() + b"\n")[:-100],
    "empty.log": b"",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (MODIFIED, MODIFIED))
    return folder


def preview(rekindle: Rekindle, source: Path, *flags: object) -> dict[str, Any]:
    ended = rekindle("preview", "--bucket", f"file://{source}", "--hot-tier", source.parent / "hot", "--json", *flags)
    assert ended.code == 0, ended.err
    return ended.json


def samples(document: dict[str, Any], source: Path) -> dict[str, dict[str, Any]]:
    return {sample["object"].removeprefix(f"file://{source}/"): sample for sample in document["samples"]}


def test_a_mixed_bucket(rekindle: Rekindle, source: Path) -> None:
    document = preview(rekindle, source, "--objects", 20, "--events", 2)
    assert document["objects"] == {
        "evaluated": 7,
        "excluded": 0,
        "matched": 7,
        "work": 6,
        "replaced": 0,
        "known": 0,
        "deleted": 0,
        "skipped": 0,
        "archived": 0,
        "empty": 1,
    }
    assert document["bytes"]["work"] == sum(map(len, FILES.values()))
    found = samples(document, source)
    assert set(found) == {name for name, content in FILES.items() if content}
    assert not (source.parent / "hot").exists()

    access = found["web/access.log.gz"]
    assert access["codec"] == {"name": "gzip", "rule": "magic bytes of gzip"}
    assert access["format"]["name"] == "text"
    assert [event["after"]["_time"] for event in access["events"]] == ["2025-08-11T22:24:37Z"] * 2
    assert access["events"][0]["timeOrigin"] == "stamp '11/Aug/2025:22:24:37 +0000' in the text"

    app = found["app/app.jsonl"]
    assert app["codec"]["name"] == "none"
    assert app["format"] == {"name": "json", "rule": "extension .jsonl"}
    assert app["events"][0]["timeOrigin"] == "field timestamp"
    assert app["events"][0]["after"]["level"] == "info"
    assert app["columns"] == ["timestamp", "level", "filename"]
    assert app["map"] == ["_x"]

    table = found["table.txt"]
    assert table["format"]["name"] == "csv"
    assert table["events"][1]["timeOrigin"] == "field when"
    assert table["events"][1]["after"]["_time"] == "2025-08-11T04:05:07Z"

    assert found["plain.gz"]["warnings"][0] == "its name says gzip, but it begins with plain text: read as it is"
    assert found["plain.gz"]["warnings"][1].startswith("no time was found in these events")
    assert found["plain.gz"]["events"][0]["timeOrigin"] == "none found: the object's LastModified"
    assert found["backup.tar"]["failure"]["reason"].startswith("unsupported: tar archive")
    assert found["cut.log.gz"]["failure"]["reason"].startswith("truncated gzip stream")


LINES = "".join(f"2025-08-11 01:02:{n % 60:02d} {os.urandom(20).hex()}\n" for n in range(200)).encode()
WIDE = b"host,when\n" + b"a,2025-08-11,x,y\n" * 9
HEADED = b"#Fields: a b\n" + b"1 2 3\n" * 9


@pytest.mark.parametrize(
    ("name", "content", "flags", "status", "told"),
    [
        ("a.log.gz", gzip.compress(LINES)[:-100], (), "salvaged", ["a backfill keeps what comes before"]),
        (
            "a.log.gz",
            gzip.compress(LINES)[:-100],
            ("--on-error", "quarantine"),
            "quarantined",
            ["publishes none of it"],
        ),
        ("a.log.gz", gzip.compress(LINES)[:-100], ("--on-error", "fail"), "failed", ["truncated gzip stream"]),
        ("a.log.gz", gzip.compress(b"x" * 4000)[:-20], (), "failed", ["truncated gzip stream"]),
        ("a.csv", WIDE, (), None, ["--skip-rows 1 --headers", "--delimiter"]),
        ("a.log", HEADED, (), None, ["--format text"]),
    ],
    ids=["salvaged", "quarantined", "asked to fail", "nothing to salvage", "wide rows", "wide lines"],
)
def test_it_says_what_a_backfill_does_and_what_helps(
    rekindle: Rekindle,
    tmp_path: Path,
    name: str,
    content: bytes,
    flags: tuple[str, ...],
    status: str | None,
    told: list[str],
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / name).write_bytes(content)
    document = preview(rekindle, source, *flags)
    [family], [sample] = document["families"], document["samples"]
    assert family["name"] == name
    assert (sample["failure"] and sample["failure"]["status"]) == status
    for warnings in (family["warnings"], [*sample["warnings"], str(sample["failure"])]):
        assert any(all(text in warning for text in told) for warning in warnings)
    assert status is None or family["warnings"][0].startswith(f"{status}: truncated gzip stream")


def test_without_messages(rekindle: Rekindle, source: Path) -> None:
    flags = ("--bucket", f"file://{source}", "--pattern", "app/**", "--hot-tier", source.parent / "hot", "--no-message")
    ended = rekindle("preview", *flags, "--json")
    assert ended.json["job"]["formatOptions"]["keepMessage"] is False
    [event, *_] = ended.json["samples"][0]["events"]
    assert "_message" in event["before"] and "_message" not in event["after"]
    shown = rekindle("preview", *flags)
    assert shown.code == 0
    assert "level=info" in shown.out


COMBINED = ACCESS.replace("\n", ' "-" "curl/8"\n')
OWN_STATUS = "pipelines: [{name: own, steps: [{regex: {source: message, pattern: '(?P<status>[0-9]{3}) '}}]}]"


@pytest.mark.parametrize(
    ("content", "pipelines", "helps"),
    [
        pytest.param(COMBINED * 3 + "no access line\n" * 2, None, True, id="most"),
        pytest.param(COMBINED, "pipelines: []", True, id="no pipeline"),
        pytest.param(COMBINED * 2 + "no access line\n" * 3, None, False, id="few"),
        pytest.param(COMBINED, "include: [access_combined]", False, id="included"),
        pytest.param(COMBINED, OWN_STATUS, False, id="another pipeline"),
        pytest.param(json.dumps({"message": COMBINED}) + "\n", None, False, id="json"),
    ],
)
def test_a_family_of_access_lines_names_the_ready_made_pipeline(
    rekindle: Rekindle, tmp_path: Path, content: str, pipelines: str | None, *, helps: bool
) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/web.log").write_text(content)
    flags = []
    if pipelines is not None:
        (tmp_path / "pipelines.yaml").write_text(pipelines)
        flags = ["--pipelines", tmp_path / "pipelines.yaml"]
    [family] = preview(rekindle, tmp_path / "source", *flags)["families"]
    hints = [one for one in family["warnings"] if "`include: [access_combined]`" in one]
    assert len(hints) == helps


TRACE = "2025-08-11 01:02:03,004 ERROR it broke\n" + "    at shop.cart.Cart.add(Cart.java:12)\n" * 5
OTHER_NAME = '{"level": "info", "began": "2025-08-11T01:02:03Z", "took": 12}\n' * 9

WITHIN = '{"_id": "1", "_source": {"@timestamp": "2025-08-11T01:02:03Z", "took": 12}}\n' * 9


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("trace.log", TRACE * 3, "--multiline-start"),
        ("rows.json", OTHER_NAME, "--time-field began"),
        ("within.json", WITHIN, "--time-field _source.@timestamp"),
        ("half.json", '{"index": {"_id": "1"}}\n{"time": "2025-08-11T01:02:03Z"}\n' * 9, None),
        ("dated.log", ACCESS * 9, None),
        ("prose.log", "no stamp at all\n" * 9, None),
        ("plain.json", '{"level": "info", "took": 12}\n' * 9, None),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value[:12] else "",
)
def test_a_family_says_what_would_give_its_events_times(
    rekindle: Rekindle, tmp_path: Path, name: str, content: str, expected: str | None
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / name).write_text(content)
    [family] = preview(rekindle, source)["families"]
    hints = [warning for warning in family["warnings"] if "--" in warning]
    if expected and expected.startswith("--time-field"):
        [cured] = preview(rekindle, source, *expected.split())["families"]
        assert cured["withoutTime"] == 0
    assert len(hints) == (expected is not None)
    assert all(expected in hint for hint in hints if expected)


def test_families_stand_in_a_summary(rekindle: Rekindle, source: Path) -> None:
    for day in range(1, 4):
        (source / "web" / f"access-2025-08-0{day}.log").write_text(ACCESS * day)
    document = preview(rekindle, source, "--objects", 0)
    assert document["samples"] == []
    families = {family["name"]: family for family in document["families"]}
    assert set(families) == {*FILES, "web/access-*.log"} - {"empty.log"}
    access = families["web/access-*.log"]
    assert (access["objects"], access["bytes"], access["events"]) == (3, len(ACCESS) * 6, 1)
    assert (access["codec"], access["format"], access["timeSources"]) == ("none", "text", {"detected": 1})
    assert access["withoutTime"] == 0
    assert access["sampled"].endswith("/web/access-2025-08-01.log")
    assert families["backup.tar"]["warnings"][0].startswith("failed: unsupported: tar archive")
    assert families["plain.gz"]["withoutTime"] == 1


def test_pipelines_show_before_and_after(rekindle: Rekindle, source: Path, tmp_path: Path) -> None:
    pipelines = tmp_path / "pipelines.yaml"
    pipelines.write_text(
        "pipelines:\n  - name: ip\n    steps:\n      - regex: {source: message, pattern: '^(?P<clientip>\\S+)'}\n"
    )
    document = preview(rekindle, source, "--pattern", "web/**", "--pipelines", pipelines, "--events", 1)
    [sample] = document["samples"]
    [event] = sample["events"]
    assert "clientip" not in event["before"]
    assert event["after"]["clientip"] == "10.0.0.1"
    assert event["after"]["_pipelines"] == "ip"
    assert "clientip" in document["columns"]


def test_the_page_on_a_terminal(rekindle: Rekindle, source: Path) -> None:
    (source / "plain.gz").write_bytes(b"not \x1b[31mred\n")
    ended = rekindle("preview", "--bucket", f"file://{source}", "--hot-tier", source.parent / "hot", "--objects", 20)
    assert ended.code == 0
    assert "codec: gzip (magic bytes of gzip)" in ended.out
    assert "2025-08-11T22:24:37Z" in ended.out
    assert "not \\x1b[31mred" in ended.out
    assert "\x1b[31mred" not in ended.out
    assert "Nothing was written" in ended.out
    summary = ended.out[: ended.out.index("codec: ")]
    assert "6 kinds of object" in summary
    assert summary.index("backup.tar") < summary.index("table.txt"), "what is unusual comes first"


def test_only_the_beginning_is_read(rekindle: Rekindle, source: Path) -> None:
    line = json.dumps({"time": "2025-08-11T01:02:03Z", "text": "x" * 1000}) + "\n"
    (source / "long.json").write_text(line * 5000)
    (source / "long.log.gz").write_bytes(gzip.compress(os.urandom(1 << 21).hex().encode(), 0))
    found = samples(preview(rekindle, source, "--pattern", "long.*"), source)
    assert all(sample["bytesRead"] == 256 << 10 and sample["failure"] is None for sample in found.values())
    assert len(found["long.json"]["events"]) == 5


def test_on_s3_it_only_reads(rekindle: Rekindle, s3: S3, fault_proxy: FaultProxy) -> None:
    s3.put("logs/long.log", ACCESS.encode() * 40_000)
    s3.put("logs/short.json.gz", gzip.compress(b'{"time": "2025-08-11T01:02:03Z"}'))
    ended = rekindle(
        "preview",
        "--bucket",
        s3.bucket,
        "--hot-tier",
        f"s3://{s3.bucket}/tier",
        "--endpoint-url",
        fault_proxy.endpoint_url,
        "--json",
    )
    assert ended.code == 0, ended.err
    found = {sample["object"].rpartition("/")[2]: sample for sample in ended.json["samples"]}
    assert found["long.log"]["bytesRead"] == 256 << 10
    assert found["short.json.gz"]["events"][0]["timeOrigin"] == "field time"
    assert {one.method for one in fault_proxy.seen} <= {"GET", "HEAD"}
    keys = [entry["Key"] for entry in s3.client.list_objects_v2(Bucket=s3.bucket)["Contents"]]
    assert keys == ["logs/long.log", "logs/short.json.gz"]


def test_known_objects_are_counted(rekindle: Rekindle, source: Path) -> None:
    tier = source.parent / "hot"
    assert rekindle("backfill", "--bucket", f"file://{source}", "--pattern", "app/**", "--hot-tier", tier).code == 0
    before = sorted(path for path in tier.rglob("*"))
    document = preview(rekindle, source, "--pattern", "app/**")
    assert document["objects"]["known"] == 1
    assert document["objects"]["work"] == 0
    assert "level" in document["columns"]
    assert sorted(path for path in tier.rglob("*")) == before


def test_what_is_to_be_ingested_is_shown_and_names_the_columns(rekindle: Rekindle, tmp_path: Path) -> None:
    """One object of each folder and kind before a second of any; the known are not shown; columns are the job's."""
    source, tier = tmp_path / "source", tmp_path / "hot"
    for folder in "abcd":
        (source / folder).mkdir(parents=True)
        for number in range(3):
            (source / folder / f"{number}.json").write_text(
                f'{{"time": "2025-08-11T00:00:00Z", "of_{folder}": {number}}}\n'
            )
    flags = ("--bucket", f"file://{source}", "--hot-tier", tier, "--json")
    assert rekindle("backfill", *flags, "--pattern", "a/*").code == 0
    document = rekindle("preview", *flags, "--objects", 3, "--events", 1).json
    assert [sample["object"][-8:] for sample in document["samples"]] == ["b/0.json", "c/0.json", "d/0.json"]
    assert {sample["disposition"] for sample in document["samples"]} == {"work"}
    assert rekindle("backfill", *flags).code == 0
    [row] = rekindle("sql", "SELECT * FROM events LIMIT 1", "--hot-tier", tier, "--json").rows
    assert set(document["columns"]) <= set(row)
    assert {"of_a", "of_b", "of_c", "of_d"} <= set(document["columns"])
    known = rekindle("preview", *flags[:-1])
    assert ", known" in known.out
    assert "There is nothing to ingest." in known.out


def test_warnings_name_what_to_do(rekindle: Rekindle, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "traces.log").write_text("Traceback:\n  at line 1\n")
    (source / "latin.log").write_bytes("2025-08-11 00:00:00 grüße\n".encode("latin-1"))
    (source / "odd.csv").write_text("# made by hand\na;b;c\n1,2;3;4\n5,6;7;8\n")
    (source / "auth.log").write_text("Mar 27 13:06:56 host sshd[1]: hello\n")
    os.utime(source / "auth.log", (1522627200, 1522627200))
    found = samples(preview(rekindle, source), source)
    assert "a pipeline's timestamp" in found["traces.log"]["warnings"][0]
    assert found["latin.log"]["warnings"] == [
        "2 byte sequences that are no UTF-8 were replaced by U+FFFD: --encoding reads others, such as windows-1252 or "
        "shift_jis"
    ]
    assert "--format csv takes it for the header, --headers names the columns" in found["odd.csv"]["warnings"][0]
    [event] = found["auth.log"]["events"]
    assert event["after"]["_time"] == "2018-03-27T13:06:56Z"
    assert event["timeOrigin"] == "stamp 'Mar 27 13:06:56' in the text; its year by the object's LastModified"


def test_nothing_matched(rekindle: Rekindle, source: Path) -> None:
    document = preview(rekindle, source, "--pattern", "nowhere/**")
    assert document["samples"] == []
    assert document["warnings"][0].startswith("nothing matched")
    flags = (
        "--bucket",
        f"file://{source}",
        "--pattern",
        "nowhere/**",
        "--require-match",
        "--hot-tier",
        source.parent / "hot",
    )
    assert rekindle("preview", *flags).code == 1


def test_wrong_flags_are_refused(rekindle: Rekindle, source: Path) -> None:
    assert (
        rekindle("preview", "--bucket", f"file://{source}", "--pattern", "a[", "--hot-tier", source.parent / "hot").code
        == 2
    )
    assert rekindle("preview", "--bucket", f"file://{source}-not", "--hot-tier", source.parent / "hot").code == 1
