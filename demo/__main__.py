"""The demonstration, run by `./run_local.sh`: from a bucket of cold logs to a hot tier, by a user's own commands.

It starts the embedded S3 (a process of its own, stopped at the end), fills a bucket with `demo.sample_logs`, and runs
`rekindle preview`, `backfill`, `search` and `sql`, echoing each command. The hot tier stays in `./hot-tier`; run again,
the demonstration adds nothing to it.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import boto3

from demo.embedded_s3 import EmbeddedS3
from demo.sample_logs import PATTERN, sample_objects

BUCKET = "shop-logs"
HOT_TIER = Path("hot-tier")
PIPELINES = Path(__file__).with_name("access_logs.yaml")
REKINDLE = Path(sys.executable).with_name("rekindle")
PREVIEWED = ("--objects", "4", "--events", "1")
SEARCH = ("search", "status=503 method=POST", "--from", "2025-08-12", "--to", "2025-08-13", "--limit", "5")
FIELDS = ("--fields", "_time,clientip,user,method,uri,status")
SQL = """SELECT status, count(*) AS requests, count(DISTINCT clientip) AS clients, sum(bytes::BIGINT) AS bytes
FROM events WHERE clientip IS NOT NULL GROUP BY status ORDER BY requests DESC"""
INTERRUPTED, TERMINATED = 130, 143


class CommandFailedError(Exception):
    """A command of the demonstration ended with an exit code that is not 0."""

    def __init__(self, code: int) -> None:
        """Keep the exit code: the demonstration's own will be the same."""
        super().__init__(f"the command above ended with exit code {code}")
        self.code = code


def main() -> int:
    """Run the demonstration; return the exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return demonstrate()
    except KeyboardInterrupt:
        _write(
            "\nInterrupted. The embedded S3 is stopped; what was published stays in ./hot-tier, and ./run_local.sh "
            "goes on from there."
        )
        return INTERRUPTED
    except RuntimeError as error:  # the embedded S3 says why
        _write(f"\nThe demonstration can't start: {error}")
        return 1
    except CommandFailedError as error:
        _write(f"\nThe demonstration stops here: {error}.")
        return error.code


def demonstrate() -> int:
    """Fill a bucket of the embedded S3, and bring its logs back to life."""
    _heading("A bucket full of cold logs")
    with EmbeddedS3() as s3:
        environment = _environment()
        _fill(s3.endpoint_url)
        before = _count_events(environment)
        job = (
            "--bucket",
            BUCKET,
            "--pattern",
            PATTERN,
            "--endpoint-url",
            s3.endpoint_url,
            "--pipelines",
            _shown(PIPELINES),
        )
        _heading("Preview: what is in there, and how would it be read? (writes nothing)")
        _rekindle(("preview", *job, *PREVIEWED), environment)
        _heading("Backfill: the objects that match a glob become events of the hot tier")
        _rekindle(("backfill", *job), environment)
    if before:
        after = _count_events(environment)
        known = (
            "Everything was known already: nothing was added"
            if after == before
            else f"{after - before:,} events were added"
        )
        _write(f"\n{known}; ./{HOT_TIER} holds {after:,} events.")
    _heading("Search: who could not pay on 12 August?")
    _rekindle((*SEARCH, *FIELDS), environment)
    _heading("SQL: how were requests answered?")
    _rekindle(("sql", SQL), environment)
    _what_next()
    return 0


def _terminate(signum: int, frame: FrameType | None) -> None:
    """End by an exception, so that the embedded S3 is stopped on SIGTERM too."""
    raise SystemExit(TERMINATED)


def _environment() -> dict[str, str]:
    """Return the environment for the commands: made-up credentials and `./hot-tier`, nothing of the user's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "REKINDLE_HOT_TIER"))}
    nowhere = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return (
        kept
        | nowhere
        | {"AWS_ACCESS_KEY_ID": "demo", "AWS_SECRET_ACCESS_KEY": "demo", "AWS_DEFAULT_REGION": "us-east-1"}
    )


def _fill(endpoint_url: str) -> None:
    """Make the bucket and put the sample logs into it."""
    client = boto3.client(
        "s3", endpoint_url=endpoint_url, region_name="us-east-1", aws_access_key_id="demo", aws_secret_access_key="demo"
    )
    client.create_bucket(Bucket=BUCKET)
    objects = size = 0
    for key, content in sample_objects():
        client.put_object(Bucket=BUCKET, Key=key, Body=content)
        objects += 1
        size += len(content)
    _write(
        f"s3://{BUCKET} at {endpoint_url} holds {objects} objects, {size / 2**20:.1f} MiB: "
        "web, app, audit and system logs, and others."
    )


def _count_events(environment: dict[str, str]) -> int:
    """Return how many events the hot tier holds."""
    if not HOT_TIER.exists():
        return 0
    command = [str(REKINDLE), "sql", "SELECT count(*) AS events FROM events", "--json"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise CommandFailedError(done.returncode)
    return int(json.loads(done.stdout)["events"])


def _rekindle(arguments: Sequence[str], environment: dict[str, str]) -> None:
    """Echo a command as it would be typed, and run it."""
    _write("$ " + " ".join(_quoted(word) for word in ("rekindle", *arguments)))
    code = subprocess.run([str(REKINDLE), *arguments], env=environment, check=False).returncode
    if code == INTERRUPTED or code == -signal.SIGINT:
        raise KeyboardInterrupt
    if code:
        raise CommandFailedError(code)


def _what_next() -> None:
    """Show what to type next."""
    launcher = _quoted(os.environ.get("REKINDLE_COMMAND", "rekindle"))
    _heading("What next?")
    for what, arguments in (
        ("errors of the payment service", "search 'level=error service=payment' --limit 3 --json"),
        ("what else the tier holds", "sql 'SELECT _format, count(*) AS events FROM events GROUP BY _format'"),
        ("the jobs so far", "jobs list"),
        ("your own logs", "backfill --bucket my-bucket --pattern 'logs/**' --hot-tier my-tier"),
        ("logs on this machine", "backfill --bucket file:///var/log --pattern '**/*.log*' --hot-tier my-tier"),
        ("all of this in the browser", "serve --open"),
    ):
        _write(f"  {what + ':':<31} {launcher} {arguments}")
    _write(
        "The hot tier is a Delta Lake table in ./hot-tier/events that DuckDB, Polars, pandas and Spark read: "
        "README.md shows how."
    )


def _shown(path: Path) -> str:
    """Return a path as a user in this folder would write it."""
    folder = Path.cwd()
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _quoted(word: str) -> str:
    """Quote a word for a shell, with double quotes where it has single ones."""
    return f'"{word}"' if "'" in word and '"' not in word else shlex.quote(word)


def _heading(text: str) -> None:
    _write(f"\n── {text}")


def _write(text: str) -> None:
    """Print at once: what the commands print must come after what announces them."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
