"""Bodies: JSON objects, read whole within a limit of size and of time."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import anyio
import orjson
from fastapi import Depends, Request
from starlette.requests import ClientDisconnect

from pipelines.documents import JsonObject
from service.errors import ApiError

MOST_BYTES = 1 << 20
_SECONDS = 30.0


async def read_body(request: Request) -> bytes:
    """Return a request's body.

    Raises:
        ApiError: it is too large, comes too slowly, or is encoded.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as it is, without a Content-Encoding")
    try:
        with anyio.fail_after(_SECONDS):
            return await _read(request)
    except TimeoutError:
        raise ApiError(HTTPStatus.REQUEST_TIMEOUT, f"the body did not come within {_SECONDS:.0f} s") from None
    except ClientDisconnect:
        raise ApiError(HTTPStatus.BAD_REQUEST, "the connection ended before the body did") from None


async def read_document(request: Request) -> JsonObject:
    """Return the JSON object that is a request's body, whatever its Content-Type.

    Raises:
        ApiError: it is too large, comes too slowly, is encoded, or no JSON object.
    """
    body = await read_body(request)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise ApiError(HTTPStatus.BAD_REQUEST, "the body must be a JSON object")
    return document


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            text = f"the body is larger than {MOST_BYTES >> 20} MiB"
            raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, headers={"Connection": "close"})
    return bytes(body)


Document = Annotated[JsonObject, Depends(read_document)]
