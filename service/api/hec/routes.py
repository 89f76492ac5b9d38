"""The calls of Splunk's HTTP Event Collector, under `/services/collector`."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable

import orjson
from anyio import to_thread
from fastapi import APIRouter, Request, Response

from service.api.hec.callers import find_sender
from service.api.hec.contexts import context_of
from service.api.state import Service, service_of
from service.hec.answers import Code, HecError, acknowledged, answer, refusal
from service.hec.bodies import INLINE_BYTES, MemoryBudget, read_body
from service.hec.entries import Kind
from service.hec.envelopes import read_events, read_lines
from service.logs import log
from transforms.core.errors import RekindleError

router = APIRouter(tags=["hec"])
PATH = "/services/collector"
_CHANNEL_HEADER = "x-splunk-request-channel"
_GUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_BUDGET = MemoryBudget()
_Call = Callable[[Request, Service], Awaitable[Response]]


async def _send(request: Request, service: Service, kind: Kind) -> Response:
    """Take the events of a body."""
    receiver = service.hec
    if receiver.is_closing:
        raise HecError(Code.SHUTTING_DOWN)
    key = await find_sender(request, service)
    channel = _channel_of(request)
    context = context_of(request, key, kind)
    if not receiver.is_open:
        await to_thread.run_sync(receiver.open)
    with _BUDGET.reserve() as reservation:
        body = await read_body(request, reservation)
        if not body:
            raise HecError(Code.NO_DATA)
        read = read_events if kind == "event" else read_lines
        payload = read(body) if len(body) <= INLINE_BYTES else await to_thread.run_sync(read, body)
        number = await asyncio.wrap_future(receiver.accept(payload, context))
    receiver.written()
    if service.settings.hec_durable == "tier":
        await asyncio.wrap_future(receiver.committed(number))
    return answer(Code.SUCCESS, ack_id=number if channel is not None else None)


async def _event(request: Request, service: Service) -> Response:
    return await _send(request, service, "event")


async def _raw(request: Request, service: Service) -> Response:
    return await _send(request, service, "raw")


async def _ack(request: Request, service: Service) -> Response:
    """Answer which of some requests are in the hot tier."""
    await find_sender(request, service)
    if _channel_of(request) is None:
        raise HecError(Code.CHANNEL_MISSING)
    with _BUDGET.reserve() as reservation:
        body = await read_body(request, reservation)
    if not body:
        raise HecError(Code.NO_DATA)
    try:
        numbers = orjson.loads(body)["acks"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise HecError(Code.INVALID_DATA) from None
    if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
        raise HecError(Code.INVALID_DATA)
    return acknowledged({number: service.hec.is_committed(number) for number in numbers})


async def _health(request: Request, service: Service) -> Response:
    """Answer whether it takes events."""
    del request
    return answer(service.hec.health)


_POSTS: dict[str, _Call] = {
    "": _event,
    "event": _event,
    "event/1.0": _event,
    "raw": _raw,
    "raw/1.0": _raw,
    "ack": _ack,
}
_GETS: dict[str, _Call] = {"health": _health, "health/1.0": _health}


@router.api_route(PATH + "{rest:path}", methods=["GET", "POST", "OPTIONS"], include_in_schema=False)
async def collector(request: Request, rest: str) -> Response:
    """Answer a call of HEC."""
    if request.method == "OPTIONS":
        return Response(headers={"Allow": "GET, POST, OPTIONS"})
    call = (_POSTS if request.method == "POST" else _GETS).get(rest.strip("/"))
    if call is None:
        return Response(status_code=404)
    return await _answered(request, call)


async def _answered(request: Request, call: _Call) -> Response:
    try:
        return await call(request, service_of(request))
    except HecError as error:
        return refusal(error)
    except (RekindleError, OSError) as error:
        log(f"a call of HEC failed: {error}", level=logging.ERROR)
        return refusal(HecError(Code.BUSY))
    except Exception:
        logging.getLogger("rekindle").exception("a call of HEC failed")
        return refusal(HecError(Code.SERVER_ERROR))


def _channel_of(request: Request) -> str | None:
    """Return the channel of a call, None without one.

    Raises:
        HecError: it is no GUID.
    """
    channel = request.headers.get(_CHANNEL_HEADER) or request.query_params.get("channel")
    if channel is not None and not _GUID.fullmatch(channel):
        raise HecError(Code.INVALID_CHANNEL)
    return channel
