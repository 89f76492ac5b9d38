"""A proxy before services: it takes a path off, and asks another service each time, as one without sticky sessions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS = 60.0
_OF_A_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Proxy:
    """Where browsers ask.

    Attributes:
        ports: Of the services, which are asked in turn; a test may change them.
        root: The path that is taken off.
        asked: How many requests each service had.
    """

    ports: list[int]
    root: str = ""
    port: int = 0
    asked: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_port(self) -> int:
        """Return whom to ask."""
        with self.lock:
            port = self.ports[sum(self.asked.values()) % len(self.ports)]
            self.asked[port] = self.asked.get(port, 0) + 1
            return port


@contextmanager
def proxy(ports: list[int], *, root: str = "") -> Iterator[Proxy]:
    """Run a proxy."""
    known = Proxy(ports, root)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            pass

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.close_connection = True
            if not self.path.startswith(f"{root}/"):
                self.send_error(404)
                return
            connection = HTTPConnection("127.0.0.1", known.next_port(), timeout=SECONDS)
            try:
                connection.request(self.command, self.path.removeprefix(root), body, dict(self.headers))
                answer = connection.getresponse()
                data = answer.read()
            except (OSError, HTTPException):
                return  # the browser sees a connection that breaks off
            finally:
                connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OF_A_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = forward  # noqa: N815 - the names of the base class

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join(SECONDS)
