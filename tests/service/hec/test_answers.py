"""Each code of HEC with its status and text, and when it is answered."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.keys import create_key, list_keys, revoke_key
from service.hec import bodies
from service.hec.answers import Code, status_of, text_of
from tests.service.hec.conftest import CHANNEL, Hec

NONE: dict[str, Any] = {"Authorization": None}
REFUSED: dict[str, tuple[str, str | bytes, dict[str, Any], int, dict[str, Any]]] = {
    "no token": ("", "{}", NONE, 401, {"text": "Token is required", "code": 2}),
    "no scheme": ("", "{}", {"Authorization": "abc"}, 401, {"text": "Invalid authorization", "code": 3}),
    "no token behind it": ("", "{}", {"Authorization": "Splunk "}, 401, {"text": "Invalid authorization", "code": 3}),
    "broken Basic": ("", "{}", {"Authorization": "Basic %%"}, 401, {"text": "Invalid authorization", "code": 3}),
    "wrong token": ("", "{}", {"Authorization": "Splunk no"}, 403, {"text": "Invalid token", "code": 4}),
    "query token": (
        "?token=abc",
        "{}",
        NONE,
        400,
        {"text": "Query string authorization is not enabled", "code": 16},
    ),
    "empty": ("", "", {}, 400, {"text": "No data", "code": 5}),
    "blanks": ("", " \n ", {}, 400, {"text": "No data", "code": 5}),
    "an empty array": ("", "[]", {}, 400, {"text": "No data", "code": 5}),
    "no lines": ("/raw", "\n\r\n", {}, 400, {"text": "No data", "code": 5}),
    "broken": ("", '{"event":', {}, 400, {"text": "Invalid data format", "code": 6, "invalid-event-number": 0}),
    "the second is broken": (
        "",
        '{"event":"a"}{"event"',
        {},
        400,
        {"text": "Invalid data format", "code": 6, "invalid-event-number": 1},
    ),
    "no object": ("", "5", {}, 400, {"text": "Invalid data format", "code": 6, "invalid-event-number": 0}),
    "not a number": (
        "",
        '{"event":NaN}',
        {},
        400,
        {"text": "Invalid data format", "code": 6, "invalid-event-number": 0},
    ),
    "an array that is not closed": (
        "",
        '[{"event":"a"}',
        {},
        400,
        {"text": "Invalid data format", "code": 6, "invalid-event-number": 1},
    ),
    "behind an array": (
        "",
        '[{"event":"a"}]{"event":"b"}',
        {},
        400,
        {"text": "Invalid data format", "code": 6, "invalid-event-number": 1},
    ),
    "a host that is an object": (
        "",
        '{"event":"a","host":{}}',
        {},
        400,
        {"text": "Invalid data format", "code": 6, "invalid-event-number": 0},
    ),
    "too deep": (
        "",
        '{"event":' + "[" * 100_000,
        {},
        400,
        {"text": "Invalid data format", "code": 6, "invalid-event-number": 0},
    ),
    "no gzip": ("", "{}", {"Content-Encoding": "gzip"}, 400, {"text": "Invalid data format", "code": 6}),
    "cut off gzip": (
        "",
        gzip.compress(b'{"event":"a"}')[:-9],
        {"Content-Encoding": "gzip"},
        400,
        {"text": "Invalid data format", "code": 6},
    ),
    "another encoding": ("", "{}", {"Content-Encoding": "br"}, 415, {"text": "Invalid data format", "code": 6}),
    "a time that is none": ("/raw?time=noon", "a", {}, 400, {"text": "Invalid data format", "code": 6}),
    "a time behind the year 9999 in UTC": (
        "/raw?time=9999-12-31T23:59:59-23:59",
        "a",
        {},
        400,
        {"text": "Invalid data format", "code": 6},
    ),
    "a time before the year 1 in UTC": (
        "/raw?time=0001-01-01T00:00:00%2B23:59",
        "a",
        {},
        400,
        {"text": "Invalid data format", "code": 6},
    ),
    "an endless time": ("/raw?time=inf", "a", {}, 400, {"text": "Invalid data format", "code": 6}),
    "an index that is a number": (
        "",
        '{"event":"a","index":5}',
        {},
        400,
        {"text": "Incorrect index", "code": 7, "invalid-event-number": 0},
    ),
    "an empty index": ("/raw?index=", "a", {}, 400, {"text": "Incorrect index", "code": 7}),
    "a bad channel": (
        "",
        "{}",
        {"X-Splunk-Request-Channel": "no"},
        400,
        {"text": "Invalid data channel", "code": 11},
    ),
    "acks without a channel": ("/ack", "{}", {}, 400, {"text": "Data channel is missing", "code": 10}),
    "acks of nothing": (f"/ack?channel={CHANNEL}", "{}", {}, 400, {"text": "Invalid data format", "code": 6}),
    "acks of words": (f"/ack?channel={CHANNEL}", '{"acks":["1"]}', {}, 400, {"text": "Invalid data format", "code": 6}),
    "no event": ("", '{"time":1}', {}, 400, {"text": "Event field is required", "code": 12, "invalid-event-number": 0}),
    "a null event": (
        "",
        '{"event":null}',
        {},
        400,
        {"text": "Event field is required", "code": 12, "invalid-event-number": 0},
    ),
    "a blank event": (
        "",
        '[{"event":"a"},{"event":""}]',
        {},
        400,
        {"text": "Event field cannot be blank", "code": 13, "invalid-event-number": 1},
    ),
    "nested fields": (
        "",
        '{"event":"a","fields":{"x":{"y":1}}}',
        {},
        400,
        {"text": "Error in handling indexed fields", "code": 15, "invalid-event-number": 0},
    ),
    "fields that are a list": (
        "",
        '{"event":"a","fields":[]}',
        {},
        400,
        {"text": "Error in handling indexed fields", "code": 15, "invalid-event-number": 0},
    ),
    "fields of the query": (
        "/raw?fields=no",
        "a",
        {},
        400,
        {"text": "Error in handling indexed fields", "code": 15},
    ),
}


@pytest.mark.parametrize(("path", "body", "headers", "status", "document"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_by_its_code(
    shared: Hec, path: str, body: str | bytes, headers: dict[str, Any], status: int, document: dict[str, Any]
) -> None:
    value = shared.api.service.metrics.registry.get_sample_value
    before = value("rekindle_hec_events_total")
    response = shared.post(path, body, headers=headers)
    assert (response.status_code, response.json()) == (status, document)
    assert value("rekindle_hec_events_total") == before


def test_each_code_has_a_status_and_a_text() -> None:
    assert [int(code) for code in Code] == list(range(28))
    assert {code: status_of(code) for code in Code if status_of(code) not in (200, 400)} == {
        Code.TOKEN_DISABLED: 403,
        Code.TOKEN_REQUIRED: 401,
        Code.INVALID_AUTHORIZATION: 401,
        Code.INVALID_TOKEN: 403,
        Code.SERVER_ERROR: 500,
        Code.BUSY: 503,
        Code.QUEUES_FULL: 503,
        Code.ACK_UNAVAILABLE: 503,
        Code.QUEUES_FULL_ACK_UNAVAILABLE: 503,
        Code.SHUTTING_DOWN: 503,
        Code.QUEUE_FULL: 429,
        Code.ACK_FULL: 429,
    }
    assert all(text_of(code) for code in Code)


@pytest.mark.parametrize("form", ["Splunk {}", "splunk {}", "Bearer {}", "Basic {basic}"])
def test_tokens_come_in_each_form(shared: Hec, form: str) -> None:
    basic = base64.b64encode(f"x:{shared.token}".encode()).decode()
    assert shared.post(headers={"Authorization": form.format(shared.token, basic=basic)}).status_code == 200


def test_a_guid_token_is_one_too(shared: Hec) -> None:
    fields: dict[str, Any] = {"name": "guid", "role": "ingest", "env": None, "team": None, "s3_pull": None}
    created = create_key(shared.api.service.tier, **fields, hec=True)
    assert shared.post(headers={"Authorization": f"Splunk {created.hec_token}"}).status_code == 200


def test_a_revoked_key_is_disabled_and_one_that_reads_is_invalid(hec: Hec) -> None:
    reader = hec.api.key("read")
    assert hec.post(headers={"Authorization": f"Splunk {reader}"}).json()["code"] == Code.INVALID_TOKEN
    for key in list_keys(hec.api.service.tier):
        revoke_key(hec.api.service.tier, key.id)
    hec.api.service.keyring.forget()
    response = hec.post()
    assert (response.status_code, response.json()) == (403, {"text": "Token disabled", "code": 1})
    health = hec.api.client.get("/services/collector/health", headers={"Authorization": f"Splunk {hec.token}"})
    assert (health.status_code, health.json()) == (400, {"text": "Token disabled", "code": 22})


def test_tokens_of_the_query_are_taken_where_that_is_allowed(make_hec: Callable[..., Hec]) -> None:
    hec = make_hec(hec_query_tokens=True)
    assert hec.post(f"?token={hec.token}", headers=NONE).status_code == 200
    assert hec.post("?token=no", headers=NONE).json()["code"] == Code.INVALID_TOKEN
    health = hec.api.client.get("/services/collector/health/1.0?token=no")
    assert (health.status_code, health.json()["code"]) == (400, Code.HEALTH_INVALID_TOKEN)


def test_who_guesses_waits(hec: Hec) -> None:
    found = [hec.post(headers={"Authorization": f"Splunk {number}"}) for number in range(12)]
    assert (found[-1].status_code, found[-1].json()["code"]) == (429, Code.BUSY)
    assert int(found[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["", "/event", "/raw/1.0", "/ack", "/health", "/anything"])
def test_options_are_answered_without_a_token(shared: Hec, path: str) -> None:
    assert shared.api.client.options(f"/services/collector{path}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/event", 405), ("POST", "/health", 405), ("POST", "/mint", 404)]
)
def test_other_addresses_and_methods_are_refused(shared: Hec, method: str, path: str, status: int) -> None:
    response = shared.api.client.request(method, f"/services/collector{path}")
    assert (response.status_code, response.json()["code"]) == (status, status)


def test_health_needs_no_token(shared: Hec) -> None:
    response = shared.api.client.get("/services/collector/health")
    assert (response.status_code, response.json()) == (200, {"text": "HEC is healthy", "code": 17})


def test_health_tells_of_a_log_that_fills(make_hec: Callable[..., Hec]) -> None:
    hec = make_hec(hec_log_bytes=2000)

    def health() -> tuple[int, int]:
        response = hec.api.client.get("/services/collector/health")
        return response.status_code, response.json()["code"]

    found = []
    while (response := hec.post(content=json.dumps({"event": "x" * 200}))).status_code == 200:
        found.append(health())
    assert (response.status_code, response.json()["code"]) == (429, Code.QUEUE_FULL)
    assert int(response.headers["Retry-After"]) > 0
    assert found[0] == (200, Code.HEALTHY)
    assert found[-1] == (200, Code.QUEUE_NEARLY_FULL)
    hec.commit()
    assert health() == (200, Code.HEALTHY)
    assert hec.post().status_code == 200


def test_a_service_that_ends_takes_nothing(hec: Hec) -> None:
    hec.api.service.hec.close()
    response = hec.post()
    assert (response.status_code, response.json()) == (503, {"text": "Server is shutting down", "code": 23})
    assert hec.api.client.get("/services/collector/health").json()["code"] == Code.SHUTTING_DOWN


@pytest.mark.parametrize("what", ["wire", "decoded"])
def test_bodies_are_bounded(hec: Hec, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(bodies, "MOST_WIRE_BYTES", 1000)
    monkeypatch.setattr(bodies, "MOST_DECODED_BYTES", 5000)
    body = json.dumps({"event": "x" * 6000}).encode()
    packed = {"Content-Encoding": "gzip"} if what == "decoded" else {}
    response = hec.post(content=gzip.compress(body) if packed else body, headers=packed)
    assert (response.status_code, response.json()["code"]) == (413, Code.INVALID_DATA)
    assert hec.api.service.hec.budget.used == 0


def test_memory_is_bounded(hec: Hec) -> None:
    hec.api.service.hec.budget.most = 100
    response = hec.post(content=json.dumps({"event": "x" * 200}))
    assert (response.status_code, response.json()) == (503, {"text": "Server is busy", "code": 9})
    assert response.headers["Retry-After"] == "1"


def test_a_mistake_of_the_service_is_said_to_be_one(hec: Hec, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(hec.wal, "append", fail)
    response = hec.post()
    assert (response.status_code, response.json()) == (500, {"text": "Internal server error", "code": 8})


def test_acks_are_true_from_the_commit_on(hec: Hec) -> None:
    channel = {"X-Splunk-Request-Channel": CHANNEL}
    number = hec.post(headers=channel).json()["ackId"]
    other = hec.post(f"/raw?channel={CHANNEL}", "line").json()["ackId"]

    def acks() -> Any:
        return hec.post("/ack", json.dumps({"acks": [number, other, 0, -1, 7]}), headers=channel).json()

    assert acks() == {"acks": {f"{number}": False, f"{other}": False, "0": False, "-1": False, "7": False}}
    hec.commit()
    assert acks() == {"acks": {f"{number}": True, f"{other}": True, "0": False, "-1": False, "7": False}}


def test_acks_may_be_off(make_hec: Callable[..., Hec]) -> None:
    hec = make_hec(hec_acks=False)
    assert hec.post(headers={"X-Splunk-Request-Channel": CHANNEL}).json() == {"text": "Success", "code": 0}
    response = hec.post(f"/ack?channel={CHANNEL}", '{"acks":[1]}')
    assert (response.status_code, response.json()) == (400, {"text": "ACK is disabled", "code": 14})
