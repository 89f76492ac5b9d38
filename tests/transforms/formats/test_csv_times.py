"""The time of a CSV row: named fields, else the leftmost column of times; where the stream is cut does not matter."""

# ruff: noqa: E501  tables of cases, a row a line
from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from unittest import mock

import pytest

from tests.transforms.formats.reading import blocks_of, read_all

CUTS = [1, 7, 64, 4096, 8 << 20]


def times_of(data: bytes, *, cut: int | None = None, **options: Any) -> list[str | None]:
    rows = read_all(data, "csv", cut=cut, **options).rows
    return [f"{row['_time']:%Y-%m-%dT%H:%M:%S.%f}"[:-3] if "_time" in row else None for row in rows]


# Name, bytes; the time of each row.
_TIMES: list[tuple[str, bytes, list[str | None]]] = [
    ("named", b"a,timestamp\nx,2024-01-02 03:04:05\ny,z\n", ["2024-01-02T03:04:05.000", None]),
    ("in any case", b"a,TimeStamp\nx,2024-01-02 03:04:05\n", ["2024-01-02T03:04:05.000"]),
    ("first of the names that has one",
     b"created_at,event_time,ts\n2024-01-01,,\n2024-01-01,x,1704164645\n2024-01-01,2024-01-03,1704164645\n",
     ["2024-01-01T00:00:00.000", "2024-01-02T03:04:05.000", "2024-01-02T03:04:05.000"]),
    ("the names' order, not the file's", b"logged_at,time\n2024-01-01,2024-01-02\n", ["2024-01-02T00:00:00.000"]),
    ("of two alike the first", b"Time,time\n2024-01-01,2024-01-02\n,2024-01-02\n", ["2024-01-01T00:00:00.000", "2024-01-02T00:00:00.000"]),
    ("epochs", b"ts,a\n1446249499322,1\n1446249499,1\n", ["2015-10-30T23:58:19.322", "2015-10-30T23:58:19.000"]),
    ("epochs elsewhere are numbers", b"a,b\n1446249499322,1\n", [None]),
    ("digits elsewhere are numbers", b"a,b\n20240102030405,1\n20240102,1\n", [None, None]),
    ("date beside time", b"time,a,date\n03:04:05,x,2024-01-02\n03:04,x,01/02/2024\n3:04 PM,x,2024-01-02\n030405,x,20240102\n",
     ["2024-01-02T03:04:05.000", "2024-01-02T03:04:00.000", "2024-01-02T15:04:00.000", "2024-01-02T03:04:05.000"]),
    ("date alone", b"date,a\n2024-01-02,x\n20240102,x\n1/2/2024,x\n",
     ["2024-01-02T00:00:00.000", "2024-01-02T00:00:00.000", "2024-01-02T00:00:00.000"]),
    ("date beside a whole time", b"date,time\n2024-01-01,2024-01-02T03:04:05Z\n", ["2024-01-02T03:04:05.000"]),
    ("leftmost of other columns", b"id,began,ended\n1,2024-01-02T03:04:05Z,2024-01-03T00:00:00Z\n2,x,2024-01-03T00:00:00Z\n",
     ["2024-01-03T00:00:00.000", "2024-01-03T00:00:00.000"]),
    ("empty cells do not speak against a column", b"id,began\n1,\n2,2024-01-02T03:04:05Z\n3\n", [None, "2024-01-02T03:04:05.000", None]),
    ("a name before another column", b"began,ts\n2024-01-01,1704164645\n2024-01-01,x\n",
     ["2024-01-02T03:04:05.000", "2024-01-01T00:00:00.000"]),
    ("earthquakes", b"DateTime,Latitude,EventID\n2016/01/01 00:30:04.91,18.0772,201601012001\n", ["2016-01-01T00:30:04.910"]),
    ("the documents' row", b'host,timestamp,location\n127.0.0.1,24/Mar/2025:16:25:29 -0500,"Chicago, IL"\n', ["2025-03-24T21:25:29.000"]),
    ("not believed", b"ts,a\n2999-01-01,1\n1969-12-31T23:59:59Z,1\n", [None, None]),
    ("none", b"a,b\n1,2\n", [None]),
]  # fmt: skip


@pytest.mark.parametrize("cut", [None, 1, 64])
@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in _TIMES], ids=[case[0] for case in _TIMES])
def test_time(data: bytes, expected: list[str | None], cut: int | None) -> None:
    assert times_of(data, cut=cut) == expected


def test_zone_of_the_options() -> None:
    assert times_of(b"ts\n2024-07-02 03:04:05\n", timezone="Europe/Paris") == ["2024-07-02T01:04:05.000"]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(("odd", "found"), [(99, "b"), (100, "a")])
def test_column_is_chosen_by_the_first_hundred_rows(cut: int, odd: int, found: str) -> None:
    """Also where blocks are smaller than the sample, and where the rows of one block would choose another column."""
    rows = [(f"2024-01-01 00:00:{row % 60:02}", f"2024-02-02 00:00:{row % 60:02}") for row in range(150)]
    rows[odd] = ("x", rows[odd][1])
    data = "id,a,b\n" + "".join(f'"{row}\n",{a},{b}\n' for row, (a, b) in enumerate(rows))
    times = times_of(data.encode(), cut=cut)
    month = {"a": "01", "b": "02"}[found]
    assert [time and time[5:7] for time in times] == [
        None if found == "a" and row == odd else month for row in range(150)
    ]


@pytest.mark.parametrize("cut", [64, 4096, None])
def test_rows_beyond_the_head_do_not_choose(cut: int | None) -> None:
    data = b"a,b\n" + b"2024-01-01,2024-02-02\n" * 10 + b"x,2024-02-02\n" * 10
    with mock.patch("transforms.formats.csv.csv_format.HEAD_BYTES", 100):
        times = times_of(data, cut=cut)
    assert times == ["2024-01-01T00:00:00.000"] * 10 + [None] * 10


def test_rows_are_sampled_beyond_their_first_block() -> None:
    data = b"a,b\n" + b"2024-01-01,2024-02-02\n" * 90 + b"x,2024-02-02\n"
    with mock.patch("transforms.formats.csv.table.MAX_CELLS", 160):
        first = next(iter(blocks_of(data, "csv"))).records
    assert first.num_rows == 80
    assert first["_time"][0].as_py() == datetime(2024, 2, 2, tzinfo=timezone.utc)
