"""Who calls: the key of a request's token, and whether its role is enough."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import Depends, Request

from pipelines.keys import Key
from service.api.state import Service, service_of
from service.errors import ApiError

Role = Literal["ingest", "read", "admin"]
TOKEN_REQUIRED = "Token is required"  # noqa: S105
INVALID_TOKEN = "Invalid token"  # noqa: S105
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PROXIED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Attributes:
        key: The key, None for whoever calls a service of this machine for which no key was made yet.
    """

    key: Key | None

    @property
    def key_id(self) -> str | None:
        """The id of the key."""
        return self.key.id if self.key else None

    @property
    def actor(self) -> str | None:
        """What the audit calls it: its key; None is whoever runs the service."""
        if self.key is None:
            return None
        name = "".join(character if character.isprintable() else "?" for character in self.key.name)
        return f"{name} (key {self.key.id})"

    def has(self, role: Role) -> bool:
        """Whether it may do what a role may; an administrator may do everything."""
        return self.key is None or self.key.role in (role, "admin")


def find_caller(request: Request) -> Caller:
    """Return who calls.

    Raises:
        ApiError: 401 without a token or with a wrong one, 429 for who guesses.
    """
    return caller_of(request, token_of(request))


def caller_of(request: Request, token: str | None) -> Caller:
    """Return who calls with a token, or without one.

    Raises:
        ApiError: 401 without a token or with a wrong one, 429 for who guesses.
    """
    service = service_of(request)
    if token is None:
        if _is_open_to(request, service):
            return Caller(None)
        raise _unauthorized(TOKEN_REQUIRED)
    address = request.client.host if request.client else ""
    wait = service.guesses.wait_of(address)
    if wait and not service.keyring.knows(token):
        raise _too_many(wait, "too many wrong tokens from this address")
    key = service.keyring.find(token)
    if key is None:
        service.guesses.count(address)
        raise _unauthorized(INVALID_TOKEN)
    if wait := service.calls.wait_of(key.id):
        raise _too_many(wait, "too many calls by this key")
    service.calls.count(key.id)
    service.keyring.note_use(key)
    request.state.key_id = key.id
    return Caller(key)


def require(*roles: Role) -> Callable[[Caller], Caller]:
    """Return what finds the caller, and refuses one that has none of these roles."""

    def check(caller: Annotated[Caller, Depends(find_caller)]) -> Caller:
        if not any(caller.has(role) for role in roles):
            assert caller.key is not None
            enough = " or ".join(dict.fromkeys([*roles, "admin"]))
            text = f"key {caller.key.id} has the role {caller.key.role}: this takes a key of the role {enough}"
            raise ApiError(HTTPStatus.FORBIDDEN, text, field="key")
        return caller

    return check


Anyone = Annotated[Caller, Depends(find_caller)]
Ingester = Annotated[Caller, Depends(require("ingest"))]
Reader = Annotated[Caller, Depends(require("read"))]
Administrator = Annotated[Caller, Depends(require("admin"))]


def token_of(request: Request) -> str | None:
    """Return the token of a request, None without one: `Bearer TOKEN`, or the user part of the URL (`Basic`).

    Raises:
        ApiError: what should be one can't be read.
    """
    headers = request.headers.getlist("authorization")
    scheme, _, value = headers[0].partition(" ") if headers else ("", "", "")
    if len(headers) > 1:
        raise _unauthorized(INVALID_TOKEN)
    token = value.strip()
    if scheme.lower() == "basic":
        token = _user_of(token)
    elif scheme.lower() not in ("", "bearer"):
        raise _unauthorized(INVALID_TOKEN)
    return token or None


def _user_of(credentials: str) -> str:
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _unauthorized(INVALID_TOKEN) from None
    return user or password


def _is_open_to(request: Request, service: Service) -> bool:
    """Whether a request without a token is that of somebody at this machine, while no key was made yet.

    A page of another site in this machine's browser is not (its Origin or, after it has given its own name this
    machine's address, its Host is another), and neither is what a proxy hands on.
    """
    settings = service.settings
    if not settings.is_loopback or settings.root_path or service.keyring.has_any():
        return False
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    return (
        _host_of(f"//{host}") in LOOPBACK
        and (origin is None or origin in (f"http://{host}", f"https://{host}"))
        and not any(name in request.headers for name in _PROXIED)
        and request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    )


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _unauthorized(message: str) -> ApiError:
    return ApiError(HTTPStatus.UNAUTHORIZED, message, field="token", headers={"WWW-Authenticate": "Bearer"})


def _too_many(seconds: float, message: str) -> ApiError:
    wait = math.ceil(seconds)
    text = f"{message}: try again in {wait} s"
    return ApiError(HTTPStatus.TOO_MANY_REQUESTS, text, headers={"Retry-After": str(wait)})
