"""What many tests need: a real S3 over HTTP, and one that fails on demand.

The S3 is moto's, which comes by pip. With `--s3=minio` it is MinIO, and of all tests those run that use it: they must
hold there too.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
import pytest
from hypothesis import settings

from demo.embedded_s3 import EmbeddedS3
from tests.fault_proxy import FaultProxy
from tests.runners.conftest import started
from tests.runners.minio import MinIO
from transforms.storage import StorageOptions

REGION = "us-east-1"
KEY_ID, SECRET = "test", "test-secret"
"""The credentials: MinIO knows these alone, moto takes any."""
THOROUGH = os.environ.get("REKINDLE_TESTS") == "thorough"
"""Whether the tests of what is killed, random or at once take their full numbers (`make test-thorough`, an hour
more).
"""


TIME_LIMITS = {"runner": 3600, "slow": 1200}
"""Seconds after which a test counts as hung, by its mark; in full numbers four times as many. All else has 300."""


def many(number: int) -> int:
    """Return how many random cases a test takes: all, or the quarter that CI has the time for."""
    return number if THOROUGH else max(1, number // 4)


# In CI the same examples each time, so that a failure there is one of the change; everywhere else new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

# What changes how the program prints, or where it looks: a shell may have these set, and no test expects it. Now, and
# not by a fixture, because the command line's consoles read them when their module is imported.
for _name in (
    *("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "PYTHONIOENCODING"),
    *("REKINDLE_HOT_TIER", "REKINDLE_HASH_KEY"),
):
    os.environ.pop(_name, None)

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

    def make_public(self) -> None:
        """Let anyone list and read; what is put with `ACL="public-read"`, for moto heeds that and MinIO heeds this."""
        resources = [f"arn:aws:s3:::{self.bucket}", f"arn:aws:s3:::{self.bucket}/*"]
        allowed = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:ListBucket", "s3:GetObject"],
            "Resource": resources,
        }
        self.client.put_bucket_policy(
            Bucket=self.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        )


class S3Server(Protocol):
    """What answers as S3."""

    @property
    def endpoint_url(self) -> str: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the S3 be chosen."""
    parser.addoption(
        "--s3",
        choices=["moto", "minio", "none"],
        default="moto",
        help="the S3 that tests use: moto (by pip), or MinIO (built by Go), which leaves out the tests that use none; "
        "none leaves out those that use one",
    )
    parser.addoption(
        "--parameter-sets",
        type=int,
        metavar="N",
        help="of each parametrized test run N of its sets of parameters, the same each time (default: all)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select by the S3 and by the number of parameter sets, set time limits, and skip what MinIO does not have."""
    server, parameter_sets = config.getoption("--s3"), config.getoption("--parameter-sets")
    if server != "moto":
        _keep(config, items, [item for item in items if _uses_s3(item) == (server == "minio")])
    if parameter_sets:
        _keep(config, items, _few_of_each(items, parameter_sets))
    for item in items:
        limit = next((seconds for name, seconds in TIME_LIMITS.items() if item.get_closest_marker(name)), None)
        if limit and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(limit * (4 if THOROUGH else 1)))
    for item in items if server == "minio" else ():
        mark = item.get_closest_marker("moto_only")
        if mark:
            item.add_marker(pytest.mark.skip(reason=f"not on MinIO: {mark.kwargs['reason']}"))


def _keep(config: pytest.Config, items: list[pytest.Item], kept: list[pytest.Item]) -> None:
    kept_items = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept_items])
    items[:] = kept


def _few_of_each(items: list[pytest.Item], number: int) -> list[pytest.Item]:
    """Return of each test the `number` sets of parameters whose hashes come first."""
    by_test: dict[str, list[pytest.Item]] = {}
    for item in items:
        by_test.setdefault(item.nodeid.partition("[")[0], []).append(item)
    chosen = {
        item
        for of_one in by_test.values()
        for item in sorted(of_one, key=lambda item: zlib.crc32(item.nodeid.encode()))[:number]
    }
    return [item for item in items if item in chosen]


def _uses_s3(item: pytest.Item) -> bool:
    """Return whether a test has the server, by name or as one of several places."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return "s3_server" in getattr(item, "fixturenames", ()) or any(
        isinstance(one, str) and one == "s3" for one in parameters
    )


@pytest.fixture(scope="session")
def s3_server(pytestconfig: pytest.Config) -> Iterator[S3Server]:
    """The server; its process ends with the tests."""
    with started(MinIO(KEY_ID, SECRET)) if pytestconfig.getoption("--s3") == "minio" else EmbeddedS3() as server:
        yield server


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up credentials, and none of the machine's own settings."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def s3(s3_server: S3Server, aws_environment: None) -> S3:
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
