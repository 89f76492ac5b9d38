"""The calls of Splunk's HTTP Event Collector, under `/services/collector`."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import orjson
from anyio import to_thread
from fastapi import APIRouter, Request, Response

from service.api.hec.callers import find_sender, has_token
from service.api.hec.contexts import context_of
from service.api.state import Service, service_of
from service.hec.acks import Acknowledgements
from service.hec.answers import Code, HecError, acknowledged, answer, refusal, unknown
from service.hec.bodies import INLINE_BYTES, read_body
from service.hec.entries import Kind
from service.hec.envelopes import Payload, read_events, read_lines
from service.hec.receiver import OpenLog
from service.hec.write_ahead_log import LogClosedError
from service.logs import log
from transforms.core.errors import RekindleError

router = APIRouter(tags=["hec"])
PATH = "/services/collector"
_CHANNEL_HEADER = "x-splunk-request-channel"
_GUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_COMMIT_SECONDS = 60.0
"""So long a call waits for the commit of its events."""
_OF_HEALTH = {
    Code.INVALID_TOKEN: Code.HEALTH_INVALID_TOKEN,
    Code.INVALID_AUTHORIZATION: Code.HEALTH_INVALID_TOKEN,
    Code.TOKEN_DISABLED: Code.HEALTH_TOKEN_DISABLED,
}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_Call = Callable[[Request, Service], Awaitable[Response]]


async def _event(request: Request, service: Service) -> Response:
    return await _send(request, service, "event")


async def _raw(request: Request, service: Service) -> Response:
    return await _send(request, service, "raw")


async def _send(request: Request, service: Service, kind: Kind) -> Response:
    """Take the events of a body, and answer when they are on the disk, or in the hot tier."""
    receiver = service.hec
    if receiver.is_closing:
        raise HecError(Code.SHUTTING_DOWN)
    key = await find_sender(request, service)
    channel = _channel_of(request)
    context = context_of(request, key, kind)
    opened = await _opened(service)
    with receiver.budget.reserve() as reservation:
        payload = await _read(await read_body(request, reservation), kind)
        number = await asyncio.wrap_future(receiver.accept(opened, payload, context))
        service.metrics.hec_events.inc(payload.events)
    if service.settings.hec_durable == "tier":
        await _committed(opened, number)
    has_ack = channel is not None and service.settings.hec_acks
    return answer(Code.SUCCESS, ack_id=opened.acks.number_of(number) if has_ack else None)


async def _opened(service: Service) -> OpenLog:
    if service.hec.log is not None:
        return service.hec.log
    return await to_thread.run_sync(service.hec.open)


async def _read(body: bytes, kind: Kind) -> Payload:
    read = read_events if kind == "event" else read_lines
    if not body:
        raise HecError(Code.NO_DATA)
    return read(body) if len(body) <= INLINE_BYTES else await to_thread.run_sync(read, body)


async def _committed(opened: OpenLog, number: int) -> None:
    """Wait until an event is in the hot tier.

    Raises:
        HecError: it takes too long, or the service ends.
    """
    try:
        await asyncio.wait_for(asyncio.wrap_future(opened.committer.wait_for(number)), _COMMIT_SECONDS)
    except asyncio.TimeoutError:
        raise HecError(Code.BUSY) from None
    except LogClosedError:
        raise HecError(Code.SHUTTING_DOWN) from None


async def _ack(request: Request, service: Service) -> Response:
    """Answer which of some requests are in the hot tier."""
    await find_sender(request, service)
    if not service.settings.hec_acks:
        raise HecError(Code.ACK_DISABLED)
    if _channel_of(request) is None:
        raise HecError(Code.CHANNEL_MISSING)
    opened = await _opened(service)
    with service.hec.budget.reserve() as reservation:
        body = await read_body(request, reservation)
        if len(body) <= INLINE_BYTES:
            found = _own_acks(opened.acks, body)
        else:
            found = await to_thread.run_sync(_own_acks, opened.acks, body)
        return acknowledged(await _are_committed(opened.acks, found))


def _numbers(body: bytes) -> list[int]:
    """Return the numbers that are asked for.

    Raises:
        HecError: there are none.
    """
    if not body:
        raise HecError(Code.NO_DATA)
    try:
        numbers = orjson.loads(body)["acks"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise HecError(Code.INVALID_DATA) from None
    if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
        raise HecError(Code.INVALID_DATA)
    return numbers


def _own_acks(acks: Acknowledgements, body: bytes) -> dict[int, bool | None]:
    return {number: acks.own(number) for number in _numbers(body)}


async def _are_committed(acks: Acknowledgements, found: dict[int, bool | None]) -> dict[int, bool]:
    others = [number for number, done in found.items() if done is None]
    answered = await to_thread.run_sync(acks.others, others) if others else {}
    return {number: answered.get(number, False) if done is None else done for number, done in found.items()}


async def _health(request: Request, service: Service) -> Response:
    """Answer whether it takes events; of a token that is given, whether it may send."""
    if has_token(request, service):
        try:
            await find_sender(request, service)
        except HecError as error:
            raise HecError(_OF_HEALTH.get(error.code, error.code), headers=error.headers) from None
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


@router.api_route(PATH + "{rest:path}", methods=_METHODS, include_in_schema=False)
@router.api_route("/" + PATH + "{rest:path}", methods=_METHODS, include_in_schema=False)  # of a base URL with a slash
async def collector(request: Request, rest: str) -> Response:
    """Answer a call of HEC."""
    name = rest.strip("/")
    if rest and not rest.startswith("/"):
        return unknown(HTTPStatus.NOT_FOUND)
    if request.method == "OPTIONS":
        return Response(headers={"Allow": "GET, POST, OPTIONS"})
    calls = _POSTS if request.method == "POST" else _GETS if request.method in ("GET", "HEAD") else {}
    if name not in calls:
        known = name in _POSTS or name in _GETS
        return unknown(HTTPStatus.METHOD_NOT_ALLOWED if known else HTTPStatus.NOT_FOUND)
    return await _answered(request, calls[name])


async def _answered(request: Request, call: _Call) -> Response:
    try:
        response, code = await call(request, service_of(request)), Code.SUCCESS
    except HecError as error:
        response, code = refusal(error), error.code
    except (RekindleError, OSError) as error:
        log(f"a call of HEC failed: {error}", level=logging.ERROR)
        response, code = refusal(HecError(Code.BUSY)), Code.BUSY
    except Exception:
        logging.getLogger("rekindle").exception("a call of HEC failed")
        response, code = refusal(HecError(Code.SERVER_ERROR)), Code.SERVER_ERROR
    if call is not _health:
        service_of(request).metrics.hec_answers.labels(int(code)).inc()
    return response


def _channel_of(request: Request) -> str | None:
    """Return the channel of a call, None without one.

    Raises:
        HecError: it is no GUID.
    """
    channel = request.headers.get(_CHANNEL_HEADER) or request.query_params.get("channel")
    if channel is not None and not _GUID.fullmatch(channel):
        raise HecError(Code.INVALID_CHANNEL)
    return channel
