"""`rekindle search` and `rekindle sql` as people and programs call them: exact output, files, refusals, Ctrl-C."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow.parquet as pq
import pytest
from rich.text import Text

from pipelines.cli.output.answers import Limit
from pipelines.cli.output.save import Saving
from pipelines.cli.output.tables import column_widths
from tests.pipelines.conftest import ROOT, Ended, start_rekindle
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.storage import StorageOptions, open_tier

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)
Run = Callable[..., Ended]


@pytest.fixture
def tier(tmp_path: Path) -> Tier:
    """Two files; `status` is in the map in the first and in a column in the second, `a,b` always in the map."""
    tier = Tier(open_tier(str(tmp_path / "hot"), StorageOptions()))
    tier.add(
        [
            event(DAY + timedelta(hours=n), f"old {n}", status="200", host="web-1", **{"a,b": 'x,"y"\r\n'})
            for n in range(3)
        ]
    )
    broken = event(
        DAY + timedelta(hours=26),
        "a\x1b[31mb",
        system={"_error": "invalid_json: no"},
        status="404",
        host="",
        tags='["p","q"]',
    )
    return tier.add([event(DAY + timedelta(hours=25), "new", status="404"), broken], promote=["status"])


@pytest.fixture
def search(rekindle: Run, tier: Tier) -> Run:
    return lambda *argv: rekindle("search", *argv, "--hot-tier", tier.store.uri)


@pytest.fixture
def sql(rekindle: Run, tier: Tier) -> Run:
    return lambda *argv: rekindle("sql", *argv, "--hot-tier", tier.store.uri)


def test_events_a_line_each(search: Run) -> None:
    assert search("").out.splitlines()[:2] == [
        "2025-01-02 02:00:00.000   a\\x1b[31mb  invalid_json: no",
        "2025-01-02 01:00:00.000 new",
    ]
    assert search("status=200", "--limit", 1).out == "2025-01-01 02:00:00.000  web-1 old 2\n"


def test_rows_as_json(search: Run) -> None:
    row = search("old", "--limit", 1, "--json").json
    assert list(row) == ["_time", "_time_source", "_message", "_event_id", "_object", "host", "status", "a,b"]
    assert (row["_time"], row["status"], row["a,b"]) == ("2025-01-01T02:00:00Z", "200", 'x,"y"\r\n')


@pytest.mark.parametrize(
    ("argv", "lines"),
    [
        (("stauts=404",), ["No event matches.", "No event of the tier has an attribute stauts; there is status."]),
        (("HOST=a", "zz.y=1"), ["No event matches.", "No event of the tier has an attribute HOST; there is host.",
                                "No event of the tier has an attribute zz.y."]),
        (("status=999 tags.x=1",), ["No event matches."]),
        (("stauts=404", "--count"), ["No event of the tier has an attribute stauts; there is status."]),
        (("--top", "hots"), ["No event matches.", "No event of the tier has an attribute hots; there is host."]),
        (("stauts=404", "--quiet"), []),
        (("nothing",), ["No event matches."]),
    ],
)  # fmt: skip
def test_attributes_that_no_event_has(search: Run, argv: tuple[str, ...], lines: list[str]) -> None:
    assert search(*argv).err.splitlines() == lines


def test_the_oldest_first(search: Run) -> None:
    newest = [row["_event_id"] for row in search("--json").rows]
    assert [row["_event_id"] for row in search("--json", "--oldest-first").rows] == newest[::-1]
    assert [row["_message"] for row in search("--json", "--oldest-first", "--limit", 2).rows] == ["old 0", "old 1"]


def test_top_of_several(search: Run) -> None:
    assert search("--top", "host,status", "--json").rows == [
        {"host": "web-1", "status": "200", "count": 3},
        {"host": "", "status": "404", "count": 1},
        {"host": None, "status": "404", "count": 1},
    ]
    shown = search("--top", "status", "--top", "tags", "--csv").out
    assert shown == "status,tags,count\n200,,3\n404,p,1\n404,q,1\n404,,1\n"
    lines = search("--top", "host,status", "--limit", 1).out.splitlines()
    assert [line.split() for line in lines[::2]] == [["Events", "host", "status"], ["3", "web-1", "200"]]


@pytest.mark.parametrize("query", ["status=404 | top host", "| stats count", "error |head"])
def test_a_pipe_is_answered(search: Run, query: str) -> None:
    ended = search(query)
    assert (ended.code, "--top NAME" in ended.err, ended.err.rstrip().endswith("^")) == (2, True, True), ended.err
    assert search('"|"', "--count").out == "0\n"


@pytest.mark.parametrize("statement", ["avg(status)", "status+1", "status>100", "status::INT + host::INT"])
def test_numbers_are_text_in_sql(sql: Run, statement: str) -> None:
    ended = sql(f"SELECT {statement} FROM events")
    assert (ended.code, "write name::DOUBLE for a number, TRY_CAST(name AS DOUBLE)" in ended.err) == (2, True), (
        ended.err
    )


def test_words_of_a_query_need_no_quotes(search: Run) -> None:
    assert search("status=200", "old", "--count").out == "3\n"
    assert search("--count").out == "5\n"


@pytest.mark.parametrize(("query", "count"), [("", 5), ("status=200", 3), ("zz=1", 0)])
def test_count(search: Run, query: str, count: int) -> None:
    assert search(query, "--count").out == f"{count}\n"
    assert search(query, "--count", "--json").out == f'{{"count":{count}}}\n'
    assert search(query, "--count", "--csv").out == f"count\n{count}\n"


@pytest.mark.parametrize(
    "argv",
    [("status=404", "--histogram", "1h"), ("--histogram", "1h", "status=404"), ("--histogram=1h", "status=404")],
    ids=["behind", "before", "joined"],
)
def test_histogram_with_a_span(search: Run, argv: tuple[str, ...]) -> None:
    assert search(*argv, "--json").rows == [
        {"from": "2025-01-02T01:00:00Z", "to": "2025-01-02T02:00:00Z", "count": 1},
        {"from": "2025-01-02T02:00:00Z", "to": "2025-01-02T03:00:00Z", "count": 1},
    ]
    assert search(*argv, "--csv").out.splitlines()[:2] == [
        "from,to,count",
        "2025-01-02T01:00:00Z,2025-01-02T02:00:00Z,1",
    ]


def test_a_span_may_be_longer_than_there_are_dates(search: Run) -> None:
    [bar] = search("--histogram", "9999999w", "--json").rows
    assert bar["count"] == 5


def test_histogram_is_drawn(search: Run) -> None:
    lines = search("", "--histogram", "1d").out.splitlines()
    assert [line.split()[:2] for line in lines] == [["2025-01-01", "3"], ["2025-01-02", "2"]]
    assert lines[0].count("█") > lines[1].count("█") > 0
    chosen = search("--histogram")
    assert len(chosen.out.splitlines()) == 27
    assert chosen.err == "Each bar is 1 hour; --histogram SPAN chooses others.\n"
    assert search("", "--histogram", "1h").err == search("--histogram", "--quiet").err == ""
    nothing = search("status=1", "--histogram")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "No event matches.\n")


def test_top(search: Run) -> None:
    assert search("--top", "status", "--json").rows == [{"value": "200", "count": 3}, {"value": "404", "count": 2}]
    assert search("--top", "status", "--limit", 1, "--csv").out == "value,count\n200,3\n"
    assert search("--top", "status").out == "3  200\n2  404\n"
    assert search("--top", "tags", "--json").rows == [{"value": "p", "count": 1}, {"value": "q", "count": 1}]
    assert search("status=1", "--top", "host").err == "No event matches.\n"


def test_fields_as_a_table(search: Run) -> None:
    lines = search("", "--fields", "#time,status,tags", "--limit", 2).out.splitlines()
    assert [line.split() for line in (lines[0], *lines[2:])] == [
        ["#time", "status", "tags"],
        ["2025-01-02", "02:00:00", "404", '["p","q"]'],
        ["2025-01-02", "01:00:00", "404"],
    ]


def test_csv_has_all_that_the_tier_has(search: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(search("--csv", "--limit", 0).out, newline="")))
    assert [row["_message"] for row in rows] == ["a\x1b[31mb", "new", "old 2", "old 1", "old 0"]
    assert [row["status"] for row in rows] == ["404", "404", "200", "200", "200"], "in a column and in the map"
    assert [row["attributes"] for row in rows] == [
        '{"tags":"[\\"p\\",\\"q\\"]"}',
        "",
        *['{"a,b":"x,\\"y\\"\\r\\n"}'] * 3,
    ]
    assert [row["_time"] for row in rows][:1] == ["2025-01-02T02:00:00Z"]
    assert list(rows[0])[-7:] == ["host", "source", "sourcetype", "index", "filename", "status", "attributes"]


def test_csv_of_fields(search: Run) -> None:
    out = search("old 2", "--csv", "--fields", "status,a,#time,missing,_time_source").out
    assert out == "status,a,_time,missing,_time_source\n200,,2025-01-01T02:00:00Z,,record\n"
    assert search("zz=1", "--csv", "--fields", "status,host").out == "status,host\n"
    assert search('host=""', "--csv", "--fields", "host,index").out == 'host,index\n"",\n'


def test_parquet(search: Run, tmp_path: Path) -> None:
    path = tmp_path / "found.parquet"
    ended = search("status=*", "--parquet", path)
    assert (ended.code, ended.out) == (0, "")
    assert "5 rows written" in ended.err
    found = duckdb.execute(
        f"SELECT status, attributes['a,b'], epoch(_time) FROM '{path}' ORDER BY _time DESC"
    ).fetchall()
    assert found[2] == ("200", 'x,"y"\r\n', (DAY + timedelta(hours=2)).timestamp())
    assert [row[0] for row in found] == ["404", "404", "200", "200", "200"]
    assert search("zz=1", "--parquet", path, "--quiet").err == ""
    assert pq.read_table(path).num_rows == 0
    assert "status" in pq.read_schema(path).names
    search("--top", "status", "--parquet", path)
    assert pq.read_table(path).to_pylist() == [{"value": "200", "count": 3}, {"value": "404", "count": 2}]
    assert [one.name for one in tmp_path.iterdir()] == ["hot", "found.parquet"] or len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("more", "rows", "said"),
    [
        ((), 100, True),
        (("--limit", 100), 100, False),
        (("--limit", 0), 105, False),
        (("--quiet",), 100, True),
        (("old",), 3, False),
    ],
    ids=["default", "given", "all", "quiet", "few"],
)
@pytest.mark.parametrize("form", ["--parquet", "--json", "--csv", "--fields"])
def test_more_events_than_are_shown(
    search: Run, tier: Tier, tmp_path: Path, form: str, more: tuple[object, ...], rows: int, said: bool
) -> None:
    """For people 100 are shown, and that these are not all also with --quiet; into a pipe or file all are written."""
    if form != "--fields" and "--limit" not in more and "old" not in more:
        rows, said = 105, False
    tier.add([event(DAY + timedelta(days=3, seconds=n), f"more {n}") for n in range(100)])
    path = tmp_path / "found.parquet"
    ended = search(form, *{"--parquet": (path,), "--fields": ("#time",)}.get(form, ()), *more)
    heads = {"--csv": 1, "--fields": 2, "--json": 0}  # lines
    if form == "--parquet":
        found = pq.read_metadata(path).num_rows
    else:
        found = len(list(csv.reader(io.StringIO(ended.out, newline="")))) - heads[form]
    assert (ended.code, found) == (0, rows)
    assert ("Showing the newest 100 events. Add --limit 0 to show all." in ended.err) is said


@pytest.mark.parametrize("on_terminal", [True, False], ids=["terminal", "pipe"])
@pytest.mark.parametrize("form", ["json", "csv", "parquet", "people"])
def test_only_people_get_a_limit(monkeypatch: pytest.MonkeyPatch, form: str, on_terminal: bool) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: on_terminal)
    flags = Namespace(as_json=form == "json")
    saving = Saving(as_csv=form == "csv", parquet=Path("x") if form == "parquet" else None)
    most = None if form == "parquet" or (form != "people" and not on_terminal) else 100
    assert Limit.of(None, saving, cast(Any, flags), for_people=100) == Limit(most, is_given=False)
    assert Limit.of(0, saving, cast(Any, flags), for_people=100) == Limit(None, is_given=True)
    assert Limit.of(7, saving, cast(Any, flags), for_people=100) == Limit(7, is_given=True)


def test_values_that_are_not_shown_are_counted(search: Run, tier: Tier) -> None:
    tier.add([event(DAY, "x", n=str(number)) for number in range(101)])
    ended = search("--top", "n", "--quiet")
    assert (ended.out.count("\n"), ended.err) == (
        100,
        "Showing the 100 most frequent values. Add --limit 0 to show all.\n",
    )
    assert search("--top", "n", "--json").out.count("\n") == 101


def test_sql_as_csv_and_parquet(sql: Run, tmp_path: Path) -> None:
    statement = (
        "SELECT status, count(*) AS n, max(_time) AS newest, [1, 2] AS list FROM events GROUP BY status ORDER BY status"
    )
    assert sql(statement, "--csv").out == (
        'status,n,newest,list\n200,3,2025-01-01T02:00:00Z,"[1,2]"\n404,2,2025-01-02T02:00:00Z,"[1,2]"\n'
    )
    path = tmp_path / "sql.parquet"
    assert sql(statement, "--parquet", path).code == 0
    assert pq.read_table(path).to_pylist()[0] == {
        "status": "200",
        "n": 3,
        "newest": DAY + timedelta(hours=2),
        "list": [1, 2],
    }
    assert sql("SELECT 1 AS a, 2 AS a", "--parquet", tmp_path / "doubled.parquet").code == 0
    assert pq.read_schema(tmp_path / "doubled.parquet").names == ["a", "a_1"]
    impossible = sql("SELECT INTERVAL 1 DAY AS a", "--parquet", path)
    assert (impossible.code, "cast it to VARCHAR" in impossible.err) == (2, True)
    assert pq.read_table(path).num_rows == 2, "what was there stays, as long as nothing takes its place"


def test_sql_shows_every_digit(sql: Run) -> None:
    statement = (
        "SELECT 'a' AS x, 12345678901234567890.10 AS x, 9 * sum(9223372036854775807) AS n, "
        "'a\rb' AS cr, NULL AS z FROM events"
    )
    number = 9 * 5 * (2**63 - 1)
    assert (
        sql(statement, "--json").out
        == f'{{"x":"a","x_1":12345678901234567890.10,"n":{number},"cr":"a\\rb","z":null}}\n'
    )
    assert sql(statement, "--csv").out == f'x,x_1,n,cr,z\na,12345678901234567890.10,{number},"a\rb",\n'
    assert sql(statement).out.splitlines()[2].split() == ["a", "12345678901234567890.10", str(number), "a\\x0db"]
    assert sql("SELECT 1 AS a WHERE false", "--csv").out == "a\n"


def test_a_lone_carriage_return_is_quoted(rekindle: Run, tmp_path: Path) -> None:
    tier = Tier(open_tier(str(tmp_path / "hot"), StorageOptions())).add([event(DAY, "a\rb", host="c\rd")])
    out = rekindle("search", "--top", "host", "--csv", "--hot-tier", tier.store.uri).out
    assert out == 'value,count\n"c\rd",1\n'
    assert (
        rekindle("search", "--fields", "message,host", "--csv", "--hot-tier", tier.store.uri).out
        == '_message,host\n"a\rb","c\rd"\n'
    )


def test_a_table_in_a_pipe_is_as_wide_as_it_needs_to_be(sql: Run) -> None:
    lines = sql(
        f"SELECT repeat('x', 300) AS \"{'c' * 200}\", 'y' || chr(10) || 'z' AS two, 'ゴ' AS wide, 1 AS n"
    ).out.splitlines()
    assert lines == ["c" * 200 + " " * 103 + "two   wide   n", "─" * 317, "x" * 300 + "   y⏎z   ゴ     1"]


REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "two outputs": (("--json", "--csv"), "only one of them"),
    "two questions": (("--count", "--top", "status"), "--count and --top: only one of them"),
    "fields of a count": (("--count", "--fields", "a"), "goes without --count"),
    "limit of a histogram": (("--histogram", "--limit", 5), "--histogram counts all"),
    "two spans": (("--histogram", "1h", "2h"), "takes one span, found 1h and 2h"),
    "too many bars": (("--histogram", "1s"), "at most 10,000 bars"),
    "no span": (("--histogram", "0h"), "not a length of time"),
    "tier": (("--tier", "warm"), "must be hot, cold or all"),
    "top of nothing": (("--top", "#nothing"), "not a system attribute"),
    "negative limit": (("--limit", -1), "Invalid value"),
    "query": (("a=",), "expected a value"),
    "last and from": (("--last", "1h", "--from", "2025-01-01"), "goes without"),
    "unknown unit": (("--histogram", "2y"), '--histogram: "2y" is not a length of time'),
    "milliseconds": (("--histogram", "1ms"), '--histogram: "1ms" is not a length of time'),
    "fraction": (("--histogram", "1.5h", "a"), '--histogram: "1.5h" is not a length of time'),
    "joined word": (("--histogram=status", "a"), '--histogram: "status" is not a length of time'),
    "joined nothing": (("--histogram=",), '--histogram: "" is not a length of time'),
    "last of nothing": (("--last", ""), "'--last': it is empty"),
    "last before all dates": (("--last", "99999999d"), '--last: "99999999d" is longer than there are dates'),
    "last of no time": (("--last", "7x"), '--last: "7x" is not a length of time'),
    "from no time": (("--from", "yesterday"), "--from: 'yesterday' is not a time"),
    "from after to": (
        ("--from", "2025-01-02", "--to", "2025-01-01"),
        "--from 2025-01-02 is later than --to 2025-01-01",
    ),
    "huge limit": (("--limit", "99999999999999999999"), "'--limit': 99999999999999999999 is out of range"),
    "empty file": (("--parquet", ""), "'--parquet': it is empty"),
    "not UTF-8": (("a=\udcff",), "an argument is not UTF-8: a=\\xff"),
    "flag that is not UTF-8": (("--\udcff",), "an argument is not UTF-8: --\\xff"),
}


@pytest.mark.parametrize(("argv", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(search: Run, argv: tuple[Any, ...], message: str) -> None:
    ended = search(*argv)
    assert (ended.code, ended.out) == (2, "")
    assert message in " ".join(ended.err.split())


def test_what_is_no_span_beside_a_histogram(search: Run) -> None:
    assert search("--histogram", "404", "--json").code == search("status=404", "--histogram", "--json").code == 0
    assert search("--limit", 2**63 - 1, "--json").out.count("\n") == 5
    assert search("--top", "status", "--limit", 2**63 - 1, "--csv").out.count("\n") == 3
    assert search("--from", "2025-01-02", "--to", "2025-01-02", "--count").out == "0\n"


WRITING = [
    (),
    ("--count",),
    ("--json",),
    ("--csv",),
    ("--top", "status"),
    ("--top", "status", "--csv"),
    ("--histogram",),
]
SQL_WRITING = [(), ("--json",), ("--csv",)]
EVERY = [
    *(("search", *flags) for flags in WRITING),
    *(("sql", "FROM events", *flags) for flags in SQL_WRITING),
    ("files",),
    ("--help",),
]


@pytest.mark.parametrize("argv", EVERY, ids=" ".join)
def test_output_that_can_t_be_written(tier: Tier, argv: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKINDLE_HOT_TIER", tier.store.uri)
    with Path("/dev/full").open("w") as full:
        ended = start_rekindle(*argv, stdout=full.fileno())
        err = ended.communicate()[1]
    assert (ended.returncode, err) == (1, "Error: standard output can't be written: No space left on device\n")


@pytest.mark.parametrize(
    ("closed", "code", "err"),
    [(">&-", 1, "Error: standard output is closed\n"), ("2>&-", 0, ""), ("<&-", 0, ""), (">&- 2>&- <&-", 1, "")],
    ids=["output", "errors", "input", "all"],
)
def test_streams_that_are_closed(tier: Tier, closed: str, code: int, err: str) -> None:
    command = f'exec "$@" {closed}'
    words = [sys.executable, "-m", "pipelines.cli", "search", "--count", "--hot-tier", tier.store.uri]
    done = subprocess.run(
        ["bash", "-c", command, "bash", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr, done.stdout) == (code, err, "" if code else "5\n")


@pytest.mark.parametrize("flags", [(), ("--json",), ("--csv",)], ids=["table", "json", "csv"])
def test_a_reader_that_has_enough(tier: Tier, flags: tuple[str, ...]) -> None:
    running = start_rekindle(
        "sql", "SELECT repeat('x', 1000) AS a FROM range(5000)", *flags, "--hot-tier", tier.store.uri
    )
    assert running.stdout is not None
    running.stdout.close()
    assert (running.wait(60), running.stderr.read() if running.stderr else None) == (0, "")


def test_output_is_utf_8(tier: Tier) -> None:
    words = [sys.executable, "-m", "pipelines.cli", "sql", "SELECT 'ü' AS a", "--hot-tier", tier.store.uri]
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert (done.returncode, done.stdout.decode().split()) == (0, ["a", "─", "ü"])


INTERRUPTED_IMPORT = """
import os, signal, sys
module = sys.argv.pop(1)

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
sys.argv[0] = "rekindle"
from pipelines.cli import __main__ as entry
entry.main()
"""


@pytest.mark.parametrize(
    "module", ["pipelines.cli.main", "click", "pipelines.cli.commands.sql", "deltalake", "duckdb", "pyarrow", "rich"]
)
def test_ctrl_c_while_modules_load(tier: Tier, module: str) -> None:
    words = [sys.executable, "-c", INTERRUPTED_IMPORT, module, "sql", "FROM events", "--hot-tier", tier.store.uri]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_parquet_where_no_file_can_be(search: Run, tmp_path: Path) -> None:
    ended = search("--parquet", tmp_path / "missing" / "x.parquet")
    assert (ended.code, "can't be written" in ended.err) == (1, True)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
@pytest.mark.parametrize("command", [("search",), ("sql", "SELECT 1")], ids=["search", "sql"])
def test_parquet_takes_the_place_of_files_alone(
    rekindle: Run, tier: Tier, tmp_path: Path, make: Callable[[Path], None], command: tuple[str, ...]
) -> None:
    place = tmp_path / "place"
    make(place)
    kind = place.stat().st_mode
    for path in (place, tmp_path / "link"):
        if path != place:
            path.symlink_to(place)
        ended = rekindle(*command, "--parquet", path, "--hot-tier", tier.store.uri)
        assert (ended.code, "not a regular file" in ended.err) == (2, True)
    assert (place.stat().st_mode, (tmp_path / "link").is_symlink()) == (kind, True)


def test_tier(search: Run) -> None:
    assert [search("--count", "--tier", name).out for name in ("hot", "cold", "all")] == ["5\n", "0\n", "5\n"]


def test_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    events = [event(DAY + timedelta(seconds=n), "x" * 1000) for n in range(2000)]
    tier = Tier(open_tier(str(tmp_path / "hot"), StorageOptions())).add(events)
    running = start_rekindle("search", "--limit", 0, "--json", "--hot-tier", tier.store.uri)
    assert running.stdout is not None
    assert json.loads(running.stdout.readline())["_message"] == "x" * 1000
    while int.from_bytes(fcntl.ioctl(running.stdout, termios.FIONREAD, bytes(4)), sys.byteorder) < 40_000:
        time.sleep(0.01)  # until the pipe is as good as full, and the program waits for somebody to read on
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130
    assert running.communicate()[1] == ""


ENGINES = {"apache_beam", "boto3", "deltalake", "duckdb", "numpy", "pandas", "polars", "pyarrow", "pydantic", "rich"}
IMPORTED: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "help": (("--help",), set()),
    "version": (("--version",), {"numpy", "pyarrow"}),
    "help of search": (("search", "--help"), set()),
    "help of backfill": (("backfill", "--help"), {"rich"}),
    "count": (("search", "--count", "TIER"), {"deltalake"}),
    "count of a condition": (("search", "filename=a", "--count", "TIER"), {"deltalake"}),
    "histogram": (("search", "--histogram", "TIER"), {"deltalake", "numpy", "pyarrow", "rich"}),
    "histogram as JSON": (("search", "filename=a", "--histogram", "--json", "TIER"), {"deltalake"}),
    "top": (("search", "--top", "filename", "--json", "TIER"), {"deltalake"}),
    "top of what is in the map": (("search", "--top", "x", "--csv", "TIER"), {"deltalake", "polars"}),
    "events": (("search", "a", "--json", "TIER"), {"deltalake", "numpy", "polars", "pyarrow"}),
    "files": (("files", "TIER"), {"deltalake"}),
    "jobs": (("jobs", "list", "TIER"), {"deltalake", "rich"}),
}


@pytest.mark.parametrize(("argv", "engines"), IMPORTED.values(), ids=IMPORTED.keys())
def test_a_command_imports_only_what_it_needs(tier: Tier, argv: tuple[str, ...], engines: set[str]) -> None:
    """Importing Polars takes 0.15 s, pyarrow 0.1, rich 0.04: as long as many an answer."""
    code = (
        "import sys; from pipelines.cli import main as cli; code = cli.run(sys.argv[1:]); "
        f"print(code, sorted({ENGINES} & {{*sys.modules}}))"
    )
    words = [part for word in argv for part in (("--hot-tier", tier.store.uri) if word == "TIER" else (word,))]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"0 {sorted(engines)}", done.stderr


def test_help_names_every_command(rekindle: Run) -> None:
    shown = rekindle("--help").out
    assert all(
        f"\n  {name} " in shown
        for name in ("backfill", "preview", "search", "sql", "files", "jobs", "pipelines", "keys")
    )
    assert "cancel" in rekindle("jobs", "--help").out
    assert rekindle("keys").out == rekindle("keys", "--help").out != ""
    assert "--histogram" in rekindle("search", "--help").out
    assert rekindle("no-such-command").code == 2


def on_terminal(*argv: object) -> str:
    """Return what `rekindle ARGV` writes to a terminal."""
    ours, theirs = pty.openpty()
    with start_rekindle(*argv, stdout=theirs) as running:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # Linux says so at the end
            while some := os.read(ours, 65536):
                shown += some
    os.close(ours)
    assert running.returncode == 0
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    "flags", [["--csv"], ["--csv", "--fields", "_message"], ["--fields", "_message"], ["--json"], []], ids=" ".join
)
def test_a_terminal_is_not_obeyed(tmp_path: Path, flags: list[str]) -> None:
    tier = Tier(open_tier(str(tmp_path / "hot"), StorageOptions())).add(
        [event(DAY, "a\x1b[31mb\x9bc\u202ed", **{"\x1bname": "\x1bvalue"})]
    )
    where = (*flags, "--hot-tier", tier.store.uri)
    shown = on_terminal("search", "", *where)
    assert [text for text in ("\x1b[31m", "\x1bname", "\x1bvalue", "\x9b", "\u202e") if text in shown] == []
    assert "[31mb" in shown
    if flags == ["--json"]:
        assert json.loads(shown)["_message"] == "a\x1b[31mb\x9bc\u202ed"


def test_sql_on_a_terminal(tier: Tier) -> None:
    statement = "SELECT chr(27) || '[31m' AS \"a\x1b[31mb\""
    for flags in ((), ("--csv",)):
        assert "\x1b[31m" not in on_terminal("sql", statement, *flags, "--hot-tier", tier.store.uri)


@pytest.mark.parametrize(
    ("lengths", "room", "widths"),
    [((19, 80, 3), 60, [19, 32, 3]), ((19, 20), 80, [19, 20]), ((50, 50), 10, [6, 6]), ((0,), 80, [2])],
    ids=["the widest gives way", "as wide as they are", "none becomes too narrow", "a name alone"],
)
def test_columns_fit_a_terminal(lengths: tuple[int, ...], room: int, widths: list[int]) -> None:
    assert column_widths(["aa"] * len(lengths), [[Text("x" * length) for length in lengths]], room=room) == widths
    assert column_widths(["aa"], [], room=room) == [2]
