"""Run what README and the pages beside it show: commands, job file, pipelines, rules, and ways to read the table."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import shlex
import socket
import subprocess
import sys
import tarfile
from datetime import datetime, timezone
from pathlib import Path

import boto3
import pytest

from demo.sample_logs import sample_objects
from tests.conftest import KEY_ID, REGION, SECRET, S3Server
from tests.documents import README, ROOT, TOUR, blocks, compare_output
from transforms.event_pipelines.definition import load_pipelines

DOCS = ROOT / "docs"
JOBS, PIPELINES = DOCS / "jobs.md", DOCS / "pipelines.md"
TRIED = (README, JOBS, PIPELINES, DOCS / "query.md")
"""The pages whose commands are run."""
LAUNCHERS = ("rekindle", "./run_local.sh")
KEPT = (
    "logs/web/web-1/access-2025-08-12-12.log.gz",
    "logs/app/payment/2025/08/12/12.ndjson.zst",
    "logs/audit/audit-2025-08-12.csv",
)


def commands(page: Path) -> list[list[str]]:
    """Return the arguments of every `./run_local.sh …` and `rekindle …` line of a page that has some."""
    lines = [shlex.split(line, comments=True) for block in blocks(page, "sh") for line in block.splitlines()]
    return [words[1:] for words in lines if words[1:] and words[0] in LAUNCHERS and words[1] != "serve"]


def yaml_block(page: Path, start: str) -> str:
    return next(block for block in blocks(page, "yaml") if block.startswith(start))


def test_the_pipelines_can_be_loaded() -> None:
    names = [pipeline.name for pipeline in load_pipelines(yaml_block(PIPELINES, "include:"), source=PIPELINES.name)]
    assert names[-1] == "checkout"
    assert "access_combined" in names


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a reader has it after cloning, with the job file, and some logs."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "demo").symlink_to(ROOT / "demo")
    (folder / "job.yaml").write_text(yaml_block(JOBS, "bucket:"))
    (folder / "pipelines.yaml").write_text(yaml_block(PIPELINES, "include:"))
    (folder / "rules.yaml").write_text(yaml_block(README, "rules:"))
    (folder / "some-events.log").write_text("order 17 at 2025-08-12T10:00:00Z\n")
    (folder / "var-log").mkdir()
    (folder / "var-log" / "syslog.log").write_text("2025-08-12T10:00:00Z web-1 sshd: accepted\n")
    return folder


@pytest.fixture(name="environment", scope="module")
def fixture_environment(s3_server: S3Server) -> dict[str, str]:
    """The buckets that the pages name, and an environment in which their commands find them."""
    client = boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint_url,
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )
    for bucket in ("my-bucket", "my-tier"):
        client.create_bucket(Bucket=bucket)
    for key, content in sample_objects():
        if key in KEPT:
            client.put_object(Bucket="my-bucket", Key=key, Body=content)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "REKINDLE_"))}
    made_up = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": REGION}
    return {**kept, **made_up, "AWS_ENDPOINT_URL": s3_server.endpoint_url, "PYTHONPATH": str(ROOT)}


def run(words: list[str], *, cwd: Path, environment: dict[str, str]) -> str:
    """Run a command, and return what it prints on both streams."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *words],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}"
    return done.stdout


@pytest.fixture(name="checkout", scope="module")
def fixture_checkout(folder: Path, environment: dict[str, str]) -> Path:
    """The same folder with a hot tier in it, made by README's backfill."""
    backfill = next(words for words in commands(README) if words[0] == "backfill")
    run(backfill, cwd=folder, environment=environment)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", TRIED, ids=lambda page: page.name)
def test_commands(page: Path, checkout: Path, environment: dict[str, str]) -> None:
    every = commands(page)
    assert len(every) >= 3
    for words in every:
        arguments = [word.replace("file:///var/log", f"file://{checkout}/var-log") for word in words]
        run(arguments, cwd=checkout, environment=environment)


@pytest.mark.slow
def test_the_service(folder: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """The lines by which a reader first tries the service, as they stand, on a port of the test's own."""
    (block,) = (block for block in blocks(README, "sh") if "serve " in block)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    wait = "until {ask} 2>&1 | grep -q {sign}; do sleep 0.2; done"
    first, *others = block.replace("8080", str(port)).replace("/var/log", f"{folder}/var-log").splitlines()
    lines = [first.replace("serve ", f"serve --port {port} ")]
    for line in others:
        lines.append(line)
        if "/jobs" in line:
            asked = line.partition("#")[0].replace("curl", "curl --silent")
            lines.append(wait.format(ask=asked, sign="Succeeded"))
    script = ["set -e", "trap 'kill %1; wait' EXIT"]
    script += [line.replace("./run_local.sh", f"{sys.executable} -m pipelines.cli") for line in lines]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert '"_message":"2025-08-12T10:00:00Z web-1 sshd: accepted"' in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
def test_readers(checkout: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    run(["delete", "--rules", "rules.yaml", "--execute"], cwd=checkout, environment=environment)
    monkeypatch.chdir(checkout)
    for page, expected in ((README, "2025-08-12"), (DOCS / "retention.md", "delete")):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(blocks(page, "python")[-1], {})  # noqa: S102 - it is our own
        assert expected in out.getvalue()


def many_kinds_of_logs(folder: Path) -> None:
    """Fill the folder that the tour looks into."""
    auth = "".join(
        f"Mar 27 13:{minute:02}:01 bastion sshd[12{minute:02}]: Accepted publickey for deploy from "
        f"192.0.2.{minute + 1} port 50{minute:03} ssh2\n"
        for minute in range(60)
    )
    collected = "".join(
        f'{{"time":{1709164201.506 + second:.3f},"host":"db-1","event":"login ok","fields":{{"status":200}}}}\n'
        for second in range(99)
    )
    sensors = "taken,sensor,celsius\n" + "".join(
        f"2025/08/11 00:{minute:02}:10.25,roof-2,17.{minute}\n" for minute in range(30, 60)
    )
    trail = (
        '{"Records":[{"eventTime":"2025-08-11T09:01:02Z","eventName":"AssumeRole","awsRegion":"eu-west-1"},'
        '{"eventTime":"2025-08-11T09:03:44Z","eventName":"GetObject","awsRegion":"eu-west-1"}]}'
    )
    files = {
        "111122223333_CloudTrail_eu-west-1_20250811T0905Z.json.gz": gzip.compress(trail.encode(), mtime=0),
        "auth.log.xz": lzma.compress(auth.encode()),
        "collected.json.bz2": bz2.compress(collected.encode()),
        "notes.log.gz": b"service restarted\n",
        "sensors.txt": sensors.encode(),
    }
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with tarfile.open(folder / "backup.tar", "w") as archive:
        archive.add(folder / "notes.log.gz", "notes.log.gz")
    last_modified = datetime(2018, 4, 2, tzinfo=timezone.utc).timestamp()
    os.utime(folder / "auth.log.xz", (last_modified, last_modified))


@pytest.mark.slow
def test_the_preview_of_many_kinds(tmp_path: Path) -> None:
    many_kinds_of_logs(tmp_path / "logs")
    words = ["preview", "--bucket", f"file://{tmp_path}/logs", "--events", "1", "--objects", "10"]
    shown = f"$ rekindle {shlex.join(words)}\n" + run(
        words, cwd=tmp_path, environment={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    compare_output(TOUR, "preview", shown.replace(str(tmp_path), "/home/you"))
