"""Who sends: the key of a call's token, as HEC's clients send it."""

from __future__ import annotations

import base64
import binascii
import math

from anyio import to_thread
from starlette.requests import Request

from pipelines.keys import Key, is_revoked
from service.api.state import Service
from service.hec.answers import Code, HecError

_SENDERS = ("ingest", "admin")


async def find_sender(request: Request, service: Service) -> Key:
    """Return the key of the token that a call brings.

    Raises:
        HecError: it brings none, or one that may not send.
    """
    token = token_of(request, from_query=service.settings.hec_query_tokens)
    key = service.keyring.kept(token)
    if key is None:
        key = await to_thread.run_sync(_look_up, request, service, token)
    request.state.key_id = key.id
    if key.role not in _SENDERS:
        raise HecError(Code.INVALID_TOKEN)
    return key


def has_token(request: Request, service: Service) -> bool:
    """Whether a call brings a token where one may be."""
    return "authorization" in request.headers or (service.settings.hec_query_tokens and "token" in request.query_params)


def token_of(request: Request, *, from_query: bool) -> str:
    """Return the token of a call: `Splunk T`, `Bearer T`, Basic with T as the password, or `?token=T` where allowed.

    Raises:
        HecError: there is none, or it can't be read.
    """
    headers = request.headers.getlist("authorization")
    if not headers:
        if "token" not in request.query_params:
            raise HecError(Code.TOKEN_REQUIRED)
        if not from_query:
            raise HecError(Code.QUERY_TOKEN_DISABLED)
        return request.query_params["token"]
    scheme, _, value = headers[0].strip().partition(" ")
    token = value.strip()
    if scheme.lower() == "basic":
        token = _password_of(token)
    elif scheme.lower() not in ("splunk", "bearer"):
        raise HecError(Code.INVALID_AUTHORIZATION)
    if len(headers) > 1 or not token:
        raise HecError(Code.INVALID_AUTHORIZATION)
    return token


def _password_of(credentials: str) -> str:
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise HecError(Code.INVALID_AUTHORIZATION) from None
    return password or user


def _look_up(request: Request, service: Service, token: str) -> Key:
    address = request.client.host if request.client else ""
    wait = service.guesses.wait_of(address)
    if wait and not service.keyring.knows(token):
        raise HecError(Code.BUSY, status=429, headers={"Retry-After": str(math.ceil(wait))})
    key = service.keyring.find(token)
    if key is None:
        service.guesses.count(address)
        raise HecError(Code.TOKEN_DISABLED if is_revoked(service.tier, token) else Code.INVALID_TOKEN)
    service.keyring.note_use(key)
    return key
