"""Search over HTTP, over a small tier: what is answered, what is refused, and what ends a query."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import polars as pl
import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from starlette.types import Message

from service.api.engine import SearchEngine
from service.api.search.answers import (
    FacetList,
    FieldAnswer,
    FieldsAnswer,
    FieldValues,
    HistogramAnswer,
    PatternAnswer,
    UsageAnswer,
)
from service.api.search.statements import SqlAnswer
from service.memory import MemoryShares
from tests.service.conftest import DAY, Api, fill, make_api
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.core.errors import CanceledError, GoneError, TierError
from transforms.hot_tier.configuration.holds import add_hold
from transforms.hot_tier.search.event_file import EventFile
from transforms.hot_tier.search.paging.pages import read_page
from transforms.hot_tier.search.serving.gate import QueryGate
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot

CALLS = [
    "/search",
    "/histogram",
    "/facets?fields=host",
    "/fields",
    "/fields/host",
    "/fields/host/values",
    "/patterns",
    "/export",
    "/usage?by=source",
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Api:
    """A service over six events of two days: statuses 200 and 404, and one without."""
    return fill(make_api(tmp_path_factory.mktemp("search")))


def get(api: Api, path: str, **parameters: Any) -> Any:
    """Return the document of an answer."""
    answer = api.ask("GET", path, params={name.rstrip("_"): value for name, value in parameters.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def messages(page: dict[str, Any]) -> list[str]:
    return [row["_message"] for row in page["rows"]]


def test_one_event_and_those_around_it(filled: Api) -> None:
    (row,) = get(filled, "/search", query='"GET /1"')["rows"]
    path = f"/events/{row['_event_id']}"
    for parameters in ({}, {"time": row["_time"]}):
        assert get(filled, path, **parameters)["event"] == row
        around = get(filled, f"{path}/surrounding", before=1, after=1, **parameters)
        assert around["event"] == row
        assert [[one["_message"] for one in around[side]] for side in ("before", "after")] == [["GET /0"], ["GET /2"]]
    pages = {
        side: get(filled, "/search", query=around["query"], oldestFirst="true", cursor=around[side])
        for side in ("earlier", "later")
    }
    assert [messages(page) for page in pages.values()] == [[], ["GET /3"]]
    whole = get(filled, f"{path}/surrounding", before=5, scope="all", fields="_message")
    assert (whole["query"], whole["earlier"], whole["later"]) == ("", None, None)
    assert [one["_message"] for one in whole["after"]] == ["GET /2", "GET /3", "login of 'eve' failed", "GET /5"]
    assert whole["event"] == {"_message": "GET /1"}


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/events/e_none-0", 404, "eventId"),
        ("/events/e_none-0/surrounding", 404, "eventId"),
        ("/events/e_none-0?time=9999-12-31T23:59:59.999999Z", 404, "eventId"),
        ("/events/e_none-0?time=soon", 400, "time"),
        ("/events/e_none-0/surrounding?scope=user", 400, "scope"),
        ("/events/e_none-0/surrounding?before=501", 400, "before"),
        ("/events/e_none-0/surrounding?fields=%23x", 400, "fields"),
        ("/events/e_none-0/surrounding?cursor=x", 400, "cursor"),
    ],
)
def test_an_event_that_is_not_there(filled: Api, path: str, status: int, field: str) -> None:
    answer = filled.ask("GET", path)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field), answer.text


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        pytest.param({}, ["GET /5", "login of 'eve' failed", "GET /3", "GET /2", "GET /1", "GET /0"], id="all"),
        pytest.param({"query": "status=404"}, ["GET /3", "GET /1"], id="query"),
        pytest.param({"query": "status=404", "oldestFirst": "true"}, ["GET /1", "GET /3"], id="oldest-first"),
        pytest.param({"from_": "2025-01-01T00:02:00Z", "to": "2025-01-01T00:03:00Z"}, ["GET /2"], id="range"),
        pytest.param({"last": "1s"}, ["GET /5"], id="back-from-the-newest"),
        pytest.param({"tier": "cold"}, [], id="cold"),
    ],
)
def test_events(filled: Api, parameters: dict[str, Any], found: list[str]) -> None:
    page = get(filled, "/search", **parameters)
    assert messages(page) == found
    assert page.keys() == {"version", "from", "to", "message", "rows", "next", "previous"}
    assert (page["next"], page["previous"]) == (None, None)


def test_a_range_that_counts_back_is_told(filled: Api) -> None:
    page = get(filled, "/search", last="1s")
    assert page["message"].startswith("No event is of the last 1s.")
    assert page["from"] == "2025-01-02T00:00:00.000001Z"


def test_pages_forth_and_back(filled: Api) -> None:
    first = get(filled, "/search", limit=4)
    second = get(filled, "/search", limit=4, cursor=first["next"])
    assert (messages(second), second["next"]) == (["GET /1", "GET /0"], None)
    assert messages(get(filled, "/search", limit=4, cursor=second["previous"])) == messages(first)
    assert first["version"] == second["version"] == filled.service.engine.snapshots.newest().version


def test_some_fields(filled: Api) -> None:
    page = get(filled, "/search", query="status=404", limit=1, fields="_time,status, host")
    assert page["rows"] == [{"_time": "2025-01-01T00:03:00Z", "status": "404", "host": "web-1"}]


def test_histogram_and_facets_by_one_scan(filled: Api) -> None:
    found = get(filled, "/histogram", span="1d", by="status", groups=1, facets="host,#timeSource")
    HistogramAnswer.model_validate(found)
    assert [(bar["from"], bar["count"], bar["by"]) for bar in found["bars"]] == [
        ("2025-01-01T00:00:00Z", 4, [2]),
        ("2025-01-02T00:00:00Z", 2, [1]),
    ]
    assert (found["by"], found["span"], found["count"]) == (["200"], 86400.0, 6)
    hosts = {"field": "host", "events": 5, "distinct": 2, "isExact": True}
    assert found["facets"][0] == hosts | {"values": [{"value": "web-1", "count": 4}, {"value": "web-2", "count": 1}]}
    assert found["facets"][1]["values"] == [{"value": "record", "count": 6}]


def test_facets(filled: Api) -> None:
    found = get(filled, "/facets", fields=["host", "status"], query="status=404", limit=1)
    FacetList.model_validate(found)
    assert found["count"] == 2
    assert [(one["field"], one["values"]) for one in found["facets"]] == [
        ("host", [{"value": "web-1", "count": 2}]),
        ("status", [{"value": "404", "count": 2}]),
    ]


def test_nothing_that_matches_is_no_error(filled: Api) -> None:
    found = get(filled, "/histogram", query="status=500", facets="host", tier="cold")
    assert (found["count"], found["bars"], found["span"], found["facets"][0]["values"]) == (0, [], None, [])


def test_fields(filled: Api) -> None:
    found = get(filled, "/fields")
    FieldsAnswer.model_validate(found)
    assert [(one["name"], one["events"]) for one in found["fields"]] == [("host", 5), ("status", 5), ("source", 1)]
    named = get(filled, "/fields", prefix="S", query="status=404")["fields"]
    assert named == [{"name": "status", "events": 2}]
    assert {"name": "#time", "events": None} in get(filled, "/fields", prefix="#ti")["fields"]


def test_a_field_and_its_values(filled: Api) -> None:
    found = get(filled, "/fields/status", limit=1)
    FieldAnswer.model_validate(found)
    assert (found["events"], found["distinct"], found["values"], found["rare"]) == (
        5,
        2,
        [{"value": "200", "count": 3}],
        [{"value": "404", "count": 2}],
    )
    begun = get(filled, "/fields/status/values", prefix="4")
    FieldValues.model_validate(begun)
    assert begun["values"] == [{"value": "404", "count": 2}]
    assert get(filled, "/fields/a%2Fb.c")["events"] == 0


def test_patterns(filled: Api) -> None:
    found = get(filled, "/patterns")
    PatternAnswer.model_validate(found)
    assert [(one["shape"], one["count"], one["query"]) for one in found["patterns"]] == [
        ("GET /*", 5, '"GET /"'),
        ("login of * failed", 1, '"login of * failed"'),
    ]


def test_usage(filled: Api) -> None:
    by_day, by_source = get(filled, "/usage"), get(filled, "/usage", by="source")
    UsageAnswer.model_validate(by_day)
    assert [(row["value"], row["events"]) for row in by_day["rows"]] == [("2025-01-01", 4), ("2025-01-02", 2)]
    assert {(row["value"], row["events"]) for row in by_source["rows"]} == {(None, 5), ("auth", 1)}
    assert (by_day["events"], by_day["files"]) == (6, 2)


REFUSED = [
    pytest.param("/search", {"query": "status=404 AND ("}, "query", "query, character 17: ", id="query"),
    pytest.param("/search", {"from": "soon"}, "from", "from: 'soon' is not a time", id="from"),
    pytest.param("/search", {"to": "2025-13-01"}, "to", "to: '2025-13-01' is not a time", id="to"),
    pytest.param("/search", {"last": "soon"}, "last", 'last: "soon" is not a length of time', id="last"),
    pytest.param("/search", {"last": "999999d"}, "last", "longer than there are dates", id="long-last"),
    pytest.param("/search", {"last": "1d", "to": "2025-01-01"}, "last", "goes without from and to", id="both"),
    pytest.param("/search", {"from": "2025-01-02", "to": "2025-01-01"}, "from", "later than to", id="backwards"),
    pytest.param("/search", {"tier": "warm"}, "tier", "'hot', 'cold' or 'all'", id="tier"),
    pytest.param("/search", {"quer": "x"}, "quer", "quer: ", id="unknown"),
    pytest.param("/search", {"limit": "1001"}, "limit", "less than or equal to 1000", id="limit"),
    pytest.param("/search", {"cursor": "x"}, "cursor", "is not a cursor", id="cursor"),
    pytest.param("/search", {"fields": "#nothing"}, "fields", "not a system attribute", id="fields"),
    pytest.param("/search", {"fields": ",".join(map(str, range(51)))}, "fields", "at most 50", id="many-fields"),
    pytest.param("/histogram", {"span": "x"}, "span", 'span: "x" is not a length of time', id="span"),
    pytest.param("/histogram", {"span": "1s"}, "span", "span: ", id="many-bars"),
    pytest.param("/histogram", {"by": "#nothing"}, "by", "by: #nothing is not a system attribute", id="by"),
    pytest.param("/facets", {}, "fields", "Field required", id="no-facets"),
    pytest.param("/facets", {"fields": ","}, "fields", "name at least one field", id="empty-facets"),
    pytest.param("/fields/%23nothing", {}, "name", "not a system attribute", id="field"),
    pytest.param("/fields", {"limit": "0"}, "limit", "greater than or equal to 1", id="fields-limit"),
    pytest.param("/usage", {"by": "moon"}, "by", "'day'", id="usage"),
]


@pytest.mark.parametrize(("path", "parameters", "field", "message"), REFUSED)
def test_refused(filled: Api, path: str, parameters: dict[str, str], field: str, message: str) -> None:
    answer = filled.ask("GET", path, params=parameters)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["field"] == field
    assert message in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", CALLS)
def test_a_tier_without_events(api: Api, path: str) -> None:
    answer = api.ask("GET", path)
    assert (answer.status_code, "no events yet" in answer.text) == (404, True)


@pytest.mark.parametrize("path", CALLS[:-1])  # the log answers the last
def test_a_query_that_takes_too_long(filled: Api, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(filled.service, "engine", SearchEngine(filled.service.tier, seconds=0))
    answer = filled.ask("GET", path)
    assert answer.status_code == 504, answer.text
    assert answer.json()["error"]["message"].startswith("the query took longer than 0 s")


def test_too_many_wait(filled: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = QueryGate(1, most_waiting=0)
    gate._running = 1
    monkeypatch.setattr(filled.service.engine, "gate", gate)
    answer = filled.ask("GET", "/search")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "try again in a while" in answer.json()["error"]["message"]


def test_a_file_that_is_gone_is_looked_for_in_a_newer_version(filled: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [GoneError("removed")]

    def fail_once(*given: Any, **named: Any) -> Any:
        if failures:
            raise failures.pop()
        return read_page(*given, **named)

    monkeypatch.setattr("service.api.search.pages.read_page", fail_once)
    assert len(get(filled, "/search")["rows"]) == 6


def post_sql(api: Api, sql: object, **fields: object) -> Any:
    return api.ask("POST", "/sql", json={"sql": sql, **fields})


def test_a_statement(filled: Api) -> None:
    answer = post_sql(filled, "SELECT status, count(*) AS n, max(_time) AS t FROM events GROUP BY 1 ORDER BY 1")
    assert answer.status_code == 200, answer.text
    SqlAnswer.model_validate(answer.json())
    assert (answer.json()["columns"], answer.json()["isComplete"]) == (["status", "n", "t"], True)
    assert answer.json()["rows"] == [
        {"status": "200", "n": 3, "t": "2025-01-02T00:00:01Z"},
        {"status": "404", "n": 2, "t": "2025-01-01T00:03:00Z"},
        {"status": None, "n": 1, "t": "2025-01-02T00:00:00Z"},
    ]


@pytest.mark.parametrize(
    ("select", "value"),
    [
        ("170141183460469231731687303715884105727::HUGEINT", 170141183460469231731687303715884105727),
        ("1.50::DECIMAL(4, 2)", 1.5),
        ("'NaN'::DOUBLE", None),
        ("'\\xFF'::BLOB", "\\xFF"),
        ("[1, 2]", [1, 2]),
        ("MAP {'a': 1}", {"a": 1}),
        ("'infinity'::TIMESTAMP", "infinity"),
        ("attributes['host']", "web-2"),
    ],
)
def test_values_of_statements(filled: Api, select: str, value: object) -> None:
    answer = post_sql(filled, f"SELECT {select} AS v FROM events ORDER BY _time DESC LIMIT 1")
    assert answer.json()["rows"] == [{"v": value}], answer.text


@pytest.mark.parametrize(
    ("rows", "limit", "is_complete"), [(5, 5, True), (6, 5, False), (20_000, 10_000, False), (0, 1, True)]
)
def test_rows_beyond_the_limit(filled: Api, rows: int, limit: int, *, is_complete: bool) -> None:
    answer = post_sql(filled, f"SELECT * FROM range({rows})", limit=limit).json()
    assert (len(answer["rows"]), answer["isComplete"]) == (min(rows, limit), is_complete)


def test_bytes_beyond_the_limit(filled: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.api.search.statements.MOST_BYTES", 5_000)
    answer = post_sql(filled, "SELECT repeat('x', 1000) FROM range(50)").json()
    assert (len(answer["rows"]), answer["isComplete"]) == (5, False)


@pytest.mark.parametrize(
    ("document", "field", "message"),
    [
        ({}, "sql", "is required"),
        ({"sql": 5}, "sql", "sql"),
        ({"sql": ""}, "sql", "found no statements"),
        ({"sql": "SELECT 1; SELECT 2"}, "sql", "found 2 statements"),
        ({"sql": "DROP VIEW events"}, "sql", "found DROP"),
        ({"sql": "SELECT hosts FROM events"}, "sql", "attributes['hosts']"),
        ({"sql": "SELECT 'x'::INT"}, "sql", "Could not convert"),
        ({"sql": "FROM read_csv('/etc/passwd')"}, "sql", "disabled"),
        ({"sql": "SELECT 1", "limit": 0}, "limit", "limit"),
        ({"sql": "SELECT 1", "most": 5}, "most", "unknown field"),
    ],
)
def test_statements_that_are_refused(filled: Api, document: dict[str, Any], field: str, message: str) -> None:
    answer = filled.ask("POST", "/sql", json=document)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field), answer.text
    assert message in answer.json()["error"]["message"]


def test_a_statement_that_takes_too_long(filled: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled.service, "engine", SearchEngine(filled.service.tier, seconds=0.2))
    answer = post_sql(filled, "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = 7")
    assert (answer.status_code, "took longer than 0.2 s" in answer.text) == (504, True)


def test_a_statement_that_needs_too_much(filled: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = SearchEngine(filled.service.tier, memory=MemoryShares(sql=32 << 20))
    monkeypatch.setattr(filled.service, "engine", engine)
    answer = post_sql(filled, "SELECT list(range::VARCHAR || 'a longer text than that') FROM range(10000000)")
    message = answer.json()["error"]["message"]
    assert (answer.status_code, "raise `rekindle serve --memory`" in message) == (400, True), answer.text


FORMS = [
    pytest.param("ndjson", "application/x-ndjson", lambda data: pl.read_ndjson(data), id="ndjson"),
    pytest.param("csv", "text/csv; charset=utf-8", lambda data: pl.read_csv(data, infer_schema=False), id="csv"),
    pytest.param("parquet", "application/vnd.apache.parquet", lambda data: pl.read_parquet(data), id="parquet"),
]


@pytest.mark.parametrize(("form", "kind", "read"), FORMS)
@pytest.mark.parametrize("fields", ["", "_message,host"], ids=["all", "fields"])
def test_exports(filled: Api, form: str, kind: str, read: Callable[[bytes], pl.DataFrame], fields: str) -> None:
    answer = filled.ask("GET", "/export", params={"format": form, "fields": fields, "query": "GET", "limit": 4})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="events.{form}"'
    frame = read(answer.content)
    assert frame["_message"].to_list() == ["GET /5", "GET /3", "GET /2", "GET /1"]
    assert not fields or frame.columns == ["_message", "host"]


@pytest.mark.parametrize(("form", "rows"), [("ndjson", 0), ("csv", 1), ("parquet", None)])
def test_an_export_of_nothing(filled: Api, form: str, rows: int | None) -> None:
    answer = filled.ask("GET", "/export", params={"format": form, "query": "nothing"})
    assert answer.status_code == 200
    assert len(answer.content.splitlines()) == rows if rows is not None else pl.read_parquet(answer.content).is_empty()


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
def test_an_export_that_fails_before_its_first_event(filled: Api, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    def fail(*_: object) -> None:
        raise TierError("can't be read")

    monkeypatch.setattr(EventFile, "read", fail)
    answer = filled.ask("GET", "/export", params={"format": form})
    assert (answer.status_code, answer.json()["error"]["message"]) == (503, "can't be read")


def test_an_export_that_fails_later_is_broken_off(filled: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_later(*_: object, **__: object) -> Iterator[bytes]:
        yield from (b"1", b"2", b"3")
        raise TierError("can't be read")

    monkeypatch.setattr("service.api.search.exports.export_events", fail_later)
    with (
        pytest.raises(RuntimeError, match="already started"),
        TestClient(filled.client.app, base_url="http://127.0.0.1:8080") as client,
    ):
        client.get("/export")


async def stay() -> Message:
    """Receive nothing, as from a client that waits."""
    await asyncio.Event().wait()
    return {"type": "http.disconnect"}


def test_an_export_that_is_left_ends(filled: Api) -> None:
    ended: list[bool] = []

    def endless(_: Snapshot, stop: StopSignal) -> Generator[bytes, None, None]:
        try:
            while True:
                stop.check()
                yield b"part"
        finally:
            ended.append(True)

    async def leave() -> None:
        request = Request({"type": "http"}, receive=stay)
        stream = await filled.service.engine.stream(request, endless)
        assert await anext(stream) == b"part"
        await stream.aclose()

    asyncio.run(leave())
    assert (ended, filled.service.engine.gate.running) == ([True], 0)


def test_a_query_whose_client_leaves_is_canceled(filled: Api) -> None:
    begun = threading.Event()

    def endless(_: Snapshot, stop: StopSignal) -> None:
        while True:
            begun.set()
            stop.check()

    async def leave() -> Message:
        return {"type": "http.disconnect"} if begun.is_set() else await stay()

    async def ask() -> None:
        await filled.service.engine.run(Request({"type": "http"}, receive=leave), endless)

    with pytest.raises(CanceledError):
        asyncio.run(ask())
    assert filled.service.engine.gate.running == 0


@pytest.mark.parametrize("limit", [1, 5])
def test_the_audit(api: Api, limit: int) -> None:
    assert get(api, "/audit") == {"rows": []}
    Tier(api.service.tier).add([event(DAY, "m")])
    for name in ("one", "two"):
        add_hold(api.service.tier, name=name, when="host=a")
    rows = get(api, "/audit", limit=limit)["rows"]
    assert [row["rule"] for row in rows] == ["two", "one"][:limit]
