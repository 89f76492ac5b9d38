"""What stays of a job in the tier: little, whenever it is killed, and enough to show and to resume it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.jobs.plan import JobPlan
from tests.pipelines.conftest import Ended
from transforms.storage import StorageOptions, open_tier
from transforms.storage.job_folder import JobFolder

Rekindle = Callable[..., Ended]
KEPT = ["job.json", "report.json", "status.json"]


class KilledError(BaseException):
    """The process ends here."""


@pytest.fixture
def flags(tmp_path: Path) -> tuple[object, ...]:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_text("2025-08-11T22:24:37Z one\n2025-08-11T22:24:38Z two\n")
    return ("--bucket", f"file://{tmp_path}/logs", "--hot-tier", tmp_path / "hot", "--json")


def names(tmp_path: Path, task_id: str) -> list[str]:
    return JobFolder(open_tier(str(tmp_path / "hot"), StorageOptions()), task_id).names()


def test_what_the_report_has_is_not_kept_twice(tmp_path: Path, flags: tuple[object, ...], rekindle: Rekindle) -> None:
    report = rekindle("backfill", *flags).json
    task_id = report["taskId"]
    assert names(tmp_path, task_id) == KEPT
    assert rekindle("jobs", "show", task_id, "--hot-tier", tmp_path / "hot", "--json").json == report

    (tmp_path / "logs" / "b.log").write_text("2025-08-11T22:24:39Z three\n")
    resumed = rekindle("jobs", "resume", task_id, "--hot-tier", tmp_path / "hot", "--json")
    assert (resumed.code, resumed.json) == (0, report), "it has succeeded: new objects are for a new job"
    assert "nothing left to do" in resumed.err
    assert names(tmp_path, task_id) == KEPT
    assert rekindle("backfill", *flags).json["objects"]["ingested"] == 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("owner", "method"), [(JobFolder, "clear_listing"), (JobPlan, "forget"), (JobFolder, "clear_parts")],
    ids=["listing", "plan", "parts"],
)  # fmt: skip
def test_killed_when_it_is_removed(
    owner: type, method: str, moment: str, tmp_path: Path, flags: tuple[object, ...], rekindle: Rekindle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    original = getattr(owner, method)

    def killed(*args: object) -> None:
        if moment == "after":
            original(*args)
        raise KilledError

    monkeypatch.setattr(owner, method, staticmethod(killed) if owner is JobPlan else killed)
    with pytest.raises(KilledError):
        rekindle("backfill", *flags)
    monkeypatch.undo()

    (task_id,) = (row["taskId"] for row in rekindle("jobs", "list", "--hot-tier", tmp_path / "hot", "--json").rows)
    resumed = rekindle("jobs", "resume", task_id, "--hot-tier", tmp_path / "hot", "--json")
    assert resumed.code == 0, resumed.err
    assert (resumed.json["objects"]["ingested"], resumed.json["events"]) == (1, 2)
    shown = rekindle("jobs", "show", task_id, "--hot-tier", tmp_path / "hot", "--json")
    assert shown.code == 0, shown.err
    assert shown.json == resumed.json
    again = rekindle("backfill", *flags).json
    assert (again["objects"]["known"], again["events"]) == (1, 0)
