"""One story for every runner.

A bucket is brought in, some of its objects change and come again, events are deleted, moved and merged, and an
attribute for which the table had no room gets its column.

What a tier then holds is told by its fingerprint, which is the same wherever the story was run.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import deltalake
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.make_workload import make_workload
from tests.pipelines.conftest import Ended, start_rekindle
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, open_tier

KINDS = ("access", "ndjson", "csv", "plain")
NOT_CONTENT = {"_observed_at", "_correlation_id", "tier", "date"}
NOW = "2025-11-21T00:00:00Z"
"""By which the rules are reckoned; the workload's events are of 2025-08-11."""
RULES = """
rules:
  - {name: not found, retention: 30d, when: status=404}
holds:
  - {name: alice, when: user=alice}
tiers:
  - {name: errors, retention: 30d, when: "status>=500"}
"""
PIPELINES = Path(__file__).parents[2] / "benchmarks" / "access_logs.yaml"
STEPS = ("backfill", "backfill again", "delete", "tier", "compact", "promote")
WIDE = [f"attr{number:03}" for number in range(140)]
"""Attributes of one object; the table has no room for the last of them."""
SECONDS = 1800.0


@dataclass(frozen=True)
class Fingerprint:
    """What a tier holds, however its rows lie in files.

    For each of hot and cold its events and the sum of their rows' hashes; the ledger.

    Attributes:
        rows: Of each tier and date: its name, the number of events, and the sum of their hashes, over all columns but
            those of the run.
        ledger: Every object's entry but its job, wave and times.
    """

    rows: tuple[tuple[str, int, int], ...]
    ledger: frozenset[tuple[Any, ...]]

    def __str__(self) -> str:
        total = sum(count for _, count, _ in self.rows)
        told = repr((self.rows, sorted(self.ledger)))
        return f"{total:,} events, {len(self.ledger)} objects, {hashlib.sha256(told.encode()).hexdigest()[:16]}"


@dataclass
class Story:
    """A bucket, and the tiers that runners make of it, each at the same step.

    Attributes:
        bucket: The bucket with the logs; tiers lie in it too, under `tiers/`.
        client: A boto3 client.
        options: How it is reached.
        folder: For local files.
        wave_bytes: The largest wave, compressed.
    """

    bucket: str
    client: Any
    options: StorageOptions
    folder: Path
    wave_bytes: str = "1GiB"

    def write_logs(self, *, mib: float, objects: int) -> None:
        """Put so many MiB of logs, as text, into so many objects of the bucket, and one of many attributes."""
        for kind in KINDS:
            folder = self.folder / kind
            make_workload(kind, folder, mib=mib / len(KINDS), files=objects // len(KINDS))
            for path in sorted(folder.iterdir()):
                self.client.put_object(Bucket=self.bucket, Key=f"logs/{kind}/{path.name}", Body=path.read_bytes())
        event = {"time": "2025-08-11T12:00:00Z", **dict.fromkeys(WIDE, "x")}
        line = orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
        self.client.put_object(Bucket=self.bucket, Key="logs/wide/0.ndjson", Body=line * 9)

    def change_logs(self) -> int:
        """Replace each fifth object by the one after it, and return how many."""
        changed = 0
        for kind in KINDS:
            files = sorted((self.folder / kind).iterdir())
            for path, other in list(zip(files, [*files[1:], files[0]], strict=True))[::5]:
                self.client.put_object(Bucket=self.bucket, Key=f"logs/{kind}/{path.name}", Body=other.read_bytes())
                changed += 1
        return changed

    def command(self, step: str, tier: str) -> list[str]:
        """Return the flags of `rekindle` for a step."""
        rules = self.folder / "rules.yaml"
        rules.write_text(RULES)
        where = [
            "--hot-tier",
            f"s3://{self.bucket}/tiers/{tier}",
            "--endpoint-url",
            str(self.options.endpoint_url),
            "--json",
        ]
        ruled = ["--rules", str(rules), "--now", NOW, "--execute", "--yes"]
        flags = {
            "backfill": [
                "--bucket",
                self.bucket,
                "--pattern",
                "logs/**",
                "--pipelines",
                str(PIPELINES),
                "--wave-bytes",
                self.wave_bytes,
            ],
            "delete": ruled,
            "tier": ruled,
            "compact": [],
            "promote": [WIDE[-1]],
        }
        name = step.partition(" ")[0]
        return [name, *flags[name], *where]

    def start(self, step: str, tier: str, beam_flags: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start a step as a process of its own."""
        return start_rekindle(*self.command(step, tier), "--", *beam_flags)

    def run(self, step: str, tier: str, beam_flags: Sequence[str] = ()) -> dict[str, Any]:
        """Run a step to its end, and return its report."""
        ended = wait(self.start(step, tier, beam_flags))
        assert ended.code == 0, ended.err
        report: dict[str, Any] = ended.json
        return report

    def fingerprint(self, tier: str) -> Fingerprint:
        """Read all of a tier."""
        store = open_tier(f"s3://{self.bucket}/tiers/{tier}", self.options)
        table = deltalake.DeltaTable(store.table_uri("events"), storage_options=store.delta_options())
        columns = sorted({one.name for one in table.schema().fields} - NOT_CONTENT)
        counts: Counter[str] = Counter()
        sums: Counter[str] = Counter()
        for path in map(unquote, pa.table(table.get_add_actions(flatten=True)).column("path").to_pylist()):
            place = path.rpartition("/")[0]
            table_rows = pq.ParquetFile(io.BytesIO(store.get(f"events/{path}"))).read()
            counts[place] += table_rows.num_rows
            sums[place] += sum(row_hashes(table_rows, columns))
        rows = tuple((place, counts[place], sums[place] % 2**64) for place in sorted(counts))
        return Fingerprint(rows, frozenset(self._ledger(store)))

    def _ledger(self, store: Any) -> Iterator[tuple[Any, ...]]:
        ledger = Ledger.load(store, Snapshot.load(store))
        keys = (one["Key"] for page in self._pages() for one in page.get("Contents", ()))
        for key in keys:
            for one in ledger.published(self.bucket, key):
                yield key, one.etag, one.size, one.status, one.min_time, one.max_time

    def _pages(self) -> Any:
        return self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix="logs/")


def wait(process: subprocess.Popen[str]) -> Ended:
    """Wait for the end of `rekindle`."""
    out, err = process.communicate(timeout=SECONDS)
    return Ended(process.returncode, out, err)


def row_hashes(rows: pa.Table, columns: Sequence[str]) -> list[int]:
    """Return a hash of each row.

    A column that a file lacks is null in all its rows, and text is text however it is encoded.
    """
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    absent = [pl.lit(None, pl.String).alias(name) for name in columns if name not in frame.columns]
    plain = frame.with_columns(pl.col(pl.Categorical).cast(pl.String), *absent)
    return plain.select(columns).hash_rows(seed=7).to_list()
