"""`rekindle compact`, and a job that does so by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.jobs import job
from pipelines.maintenance import compact
from tests.pipelines.conftest import Ended, read_files
from tests.pipelines.reading import audit_rows, made_deletion, made_tier, read_live, stored_files
from transforms.storage import StorageOptions, open_tier

Rekindle = Callable[..., Ended]


def test_the_report_of_a_compaction(tmp_path: Path, rekindle: Rekindle) -> None:
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    before = read_live(store)
    done = rekindle("compact", "--hot-tier", store.uri, "--json")
    assert done.code == 0, done.err
    after = read_live(store)
    assert after.rows() == before.rows()
    report = done.json
    assert (report["filesBefore"], report["filesAfter"]) == (len(before.files), len(after.files))
    assert report["filesBefore"] - report["merged"] + report["written"] == report["filesAfter"] < report["filesBefore"]
    assert (report["versionBefore"], report["versionAfter"]) == (before.version, before.version + 1)
    assert [(row["kind"], row["events"]) for row in audit_rows(store)] == [("compact", report["events"])]
    again = rekindle("compact", "--hot-tier", store.uri, "--json").json
    assert (again["merged"], again["versionBefore"], again["versionAfter"]) == (0, after.version, after.version)
    assert len(audit_rows(store)) == 1
    assert "nothing to merge" in rekindle("compact", "--hot-tier", store.uri).out


def test_old_files_of_a_compaction_go_without_a_deletion(
    tmp_path: Path, rekindle: Rekindle, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    merged = rekindle("compact", "--hot-tier", store.uri, "--json").json
    assert merged["removed"] == {"files": 0, "bytes": 0}, "their grace has just begun"
    live = read_live(store)
    assert len(stored_files(store)) == merged["merged"] + len(live.files)

    monkeypatch.setattr(compact, "GRACE", timedelta(0))
    assert f"{merged['merged']:,} old files removed for good" in rekindle("compact", "--hot-tier", store.uri).out
    assert stored_files(store) == live.files.keys()
    assert read_live(store).rows() == live.rows()
    assert sorted(row["kind"] for row in audit_rows(store)) == ["compact", "remove"]
    assert rekindle("compact", "--hot-tier", store.uri, "--json").json["removed"]["files"] == 0


def test_what_a_deletion_has_replaced_stays_for_its_own_grace(
    tmp_path: Path, rekindle: Rekindle, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    delete = made_deletion(store, tmp_path)
    before = read_live(store).rows()
    assert rekindle(*delete, "--execute", "--yes", "--grace", "90d").code == 0
    monkeypatch.setattr(compact, "GRACE", timedelta(0))
    for _ in range(2):
        assert rekindle("compact", "--hot-tier", store.uri).code == 0
    assert read_live(store).rows() != before
    assert rekindle("restore", "--to", 1, "--execute", "--hot-tier", store.uri).code == 0
    assert read_live(store).rows() == before
    assert rekindle("compact", "--hot-tier", store.uri, "--json").json["removed"]["files"] > 0, "it is restored"
    assert read_live(store).rows() == before


@pytest.mark.parametrize("size", ["0", "x", "-1"])
def test_sizes_that_are_wrong(tmp_path: Path, rekindle: Rekindle, size: str) -> None:
    made_tier(open_tier(str(tmp_path / "hot"), StorageOptions()))
    assert rekindle("compact", "--hot-tier", tmp_path / "hot", "--target-size", size).code == 2


def test_a_job_that_leaves_many_small_files_merges_them(
    tmp_path: Path, rekindle: Rekindle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "SMALL_FILES", 3)
    (tmp_path / "source").mkdir()
    flags = ("backfill", "--bucket", f"file://{tmp_path}/source", "--hot-tier", tmp_path / "hot", "--json")
    for number, files in enumerate((1, 2, 3, 1)):
        (tmp_path / "source" / f"{number}.jsonl").write_text(
            json.dumps({"timestamp": "2025-03-01T00:00:00Z", "n": number}) + "\n"
        )
        done = rekindle(*flags)
        assert done.code == 0, done.err
        assert done.json["warnings"] == []
        assert len(rekindle("files", "--hot-tier", tmp_path / "hot").out.splitlines()) == files
    assert read_files(rekindle, tmp_path / "hot", "SELECT n FROM events ORDER BY n") == [("0",), ("1",), ("2",), ("3",)]
    assert rekindle(*flags).json["objects"]["known"] == 4


@pytest.mark.slow
def test_more_than_a_thousand_small_files(tmp_path: Path, rekindle: Rekindle) -> None:
    """Two jobs of 501 dates each leave 1,002 files of two each: the second merges them."""
    lines = [
        f"{2020 + day // 336}-{day % 336 // 28 + 1:02d}-{day % 28 + 1:02d}T00:00:00Z day {day}" for day in range(501)
    ]
    (tmp_path / "source").mkdir()
    flags = ("backfill", "--bucket", f"file://{tmp_path}/source", "--hot-tier", tmp_path / "hot", "--json")
    left = []
    for name in ("a.log", "b.log"):
        (tmp_path / "source" / name).write_text("\n".join(lines) + "\n")
        done = rekindle(*flags)
        assert done.code == 0, done.err
        left.append(len(rekindle("files", "--hot-tier", tmp_path / "hot").out.splitlines()))
    assert left == [501, 501]
    assert read_files(rekindle, tmp_path / "hot", "SELECT count(*), count(DISTINCT _event_id) FROM events") == [
        (1002, 1002)
    ]
