"""Bodies of HEC calls: of any content type, plain or compressed by gzip, whole or in chunks, within limits."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
from anyio import to_thread
from starlette.requests import ClientDisconnect, Request

from service.hec.answers import Code, HecError

MOST_WIRE_BYTES = 16 << 20
MOST_DECODED_BYTES = 64 << 20
MOST_BYTES_AT_ONCE = 192 << 20
"""What all bodies take that are at work."""
INLINE_BYTES = 64 << 10
"""A larger body is worked at by a thread."""
_SECONDS = 30.0
_PLAIN = ("", "identity")
_GZIP = ("gzip", "x-gzip")
_AS_GZIP = 16 + zlib.MAX_WBITS


@dataclass
class Reservation:
    """What one body takes of the budget."""

    budget: MemoryBudget
    size: int = 0

    def grow(self, size: int) -> None:
        """Take more.

        Raises:
            HecError: others have taken too much.
        """
        self.budget.take(size)
        self.size += size


@dataclass
class MemoryBudget:
    """Bounds what all bodies take that are at work."""

    most: int = MOST_BYTES_AT_ONCE
    used: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def reserve(self) -> Iterator[Reservation]:
        """Give back at the end what was taken meanwhile."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self.take(-reservation.size)

    def take(self, size: int) -> None:
        """Take so much.

        Raises:
            HecError: there is not as much left.
        """
        with self._lock:
            if size > 0 and self.used + size > self.most:
                raise HecError(Code.BUSY)
            self.used += size


async def read_body(request: Request, reservation: Reservation) -> bytes:
    """Return a body as it was before it was encoded.

    Raises:
        HecError: it is too large, comes too slowly, or is not encoded as it says.
    """
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in (*_PLAIN, *_GZIP):
        raise HecError(Code.INVALID_DATA, status=415)
    try:
        with anyio.fail_after(_SECONDS):
            body = await _read(request, reservation)
    except TimeoutError:
        raise HecError(Code.INVALID_DATA, status=408, headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise HecError(Code.INVALID_DATA) from None
    if encoding in _PLAIN:
        return body
    if len(body) <= 4096:
        return decompress(body, reservation)
    return await to_thread.run_sync(decompress, body, reservation)


async def _read(request: Request, reservation: Reservation) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_WIRE_BYTES:
            raise _too_large()
        reservation.grow(len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)


def decompress(body: bytes, reservation: Reservation) -> bytes:
    """Return what was compressed by gzip, of one member or several.

    Raises:
        HecError: it is broken, cut off, or too large.
    """
    parts: list[bytes] = []
    size = 0
    while body:
        decoder = zlib.decompressobj(_AS_GZIP)
        while not decoder.eof:
            try:
                part = decoder.decompress(body, 1 << 20)
            except zlib.error:
                raise HecError(Code.INVALID_DATA) from None
            body = decoder.unconsumed_tail
            if not part and not body and not decoder.eof:
                raise HecError(Code.INVALID_DATA)
            size += len(part)
            if size > MOST_DECODED_BYTES:
                raise _too_large()
            reservation.grow(len(part))
            parts.append(part)
        body = decoder.unused_data
    return b"".join(parts)


def _too_large() -> HecError:
    return HecError(Code.INVALID_DATA, status=413, headers={"Connection": "close"})
