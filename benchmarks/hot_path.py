"""How fast the inner loop can be.

The reference workloads through the quickest calls found, two threads, no Beam, no ledger, no faults.

    python -m benchmarks.hot_path {access,ndjson,csv} DIR OUT

Prints one JSON line like peers.py. It is a measure to reach for, not a design: it writes one file an object, knows its
columns beforehand, trusts its input (no bad records, no odd numbers, no newlines in quotes), and its ids are made up.
What it does keep: the raw record, the system columns, an id per event, zstd.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"  # the two threads are ours; Polars reads this when it is imported

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import zstandard
from isal import igzip

BLOCK = 8 << 20
THREADS = 2
ACCESS = (
    r'^(?P<clientip>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<req_time>[^\]]+)\] "(?P<method>\S+) (?P<uri>\S+) HTTP/(?P<http_version>[^"]+)" '
    r'(?P<status>\d+) (?P<bytes>\d+) "(?P<referer>[^"]*)" "(?P<useragent>[^"]*)"'
)
CONSTANT = ("_receiver", "_collector", "_correlation_id", "_object", "_format", "_pipelines", "filename")
REPEATING = frozenset(
    {
        "ident",
        "user",
        "method",
        "http_version",
        "status",
        "referer",
        "useragent",
        "level",
        "service",
        "host",
        "msg",
        "path",
        "note",
        *CONSTANT,
    }
)
# Numbers whose text DuckDB would change: 1.10, 1e5, 17 digits, -0.
REWRITTEN_NUMBERS = r"\.[0-9]*0[,}\]\s]|[0-9][eE][0-9+-]|[0-9]{17}|-0"

State = dict[str, Any]  # what a format keeps from block to block of one file


def split_lines(block: bytes) -> pa.Array:
    """Return the text lines of a block as a string array; one call, no Python loop."""
    one = pa.LargeStringArray.from_buffers(1, pa.py_buffer(struct.pack("<qq", 0, len(block))), pa.py_buffer(block))
    return pc.split_pattern(one, "\n").flatten()


def blocks(path: Path) -> Iterator[bytes]:
    """Yield the decoded file in blocks that end at line ends."""
    with igzip.open(path, "rb") if path.suffix == ".gz" else zstandard.open(path, "rb") as file:
        rest = b""
        while data := file.read(BLOCK):
            cut = data.rfind(b"\n") + 1
            yield rest + data[:cut]
            rest = data[cut:]
        if rest:
            yield rest


def access(block: bytes, _: State) -> pl.DataFrame:
    """Parse access log lines by one regular expression."""
    frame = pl.Series("_message", split_lines(block[:-1])).to_frame()
    frame = frame.with_columns(pl.col("_message").str.extract_groups(ACCESS).alias("g")).unnest("g")
    return frame.with_columns(
        _time=pl.col("req_time").str.to_datetime("%d/%b/%Y:%H:%M:%S %z").dt.convert_time_zone("UTC")
    ).drop("req_time")


def ndjson(block: bytes, state: State) -> pl.DataFrame:
    """Take the fields out of JSON lines by DuckDB, as text."""
    if "db" not in state:
        state["db"] = duckdb.connect()
        state["db"].execute("set threads=1; set produce_arrow_string_view=true")
    db = state["db"]
    text = split_lines(block[:-1])
    db.register("source", pa.table({"m": text.cast(pa.string_view())}))
    names = sorted(row[0] for row in db.sql("select distinct unnest(json_keys(m)) from source").fetchall())
    paths = ", ".join(f"'$.\"{name}\"'" for name in names)
    columns = ", ".join(f'x[{position}] as "{name}"' for position, name in enumerate(names, 1))
    cells = db.sql(f"select {columns} from (select json_extract_string(m, [{paths}]) x from source)").to_arrow_table()
    # twelve times as fast as to_datetime, where the text is ISO 8601
    when = pc.cast(cells["time"], pa.timestamp("us", "UTC"))
    frame = pl.DataFrame(pl.from_arrow(cells.drop_columns("time")))
    messages = pl.Series(pl.from_arrow(text))
    messages.str.contains(REWRITTEN_NUMBERS).any()  # what it costs to look for them
    return frame.with_columns(messages.alias("_message"), pl.Series("_time", pl.from_arrow(when)))


def csv(block: bytes, state: State) -> pl.DataFrame:
    """Parse CSV rows by pyarrow, all cells as text."""
    if "header" not in state:
        end = block.index(b"\n")
        state["header"], block = block[:end].decode().split(","), block[end + 1 :]
    header = state["header"]
    text = pl.Series("_message", split_lines(block[:-1]))
    if (text.str.count_matches('"', literal=True) % 2 != 0).any():
        raise SystemExit("newlines in quotes: not for this loop")
    cells = pyarrow.csv.read_csv(
        pa.BufferReader(block),
        read_options=pyarrow.csv.ReadOptions(use_threads=False, column_names=header, block_size=BLOCK * 2),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in header}, strings_can_be_null=False
        ),
    )
    when = pl.Series("_time", pl.from_arrow(pc.cast(cells["timestamp"], pa.timestamp("us"))))
    return pl.DataFrame(pl.from_arrow(cells)).with_columns(text, when.dt.replace_time_zone("UTC"))


FORMATS: dict[str, Callable[[bytes, State], pl.DataFrame]] = {"access": access, "ndjson": ndjson, "csv": csv}


def with_system_columns(frame: pl.DataFrame, kind: str, path: Path, ordinal: int) -> pl.DataFrame:
    """Add an id per event, the time of receipt and the constant columns."""
    values = ("s3.pull", "rekindle", "0" * 36, f"s3://bucket/{path}", kind, "p", str(path))
    constants = [pl.lit(value).alias(name) for name, value in zip(CONSTANT, values, strict=True)]
    ordinals = pl.int_range(ordinal, ordinal + len(frame)).cast(pl.String)
    return frame.with_columns(
        pl.concat_str([pl.lit("e_ABCDEFGHIJKLMNOPQRSTUVWXYZ-"), ordinals]).alias("_event_id"),
        pl.lit(time.time_ns() // 1000).cast(pl.Datetime("us", "UTC")).alias("_observed_at"),
        *constants,
    )


def open_parquet(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a Parquet file with the settings that were found best."""
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=[name for name in schema.names if name in REPEATING],
        write_statistics=["_time", "_object", "status"],
        column_encoding={"_event_id": "DELTA_BYTE_ARRAY", "_time": "DELTA_BINARY_PACKED"},
    )


def convert(kind: str, path: Path, out: Path) -> int:
    """Convert one file to Parquet; return the number of its events."""
    state: State = {}
    writer, ordinal = None, 0
    for block in blocks(path):
        frame = FORMATS[kind](block, state)
        # String views: no copy. The default, large_string, costs more than the regular expression.
        table = with_system_columns(frame, kind, path, ordinal).to_arrow(compat_level=pl.CompatLevel.newest())
        ordinal += len(frame)
        writer = writer or open_parquet(out / f"{path.name}.parquet", table.schema)
        writer.write_table(table)
    if writer:
        writer.close()
    return ordinal


def main() -> None:
    """Convert a workload, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=FORMATS)
    parser.add_argument("src", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    pa.set_cpu_count(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    mib = json.loads(arguments.src.with_suffix(".json").read_text(encoding="utf-8"))["mib"]
    begin = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        events = sum(
            pool.map(lambda path: convert(arguments.kind, path, arguments.out), sorted(arguments.src.iterdir()))
        )
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    result = {
        "peer": "hot_path",
        "kind": arguments.kind,
        "seconds": round(seconds, 2),
        "mib_per_s": round(mib / seconds, 1),
    }
    print(json.dumps({**result, "events": events, "peak_mib": peak}))


if __name__ == "__main__":
    main()
