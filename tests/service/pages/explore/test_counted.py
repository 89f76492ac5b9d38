"""The parts of Explore that count: the histogram and the facets, with and without scripts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from service.pages.explore.chart import draw, ranges_beside, span_text
from service.pages.explore.levels import meaning_of
from service.pages.rendering import visible
from tests.service.conftest import Api, make_api
from tests.service.pages.conftest import HOSTILE, Page, read, show
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.core.errors import TierError

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def part(api: Api, name: str, **parameters: str) -> Page:
    """Return a part as scripts ask for it."""
    answer = api.ask("GET", f"/explore/{name}", params=parameters, headers={"HX-Request": "true"})
    assert (answer.status_code, "<html" in answer.text) == (200, False), answer.text
    return read(answer.text)


def bars(page: Page) -> list[dict[str, str]]:
    return [one for one in page.all("a") if "data-from" in one]


def test_explore_loads_each_part_on_its_own(filled: Api) -> None:
    page = show(filled, "/explore", query="GET", by="status")
    asked = [one["hx-get"] for one in page.all("section") if "hx-get" in one]
    assert asked == ["/explore/histogram?query=GET&by=status", "/explore/facets?query=GET&by=status"]
    assert page.links["Count them over time"] == asked[0]
    assert page.links["Count their values"] == asked[1]
    assert len([one for one in page.all("button") if "data-stop" in one]) == 4


def test_bars_are_links_that_zoom_in(filled: Api) -> None:
    page = part(filled, "histogram")
    assert re.search(r"63 events", page.text)
    labels = [one["aria-label"] for one in bars(page)]
    assert "2025-01-02 00:00:00.000: 2 events, error 1" in labels
    found = read(filled.client.get(bars(page)[labels.index("2025-01-02 00:00:00.000: 2 events, error 1")]["href"]).text)
    assert ("wide" in found.text, "GET /" in found.text) == (True, False)
    assert [one["tabindex"] for one in bars(page)].count("0") == 1


def test_bars_are_coloured_by_any_attribute(filled: Api) -> None:
    page = part(filled, "histogram", by="status")
    assert {"error", "warning", "info", "others"} & {one["class"] for one in page.all("rect")} == {
        *("warning", "info", "others"),
    }
    assert re.search(r"200\s+60", page.text)


def test_a_range_has_its_neighbours(filled: Api) -> None:
    page = part(filled, "histogram", **{"from": "2025-01-02", "to": "2025-01-03", "query": "e"})
    earlier = page.links["← Earlier"]
    assert earlier == "/explore?query=e&from=2025-01-01T00%3A00%3A00Z&to=2025-01-02T00%3A00%3A00Z"
    assert page.links["Zoom out"] == "/explore?query=e&from=2025-01-01T12%3A00%3A00Z&to=2025-01-03T12%3A00%3A00Z"
    assert page.links["All time"] == "/explore?query=e"
    assert "Zoom out" not in part(filled, "histogram").links


def test_facets_refine(filled: Api) -> None:
    page = part(filled, "facets", query="evil OR GET")
    assert page.links["Only events with host web-1"] == "/explore?query=%28evil+OR+GET%29+host%3D%22web-1%22"
    assert page.links["Only events without host web-1"] == "/explore?query=%28evil+OR+GET%29+NOT+host%3D%22web-1%22"
    assert page.links["Colour the bars by host"] == "/explore?query=evil+OR+GET&by=host"
    found = read(filled.client.get(page.links["Only events without host web-1"]).text)
    assert ("evil" in found.text, "GET /" in found.text) == (True, False)


def test_values_have_bars_by_their_counts(filled: Api) -> None:
    page = part(filled, "facets", query="GET OR evil")
    widths = [one["width"] for one in page.all("rect")]
    assert {"100.0", "1.7"} <= set(widths)
    assert "Only events with status 200" in page.links


def test_chosen_values_come_first_and_stay_in_the_address(filled: Api) -> None:
    page = part(filled, "facets", query="GET", facets="nowhere,host")
    assert page.text.index("nowhere") < page.text.index("host") < page.text.index("status")
    assert "No event here has it" in page.text
    assert page.links["Hide nowhere"] == "/explore?query=GET&facets=host"
    assert page.links["Only events with host web-1"] == "/explore?query=GET+host%3D%22web-1%22&facets=nowhere%2Chost"
    assert {
        one["value"] for one in show(filled, "/explore", facets="host").all("input") if one.get("name") == "facets"
    } == {"host"}
    assert "What is here" in show(filled, "/explore", facets="host").text


def test_names_in_back_quotes_are_counted(tmp_path: Path) -> None:
    api = make_api(tmp_path)
    names = ["user agent", "a`b", "a,b"]
    Tier(api.service.tier).add([event(DAY, "x", **dict.fromkeys(names, value)) for value in ("k6", "k6", "curl")])
    page = part(api, "facets")
    for name in ("`user agent`", "`a``b`", "`a,b`"):
        found = read(api.client.get(page.links[f"Only events with {name} curl"]).text)
        assert len([one for one in found.all("a") if one["href"].startswith("/explore/event")]) == 1
    chosen = part(api, "facets", facets="`a,b`,`user agent`")
    assert chosen.links["Hide `a,b`"] == "/explore?facets=%60user+agent%60"
    assert re.search(r"k6\s+2", part(api, "histogram", by="`a,b`").text)


def test_messages_by_their_shape(filled: Api) -> None:
    page = part(filled, "patterns")
    assert "of 63 messages" in page.text
    assert re.search(r"60\s*95.2 %\s*GET /\*", page.text)
    found = read(filled.client.get(page.links["GET /*"]).text)
    assert ("GET /5" in found.text, "evil" in found.text) == (True, False)
    assert "wide" in read(filled.client.get(page.links["Only events without this shape: GET /*"]).text).text
    assert "No event that matches" in part(filled, "patterns", query="nowhere").text


def test_views_keep_the_question(filled: Api) -> None:
    for path, current in (("/explore", "Events"), ("/explore/patterns", "Patterns"), ("/explore/fields", "Attributes")):
        page = show(filled, path, query="GET", columns="status")
        assert page.links["Events"] == "/explore?query=GET&columns=status"
        assert page.links["Patterns"] == "/explore/patterns?query=GET&columns=status"
        assert page.links["Attributes"] == "/explore/fields?query=GET&columns=status"
        marked = page.one("a", **{"aria-current": "true"})
        assert page.links[current] == marked["href"]


@pytest.mark.parametrize("name", ["histogram", "facets"])
def test_nothing_found(filled: Api, name: str) -> None:
    page = part(filled, name, query="nowhere")
    assert bars(page) == []
    assert ("0 events" if name == "histogram" else "no attribute") in page.text


@pytest.mark.parametrize("name", ["histogram", "facets"])
def test_without_scripts_a_part_is_a_page(filled: Api, name: str) -> None:
    page = show(filled, f"/explore/{name}", query="GET")
    assert page.links["To the events"] == "/explore?query=GET"
    assert page.one("input", id="query")["value"] == "GET"
    assert len(page.all("h1")) == 1
    assert all("style" not in one for _, one in page.elements)


@pytest.mark.parametrize("name", ["histogram", "facets", "patterns", "fields"])
def test_a_part_that_fails_leaves_the_others(filled: Api, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TierError("can't be read")

    for counted in ("counted.histogram_query", "counted.fields_query", "counted.pattern_query", "fields.fields_query"):
        monkeypatch.setattr(f"service.pages.explore.{counted}", lambda *_: fail)
    answer = filled.ask("GET", f"/explore/{name}", params={"query": "x"}, headers={"HX-Request": "true"})
    page = read(answer.text)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "can't be read" in page.text
    assert page.links["Try again"] == f"/explore/{name}?query=x"
    assert filled.ask("GET", "/explore", params={"query": "x"}).status_code == 200


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("histogram", {"query": "("}, "query"),
        ("histogram", {"by": "#nothing"}, "by: #nothing"),
        ("histogram", {"tier": "warm"}, "tier: "),
        ("facets", {"from": "soon"}, "from: 'soon'"),
        ("facets", {"facets": "#nothing"}, "facets: #nothing"),
        ("patterns", {"query": "("}, "query"),
        ("fields", {"last": "x"}, "last: "),
        ("field", {"name": "#nothing"}, "name: #nothing"),
    ],
)
def test_what_is_wrong_is_shown(filled: Api, name: str, parameters: dict[str, str], message: str) -> None:
    answer = filled.ask("GET", f"/explore/{name}", params=parameters, headers={"HX-Request": "true"})
    assert (answer.status_code, message in read(answer.text).text) == (400, True)


def test_values_that_mean_harm_are_text(filled: Api) -> None:
    page = part(filled, "facets", query="evil")
    assert [one for one in page.links if '<b>"' in one]
    assert page.all("b") == [{} for _ in page.all("b")]
    drawn = part(filled, "histogram", query="evil", by="#message")
    assert any(visible(HOSTILE)[:40] in one["aria-label"] for one in bars(drawn))
    assert not [one for one in bars(drawn) if "\u202e" in one["aria-label"]]
    assert drawn.all("script") == []


def test_no_part_without_a_key(api: Api) -> None:
    api.key("admin")
    answer = api.ask("GET", "/explore/facets", headers={"HX-Request": "true"})
    assert (answer.text, answer.headers["HX-Redirect"]) == ("", "/login?next=%2Fexplore%2Ffacets")


def answer_of(*counts: tuple[int, tuple[int, ...]], by: tuple[str, ...]) -> dict[str, Any]:
    drawn = [
        {"from": DAY + number * HOUR, "to": DAY + (number + 1) * HOUR, "count": count, "by": each}
        for number, (count, each) in enumerate(counts)
    ]
    return {"count": sum(count for count, _ in counts), "span": 3600.0, "by": by, "bars": drawn}


def test_a_drawing_stacks_errors_first_and_the_rest_last() -> None:
    drawn = draw(answer_of((10, (6, 2)), (0, (0, 0)), by=("info", "error")))
    assert [(one["kind"], one["y"], one["height"]) for one in drawn["bars"][0]["parts"]] == [
        ("error", 80.0, 20.0),
        ("info", 20.0, 60.0),
        ("others", 0.0, 20.0),
    ]
    assert drawn["bars"][1]["parts"] == []
    assert [(one["value"], one["count"]) for one in drawn["legend"]] == [("error", 2), ("info", 6), ("other", 2)]
    assert (drawn["width"], drawn["most"], drawn["span"]) == (20, 10, "hour")


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        *(("ERROR", "error"), ("503", "error"), ("warn", "warning"), ("404", "warning"), ("info", "info")),
        *(("200", "info"), ("debug", "quiet"), ("5000", ""), ("web-1", ""), ("", "")),
    ],
)
def test_what_values_mean(value: str, meaning: str) -> None:
    assert meaning_of(value) == meaning


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(86400, "day"), (172800, "2 days"), (3600, "hour"), (10800, "3 hours"), (90, "90 seconds"), (0.5, "0.5 seconds")],
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert span_text(seconds) == text


def test_ranges_end_where_time_does() -> None:
    first, last = datetime(1, 1, 2, tzinfo=timezone.utc), datetime(9998, 1, 1, tzinfo=timezone.utc)
    assert ranges_beside(first, last)["out"] == {
        "from": "0001-01-01T00:00:00Z",
        "to": "9999-01-01T00:00:00Z",
        "last": "",
    }
