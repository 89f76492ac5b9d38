"""Write a reference workload.

Access (text, gzip), ndjson (zstd), csv (gzip, quoted cells), plain (text, not packed), tiny (many files).

    python -m benchmarks.make_workload access DIR [--mib 1024] [--files 8]

The same arguments give the same bytes. `DIR.json` beside DIR says how many events and MiB were written; sizes are of
the decoded text. Events span the 24 hours of 2025-08-11 UTC, each file its own part of the day.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import islice
from multiprocessing import Pool
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

DAY = datetime(2025, 8, 11, tzinfo=timezone.utc)
LINES_A_WRITE = 20_000
AGENTS = (
    "Mozilla/5.0 (Linux; Android 5.1.1; Nexus 5) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/91.0.4472.124 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "curl/8.5.0",
)
PATHS = (
    "/products",
    "/cart",
    "/checkout",
    "/login",
    "/api/v1/items/{}",
    "/static/js/app.{}.js",
    "/images/{}.png",
    "/search?q={}",
)
METHODS = ("GET",) * 8 + ("POST", "PUT")
STATUSES = (200,) * 12 + (304, 301, 404, 500, 503)
USERS = ("-",) * 8 + ("jaredevans", "alice", "bob", "carol")
REFERERS = ("-", "https://example.com/home", "https://www.google.com/")
CSV_HEADER = "timestamp,host,method,path,status,bytes,useragent,note\n"

Line = Callable[[random.Random, datetime, int], str]


@dataclass(frozen=True)
class Request:
    """One request to a web server, as random numbers choose it."""

    ip: str
    user: str
    method: str
    path: str
    status: int
    size: int
    referer: str
    agent: str

    @classmethod
    def choose(cls, rng: random.Random) -> Request:
        """Choose a request; the order of the calls is part of the workload."""
        return cls(
            ip=".".join(str(rng.randrange(1, 255)) for _ in range(4)),
            user=rng.choice(USERS),
            method=rng.choice(METHODS),
            path=rng.choice(PATHS).format(rng.randrange(100_000)),
            status=rng.choice(STATUSES),
            size=rng.randrange(50_000),
            referer=rng.choice(REFERERS),
            agent=rng.choice(AGENTS),
        )


def access_line(rng: random.Random, when: datetime, _: int) -> str:
    """Return a line of the combined access log format."""
    r = Request.choose(rng)
    return f'{r.ip} - {r.user} [{when:%d/%b/%Y:%H:%M:%S} +0000] "{r.method} {r.path} HTTP/1.1" {r.status} {r.size} "{r.referer}" "{r.agent}"\n'


def ndjson_line(rng: random.Random, when: datetime, n: int) -> str:
    """Return a service's log record as one line of JSON; every tenth has a further field."""
    r = Request.choose(rng)
    record: dict[str, object] = {
        "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": rng.choice(["info"] * 8 + ["warn", "error"]),
        "service": rng.choice(["auth", "cart", "web", "search"]),
        "host": f"web-{rng.randrange(40)}",
        "status": r.status,
        "duration_ms": round(rng.random() * 100, 3),
        "msg": f"request {n} by {r.user} finished",
        "ctx": {"trace": f"{rng.getrandbits(128):032x}", "tags": ["a", "b"]},
        "path": r.path,
    }
    if rng.random() < 0.1:
        record["err"] = f'upstream said "no" to {n}'
    return json.dumps(record, separators=(",", ":")) + "\n"


def csv_line(rng: random.Random, when: datetime, n: int) -> str:
    """Return a CSV row with quoted cells and doubled quotes."""
    r = Request.choose(rng)
    stamp = f"{when:%Y-%m-%d %H:%M:%S}.{n % 1000:03d}"
    return f'{stamp},web-{rng.randrange(40)},{r.method},"{r.path}",{r.status},{r.size},"{r.agent}","said ""hello, {r.user}"""\n'


@dataclass(frozen=True)
class Kind:
    """A workload: its lines, what stands before them, how files are called and packed."""

    line: Line
    header: str
    extension: str
    files: int = 8


KINDS = {
    "access": Kind(access_line, "", "log.gz"),
    "ndjson": Kind(ndjson_line, "", "ndjson.zst"),
    "csv": Kind(csv_line, CSV_HEADER, "csv.gz"),
    "plain": Kind(access_line, "", "log"),
    "tiny": Kind(access_line, "", "log.gz", files=20_000),
}


@dataclass(frozen=True)
class File:
    """One file to write."""

    kind: str
    folder: Path
    number: int
    files: int
    size: float  # of the text, in bytes


def packer(path: Path, raw: BinaryIO) -> BinaryIO:
    """Return a file that packs into `raw` as the path's name says, without a time in its header."""
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.GzipFile("", "wb", 6, raw, mtime=0))
    if path.suffix == ".zst":
        return cast(BinaryIO, zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False))
    return raw


def lines_of(file: File) -> Iterator[str]:
    """Yield a file's lines."""
    kind = KINDS[file.kind]
    name = "access" if kind.line is access_line and file.kind != "tiny" else file.kind
    rng = random.Random(f"{name}-{file.number}")
    begin, span = DAY + timedelta(days=file.number / file.files), timedelta(days=1 / file.files)
    probe = random.Random(0)
    mean = sum(len(kind.line(probe, begin, n)) for n in range(500)) / 500
    count = max(1, round(file.size / mean))
    return (kind.line(rng, begin + span * (n / count), n) for n in range(count))


def write_file(file: File) -> tuple[int, int]:
    """Write a file; return its events and the bytes of its text."""
    kind = KINDS[file.kind]
    events, size = 0, len(kind.header)
    lines = lines_of(file)
    path = file.folder / f"part-{file.number:05d}.{kind.extension}"
    with path.open("wb") as raw, closing(packer(path, raw)) as packed:
        packed.write(kind.header.encode())
        while some := list(islice(lines, LINES_A_WRITE)):
            text = "".join(some).encode()
            packed.write(text)
            events += len(some)
            size += len(text)
    return events, size


def make_workload(kind: str, folder: Path, *, mib: float, files: int | None = None) -> dict[str, object]:
    """Write a workload, and its summary beside it; return the summary."""
    number = files or KINDS[kind].files
    folder.mkdir(parents=True, exist_ok=True)
    with Pool() as pool:
        written = pool.map(write_file, [File(kind, folder, n, number, mib * 2**20 / number) for n in range(number)])
    events, size = (sum(column) for column in zip(*written, strict=True))
    summary = {"kind": kind, "files": number, "events": events, "mib": round(size / 2**20, 1)}
    folder.with_suffix(".json").write_text(json.dumps(summary), encoding="utf-8")
    return summary


def main() -> None:
    """Write the workload that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("dir", type=Path)
    parser.add_argument("--mib", type=float, default=1024)
    parser.add_argument("--files", type=int, help="default 8; tiny: 20000")
    arguments = parser.parse_args()
    print(json.dumps(make_workload(arguments.kind, arguments.dir, mib=arguments.mib, files=arguments.files)))


if __name__ == "__main__":
    main()
