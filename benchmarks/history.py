"""Show that cost does not grow with history: measure the same commands after more and more commits.

And print a Markdown table.

    python -m benchmarks.history                            # after 10 and 1,000 commits, in a local folder
    python -m benchmarks.history --commits 10 1000 10000
    python -m benchmarks.history --s3 --commits 10 1000 10000 --folder HISTORY     # counts requests on S3

With `--s3` the history is made in a local folder all the same, and copied to an S3 server before it is
measured. A folder keeps it: the next measurement finds it made.

Commits are made by publishing waves of one tiny object each, as jobs do, of which the tier keeps the last fifty: each
replaces an older one. A folder of the job goes with it. They are made as if a minute lay between two: of a younger log
more is kept. Before each measurement the log comes to a checkpoint, because each entry after it costs every opening of
the table a request.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

import boto3
import numpy as np
import orjson
import pyarrow as pa
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from pipelines.jobs.rows.kept_rows import keep_ended_row, keep_newest_rows
from transforms.core import schema
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger import publish as publishing
from transforms.hot_tier.ledger.ledger import Ledger, LedgerEntry
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.table import log_entries
from transforms.hot_tier.table.commit import CHECKPOINT_INTERVAL
from transforms.hot_tier.table.prepare import prepare
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, TierStore, open_tier
from transforms.storage.job_folder import JobFolder

OBJECTS = 50
TIER = "tier"
PUBLISHED = 40
"""Commits whose cost is measured: they fold the ledger five times."""
START = datetime(2025, 1, 1, tzinfo=timezone.utc)
NOON = 1_700_000_000_000_000
"""Microseconds since 1970 UTC."""
ROOT = Path(__file__).parent.parent


@dataclass
class Place:
    """Where the tier is, and how it is reached.

    Attributes:
        uri: The tier.
        options: How this process reaches it.
        flags: How commands do.
        requests: The requests that commands made, where they are counted.
    """

    uri: str
    options: StorageOptions = field(default_factory=StorageOptions)
    flags: tuple[str, ...] = ()
    requests: list[object] | None = None


def commit_one(tier: TierStore, number: int) -> None:
    """Publish a wave of a job of its own, with its folder as a job leaves it."""
    job, key = f"job-{number:08}", f"object-{number % OBJECTS}"
    uri = f"s3://bucket/{key}"
    batch = pa.RecordBatch.from_pydict(
        {
            "_message": pa.array([f"message {number}"], schema.TEXT),
            "_event_id": pa.array([f"e_{number}"], schema.TEXT),
            "_time": pa.array(np.array([NOON + number])).cast(schema.TIME),
            "_object": pa.array([uri], schema.CONSTANT),
            "_correlation_id": pa.array([job], schema.CONSTANT),
        }
    )
    writer = HotTierWriter(tier, columns=schema.BASE_ATTRIBUTES, job=job)
    writer.write(batch)
    entry = LedgerEntry(
        bucket="bucket", key=key, etag=str(number), size=10, modified=datetime.now(timezone.utc), job=job, wave=0,
        status="ingested", records_in=1, events=1,
    )  # fmt: skip
    publish_wave(tier, job=job, wave=0, files=writer.close(), entries=[entry])
    folder = JobFolder(tier, job)
    start = START + number * timedelta(minutes=1)
    listed = folder.register(start)
    started = start.isoformat()
    folder.write_json("job.json", {"job": {"bucket": "s3://bucket", "pattern": "**"}, "settings": {}})
    folder.write_json(
        "status.json", {"status": "Succeeded", "startedAt": started, "finishedAt": started, "listed": listed}
    )
    keep_ended_row(folder)


@contextmanager
def made_quickly() -> Iterator[None]:
    """Make commits at a third of their cost: what one has read of the ledger the next has, and nothing is flushed."""
    load, known = Ledger.load, [Ledger()]

    def load_next(tier: TierStore, snapshot: Snapshot, previous: Ledger | None = None) -> Ledger:
        known[0] = load(tier, snapshot, previous or known[0])
        return known[0]

    with (
        mock.patch.object(Ledger, "load", load_next),
        mock.patch.object(publishing, "back_off", lambda _: 0.0),
        mock.patch.object(os, "fsync", lambda _: None),
    ):
        yield


def run(place: Place, *command: str) -> tuple[float, int]:
    """Run a command; return its CPU seconds and its requests."""
    before, seen = resource.getrusage(resource.RUSAGE_CHILDREN), len(place.requests or ())
    subprocess.run(
        [sys.executable, "-P", "-m", "pipelines.cli", *command, "--hot-tier", place.uri, *place.flags],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, len(place.requests or ()) - seen


def make_history(folder: Path, goals: Sequence[int]) -> dict[int, Path]:
    """Return a tier for each number of commits, in a folder; one that is there is not made again."""
    tiers: dict[int, Path] = {}
    before, made = None, 0
    for goal in goals:
        ready, path = folder / f"{goal}.made", folder / str(goal)
        if not ready.exists():
            shutil.rmtree(path, ignore_errors=True)
            if before is not None:
                shutil.copytree(before, path)
            made = _continue(open_tier(str(path), StorageOptions()), made, goal)
            ready.write_text(str(made))
        before, made = path, int(ready.read_text())
        tiers[made] = path
    return tiers


def _continue(tier: TierStore, made: int, goal: int) -> int:
    """Make commits up to a number, and on to a checkpoint; return how many there are."""
    prepare(tier)
    with made_quickly():
        while made < goal or Snapshot.load(tier).version % CHECKPOINT_INTERVAL:
            commit_one(tier, made)
            made += 1
    return made


def upload(path: Path, bucket: str) -> None:
    """Copy a tier from a folder into a bucket of this process's server, by its model: not a request for each file."""
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    for file in path.rglob("*"):
        if file.is_file():
            backend.put_object(bucket, f"{TIER}/{file.relative_to(path).as_posix()}", file.read_bytes())


def measure(place: Place, tier: TierStore, source: Path, number: int) -> dict[str, object]:
    """Return a row of the table."""
    (source / "new.log").write_text(f"2025-01-01T00:00:00Z line {number}\n")
    backfill = ("backfill", "--bucket", source.as_uri(), "--pattern", "**/*.log")
    row: dict[str, object] = {}
    commands = {
        "one-object job": backfill,
        "no-op job": backfill,
        "search": ("search", "message", "--limit", "5"),
        "jobs list": ("jobs", "list"),
    }
    for name, command in commands.items():
        cpu, requests = run(place, *command)
        row[name] = f"{cpu:.2f} s" + (f", {requests}" if place.requests is not None else "")
    if place.requests is None:  # the server of S3 is in this process
        before = time.process_time()
        for extra in range(PUBLISHED):
            commit_one(tier, 10_000_000 + number * 100 + extra)
        row["publish"] = f"{(time.process_time() - before) * 1000 / PUBLISHED:.0f} ms"
    for name, prefix in {"ledger": "_rekindle/ledger/", "log": "events/_delta_log/"}.items():
        files = list(tier.list(prefix))
        row[name] = f"{sum(file.size for file in files) / 1024:,.0f} KiB in {len(files):,}"
    return row


@contextmanager
def on_s3() -> Iterator[Callable[[Path], Place]]:
    """Give what copies a tier to an S3 server of its own, whose requests are counted."""
    sys.path.insert(0, str(ROOT))
    from tests.fault_proxy import FaultProxy

    os.environ |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint_url = f"http://{host}:{port}"
    with FaultProxy(endpoint_url) as proxy:

        def copy(path: Path) -> Place:
            bucket = f"hot-{path.name}"
            boto3.client("s3", endpoint_url=endpoint_url, region_name="us-east-1").create_bucket(Bucket=bucket)
            upload(path, bucket)
            flags = ("--endpoint-url", proxy.endpoint_url)
            place = Place(f"s3://{bucket}/{TIER}", StorageOptions(endpoint_url=endpoint_url), flags, proxy.seen)  # type: ignore[arg-type]
            keep_newest_rows(open_tier(place.uri, place.options))  # as the jobs leave it that are made on S3
            return place

        yield copy
    server.stop()


@contextmanager
def in_folder() -> Iterator[Callable[[Path], Place]]:
    """Give what copies a tier to a folder beside it: what is measured adds to it."""
    with tempfile.TemporaryDirectory() as folder:

        def copy(path: Path) -> Place:
            return Place(str(shutil.copytree(path, Path(folder) / path.name)))

        yield copy


def main(argv: Sequence[str] | None = None) -> None:
    """Make commits, and measure after each number of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--s3", action="store_true")
    parser.add_argument("--folder", type=Path, help="where the history is kept")
    arguments = parser.parse_args(argv)
    log_entries.KEPT_FOR = timedelta(0)
    rows = []
    with tempfile.TemporaryDirectory() as temporary, on_s3() if arguments.s3 else in_folder() as copy:
        tiers = make_history(arguments.folder or Path(temporary), sorted(arguments.commits))
        for made, path in tiers.items():
            place, source = copy(path), Path(temporary) / f"source-{made}"
            source.mkdir()
            rows.append({"commits": f"{made:,}", **measure(place, open_tier(place.uri, place.options), source, made)})
            sys.stderr.write(orjson.dumps(rows[-1]).decode() + "\n")
    _print_table(rows)


def _print_table(rows: Sequence[dict[str, object]]) -> None:
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([str(row[name]) for name in names] for row in rows)]
    sys.stdout.write("".join(f"| {' | '.join(line)} |\n" for line in lines))


if __name__ == "__main__":
    main()
