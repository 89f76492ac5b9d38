"""`/mcp`: who may call it, what is refused before the protocol begins, and several services without sessions."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.service.conftest import DAY, Api, make_api
from tests.service.mcp.conftest import MODES, over_http
from tests.transforms.hot_tier.tiers import Tier, event

ACCEPT = {"Accept": "application/json, text/event-stream"}
USAGE: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "usage", "arguments": {}},
}


@pytest.fixture
def keyed(tmp_path: Any) -> Api:
    """A service over one event, which has a key of the role admin."""
    api = make_api(tmp_path)
    Tier(api.service.tier).add([event(DAY, "m")])
    api.key("admin")
    return api


def post(api: Api, *, token: str | None = None, document: Any = USAGE, **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.ask("POST", "/mcp", token=token, json=document, headers=ACCEPT | given)


def test_without_a_key(keyed: Api) -> None:
    answer = post(keyed)
    assert (answer.status_code, answer.json()["error"]["message"]) == (401, "Token is required")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_with_a_wrong_key_and_guesses_are_slowed(keyed: Api) -> None:
    answers = [post(keyed, token=f"rk_wrong{number}") for number in range(11)]
    assert [one.status_code for one in answers] == [401] * 10 + [429]
    assert answers[0].json()["error"]["message"] == "Invalid token"


@pytest.mark.parametrize(("role", "status"), [("ingest", 403), ("read", 200), ("admin", 200)])
def test_roles(keyed: Api, role: str, status: int) -> None:
    answer = post(keyed, token=keyed.key(role))
    assert answer.status_code == status, answer.text


def test_a_revoked_key(keyed: Api) -> None:
    token = keyed.key("read")
    assert post(keyed, token=token).status_code == 200
    keys = keyed.ask("GET", "/keys", token=keyed.key("admin")).json()["keys"]
    identity = next(one["id"] for one in keys if one["role"] == "read")
    assert keyed.ask("DELETE", f"/keys/{identity}", token=keyed.key("admin")).status_code == 200
    assert post(keyed, token=token).status_code == 401


def test_too_many_calls(keyed: Api) -> None:
    token = keyed.key("read")
    post(keyed, token=token)
    keyed.service.calls.burst = 0
    keyed.service.calls.a_second = 1e-9
    keyed.service.calls._left.clear()
    answer = post(keyed, token=token)
    assert (answer.status_code, "too many calls by this key" in answer.text) == (429, True)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        pytest.param(None, 200, id="program"),
        pytest.param("http://127.0.0.1:8080", 200, id="page-of-this-machine"),
        pytest.param("http://evil.example", 403, id="page-of-another"),
        pytest.param("null", 403, id="opaque"),
        pytest.param("http://[", 403, id="no-address"),
    ],
)
def test_pages_of_other_machines(keyed: Api, origin: str | None, status: int) -> None:
    headers = {} if origin is None else {"Origin": origin}
    answer = post(keyed, token=keyed.key("read"), **headers)
    assert answer.status_code == status


def test_a_page_that_has_rebound_its_name(filled: Api) -> None:
    """Without keys, a page may have given its own name this machine's address: its Host is that name."""
    assert post(filled, Host="evil.example:8080").status_code == 401
    assert post(filled, Host="evil.example:8080", Origin="http://evil.example:8080").status_code == 403
    assert post(filled).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods(filled: Api, method: str) -> None:
    answer = filled.ask(method, "/mcp", headers=ACCEPT)
    assert (answer.status_code, answer.json()["error"]["message"].endswith("allowed are POST")) == (405, True)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"{", {}, 400, id="no-json"),
        pytest.param(b"[]", {}, 400, id="no-message"),
        pytest.param(b'{"jsonrpc": "2.0", "id": 1}', {}, 400, id="no-method"),
        pytest.param(b"{}", {"Content-Type": "text/plain"}, 400, id="form"),
        pytest.param(b"x" * ((1 << 20) + 1), {}, 413, id="large"),
        pytest.param(b"x", {"Content-Encoding": "gzip"}, 415, id="encoded"),
        pytest.param(b"{}", {"Accept": "text/html"}, 406, id="accept"),
        pytest.param(
            b'{"jsonrpc": "2.0", "id": 1, "method": "x"}', {"Mcp-Protocol-Version": "2099"}, 400, id="version"
        ),
        pytest.param(b'{"a":' * 9000 + b"1" + b"}" * 9000, {}, 400, id="deep"),
    ],
)
def test_bodies_that_are_refused(filled: Api, body: bytes, headers: dict[str, str], status: int) -> None:
    given = ACCEPT | {"Content-Type": "application/json"} | headers
    answer = filled.ask("POST", "/mcp", content=body, headers=given)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("mode", MODES)
def test_two_services_share_a_client(keyed: Api, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """Every message goes to the other service: none needs what an earlier one has left."""
    other = Api(*_second_service(keyed))
    apps = [keyed.client.app, other.client.app]
    calls: list[int] = []

    async def turn(scope: Any, receive: Any, send: Any) -> None:
        calls.append(len(calls) % 2)
        await apps[calls[-1]](scope, receive, send)

    monkeypatch.setattr(keyed.client, "app", turn)

    async def work(client: Any) -> list[Any]:
        await client.list_tools()
        return [(await client.call_tool("usage", {})).structured_content["events"] for _ in range(4)]

    token = keyed.key("read")
    other.service.keyring.forget()
    assert over_http(keyed, work, token=token, mode=mode) == [1] * 4
    assert set(calls) == {0, 1}


def _second_service(api: Api) -> tuple[Any, Any]:
    from fastapi.testclient import TestClient

    from service.api.state import Service
    from service.app import create_app

    service = Service(settings=api.service.settings, tier=api.service.tier)
    return service, TestClient(create_app(service), base_url="http://127.0.0.1:8080")


def test_the_log_has_tool_and_key_but_no_query(keyed: Api, caplog: pytest.LogCaptureFixture) -> None:
    token = keyed.key("read")
    with caplog.at_level(logging.INFO, "rekindle"):
        over_http(keyed, lambda client: client.call_tool("search", {"query": "secret-words"}), token=token)
    (called,) = [vars(record)["fields"] for record in caplog.records if record.getMessage() == "a tool was called"]
    assert (called["tool"], called["failed"], bool(called["key"])) == ("search", False, True)
    answered = [vars(record)["fields"] for record in caplog.records if record.getMessage() == "answered"]
    routes = {fields["route"] for fields in answered}
    assert routes == {"/mcp"}
    assert not any(word in str(vars(record)) for record in caplog.records for word in ("secret-words", token))
