"""What the first records of CSV show: whether one is the header, and how the file is written."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.conftest import many
from tests.transforms.formats.reading import FAST, TOLERANT, Reading, read_all
from transforms.formats.detection import HEAD_BYTES, asked_for, detect_format
from transforms.formats.format import FormatChoice
from transforms.formats.options import FormatOptions

PATHS = [pytest.param(FAST, id="fast"), pytest.param(TOLERANT, id="tolerant")]


def detected(key: str, data: bytes, **how: Any) -> tuple[FormatChoice, Reading]:
    """Read an object as detection finds it."""
    choice = detect_format(key, data[:HEAD_BYTES])
    return choice, read_all(data, choice.format, **choice.options, **how)


_CSVLOG = (
    b'2024-10-09 17:25:28.377 CET,,,47837,,56.ba,1,,2024-10-09 17:25:28 CET,7/9,12,LOG,00000,"vacuum of ""a.b"": 0\n'
    b'pages: 0 removed\nelapsed 0.07 sec",,,,,,,,"vacuumlazy.c:334",""\n'
    b'2024-10-09 17:25:29.377 CET,"app","shop",4,"10.0.0.9:5521",5.b,1,"SELECT",2024-10-09 17:25:28 CET,7/2,0,ERROR,'
    b'42P01,"no ""x""",,,,,,"select",15,,"psql"\n'
)
# Name, key, data, rows.
_WITHOUT_HEADER = [
    ("a time", "a.csv", b"2024-06-30 10:00:00,ann,login\n", 1),
    ("epochs", "a.csv", b"1719741600,10.0.0.1,GET\n1719741601,10.0.0.2,PUT\n", 2),
    ("addresses", "a.csv", b"10.0.0.1,tcp\n10.0.0.2,udp\n", 2),
    ("IPv6", "a.csv", b"fe80::1,tcp\n2001:db8::2,udp\n", 2),
    ("a number among names", "a.csv", b"bucket,key,12\nbucket,other,13\n", 2),
    ("quoted", "a.csv", b'"b","k","12"\n"b","l","34"\n', 2),
    ("CLF's time", "a.csv", b"[10/Oct/2024:13:55:36 -0700],ann\n[10/Oct/2024:13:55:37 -0700],bob\n", 2),
    ("syslog's time", "a.csv", b"Jun 30 10:00:00,ann\nJun 30 10:00:01,bob\n", 2),
    ("a date in words", "a.csv", b"30 June 2024,ann\n1 July 2024,bob\n", 2),
    ("an UUID", "a.csv", b"1b4e28ba-2fa1-11d2-883f-0016d3cca427,ok\n6fa459ea-ee8a-3ca4-894e-db77e160355e,bad\n", 2),
    ("a path", "a.csv", b"/var/log/a,ok\n/var/log/b,bad\n", 2),
    ("nothing but values of one kind", "a.csv", b"ann,login\nbob,logout\ncarl,login\n", 3),
    ("the same cell twice", "a.csv", b"ann,ann\nbob,carl\n", 2),
    ("an empty cell", "a.csv", b"ann,,login\nbob,x,logout\n", 2),
    ("one row with more cells", "a.csv", b"1,a\n2,b,c\n3,d\n", 3),
    ("quoted newlines first", "a.csv", b'1,"a\nb"\n2,c\n', 2),
    ("tabs", "a.tsv", b"2024-06-30 10:00:00\tann, x\n2024-06-30 10:00:01\tbob\n", 2),
    ("csvlog", "a.csv", _CSVLOG, 2),
    ("csvlog by content", "postgresql.csv.log", _CSVLOG, 2),
    ("csvlog called log", "a.log", _CSVLOG, 2),
    ("sep=", "a.csv", b"sep=;\n1;a\n2;b\n", 2),
]  # fmt: skip


@pytest.mark.parametrize(("key", "data", "rows"), [row[1:] for row in _WITHOUT_HEADER],
                         ids=[row[0] for row in _WITHOUT_HEADER])  # fmt: skip
def test_no_row_is_lost_to_a_header_that_is_none(key: str, data: bytes, rows: int) -> None:
    choice, reading = detected(key, data)
    assert (choice.format, len(reading.rows)) == ("csv", rows)
    assert choice.rule.endswith("without a header")
    assert choice.warning is not None and "--headers" in choice.warning
    assert all(name.startswith("column_") for fields in reading.fields for name in fields)


# Name, data, names.
_WITH_HEADER = [
    ("names over numbers", b"a,b\n1,2\n", ["a", "b"]),
    ("names over times", b"x1,y1\n2024-06-30,10:00:00\n", ["x1", "y1"]),
    ("words over words", b"first_name,city\nann,london\n", ["first_name", "city"]),
    ("known words", b"User,Action\nann,login\nbob,logout\n", ["User", "Action"]),
    ("a level", b"time,level,error\n2024-06-30,info,\n", ["time", "level", "error"]),
    ("an index", b",user\n0,ann\n1,bob\n", ["column_1", "user"]),
    ("a trailing comma in the header too", b"user,n,\nann,1,\n", ["user", "n", "column_3"]),
    ("a blank name", b"user,,n\nann,x,1\n", ["user", "column_2", "n"]),
    ("a doubled name", b"n,n\n1,2\n", ["n", "n_2"]),
    ("years", b"year,2019,2020\nsales,1,2\n", ["year", "2019", "2020"]),
    ("a phrase with a time", b"from 10:00,to\n10:30,11:00\n", ["from 10:00", "to"]),
    ("a comment's mark", b"#time,user\n2024-06-30,ann\n", ["time", "user"]),
    ("a comment's mark and a blank", b"# time,user\n2024-06-30,ann\n", ["time", "user"]),
    ("a number sign alone", b"#,user\n1,ann\n", ["#", "user"]),
    ("repeated", b"user,action\nann,x\nuser,action\nbob,y\n", ["user", "action"]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "names"), [row[1:] for row in _WITH_HEADER], ids=[row[0] for row in _WITH_HEADER])
def test_a_header_is_found(data: bytes, names: list[str]) -> None:
    choice, reading = detected("a.csv", data)
    assert (choice.options, choice.warning, reading.header) == ({}, None, 1)
    assert list(reading.fields[0]) == names
    assert asked_for("csv", data, FormatOptions(format="csv")).warning is None


def test_a_header_without_rows_is_one() -> None:
    choice, reading = detected("a.csv", b"alpha,beta\n")
    assert (choice.options, len(reading.rows), reading.header) == ({}, 0, 1)


def test_what_is_asked_for_has_a_header_and_a_warning() -> None:
    data = b"1,ann\n2,bob\n"
    choice = asked_for("csv", data, FormatOptions(format="csv"))
    assert choice.warning is not None and "--headers" in choice.warning
    assert asked_for("csv", data, FormatOptions(format="csv", headers=("a", "b"))).warning is None
    assert read_all(data, "csv").fields == [{"1": "2", "ann": "bob"}]


# Name, data, options, attributes, lines of the header.
_DIALECTS: list[tuple[str, bytes, dict[str, Any], list[dict[str, str]], int]] = [
    ("sep=;", b"sep=;\na;b\n1,5;2\n", {}, [{"a": "1,5", "b": "2"}], 2),
    ("SEP in quotes", b'"SEP=|"\r\na|b\r\n1|2\r\n', {}, [{"a": "1", "b": "2"}], 2),
    ("sep= and headers", b"sep=;\n1;2\n", {"headers": ("a", "b")}, [{"a": "1", "b": "2"}], 1),
    ("sep= behind skipped lines", b"x\nsep=;\na;b\n1;2\n", {"skip_rows": 1}, [{"a": "1", "b": "2"}], 3),
    ("blanks after commas", b'a, b, c\n1, "x, y", z \n', {}, [{"a": "1", "b": "x, y", "c": "z "}], 1),
    ("blanks without quotes", b"a, b\n1,  2\n3, \n", {}, [{"a": "1", "b": "2"}, {"a": "3", "b": ""}], 1),
    ("blanks in rows alone", b"a,b\n1, x\n2, y\n", {}, [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}], 1),
    ("some blanks", b"a,b\n1, x\n2,y\n", {}, [{"a": "1", "b": " x"}, {"a": "2", "b": "y"}], 1),
    ("trailing commas", b"a,b\n1,2,\n3,,\n", {}, [{"a": "1", "b": "2"}, {"a": "3", "b": ""}], 1),
    ("quotes behind backslashes", b'a,b\n1,"say \\"hi\\", you"\n2,"c:\\\\"\n', {},
     [{"a": "1", "b": 'say "hi", you'}, {"a": "2", "b": "c:\\"}], 1),
    ("quotes behind backslashes, no comma", b'a,b\n1,"say \\"hi\\""\n', {}, [{"a": "1", "b": 'say "hi"'}], 1),
    ("a backslash at the end of a cell", b'a,b\n"c:\\","x"\n', {}, [{"a": "c:\\", "b": "x"}], 1),
    ("flow log", b"version srcaddr start\n2 - 1741486200\n5 10.0.0.1 -\n", {"delimiter": " "},
     [{"version": "2", "start": "1741486200"}, {"version": "5", "srcaddr": "10.0.0.1"}], 1),
]  # fmt: skip


@pytest.mark.parametrize("patches", PATHS)
@pytest.mark.parametrize("cut", [None, 1, 7])
@pytest.mark.parametrize(("data", "options", "fields", "header"), [row[1:] for row in _DIALECTS],
                         ids=[row[0] for row in _DIALECTS])  # fmt: skip
def test_dialect(
    data: bytes, options: dict[str, Any], fields: list[dict[str, str]], header: int, cut: int | None,
    patches: dict[str, Any],
) -> None:  # fmt: skip
    reading = read_all(data, "csv", cut=cut, patches=patches, **options)
    assert (reading.fields, reading.header, set(reading.errors)) == (fields, header, {None})


@pytest.mark.parametrize("patches", PATHS)
@pytest.mark.parametrize(
    ("data", "rescued"),
    [
        (b'a,b\n1,2\n3,4,5,"x""y"\n', [None, '["5","x\\"y"]']),
        (b"a,b\n" + b"1,2,\n" * 20 + b"5,6,\xc3\xa9,\n", [None] * 20 + ['["\xc3\xa9",""]']),
        (b"a,b\n" + b"1,2,\n" * 100 + b"5,6,7\n", [None] * 100 + ['["7"]']),
    ],
    ids=["further cells", "behind trailing commas", "in the place of a trailing comma"],
)
def test_further_cells_are_rescued(data: bytes, rescued: list[str | None], patches: dict[str, Any]) -> None:
    reading = read_all(data, "csv", patches=patches)
    found = [row.get("_rescued") for row in reading.rows]
    assert found == [text and text.encode("latin-1").decode() for text in rescued]
    assert reading.errors == [text and "too_many_columns" for text in rescued]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"Audit log export\nGenerated: 2024-06-30 10:00\n\nTime,User,Action\n2024-06-30,ann,x\n2024-06-30,bob,y\n", 3),
        (b"#TYPE System.Object\nTime,User\n2024-06-30,ann\n", 1),
        (b"Title,,\nfrom,2024-01-01,\nTime,User,Action\n2024-06-30,ann,x\n2024-06-30,bob,y\n", 2),
        (b'"two\nlines"\nTime,User\n2024-06-30,ann\n2024-06-30,bob\n', 2),
    ],
    ids=["titles", "#TYPE", "padded", "quoted"],
)
def test_a_preamble_is_reported_with_the_flag_that_passes_over_it(data: bytes, lines: int) -> None:
    choice, reading = detected("a.csv", data)
    assert choice.warning is not None and f"--skip-rows {lines} " in choice.warning
    assert len(reading.rows) + reading.blank + data.count(b'"two') == data.count(b"\n")
    asked = asked_for("csv", data, FormatOptions(format="csv"))
    assert asked.warning == choice.warning


def test_flow_logs_are_csv_by_blanks() -> None:
    data = b"vpc-id version start end action\nvpc-1 5 1741486200 1741486258 ACCEPT\nvpc-1 5 - 1741486258 -\n"
    for key in ("flow.log", "flow.csv"):
        choice, reading = detected(key, data)
        assert (choice.format, choice.options) == ("csv", {"delimiter": " "})
        assert [str(row.get("_time")) for row in reading.rows] == ["2025-03-09 02:10:00+00:00", "None"]
        assert reading.fields[1] == {"vpc-id": "vpc-1", "version": "5", "end": "1741486258"}
    assert detect_format("a", b"version of start\nx y z\n").format == "text"


_KINDS: list[Any] = [
    lambda rng: str(rng.randrange(1, 10**6)),
    lambda rng: f"{rng.uniform(-99, 99):.2f}",
    lambda rng: (datetime(2024, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=rng.randrange(10**7))).isoformat(),
    lambda rng: ".".join(str(rng.randrange(1, 255)) for _ in range(4)),
    lambda rng: rng.choice(["login", "logout", "a, b", 'said "x"', "two\nlines", "", "naïve"]),
    lambda rng: f"web-{rng.randrange(9)}",
]


def table(rng: random.Random, *, header: bool) -> tuple[bytes, int, list[str]]:
    """Make a table, one column at least of numbers, times or addresses: its bytes, rows, and names."""
    kinds = [rng.choice(_KINDS[:4]), *(rng.choice(_KINDS) for _ in range(rng.randrange(5)))]
    rng.shuffle(kinds)
    names = rng.sample(["time", "user", "src_ip", "Größe", "alpha", "message text", "x", "status"], len(kinds))
    rows = [[kind(rng) for kind in kinds] for _ in range(rng.randrange(1, 12))]
    rows[0] = [cell or "z" for cell in rows[0]]
    text = io.StringIO()
    end = rng.choice(["\n", "\r\n"])
    dialect = rng.choice(["excel", "unix"])  # the latter quotes all cells
    csv.writer(text, dialect, lineterminator=end).writerows([names, *rows] if header else rows)
    return text.getvalue().encode(), len(rows), names


@pytest.mark.parametrize("seed", [*range(10), *(pytest.param(n, marks=pytest.mark.slow) for n in range(10, many(100)))])
def test_random_tables_lose_no_row(seed: int) -> None:
    """2,000 tables (500 in CI), 20 a seed, half of them with a header."""
    rng = random.Random(seed)
    for number in range(20):
        header = number % 2 == 0
        data, rows, names = table(rng, header=header)
        choice, reading = detected("a.csv", data)
        assert (len(reading.rows), "headers" in choice.options) == (rows, not header), data
        assert not header or set(reading.fields[0]) == set(names)


def test_a_choice_holds_its_options() -> None:
    choice = detect_format("a.tab", b"user\tn\nann\t1\n")
    assert replace(choice, rule="") == FormatChoice(format="csv", rule="", options={"delimiter": "\t"})
