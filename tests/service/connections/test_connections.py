"""Connections: what is ambiguous is refused, what is slow is ended, and idle ones keep nobody out."""

from __future__ import annotations

import json
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.api import documents
from service.connections.middleware import AnswerLog, name_of_address
from tests.conftest import THOROUGH
from tests.service.conftest import SECONDS, Api, listening, make_api, serving

HOST = b"Host: 127.0.0.1:8080\r\n"
NEXT = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
AMBIGUOUS = [
    pytest.param(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="length-and-chunked"),
    pytest.param(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n\r\n", id="chunked-and-length"),
    pytest.param(b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n", id="two-lengths"),
    pytest.param(b"Content-Length: 0, 44\r\n\r\n", id="two-lengths-in-one"),
    pytest.param(b"Content-Length: +0\r\n\r\n", id="signed-length"),
    pytest.param(b"Content-Length: 0x0\r\n\r\n", id="hexadecimal-length"),
    pytest.param(b"Content-Length: -1\r\n\r\n", id="negative-length"),
    pytest.param(b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", id="blank-before-colon"),
    pytest.param(b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", id="unknown-encoding"),
    pytest.param(b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", id="two-encodings"),
    pytest.param(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", id="two-headers"),
    pytest.param(b"X: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="folded-by-blank"),
    pytest.param(b"X: a\r\n\tContent-Length: 44\r\n\r\n", id="folded-by-tab"),
    pytest.param(b"X: a\nContent-Length: 44\r\n\r\n", id="bare-line-feed"),
    pytest.param(b"X: a\n\n", id="ends-by-bare-line-feeds"),
    pytest.param(b"X: a\rContent-Length: 44\r\n\r\n", id="bare-carriage-return"),
    pytest.param(b"X: a\x00b\r\n\r\n", id="NUL"),
    pytest.param(HOST + b"\r\n", id="two-hosts"),
    pytest.param(b"X" * 100_000 + b": a\r\n\r\n", id="long-name"),
    pytest.param(b"X: " + b"a" * 100_000 + b"\r\n\r\n", id="long-value"),
    pytest.param(b"X: a\r\n" * 20_000 + b"\r\n", id="many-headers"),
]
NO_REQUESTS = [
    pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="no-host"),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="TLS"),
    pytest.param(b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n", id="undecodable-target"),
    pytest.param(b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", id="long-target"),
    pytest.param(b"POST /ingest HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="chunked-HTTP/1.0"),
]


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """A connection to the service."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as client:
        yield client


def receive_all(client: socket.socket) -> bytes:
    """Return what comes until the service closes the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while chunk := client.recv(65536):
            received += chunk
    return received


def exchange(port: int, sent: bytes) -> bytes:
    """Send bytes by a connection of its own, and return all that is answered."""
    with connected(port) as client:
        with suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(sent)
        return receive_all(client)


def statuses(answered: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", answered)]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A service that listens."""
    with listening(make_api(tmp_path_factory.mktemp("connections"))) as found:
        yield found


@pytest.mark.parametrize("headers", AMBIGUOUS)
def test_nothing_is_smuggled(port: int, headers: bytes) -> None:
    answered = exchange(port, b"POST /ingest HTTP/1.1\r\n" + HOST + headers + NEXT)
    assert statuses(answered) == [400], answered
    document = json.loads(answered.partition(b"\r\n\r\n")[2])
    assert document["error"].keys() == {"field", "message"}
    assert statuses(exchange(port, closing("/healthz"))) == [200]


@pytest.mark.parametrize("sent", NO_REQUESTS)
def test_what_is_no_request(port: int, sent: bytes) -> None:
    answered = exchange(port, sent + NEXT)
    assert statuses(answered) == [400], answered
    assert json.loads(answered.partition(b"\r\n\r\n")[2])["error"]["field"] is None


@pytest.mark.parametrize(
    "body", [b"zz\r\n", b"1\r\n{", b"0x1\r\n{\r\n0\r\n\r\n"], ids=["no-size", "cut", "signed-size"]
)
def test_a_body_that_breaks_while_it_is_read(api: Api, caplog: pytest.LogCaptureFixture, body: bytes) -> None:
    with listening(api, head_seconds=0.2) as port, connected(port) as client:
        client.sendall(b"POST /ingest HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + body)
        client.shutdown(socket.SHUT_WR)
        assert statuses(receive_all(client)) in ([400], [])
        assert statuses(exchange(port, closing("/healthz"))) == [200]
        assert not [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("cut", [1, 7, 10_000], ids=str)
def test_a_head_is_the_same_however_it_is_cut(port: int, cut: int) -> None:
    whole = b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\nConnection: close\r\n\r\n"
    for sent, status in ((whole, 400), (whole.replace(b"\r\n b", b""), 200)):
        with connected(port) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start in range(0, len(sent), cut):
                client.sendall(sent[start : start + cut])
            assert statuses(receive_all(client)) == [status]


def closing(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\n".encode() + HOST + b"Connection: close\r\n\r\n"


def test_requests_in_a_row_are_answered_in_their_order(port: int) -> None:
    sent = b"".join(closing(path).replace(b"Connection: close\r\n", b"") for path in ("/healthz", "/none", "/readyz"))
    assert statuses(exchange(port, sent + closing("/none"))) == [200, 404, 200, 404]


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\n" + HOST, closing("/healthz").replace(b"close", b"x") + b"GE"],
    ids=["nothing", "half-a-line", "half-a-head", "a-second-one"],
)
def test_who_does_not_finish_a_head_loses_the_connection(api: Api, sent: bytes) -> None:
    with listening(api, head_seconds=0.2) as port:
        exchange(port, sent)
    assert "rekindle_http_connections_dropped_total" in api.ask("GET", "/metrics").text
    assert dropped(api, "slow") == 1


def test_what_is_left_of_a_body_after_its_answer(api: Api) -> None:
    api.key("admin")
    with listening(api, head_seconds=0.2) as port:
        answered = exchange(port, b"POST /ingest HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n{")
    assert statuses(answered) == [401]
    assert dropped(api, "slow") == 1


def test_a_slow_body(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_SECONDS", 0.2)
    with listening(api, head_seconds=0.2) as port:
        answered = exchange(port, b"POST /ingest HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n{")
    assert statuses(answered) == [408]


def test_who_does_not_read_loses_the_connection(api: Api) -> None:
    with listening(api, unread_seconds=0.2) as port, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(SECONDS)
        client.connect(("127.0.0.1", port))
        with pytest.raises(OSError, match="reset|Broken pipe"):
            while True:
                client.sendall(closing("/openapi.json").replace(b"close", b"x"))
    assert dropped(api, "unread") == 1


def dropped(api: Api, reason: str) -> float:
    """Return how many connections were dropped."""
    name = "rekindle_http_connections_dropped_total"
    return api.service.metrics.registry.get_sample_value(name, {"reason": reason}) or 0.0


def test_idle_connections_keep_nobody_out(api: Api) -> None:
    with listening(api, most=20) as port, ExitStack() as idle:
        clients = [idle.enter_context(connected(port)) for _ in range(60)]
        assert statuses(exchange(port, closing("/healthz"))) == [200]
        assert receive_all(clients[0]) == b""
        clients[-1].sendall(closing("/healthz"))
        assert statuses(receive_all(clients[-1])) == [200]
    assert dropped(api, "too_many") >= 41


def test_too_many_requests_at_once(api: Api) -> None:
    client = TestClient(AnswerLog(api.client.app, api.service.metrics, most_requests=0))
    answer = client.get("/jobs")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "too many requests are at work" in answer.json()["error"]["message"]
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9%eth0", "2001:db8:1:2::"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("testclient", "testclient"),
    ],
)
def test_under_which_name_an_address_is_slowed(address: str, name: str) -> None:
    assert name_of_address(address) == name


@pytest.mark.slow
def test_thousands_of_idle_connections(tmp_path: Path) -> None:
    number = 10_500 if THOROUGH else 2_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < number + 600:
        pytest.skip(f"this machine gives a process {hard} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number + 200), hard))
    try:
        with serving(tmp_path / "hot", "--job-workers", "0") as service, ExitStack() as idle:
            for _ in range(number):
                idle.enter_context(connected(service.port)).sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
            for _ in range(20):
                assert service.ask("GET", "/healthz")[0] == 200
                assert service.ask("GET", "/jobs")[1] == {"jobs": []}
            assert service.process.poll() is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
