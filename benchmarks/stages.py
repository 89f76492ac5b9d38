"""Time each codec and each format on its own, one core and two, and put the tables into benchmarks/RESULTS.md.

    make bench                                # with the workloads of benchmarks/run.py
    python -m benchmarks.stages --mib 32      # alone, and quick

A codec is timed beside its own library's plain loop (one call for the whole object, where the library has such), over
the same compressed bytes in memory, in turns. A format has no library to be held against: its table says what reading
costs. Two cores are two objects at once.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import json
import lzma
import os
import statistics
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as the product's workers have it: they are the threads

import brotli
import cramjam
import lz4.frame
import ncompress
import zstandard
from isal import igzip, igzip_lib

from benchmarks.make_workload import DAY, KINDS, File, lines_of
from benchmarks.report import put_section
from transforms.codecs.decoding import decode
from transforms.formats import read_records
from transforms.formats.options import FormatOptions

TITLE = "Codecs and formats on their own"
CHUNK = 4 << 20
CORES = (1, 2)
AIM = 0.5  # of the library's own rate


@dataclass(frozen=True)
class Library:
    """A codec's library, used plainly: how a stream is made and undone in one call."""

    compress: Callable[[bytes], bytes]
    decompress: Callable[[bytes], bytes]


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


LIBRARIES: dict[str, Library] = {
    "brotli": Library(lambda data: brotli.compress(data, quality=5), brotli.decompress),
    "bzip2": Library(bz2.compress, bz2.decompress),
    "deflate": Library(zlib.compress, lambda data: bytes(igzip_lib.decompress(data, flag=igzip_lib.DECOMP_ZLIB))),
    "gzip": Library(gzip.compress, igzip.decompress),
    "lzma": Library(lambda data: lzma.compress(data, lzma.FORMAT_ALONE, preset=1), lzma.decompress),
    "lz4": Library(lambda data: lz4.frame.compress(data, content_checksum=True), lz4.frame.decompress),
    "snappy": Library(
        lambda data: bytes(cramjam.snappy.compress(data)), lambda data: bytes(cramjam.snappy.decompress(data))
    ),
    "xz": Library(lambda data: lzma.compress(data, preset=1), lzma.decompress),
    "z": Library(ncompress.compress, ncompress.decompress),
    "zstd": Library(lambda data: zstandard.compress(data, 3), zstandard.decompress),
}


def _texts(mib: float) -> dict[str, bytes]:
    """Return a text of about so many MiB in each format."""
    access, ndjson, table = (_text(kind, mib) for kind in ("access", "ndjson", "csv"))
    records = [json.loads(line) for line in ndjson.splitlines()]
    hec = "".join(
        json.dumps({"time": record.pop("time"), "host": record.pop("host"), "event": record}, separators=(",", ":"))
        + "\n"
        for record in (dict(record) for record in records)
    )
    splunk = "_time,host,_raw\n" + "".join(
        f'{record["time"]},{record["host"]},"{line.replace(chr(34), chr(34) * 2)}"\n'
        for record, line in zip(records, ndjson.splitlines(), strict=True)
    )
    return {
        "text": access.encode(),
        "json": ndjson.encode(),
        "json, one array": ("[" + ",".join(ndjson.splitlines()) + "]").encode(),
        "json, pretty": "\n".join(json.dumps(record, indent=2) for record in records).encode(),
        "csv": table.encode(),
        "splunk_csv": splunk.encode(),
        "splunk_hec": hec.encode(),
    }


def _text(kind: str, mib: float) -> str:
    return KINDS[kind].header + "".join(lines_of(File(kind, Path(), 0, 1, mib * 2**20)))


def _chunks(data: bytes) -> Iterator[bytes]:
    return (data[place : place + CHUNK] for place in range(0, len(data), CHUNK))


def _decode(codec: str, packed: bytes) -> int:
    return sum(map(len, decode(_chunks(packed), codec, max_expansion=1000)))


def _read(format_name: str, text: bytes) -> int:
    blocks = read_records(
        _chunks(text), format_name, FormatOptions(format=format_name), modified=DAY, received=datetime.now(timezone.utc)
    )
    return sum(block.records.num_rows for block in blocks)


def seconds(work: Callable[[], object], cores: int) -> float:
    """Return how long it takes to do work on so many cores at once."""
    with ThreadPoolExecutor(cores) as pool:
        begin = time.perf_counter()
        for task in [pool.submit(work) for _ in range(cores)]:
            task.result()
        return time.perf_counter() - begin


def rates(works: Sequence[Callable[[], object]], mib: float, *, cores: int, rounds: int) -> list[float]:
    """Return the median rates in MiB/s of works that take turns, each done once a core and round."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for place, work in enumerate(works):
            taken[place].append(seconds(work, cores))
    return [cores * mib / statistics.median(times) for times in taken]


def codec_table(text: bytes, *, rounds: int) -> Iterator[str]:
    """Yield the codecs' table."""
    yield "| codec | MiB/s of plain text, 1 core | ÷ its library | 2 cores | ÷ its library |"
    yield "|---|---:|---:|---:|---:|"
    for name, library in sorted(LIBRARIES.items()):
        packed = library.compress(text)
        cells = []
        for cores in CORES:
            ours, theirs = rates(
                [lambda: _decode(name, packed), lambda: library.decompress(packed)],  # noqa: B023  called within the loop
                len(text) / 2**20,
                cores=cores,
                rounds=rounds,
            )
            cells += [f"{ours:.0f}", f"{ours / theirs:.2f}{'' if ours / theirs >= AIM else f' (misses {AIM})'}"]
        print(name, *cells, flush=True)
        yield f"| {name} | {' | '.join(cells)} |"


def format_table(texts: dict[str, bytes], *, rounds: int) -> Iterator[str]:
    """Yield the formats' table."""
    yield "| format | MiB/s, 1 core | 2 cores |"
    yield "|---|---:|---:|"
    for name, text in texts.items():
        work = partial(_read, name.partition(",")[0], text)
        cells = [f"{rates([work], len(text) / 2**20, cores=cores, rounds=rounds)[0]:.0f}" for cores in CORES]
        print(name, *cells, flush=True)
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Time what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=float, default=64, help="plain text of each kind (64)")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    texts = _texts(arguments.mib)
    lines = [
        f"`python -m benchmarks.stages --mib {arguments.mib:g} --rounds {arguments.rounds}`: medians, in turns, over bytes in memory. "
        "The library is one call that keeps the whole text, which costs it page faults.",
        "",
        *codec_table(texts["text"], rounds=arguments.rounds),
        "",
        *format_table(texts, rounds=arguments.rounds),
    ]
    put_section(TITLE, lines)


if __name__ == "__main__":
    main()
