"""What a user would write instead.

Each peer reads one reference workload and writes Parquet (zstd) partitioned by date.

    python -m benchmarks.peers {polars,duckdb,chdb} {access,ndjson,csv} DIR OUT [--raw]

Prints one JSON line: seconds, MiB/s of decoded text (its size is read from DIR.json), events, peak memory. Two threads
each. None of them keeps the raw record of ndjson and csv, ids, or a ledger: they do less than Rekindle does. With
`--raw` they keep the record too, in one way each (`RAW`; chDB's is not written); of access logs they always do.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATTERN = (
    r'^(?P<clientip>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<req_time>[^\]]+)\] "(?P<method>\S+) (?P<uri>\S+) HTTP/(?P<http_version>[^"]+)" '
    r'(?P<status>\d+) (?P<bytes>\d+) "(?P<referer>[^"]*)" "(?P<useragent>[^"]*)"'
)
NAMES = re.findall(r"\(\?P<(\w+)>", PATTERN)
PLAIN = re.sub(r"\?P<\w+>", "", PATTERN)
CLF = "%d/%b/%Y:%H:%M:%S %z"


def run_polars(kind: str, src: Path, out: Path) -> int:
    """Convert by Polars' streaming engine; return the number of events."""
    os.environ["POLARS_MAX_THREADS"] = "2"
    import polars as pl

    if kind == "access":
        frame = pl.scan_csv(f"{src}/*", has_header=False, separator="\x01", quote_char=None, new_columns=["_message"])
        frame = frame.with_columns(pl.col("_message").str.extract_groups(PATTERN).alias("g")).unnest("g")
        frame = frame.with_columns(pl.col("req_time").str.to_datetime(CLF).alias("_time")).drop("req_time")
    elif kind == "ndjson":
        frame = pl.scan_ndjson(f"{src}/*").with_columns(
            pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ").alias("_time")
        )
    else:
        frame = pl.scan_csv(f"{src}/*", infer_schema=False)
        frame = frame.with_columns(pl.col("timestamp").str.to_datetime("%Y-%m-%d %H:%M:%S%.f").alias("_time"))
    return _sink_polars(frame, out)


def run_duckdb(kind: str, src: Path, out: Path) -> int:
    """Convert by one COPY of DuckDB; return the number of events."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("set threads=2")
    lines = f"read_csv('{src}/*', columns={{'line':'VARCHAR'}}, delim='\x01', quote='', escape='', header=false, auto_detect=false)"
    queries = {
        "access": f"""with x as (select line as _message, regexp_extract(line, '{PLAIN}', {NAMES}) as r from {lines})
            select _message, r.*, strptime(r.req_time, '{CLF}') as _time, strftime(_time, '%Y-%m-%d') as date from x""",
        "ndjson": f"select *, strftime(time::timestamp, '%Y-%m-%d') as date from read_json('{src}/*', format='newline_delimited')",
        "csv": f"select *, substr(timestamp, 1, 10) as date from read_csv('{src}/*', all_varchar=true)",
    }
    return _copy_duckdb(connection, queries[kind], out)


def run_chdb(kind: str, src: Path, out: Path) -> int:
    """Convert by ClickHouse in the process; return the number of events."""
    import chdb

    out.mkdir(parents=True)
    pattern = PLAIN.replace("\\", "\\\\").replace("'", "\\'")
    groups = ", ".join(f"g[{position}] as {name}" for position, name in enumerate(NAMES, 1))
    queries = {
        "access": f"select line as _message, {groups}, parseDateTime(g[4], '%d/%b/%Y:%H:%i:%s %z') as _time "
        f"from (select line, extractGroups(line, '{pattern}') as g from file('{src}/*', 'LineAsString'))",
        "ndjson": f"select *, time as _time from file('{src}/*', 'JSONEachRow')",
        "csv": f"select *, timestamp as _time from file('{src}/*', 'CSVWithNames')",
    }
    chdb.query(
        f"insert into function file('{out}/{{_partition_id}}.parquet', 'Parquet') "
        f"partition by formatDateTime(_time, '%Y-%m-%d') {queries[kind]} "
        "settings max_threads=2, output_format_parquet_compression_method='zstd'"
    )
    return int(str(chdb.query(f"select count() from file('{out}/*.parquet')")).strip())


def run_polars_raw(kind: str, src: Path, out: Path) -> int:
    """Convert as `run_polars` does, the lines beside their fields: the files are read twice."""
    os.environ["POLARS_MAX_THREADS"] = "2"
    import polars as pl

    if kind == "ndjson":
        fields, form = pl.scan_ndjson(f"{src}/*"), ("time", "%Y-%m-%dT%H:%M:%S%.fZ")
    else:
        fields, form = pl.scan_csv(f"{src}/*", infer_schema=False), ("timestamp", "%Y-%m-%d %H:%M:%S%.f")
    lines = pl.scan_csv(
        f"{src}/*", has_header=kind == "csv", separator="\x01", quote_char=None, infer_schema=False,
        with_column_names=lambda _: ["_message"],
    )  # fmt: skip
    frame = pl.concat([fields, lines], how="horizontal")
    frame = frame.with_columns(pl.col(form[0]).str.to_datetime(form[1]).alias("_time"))
    return _sink_polars(frame, out)


def run_duckdb_raw(kind: str, src: Path, out: Path) -> int:
    """Convert as `run_duckdb` does, the lines beside their fields."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("set threads=2")
    if kind == "ndjson":
        objects = f"read_json_objects('{src}/*', format='newline_delimited')"
        sample = f"select json_group_structure(json) from (from {objects} limit 10000)"
        row = connection.execute(sample).fetchone()
        query = f"""with lines as (select json::varchar as _message, json_transform(json, '{row[0] if row else "{}"}') as fields
            from {objects}), x as (select _message, fields.* from lines)
            select *, strftime(time::timestamp, '%Y-%m-%d') as date from x"""
    else:
        lines = f"read_csv('{src}/*', columns={{'_message':'VARCHAR'}}, delim='\x01', quote='', escape='', header=true, auto_detect=false)"
        query = f"""select *, substr(timestamp, 1, 10) as date
            from read_csv('{src}/*', all_varchar=true) positional join {lines}"""
    return _copy_duckdb(connection, query, out)


def _sink_polars(frame: Any, out: Path) -> int:
    """Write the rows of a lazy frame by their dates, and return how many there are."""
    import polars as pl

    frame = frame.with_columns(pl.col("_time").dt.strftime("%Y-%m-%d").alias("date"))
    frame.sink_parquet(pl.PartitionBy(out, key=["date"]), compression="zstd", mkdir=True)
    return int(pl.scan_parquet(f"{out}/**/*.parquet").select(pl.len()).collect().item())


def _copy_duckdb(connection: Any, query: str, out: Path) -> int:
    """Write the rows of a query by their dates, and return how many there are."""
    connection.execute(f"copy ({query}) to '{out}' (format parquet, compression zstd, partition_by (date))")
    row = connection.execute(f"select count(*) from read_parquet('{out}/**/*.parquet')").fetchone()
    return int(row[0]) if row else 0


PEERS: dict[str, Callable[[str, Path, Path], int]] = {"polars": run_polars, "duckdb": run_duckdb, "chdb": run_chdb}
RAW: dict[str, Callable[[str, Path, Path], int]] = {"polars": run_polars_raw, "duckdb": run_duckdb_raw}


def main() -> None:
    """Run one peer over one workload, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("kind", choices=["access", "ndjson", "csv"])
    parser.add_argument("src", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--raw", action="store_true", help="keep the record of ndjson and csv too")
    arguments = parser.parse_args()
    run = (RAW if arguments.raw and arguments.kind != "access" else PEERS)[arguments.peer]
    mib = json.loads(arguments.src.with_suffix(".json").read_text(encoding="utf-8"))["mib"]
    shutil.rmtree(arguments.out, ignore_errors=True)
    begin = time.perf_counter()
    events = run(arguments.kind, arguments.src, arguments.out)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    result = {
        "peer": arguments.peer,
        "kind": arguments.kind,
        "seconds": round(seconds, 2),
        "mib_per_s": round(mib / seconds, 1),
    }
    print(json.dumps({**result, "events": events, "peak_mib": peak}))


if __name__ == "__main__":
    main()
