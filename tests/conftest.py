"""What many tests need: a real S3 over HTTP, and one that fails on demand."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from hypothesis import settings

from demo.embedded_s3 import EmbeddedS3
from tests.fault_proxy import FaultProxy
from transforms.storage import StorageOptions

REGION = "us-east-1"
THOROUGH = os.environ.get("REKINDLE_TESTS") == "thorough"
"""Whether the tests of what is killed, random or at once take their full numbers (`make test-thorough`, half an hour more)."""

# In CI the same examples each time, so that a failure there is one of the change; everywhere else new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

# In the background of a shell Ctrl-C is ignored, and what a process ignores its children ignore too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class S3:
    """A real server, and a bucket that no other test uses.

    Attributes:
        endpoint_url: Where it answers.
        client: A boto3 client of it.
        bucket: An empty bucket.
    """

    endpoint_url: str
    client: Any
    bucket: str

    @property
    def options(self) -> StorageOptions:
        """By which the product reaches it."""
        return StorageOptions(endpoint_url=self.endpoint_url, region=REGION)

    def put(self, key: str, data: bytes, **more: Any) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data, **more)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[EmbeddedS3]:
    """The server; its process ends with the tests."""
    with EmbeddedS3() as server:
        yield server


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up credentials, and none of the machine's own settings."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def s3(s3_server: EmbeddedS3, aws_environment: None) -> S3:
    """A real S3 with an empty bucket of the test's own; this process and its children have credentials for it."""
    client = boto3.client("s3", endpoint_url=s3_server.endpoint_url, region_name=REGION)
    bucket = f"test-{uuid.uuid4().hex[:20]}"
    client.create_bucket(Bucket=bucket)
    return S3(s3_server.endpoint_url, client, bucket)


@pytest.fixture
def fault_proxy(s3: S3) -> Iterator[FaultProxy]:
    """A proxy before the same server that fails on demand: use its `endpoint_url` instead."""
    with FaultProxy(s3.endpoint_url) as proxy:
        yield proxy
