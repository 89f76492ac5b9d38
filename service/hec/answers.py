"""The answers of HEC: a code, its text and its HTTP status, as Splunk's collector gives them.

https://docs.splunk.com/Documentation/Splunk/latest/Data/TroubleshootHTTPEventCollector
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus

import orjson
from starlette.responses import Response


class Code(IntEnum):
    """What became of a call."""

    SUCCESS = 0
    TOKEN_DISABLED = 1
    TOKEN_REQUIRED = 2
    INVALID_AUTHORIZATION = 3
    INVALID_TOKEN = 4
    NO_DATA = 5
    INVALID_DATA = 6
    INCORRECT_INDEX = 7
    SERVER_ERROR = 8
    BUSY = 9
    CHANNEL_MISSING = 10
    INVALID_CHANNEL = 11
    EVENT_REQUIRED = 12
    EVENT_BLANK = 13
    ACK_DISABLED = 14
    INVALID_FIELDS = 15
    QUERY_TOKEN_DISABLED = 16
    HEALTHY = 17
    QUEUES_FULL = 18
    ACK_UNAVAILABLE = 19
    QUEUES_FULL_ACK_UNAVAILABLE = 20
    HEALTH_INVALID_TOKEN = 21
    HEALTH_TOKEN_DISABLED = 22
    SHUTTING_DOWN = 23
    QUEUE_NEARLY_FULL = 24
    ACK_NEARLY_FULL = 25
    QUEUE_FULL = 26
    ACK_FULL = 27


_TEXTS: dict[Code, tuple[int, str]] = {
    Code.SUCCESS: (200, "Success"),
    Code.TOKEN_DISABLED: (403, "Token disabled"),
    Code.TOKEN_REQUIRED: (401, "Token is required"),
    Code.INVALID_AUTHORIZATION: (401, "Invalid authorization"),
    Code.INVALID_TOKEN: (403, "Invalid token"),
    Code.NO_DATA: (400, "No data"),
    Code.INVALID_DATA: (400, "Invalid data format"),
    Code.INCORRECT_INDEX: (400, "Incorrect index"),
    Code.SERVER_ERROR: (500, "Internal server error"),
    Code.BUSY: (503, "Server is busy"),
    Code.CHANNEL_MISSING: (400, "Data channel is missing"),
    Code.INVALID_CHANNEL: (400, "Invalid data channel"),
    Code.EVENT_REQUIRED: (400, "Event field is required"),
    Code.EVENT_BLANK: (400, "Event field cannot be blank"),
    Code.ACK_DISABLED: (400, "ACK is disabled"),
    Code.INVALID_FIELDS: (400, "Error in handling indexed fields"),
    Code.QUERY_TOKEN_DISABLED: (400, "Query string authorization is not enabled"),
    Code.HEALTHY: (200, "HEC is healthy"),
    Code.QUEUES_FULL: (503, "HEC is unhealthy, queues are full"),
    Code.ACK_UNAVAILABLE: (503, "HEC is unhealthy, ack service unavailable"),
    Code.QUEUES_FULL_ACK_UNAVAILABLE: (503, "HEC is unhealthy, queues are full, ack service unavailable"),
    Code.HEALTH_INVALID_TOKEN: (400, "Invalid token"),
    Code.HEALTH_TOKEN_DISABLED: (400, "Token disabled"),
    Code.SHUTTING_DOWN: (503, "Server is shutting down"),
    Code.QUEUE_NEARLY_FULL: (200, "HEC queue is approaching its capacity limit"),
    Code.ACK_NEARLY_FULL: (200, "HEC ACK is approaching its capacity limit"),
    Code.QUEUE_FULL: (429, "HEC queue is at capacity and cannot process any more requests"),
    Code.ACK_FULL: (429, "HEC ACK channel is at capacity and cannot process any more requests"),
}
_RETRY_AFTER = {Code.BUSY: 1, Code.QUEUES_FULL: 5, Code.SHUTTING_DOWN: 5, Code.QUEUE_FULL: 5, Code.ACK_FULL: 5}
"""Seconds after which a client may try again."""


@dataclass
class HecError(Exception):
    """A call is refused.

    Attributes:
        code: Why.
        event: The number of the event that is wrong, from 0; None where it is none.
        status: The HTTP status, None for that of the code.
        headers: Further headers of the answer.
    """

    code: Code
    event: int | None = None
    status: int | None = None
    headers: Mapping[str, str] | None = None


def status_of(code: Code) -> int:
    """Return the HTTP status of a code."""
    return _TEXTS[code][0]


def text_of(code: Code) -> str:
    """Return the text of a code."""
    return _TEXTS[code][1]


def answer(code: Code, *, ack_id: int | None = None) -> Response:
    """Return the answer of a call that was done."""
    more = {} if ack_id is None else {"ackId": ack_id}
    return _response(_TEXTS[code][0], {"text": text_of(code), "code": int(code), **more}, _retry(code))


def refusal(error: HecError) -> Response:
    """Return the answer of a call that is refused."""
    more = {} if error.event is None else {"invalid-event-number": error.event}
    document = {"text": text_of(error.code), "code": int(error.code), **more}
    status = status_of(error.code) if error.status is None else error.status
    return _response(status, document, {**_retry(error.code), **(error.headers or {})})


def acknowledged(acks: Mapping[int, bool]) -> Response:
    """Return which numbers are acknowledged."""
    return _response(200, {"acks": {str(number): done for number, done in acks.items()}}, {})


def unknown(status: HTTPStatus) -> Response:
    """Return the answer of an address or a method that there is not."""
    return _response(status, {"text": status.phrase, "code": int(status)}, {})


def _retry(code: Code) -> dict[str, str]:
    return {"Retry-After": str(_RETRY_AFTER[code])} if code in _RETRY_AFTER else {}


def _response(status: int, document: Mapping[str, object], headers: Mapping[str, str]) -> Response:
    return Response(orjson.dumps(document), status, dict(headers), "application/json; charset=UTF-8")
