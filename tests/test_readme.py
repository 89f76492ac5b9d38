"""What the README tells to type does what it says: its commands, its job file, its pipelines, and its ways to read the
table.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from demo.sample_logs import sample_objects
from tests.conftest import KEY_ID, REGION, SECRET, S3Server
from transforms.event_pipelines.definition import load_pipelines

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
KEPT = (
    "logs/web/web-1/access-2025-08-12-12.log.gz",
    "logs/app/payment/2025/08/12/12.ndjson.zst",
    "logs/audit/audit-2025-08-12.csv",
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
    """Return the words of every `./run_local.sh …` line, without those words; a line without arguments is the
    demonstration.
    """
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("./run_local.sh ")]
    return [words[1:] for line in lines if (words := shlex.split(line, comments=True))[1:]]


def test_links_lead_to_files() -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    made_by_bench = {"benchmarks/RESULTS.md"}
    assert len(targets) > 10
    assert [target for target in targets if target not in made_by_bench and not (ROOT / target).exists()] == []


def test_the_pipelines_can_be_loaded() -> None:
    names = [pipeline.name for pipeline in load_pipelines(pipelines_file(), source="README.md")]
    assert names[-1] == "checkout"
    assert "access_combined" in names


def pipelines_file() -> str:
    return next(block for block in blocks("yaml") if block.startswith("include:"))


@pytest.fixture(name="place", scope="module")
def fixture_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a reader has it after cloning, with the job file, and some logs."""
    place = tmp_path_factory.mktemp("readme")
    (place / "demo").symlink_to(ROOT / "demo")
    (place / "job.yaml").write_text(next(block for block in blocks("yaml") if block.startswith("bucket:")))
    (place / "pipelines.yaml").write_text(pipelines_file())
    (place / "rules.yaml").write_text(next(block for block in blocks("yaml") if block.startswith("rules:")))
    (place / "some-events.log").write_text("order 17 at 2025-08-12T10:00:00Z\n")
    (place / "var-log").mkdir()
    (place / "var-log" / "syslog.log").write_text("2025-08-12T10:00:00Z web-1 sshd: accepted\n")
    return place


@pytest.fixture(name="environment", scope="module")
def fixture_environment(s3_server: S3Server) -> dict[str, str]:
    """The buckets that the README names, and an environment in which its commands find them."""
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


@pytest.mark.slow
def test_commands_and_readers(place: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One test, since each command stands on those before it."""
    every = commands()
    assert len(every) >= 9
    for words in every:
        arguments = [word.replace("file:///var/log", f"file://{place}/var-log") for word in words]
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *arguments],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{shlex.join(arguments)}\n{done.stdout}{done.stderr}"
    monkeypatch.chdir(place)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(next(iter(blocks("python"))), {})  # noqa: S102 - it is our own README
    assert "2025-08-12" in out.getvalue()
