"""Errors as the API answers them: `{"error": {"field", "message"}}`, whoever refuses, the product or the framework."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pipelines.documents import JsonModel
from service.logs import log
from service.wording import in_words_of_http
from transforms.core.errors import (
    AccessError,
    BusyError,
    CanceledError,
    ConfigurationError,
    ConflictError,
    RekindleError,
    TierError,
    TimeLimitError,
    UnconfirmedError,
)

_CLIENT_LEFT = 499
"""Nobody reads it but the log."""
_STATUSES: dict[type[RekindleError], int] = {
    ConflictError: HTTPStatus.CONFLICT,
    UnconfirmedError: HTTPStatus.CONFLICT,
    TierError: HTTPStatus.SERVICE_UNAVAILABLE,
    BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    TimeLimitError: HTTPStatus.GATEWAY_TIMEOUT,
    CanceledError: _CLIENT_LEFT,
}


class ErrorDetail(JsonModel):
    """What is wrong."""

    field: str | None
    """The field of the body or of the query that is wrong; null where it is none of them."""
    message: str
    """What is wrong, and what to do."""


class ErrorAnswer(JsonModel):
    """The answer of a call that is refused or that fails."""

    error: ErrorDetail


class ApiError(Exception):
    """A call is refused with a status, a message and the field that is wrong."""

    def __init__(
        self, status: int, message: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Keep what the answer is made of."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field
        self.headers = dict(headers or {})


class ErrorReply(NamedTuple):
    """What an answer that is no JSON tells of an error: its status, its message, and headers such as `Retry-After`."""

    status: int
    message: str
    headers: dict[str, str]


def answer(
    status: int, message: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return the answer of an error."""
    document = ErrorAnswer(error=ErrorDetail(field=field, message=in_words_of_http(message))).as_document()
    return JSONResponse(document, status, headers=dict(headers or {}))


def install(app: FastAPI) -> None:
    """Let an app answer errors in this form, also those of the framework."""
    app.add_exception_handler(ApiError, _refused)
    app.add_exception_handler(RekindleError, _failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(Exception, _unexpected)


def status_of(error: RekindleError) -> int:
    """Return the status of an answer for an error of the product."""
    return next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)


def reply_of(error: ApiError | RekindleError) -> ErrorReply:
    """Return what an answer that is no JSON tells of an error."""
    if isinstance(error, ApiError):
        return ErrorReply(error.status, error.message, error.headers)
    status = status_of(error)
    if isinstance(error, TierError):
        log(f"the hot tier failed: {error}", level=logging.ERROR)
    return ErrorReply(status, str(error), {"Retry-After": "5"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {})


def _refused(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, ApiError)
    return answer(error.status, error.message, field=error.field, headers=error.headers)


def _failed(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, RekindleError)
    status = status_of(error)
    field = error.field if isinstance(error, ConfigurationError) else None
    if isinstance(error, AccessError):
        field = "bucket"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        if isinstance(error, TierError):
            log(f"the hot tier failed: {error}", level=logging.ERROR)
        return answer(status, str(error), headers={"Retry-After": "5"})
    return answer(status, str(error), field=field)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    detail = error.errors()[0]
    field = str(detail["loc"][-1])
    text = f"{detail['msg']}, not {detail['input']!r:.200}"
    if detail["type"] == "extra_forbidden":
        text = f"unknown parameter; allowed are {', '.join(_parameters(request)) or 'none'}"
    return answer(HTTPStatus.BAD_REQUEST, f"{field}: {text}", field=field)


def _parameters(request: Request) -> list[str]:
    """Return the names of the parameters that a call's query may have."""
    path = request.scope["route"].path_format  # as the OpenAPI has it, without converters
    call = request.app.openapi()["paths"].get(path, {}).get(request.method.lower(), {})
    return sorted(parameter["name"] for parameter in call.get("parameters", ()) if parameter["in"] == "query")


def _framework(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    message, status = str(error.detail), error.status_code
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        status = HTTPStatus.BAD_REQUEST  # as all that is wrong about a call; `Allow` stays
        allowed = (error.headers or {}).get("Allow", "")
        message = f"{request.method} is not allowed here; allowed are {allowed}"
    elif status == HTTPStatus.NOT_FOUND:
        message = "there is nothing at this address: /openapi.json names what there is"
    return answer(status, message, headers=error.headers)


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    number = uuid.uuid4().hex[:12]
    logging.getLogger("rekindle").error(
        "error %s: %s %s", number, request.method, getattr(request.scope.get("route"), "path", "-"), exc_info=error
    )
    return answer(HTTPStatus.INTERNAL_SERVER_ERROR, f"an error of the service, which its log has as {number}")
