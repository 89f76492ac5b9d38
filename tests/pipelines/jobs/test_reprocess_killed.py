"""`backfill --reprocess` killed at the writes that matter, and several at once: each event is there exactly once."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable

from pipelines.liveness import run_periodically
from tests.conftest import S3, THOROUGH
from tests.fault_proxy import Fault, FaultProxy
from tests.pipelines import processes
from tests.pipelines.conftest import Ended
from tests.pipelines.maintenance.test_killed import is_gone
from tests.pipelines.processes import Started, was_killed
from transforms.storage import StorageOptions, TierStore, open_tier

Rekindle = Callable[..., Ended]
pytestmark = pytest.mark.slow
NAMES, LINES = "abcdef", 40
ROUNDS = 6 if THOROUGH else 1
SIDECAR, LOG, EVENTS, PLAN = "_rekindle/ledger/commits/", r"_delta_log/\d{20}\.json", "events/tier=", r"plan\.parquet"
MOMENTS = [
    ("after", PLAN, 0), ("before", LOG, 1), ("after", LOG, 1), ("before", LOG, 2),
]  # fmt: skip
"""Before or after which write, and how many such writes come before; the first of the log adds columns."""
OTHERS = [
    ("before", PLAN, 0), ("before", EVENTS, 0), ("before", SIDECAR, 0), ("after", SIDECAR, 0), ("before", SIDECAR, 1),
    ("after", LOG, 2),
]  # fmt: skip


def pipelines(folder: Path, name: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(f"pipelines: [{{name: {name}, steps: [{{set: {{output: by, value: {name}}}}}]}}]\n")
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Objects whose events lie on several days, so that files hold events of several objects."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in NAMES:
        lines = (f"2026-01-{1 + number % 3:02}T00:00:{number % 60:02}Z {name} {number}\n" for number in range(LINES))
        (folder / f"{name}.log").write_text("".join(lines))
    return folder


@dataclass
class Readers:
    """What readers in a loop have seen of a tier: how many events each object has, by the pipeline that ran on them."""

    store: TierStore
    seen: list[Counter[tuple[str, str]]] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def look(self) -> Counter[tuple[str, str]]:
        options = self.store.polars_options() or None
        events = pl.scan_delta(self.store.table_uri("events"), storage_options=options)
        rows = events.select("filename", "_event_id", pl.col("_pipelines").cast(pl.String).fill_null("")).collect()
        assert rows["_event_id"].n_unique() == rows.height
        return Counter(rows.select("filename", "_pipelines").rows())

    @contextmanager
    def watching(self) -> Iterator[None]:
        with run_periodically(lambda: self.seen.append(self.look()), self.errors.append, seconds=0.05):
            yield

    def check(self) -> None:
        """Check that each object was whole in all that was seen, by one pipeline alone."""
        assert not self.errors
        assert self.seen
        for one in self.seen:
            assert sorted(name for name, _ in one) == [f"{name}.log" for name in NAMES]
            assert set(one.values()) == {LINES}


def copy(s3: S3, number: int, made: str = "made") -> TierStore:
    for page in s3.client.get_paginator("list_objects_v2").paginate(Bucket=s3.bucket, Prefix=f"{made}/hot/"):
        for one in page["Contents"]:
            target = one["Key"].replace(made, f"copy{number}", 1)
            s3.client.copy_object(Bucket=s3.bucket, Key=target, CopySource={"Bucket": s3.bucket, "Key": one["Key"]})
    return open_tier(f"s3://{s3.bucket}/copy{number}/hot", s3.options)


def test_killed_at_the_writes_that_matter(
    s3: S3, fault_proxy: FaultProxy, source: Path, tmp_path: Path, rekindle: Rekindle
) -> None:
    job = ("--bucket", f"file://{source}", "--tier-endpoint-url", s3.endpoint_url, "--json")
    assert rekindle("backfill", *job, "--hot-tier", f"s3://{s3.bucket}/made/hot").code == 0
    again = ("--pipelines", pipelines(tmp_path, "new"), "--reprocess", "--wave-bytes", "1")
    expected = Counter({(f"{name}.log", "new"): LINES for name in NAMES})
    hits = 0
    moments = [*MOMENTS, *(OTHERS if THOROUGH else ())]
    for number, (moment, write, skip) in enumerate(moments):
        store = copy(s3, 2 * number)
        at = ("--hot-tier", store.uri)
        readers = Readers(store)
        with readers.watching():
            flags = ("--bucket", f"file://{source}", "--tier-endpoint-url", fault_proxy.endpoint_url, *again, *at)
            hits += run_killed(fault_proxy, tmp_path, flags, moment, write, skip)
        readers.seen.append(readers.look())
        readers.check()
        [task] = [row for row in rekindle("jobs", "list", *at, *job[2:]).rows if row["status"] != "Succeeded"]
        other = copy(s3, 2 * number + 1, f"copy{2 * number}")
        resumed = rekindle("jobs", "resume", task["taskId"], *at, *job[2:])
        assert resumed.code == 0, resumed.err
        assert (resumed.json["objects"]["replaced"], resumed.json["events"]) == (len(NAMES), LINES * len(NAMES))
        repeated = rekindle("backfill", *job, *again, "--hot-tier", other.uri)
        assert repeated.code == 0, repeated.err
        assert repeated.json["objects"]["replaced"] == len(NAMES)
        assert Readers(store).look() == Readers(other).look() == expected, (moment, write, skip)
    assert hits == len(moments)


def run_killed(proxy: FaultProxy, folder: Path, flags: tuple[object, ...], moment: str, write: str, skip: int) -> bool:
    """Run a backfill, and kill it at a write; return whether it came so far."""
    started: list[Started] = []
    known = threading.Event()

    def kill() -> None:
        known.wait(60)
        os.kill(started[0].pid, signal.SIGKILL)
        until = time.monotonic() + 60
        while not is_gone(started[0].pid) and time.monotonic() < until:
            time.sleep(0.005)

    fault = Fault("*", method="PUT POST", named=lambda key: re.search(write, key) is not None, skip=skip)
    fault.before, fault.after, fault.reset = (kill, None, True) if moment == "before" else (None, kill, False)
    proxy.add(fault)
    started.append(processes.start(folder, "backfill", *flags))
    known.set()
    ended = started[0].wait()
    is_hit, fault.count = fault.count == 0, 0
    assert was_killed(ended) is is_hit, ended
    return is_hit


def test_two_at_once_beside_a_plain_job_and_a_compaction(source: Path, tmp_path: Path, rekindle: Rekindle) -> None:
    """Readers see each object whole, by one of them, at any time; so does every version of the table."""
    for number in range(ROUNDS):
        tier = tmp_path / f"hot{number}"
        job = ("backfill", "--bucket", f"file://{source}", "--hot-tier", tier, "--wave-bytes", "1", "--json")
        assert rekindle(*job).code == 0
        first = DeltaTable(tier / "events").version()
        readers = Readers(open_tier(str(tier), StorageOptions()))
        with readers.watching():
            started = [
                *(
                    processes.start(tmp_path, *job, "--reprocess", "--pipelines", pipelines(tmp_path, name))
                    for name in ("one", "two")
                ),
                processes.start(tmp_path, *job),
                processes.start(tmp_path, "compact", "--hot-tier", tier),
            ]
            ended = [one.wait() for one in started]
        assert [one.code for one in ended] == [0] * 4, ended
        assert [one.json["objects"]["replaced"] for one in ended[:2]] == [len(NAMES)] * 2
        assert ended[2].json["objects"]["known"] == len(NAMES)
        readers.seen.append(readers.look())
        readers.check()
        assert {name for _, name in readers.seen[-1]} <= {"one", "two"}
        for version in range(first, DeltaTable(tier / "events").version() + 1):
            files = DeltaTable(tier / "events", version=version).file_uris()
            counts = duckdb.execute(
                "SELECT filename, count(*), count(DISTINCT _event_id) FROM read_parquet(?, union_by_name=true) "
                "GROUP BY filename",
                [files],
            ).fetchall()
            assert sorted(counts) == [(f"{name}.log", LINES, LINES) for name in NAMES], version
