"""Signing in: the cookie, who gets in, what other sites' pages can't do."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from service.pages.sessions import COOKIE, path_here
from tests.service.conftest import Api, make_api
from tests.service.pages.conftest import DAY, browser, read
from tests.transforms.hot_tier.tiers import Tier, event

OWN = {"Origin": "http://127.0.0.1:8080"}


@pytest.fixture
def keyed(tmp_path: Path) -> Api:
    """A service over one event, which has keys."""
    api = make_api(tmp_path)
    Tier(api.service.tier).add([event(DAY, "the only one")])
    api.key("admin")
    return api


def test_without_a_token_a_page_leads_to_the_form_and_back(keyed: Api) -> None:
    token = keyed.key("read")
    with browser(keyed) as client:
        asked = client.get("/explore?query=only%20one&last=7d")
        assert (asked.status_code, asked.headers["Location"]) == (
            303,
            "/login?next=%2Fexplore%3Fquery%3Donly%2520one%26last%3D7d",
        )
        form = read(client.get(asked.headers["Location"]).text)
        then = form.one("input", name="next")["value"]
        entered = client.post("/login", data={"token": f" {token} ", "next": then}, headers=OWN)
        assert (entered.status_code, entered.headers["Location"]) == (303, "/explore?query=only%20one&last=7d")
        cookie = entered.headers["Set-Cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age="))
        assert "Secure" not in cookie
        page = client.get(entered.headers["Location"])
        assert (page.status_code, "the <mark>only</mark> <mark>one</mark>" in page.text) == (200, True)
        assert token not in page.text


def test_over_https_and_behind_a_path(keyed: Api, tmp_path: Path) -> None:
    api = make_api(tmp_path, root_path="/logs")
    api.client.app.root_path = "/logs"  # type: ignore[attr-defined]
    token = keyed.key("read")
    with browser(api, base_url="https://logs.example", root_path="/logs") as client:
        asked = client.get("/explore")
        assert asked.headers["Location"] == "/logs/login?next=%2Fexplore"
        entered = client.post("/login", data={"token": token}, headers={"Origin": "https://logs.example"})
        assert entered.headers["Location"] == "/logs/explore"
        assert all(part in entered.headers["Set-Cookie"] for part in ("Secure", "Path=/logs"))
        page = read(client.get("/explore", headers={"Cookie": f"{COOKIE}={token}"}).text)
        addresses = [one["href"] for one in page.all("a") + page.all("link")]
        addresses += [one["src"] for one in page.all("script")] + [one["action"] for one in page.all("form")]
        assert all(one.startswith(("/logs/", "#")) for one in addresses), addresses


@pytest.mark.parametrize(
    ("role", "status", "message"),
    [("ingest", 403, "This key may not read"), ("read", 303, ""), ("admin", 303, "")],
)
def test_roles(keyed: Api, role: str, status: int, message: str) -> None:
    with browser(keyed) as client:
        answer = client.post("/login", data={"token": keyed.key(role)}, headers=OWN)
    assert (answer.status_code, message in answer.text) == (status, True)
    assert (COOKIE in answer.headers.get("Set-Cookie", "")) == (status == 303)


def test_a_key_that_may_not_read_sees_no_page(keyed: Api) -> None:
    with browser(keyed) as client:
        answer = client.get("/explore", headers={"Cookie": f"{COOKIE}={keyed.key('ingest')}"})
    assert (answer.status_code, "this key may not read" in answer.text) == (403, True)


def test_guesses_are_slowed(keyed: Api) -> None:
    with browser(keyed) as client:
        answers = [client.post("/login", data={"token": f"rk_{number}"}, headers=OWN) for number in range(11)]
    assert [one.status_code for one in answers] == [401] * 10 + [429]
    assert "Invalid token" in answers[0].text
    assert int(answers[10].headers["Retry-After"]) >= 1


def test_a_wrong_or_revoked_token_leads_to_the_form(keyed: Api) -> None:
    with browser(keyed) as client:
        answer = client.get("/explore", headers={"Cookie": f"{COOKIE}=rk_wrong"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=%2Fexplore")


def test_where_no_key_was_made_an_old_token_is_forgotten(api: Api) -> None:
    Tier(api.service.tier).add([event(DAY, "the only one")])
    with browser(api) as client:
        client.cookies.set(COOKIE, "rk_of_another_tier")
        assert client.get("/explore").headers["Location"] == "/login?next=%2Fexplore"
        entered = client.post("/login", data={"token": ""}, headers=OWN)
        assert (entered.status_code, f'{COOKIE}=""' in entered.headers["Set-Cookie"]) == (303, True)
        client.cookies.clear()
        assert client.get("/explore").status_code == 200


def test_the_api_takes_no_cookie(keyed: Api) -> None:
    with browser(keyed) as client:
        answer = client.get("/search", headers={"Cookie": f"{COOKIE}={keyed.key('admin')}"})
    assert answer.status_code == 401


SENT_BY_OTHERS = [
    pytest.param({"Origin": "http://evil.example"}, id="origin"),
    pytest.param({"Origin": "null"}, id="opaque"),
    pytest.param({"Sec-Fetch-Site": "cross-site"}, id="fetch-site"),
]


@pytest.mark.parametrize("headers", SENT_BY_OTHERS)
@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_forms_of_other_sites_are_refused(keyed: Api, path: str, headers: dict[str, str]) -> None:
    token = keyed.key("read")
    with browser(keyed) as client:
        answer = client.post(path, data={"token": token}, headers=headers | {"Cookie": f"{COOKIE}={token}"})
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)


@pytest.mark.parametrize("proof", [None, "", "x", "ö"])
def test_signing_out_takes_the_proof_of_the_page(keyed: Api, proof: str | None) -> None:
    token = keyed.key("read")
    with browser(keyed) as client:
        client.post("/login", data={"token": token}, headers=OWN)
        data = {} if proof is None else {"proof": proof}
        assert client.post("/logout", data=data, headers=OWN).status_code == 403
        form = read(client.get("/pages/help").text).one("input", name="proof")
        ended = client.post("/logout", data={"proof": form["value"]}, headers=OWN)
        assert (ended.status_code, ended.headers["Location"]) == (303, "/login")
        assert client.get("/explore").status_code == 303


def test_a_proof_is_of_one_session(keyed: Api) -> None:
    proofs = []
    for token in (keyed.key("read"), keyed.key("read", name="other")):
        with browser(keyed) as client:
            client.post("/login", data={"token": token}, headers=OWN)
            proofs.append(read(client.get("/pages/help").text).one("input", name="proof")["value"])
    assert len(set(proofs)) == 2


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/explore?query=a%20b", "/explore?query=a%20b"),
        ("", "/explore"),
        ("https://evil.example", "/explore"),
        ("//evil.example", "/explore"),
        ("/\\evil.example", "/explore"),
        ("/a\r\nSet-Cookie: x=y", "/explore"),
        ("javascript:alert(1)", "/explore"),
    ],
)
def test_it_leads_to_no_other_site(asked: str, given: str) -> None:
    assert path_here(asked) == given


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=1&" * 2000])
def test_forms_that_cant_be_read(keyed: Api, body: bytes) -> None:
    with browser(keyed) as client:
        answer = client.post("/login", content=body, headers=OWN)
    assert answer.status_code == 400


def test_no_page_without_a_key(keyed: Api) -> None:
    paths = ["/explore", "/explore/event", "/pages/jobs", f"/explore?query={quote('<script>')}"]
    with browser(keyed) as client:
        answers: list[Any] = [client.get(path) for path in paths]
        fragment = client.get("/explore", headers={"HX-Request": "true"})
    assert [one.status_code for one in answers] == [303] * len(paths)
    assert (fragment.text, fragment.headers["HX-Redirect"]) == ("", "/login?next=%2Fexplore")


def test_keys_are_a_page_and_a_dialog(api: Api) -> None:
    page = read(api.ask("GET", "/pages/help").text)
    assert "next error, previous error" in page.text
    assert page.links["Keyboard"] == "/pages/help"
    letters = [one["data-page"] for one in page.all("a") if "data-page" in one]
    assert sorted(set(letters)) == sorted(letters)
    assert page.one("dialog")["aria-labelledby"] == "keys-heading"
