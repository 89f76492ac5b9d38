"""What programs of others send by HEC is in the tier once, with its time, host, source, sourcetype and fields.

The clients are those that people have: Splunk's handlers of Python's logging, splunk-logging and winston's transport on
Node, Docker's log driver, Apache Camel, syslog-ng, and `curl` as Splunk's documentation has it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pipelines.keys import CreatedKey, create_key
from tests.runners.conftest import or_skip
from tests.runners.processes import ServerProcess
from tests.runners.tools import program
from tests.service.conftest import SECONDS, LiveService, serving
from tests.service.hec.clients import programs
from tests.service.tier_reading import make_certificate, read_tier
from transforms.storage import StorageOptions, TierStore, open_tier

pytestmark = [pytest.mark.runner, pytest.mark.slow]
HERE = Path(__file__).parent
COLUMNS = (
    "_message, _time, _time_source, host, source, sourcetype, index, attributes, _receiver, _env, _iam_key_id, _error"
)


@dataclass(frozen=True)
class Receiver:
    """A service that runs, and a key of it."""

    service: LiveService
    tier: TierStore
    key: CreatedKey

    def events(self, source: str, count: int) -> list[dict[str, Any]]:
        """Return what the tier holds of a source, once it is so many events or more."""
        deadline = time.monotonic() + SECONDS
        while True:
            names = [name.strip() for name in COLUMNS.split(",")]
            rows = read_tier(
                self.tier, f"SELECT {COLUMNS} FROM events WHERE source = '{source}' ORDER BY _time, _message"
            )
            if len(rows) >= count:
                return [dict(zip(names, row, strict=True)) for row in rows]
            assert time.monotonic() < deadline, f"{len(rows)} of {count} are there\n{self.service.log}"
            threading.Event().wait(0.3)


@pytest.fixture(scope="module")
def receivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bool], Receiver]]:
    """Services by whether they speak TLS, each started when a test asks for it."""
    started: dict[bool, Receiver] = {}
    with ExitStack() as stack:

        def start(tls: bool) -> Receiver:  # noqa: FBT001
            if tls not in started:
                folder = tmp_path_factory.mktemp("tls" if tls else "plain")
                fields: dict[str, Any] = {"env": "tests", "team": None, "s3_pull": None}
                tier = open_tier(str(folder / "hot"), StorageOptions())
                key = create_key(tier, name="hec", role="ingest", hec=True, **fields)
                flags: list[object] = ["--job-workers", "0", "--hec-dir", folder / "log"]
                if not tls:  # what is answered is in the tier: no wait for the next commit
                    flags += ["--hec-durable", "tier"]
                if tls:
                    certificate, private = make_certificate(folder)
                    flags += ["--tls-cert", certificate, "--tls-key", private]
                started[tls] = Receiver(stack.enter_context(serving(tier.uri, *flags)), tier, key)
            return started[tls]

        yield start


def run(*command: object, environment: dict[str, str] | None = None) -> None:
    """Run a client to its end."""
    words = [str(word) for word in command]
    environment = os.environ | (environment or {})
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def curl(port: int, token: str) -> None:
    program("curl")
    run("sh", HERE / "curl.sh", port, token)


def python(name: str) -> Callable[[int, str], None]:
    def send(port: int, token: str) -> None:
        packages = programs.python_packages()
        run(sys.executable, HERE / "python" / "send.py", name, port, token, environment={"PYTHONPATH": packages})

    return send


def node(name: str) -> Callable[[int, str], None]:
    def send(port: int, token: str) -> None:
        modules = f"{programs.npm_packages()}/node_modules"
        run(program("node"), HERE / "npm" / "send.js", name, port, token, environment={"NODE_PATH": modules})

    return send


def docker(form: str, *, gzip: bool) -> Callable[[int, str], None]:
    def send(port: int, token: str) -> None:
        run(programs.docker_driver(), form, str(gzip).lower(), port, token)

    return send


def camel(port: int, token: str) -> None:
    run(program("java"), "-cp", programs.camel(), HERE / "camel" / "Send.java", port, token)


@dataclass(frozen=True)
class Case:
    """A client, and the events that it is to bring, in the order of their times."""

    source: str
    send: Callable[[int, str], None]
    events: list[dict[str, Any]]
    tls: bool = False
    guid: bool = False


def at(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=round(seconds * 1e6))


def expected(
    message: object,
    seconds: float | None,
    host: str | None,
    sourcetype: str | None,
    *,
    index: str | None = "main",
    **attributes: str,
) -> dict[str, Any]:
    return {
        "_message": message, "_time": None if seconds is None else at(seconds), "host": host, "sourcetype": sourcetype,
        "index": index, "attributes": attributes,
    }  # fmt: skip


def hostname() -> str:
    return os.uname().nodename


def docker_events(form: str) -> list[dict[str, Any]]:
    lines: list[object] = []
    for number in range(3):
        text = f'{{"line": {number}}}'
        more = {"source": "stdout", "tag": "web", "attrs": {"team": "checkout"}}
        lines.append(
            {"json": {"line": {"line": number}, **more}, "inline": {"line": text, **more}}.get(
                form, f"web team=checkout {text}"
            )
        )
    return [expected(line, 1754951077.25 + number, hostname(), "nginx") for number, line in enumerate(lines)]


HANDLER = "splunk-handler"
CASES = [
    Case(
        "curl",
        curl,
        [
            expected({"message": "Something happened", "severity": "INFO"}, 1426279439, "localhost", "txt"),
            expected("a", 1437522387, None, "httpevent", index=None),
            expected("b", 1437522388, "h", "httpevent", index=None, x='["1","2"]'),
            expected("2025-08-11T22:24:37Z third line", 1754951077, None, None, index=None),
            expected("hello world", None, None, "httpevent", index=None),
            expected("1, 2, 3... Hello, world!", None, "h", "mydata"),
            expected("second line", None, "h", "mydata"),
        ],
    ),
    Case(
        HANDLER,
        python(HANDLER),
        [
            expected("one", 1754951077.25, "web-1", "app"),
            expected("two \N{SNOWMAN}", 1754951078, "web-9", "app"),
            expected("three\nlines\nhere", 1754951079.000001, "web-1", "app"),
        ],
    ),
    Case(
        "splunk-hec-handler",
        python("splunk-hec-handler"),
        [
            expected(
                {"log_level": "INFO", "time": 1754951077.25, "user": "carol"}, 1754951077.25, "web-2", "_json",
                color="yellow", codes='["1","2"]', n="7",
            ),
            expected({"log_level": "INFO", "time": 1754951079}, 1754951079, "web-2", "_json"),
            expected(
                {"log_level": "INFO", "time": 1754951078, "message": "two \N{SNOWMAN}"}, 1754951178, "web-2", "_json"
            ),
        ],
        guid=True,
    ),
    Case(
        "splunk-logging",
        node("splunk-logging"),
        [
            expected({"message": {"temperature": "70F"}, "severity": "info"}, 1754951077.25, "farm.local", "httpevent"),
            expected({"message": "two \N{SNOWMAN}", "severity": "info"}, 1754951078, "farm.local", "httpevent"),
            expected({"message": "three", "severity": "info"}, 1754951079, "farm.local", "httpevent"),
        ],
    ),
    Case(
        "winston-splunk-httplogger",
        node("winston-splunk-httplogger"),
        [
            expected({"msg": "one"}, 1754951077.25, "farm.local", "winston"),
            expected({"msg": "two \N{SNOWMAN}"}, 1754951078, "farm.local", "winston"),
            expected({"msg": "three"}, 1754951079, "farm.local", "winston"),
        ],
        guid=True,
    ),
    Case("docker-json", docker("json", gzip=False), docker_events("json"), guid=True),
    Case("docker-inline", docker("inline", gzip=True), docker_events("inline")),
    Case("docker-raw", docker("raw", gzip=True), docker_events("raw")),
    Case(
        "camel",
        camel,
        [
            expected("one", 1754951077.25, "web-3", "java"),
            expected({"k": "two \N{SNOWMAN}"}, 1754951078.25, "web-3", "java"),
            expected("three", 1754951079.25, "web-3", "java"),
        ],
        tls=True,
        guid=True,
    ),
]  # fmt: skip


def as_expected(row: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the tier in the form of what is expected."""
    found = {name: row[name] for name in wanted}
    found["attributes"] = dict(row["attributes"] or {})
    if isinstance(wanted["_message"], dict):
        found["_message"] = json.loads(row["_message"])
        if "msg" in wanted["_message"]:  # winston's other members repeat what stands in the envelope
            found["_message"] = {"msg": found["_message"]["message"]["msg"]}
    if wanted["_time"] is None:
        assert row["_time_source"] == "received"
        assert abs(row["_time"] - datetime.now(timezone.utc)) < timedelta(hours=1)
        found["_time"] = None
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.source)
def test_a_client(case: Case, receivers: Callable[[bool], Receiver]) -> None:
    receiver = receivers(case.tls)
    token = receiver.key.hec_token if case.guid else receiver.key.token
    assert token is not None
    or_skip(lambda: case.send(receiver.service.port, token))
    check(receiver, case.source, case.events)


def check(receiver: Receiver, source: str, wanted: list[dict[str, Any]]) -> None:
    """Check that the events of a source are those that are expected, each once."""
    rows = receiver.events(source, len(wanted))
    assert Counter(row["_message"] for row in rows).total() == len(wanted), rows
    by_text = sorted(rows, key=lambda row: (row["_time_source"] == "received", row["_time"], row["_message"]))
    assert [as_expected(row, one) for row, one in zip(by_text, wanted, strict=True)] == wanted
    assert {(row["_receiver"], row["_env"], row["_iam_key_id"], row["_error"]) for row in rows} == {
        ("http.hec", "tests", receiver.key.key.id, None)
    }
    assert receiver.key.token not in receiver.service.log


def test_syslog_ng(receivers: Callable[[bool], Receiver], tmp_path: Path) -> None:
    receiver = receivers(False)  # noqa: FBT003
    root = or_skip(programs.syslog_ng, is_optional=True)
    lines = tmp_path / "lines.log"
    lines.write_text("one\ntwo \N{SNOWMAN}\nthree\n")
    fields = {"FILE": lines, "PORT": receiver.service.port, "TOKEN": receiver.key.token}
    text = (HERE / "syslog_ng" / "syslog-ng.conf").read_text()
    for name, value in fields.items():
        text = text.replace(f"@{name}@", str(value))
    configuration = tmp_path / "syslog-ng.conf"
    configuration.write_text(text)
    command, environment = programs.syslog_ng_command(root)
    own = [
        f"--persist-file={tmp_path / 'persist'}",
        f"--pidfile={tmp_path / 'pid'}",
        f"--control={tmp_path / 'control'}",
    ]
    process = ServerProcess([*command, f"--cfgfile={configuration}", *own], tmp_path / "log", environment=environment)
    try:
        check(
            receiver,
            "syslog-ng",
            [expected(one, 1754951077.25, "web-4", "syslog") for one in ("one", "three", "two \N{SNOWMAN}")],
        )
    except AssertionError as error:
        raise AssertionError(process.tail()) from error
    finally:
        process.stop()
