"""The same job as `curl` and as a command line: a shell gives each what makes that job."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.cli import main as cli
from pipelines.cli.job_flags import JobFlags
from pipelines.jobs.specification import JobSpecification, check_specification
from service.pages.backfill.commands import command_of, curl_of, quote
from service.pages.backfill.fields import document_of, job_fields, typed_of
from service.settings import ServiceSettings
from transforms.storage import StorageOptions

SETTINGS = ServiceSettings(
    hot_tier="/srv/the tier",
    source_options=StorageOptions(endpoint_url="http://s3:9000", no_sign_request=True),
    tier_options=StorageOptions(endpoint_url="http://other:9000"),
)
JOBS: list[dict[str, str]] = [
    {"bucket": "my-bucket"},
    {"bucket": "my-bucket", "pattern": "logs/**/*.gz\n-x/'quoted' \"and\" $HOME/`id`", "exclude": "a\nb c"},
    {"bucket": "file:///var/log", "modifiedAfter": "2025-01-01", "modifiedBefore": "2025-01-02T03:04Z"},
    {"bucket": "my-bucket", "formatOptions.skipRows": "3", "formatOptions.headers": "a,b c", "region": "eu-west-1"},
    {"bucket": "my-bucket", "formatOptions.delimiter": "\\t", "formatOptions.year": "2024"},
    {"bucket": "my-bucket", "formatOptions.format": "json", "formatOptions.recordsPath": "a.b"},
    {"bucket": "my-bucket", "formatOptions.format": "csv", "formatOptions.keepMessage": "false"},
    {"bucket": "my-bucket", "formatOptions.multilineStart": r"^\d{4}-\d\d 'x'", "formatOptions.joinPartial": "true"},
    {"bucket": "my-bucket", "formatOptions.dayFirst": "true", "onChanged": "append", "onError": "fail", "host": "h"},
    {"bucket": "my-bucket", "watch": "true", "watch.every": "1m", "watch.maxWait": "5s"},
    {"bucket": "my-bucket", "sources": '[{"name": "it\'s", "pattern": ["a/**", "b"]}, {"name": "b", "host": "h"}]'},
    {"bucket": "my-bucket", "index": "evil \u202elive \x1b[31m \\ '", "source": "-"},
]


def run_by_shell(line: str, tmp_path: Path, name: str) -> list[list[str]]:
    """Let bash run a line in which programs write their arguments, and what comes in, into a file."""
    caught = tmp_path / "caught"
    caught.unlink(missing_ok=True)
    program = tmp_path / name
    program.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" > {caught}; test -t 0 || cat > {caught}.in\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    subprocess.run(["bash", "-c", line], env=environment, check=True, stdin=subprocess.DEVNULL, timeout=60)
    return [caught.read_text().split("\0")[:-1], [(tmp_path / "caught.in").read_text()]]


def job_of(arguments: list[str], given_in: str, tmp_path: Path) -> tuple[JobSpecification, Any]:
    """Return the job that the command line makes of its arguments."""
    found: list[Any] = []

    file = tmp_path / "in.json"
    file.write_text(given_in)
    original = JobFlags.job_and_settings

    def caught(self: JobFlags, common: Any) -> Any:
        found.extend(original(self, common))
        raise KeyboardInterrupt

    with patch.object(JobFlags, "job_and_settings", caught):
        assert cli.run([str(file) if one == "/dev/stdin" else one for one in arguments]) == 130
    return found[0], found[1]


@pytest.mark.parametrize("typed", JOBS, ids=range(len(JOBS)))
def test_both_make_the_same_job(typed: dict[str, str], tmp_path: Path) -> None:
    document = document_of(typed_of(typed))
    expected = check_specification(document)
    curl = curl_of(document, "http://127.0.0.1:8080/prefix", takes_key=True)
    ((*_, data, body, address), _) = run_by_shell(curl, tmp_path, "curl")
    assert (data, address) == ("--data", "http://127.0.0.1:8080/prefix/ingest")
    assert check_specification(orjson.loads(body)) == expected
    line = command_of(document, SETTINGS, key="k1")
    assert "\u202e" not in line + curl
    assert "\x1b" not in line + curl
    arguments, (given_in,) = run_by_shell(line, tmp_path, "rekindle")
    job, run = job_of(arguments, given_in, tmp_path)
    assert job == expected
    assert (run.hot_tier, run.key) == ("/srv/the tier", "k1")
    assert run.source_options.endpoint_url == "http://s3:9000"
    assert run.source_options.no_sign_request
    assert run.tier_options.endpoint_url == "http://other:9000"


def test_the_token_is_a_placeholder() -> None:
    assert "Bearer TOKEN" in curl_of({"bucket": "b"}, "http://x", takes_key=True)
    assert "Authorization" not in curl_of({"bucket": "b"}, "http://x", takes_key=False)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
@settings(max_examples=50, suppress_health_check=list(HealthCheck), deadline=None)
def test_any_text_is_one_word(text: str) -> None:
    quoted = quote(text)
    if quoted.startswith("$'"):
        command = ["bash", "-c", f"printf %s {quoted}"]
        made = subprocess.run(command, env={"LC_ALL": "C.UTF-8"}, check=True, capture_output=True, timeout=60)
        assert made.stdout.decode() == text
    else:
        assert shlex.split(quoted) == [text]


def test_no_field_of_a_job_is_forgotten() -> None:
    names = set()
    for name, part in JobSpecification.model_json_schema(by_alias=True)["properties"].items():
        reference = next((one["$ref"] for one in [part, *part.get("anyOf", [])] if "$ref" in one), None)
        schemas = JobSpecification.model_json_schema()["$defs"]
        names.add(name)
        if reference:
            names |= {f"{name}.{one}" for one in schemas[reference.rpartition("/")[2]]["properties"]}
    assert names - {"formatOptions"} == set(job_fields())
