"""Style sheets, scripts and icons: files of this package, named by their contents so that browsers may keep them.

`docs/dependencies.md` has the table of those that others wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from service.errors import ApiError

FOLDER = Path(__file__).parent / "static"
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_DIGITS = 16
_FOR_EVER = "public, max-age=31536000, immutable"
"""Another file has another address."""
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Asset:
    """A file that pages refer to.

    Attributes:
        data: Its bytes.
        kind: Its Content-Type.
        digest: Of its bytes, by which it is asked for.
    """

    data: bytes
    kind: str
    digest: str


@cache
def assets() -> dict[str, Asset]:
    """Return the files by name."""
    found = {}
    for path in FOLDER.iterdir():
        if path.suffix in _KINDS:
            data = path.read_bytes()
            found[path.name] = Asset(data, _KINDS[path.suffix], sha256(data).hexdigest()[:_DIGITS])
    return found


def asset_path(name: str) -> str:
    """Return the address of a file, below the service's path."""
    return f"/static/{assets()[name].digest}/{name}"


@router.get("/static/{digest}/{name}")
async def asset(digest: str, name: str) -> Response:
    """Answer with a file; it needs no key, since it is the same for all."""
    found = assets().get(name)
    if found is None or digest != found.digest:
        raise ApiError(HTTPStatus.NOT_FOUND, "there is no such file")
    return Response(found.data, media_type=found.kind, headers={"Cache-Control": _FOR_EVER})
