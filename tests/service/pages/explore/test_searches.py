"""Saved searches on Explore without scripts: save, open, replace, delete and save again."""

from __future__ import annotations

from typing import Any

import pytest

from service.pages.sessions import COOKIE, PROOF
from tests.service.conftest import Api, fill
from tests.service.pages.conftest import Page, read, show

OWN = {"Origin": "http://127.0.0.1:8080"}
ASKED = {"query": "status=404", "last": "24h", "by": "host"}


def send(api: Api, path: str, **form: Any) -> Any:
    """Send a form as a browser does that has no key."""
    path = f"/explore/searches{path}"
    return api.client.post(path, data={PROOF: "", **form}, headers=OWN, follow_redirects=False)


def form_of(page: Page, action: str) -> bool:
    return any(one.get("action") == action for one in page.all("form"))


def test_from_saving_to_deleting(api: Api) -> None:
    fill(api)
    page = show(api, "/explore", **ASKED)
    assert form_of(page, "/explore/searches")
    saved = send(api, "", name=" Not found ", **ASKED)
    assert (saved.status_code, saved.headers["Location"]) == (
        303,
        "/explore?query=status%3D404&last=24h&by=host&saved=Not+found",
    )
    assert "Saved as “Not found”" in read(api.ask("GET", saved.headers["Location"]).text).text
    listed = show(api, "/explore/searches")
    assert "last 24h" in listed.text
    opened = listed.links["Not found"]
    assert opened == "/explore?query=status%3D404&last=24h&by=host"
    assert "GET /3" in read(api.ask("GET", opened).text).text
    part = api.ask("GET", "/explore/searches", headers={"HX-Request": "true"}).text
    assert ("Not found" in part, "<html" in part) == (True, False)
    version = listed.one("input", name="version")["value"]
    gone = send(api, "/delete", name="Not found", version=version)
    assert gone.status_code == 303
    left = read(api.ask("GET", gone.headers["Location"]).text)
    assert "No search is saved yet" in left.text
    again = {one["name"]: one["value"] for one in left.all("input") if "value" in one}
    assert send(api, "", **again).status_code == 303
    assert show(api, "/explore/searches").links["Not found"] == opened


def test_one_of_the_same_name_is_shown_before_it_is_replaced(api: Api) -> None:
    fill(api)
    assert send(api, "", name="a", query="status=404").status_code == 303
    assert send(api, "", name="a", query="status=404").status_code == 303
    asked = send(api, "", name="a", query="status=200")
    page = read(asked.text)
    assert (asked.status_code, "Replace “a”?" in page.text, "status=404" in page.text) == (409, True, True)
    assert page.one("input", name="name", value="a", id="name")
    replaced = page.one("input", name="replace")["value"]
    send(api, "", name="a", query="status=500", replace=replaced)
    late = send(api, "", name="a", query="status=200", replace=replaced)
    assert (late.status_code, "status=500" in late.text) == (409, True)
    version = read(late.text).one("input", name="replace")["value"]
    assert send(api, "", name="a", query="status=200", replace=version).status_code == 303
    assert show(api, "/explore/searches").links["a"] == "/explore?query=status%3D200"
    assert send(api, "/delete", name="a", version=replaced).status_code == 412
    assert send(api, "/delete", name="none").status_code == 404


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"name": ""}, "give the search a name"),
        ({"name": "a/b"}, "/ and"),
        ({"name": "a", "query": "status="}, "status="),
    ],
    ids=["no name", "a character", "the query"],
)
def test_what_is_wrong_stands_beside_what_was_typed(api: Api, form: dict[str, str], text: str) -> None:
    answer = send(api, "", **{"query": "x"} | form)
    page = read(answer.text)
    assert (answer.status_code, text in page.text) == (400, True)
    assert page.one("input", id="name").get("value", "") == form["name"]


def test_what_is_saved_is_text(api: Api) -> None:
    fill(api)
    assert send(api, "", name="<b>x", query='"<script>alert(1)</script>\u202e"').status_code == 303
    page = show(api, "/explore/searches")
    assert ("<b>x" in page.text, "<script>alert(1)" in page.text, "\u202e" in page.text) == (True, True, False)


def test_a_form_of_another_session_saves_nothing(api: Api) -> None:
    cookie = {"Cookie": f"{COOKIE}={api.key('read')}"}
    refused = api.client.post("/explore/searches", data={PROOF: "", "name": "a"}, headers=OWN | cookie)
    assert refused.status_code == 403
    other = api.client.post(
        "/explore/searches", data={PROOF: "", "name": "a"}, headers=cookie | {"Origin": "http://evil"}
    )
    assert other.status_code == 403
    assert api.ask("GET", "/searches", token=api.key("read")).json()["searches"] == []
