"""The embedded S3: a process of its own that is gone when it is not wanted any more."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

import boto3
import pytest

from demo import embedded_s3
from demo.embedded_s3 import EmbeddedS3
from tests.conftest import KEY_ID, REGION, SECRET


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


def test_it_takes_nothing_of_the_users_own_aws_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "that-nobody-has")
    with EmbeddedS3() as server:
        monkeypatch.delenv("AWS_PROFILE")
        credentials = {"aws_access_key_id": KEY_ID, "aws_secret_access_key": SECRET}
        client = boto3.client("s3", endpoint_url=server.endpoint_url, region_name=REGION, **credentials)
        client.create_bucket(Bucket="logs")
        with pytest.raises(client.exceptions.NoSuchKey):  # moto answered this with 500
            client.get_object(Bucket="logs", Key="missing")


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits by a Linux call")
def test_it_ends_with_the_process_that_started_it() -> None:
    program = (
        "import os\nfrom demo.embedded_s3 import EmbeddedS3\nserver = EmbeddedS3().__enter__()\n"
        "print(server.pid, flush=True)\nos._exit(9)"
    )
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
