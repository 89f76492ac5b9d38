"""`rekindle jobs undo` as its user sees it: a job is taken away, done again, and brought back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.conftest import Ended

Rekindle = Callable[..., Ended]


class Shop:
    """A folder of logs, and a hot tier made of it."""

    def __init__(self, folder: Path, rekindle: Rekindle) -> None:
        self.source, self.tier, self.rekindle = folder / "source", folder / "hot", rekindle
        self.source.mkdir()

    def put(self, name: str, lines: int) -> None:
        text = (f"2025-03-01T00:00:{number:02}Z {name} {number}\n" for number in range(lines))
        (self.source / name).write_text("".join(text))

    def run(self, *argv: object, code: int = 0) -> Ended:
        done = self.rekindle(*argv, "--hot-tier", self.tier)
        assert done.code == code, done.err
        return done

    def backfill(self) -> dict[str, Any]:
        report: dict[str, Any] = self.run("backfill", "--bucket", f"file://{self.source}", "--json").json
        return report

    def messages(self) -> list[str]:
        rows = self.run("search", "", "--json").rows
        return sorted(row["_message"].partition("Z ")[2] for row in rows)


@pytest.fixture
def shop(tmp_path: Path, rekindle: Rekindle) -> Shop:
    return Shop(tmp_path, rekindle)


def test_a_job_is_undone_done_again_and_brought_back(shop: Shop) -> None:
    shop.put("a.log", 3)
    first = shop.backfill()
    shop.put("b.log", 2)
    second = shop.backfill()
    assert (second["objects"]["known"], second["objects"]["ingested"]) == (1, 1)
    whole = shop.messages()

    done = shop.run("jobs", "undo", second["taskId"][:8], "--json").json
    run_id = done["runId"]
    assert {name: done[name] for name in ("executed", "taskId", "undoneBy", "events", "objects", "filesWhole")} == {
        "executed": True, "taskId": second["taskId"], "undoneBy": None, "events": 2, "objects": 1, "filesWhole": 1,
    }  # fmt: skip
    assert shop.messages() == [one for one in whole if one.startswith("a")]
    undone = {"runId": run_id, "at": f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:11]}:{run_id[11:13]}:{run_id[13:16]}"}
    assert [row.get("undone") for row in shop.run("jobs", "list", "--json").rows] == [undone, None]
    assert "Succeeded, undone" in shop.run("jobs").out
    report = shop.run("jobs", "show", second["taskId"], "--json").json
    assert (report["undone"], report["status"], report["events"]) == (undone, "Succeeded", 2)
    assert f"Undone by run {run_id}" in shop.run("jobs", "show", second["taskId"]).out

    refused = shop.run("jobs", "resume", second["taskId"], code=1).err
    assert f"was undone by run {run_id}, and can't go on" in refused
    again = shop.run("jobs", "undo", second["taskId"]).out
    assert again == f"Nothing of job {second['taskId']} is in the hot tier: run {run_id} has undone it\n"
    wide = shop.run("jobs", "undo", first["taskId"], code=4).err
    assert "3 of 3 events (100%) would be taken away: nothing was undone; add --yes" in wide

    assert "2 events of" in shop.run("restore", "--run", run_id, "--execute").out
    assert shop.messages() == whole
    assert [row.get("undone") for row in shop.run("jobs", "list", "--json").rows] == [None, None]
    assert "undone" not in shop.run("jobs", "show", second["taskId"], "--json").json
    shown = shop.run("jobs", "undo", first["taskId"], "--yes")
    assert shown.out.startswith("3 events (60.00% of the tier) taken away; 1 object is no longer known\nRun ")
    assert "rekindle restore --run" in shown.err
    third = shop.backfill()
    assert (third["objects"]["known"], third["objects"]["ingested"]) == (1, 1)
    assert shop.messages() == whole
    assert [row["kind"] for row in shop.run("audit", "--json").rows] == ["undo", "restore", "undo"]
    assert re.search(r"jobs: [-0-9a-f]{36}, objects: \d", shop.run("audit").out)


def test_a_job_without_events_and_no_such_job(shop: Shop) -> None:
    shop.put("nothing.log", 0)
    job = shop.backfill()
    done = shop.run("jobs", "undo", job["taskId"], "--json").json
    assert (done["events"], done["objects"], done["versionAfter"]) == (0, 0, done["versionBefore"])
    dry = shop.run("jobs", "undo", job["taskId"], "--dry-run").out
    assert dry == f"Nothing of job {job['taskId']} is in the hot tier\n"


def test_what_would_be_undone(shop: Shop) -> None:
    shop.put("a.log", 3)
    first = shop.backfill()
    shop.put("a.log", 2)
    shop.put("b.log", 1)
    second = shop.backfill()
    shop.run("holds", "add", "case", "--when", "filename=b.log")
    dry = shop.run("jobs", "undo", second["taskId"], "--dry-run")
    assert dry.out.splitlines() == [
        "2 events (66.67% of the tier) would be taken away; 1 object would be no longer known",
        "Holds keep 1 events; 1 object has events left, and stays known",
        "1 object has replaced older content, which does not come back",
    ]
    assert dry.err == "Dry run: nothing was changed. Leave --dry-run out to apply.\n"
    document = shop.run("jobs", "undo", second["taskId"], "--dry-run", "--json").json
    assert {name: document[name] for name in ("executed", "events", "replaced", "objectsHeld", "versionAfter")} == {
        "executed": False, "events": 2, "replaced": 1, "objectsHeld": 1, "versionAfter": None,
    }  # fmt: skip
    refused = shop.run("jobs", "undo", second["taskId"], code=4).err
    assert "(67%) would be taken away, and the older content that 1 object had does not come back" in refused
    assert shop.run("jobs", "undo", first["taskId"], "--dry-run").out.startswith("Nothing of job")
    assert len(shop.messages()) == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nobody", "there is no job nobody"),
        ("", "ID: the id of the job is empty; `rekindle jobs list` shows all"),
        ("../x", "ID: '../x' is no id of a job; `rekindle jobs list` shows all"),
    ],
    ids=["unknown", "empty", "path"],
)
def test_no_such_job(shop: Shop, given: str, message: str) -> None:
    shop.put("a.log", 1)
    shop.backfill()
    for command in ("undo", "show", "cancel", "resume"):
        assert message in shop.run("jobs", command, given, code=2).err
