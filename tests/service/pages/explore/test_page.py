"""Explore without scripts: what is here, queries, rows and pages, one event, and events that mean harm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.pages.explore.question import term
from service.pages.rendering import POLICY, visible
from tests.service.conftest import ROOT, Api, make_api
from tests.service.pages.conftest import DAY, HOSTILE, event_page, read, show
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.core.errors import TierError

HEADERS = ["Content-Security-Policy", "X-Frame-Options", "Referrer-Policy", "X-Content-Type-Options", "Vary"]


def test_the_empty_query_shows_what_is_here(filled: Api) -> None:
    page = show(filled, "/explore")
    assert "What is here" in page.text
    assert re.search(r"Events\s*63\s", page.text)
    assert page.links["2025-01-01"] == "/explore?from=2025-01-01&to=2025-01-02"
    assert page.links["auth"] == "/explore?query=source%3D%22auth%22"
    assert page.links["(none)"] == "/explore?query=NOT+source%3D%2A"
    assert "2025-01-03 00:00" in page.text
    assert "Newest events" in page.text


def test_the_first_address_leads_there(filled: Api) -> None:
    answer = filled.client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/explore")


def test_a_link_of_the_overview_finds_its_events(filled: Api) -> None:
    page = show(filled, "/explore")
    assert "login" not in page.text
    found = read(filled.client.get(page.links["auth"]).text)
    assert "evil" in found.text
    assert "GET /" not in found.text


@pytest.mark.parametrize(
    ("parameters", "found", "missing"),
    [
        pytest.param({"query": "GET /7"}, "GET /7", "GET /8", id="query"),
        pytest.param({"query": "", "from": "2025-01-02", "to": "2025-01-03"}, "wide", "GET /", id="range"),
        pytest.param({"last": "1s"}, "No event is of the last 1s", "GET /", id="last"),
        pytest.param({"query": "status=500"}, "No event matches", "GET /", id="nothing"),
    ],
)
def test_queries(filled: Api, parameters: dict[str, str], found: str, missing: str) -> None:
    page = show(filled, "/explore", **parameters)
    assert found in page.text
    assert missing not in page.text
    assert "What is here" not in page.text


def test_pages_of_rows_forth_and_back(filled: Api) -> None:
    first = show(filled, "/explore", query="GET")
    second = read(filled.client.get(first.links["Older"]).text)
    texts = re.findall(r"GET /\d+", first.text) + re.findall(r"GET /\d+", second.text)
    assert texts == [f"GET /{number}" for number in reversed(range(60))]
    assert second.one("input", id="query")["value"] == "GET"
    assert "Older" not in second.links
    back = read(filled.client.get(second.links["Newer"]).text)
    assert re.findall(r"GET /\d+", back.text) == re.findall(r"GET /\d+", first.text)


WRONG = [
    pytest.param({"query": "status=404 AND ("}, 400, "character 17", id="query"),
    pytest.param({"query": '"<script>'}, 400, "query", id="query-as-text"),
    pytest.param({"from": "soon"}, 400, "from: 'soon' is not a time", id="from"),
    pytest.param({"last": "x"}, 400, "last: ", id="last"),
    pytest.param({"last": "1d", "from": "2025-01-01"}, 400, "goes without", id="both"),
    pytest.param({"tier": "warm"}, 400, "tier", id="tier"),
    pytest.param({"columns": "#nothing"}, 400, "columns: #nothing", id="columns"),
    pytest.param({"cursor": "x"}, 400, "is not a cursor", id="cursor"),
]


@pytest.mark.parametrize(("parameters", "status", "message"), WRONG)
def test_what_is_wrong_is_shown_beside_what_was_typed(
    filled: Api, parameters: dict[str, str], status: int, message: str
) -> None:
    answer = filled.ask("GET", "/explore", params=parameters)
    page = read(answer.text)
    assert (answer.status_code, page.one("div", id="failure")["role"]) == (status, "alert")
    assert message in page.text
    assert page.one("input", id="query")["value"] == parameters.get("query", "")
    assert page.one("input", id="from")["value"] == parameters.get("from", "")
    assert all(one.get("src", "").startswith("/static/") for one in page.all("script"))


def test_the_place_of_an_error_is_marked(filled: Api) -> None:
    answer = filled.ask("GET", "/explore", params={"query": "a OR ) b"})
    assert "a OR <mark>)</mark> b" in answer.text


def test_a_tier_that_fails_and_a_tier_without_events(filled: Api, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TierError("can't be read")

    monkeypatch.setattr("service.api.search.pages.read_page", fail)
    answer = filled.ask("GET", "/explore", params={"query": "x"})
    assert (answer.status_code, answer.headers["Retry-After"], "can&#39;t be read" in answer.text) == (503, "5", True)
    empty = api.ask("GET", "/explore")
    assert (empty.status_code, "There are no events here yet" in empty.text) == (404, True)


def test_a_part_for_htmx(filled: Api) -> None:
    answer = filled.ask("GET", "/explore", params={"query": "GET"}, headers={"HX-Request": "true"})
    assert answer.text.lstrip().startswith("<div")
    assert "<html" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        *("/explore", "/explore?query=(", "/explore/event?id=x&time=2025-01-01", "/explore/histogram"),
        *("/explore/patterns", "/explore/fields", "/explore/field?name=host", "/explore/around?id=x&time=2025-01-01"),
        *("/login", "/pages/jobs", "/pages/jobs/x", "/pages/keys", "/pages/x"),
    ],
)
def test_every_page_has_the_headers_and_the_frame(filled: Api, path: str) -> None:
    answer = filled.client.get(path)
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert all(name in answer.headers for name in HEADERS)
    page = read(answer.text)
    names = ["Explore", "Backfill", "Jobs", "Pipelines", "Retention", "Keys"]
    assert [name for name in page.links if name in names] == names
    assert page.links["Skip to the content"] == "#content"
    assert page.one("main")["id"] == "content"
    assert len(page.all("h1")) == 1
    assert page.one("html")["lang"] == "en"
    for name, attributes in page.elements:
        assert "style" not in attributes, name
        assert not [one for one in attributes if one.startswith("on")], name
    assert all(one.get("src", "").startswith("/static/") for one in page.all("script"))


def test_columns_of_ones_choice(filled: Api) -> None:
    page = show(filled, "/explore", query="GET /7", columns="status,nowhere,#format,#time")
    assert re.search(r"status.*nowhere.*#format.*Message.*200\s*2025-01-01T00:00:07Z", page.text, re.DOTALL)
    assert "Host" not in page.text
    assert page.links["No column: nowhere"] == "/explore?query=GET+%2F7&columns=status%2C%23format%2C%23time"
    kept = {one["value"] for one in page.all("input") if one.get("name") == "columns"}  # in the form, and to save it
    assert kept == {"status,nowhere,#format,#time"}
    assert "What is here" in show(filled, "/explore", columns="status").text
    assert "No column: host" not in show(filled, "/explore").links


def test_fields_have_labels(filled: Api) -> None:
    for path in ("/explore", "/explore/fields", "/login", "/pages/jobs", "/pages/keys"):
        page = show(filled, path)
        labelled = {one["for"] for one in page.all("label")}
        fields = page.all("input") + page.all("select")
        assert {one["id"] for one in fields if one.get("type") != "hidden"} == labelled


def test_events_that_mean_harm_are_text(filled: Api) -> None:
    rows, page = show(filled, "/explore", query="evil"), event_page(filled, "evil")
    for one in (rows, page):
        assert visible(HOSTILE) in one.text
        assert "\u202e" not in one.text
        assert "\x1b" not in one.text
        assert all(script.get("src", "").startswith("/static/") for script in one.all("script"))
        assert one.all("b") == []


VALUES = ["a", "a b", 'a"b', "a\\", "\\*", "*", "(x)", "OR", "é☃", "a*b", "x" * 500]
NAMES = ["status", "user agent", "a`b", "message", "host.name", "#x", "_x"]


def test_conditions_find_their_value_alone(tmp_path: Path) -> None:
    api = make_api(tmp_path)
    by_value = [event(DAY, f"value {number}", status=value) for number, value in enumerate(VALUES)]
    by_name = [event(DAY, f"name {number}", **{name: "here"}) for number, name in enumerate(NAMES)]
    Tier(api.service.tier).add([*by_value, *by_name])
    asked = [(term("status", value), f"value {number}") for number, value in enumerate(VALUES)]
    rows = {row["_message"]: row for row in api.ask("GET", "/search").json()["rows"]}
    for number, name in enumerate(NAMES):
        (key,) = [key for key, value in rows[f"name {number}"].items() if value == "here"]
        assert key.removeprefix("attributes.") == name
        asked.append((term(key, "here"), f"name {number}"))
    for condition, message in asked:
        found = api.ask("GET", "/search", params={"query": condition}).json()["rows"]
        assert [row["_message"] for row in found] == [message], condition


def test_no_template_leaves_out_escaping() -> None:
    templates = sorted((ROOT / "service/pages/templates").rglob("*.html"))
    assert templates
    assert not [path for path in templates if "safe" in path.read_text("utf-8")]


def test_the_last_day_of_all_has_none_after_it(api: Api) -> None:
    Tier(api.service.tier).add([event(DAY, "begins")], [event("9999-12-31T12:00:00", "never ends")])
    page = show(api, "/explore")
    assert page.links["9999-12-31"] == "/explore?from=9999-12-31"
    assert "never ends" in show(api, page.links["9999-12-31"]).text


def test_an_address_without_a_page_is_told_as_one(filled: Api) -> None:
    page = read(filled.client.get("/pages/nothing").text)
    assert "There is no page at this address" in page.text
    assert page.links["Explore"] == "/explore"


def test_an_attribute_leads_to_all_events_that_have_its_value(filled: Api) -> None:
    links = event_page(filled, "evil").links
    assert links["All events with this source"] == "/explore?query=source%3D%22auth%22"
