"""Who may do what: without a key, with a wrong, a revoked, a too weak one; and who guesses."""

from __future__ import annotations

import base64
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from pipelines.keys import index_keys, list_keys, revoke_key
from service.access.keyring import KEPT_SECONDS, Keyring
from service.access.limits import RateLimit
from tests.service.conftest import Api, make_api

ROUTES = {
    ("POST", "/ingest"): {"ingest", "admin"},
    ("POST", "/upload"): {"ingest", "admin"},
    ("POST", "/preview"): {"ingest", "admin"},
    ("GET", "/jobs"): {"ingest", "read", "admin"},
    ("GET", "/jobs/none"): {"ingest", "read", "admin"},
    ("POST", "/jobs/none/cancel"): {"ingest", "read", "admin"},  # each its own jobs
    ("POST", "/jobs/none/resume"): {"ingest", "read", "admin"},
    ("POST", "/jobs/none/undo"): {"admin"},
    ("GET", "/search"): {"read", "admin"},
    ("GET", "/events/none"): {"read", "admin"},
    ("GET", "/events/none/surrounding"): {"read", "admin"},
    ("GET", "/histogram"): {"read", "admin"},
    ("GET", "/facets"): {"read", "admin"},
    ("GET", "/patterns"): {"read", "admin"},
    ("GET", "/fields"): {"read", "admin"},
    ("GET", "/fields/none"): {"read", "admin"},
    ("GET", "/fields/none/values"): {"read", "admin"},
    ("GET", "/usage"): {"read", "admin"},
    ("POST", "/sql"): {"read", "admin"},
    ("GET", "/export"): {"read", "admin"},
    ("GET", "/audit"): {"read", "admin"},
    ("GET", "/metrics"): {"read", "admin"},
    **{("GET", f"/{kind}"): {"read", "admin"} for kind in ("pipelines", "rules", "holds")},
    **{("GET", f"/{kind}/versions"): {"read", "admin"} for kind in ("pipelines", "rules", "holds")},
    **{("PUT", f"/{kind}"): {"admin"} for kind in ("pipelines", "rules", "holds")},
    ("POST", "/pipelines/test"): {"read", "admin"},
    ("GET", "/searches"): {"read", "admin"},
    **{(method, "/searches/none"): {"read", "admin"} for method in ("GET", "PUT", "DELETE")},
    ("POST", "/deletions"): {"admin"},
    ("POST", "/restores"): {"admin"},
    ("GET", "/keys"): {"admin"},
    ("POST", "/keys"): {"admin"},
    ("DELETE", "/keys/none"): {"admin"},
}
PUBLIC = {("GET", "/healthz"), ("GET", "/readyz")}
UNDESCRIBED = {"/openapi.json", "/", "/login", "/logout", "/theme", "/static/{digest}/{name}"}
"""Routes that the OpenAPI does not have, and that are open."""


@pytest.fixture
def tokens(api: Api) -> dict[str, str]:
    """A key of each role, and one that is revoked."""
    made = {role: api.key(role) for role in ("ingest", "read", "admin")}
    made["revoked"] = api.key("admin", name="revoked")
    revoke_key(api.service.tier, next(key.id for key in list_keys(api.service.tier) if key.name == "revoked"))
    return made


def described_calls(api: Api) -> set[tuple[str, str]]:
    """Return all calls of the OpenAPI, with `none` for what stands in their paths."""
    paths = api.ask("GET", "/openapi.json").json()["paths"]
    return {(method.upper(), re.sub(r"\{\w+\}", "none", path)) for path, methods in paths.items() for method in methods}


def test_each_route_has_its_roles(api: Api) -> None:
    assert described_calls(api) == ROUTES.keys() | PUBLIC


def test_nothing_is_open_but_what_is_named(api: Api, tokens: dict[str, str]) -> None:
    """Every address of the app, also one that the OpenAPI leaves out or that another app answers at."""
    api.service.guesses.burst = 10_000
    seen: set[str] = set()
    for route in iter_route_contexts(api.client.app.routes):  # type: ignore[attr-defined]
        path = str(route.path)
        seen.add(path)
        if path in UNDESCRIBED or path in {path for _, path in PUBLIC}:
            continue
        # Splunk's collector answers OPTIONS to everybody, and names what it does not have
        of_collector = path.lstrip("/").startswith("services/collector")
        refusals = {401, 403, 404, 405} if of_collector else {401, 403}
        for method in sorted(set(route.methods or {"GET", "POST"}) - ({"OPTIONS"} if of_collector else set())):
            for token in (None, "rk_wrong", tokens["revoked"]):
                answer = api.ask(method, re.sub(r"\{[^}]+\}", "none", path), token=token, content=b"\xff")
                is_led_to_login = bool(answer.history) and answer.url.path == "/login"  # as pages do
                assert answer.status_code in refusals or is_led_to_login, (method, path, token, answer.text)
    assert {re.sub(r"\{[^}]+\}", "none", path) for path in seen} >= {path for _, path in ROUTES}


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda part: part)
def test_every_route_refuses(api: Api, tokens: dict[str, str], method: str, path: str) -> None:
    document = {"json": {"bucket": 1}} if method in ("POST", "PUT") else {}
    api.service.guesses.burst = 100
    for token, message in (
        (None, "Token is required"),
        ("", "Token is required"),
        ("rk_wrong", "Invalid token"),
        ("..", "Invalid token"),
        (tokens["revoked"], "Invalid token"),
        (tokens["ingest"] + "x", "Invalid token"),
    ):
        answer = api.ask(method, path, token=token, **document)
        assert (answer.status_code, answer.json()["error"]["message"]) == (401, message), token
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    for role in ("ingest", "read", "admin"):
        answer = api.ask(method, path, token=tokens[role], **document)
        assert (answer.status_code == 403) == (role not in ROUTES[method, path]), (role, answer.text)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer {token}", 200),
        ("bearer  {token}", 200),
        ("Basic {basic}", 200),
        ("basic {basic}", 200),
        ("Basic %%%", 401),
        ("Basic", 401),
        ("Splunk {token}", 401),
        ("{token}", 401),
        ("Bearer {token} x", 401),
    ],
)
def test_where_the_token_stands(api: Api, authorization: str, status: int) -> None:
    token = api.key("read")
    basic = base64.b64encode(f"{token}:".encode()).decode()
    value = authorization.format(token=token, basic=basic)
    assert api.ask("GET", "/jobs", headers={"Authorization": value}).status_code == status
    assert api.ask("GET", f"/jobs?token={token}").status_code == 401


def test_a_key_without_s3_pull(api: Api) -> None:
    token = api.key("admin", s3_pull=None)
    answer = api.ask("POST", "/ingest", token=token, json={"bucket": "some-bucket"})
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == 'Missing "s3_pull" key from IAM key attributes'


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8080"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Origin": "http://127.0.0.1:8080"}, 200),
        ({"Origin": "https://evil.example"}, 401),
        ({"Origin": "null"}, 401),
        ({"Host": "evil.example:8080"}, 401),
        ({"Host": "[bad"}, 401),
        ({"X-Forwarded-For": "10.0.0.1"}, 401),
        ({"Sec-Fetch-Site": "cross-site"}, 401),
    ],
    ids=str,
)
def test_who_is_an_administrator_before_the_first_key(api: Api, headers: dict[str, str], status: int) -> None:
    assert api.ask("GET", "/keys", headers=headers).status_code == status


CLOSED: list[dict[str, Any]] = [
    {"host": "0.0.0.0"},  # noqa: S104
    {"root_path": "/logs"},
    {"trusted_proxies": ("10.0.0.7",)},
]


@pytest.mark.parametrize("settings", CLOSED, ids=str)
def test_no_other_service_opens_without_a_key(tmp_path: Path, settings: dict[str, Any]) -> None:
    assert make_api(tmp_path, **settings).ask("GET", "/keys").status_code == 401


def test_the_first_key_closes_the_service(api: Api) -> None:
    made = api.ask("POST", "/keys", json={"role": "admin", "name": "first"}).json()
    assert api.ask("GET", "/keys").status_code == 401
    (listed,) = api.ask("GET", "/keys", token=made["token"]).json()["keys"]
    assert listed == {name: made[name] for name in ("id", "name", "role", "s3Pull", "createdAt")} | {
        "lastUsedAt": listed["lastUsedAt"]
    }
    assert api.ask("DELETE", f"/keys/{made['id'][:8]}", token=made["token"]).json()["revokedAt"]
    assert api.ask("GET", "/keys", token=made["token"]).status_code == 401
    assert api.ask("GET", "/keys").status_code == 401  # a key was made once


def test_a_guid_token(api: Api) -> None:
    admin = api.key("admin")
    made = api.ask("POST", "/keys", token=admin, json={"hec": True, "role": "read"}).json()
    assert len(made["hecToken"]) == 36
    assert api.ask("GET", "/jobs", token=made["hecToken"]).status_code == 200
    assert made["hecToken"] not in api.ask("GET", "/keys", token=admin).text


def test_guessing_is_slowed_and_lets_who_is_known_in(api: Api) -> None:
    token, unseen = api.key("read"), api.key("read")
    assert api.ask("GET", "/jobs", token=token).status_code == 200
    statuses = [api.ask("GET", "/jobs", token=f"rk_{number}").status_code for number in range(1000)]
    assert set(statuses) == {401, 429}
    assert statuses.count(401) < 30
    slowed = api.ask("GET", "/jobs", token=unseen)
    assert (slowed.status_code, slowed.json()["error"]["field"]) == (429, None)
    assert int(slowed.headers["Retry-After"]) >= 1
    assert api.ask("GET", "/jobs", token=token).status_code == 200


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (("testclient",), "10.9.9.9", "10.9.9.9"),
        (("testclient",), "6.6.6.6, 10.9.9.9", "10.9.9.9"),
        (("testclient", "10.0.0.0/8"), "192.0.2.1, 10.9.9.9", "192.0.2.1"),
        (("10.0.0.0/8",), "192.0.2.1", "testclient"),
        ((), "192.0.2.1", "testclient"),
    ],
    ids=str,
)
def test_whose_address_counts_behind_a_proxy(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, trusted: tuple[str, ...], forwarded: str, address: str
) -> None:
    """The last one that no trusted proxy has: what a client itself has sent stands before it."""
    caplog.set_level(logging.INFO)
    api = make_api(tmp_path, trusted_proxies=trusted)
    api.key("read")
    assert api.ask("GET", "/jobs", token="rk_wrong", headers={"X-Forwarded-For": forwarded}).status_code == 401
    assert [one.fields["address"] for one in caplog.records if one.getMessage() == "answered"] == [address]  # type: ignore[attr-defined]
    for number in range(100):
        api.ask("GET", "/jobs", token=f"rk_{number}", headers={"X-Forwarded-For": forwarded})
    other = api.ask("GET", "/jobs", token="rk_wrong", headers={"X-Forwarded-For": "198.51.100.1"})
    assert other.status_code == (401 if "testclient" in trusted else 429)


def test_a_key_has_a_rate(api: Api) -> None:
    api.service.calls = RateLimit(burst=3, a_second=0.01)
    token = api.key("read")
    assert [api.ask("GET", "/jobs", token=token).status_code for _ in range(5)] == [200, 200, 200, 429, 429]


def test_a_rate_comes_back() -> None:
    now = 0.0
    limit = RateLimit(burst=2, a_second=0.5, names=2, clock=lambda: now)
    for name in ("a", "a", "b", "c"):
        limit.count(name)
    assert [limit.wait_of(name) for name in ("a", "b", "c")] == [0.0, 0.0, 0.0]  # `a` is forgotten
    limit.count("c")
    assert limit.wait_of("c") == 2.0
    now = 2.0
    assert limit.wait_of("c") == 0.0


def test_a_lookup_is_one_and_is_kept_for_seconds(api: Api) -> None:
    token = api.key("read")
    now = 0.0
    asked: list[str] = []
    tier = api.service.tier
    keyring = Keyring(tier, clock=lambda: now)
    get = tier.get
    tier.get = lambda path: asked.append(path) or get(path)  # type: ignore[method-assign]
    assert keyring.find(token) is not None
    assert keyring.find(token) is not None
    assert [path.split("/")[1] for path in asked] == ["keys-by-token", "keys"]
    (key,) = list_keys(tier)
    revoke_key(tier, key.id)
    assert keyring.find(token) is not None
    now = KEPT_SECONDS
    assert keyring.find(token) is None


def test_a_key_of_an_earlier_version_is_found(api: Api) -> None:
    token = api.key("admin")
    for path in Path(api.service.tier.uri).rglob("_rekindle/keys-by-token/*"):
        path.unlink()
    assert api.ask("GET", "/jobs", token=token).status_code == 401
    index_keys(api.service.tier)
    assert api.ask("GET", "/jobs", token=token).status_code == 200


def test_no_token_is_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token, wrong = api.key("admin"), "rk_" + "w" * 43
    basic = base64.b64encode(f"{token}:".encode()).decode()
    api.ask("GET", "/jobs", token=token)
    api.ask("GET", "/jobs", headers={"Authorization": f"Basic {basic}"})
    api.ask("GET", f"/jobs/{token}", token=token)
    api.ask("GET", f"/{token}?token={token}", token=wrong)
    made = api.ask("POST", "/keys", token=token, json={"hec": True}).json()
    logged = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records if record.name == "rekindle")
    assert "answered" in logged
    assert not [secret for secret in (token, wrong, basic, made["token"], made["hecToken"]) if secret in logged]
    stored = b"".join(path.read_bytes() for path in Path(api.service.tier.uri).rglob("*") if path.is_file())
    assert token.encode() not in stored
