"""HTTP/1.1 as uvicorn speaks it, but strict, in time, and bounded.

- Whoever opens a connection, or begins a request, finishes its head within some seconds, and what is left of a body
  after the answer too: a client that sends a byte now and then holds nothing for long.
- Whoever does not read an answer loses the connection after a minute.
- Where there are too many connections the one that has been idle for longest is closed, so that thousands of idle ones
  keep nobody out.
- A line that ends without CR, or that continues the one before it, is refused: a proxy may have read it as something
  else (RFC 9112, sections 2.2 and 5.2: request smuggling).
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import h11
from prometheus_client import Counter
from uvicorn.protocols.http.h11_impl import H11Protocol

from service.errors import answer

HEAD_SECONDS = 20.0
UNREAD_SECONDS = 60.0
_LINGER_SECONDS = 1.0
MOST_CONNECTIONS = 10_000
MOST_HEAD_BYTES = 32 << 10
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_AMBIGUOUS_LINE = re.compile(rb"(?<!\r)\n|\n[ \t]")
_VERSIONS = (b"1.1", b"1.0")
_MALFORMED = answer(HTTPStatus.BAD_REQUEST, "this is no request of HTTP/1.1, or its head is longer than 32 KiB")


@dataclass(kw_only=True)
class ConnectionLimits:
    """The connections of one server, and how many it has.

    Attributes:
        dropped: Counts those that were closed, by the reason.
        most: How many there may be.
        head_seconds: How long the head of a request may take.
        unread_seconds: How long a client may leave an answer unread.
        idle: Those without a request at work, the one that has been so for longest first.
    """

    dropped: Counter
    most: int = MOST_CONNECTIONS
    head_seconds: float = HEAD_SECONDS
    unread_seconds: float = UNREAD_SECONDS
    idle: OrderedDict[StrictProtocol, None] = field(default_factory=OrderedDict)


class StrictConnection(h11.Connection):
    """A connection that refuses lines of a head which two programs may read differently."""

    def next_event(self) -> Any:
        """Return the next event.

        Raises:
            h11.RemoteProtocolError: the head is malformed.
        """
        if self.their_state is h11.IDLE:
            received = self.trailing_data[0].lstrip(b"\r\n")
            end = _END_OF_HEAD.search(received)
            if end and end.end() > MOST_HEAD_BYTES:  # h11 itself bounds one that has not arrived whole
                raise h11.RemoteProtocolError("the head is too long")
            if _AMBIGUOUS_LINE.search(received, 0, end.end() if end else len(received)):
                raise h11.RemoteProtocolError("a line of the head ends without CR, or continues the one before it")
        event = super().next_event()
        if isinstance(event, h11.Request) and event.http_version not in _VERSIONS:
            raise h11.RemoteProtocolError("another version of HTTP")
        return event


class StrictProtocol(H11Protocol):
    """One connection."""

    def __init__(self, limits: ConnectionLimits, **given: Any) -> None:
        """Take the server's limits, and what uvicorn gives its protocols."""
        super().__init__(**given)
        self.conn = StrictConnection(h11.SERVER, MOST_HEAD_BYTES)
        self._limits = limits
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._is_refused = False

    @property
    def is_at_work(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; close an idle connection where there are too many."""
        super().connection_made(transport)
        self._limits.idle[self] = None
        self._begin_deadline()
        if len(self.connections) > self._limits.most:
            longest, _ = self._limits.idle.popitem(last=False)
            longest.drop("too_many")

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._end_deadline()
        self._end_unread()
        self._limits.idle.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        if self._is_refused:
            return
        if not self.is_at_work:
            self._begin_deadline()
        super().data_received(data)

    def handle_events(self) -> None:
        """Handle what has arrived."""
        super().handle_events()
        if self.is_at_work:
            self._end_deadline()
            self._limits.idle.pop(self, None)

    def on_response_complete(self) -> None:
        """Go on with the next request."""
        self._limits.idle[self] = None
        super().on_response_complete()
        if not self.is_at_work and (self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]):
            self._begin_deadline()

    def pause_writing(self) -> None:
        """Wait for a client that does not read."""
        super().pause_writing()
        self._begin_unread()

    def resume_writing(self) -> None:
        """Go on: it has read."""
        self._end_unread()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that is idle, also where the last answer was never read."""
        super().timeout_keep_alive_handler()
        self._begin_unread()

    def send_400_response(self, msg: str) -> None:
        """Answer a malformed request in the form of the API."""
        del msg
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [*_MALFORMED.raw_headers, (b"connection", b"close")]
            response = h11.Response(status_code=HTTPStatus.BAD_REQUEST, headers=headers, reason=b"Bad Request")
            for event in (response, h11.Data(data=bytes(_MALFORMED.body)), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        if self.is_at_work:  # on its body: to the route it has left
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        # not closed at once: a client that still sends would be told that the connection is gone, and not why
        self._is_refused = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def drop(self, reason: str) -> None:
        """Close the connection at once."""
        self._limits.dropped.labels(reason).inc()
        self.transport.abort()

    def _begin_unread(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(self._limits.unread_seconds, self.drop, "unread")

    def _end_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _begin_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._limits.head_seconds, self._on_deadline)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _on_deadline(self) -> None:
        self._deadline = None
        if not self.is_at_work:
            self.drop("slow")
