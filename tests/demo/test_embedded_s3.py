"""The embedded S3: a process of its own that is gone when it is not wanted any more."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from demo import embedded_s3
from demo.embedded_s3 import EmbeddedS3


def answers(endpoint_url: str) -> bool:
    connection = HTTPConnection(urlsplit(endpoint_url).netloc, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except ConnectionError:
        return False
    finally:
        connection.close()


def test_it_answers_while_it_is_wanted_only() -> None:
    with EmbeddedS3() as server:
        assert server.pid != os.getpid()
        assert answers(server.endpoint_url)
    assert not answers(server.endpoint_url)
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits by a Linux call")
def test_it_ends_with_the_process_that_started_it() -> None:
    program = "import os\nfrom demo.embedded_s3 import EmbeddedS3\nserver = EmbeddedS3().__enter__()\nprint(server.pid, flush=True)\nos._exit(9)"
    ended = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 9
    try:
        server = os.pidfd_open(int(ended.stdout))
    except ProcessLookupError:
        return
    assert select.select([server], [], [], 60)[0], "the server outlives the process that started it"
    os.close(server)


def test_why_it_did_not_start_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(port: int, log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", "raise SystemExit('No module named moto')"], stdin=subprocess.PIPE, stderr=log
        )

    monkeypatch.setattr(embedded_s3, "_start", start)
    with pytest.raises(RuntimeError, match="did not start: No module named moto. Is it installed"), EmbeddedS3():
        pass
