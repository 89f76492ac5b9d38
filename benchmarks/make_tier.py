"""Make the hot tier that `benchmarks.service` searches: a week of events of four sources, with an incident.

    python -m benchmarks.make_tier DIR [--events 10000000]

Events are made as columns and written by the product's own writer and commits, a wave for each day: as from a backfill,
without the reading. The same arguments give the same events. Each source has an object for each six hours:

- `access`, 45 %: lines of a web server, with method, path, status and user;
- `app`, 35 %: JSON of seven services, with level, user and, in the map, trace_id, duration_ms and region;
- `postgres`, 10 %, and `kubelet`, 10 %: lines of text with a level.

One event in 24 has the word "timeout", one in a hundred status 503. On the fourth day, from 14:00 to 15:00 UTC, the
service `checkout` fails: half of what it logs are errors.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.table.prepare import prepare, promote_new
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.objects.event_columns import EventColumns
from transforms.storage import ObjectInfo, StorageOptions, TierStore, open_tier

EVENTS = 10_000_000
DAYS = 7
FIRST_DAY = datetime(2025, 8, 11, tzinfo=timezone.utc)
PROMOTED = ("level", "status", "service", "method", "user", "uri_path", "clientip")
BUCKET = "example-bucket"
_BUFFER_BYTES = 2 << 30
"""A day as a whole: each row group has events of all sources, as in files that were merged."""
_OBJECTS = 4
"""Of each source and day."""
_INCIDENT = FIRST_DAY + timedelta(days=3, hours=14)
_SECOND = 1_000_000
_SERVICES = ("cart", "checkout", "payments", "search", "users", "shipping", "mail")
_PATHS = tuple(f"/{part}/{number}" for part in ("products", "cart", "orders", "images") for number in range(500))
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "curl/8.5.0",
)
_APP_TEXTS = (
    "order placed and sent on to shipping",
    "cache miss, read from the store",
    "session opened",
    "item was added",
    "timeout while waiting for an answer of payments",
    "request was answered",
)
_APP_SHARES = (0.2, 0.25, 0.2, 0.15, 0.05, 0.15)
_POSTGRES_TEXTS = (
    "duration: {} ms  statement: SELECT * FROM orders WHERE id = $1",
    "checkpoint complete: wrote {} buffers; 0 WAL file(s) added, 0 removed, 1 recycled",
    "canceling statement due to statement timeout after {} ms",
)
_KUBELET_TEXTS = (
    "Probe succeeded for container web-{}",
    "Pulling image registry.example.com/app:{}",
    "Readiness probe failed: Get http://10.0.0.{}:8080/: context deadline exceeded (Client.Timeout exceeded)",
)

_Values = npt.NDArray[np.int64]


class _Draw:
    """Random columns of one object."""

    def __init__(self, rng: np.random.Generator, rows: int) -> None:
        self.rng = rng
        self.rows = rows

    def choice(self, values: tuple[str, ...], shares: tuple[float, ...] | None = None) -> pl.Series:
        numbers = self.rng.choice(len(values), self.rows, p=shares)
        chosen: pl.Series = pl.Series(values, dtype=pl.String).gather(numbers)
        return chosen

    def number(self, most: int) -> pl.Series:
        numbers: pl.Series = pl.Series(self.rng.integers(0, most, self.rows)).cast(pl.String)
        return numbers

    def where(self, share: float) -> pl.Series:
        return pl.Series(self.rng.random(self.rows) < share)


def make_tier(tier: TierStore, events: int = EVENTS) -> None:
    """Write the events into a tier that has none."""
    prepare(tier)
    promote_new(tier, PROMOTED)
    columns = Snapshot.load(tier).columns
    for day in range(DAYS):
        writer = HotTierWriter(tier, columns=columns, job=f"bench-{day}", buffer_bytes=_BUFFER_BYTES)
        entries = []
        for info, batch in _objects(day, events // DAYS):
            for start in range(0, batch.num_rows, 1 << 16):
                writer.write(batch.slice(start, 1 << 16))
            entries.append(_entry(info, batch.num_rows, day))
        publish_wave(tier, job=f"bench-{day}", wave=0, files=writer.close(), entries=entries)


def _objects(day: int, events: int) -> Iterator[tuple[ObjectInfo, pa.RecordBatch]]:
    shares = {"access": 0.45, "app": 0.35, "postgres": 0.1, "kubelet": 0.1}
    for part in range(_OBJECTS):
        for number, (name, share) in enumerate(shares.items()):
            rng = np.random.default_rng([day, part, number])
            rows = int(events * share / _OBJECTS)
            start = FIRST_DAY + timedelta(days=day, hours=24 * part / _OBJECTS)
            length = 24 * 3600 * _SECOND // _OBJECTS
            times = np.sort(rng.integers(0, length, rows)) + int(start.timestamp()) * _SECOND
            info = ObjectInfo(
                bucket=BUCKET, key=f"logs/{name}/{start:%Y-%m-%d/%H}.log.gz", etag=f"{day}-{part}", size=rows * 20,
                modified=start + timedelta(hours=6),
            )  # fmt: skip
            columns = _SOURCES[name](_Draw(rng, rows), times)
            columns["_time"] = pl.Series(times).cast(pl.Datetime("us", "UTC"))
            yield info, _in_flight(info, columns, name)


def _in_flight(info: ObjectInfo, columns: dict[str, pl.Series], name: str) -> pa.RecordBatch:
    """Return an object's events as they are in flight."""
    constants = {"sourcetype": name, "index": "main", "_time_source": "record"}
    arrays = {key: column.to_arrow(compat_level=pl.CompatLevel.newest()) for key, column in columns.items()}
    records = pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))
    stamps = EventColumns(info, receiver="http.s3", format_name="text", task_id="bench", defaults={}, system=constants)
    return stamps.stamp(records).events


def _access(draw: _Draw, times: _Values) -> dict[str, pl.Series]:
    frame = pl.DataFrame({"time": times}).select(
        clock=pl.col("time").cast(pl.Datetime("us")).dt.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        clientip=pl.concat_str(pl.lit("10."), draw.number(4), pl.lit("."), draw.number(200), pl.lit(".7")),
        user=draw.choice(("-", "jaredevans", "alice", "bob", "carol"), (0.8, 0.05, 0.05, 0.05, 0.05)),
        method=draw.choice(("GET", "POST", "PUT"), (0.8, 0.15, 0.05)),
        uri_path=draw.choice(_PATHS),
        status=draw.choice(("200", "304", "404", "500", "503"), (0.85, 0.08, 0.04, 0.008, 0.022)),
        bytes=draw.number(50_000),
        agent=draw.choice(_AGENTS),
        host=draw.choice(tuple(f"web-{number}" for number in range(12))),
        marked=draw.where(0.03),
    )
    query = pl.when("marked").then(pl.lit("?retry=timeout")).otherwise(pl.lit(""))
    message = pl.format(
        '{} - {} [{}] "{} {}{} HTTP/1.1" {} {} "-" "{}"',
        "clientip", "user", "clock", "method", "uri_path", query, "status", "bytes", "agent",
    )  # fmt: skip
    frame = frame.with_columns(_message=message, source=pl.lit("/var/log/nginx/access.log"))
    kept = ("_message", "clientip", "user", "method", "uri_path", "status", "host", "source")
    return {name: frame.get_column(name) for name in kept}


def _app(draw: _Draw, times: _Values) -> dict[str, pl.Series]:
    failing = (times >= int(_INCIDENT.timestamp()) * _SECOND) & (
        times < int((_INCIDENT + timedelta(hours=1)).timestamp()) * _SECOND
    )
    frame = pl.DataFrame({"time": times, "failing": failing}).with_columns(
        clock=pl.col("time").cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
        service=draw.choice(_SERVICES),
        user=draw.choice(("ann", "ben", "cleo", "dan", "eve")),
        duration_ms=draw.number(2_000),
        trace_id=pl.Series(draw.rng.integers(0, 1 << 62, draw.rows)).cast(pl.String),
        region=draw.choice(("eu-west-1", "us-east-1")),
        level=draw.choice(("debug", "info", "warning", "error"), (0.2, 0.73, 0.05, 0.02)),
        text=draw.choice(_APP_TEXTS, _APP_SHARES),
        host=draw.choice(tuple(f"app-{number}" for number in range(20))),
        half=draw.where(0.5),
    )
    fails = pl.col("failing") & (pl.col("service") == "checkout") & pl.col("half")
    frame = frame.with_columns(
        level=pl.when(fails).then(pl.lit("error")).otherwise("level"),
        text=pl.when(fails).then(pl.lit("connection refused by payments, giving up")).otherwise("text"),
        source=pl.format("/var/log/{}.json", "service"),
    )
    named = {
        "time": "clock",
        "level": "level",
        "service": "service",
        "msg": "text",
        "user": "user",
        "trace_id": "trace_id",
    }
    texts = [part for name, column in named.items() for part in (pl.lit(f', "{name}": "'), pl.col(column), pl.lit('"'))]
    message = pl.concat_str(
        *texts, pl.lit(', "duration_ms": '), "duration_ms", pl.lit(', "region": "'), "region", pl.lit('"}')
    )
    message = pl.concat_str(pl.lit("{"), message.str.slice(2))
    frame = frame.with_columns(_message=message)
    kept = ("_message", "level", "service", "user", "duration_ms", "trace_id", "region", "host", "source")
    return {name: frame.get_column(name) for name in kept}


def _text(draw: _Draw, texts: tuple[str, ...], shares: tuple[float, ...]) -> pl.Expr:
    parts = draw.choice(texts, shares).str.split_exact("{}", 1).struct.unnest()
    return pl.concat_str(parts.get_column("field_0"), draw.number(1_000), parts.get_column("field_1"))


def _postgres(draw: _Draw, times: _Values) -> dict[str, pl.Series]:
    frame = pl.DataFrame({"time": times}).with_columns(
        clock=pl.col("time").cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d %H:%M:%S%.3f UTC"),
        process=draw.number(300),
        level=draw.choice(("info", "warning", "error"), (0.9, 0.07, 0.03)),
        text=_text(draw, _POSTGRES_TEXTS, (0.85, 0.1, 0.05)),
        host=draw.choice(("db-1", "db-2")),
        service=pl.lit("postgresql"),
        source=pl.lit("/var/log/postgresql.log"),
    )
    frame = frame.with_columns(_message=pl.format("{} [{}] app@orders {}:  {}", "clock", "process", "level", "text"))
    return {name: frame.get_column(name) for name in ("_message", "level", "service", "host", "source")}


def _kubelet(draw: _Draw, times: _Values) -> dict[str, pl.Series]:
    frame = pl.DataFrame({"time": times}).with_columns(
        clock=pl.col("time").cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
        level=draw.choice(("info", "warning"), (0.9, 0.1)),
        text=_text(draw, _KUBELET_TEXTS, (0.8, 0.15, 0.05)),
        host=draw.choice(tuple(f"node-{number}" for number in range(8))),
        source=pl.lit("/var/log/syslog"),
    )
    frame = frame.with_columns(_message=pl.format("{} {} kubelet[1023]: {} {}", "clock", "host", "level", "text"))
    return {name: frame.get_column(name) for name in ("_message", "level", "host", "source")}


_SOURCES = {"access": _access, "app": _app, "postgres": _postgres, "kubelet": _kubelet}


def _entry(info: ObjectInfo, events: int, day: int) -> LedgerEntry:
    return LedgerEntry(
        bucket=info.bucket, key=info.key, etag=info.etag, size=info.size, modified=info.modified, job=f"bench-{day}",
        wave=0, status="ingested", codec="gzip", format="text", records_in=events, events=events,
    )  # fmt: skip


def main() -> None:
    """Make a tier."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tier", type=Path)
    parser.add_argument("--events", type=int, default=EVENTS)
    arguments = parser.parse_args()
    make_tier(open_tier(str(arguments.tier), StorageOptions()), arguments.events)


if __name__ == "__main__":
    main()
