"""Style sheets, scripts and icons: files of this package, named by their contents so that browsers may keep them.

`docs/dependencies.md` has the table of those that others wrote. They are sent by gzip, 34 kB instead of 155. Pages are
not: a compressed page's length tells of its proof beside a text that another site's link has chosen (BREACH).
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.errors import ApiError

FOLDER = Path(__file__).parent / "static"
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_DIGITS = 16
_FOR_EVER = "public, max-age=31536000, immutable"
"""Another file has another address."""
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file that pages refer to.

    Attributes:
        data: Its bytes.
        packed: The same by gzip.
        kind: Its Content-Type.
        digest: Of its bytes, by which it is asked for.
    """

    data: bytes
    packed: bytes
    kind: str
    digest: str


@cache
def assets() -> dict[str, Asset]:
    """Return the files by name."""
    found = {}
    for path in FOLDER.iterdir():
        if path.suffix in _KINDS:
            data = path.read_bytes()
            digest = sha256(data).hexdigest()[:_DIGITS]
            found[path.name] = Asset(data=data, packed=gzip.compress(data), kind=_KINDS[path.suffix], digest=digest)
    return found


def asset_path(name: str) -> str:
    """Return the address of a file, below the service's path."""
    return f"/static/{assets()[name].digest}/{name}"


@router.get("/static/{digest}/{name}")
async def asset(request: Request, digest: str, name: str) -> Response:
    """Answer with a file; it needs no key, since it is the same for all."""
    found = assets().get(name)
    if found is None or digest != found.digest:
        raise ApiError(HTTPStatus.NOT_FOUND, "there is no such file")
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.data, media_type=found.kind, headers=headers)
    return Response(found.packed, media_type=found.kind, headers=headers | {"Content-Encoding": "gzip"})
