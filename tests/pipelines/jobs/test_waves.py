"""A job over objects that are cut into parts publishes what it publishes without."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.pipelines.conftest import Ended, content
from transforms import cut_objects
from transforms.objects import parts as object_parts
from transforms.objects.parts import ObjectPart

MODIFIED = datetime(2025, 8, 12, tzinfo=timezone.utc).timestamp()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    lines = "".join(f"2025-08-11 {n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d} line {n}\n\n" for n in range(4000))
    rows = "host,when\n" + "".join(
        f'"web\n{n}",2025-08-11 {n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}\n' for n in range(2000)
    )
    (folder / "a.log").write_text(lines)
    (folder / "b.csv").write_text(rows)
    (folder / "c.json").write_text('{"n": 1}\n' * 10)
    for path in folder.iterdir():
        os.utime(path, (MODIFIED, MODIFIED))
    return folder


def test_the_same_with_parts_as_without(
    rekindle: Callable[..., Ended], source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(tier: str) -> dict[str, object]:
        ended = rekindle("backfill", "--bucket", f"file://{source}", "--hot-tier", tmp_path / tier, "--json")
        assert ended.code == 0, ended.err
        return {
            name: ended.json[name]
            for name in ("objects", "recordsIn", "blank", "header", "events", "rejected", "byFormat", "bytesDecoded")
        }

    whole = run("whole")
    read: list[list[ObjectPart] | None] = []
    monkeypatch.setattr(object_parts, "SMALLEST_PART", 8000)
    monkeypatch.setattr(
        "pipelines.jobs.waves.read_parts", lambda *args: read.append(cut_objects.read_parts(*args)) or read[-1]
    )
    assert run("parts") == whole
    assert len(read) == 1
    assert read[0] and len(read[0]) > 3
    assert content(rekindle, tmp_path / "parts") == content(rekindle, tmp_path / "whole")


def test_a_part_that_changes_takes_its_object_with_it(
    rekindle: Callable[..., Ended], source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is changed when its parts were found and the first of them was read: none of its events is published."""
    monkeypatch.setattr(object_parts, "SMALLEST_PART", 8000)

    def find_and_change(*args: object) -> list[ObjectPart] | None:
        parts = cut_objects.read_parts(*args)  # type: ignore[arg-type]
        with (source / "a.log").open("a") as file:
            file.write("one more\n")
        return parts

    monkeypatch.setattr("pipelines.jobs.waves.read_parts", find_and_change)
    ended = rekindle("backfill", "--bucket", f"file://{source}", "--hot-tier", tmp_path / "hot", "--json")
    assert ended.code == 3
    assert ended.json["objects"]["vanished"] == 1
    assert ended.json["objects"]["ingested"] == 2
    assert {row["filename"] for row in content(rekindle, tmp_path / "hot")} == {"b.csv", "c.json"}
