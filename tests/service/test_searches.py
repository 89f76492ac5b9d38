"""Searches that the tier keeps, by the API."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.service.conftest import Api
from tests.service.test_administration import actor

ASKED = {"query": "status=5*", "last": "24h", "columns": ["host"], "by": "level"}


def put(api: Api, name: str, document: Any, **more: Any) -> Any:
    return api.ask("PUT", f"/searches/{quote(name, safe='')}", json=document, **more)


def test_who_may_read_saves_opens_and_deletes(api: Api) -> None:
    read, ingest = api.key("read"), api.key("ingest")
    saved = put(api, "Errors of today", ASKED, token=read)
    assert (saved.status_code, saved.headers["ETag"]) == (200, '"1"'), saved.text
    expected: dict[str, Any] = {"query": "status=5*", "last": "24h", "columns": ["host"], "by": "level", "tier": "all"}
    expected |= {"from": None, "to": None, "name": "Errors of today", "version": 1, "who": actor(api, "read")}
    assert {name: value for name, value in saved.json().items() if name != "at"} == expected
    shown = api.ask("GET", "/searches/Errors%20of%20today", token=read)
    assert (shown.json(), shown.headers["ETag"]) == (saved.json(), '"1"')
    assert api.ask("GET", "/searches", token=read).json() == {"version": 1, "searches": [saved.json()]}
    for method in ("GET", "PUT", "DELETE"):
        more = {"json": ASKED} if method == "PUT" else {}
        assert api.ask(method, "/searches/Errors%20of%20today", token=ingest, **more).status_code == 403
    gone = api.ask("DELETE", "/searches/Errors%20of%20today", token=read)
    assert (gone.status_code, gone.json()) == (200, saved.json())
    assert api.ask("GET", "/searches", token=read).json() == {"version": 2, "searches": []}
    for method in ("GET", "DELETE"):
        answer = api.ask(method, "/searches/Errors%20of%20today", token=read)
        assert (answer.status_code, answer.json()["error"]["field"]) == (404, "name")


def test_nobody_replaces_what_they_have_not_seen(api: Api) -> None:
    assert put(api, "a", {"query": "x"}).status_code == 200
    refused = put(api, "a", {"query": "y"})
    assert (refused.status_code, refused.json()["error"]["field"]) == (428, "If-Match")
    assert "saved at" in refused.json()["error"]["message"]
    assert put(api, "a", {"query": "x"}).headers["ETag"] == '"1"'
    assert put(api, "a", {"query": "y"}, headers={"If-Match": '"7"'}).status_code == 412
    assert put(api, "a", {"query": "y"}, headers={"If-Match": '"1"'}).headers["ETag"] == '"2"'
    assert api.ask("DELETE", "/searches/a", headers={"If-Match": '"1"'}).status_code == 412
    assert api.ask("DELETE", "/searches/a", headers={"If-Match": '"2"'}).status_code == 200


@pytest.mark.parametrize(
    ("name", "document", "field"),
    [
        ("a", {"query": "status="}, "query"),
        ("a", {"last": "soon"}, "last"),
        ("a", {"last": "1h", "from": "2025-01-01"}, "last"),
        ("a", {"columns": ["#nothing"]}, "columns"),
        ("a", {"by": "#nothing"}, "by"),
        ("a", {"colour": "level"}, "colour"),
        (" a", {}, "name"),
        ("a\u202e", {}, "name"),
    ],
)
def test_what_is_wrong(api: Api, name: str, document: Any, field: str) -> None:
    answer = put(api, name, document)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field), answer.text
    assert api.ask("GET", "/searches").json()["searches"] == []
