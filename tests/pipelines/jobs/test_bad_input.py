"""What is wrong is told: what, where and what to do; and nothing is written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import deltalake
import pyarrow as pa
import pytest

from pipelines.jobs.settings import RunSettings
from tests.pipelines.conftest import Ended
from transforms.storage import open_tier

Rekindle = Callable[..., Ended]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.log").write_text("one\ntwo\n")
    return folder


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param(("--pattern", "logs/[a"), ["[", "pattern"], id="glob"),
        pytest.param(("--pattern", "a**"), ["logs/**/*.json"], id="two stars"),
        pytest.param(
            ("--modified-after", "2025-01-02", "--modified-before", "2025-01-01"),
            ["modifiedAfter", "earlier"],
            id="dates",
        ),
        pytest.param(("--wave-bytes", "1 parsec"), ["1 parsec", "MiB"], id="size"),
        pytest.param(("--on-error", "ignore"), ["--on-error", "salvage"], id="enumeration"),
        pytest.param(("--delimiter", ";;", "--format", "csv"), ["delimiter"], id="delimiter"),
        pytest.param(("--headers", "a,b", "--format", "json"), ["headers"], id="option of another format"),
        pytest.param(("--nonsense",), ["--nonsense"], id="flag"),
        pytest.param(("--", "--nonsense"), ["--nonsense"], id="Beam flag"),
        pytest.param(("--pipelines", "/no/such/file.yaml"), ["/no/such/file.yaml"], id="pipelines file"),
    ],
)
def test_wrong_flags(
    logs: Path, tmp_path: Path, rekindle: Rekindle, flags: tuple[str, ...], expected: list[str]
) -> None:
    ended = rekindle("backfill", "--bucket", f"file://{logs}", "--hot-tier", tmp_path / "hot", "--json", *flags)
    assert ended.code == 2, ended
    assert ended.out == ""
    assert all(word in ended.err for word in expected), ended.err
    assert not (tmp_path / "hot").exists()


def test_a_job_file_with_an_unknown_field(tmp_path: Path, rekindle: Rekindle) -> None:
    (tmp_path / "job.json").write_text(json.dumps({"bucket": "b-1", "patern": "x"}))
    ended = rekindle("backfill", "--job", tmp_path / "job.json", "--hot-tier", tmp_path / "hot")
    assert ended.code == 2
    assert "patern" in ended.err
    assert "pattern" in ended.err


@pytest.mark.parametrize(
    "command",
    [
        ("search",),
        ("sql", "SELECT 1 FROM events"),
        ("files",),
        ("jobs",),
        ("jobs", "show", "x"),
        ("jobs", "resume", "x"),
    ],
)
def test_a_tier_that_is_not_there(tmp_path: Path, rekindle: Rekindle, command: tuple[str, ...]) -> None:
    ended = rekindle(*command, "--hot-tier", tmp_path / "hot")
    assert ended.code in (1, 2)
    assert str(tmp_path / "hot") in ended.err
    assert not (tmp_path / "hot").exists()


def _a_file(path: Path) -> None:
    path.write_text("I am a file")


def _a_folder_of_other_things(path: Path) -> None:
    path.mkdir()
    (path / "holiday.jpg").write_bytes(b"\xff\xd8")


def _another_products_table(path: Path) -> None:
    deltalake.write_deltalake(str(path / "events"), pa.table({"a": [1]}))


def _a_table(path: Path) -> None:
    deltalake.write_deltalake(str(path), pa.table({"a": [1]}))


def _a_newer_version(path: Path) -> None:
    (path / "_rekindle").mkdir(parents=True)
    (path / "_rekindle" / "tier.json").write_text('{"format": 999, "product": "rekindle 99"}')


@pytest.mark.parametrize(
    "make", [_a_file, _a_folder_of_other_things, _another_products_table, _a_table, _a_newer_version]
)
def test_a_folder_that_is_no_hot_tier(
    logs: Path, tmp_path: Path, rekindle: Rekindle, make: Callable[[Path], None]
) -> None:
    folder = tmp_path / "hot"
    make(folder)
    before = sorted(folder.rglob("*"))
    ended = rekindle("backfill", "--bucket", f"file://{logs}", "--hot-tier", folder, "--json")
    assert ended.code == 1, ended
    assert ended.out == ""
    assert str(folder) in ended.err
    assert sorted(folder.rglob("*")) == before


def test_too_little_disk(logs: Path, tmp_path: Path, rekindle: Rekindle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=10, used=9, free=1))
    monkeypatch.setattr(
        type(open_tier(str(tmp_path / "x"), RunSettings(hot_tier="x").tier_options)), "free_bytes", lambda self: 1
    )
    ended = rekindle("backfill", "--bucket", f"file://{logs}", "--hot-tier", tmp_path / "hot")
    assert ended.code == 1
    assert "too little disk" in ended.err
    assert not [path for path in (tmp_path / "hot").rglob("*") if path.is_file()]
    started = rekindle("backfill", "--bucket", f"file://{logs}", "--hot-tier", tmp_path / "hot", "--no-disk-check")
    assert started.code == 0, started.err


def test_no_such_folder(tmp_path: Path, rekindle: Rekindle) -> None:
    ended = rekindle("backfill", "--bucket", f"file://{tmp_path}/nowhere", "--hot-tier", tmp_path / "hot")
    assert ended.code == 1
    assert f"{tmp_path}/nowhere" in ended.err
    assert not (tmp_path / "hot").exists()


def test_no_such_bucket(s3: Any, tmp_path: Path, rekindle: Rekindle) -> None:
    ended = rekindle(
        "backfill", "--bucket", "no-such-bucket-here", "--hot-tier", tmp_path / "hot", "--endpoint-url", s3.endpoint_url
    )
    assert ended.code == 1
    assert "no-such-bucket-here" in ended.err
    assert not (tmp_path / "hot").exists()


def test_nobody_answers(tmp_path: Path, rekindle: Rekindle, s3: Any) -> None:  # noqa: ARG001 - for its credentials
    ended = rekindle(
        "backfill", "--bucket", "some-bucket", "--hot-tier", tmp_path / "hot", "--endpoint-url", "http://127.0.0.1:9"
    )
    assert ended.code == 1
    assert "http://127.0.0.1:9" in ended.err
    assert not (tmp_path / "hot").exists()


def test_the_version(rekindle: Rekindle) -> None:
    ended = rekindle("--version")
    assert (ended.code, ended.out.startswith("rekindle ")) == (0, True)


@pytest.mark.parametrize(
    ("flags", "hint"),
    [
        (("--bucket", "/var/log"), "file:///folder"),
        (("--bucket", "file:///tmp", "--format", "auto", "--multiline-start", "^a"), "--format text"),
    ],
    ids=["path", "multiline"],
)
def test_hints(rekindle: Rekindle, tmp_path: Path, flags: tuple[str, ...], hint: str) -> None:
    ended = rekindle("backfill", *flags, "--hot-tier", tmp_path / "hot")
    assert ended.code == 2
    assert hint in ended.err


@pytest.mark.parametrize(("pattern", "hint"), [("/web/**", "perhaps 'web/**'"), ("web/", "perhaps 'web/**'")])
def test_likely_patterns_are_proposed(rekindle: Rekindle, tmp_path: Path, pattern: str, hint: str) -> None:
    (tmp_path / "source").mkdir()
    ended = rekindle(
        "preview",
        "--bucket",
        f"file://{tmp_path}/source",
        "--pattern",
        pattern,
        "--hot-tier",
        tmp_path / "hot",
        "--json",
    )
    assert hint in ended.json["warnings"][0]


def test_what_is_no_splunk_csv_is_warned_of(tmp_path: Path, rekindle: Rekindle) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.csv").write_text("time,host\n2025-01-01T00:00:00Z,web\n")
    command = (
        "--bucket",
        f"file://{tmp_path}/logs",
        "--hot-tier",
        tmp_path / "hot",
        "--format",
        "splunk_csv",
        "--json",
    )
    warned = "its header has neither _raw nor _time"
    assert warned in rekindle("preview", *command).json["samples"][0]["warnings"][0]
    (warning,) = [warning for warning in rekindle("backfill", *command).json["warnings"] if warned in warning]
    assert warning.startswith("file://") and "a.csv: " in warning


def test_two_names_that_are_shown_alike(logs: Path, tmp_path: Path, rekindle: Rekindle) -> None:
    """Of a name that is not UTF-8, and another that is spelt as this is shown, the one that can be named is read."""
    for name, text in ((b"caf\xe9.log", "raw\n"), (rb"caf\xe9.log", "spelt out\n"), (b"caf\xea.log", "alone\n")):
        (logs / os.fsdecode(name)).write_text(text)
    ended = rekindle("backfill", "--bucket", f"file://{logs}", "--hot-tier", tmp_path / "hot", "--json")
    assert ended.code == 0, ended.err
    objects = ended.json["objects"]
    assert (objects["evaluated"], objects["matched"], objects["ingested"]) == (4, 3, 3)
    assert any("1 objects have the same key as another" in warning for warning in ended.json["warnings"])
    found = rekindle("search", "*", "--hot-tier", tmp_path / "hot", "--json").rows
    assert sorted(row["_message"] for row in found) == ["alone", "one", "spelt out", "two"]
    assert len({row["_event_id"] for row in found}) == 4
