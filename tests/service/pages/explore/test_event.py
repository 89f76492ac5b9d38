"""One event: its page, its row in place, JSON, columns and conditions from its attributes, and what is around it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from service.api.search.surrounding import MOST_ROWS
from tests.service.conftest import Api
from tests.service.pages.conftest import DAY, HOSTILE, Page, event_page, read, show

LAST = {"id": "e_s3://logs/0/0-59", "time": "2025-01-01T00:00:59Z"}
"""The last of sixty events of one object and host."""


def test_an_event_and_its_attributes(filled: Api) -> None:
    page = event_page(filled, "evil")
    assert "Event of 2025-01-02 00:00:00.000 UTC" in page.text
    assert "auth" in page.text
    assert page.links["Back to the events"] == "/explore?query=evil"
    assert page.links["Only events with this source"] == "/explore?query=evil+source%3D%22auth%22"
    assert page.links["Only events without this source"] == "/explore?query=evil+NOT+source%3D%22auth%22"
    found = read(filled.client.get(page.links["Only events with this host"]).text)
    assert "evil" in found.text


def test_an_event_with_many_attributes_comes_in_parts(filled: Api) -> None:
    first = event_page(filled, "wide")
    assert len(first.all("tr")) == 1 + 200
    second = read(filled.client.get(first.links["Next"]).text)
    assert "2 of " in second.text
    assert "name00250" in second.text
    filtered = event_page(filled, "wide", filter="name00999", part="7")
    assert len(filtered.all("tr")) == 2
    assert "Next" not in filtered.links


def test_a_long_message_is_cut(filled: Api) -> None:
    assert len(show(filled, "/explore", query="xxxx").text) < 5_000
    assert "100,000 more characters are not shown" in event_page(filled, "xxxx").text


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"id": "none", "time": "2025-01-01T00:00:00Z"}, 404),
        ({"id": "none", "time": "soon"}, 400),
        ({}, 400),
        ({"id": '" OR *', "time": DAY.isoformat()}, 404),
        ({"id": "x", "time": "9999-12-31T23:59:59.999999Z"}, 404),
    ],
)
def test_events_that_are_not_there(filled: Api, parameters: dict[str, str], status: int) -> None:
    answer = filled.ask("GET", "/explore/event", params=parameters)
    assert answer.status_code == status
    assert "alert" in answer.text


def in_place(api: Api, status: int = 200, **parameters: Any) -> Page:
    """Return what a row is opened by."""
    answer = api.ask("GET", "/explore/event", params=parameters, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.text.startswith("<tr")) == (status, True)
    return read(answer.text)


def test_a_row_opens_in_place(filled: Api) -> None:
    rows = show(filled, "/explore", query="GET /7", columns="status,host")
    link = rows.one("a", **{"aria-expanded": "false"})
    assert link["hx-get"] == link["href"]
    page = read(filled.client.get(link["hx-get"], headers={"HX-Request": "true"}).text)
    assert page.one("td", colspan="5")
    assert page.links["No column: status"] == "/explore?query=GET+%2F7&columns=host"
    assert page.links["Column: #object"] == "/explore?query=GET+%2F7&columns=status%2Chost%2C%23object"
    assert page.all("input") == []
    gone = in_place(filled, 404, id="none", time=LAST["time"])
    assert ("there is no event" in gone.text, gone.one("p", role="alert") is not None) == (True, True)
    assert "is not the time" in in_place(filled, 400, id="none", time="soon").text


def test_an_event_with_many_attributes_opens_with_the_first(filled: Api) -> None:
    rows = show(filled, "/explore", query="wide")
    address = rows.one("a", **{"aria-expanded": "false"})["href"]
    page = read(filled.client.get(address, headers={"HX-Request": "true"}).text)
    assert len(page.all("tr")) == 1 + 1 + 200
    assert "All 1,0" in page.text
    assert address in page.links.values()


def test_an_events_own_link_has_no_more_than_it_needs(filled: Api) -> None:
    page = event_page(filled, "evil")
    address = page.links["Copy link"]
    assert re.fullmatch(r"/explore/event\?id=[^&]+&time=2025-01-02T00%3A00%3A00Z", address)
    assert "auth" in read(filled.client.get(address).text).text
    assert page.one("a", **{"data-copy": "link"})["href"] == address


def test_an_event_as_json(filled: Api) -> None:
    page = event_page(filled, "evil")
    answer = filled.client.get(page.links["JSON"])
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["_message"] == HOSTILE
    assert "\u202e" not in answer.text
    asked = filled.ask("GET", f"/events/{answer.json()['_event_id']}").json()["event"]
    assert json.loads(answer.text) == asked
    assert filled.ask("GET", "/explore/event.json", params={"id": "none", "time": LAST["time"]}).status_code == 404


def test_conditions_on_the_systems_attributes(filled: Api) -> None:
    page = event_page(filled, "evil")
    found = read(filled.client.get(page.links["Only events with this #object"]).text)
    assert ("evil" in found.text, "GET /" in found.text) == (True, False)
    assert "Only events with this #time" not in page.links
    assert page.links["Statistics of source"] == "/explore/field?query=evil&name=source"


def messages(page: Page) -> list[str]:
    return re.findall(r"GET /\d+|wide|evil", page.text)


def test_what_is_around_an_event(filled: Api) -> None:
    rows = show(filled, "/explore", query="GET /30", columns="status")
    page = read(filled.client.get(rows.links["Around the event of 2025-01-01 00:00:30.000"]).text)
    assert messages(page) == [f"GET /{number}" for number in range(40, 19, -1)]
    assert page.links["Back to the events"] == "/explore?query=GET+%2F30&columns=status"
    (marked,) = [one for one in page.all("tr") if "aria-current" in one]
    assert "current" in marked["class"]
    wider = read(filled.client.get(page.links["More older events"]).text)
    assert messages(wider) == [f"GET /{number}" for number in range(40, -1, -1)]
    assert "No older ones" in wider.text
    assert "More newer events" in wider.links
    found = read(filled.client.get(page.links["Search all of these"]).text)
    assert ("GET /59" in found.text, "evil" in found.text) == (True, False)


def test_what_is_around_an_event_of_the_same_host_or_anywhere(filled: Api) -> None:
    page = show(filled, "/explore/around", **LAST)
    assert messages(page) == [f"GET /{number}" for number in range(59, 48, -1)]
    anywhere = read(filled.client.get(page.links["All events"]).text)
    assert messages(anywhere)[:3] == ["wide", "evil", "GET /59"]
    assert "Search all of these" not in anywhere.links
    host = read(filled.client.get(page.links["Same host"]).text)
    assert messages(host) == messages(page)
    wide = show(filled, "/explore/around", id="e_s3://logs/0/1-1", time="2025-01-02T00:00:01Z", scope="host")
    assert ("so it is alone" in wide.text, messages(wide)) == (True, ["wide"])
    most = show(filled, "/explore/around", **LAST, before="500", after="0")
    assert ("More newer events" in most.links, "More older events" in most.links) == (True, False)


@pytest.mark.parametrize(
    ("parameters", "status", "message"),
    [
        ({"scope": "planet"}, 400, "scope: must be object, host, all"),
        ({"before": "x"}, 400, f"before: must be from 0 to {MOST_ROWS}"),
        ({"after": "501"}, 400, "after: must be"),
        ({"time": "soon"}, 400, "time: "),
        ({"time": (DAY - timedelta(days=1)).isoformat()}, 404, "there is no event"),
        ({"columns": "#nothing"}, 400, "columns: "),
    ],
)
def test_what_is_wrong_around_an_event(filled: Api, parameters: dict[str, str], status: int, message: str) -> None:
    answer = filled.ask("GET", "/explore/around", params=LAST | parameters)
    assert (answer.status_code, message in read(answer.text).text) == (status, True)
