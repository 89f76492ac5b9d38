"""SQL for people: one view, one SELECT, and no way out."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.transforms.hot_tier.tiers import Tier, event, foreign_file
from transforms.core.errors import ConfigurationError, ResourceLimitError, TierError
from transforms.core.schema import BASE_ATTRIBUTES, SYSTEM_COLUMNS
from transforms.hot_tier.search import sql, sql_text
from transforms.hot_tier.search.duckdb_session import Database
from transforms.hot_tier.search.sql import check_statement, run_sql
from transforms.hot_tier.table.live_files import live_files, load_events
from transforms.hot_tier.table.prepare import promote_new
from transforms.storage import StorageOptions, TierStore, open_tier

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)


def rows(store: TierStore, text: str) -> list[tuple[Any, ...]]:
    return list(run_sql(store, text).rows())


def filled(store: TierStore) -> Tier:
    """Return a tier with an attribute that was promoted between its first and its second commit."""
    tier = Tier(store)
    tier.add(
        [
            event(DAY, "a", host="web-1", status="200", other="x"),
            event(DAY + timedelta(hours=1), "b", host="web-2", status="404"),
        ],
        [event(DAY + timedelta(days=1), "c", status="404", **{"it's": "quoted", "": "empty"})],
    )
    return tier.add(
        [event(DAY + timedelta(days=2), "d", host="web-1", status="404"), event(DAY + timedelta(days=2), "e")],
        promote=["status"],
    )


@pytest.fixture
def local(local_tier: TierStore) -> TierStore:
    return filled(local_tier).store


def test_on_s3_as_in_a_folder(empty_store: TierStore) -> None:
    filled(empty_store)
    assert rows(empty_store, "SELECT status, count(*) FROM events GROUP BY 1 ORDER BY 1 NULLS LAST") == [
        ("200", 1),
        ("404", 3),
        (None, 1),
    ]
    assert rows(empty_store, "SELECT tier, date, _time, _message FROM events WHERE date = '2025-01-02'") == [
        ("hot", date(2025, 1, 2), DAY + timedelta(days=1), "c")
    ]
    assert rows(
        empty_store, "SELECT _message FROM events WHERE status = '404' AND host LIKE 'web-%' ORDER BY _time"
    ) == [
        ("b",),
        ("d",),
    ]
    assert rows(
        empty_store, "SELECT attributes['it''s'], attributes[''], attributes['none'] FROM events WHERE _message = 'c'"
    ) == [("quoted", "empty", None)]
    with pytest.raises(ConfigurationError, match="disabled by configuration"):
        rows(empty_store, "SELECT * FROM read_text('/etc/hostname')")


def test_view_has_all_columns(local: TierStore) -> None:
    result = run_sql(local, "SELECT * FROM events")
    assert result.column_names == [*SYSTEM_COLUMNS, "tier", "date", *BASE_ATTRIBUTES, "status", "attributes"]
    schema = result.read_all().schema
    assert schema.field("_time").type == pa.timestamp("us", "UTC")
    assert schema.field("date").type == pa.date32()
    assert schema.field("attributes").type == pa.map_(pa.string(), pa.string())
    assert {schema.field(name).type for name in (*BASE_ATTRIBUTES, "status", "_message", "tier")} == {pa.string()}


def test_view_of_an_empty_table_has_the_same_columns(local_tier: TierStore) -> None:
    promote_new(local_tier, ["status"])
    empty = run_sql(local_tier, "SELECT * FROM events").read_all()
    filled(local_tier)
    assert empty.num_rows == 0
    assert run_sql(local_tier, "SELECT * FROM events").read_all().schema == empty.schema
    assert rows(local_tier, "SELECT count(*) FROM events WHERE status = '404'") == [(3,)]


def test_values_are_python_s_own(local: TierStore) -> None:
    assert run_sql(local, "SELECT attributes FROM events WHERE _message = 'a'").to_pylist() == [
        {"attributes": {"host": "web-1", "status": "200", "other": "x"}}
    ]
    assert rows(local, "SELECT sum(1), 1.5, avg(2), NULL::DECIMAL(9,2) FROM events") == [(5, 1.5, 2.0, None)]
    assert rows(local, "SELECT 12345678901234567890.12::DECIMAL(38, 2)") == [(Decimal("12345678901234567890.12"),)]


@pytest.mark.parametrize("form", [None, sql_text.for_json, sql_text.for_csv, sql_text.for_people])
def test_columns_of_one_name(local: TierStore, form: sql_text.Form | None) -> None:
    result = run_sql(local, 'SELECT 1 AS a, 2 AS a, 3 AS "A", 4 AS a_1', form)
    assert result.column_names == ["a", "a_1", "A_2", "a_1_1"]
    assert [list(map(int, row)) for row in result.rows()] == [[1, 2, 3, 4]]


SHOWN: dict[str, tuple[Any, ...]] = {
    "interval": ("INTERVAL 1 DAY", "1 day", "1 day", "1 day"),
    "bytes": ("'\\xAA'::BLOB", "\\xAA", "\\xAA", "\\xAA"),
    "bits": ("'0110'::BIT", "0110", "0110", "0110"),
    "time of day with a zone": ("'01:02:03+02'::TIMETZ", "01:02:03+02", "01:02:03+02", "01:02:03+02"),
    "decimal": ("1.50::DECIMAL(38, 2)", "1.50", Decimal("1.50"), "1.50"),
    "whole number": ("170141183460469231731687303715884105727", f"{2**127 - 1}", Decimal(2**127 - 1), f"{2**127 - 1}"),
    "float": ("0.1::FLOAT + 0::DOUBLE > 0", "true", True, "true"),
    "time": ("'2025-01-02 03:04:05.5+02'::TIMESTAMPTZ", "2025-01-02 01:04:05.5+00", "2025-01-02T01:04:05.500000Z",
             "2025-01-02T01:04:05.500000Z"),
    "time without a zone": ("'2025-01-02 03:04'::TIMESTAMP", "2025-01-02 03:04:00", *["2025-01-02T03:04:00"] * 2),
    "seconds": ("'0044-01-02 03:04'::TIMESTAMP_S", "0044-01-02 03:04:00", "0044-01-02T03:04:00", "0044-01-02T03:04:00"),
    "nanoseconds": ("'2025-01-02 03:04:05.123456789'::TIMESTAMP_NS", *["2025-01-02 03:04:05.123456789"] * 3),
    "infinite": ("'infinity'::TIMESTAMPTZ", "infinity", "infinity", "infinity"),
    "year 10000": ("TIMESTAMP '10000-01-01'", *["10000-01-01 00:00:00"] * 3),
    "late date": ("DATE '5881580-07-10'", *["5881580-07-10"] * 3),
    "map by a list": ("MAP {[1]: 2}", "{[1]=2}", {"[1]": 2}, '{"[1]":2}'),
    "map by numbers": ("histogram(i) FROM (VALUES (200), (404), (200)) t(i)", "{200=2, 404=1}", {"200": 2, "404": 1},
                       '{"200":2,"404":1}'),
    "list of times": ("[TIMESTAMP '2025-01-02', 'infinity']", "['2025-01-02 00:00:00', infinity]",
                      ["2025-01-02T00:00:00", "infinity"], '["2025-01-02T00:00:00","infinity"]'),
    "structure": ("{'a''b': [[INTERVAL 1 DAY]], 'n': NULL::DATE}", "{'a\\'b': [[1 day]], 'n': NULL}",
                  {"a'b": [["1 day"]], "n": None}, '{"a\'b":[["1 day"]],"n":null}'),
    "no structure": ("NULL::STRUCT(a DATE)", None, None, None),
    "no map": ("NULL::MAP(INT, DATE)", None, None, None),
    "no list": ("NULL::DATE[]", None, None, None),
    "large numbers in a list": ("[170141183460469231731687303715884105727, 1]", f"[{2**127 - 1}, 1]",
                                [Decimal(2**127 - 1), Decimal(1)], f"[{2**127 - 1},1]"),
    "without names": ("row(1, 2)", *["(1, 2)"] * 3),
}  # fmt: skip


@pytest.mark.parametrize(("value", "table", "in_json", "in_csv"), SHOWN.values(), ids=SHOWN.keys())
def test_values_are_shown_as_duckdb_has_them(
    local: TierStore, value: str, table: str, in_json: Any, in_csv: str
) -> None:
    forms = (sql_text.for_people, sql_text.for_json, sql_text.for_csv)
    assert [next(run_sql(local, f"SELECT {value}", form).rows())[0] for form in forms] == [table, in_json, in_csv]


@pytest.mark.parametrize("form", [sql_text.for_json, sql_text.for_csv, sql_text.for_people])
def test_all_types_are_shown(local: TierStore, form: sql_text.Form) -> None:
    shown = run_sql(local, "SELECT * FROM test_all_types()", form).to_pylist()
    assert len(shown) == 3
    assert {row["varchar"] for row in shown} == {"🦆🦆🦆🦆🦆🦆", "goo\x00se", None}


@pytest.mark.parametrize("form", [sql_text.for_json, sql_text.for_csv, sql_text.for_people])
def test_the_order_is_kept(local: TierStore, form: sql_text.Form) -> None:
    shown = run_sql(local, "SELECT range FROM range(300000) ORDER BY range % 1000 DESC, range -- a remark", form).rows()
    assert [int(row[0]) for row in shown] == sorted(range(300_000), key=lambda number: (-(number % 1000), number))


def test_times_are_utc(local: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert rows(local, "SELECT date_trunc('day', _time)::VARCHAR FROM events WHERE _message = 'b'") == [
        ("2025-01-01 00:00:00+00",)
    ]
    assert rows(local, "SELECT _message FROM events WHERE _time < '2025-01-01 01:00:00'") == [("a",)]


_FRAME = "│─┌┐└┘├┤┬┴┼╭╮╰╯"


def plan(store: TierStore, condition: str) -> str:
    """Return how DuckDB answers; EXPLAIN is not for people, so the guard is passed by."""
    from transforms.hot_tier.search.sql import _SqlDatabase

    with _SqlDatabase() as database:
        assert isinstance(database, _SqlDatabase)
        statement = f"SELECT _message FROM events WHERE {condition}"
        database.show(load_events(store), statement)
        found = database.connection.execute(f"EXPLAIN {statement}").fetchall()
        return "".join(character for character in found[0][1] if not character.isspace() and character not in _FRAME)


@pytest.mark.skipif(duckdb.__version__ < "2", reason="older versions explain less")
def test_filters_reach_files_and_statistics(local: TierStore) -> None:
    assert "1/2" in plan(local, "date = '2025-01-02'")
    assert "attributes" not in plan(local, "host = 'web-1'")
    assert "_time>" in plan(local, "_time > '2025-01-01 00:30:00'")


ALL = {"host": "web-1", "status": "404"}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT attributes FROM events", ALL),
        ("SELECT Attributes FROM events", ALL),
        ("SELECT e.attributes FROM events AS e", ALL),
        ("SELECT e.attributes FROM (SELECT * FROM events) AS e", ALL),
        ("SELECT attributes FROM (FROM events)", ALL),
        ("SELECT events['attributes'] FROM events", ALL),
        ("SELECT x.a FROM (SELECT _message, attributes FROM events) AS x(_message, a)", ALL),
        ("SELECT COLUMNS('^attr') FROM events", ALL),
        ("SELECT map_keys(attributes) FROM events", list(ALL)),
        ("SELECT attributes['host'] FROM events", "web-1"),
        ("SELECT attributes['none'] FROM events", None),
        ("SELECT element_at(attributes, 'status') FROM events", ["404"]),
        ("SELECT map_contains(attributes, 'status') FROM events", True),
        ("SELECT attributes['ho' || 'st'] FROM events", "web-1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_attributes_holds_all_of_an_events_attributes(local: TierStore, statement: str, expected: Any) -> None:
    assert rows(local, f"{statement} WHERE _message = 'd'") == [(expected,)]


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("SELECT attributes['a'], e.attributes['b'] AS b FROM events e GROUP BY b", {"a", "b"}),
        ("SELECT count(*) FROM events", set()),
        ("SELECT map_extract(attributes, 'a') FROM events WHERE host = 'attributes'", {"a"}),
        ("SELECT a.host FROM events a JOIN events b ON a.attributes['x'] = b.host", {"x"}),
        ("SELECT host FROM events a JOIN events b USING (host)", None),
        ("SELECT host FROM events a NATURAL JOIN events b", None),
        ("SELECT e FROM events e", None),
        ("SELECT #1 FROM events", None),
        ("DESCRIBE events", None),
        ("nonsense", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_entries_that_a_statement_asks_for(statement: str, names: set[str] | None) -> None:
    with sql._SqlDatabase() as database:
        assert isinstance(database, sql._SqlDatabase)
        assert database._entries_of(statement) == names


def test_an_attribute_in_both_places_is_one_entry(empty_store: TierStore) -> None:
    foreign_file(empty_store)
    assert rows(empty_store, "SELECT attributes FROM events") == [({"status": "404"},)] * 2


def test_sql_and_search_find_the_same(local: TierStore) -> None:
    from transforms.hot_tier.search.events import search
    from transforms.query import parse

    found = {row["_event_id"] for row in search(local, parse("status=404 host=*"))}
    assert {
        row[0] for row in rows(local, "SELECT _event_id FROM events WHERE status = '404' AND host IS NOT NULL")
    } == found
    assert len(found) == 2


def test_file_that_a_foreign_compaction_made(empty_store: TierStore) -> None:
    foreign_file(empty_store)
    assert rows(empty_store, "SELECT _message FROM events WHERE status = '404' ORDER BY _time") == [
        ("in the map",),
        ("in its column",),
    ]


@pytest.mark.parametrize("name", ["h[o]t*", "host=web", "it's", "a b?"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    tier = filled(open_tier(str(tmp_path / name), StorageOptions()))
    assert rows(tier.store, "SELECT host, date FROM events ORDER BY _time LIMIT 1") == [("web-1", date(2025, 1, 1))]


def test_promoted_names_are_quoted(local_tier: TierStore) -> None:
    names = {'q"x': "1", "*": "2", "select": "3", "k8s.pod-name@x": "4", "filename": "5"}
    Tier(local_tier).add([event(DAY, "m", **names)], promote=[*names])
    assert rows(local_tier, 'SELECT "q""x", "*", "select", "k8s.pod-name@x", filename FROM events') == [
        ("1", "2", "3", "4", "5")
    ]


SELECTS = [
    "SELECT 1",
    "FROM events",
    "WITH a AS (SELECT * FROM events) SELECT count(*) FROM a",
    "VALUES (1)",
    "DESCRIBE events",
    "SUMMARIZE SELECT host FROM events",
    "SELECT 1;",
    "-- a remark\nSELECT 1 /* another */ ;",
]


@pytest.mark.parametrize("text", SELECTS)
def test_a_select_is_run(local: TierStore, text: str) -> None:
    assert run_sql(local, text).read_all().num_rows > 0


REFUSED = {
    "nothing": ("", "found no statements"),
    "a remark": ("-- SELECT 1", "found no statements"),
    "two": ("SELECT 1; SELECT 2", "found 2 statements"),
    "two, the second hidden": ("SELECT 1;;DROP VIEW events", "found 2 statements"),
    "a write": ("INSERT INTO events VALUES (1)", "found INSERT"),
    "a file": ("COPY events TO '/tmp/out.csv'", "found COPY"),
    "a table": ("CREATE TABLE x AS SELECT 1", "found CREATE"),
    "a drop": ("DROP VIEW events", "found DROP"),
    "a setting": ("SET enable_external_access = true", "found .*SET"),
    "a pragma": ("PRAGMA enable_profiling", "found PRAGMA"),
    "another database": ("ATTACH '/tmp/x.db'", "found ATTACH"),
    "an extension": ("INSTALL httpfs", "found LOAD"),
    "a call": ("CALL enable_logging()", "found CALL"),
    "a plan": ("EXPLAIN SELECT 1", "found EXPLAIN"),
    "no SQL": ("SELEC 1", 'syntax error at or near "SELEC"'),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_anything_else_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        check_statement(text)
    assert caught.value.field == "sql"


WAYS_OUT = {
    "text file": "SELECT * FROM read_text('{secret}')",
    "bytes": "SELECT * FROM read_blob('{secret}')",
    "csv": "SELECT * FROM read_csv('{secret}')",
    "file as a table": "SELECT * FROM '{secret}'",
    "sniffing": "SELECT * FROM sniff_csv('{secret}')",
    "listing": "SELECT * FROM glob('{folder}/*')",
    "Parquet beside": "SELECT * FROM read_parquet('{beside}')",
    "Parquet by a pattern": "SELECT * FROM read_parquet('{folder}/**/*.parquet')",
    "Parquet by a way round": "SELECT * FROM read_parquet('{folder}/hot/../beside.parquet')",
    "metadata": "SELECT * FROM parquet_metadata('{beside}')",
    "another database": "SELECT * FROM read_duckdb('{folder}/x.db')",
    "network": "SELECT * FROM read_csv('https://localhost:1/x.csv')",
    "S3": "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
    "variables of Python": "SELECT * FROM WAYS_OUT",
    "hidden write": "WITH a AS (INSERT INTO events VALUES (1) RETURNING *) SELECT * FROM a",
    "hidden statement": "SELECT * FROM query('CREATE TABLE x (a INT)')",
    "environment": "SELECT getenv('HOME')",
}


@pytest.mark.parametrize("text", WAYS_OUT.values(), ids=WAYS_OUT.keys())
def test_there_is_no_way_out(tmp_path: Path, text: str) -> None:
    tier = filled(open_tier(str(tmp_path / "hot"), StorageOptions()))
    secret, beside = tmp_path / "secret.txt", tmp_path / "beside.parquet"
    secret.write_text("secret\n")
    beside.write_bytes(Path(live_files(tier.store)[0]).read_bytes())
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigurationError):
        rows(tier.store, text.format(secret=secret, beside=beside, folder=tmp_path))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM enable_logging('QueryLog', storage = 'file', storage_path = '{folder}/log')",
        "SELECT * FROM enable_profiling(save_location = '{folder}/profile.json')",
    ],
    ids=["log", "profile"],
)
def test_functions_that_set_write_nothing(tmp_path: Path, text: str) -> None:
    tier = filled(open_tier(str(tmp_path / "hot"), StorageOptions()))
    before = sorted(tmp_path.rglob("*"))
    with suppress(ConfigurationError):  # refused by DuckDB 2; before, it logs to where it can't write
        rows(tier.store, text.format(folder=tmp_path))
    assert sorted(tmp_path.rglob("*")) == before


def test_replaced_files_can_t_be_read(local: TierStore) -> None:
    from transforms.hot_tier.table.commit import commit

    file = live_files(local)[0]
    path = file.removeprefix(local.table_uri("events") + "/")
    assert rows(local, f"SELECT count(*) FROM '{file}'") == [(2,)]
    commit(load_events(local), added=[], removed=[path], transactions=[("test", 9)])
    with pytest.raises(ConfigurationError, match="disabled by configuration"):
        rows(local, f"SELECT count(*) FROM '{file}'")
    assert rows(local, "SELECT count(*) FROM events") == [(3,)]


MISTAKES = {
    "unknown column": ("SELECT nothing FROM events", 'column "nothing" not found'),
    "unknown table": ("SELECT * FROM event", "Did you mean"),
    "bad cast": ("SELECT host::INT FROM events", "Could not convert string"),
    # DuckDB 1.5 sometimes tells what the other threads were stopped by, instead of why.
    "late": (
        "SELECT CASE WHEN range = 900000 THEN error('late') ELSE 'x' END FROM range(1000000)",
        "late" if duckdb.__version__ >= "2" else "late|Interrupted",
    ),
    "parameters": ("SELECT * FROM events WHERE host = ?", "parameter"),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_explained_by_duckdb(local: TierStore, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"(?i){message}"):
        rows(local, text)


def test_no_tier(empty_store: TierStore) -> None:
    with pytest.raises(TierError, match="no events yet"):
        run_sql(empty_store, "SELECT 1 FROM events")


def test_file_that_is_gone(empty_store: TierStore) -> None:
    filled(empty_store)
    empty_store.delete("events/" + next(iter(load_events(empty_store).files)))
    with pytest.raises(TierError, match="could not be run"):
        rows(empty_store, "SELECT * FROM events")


def test_rows_come_as_they_are_found(local: TierStore) -> None:
    with run_sql(local, "SELECT range FROM range(1000000000000)") as result:
        assert next(result.rows()) == (0,)


def test_nothing_stays_behind(local: TierStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spill = tmp_path / "spill"
    spill.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spill))
    rows(local, "SELECT 1")
    with pytest.raises(ConfigurationError):
        rows(local, "SELECT nothing")
    run_sql(local, "SELECT range FROM range(1000000000)").close()
    assert list(spill.iterdir()) == []


CTRL_C = """
import os, signal, sys
from transforms.hot_tier.search import sql
from transforms.storage import StorageOptions, open_tier

wait, run, armed = sql._SqlDatabase.wait, sql._SqlDatabase.run, []

def interrupted_wait(database, work):
    return wait(database, (lambda: (os.kill(os.getpid(), signal.SIGINT), work())[1]) if armed else work)

def armed_run(database, *given):
    armed.append(sys.argv[2] == "before")
    armed[:] = [True] * armed[0]
    return run(database, *given)

sql._SqlDatabase.wait, sql._SqlDatabase.run = interrupted_wait, armed_run
try:
    with sql.run_sql(open_tier(sys.argv[1], StorageOptions()), sys.argv[3]) as result:
        armed.append(True)
        result.read_all()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


NEVER = "FROM range(100000000) a, range(100000000) b WHERE (a.range * b.range) % 7 = 8"


class Forgetful:
    """A connection that tells of its first interrupt, which comes too early, and passes all else on."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.interrupted = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def interrupt(self) -> None:
        self.connection.interrupt()
        self.interrupted.set()


def test_ctrl_c_while_a_statement_is_handed_to_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the statement then; it must be ended all the same."""
    database = Database()
    connection = database.connection = Forgetful(database.connection)  # type: ignore[assignment]
    submit = database._thread.submit

    def interrupted(work: Callable[[], object]) -> None:
        submit(work)
        raise KeyboardInterrupt

    def begin_late() -> None:
        connection.interrupted.wait()
        connection.execute(f"SELECT count(*) {NEVER}")

    monkeypatch.setattr(database._thread, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        database.wait(begin_late)
    monkeypatch.undo()
    closing = threading.Thread(target=database.close)
    closing.start()
    closing.join(20)
    is_closed = not closing.is_alive()
    while closing.is_alive():  # not to leave it behind
        with suppress(duckdb.Error):
            connection.interrupt()
        closing.join(0.05)
    assert is_closed


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ("before", f"SELECT count(*) {NEVER}"),
        ("before", f"SELECT a.range {NEVER}"),
        ("between", "SELECT range FROM range(1000000000000)"),
    ],
    ids=["before a sum", "before the first row", "between rows"],
)
def test_ctrl_c_ends_it(local: TierStore, when: str, text: str) -> None:
    command = [sys.executable, "-X", "faulthandler", "-c", CTRL_C, local.uri, when, text]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path.cwd(), timeout=120)
    assert (done.stdout, done.returncode) == ("interrupted\n", 0), done.stderr


def test_memory_has_a_limit(local: TierStore) -> None:
    text = "SELECT list(range::VARCHAR || 'a longer text than that') FROM range(10000000)"
    with (
        pytest.raises(ResourceLimitError, match="more memory, and more of the disk .* raise --memory"),
        run_sql(local, text, memory=32 << 20) as result,
    ):
        result.read_all()


def test_what_is_spilled_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(path=path, free=64 << 20))
    with Database() as database:
        select = "SELECT current_setting('max_temp_directory_size')"
        assert database.wait(lambda: database.connection.execute(select).fetchall()) == [("32.0 MiB",)]
