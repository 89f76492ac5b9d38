"""Every route of the pages, as the application has them: who gets in, and what other sites' pages can't do."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest
from fastapi.routing import APIRoute

from pipelines.keys import list_keys, revoke_key
from service.access.limits import RateLimit
from service.app import MODULES
from service.pages.sessions import COOKIE
from tests.service.conftest import Api, make_api
from tests.service.pages.conftest import DAY
from tests.transforms.hot_tier.tiers import Tier, event

OWN = {"Origin": "http://127.0.0.1:8080"}
ROUTES = [
    (method, route.path)
    for module in MODULES
    if module.__name__.startswith("service.pages.")
    for route in module.router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
]
OPEN = {("GET", "/"), ("GET", "/login"), ("POST", "/login"), ("POST", "/theme"), ("GET", "/static/{digest}/{name}")}
"""What needs no key."""
CLOSED = [route for route in ROUTES if route not in OPEN]
LOGOUT = "/logout"
"""It only forgets a cookie: the proof alone lets it through."""
FORMS = [path for method, path in ROUTES if method == "POST"]
PROVED = [path for path in FORMS if ("POST", path) not in OPEN]
ADMINISTRATION = {("GET", "/pages/keys")}
"""Pages that only an administrator sees; of forms that change something, `CHANGES`."""
CHANGES = {
    "/pages/backfill": {"bucket": "{bucket}"},
    "/pages/backfill/upload": {},
    "/pages/keys": {"name": "new", "role": "admin"},
    "/pages/keys/{key_id}/revoke": {"sure": "yes"},
    "/pages/jobs/{task_id}/again": {},
    "/pages/jobs/{task_id}/{action}": {},
    "/pages/pipelines": {"do": "save", "text": "pipelines: []"},
    "/pages/retention/rules": {"text": "rules: []"},
    "/pages/retention/holds": {"name": "x", "when": "a=b"},
    "/pages/retention/holds/lift": {"name": "case", "sure": "yes"},
    "/pages/retention/runs/{request_id}/execute": {},
}
"""Forms that a key of the role read must not get through, with fields that are right."""
READERS = {
    "/logout",
    "/explore/searches",
    "/explore/searches/delete",
    "/pages/pipelines/check",
    "/pages/retention/dry-run",
    "/pages/retention/restore",
}
"""Forms that whoever reads may send."""


@dataclass
class Doors:
    """A service with a key of each role, and one that was revoked."""

    api: Api
    tokens: dict[str, str]

    def knock(self, method: str, path: str, token: str = "", **more: Any) -> Any:
        """Ask for a route, as a browser with a token does."""
        headers = ({"Cookie": f"{COOKIE}={token}"} if token else {}) | more.pop("headers", {})
        return self.api.client.request(method, address_of(path), headers=headers, follow_redirects=False, **more)

    def send(self, path: str, token: str, *, proof: str | None, headers: dict[str, str] = OWN) -> Any:
        """Send a form whose fields are right."""
        form = ({} if proof is None else {"proof": proof}) | CHANGES.get(path, {})
        files = {"file": ("a.log", b"2025-01-01 00:00:00 uploaded\n")} if path.endswith("/upload") else None
        return self.knock("POST", path, token, data=form, files=files, headers=headers)

    def state(self) -> dict[str, bytes]:
        """Return all that the tier has, but what tells when a key was used."""
        files = (file.path for file in self.api.service.tier.list(""))
        return {path: self.api.service.tier.get(path) for path in files if "/keys-used/" not in path}


def address_of(path: str) -> str:
    """Return an address of a route."""
    known = {"task_id": "0123abcd", "action": "cancel", "key_id": "0123abcd", "digest": "0", "name": "app.css"}
    return path.format(**known, request_id="20250101T000000Z-delete-00000000")


def proof_for(token: str) -> str:
    """Return the proof of a session."""
    return hmac.new(token.encode(), b"rekindle form", sha256).hexdigest()


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Doors:
    api = make_api(tmp_path_factory.mktemp("doors"))
    Tier(api.service.tier).add([event(DAY, "the only one")])
    api.service.guesses = api.service.calls = RateLimit(burst=1e9, a_second=1)
    tokens = {role: api.key(role) for role in ("admin", "ingest", "read")}
    tokens["revoked"] = api.key("admin", name="revoked")
    (gone,) = [key.id for key in list_keys(api.service.tier) if key.name == "revoked"]
    revoke_key(api.service.tier, gone)
    api.service.keyring.forget()
    return Doors(api, tokens | {"nobody": "", "wrong": "x" * 43})


def test_no_route_is_forgotten() -> None:
    assert set(ROUTES) >= OPEN | ADMINISTRATION
    assert set(PROVED) == set(CHANGES) | READERS
    assert {method for method, _ in ROUTES} == {"GET", "POST"}


@pytest.mark.parametrize("who", ["nobody", "wrong", "revoked"])
def test_without_a_key_nothing_is_shown_or_done(doors: Doors, who: str) -> None:
    token, before = doors.tokens[who], doors.state()
    for method, path in CLOSED:
        if method == "GET":
            answer = doors.knock(method, path, token)
            place = answer.headers.get("Location", "").partition("?")[0]
            assert (answer.status_code, place, answer.text) == (303, "/login", ""), path
        else:
            answer = doors.send(path, token, proof=proof_for(token))
            assert answer.status_code == 401 or path == LOGOUT, path
    assert doors.state() == before


def test_a_key_that_only_sends_events_sees_and_does_nothing(doors: Doors) -> None:
    token, before = doors.tokens["ingest"], doors.state()
    for method, path in CLOSED:
        if path != LOGOUT:
            is_form = method == "POST"
            answer = doors.send(path, token, proof=proof_for(token)) if is_form else doors.knock(method, path, token)
            assert (answer.status_code, "the only one" in answer.text) == (403, False), path
    assert doors.state() == before


def test_a_key_that_reads_changes_nothing(doors: Doors) -> None:
    token, before = doors.tokens["read"], doors.state()
    for path in CHANGES:
        answer = doors.send(path, token, proof=proof_for(token))
        assert answer.status_code in (403, 404), path
    for method, path in CLOSED:
        if method == "GET":
            assert (doors.knock(method, path, token).status_code == 403) == ((method, path) in ADMINISTRATION), path
    assert doors.state() == before


@pytest.mark.parametrize(
    ("proof", "headers"),
    [
        (None, OWN),
        ("", OWN),
        ("read", OWN),
        ("0" * 64, OWN),
        ("\0é", OWN),
        ("admin", {"Origin": "https://other.example"}),
        ("admin", {"Origin": "null"}),
        ("admin", {"Origin": "http://127.0.0.1:8081"}),
        ("admin", {"Origin": "http://["}),
        ("admin", OWN | {"Sec-Fetch-Site": "same-site"}),
        ("admin", {"Sec-Fetch-Site": "cross-site"}),
    ],
)
def test_no_other_site_sends_a_form(doors: Doors, proof: str | None, headers: dict[str, str]) -> None:
    token, before = doors.tokens["admin"], doors.state()
    shown = proof if proof is None or proof not in doors.tokens else proof_for(doors.tokens[proof])
    for path in PROVED:
        answer = doors.send(path, token, proof=shown, headers=headers)
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False), path
    if proof == "admin":
        for path in ("/login", "/theme"):
            answer = doors.knock("POST", path, data={"token": token, "theme": "dark"}, headers=headers)
            assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False), path
    assert doors.state() == before


def test_looking_changes_nothing(doors: Doors) -> None:
    before, token = doors.state(), doors.tokens["admin"]
    asked = {"sure": "yes", "do": "save", "execute": "yes", "proof": proof_for(token), "show": "1", "bucket": "b"}
    for path in [*FORMS, *(path for method, path in ROUTES if method == "GET")]:
        for method in ("GET", "HEAD"):
            answer = doors.knock(method, path, token, params=asked)
            assert answer.status_code < 500 or path.startswith("/pages/backfill"), path
    assert doors.state() == before


def test_no_page_or_address_has_a_token(doors: Doors) -> None:
    token = doors.tokens["admin"]
    for method, path in ROUTES:
        if method == "GET":
            answer = doors.knock(method, path, token)
            assert token not in answer.text + str(answer.headers), path
            assert proof_for(token) not in str(answer.headers), path
            if "text/html" in answer.headers.get("Content-Type", ""):
                assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
                addresses = re.findall(r'(?:href|src|action|hx-get|hx-post)="([^"]*)"', answer.text)
                assert not [one for one in addresses if proof_for(token) in one], path


ELSEWHERE = [
    "//other.example/explore",
    "///other.example",
    "/\\other.example",
    "\\\\other.example",
    "https://other.example/",
    "/\t/other.example",
    " //other.example",
    "javascript:alert(1)",
    "/explore\r\nSet-Cookie: a=b",
    "/\x00/other.example",
    "other.example",
]


@pytest.mark.parametrize("place", ELSEWHERE)
def test_no_way_leads_to_another_site(doors: Doors, place: str) -> None:
    form = doors.api.client.get("/login", params={"next": place}).text
    assert 'name="next" value="/explore"' in form
    data = {"token": doors.tokens["admin"], "next": place}
    answer = doors.knock("POST", "/login", data=data, headers=OWN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/explore")


@pytest.mark.parametrize(
    ("referer", "place"),
    [
        ("http://127.0.0.1:8080/explore?query=a", "/explore?query=a"),
        ("https://other.example/pages/jobs", "/pages/jobs"),
        ("https://x.example//other.example", "/explore"),
        ("//other.example//x", "/explore"),
        ("javascript:alert(1)", "/explore"),
        ("http://[", "/explore"),
        ("", "/explore"),
    ],
)
def test_the_switch_of_the_theme_leads_back_here(doors: Doors, referer: str, place: str) -> None:
    answer = doors.knock("POST", "/theme", data={"theme": "dark"}, headers=OWN | {"Referer": referer})
    assert (answer.status_code, answer.headers["Location"]) == (303, place)
