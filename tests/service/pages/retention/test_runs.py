"""Dry runs, and what executes them: that or nothing, once, whatever ends meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from pipelines.jobs.queued.claims import take_claim, write_claim
from service.pages.sessions import COOKIE
from service.settings import ServiceSettings
from service.workers import kept_run
from service.workers.followers import MOST_CLAIMS, RequestFollower
from service.workers.kept_requests import folder_of, keep_request, load_request, open_requests
from service.workers.maintenance import MaintenanceRequest
from service.workers.taken import TakenRows
from tests.service.conftest import Api, fill
from tests.service.pages.conftest import Page, read, show
from tests.service.pages.retention.test_page import OWN, send
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.hot_tier.configuration.holds import add_hold
from transforms.hot_tier.configuration.rules import set_rules
from transforms.hot_tier.table.live_files import load_events
from transforms.hot_tier.table.runs import list_runs

Start = Callable[[ServiceSettings, str, int], object]
SOME = "rules:\n  - {name: few, retention: 1d, when: status=404}\n"
MOST = "rules:\n  - {name: few, retention: 1d, when: status=404}\n  - {name: rest, retention: 2d, when: status=200}\n"


def start_nothing(settings: ServiceSettings, request_id: str, number: int) -> None:
    """Start no process, as a service that is killed at once."""


@pytest.fixture
def here(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A service over six events that does at once, in this process, what its pages ask for."""
    monkeypatch.setattr("service.pages.retention.runs.start_process", kept_run.run)
    return fill(api)


def begin(api: Api, path: str = "dry-run", token: str = "", **form: str) -> str:
    """Begin a run by a form, and return its page's address."""
    answer = send(api, f"/pages/retention/{path}", token, **form)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def bars_of(page: Page) -> list[str]:
    """Return the labels of a chart's bars that are not empty."""
    labels = [one["aria-label"] for one in page.all("a") if "data-to" in one]
    assert len(labels) == 15
    return [label for label in labels if ": 0 events" not in label]


def rows_of(api: Api) -> int:
    return load_events(api.service.tier).rows


def test_a_dry_run_its_execution_and_its_restore(here: Api) -> None:
    set_rules(here.service.tier, SOME, file="rules.yaml")
    address = begin(here)
    page = show(here, address)
    assert "Events that go2 33.3 % of all" in page.text.replace("\n", "")
    assert bars_of(page) == ["2025-01-01: 2 events, few 2"]
    assert "2025-01-01" in page.text
    assert rows_of(here) == 6
    done = begin(here, f"{address.removeprefix('/pages/retention/')}/execute", grace="3d")
    assert done == f"{address}-execute"
    assert "2 events were deleted by run" in show(here, done).text
    assert "restored for 3d" in show(here, done).text
    assert rows_of(here) == 4
    main = show(here, "/pages/retention")
    (run,) = [one["value"] for one in main.all("input") if one.get("name") == "run"]
    assert "few" in main.text
    back = begin(here, "restore", run=run)
    shown = show(here, back)
    assert "few takes 2 at the next deletion" in shown.text
    assert "Restore 2 events" in shown.text
    restored = begin(here, f"{back.removeprefix('/pages/retention/')}/execute")
    assert "2 events came back" in show(here, restored).text
    assert rows_of(here) == 6
    main = show(here, "/pages/retention")
    assert "restored" in main.text
    assert not [one for one in main.all("input") if one.get("name") == "run"]
    assert "This was restored before" in show(here, begin(here, "restore", run=run)).text


@pytest.mark.parametrize("typed", ["", "3", "six", "55"])
def test_more_than_half_takes_their_number(here: Api, typed: str) -> None:
    set_rules(here.service.tier, MOST, file="rules.yaml")
    path = begin(here).removeprefix("/pages/retention/")
    refused = send(here, f"/pages/retention/{path}/execute", count=typed, grace="x y" if not typed else "7d")
    page = read(refused.text)
    field = "count" if typed else "grace"
    assert (refused.status_code, page.one("input", id=field)["aria-invalid"]) == (400, "true")
    assert page.one("input", id="count")["value"] == typed
    assert rows_of(here) == 6
    done = show(here, begin(here, f"{path}/execute", count=" 5", grace="0"))
    assert "5 events were deleted" in done.text
    assert "can't be restored" in done.text
    assert rows_of(here) == 1


def test_what_holds_keep_is_shown(here: Api) -> None:
    set_rules(here.service.tier, SOME, file="rules.yaml")
    add_hold(here.service.tier, name="case", when='message="GET /1"')
    page = show(here, begin(here))
    assert "kept by holds" in page.text
    assert bars_of(page) == ["2025-01-01: 2 events, few 1, kept by holds 1"]


def change_hold(api: Api) -> None:
    add_hold(api.service.tier, name="case", when='message="GET /1"')


def change_rules(api: Api) -> None:
    set_rules(api.service.tier, SOME + "#\n", file="rules.yaml")


def change_events(api: Api) -> None:
    Tier(api.service.tier, commits=1).add([event("2025-01-01T05:00:00", "late", status="404")])


@pytest.mark.parametrize("change", [change_hold, change_rules, change_events])
def test_what_was_shown_is_done_or_nothing(here: Api, change: Callable[[Api], None]) -> None:
    set_rules(here.service.tier, SOME, file="rules.yaml")
    path = begin(here).removeprefix("/pages/retention/")
    change(here)
    before = rows_of(here)
    page = show(here, begin(here, f"{path}/execute"))
    assert "since the dry run" in page.text
    assert "Make another dry run" in page.text
    assert rows_of(here) == before


def test_what_comes_in_and_is_not_taken_changes_nothing(here: Api) -> None:
    set_rules(here.service.tier, SOME, file="rules.yaml")
    path = begin(here).removeprefix("/pages/retention/")
    Tier(here.service.tier, commits=1).add([event("2025-01-03T05:00:00", "other", status="200")])
    assert "2 events were deleted" in show(here, begin(here, f"{path}/execute")).text


def test_sent_twice_it_is_done_once(here: Api) -> None:
    set_rules(here.service.tier, SOME, file="rules.yaml")
    path = begin(here).removeprefix("/pages/retention/")
    first, second = (begin(here, f"{path}/execute") for _ in range(2))
    assert first == second
    assert "2 events were deleted" in show(here, first).text
    assert [folder.kind for folder in list_runs(here.service.tier)] == ["delete"]


def test_sent_twice_while_others_run_both_lead_to_it(here: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    set_rules(here.service.tier, SOME, file="rules.yaml")
    path = begin(here).removeprefix("/pages/retention/")
    monkeypatch.setattr("service.pages.retention.runs.start_process", start_nothing)
    first = begin(here, f"{path}/execute")
    begin(here)
    assert begin(here, f"{path}/execute") == first


def test_a_move_to_the_cold_tier(here: Api) -> None:
    set_rules(here.service.tier, "tiers:\n  - {name: old, retention: 1d}\n", file="rules.yaml")
    path = begin(here, kind="tier").removeprefix("/pages/retention/")
    assert "Move these 6 events?" in show(here, f"/pages/retention/{path}").text
    assert "6 events were moved" in show(here, begin(here, f"{path}/execute")).text
    assert {file.tier for file in load_events(here.service.tier).files.values()} == {"cold"}
    assert "Moved to cold" in show(here, "/pages/retention").text


def test_a_key_that_reads_makes_dry_runs_alone(here: Api) -> None:
    set_rules(here.service.tier, SOME, file="rules.yaml")
    token = here.key("read")
    address = begin(here, token=token)
    cookie = {"Cookie": f"{COOKIE}={token}"}
    page = read(here.ask("GET", address, headers=cookie).text)
    assert "Executing it takes a key of the role admin" in page.text
    assert send(here, f"{address}/execute", token).status_code == 403
    assert rows_of(here) == 6


def at_work(api: Api) -> Page:
    return show(api, "/pages/retention")


def test_while_it_runs_the_page_says_since_when(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.pages.retention.runs.start_process", start_nothing)
    fill(api)
    set_rules(api.service.tier, SOME, file="rules.yaml")
    admin = api.key("admin", name="boss")
    cookie = {"Cookie": f"{COOKIE}={admin}"}
    address = begin(api, token=admin)
    page = read(api.ask("GET", address, headers=cookie).text)
    assert page.one("div", id="run")["hx-trigger"] == "every 2s"
    assert "Running since" in page.text.replace("\n", " ").replace("  ", " ")
    assert "asked for by boss (key" in page.text
    assert address in read(api.ask("GET", "/pages/retention", headers=cookie).text).links.values()
    assert send(api, f"{address}/execute", admin).status_code == 409
    begin(api, token=admin)
    assert send(api, "/pages/retention/dry-run", admin).status_code == 503


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("dry-run", {}, 400),
        ("dry-run", {"kind": "undo"}, 400),
        ("restore", {}, 400),
        ("runs/20250101T000000Z-delete-12345678/execute", {}, 404),
        ("runs/x/execute", {}, 404),
    ],
)
def test_what_can_not_begin(here: Api, path: str, form: dict[str, str], status: int) -> None:
    assert send(here, f"/pages/retention/{path}", **form).status_code == status


def test_nothing_can_begin_without_events(api: Api) -> None:
    assert send(api, "/pages/retention/dry-run").status_code == 404
    page = api.client.post("/pages/retention/dry-run", data={"proof": "x"}, headers=OWN)
    assert page.status_code == 403


class EndedProcessError(BaseException):
    """The end of a process."""


def follow(api: Api, *, late: timedelta = timedelta()) -> list[tuple[str, int]]:
    """Let a service look for requests that nobody is at, and return what it starts."""
    started: list[tuple[str, int]] = []
    now = datetime.now(timezone.utc) + late
    follower = RequestFollower(settings=api.service.settings, tier=api.service.tier, clock=lambda: now)
    follower.start = lambda request_id, number: started.append((request_id, number))
    follower.look()
    return started


def ended_process(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def end(*_: object, **__: object) -> None:
        raise EndedProcessError

    monkeypatch.setattr(where, end)


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("pipelines.maintenance.rules_run.commit_run", id="before-its-commit"),
        pytest.param("pipelines.maintenance.rules_run.finish", id="after-its-commit"),
        pytest.param("service.workers.kept_run.write_outcome", id="before-its-outcome"),
    ],
)
def test_what_a_process_leaves_another_ends_once(here: Api, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    tier = here.service.tier
    set_rules(tier, SOME, file="rules.yaml")
    dry_run = begin(here).rpartition("/")[2]
    monkeypatch.setattr("service.pages.retention.runs.start_process", start_nothing)
    request_id = begin(here, f"runs/{dry_run}/execute").rpartition("/")[2]
    with monkeypatch.context() as patched:
        ended_process(patched, where)
        with pytest.raises(EndedProcessError):
            kept_run.run(here.service.settings, request_id, 1)
    asked = load_request(tier, request_id)
    assert asked is not None
    assert asked.outcome is None
    assert follow(here) == []  # its process, which is this one, is there
    monkeypatch.setattr("transforms.hot_tier.table.runs.is_gone", lambda *_: True)
    monkeypatch.setattr("pipelines.jobs.queued.claims.started_at", lambda _: None)
    assert follow(here) == [(request_id, 2)]
    assert kept_run.run(here.service.settings, request_id, 2)
    assert "2 events were deleted" in show(here, f"/pages/retention/runs/{request_id}").text
    assert rows_of(here) == 4
    rows = here.ask("GET", "/audit", params={"kind": "delete"}).json()["rows"]
    assert [row["events"] for row in rows if row["versionAfter"]] == [2]
    assert follow(here) == []


def test_of_two_processes_one_is_at_a_request(here: Api) -> None:
    set_rules(here.service.tier, SOME, file="rules.yaml")
    request_id = keep_request(here.service.tier, MaintenanceRequest(kind="delete", execute=False))
    assert take_claim(folder_of(here.service.tier, request_id), 1) is not None
    assert not kept_run.run(here.service.settings, request_id, 1)
    assert follow(here) == []


def test_a_request_without_a_process_is_begun_by_any_service(here: Api) -> None:
    request_id = keep_request(here.service.tier, MaintenanceRequest(kind="delete", execute=False))
    assert follow(here) == []
    assert follow(here, late=timedelta(minutes=1)) == [(request_id, 1)]


def test_what_never_ends_is_given_up(here: Api) -> None:
    request_id = keep_request(here.service.tier, MaintenanceRequest(kind="delete", execute=False))
    folder = folder_of(here.service.tier, request_id)
    for number in range(1, MOST_CLAIMS + 1):
        claim = take_claim(folder, number)
        assert claim is not None
        write_claim(folder, claim, "released")
    assert follow(here) == []
    assert open_requests(here.service.tier) != []
    assert follow(here, late=timedelta(minutes=1)) == []
    assert "none came to its end" in show(here, f"/pages/retention/runs/{request_id}").text


def test_an_error_of_the_commit_is_shown(here: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise ValueError("a mistake")

    set_rules(here.service.tier, SOME, file="rules.yaml")
    monkeypatch.setattr("service.workers.kept_run.run_maintenance", fail)
    assert "unexpected: ValueError: a mistake" in show(here, begin(here)).text


def test_old_requests_are_forgotten(here: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    set_rules(here.service.tier, SOME, file="rules.yaml")
    address = begin(here)
    monkeypatch.setattr("service.workers.kept_requests._KEPT", timedelta(days=-1))
    begin(here)
    assert here.ask("GET", address).status_code == 404


def test_nothing_taken_has_a_digest_of_its_own() -> None:
    assert TakenRows().as_document()["days"] == []
