"""Who looks at a page: the token of a key in a cookie that scripts can't read and other sites don't send.

No service keeps a session, so several may answer one browser. A revoked key ends it everywhere. Forms that change
something carry a proof that the page has made them, which only who has the token can compute. The API itself takes no
cookie, and needs none of this.
"""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, urlsplit

from fastapi import Depends, Request
from fastapi.responses import Response

from service.api.callers import Caller, caller_of
from service.api.documents import read_body
from service.errors import ApiError

COOKIE = "rekindle_token"
PROOF = "proof"
_SECONDS = 30 * 86_400
_HERE = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f-\x9f]*")


def find_visitor(request: Request) -> Caller:
    """Return who looks at a page.

    Raises:
        ApiError: 401 for who has to sign in, 403 for whose key may not read, 429 for who guesses.
    """
    caller = caller_of(request, request.cookies.get(COOKIE) or None)
    if not caller.has("read"):
        raise ApiError(HTTPStatus.FORBIDDEN, "this key may not read: sign in with one of the role read or admin")
    return caller


Visitor = Annotated[Caller, Depends(find_visitor)]


def check_admin(visitor: Caller, what: str) -> None:
    """Check that a visitor may change something.

    Raises:
        ApiError: 403.
    """
    if not visitor.has("admin"):
        raise ApiError(HTTPStatus.FORBIDDEN, f"{what} takes a key of the role admin")


def keep_token(request: Request, response: Response, token: str) -> None:
    """Let the browser keep a token."""
    path = request.scope.get("root_path") or "/"
    is_secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, _SECONDS, path=path, secure=is_secure, httponly=True, samesite="lax")


def forget_token(request: Request, response: Response) -> None:
    """Let the browser forget its token."""
    path = request.scope.get("root_path") or "/"
    response.delete_cookie(COOKIE, path=path, secure=request.url.scheme == "https", httponly=True, samesite="lax")


def proof_of(request: Request) -> str:
    """Return what a form carries to prove that a page of this browser's session has made it; empty without a token."""
    token = request.cookies.get(COOKIE, "")
    return hmac.new(token.encode(), b"rekindle form", sha256).hexdigest() if token else ""


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form, of which a page of the service's own must be the origin.

    Raises:
        ApiError: 403 where another site's page has sent it; 400 and others where it can't be read.
    """
    check_origin(request)
    body = await read_body(request)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        raise ApiError(HTTPStatus.BAD_REQUEST, "the form can't be read") from None


Form = Annotated[dict[str, str], Depends(read_form)]


async def read_proved_form(request: Request, form: Form) -> dict[str, str]:
    """Return the fields of a form that only a page of this session can have made.

    Raises:
        ApiError: 403, its proof is missing or is another session's.
    """
    check_proof(request, form.get(PROOF, ""))
    return form


def check_proof(request: Request, proof: str) -> None:
    """Check what proves that a page of this session has made a form.

    Raises:
        ApiError: 403, it is missing or is another session's.
    """
    if not hmac.compare_digest(proof.encode(), proof_of(request).encode()):
        raise ApiError(HTTPStatus.FORBIDDEN, "the form is of another session: load the page again")


ProvedForm = Annotated[dict[str, str], Depends(read_proved_form)]


def path_here(path: str) -> str:
    """Return a path of the service to go to, whatever was asked for: never another site's."""
    return path if _HERE.fullmatch(path) else "/explore"


def check_origin(request: Request) -> None:
    """Refuse what a page of another site sends; browsers name the origin of every form.

    Raises:
        ApiError: 403, it is of another site.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    is_own = origin is None or address_parts(origin).netloc == request.headers.get("host")
    if not is_own or site not in ("same-origin", "none"):
        raise ApiError(HTTPStatus.FORBIDDEN, "pages of other sites may not send forms here")


def address_parts(address: str) -> SplitResult:
    """Return the parts of an address that a header has, empty ones where it is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")
