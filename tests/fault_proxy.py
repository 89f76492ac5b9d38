"""An HTTP proxy before an S3 endpoint that does what networks and stores do on bad days, to chosen objects.

A chosen number of times.
"""

from __future__ import annotations

import signal
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import unquote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import get_session

HOST = "127.0.0.1"
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"})
_BODY = (
    "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message>"
    "<Region>{region}</Region></Error>"
)


@dataclass
class Fault:
    """What happens to some requests.

    Attributes:
        key: Requests for this object; None for requests of the bucket itself, such as listings; "*" for every request.
        method: Only requests of this HTTP method; several with blanks between them, "*" for all.
        named: Only requests for objects whose key this is true of.
        count: How many times; negative for always.
        skip: How many such requests pass first.
        truncate: Send the headers of the whole answer, and so many bytes of the body.
        reset: With `truncate`, end it by a reset of the connection; alone, reset before any answer.
        lose_answer: Forward the request, and reset the connection instead of answering.
        status, code, region: Answer this, with S3's error code, and `x-amz-bucket-region` if there is one.
        body: With `status`, answer this instead of an error of S3's form.
        etag: Replace the ETag of the answer.
        drop_conditions: Forward the request without If-Match and If-None-Match, as a store does that does not know
            them.
        ranges: Answer another range than was asked for: gets first and last byte of it, returns those of the other, or
            None for the whole object with status 200, as a gateway does that does not know ranges.
        content_length: Replace the Content-Length of the answer, and end the body there.
        before: Called before the request goes on, or is answered by the proxy; such as to change the object.
        after: Called when the store has answered, before that is passed on.
    """

    key: str | None
    method: str = "GET"
    named: Callable[[str], bool] | None = None
    count: int = 1
    skip: int = 0
    truncate: int | None = None
    reset: bool = False
    lose_answer: bool = False
    status: int | None = None
    code: str = "ServiceUnavailable"
    region: str = ""
    body: str | None = None
    etag: str | None = None
    drop_conditions: bool = False
    ranges: Callable[[int, int], tuple[int, int] | None] | None = None
    content_length: Callable[[int], int] | None = None
    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None


@dataclass(frozen=True)
class Seen:
    """A request that came by: its method, key (None for the bucket's own), headers (names in lower case).

    And the fault that hit it.
    """

    method: str
    key: str | None
    headers: dict[str, str]
    fault: Fault | None = field(repr=False)


class FaultProxy:
    """A context manager: the proxy runs inside it, in threads of this process.

    Attributes:
        endpoint_url: Where it answers.
        seen: Every request that came by, in order.
    """

    def __init__(self, upstream: str, *, tls: ssl.SSLContext | None = None) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.seen: list[Seen] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = _Server(self)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.endpoint_url = f"{'https' if tls else 'http'}://{HOST}:{self._server.server_port}"

    def add(self, fault: Fault) -> Fault:
        """Let something happen from now on.

        Of several faults that fit a request the first added that is not used up.
        """
        with self._lock:
            self._faults.append(fault)
        return fault

    def requests(self, key: str | None, method: str = "GET") -> list[Seen]:
        return [one for one in self.seen if one.key == key and one.method == method]

    def meet(self, method: str, path: str, headers: dict[str, str]) -> Fault | None:
        """Note a request, and return the fault that hits it."""
        _, _, rest = unquote(urlsplit(path).path).removeprefix("/").partition("/")
        key = rest or None
        with self._lock:
            hit = next((fault for fault in self._faults if _fits(fault, method, key)), None)
            if hit and hit.skip:
                hit.skip -= 1
                hit = None
            if hit:
                hit.count -= 1
            self.seen.append(Seen(method, key, headers, hit))
        return hit

    def __enter__(self) -> FaultProxy:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _fits(fault: Fault, method: str, key: str | None) -> bool:
    if fault.count == 0 or (fault.method != "*" and method not in fault.method.split()) or fault.key not in (key, "*"):
        return False
    return fault.named is None or (key is not None and fault.named(key))


def _with_range(headers: dict[str, str], ranges: Callable[[int, int], tuple[int, int] | None]) -> dict[str, str]:
    """Return a request's headers with another range, or with none."""
    asked = next(value for name, value in headers.items() if name.lower() == "range")
    first, last = map(int, asked.removeprefix("bytes=").split("-"))
    others = {name: value for name, value in headers.items() if name.lower() != "range"}
    given = ranges(first, last)
    return others if given is None else {**others, "Range": f"bytes={given[0]}-{given[1]}"}


def _signed_again(method: str, url: str, headers: dict[str, str]) -> dict[str, str]:
    """Return a request's headers with a signature that fits them, by the credentials of the environment."""
    given = {name.lower(): value for name, value in headers.items()}
    region = given.pop("authorization").split("/")[2]
    request = AWSRequest(method, url, given)
    _SignedAgain(get_session().get_credentials(), given["x-amz-content-sha256"], region).add_auth(request)
    return dict(request.headers.items())


class _SignedAgain(S3SigV4Auth):
    """A signature over what the request already says of its body."""

    def __init__(self, credentials: Credentials, body_digest: str, region: str) -> None:
        super().__init__(credentials, "s3", region)
        self._body_digest = body_digest

    def payload(self, request: AWSRequest) -> str:
        return self._body_digest


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy
        super().__init__((HOST, 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self._body(headers)
        fault = self.server.proxy.meet(self.command, self.path, headers)
        if fault and fault.before:
            fault.before()
        if fault is None:
            self._forward(body, Fault(None))
        elif fault.status is not None:
            self._refuse(fault)
        elif fault.reset and fault.truncate is None:
            self._reset()
        else:
            self._forward(body, fault)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _handle  # noqa: N815 - http.server's names

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("expect", "").lower() == "100-continue":
            pass  # http.server has answered it already
        return self.rfile.read(int(headers.get("content-length") or 0))

    def _forward(self, body: bytes, fault: Fault) -> None:
        connection = HTTPConnection(self.server.proxy.upstream, timeout=60)
        dropped = {"if-match", "if-none-match"} if fault.drop_conditions else set()
        sent = {name: value for name, value in self.headers.items() if name.lower() not in _HOP | dropped | {"expect"}}
        if fault.ranges and "range" in {name.lower() for name in sent}:
            sent = _with_range(sent, fault.ranges)
            dropped = {"range"}
        if dropped & {name.lower() for name in self.headers}:
            sent = _signed_again(self.command, f"http://{self.headers['Host']}{self.path}", sent)
        connection.request(self.command, self.path, body=body or None, headers=sent)
        response = connection.getresponse()
        if fault.after:
            fault.after()
        if fault.lose_answer:
            response.read()
            self._reset()
        else:
            self._answer(response, fault)
        connection.close()

    def _answer(self, response: HTTPResponse, fault: Fault) -> None:
        content = response.read()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() == "etag" and fault.etag is not None:
                self.send_header(name, fault.etag)
            elif name.lower() not in _HOP | {"date", "server"}:
                self.send_header(name, value)
        if fault.content_length is not None:
            content = content.ljust(fault.content_length(len(content)), b"\n")[: fault.content_length(len(content))]
        length = response.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(content if fault.truncate is None else content[: fault.truncate])
        if fault.truncate is not None:
            self.close_connection = True
            if fault.reset:
                self._reset()

    def _refuse(self, fault: Fault) -> None:
        assert fault.status is not None
        content = (
            fault.body or _BODY.format(code=fault.code, message="a fault of the test", region=fault.region)
        ).encode()
        self.send_response(fault.status)
        if fault.region:
            self.send_header("x-amz-bucket-region", fault.region)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _reset(self) -> None:
        """Close the connection by a reset (RFC 9293 §3.10.7): what is still on its way is lost."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


class Gate:
    """Holds the reading of one object until it is opened; the sample that the job reads of it before passes."""

    def __init__(self, proxy: FaultProxy, key: str) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        proxy.add(Fault(key=key, count=-1, skip=1, before=self._hold))

    def kill(self, process: subprocess.Popen[str]) -> None:
        """Kill a process that reads the object, as soon as it waits at the gate."""
        try:
            assert self.reached.wait(90), process.communicate(timeout=5)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
        finally:
            process.kill()
            self.opened.set()

    def _hold(self) -> None:
        self.reached.set()
        self.opened.wait()
