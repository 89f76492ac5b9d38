"""The first page's last jobs, and what rules take next."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from service.pages.activity import next_daily
from service.pages.retention.forecast import forecast
from tests.service.conftest import DAY, Api, fill, make_api
from tests.service.pages.conftest import show
from tests.service.test_jobs import ingest
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.hot_tier.configuration.holds import add_hold
from transforms.hot_tier.configuration.rules import set_rules
from transforms.hot_tier.table.live_files import load_events

NOW = DAY + timedelta(days=10)


def rules_of(api: Api, text: str, *, now: datetime = NOW) -> list[Any]:
    """Return what rules would take, by the log."""
    set_rules(api.service.tier, text, file="rules.yaml")
    return list(forecast(load_events(api.service.tier), now)["rules"])


def test_the_first_page_shows_jobs_and_rules(api: Api, tmp_path: Path) -> None:
    fill(api)
    assert "/explore/activity?" in [one.get("href") for one in show(api, "/explore").all("a")]
    nothing = show(api, "/explore/activity")
    assert "No job is known here" in nothing.text
    assert "there are no rules" in nothing.text
    task_id = ingest(api, tmp_path)
    set_rules(api.service.tier, "rules:\n  - {name: <b>all, retention: 1d}\n", file="rules.yaml")
    page = show(api, "/explore/activity")
    assert f"/pages/jobs/{task_id}" in page.links.values()
    assert "<b>all" in page.text
    assert "6" in page.text
    assert "This service has no daily run" in page.text


def test_whole_files_are_exact(api: Api) -> None:
    fill(api)
    (rule,) = rules_of(api, "rules:\n  - {name: all, retention: 9d}\n", now=DAY + timedelta(days=9, hours=12))
    assert (rule["due"], rule["tomorrow"], rule["isExact"]) == (4, 2, True)
    assert rule["first"] == DAY + timedelta(days=9)


def test_what_only_files_can_tell_is_estimated(api: Api) -> None:
    fill(api)
    some, none, old = rules_of(
        api,
        "rules:\n  - {name: some, retention: 1d, when: status=404}\n  - {name: none, retention: 1d, when: status=999}\n"
        "  - {name: unused, retention: 1d, enabled: false}\ntiers:\n  - {name: old, retention: 9d}\n",
    )
    assert (some["due"], some["isExact"]) == (4, False)
    assert (none["due"], none["first"], none["isExact"]) == (0, None, True)
    assert (old["name"], old["kind"], old["due"]) == ("old", "tier", 4)


def test_what_holds_keep_is_not_taken(api: Api) -> None:
    fill(api)
    add_hold(api.service.tier, name="web", when="host=web-1")
    assert [rule["due"] for rule in rules_of(api, "rules:\n  - {name: all, retention: 1d}\n")] == [2]


def test_a_part_of_a_file_goes_by_its_times(api: Api) -> None:
    Tier(api.service.tier).add([event(DAY + timedelta(hours=hour), "m") for hour in range(24)])
    (rule,) = rules_of(api, "rules:\n  - {name: all, retention: 1d}\n", now=DAY + timedelta(days=1, hours=12))
    assert (rule["isExact"], 11 <= rule["due"] <= 13) == (False, True)
    (rule,) = rules_of(api, "rules:\n  - {name: all, retention: 3650000d}\n")
    assert (rule["due"], rule["first"]) == (0, None)


def test_more_rules_than_are_shown(api: Api) -> None:
    fill(api)
    rules = "\n".join(f"  - {{name: r{number}, retention: 1d}}" for number in range(12))
    set_rules(api.service.tier, f"rules:\n{rules}\n", file="rules.yaml")
    assert "2 more rules" in show(api, "/explore/activity").text


def test_an_error_stands_in_the_part(tmp_path: Path) -> None:
    api = make_api(tmp_path)
    answer = api.ask("GET", "/explore/activity", headers={"HX-Request": "true"})
    assert (answer.status_code, 'role="alert"' in answer.text) == (404, True)


@pytest.mark.parametrize(("now", "day"), [("02:00", 1), ("03:00", 2), ("04:00", 2)])
def test_the_next_daily_run(now: str, day: int) -> None:
    moment = datetime.fromisoformat(f"2025-01-01T{now}").replace(tzinfo=timezone.utc)
    assert next_daily("03:00", moment) == datetime(2025, 1, day, 3, tzinfo=timezone.utc)
