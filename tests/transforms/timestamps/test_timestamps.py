"""Times (docs/formats.md): every form, alone and in columns, in records and in lines."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.core.errors import ConfigurationError
from transforms.core.schema import CONSTANT, TIME
from transforms.timestamps import (
    UNITS,
    TimeFields,
    check_timezone,
    choose_times,
    detect_times,
    parse_epochs,
    parse_times,
    put_times,
    record_times,
)
from transforms.timestamps.clock import TimeContext
from transforms.timestamps.columns import _read_form
from transforms.timestamps.forms import FORMS, Form
from transforms.timestamps.reading import read_pattern

UTC = timezone.utc
MODIFIED = datetime(2025, 3, 1, 12, tzinfo=UTC)
RECEIVED = datetime(2025, 11, 21, 12, tzinfo=UTC)


def at(text: str | None) -> datetime | None:
    """The expected time, written as Python reads it."""
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def parse(
    values: list[str | None], *, zone: str = "UTC", epochs: bool = True, modified: datetime = MODIFIED
) -> list[datetime | None]:
    array = pa.array(values, pa.string_view())
    return parse_times(array, timezone=zone, modified=modified, received=RECEIVED, epochs=epochs).to_list()


def detect(lines: list[str | None], *, zone: str = "UTC", modified: datetime = MODIFIED) -> list[datetime | None]:
    return detect_times(
        pa.array(lines, pa.string_view()), timezone=zone, modified=modified, received=RECEIVED
    ).to_list()


FIELDS = [
    # ISO 8601 and RFC 3339
    ("2025-01-02T03:04:05Z", "2025-01-02T03:04:05"),
    ("2025-01-02t03:04:05z", "2025-01-02T03:04:05"),
    ("2025-01-02T03:04Z", "2025-01-02T03:04:00"),
    ("2025-01-02T03:04:05", "2025-01-02T03:04:05"),
    ("2025-01-02 03:04:05", "2025-01-02T03:04:05"),
    ("2025-01-02T03:04:05+00:00", "2025-01-02T03:04:05"),
    ("2025-01-02T03:04:05+0000", "2025-01-02T03:04:05"),
    ("2025-01-02T03:04:05+00", "2025-01-02T03:04:05"),
    ("2025-01-02T03:04:05-07:30", "2025-01-02T10:34:05"),
    ("2025-01-02 03:04:05 +0530", "2025-01-01T21:34:05"),
    ("2025-01-02T03:04:05+01:00[Europe/Paris]", "2025-01-02T02:04:05"),
    ("2025-01-02 03:04:05 EST", "2025-01-02T08:04:05"),
    ("2025-01-02 03:04:05 UTC", "2025-01-02T03:04:05"),
    ("2025-01-02T03:04:05.1Z", "2025-01-02T03:04:05.100000"),
    ("2025-01-02T03:04:05.123456Z", "2025-01-02T03:04:05.123456"),
    ("2025-01-02T03:04:05.1234567Z", "2025-01-02T03:04:05.123456"),
    ("2025-01-02T03:04:05.123456999Z", "2025-01-02T03:04:05.123456"),
    ("2025-01-02T03:04:05.123456999999Z", "2025-01-02T03:04:05.123456"),
    ("2025-01-02 03:04:05,123", "2025-01-02T03:04:05.123000"),
    ("2025-01-02", "2025-01-02T00:00:00"),
    ("2025/01/02 03:04:05.91", "2025-01-02T03:04:05.910000"),
    ("2025/1/2 3:04:05", "2025-01-02T03:04:05"),
    ("2025.01.02 03:04", "2025-01-02T03:04:00"),
    ("2025-01-02 03:04:05 PM", "2025-01-02T15:04:05"),
    ("20250102T030405Z", "2025-01-02T03:04:05"),
    ("20250102T030405.5-0500", "2025-01-02T08:04:05.500000"),
    ("20250102030405", "2025-01-02T03:04:05"),
    ("20250102 03:04:05", "2025-01-02T03:04:05"),
    ("20171223-22:15:29:606", "2017-12-23T22:15:29.606000"),
    ("2005-06-03-15.42.50.363779", "2005-06-03T15:42:50.363779"),
    # Web servers, mail, C
    ("10/Oct/2011:13:55:36 -0700", "2011-10-10T20:55:36"),
    ("[10/Oct/2011:13:55:36 -0700]", "2011-10-10T20:55:36"),
    ("24/Mar/2025:16:25:29 -0500", "2025-03-24T21:25:29"),
    ("06/Feb/2009:12:14:14.655", "2009-02-06T12:14:14.655000"),
    ("17/Jun/2011 17:00:45", "2011-06-17T17:00:45"),
    ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37"),
    ("Sun, 6 Nov 1994 08:49:37 -0100", "1994-11-06T09:49:37"),
    ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37"),
    ("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37"),
    ("Sun Dec 04 04:47:44 2005", "2005-12-04T04:47:44"),
    ("Thu Jan  2 03:04:05 UTC 2025", "2025-01-02T03:04:05"),
    ("Dec 4 2005 04:47:44", "2005-12-04T04:47:44"),
    ("Jan 02, 2025 3:04:05 AM", "2025-01-02T03:04:05"),
    ("02-Jan-2025 03:04:05.123", "2025-01-02T03:04:05.123000"),
    ("02 January 2025 03:04:05", "2025-01-02T03:04:05"),
    # Without a year: the object was modified on 2025-03-01
    ("Mar  1 13:06:56", "2025-03-01T13:06:56"),
    ("Mar 27 13:06:56", "2024-03-27T13:06:56"),
    ("MAR 27 13:06:56.25", "2024-03-27T13:06:56.250000"),
    ("Feb 29 01:02:03", "2024-02-29T01:02:03"),
    ("02 Jan 03:04:05.678", "2025-01-02T03:04:05.678000"),
    ("03-17 16:13:38.811", "2024-03-17T16:13:38.811000"),
    ("I0102 03:04:05.123456", "2025-01-02T03:04:05.123456"),
    ("[10.30 16:49:06]", "2024-10-30T16:49:06"),
    # Date and clock in two cells or keys, clocks with dots and colons
    ("2025-01-02,03:04:05", "2025-01-02T03:04:05"),
    ("2025-01-02;03:04:05", "2025-01-02T03:04:05"),
    ("2025-01-02 time=03:04:05", "2025-01-02T03:04:05"),
    ("2025-01-02 03:04:05:678", "2025-01-02T03:04:05.678000"),
    ("2025.01.02-03.04.05:678", "2025-01-02T03:04:05.678000"),
    ("01/02/2025,03:04:05", "2025-01-02T03:04:05"),
    # The month's name elsewhere
    ("2025 Jan  2 03:04:05", "2025-01-02T03:04:05"),
    ("2025-Jan-02 03:04:05.678", "2025-01-02T03:04:05.678000"),
    ("2025/Jan/02 03:04:05", "2025-01-02T03:04:05"),
    ("02Jan2025 03:04:05", "2025-01-02T03:04:05"),
    ("02JAN2025:03:04:05.678", "2025-01-02T03:04:05.678000"),
    # Two digits of a year
    ("1/2/25 3:04:05 PM", "2025-01-02T15:04:05"),
    ("10/11/24 3:04:05 AM", "2024-10-11T03:04:05"),
    ("1/2/25, 15:04:05:678 EST", "2025-01-02T20:04:05.678000"),
    ("12/31/24 15:04:05", "2024-12-31T15:04:05"),
    ("02.01.25 03:04:05", "2025-01-02T03:04:05"),
    # Zones with a name
    ("Thu Jan 02 03:04:05 GMT+01:00 2025", "2025-01-02T02:04:05"),
    ("2025-01-02 03:04:05 UTC-05", "2025-01-02T08:04:05"),
    ("2025-07-02 03:04:05 CEST", "2025-07-02T01:04:05"),
    ("2025-07-02 03:04:05 MESZ", "2025-07-02T01:04:05"),
    ("2025-07-02 03:04:05 BST", "2025-07-02T02:04:05"),
    ("2025-01-02 03:04:05 JST", "2025-01-01T18:04:05"),
    ("2025-01-02 03:04:05 PST", "2025-01-02T11:04:05"),
    ("2025-01-02 03:04:05 IST", None),
    ("02-Jan-2025 03:04:05 Europe/Berlin", "2025-01-02T02:04:05"),
    ("02-Jul-2025 03:04:05 America/Argentina/Buenos_Aires", "2025-07-02T06:04:05"),
    ("2025-01-02 03:04:05 Europe/Atlantis", "2025-01-02T03:04:05"),
    ("2025-01-02T03:04:05Z[UTC]", "2025-01-02T03:04:05"),
    # Days alone
    ("20250102", "2025-01-02T00:00:00"),
    ("1/2/2025", "2025-01-02T00:00:00"),
    ("02.01.2025", "2025-01-02T00:00:00"),
    ("02-Jan-2025", "2025-01-02T00:00:00"),
    ("2 January 2025", "2025-01-02T00:00:00"),
    ("Jan 2, 2025", "2025-01-02T00:00:00"),
    ("20251345", None),
    # Others
    ("Apr-07-13 07:08:36", "2013-04-07T07:08:36"),
    ("01/02/2014 - 01:25:17", "2014-01-02T01:25:17"),
    ("13/02/2014 - 01:25:17", "2014-02-13T01:25:17"),
    ("1/2/2025 3:04:05 PM", "2025-01-02T15:04:05"),
    ("1/2/2025 12:04:05 am", "2025-01-02T00:04:05"),
    ("02.01.2025 03:04:05", "2025-01-02T03:04:05"),
    ("17/06/09 20:10:40", "2017-06-09T20:10:40"),
    ("130324  0:04:00", "2013-03-24T00:04:00"),
    ("081109 203615", "2008-11-09T20:36:15"),
    ("audit(1373330716.123:4)", "2013-07-09T00:45:16.123000"),
    ("@4000000051dbc2cc2a3b1c1c", "2013-07-09T07:58:58.708516"),
    # Epochs
    ("1446249499", "2015-10-30T23:58:19"),
    ("1446249499322", "2015-10-30T23:58:19.322000"),
    ("1446249499322001", "2015-10-30T23:58:19.322001"),
    ("1446249499322001999", "2015-10-30T23:58:19.322001"),
    ("1446249499.3220019", "2015-10-30T23:58:19.322001"),
    ("1446249499322.0019", "2015-10-30T23:58:19.322001"),
    ("1600000000.000001", "2020-09-13T12:26:40.000001"),
    ("1.446249499322E9", "2015-10-30T23:58:19.322000"),
    ("1446249499322e-3", "2015-10-30T23:58:19.322000"),
    ("1446249499.", "2015-10-30T23:58:19"),
    ("0", None),
    ("99999999", None),
    ("638553384001234567", None),
    ("133642152001234567", None),
    ("240630100000", None),
    ("45473.41667", None),
    ("20240630100000.123", "2024-06-30T10:00:00.123000"),
    # White space around
    (" 2025-01-02T03:04:05Z\t", "2025-01-02T03:04:05"),
    # Leap seconds: the next second, as POSIX has it, and only where one can be
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00"),
    ("2017-01-01T08:59:60.5+09:00", "2017-01-01T00:00:00.500000"),
    ("2025-01-02T12:00:60Z", None),
    # No times, or none to believe
    ("2025-13-45T03:04:05Z", None),
    ("2025-02-30T03:04:05Z", None),
    ("2025-01-02T24:00:00Z", "2025-01-03T00:00:00"),
    ("2025-01-02T03:60:05Z", None),
    ("2025-01-02T03:04:05+25:00", None),
    ("Feb 30 01:02:03", None),
    ("1/2/2025 13:04:05 PM", None),
    ("1969-12-31T23:59:59Z", None),
    ("1677-01-01T00:00:00.123456789Z", None),
    ("9999-12-31T23:59:59.999999999Z", None),
    ("2025-11-22T12:00:00Z", "2025-11-22T12:00:00"),
    ("2025-11-22T12:00:00.000001Z", None),
    ("-1", None),
    ("99999999999999999999", None),
    ("1e400", None),
    ("0x10", None),
    ("12:03:04", None),
    ("yesterday", None),
    ("", None),
    ("☃☃-☃☃T", None),
    (None, None),
]


@pytest.mark.parametrize(("value", "expected"), FIELDS, ids=[repr(value) for value, _ in FIELDS])
def test_reads_a_field(value: str | None, expected: str | None) -> None:
    assert parse([value]) == [at(expected)]


def test_reads_a_column_of_all_forms_like_its_rows() -> None:
    values = [value for value, _ in FIELDS]
    assert parse(values) == [at(expected) for _, expected in FIELDS]
    assert parse(values[::-1]) == [at(expected) for _, expected in FIELDS[::-1]]


def test_type_and_empty_columns() -> None:
    assert parse_times(
        pa.array([], pa.string_view()), timezone="UTC", modified=MODIFIED, received=RECEIVED, epochs=True
    ).dtype == pl.Datetime("us", "UTC")
    assert parse([]) == []
    assert parse([None, None]) == [None, None]


def test_takes_every_layout_of_strings() -> None:
    values = ["2025-01-02T03:04:05Z", None, "x"]
    expected = [at("2025-01-02T03:04:05"), None, None]
    for array in (
        pa.array(values),
        pa.array(values, pa.string_view()),
        pa.array(values, pa.large_string()),
        pa.array(values).dictionary_encode(),
    ):
        assert (
            parse_times(array, timezone="UTC", modified=MODIFIED, received=RECEIVED, epochs=True).to_list() == expected
        )
    sliced = pa.array(["junk", *values], pa.string_view()).slice(1)
    assert parse_times(sliced, timezone="UTC", modified=MODIFIED, received=RECEIVED, epochs=True).to_list() == expected


def test_bare_numbers_are_times_only_where_asked() -> None:
    assert parse(["1446249499", "20250102030405", "2025-01-02"], epochs=False) == [None, None, at("2025-01-02")]


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("EPOCH_SECONDS", "1446249499.5", "2015-10-30T23:58:19.500000"),
        ("EPOCH_SECONDS", "86400", "1970-01-02T00:00:00"),
        ("EPOCH_MILLISECONDS", "86400000", "1970-01-02T00:00:00"),
        ("EPOCH_MICROSECONDS", "86400000000.9", "1970-01-02T00:00:00"),
        ("EPOCH_NANOSECONDS", "86400000000999", "1970-01-02T00:00:00"),
        ("EPOCH_SECONDS", "1446249499322", None),
        ("EPOCH_SECONDS", "-1", None),
        ("EPOCH_SECONDS", "2025-01-02", None),
    ],
)
def test_epochs_of_a_set_unit(unit: str, value: str, expected: str | None) -> None:
    assert unit in UNITS
    assert parse_epochs(pl.Series([value]), received=RECEIVED, unit=unit).to_list() == [at(expected)]


# --- years that are missing


@pytest.mark.parametrize(
    ("modified", "value", "expected"),
    [
        ("2025-01-01T00:30:00", "Dec 31 23:59:59", "2024-12-31T23:59:59"),
        ("2025-01-01T00:30:00", "Jan  2 00:30:00", "2025-01-02T00:30:00"),
        ("2025-01-01T00:30:00", "Jan  2 00:30:01", "2024-01-02T00:30:01"),
        ("2024-12-31T12:00:00", "Jan  1 11:00:00", "2025-01-01T11:00:00"),
        ("2023-06-01T00:00:00", "Feb 29 12:00:00", "2020-02-29T12:00:00"),
        ("2024-02-28T11:59:59", "Feb 29 12:00:00", "2020-02-29T12:00:00"),
        ("2024-02-28T12:00:00", "Feb 29 12:00:00", "2024-02-29T12:00:00"),
        ("2025-06-01T00:00:00", "Feb 31 12:00:00", None),
        pytest.param("2033-05-18T00:00:00", "Nov 22 12:00:00", "2025-11-22T12:00:00", id="modified in the future"),
        pytest.param("2033-05-18T00:00:00", "Nov 22 12:00:01", "2024-11-22T12:00:01", id="and more than a day later"),
    ],
)
def test_year_is_the_latest_that_is_not_more_than_a_day_after_the_object(
    modified: str, value: str, expected: str | None
) -> None:
    moment = at(modified)
    assert moment is not None
    assert parse([value], modified=moment) == [at(expected)]
    assert detect([f"{value} host sshd[1]: x"], modified=moment) == [at(expected)]


def test_years_of_a_column_across_new_year() -> None:
    values: list[str | None] = [f"{month} {day:2} 10:00:00" for month in ("Dec", "Jan") for day in range(1, 32)]
    modified = datetime(2025, 1, 31, 12, tzinfo=UTC)
    years = [time.year for time in parse(values * 20, modified=modified) if time]
    assert years == ([2024] * 31 + [2025] * 31) * 20


def test_year_of_a_local_time_that_is_another_year_in_utc() -> None:
    modified = datetime(2024, 12, 30, 11, tzinfo=UTC)  # a day later it is 2025 on Kiritimati, 14 hours east
    assert parse(["Jan  1 00:30:00"], zone="Pacific/Kiritimati", modified=modified) == [at("2024-12-31T10:30:00")]


# --- zones


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        ("Europe/Paris", "2025-07-02 03:04:05", "2025-07-02T01:04:05"),
        ("America/New_York", "2025-03-09 02:30:00", "2025-03-09T07:30:00"),  # skipped: as if the clocks had not changed
        ("America/New_York", "2025-11-02 01:30:00", "2025-11-02T05:30:00"),  # doubled: the first
        ("Australia/Lord_Howe", "2024-10-06 02:15:00", "2024-10-05T15:45:00"),  # half an hour skipped
        ("Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30T22:00:00"),  # a day skipped
        ("Etc/UTC", "2025-07-02 03:04:05", "2025-07-02T03:04:05"),
    ],
)
def test_local_times(zone: str, local: str, expected: str) -> None:
    assert parse([local], zone=zone) == [at(expected)]
    assert parse([local.replace("-", "/")], zone=zone) == [at(expected)]
    assert parse([f"{local}Z"], zone=zone) == [at(local)], "a zone in the value is honoured"


@settings(max_examples=60, deadline=None)
@given(
    locals_=st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2025, 11, 1)), min_size=1, max_size=20),
    zone=st.sampled_from(
        [
            "America/New_York",
            "Europe/Dublin",
            "Asia/Kathmandu",
            "Australia/Lord_Howe",
            "America/Sao_Paulo",
            "Africa/Casablanca",
        ]
    ),
)
def test_local_times_like_the_standard_library(locals_: list[datetime], zone: str) -> None:
    """PEP 495 with fold=0 means the offset before the change, in gaps and folds: the earlier one."""
    expected = [local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for local in locals_]
    assert parse([f"{local:%Y-%m-%d %H:%M:%S.%f}" for local in locals_], zone=zone) == expected


def test_refuses_an_unknown_zone() -> None:
    check_timezone("Europe/Paris")
    with pytest.raises(ConfigurationError, match="'Mars/Olympus' is not an IANA time zone") as error:
        check_timezone("Mars/Olympus", field="formatOptions.timezone")
    assert error.value.field == "formatOptions.timezone"


# --- columns: the quick ways and the general one agree

STYLES = [
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%dT%H:%M:%S.%f789Z",
    "%Y-%m-%d %H:%M:%S,%f",
    "%d/%b/%Y:%H:%M:%S +0200",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y",
    "%b %d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %I:%M:%S %p",
    "%Y%m%dT%H%M%SZ",
    "%y/%m/%d %H:%M:%S",
    "%A, %d-%b-%y %H:%M:%S EST",
    "%s.%f",
]


@settings(max_examples=150, deadline=None)
@given(
    times=st.lists(
        st.datetimes(datetime(1971, 1, 1), datetime(2025, 11, 1), timezones=st.just(UTC)), min_size=1, max_size=40
    ),
    style=st.sampled_from(STYLES),
    unlike=st.lists(
        st.tuples(st.integers(0, 39), st.integers(0, 40), st.sampled_from(["", "x", " ", "9", "☃", ":"])), max_size=3
    ),
)
def test_a_column_is_read_as_its_rows(times: list[datetime], style: str, unlike: list[tuple[int, int, str]]) -> None:
    values: list[str | None] = [f"{time.strftime(style)}" for time in times]
    for row, at, text in unlike:
        if row < len(values) and (value := values[row]):
            values[row] = value[:at] + text + value[at + 1 :]
    assert parse(values) == [parse([value])[0] for value in values]


@pytest.mark.parametrize(
    "form", [form for form in FORMS if form.name not in ("audit", "tai64n")], ids=lambda form: form.name
)
def test_layouts_agree_with_patterns(form: Form) -> None:
    clock = TimeContext("Europe/Paris", MODIFIED, RECEIVED)
    values = [value for value, _ in FIELDS if value]
    for value in values:
        column = pl.Series([value.strip()] * 2)
        assert _read_form(form, column, clock).to_list() == read_pattern(column, form.field, clock).to_list(), value


DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%-m/%-d/%Y", "%m/%d/%Y", "%-m/%-d/%y", "%m/%d/%y", "%y/%m/%d", "%d.%m.%Y",
    "%d.%m.%y",
    "%-d.%-m.%Y", "%d-%b-%Y", "%d-%b-%y", "%d/%b/%Y", "%b-%d-%y", "%d %b %Y", "%b %d", "%b %d, %Y", "%Y %b %d",
    "%Y-%b-%d",
    "%d%b%Y", "%Y%m%d", "%y%m%d", "%m-%d", "%d %b", "%m-%d-%Y",
)  # fmt: skip
CLOCKS = ("%H:%M:%S", "%-H:%M:%S", "%I:%M:%S %p", "%H:%M", "%H%M%S", "%H:%M:%S,%f", "%H.%M.%S")


@pytest.mark.parametrize(
    "time", [datetime(2009, 10, 11, 12, 8, 7), datetime(2024, 2, 29, 1, 2, 3), datetime(2012, 12, 25, 23, 0, 59)]
)
@pytest.mark.parametrize("date", DATES)
def test_no_value_has_two_readings(date: str, time: datetime) -> None:
    """Or the form of a column's first row would decide how the others are read."""
    clock = TimeContext("UTC", MODIFIED, RECEIVED)
    for between in (" ", "T", ":", ",", ", ", ";", " - ", "-", "_"):
        for format_ in CLOCKS:
            value = time.strftime(date + between + format_)
            matching = [form for form in FORMS if re.search(form.field, value, re.ASCII)]
            readings = {_read_form(form, pl.Series([value]), clock)[0] for form in matching} - {None}
            assert len(readings) <= 1, (value, [form.name for form in matching])


def test_fractions_beyond_the_sixth_digit_must_be_digits() -> None:
    good, bad = "2025-01-02 03:04:05,123456789", "2025-01-02 03:04:05,123456x89"
    assert parse([good, bad, good]) == [at("2025-01-02T03:04:05.123456"), None, at("2025-01-02T03:04:05.123456")]


def test_runs_are_read_once_and_spread() -> None:
    values = ["Mar 27 13:06:56"] * 5 + [None] * 3 + ["junk"] * 4 + ["Mar 27 13:06:57"] * 5
    one, two = at("2024-03-27T13:06:56"), at("2024-03-27T13:06:57")
    assert parse(values) == [one] * 5 + [None] * 7 + [two] * 5


# --- records


def columns(**values: list[str | None]) -> dict[str, pa.Array]:
    return {name: pa.array(cells, pa.string_view()) for name, cells in values.items()}


def fields_of(given_: dict[str, pa.Array], *, csv: bool = False) -> list[datetime | None] | None:
    times = record_times(given_, timezone="UTC", modified=MODIFIED, received=RECEIVED, csv=csv)
    if times is None:
        return None
    assert times.type == TIME
    return times.to_pylist()


DAY, DAY_2 = "2025-01-02T00:00:00Z", "2025-01-03T00:00:00Z"


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({"timestamp": [DAY], "_time": [DAY_2]}, [DAY_2]),
        ({"logged_at": [DAY], "Created_At": [DAY_2]}, [DAY_2]),
        ({"TIMESTAMP": [DAY]}, [DAY]),
        ({"eventTime": [DAY], "ts": [DAY_2]}, [DAY_2]),
        ({"time": ["12ms", DAY], "ts": [DAY_2, DAY_2]}, [DAY_2, DAY]),
        ({"time": [None, "", DAY], "ts": [None, None, None]}, [None, None, DAY]),
        ({"ts": ["1735776000"]}, [DAY]),
        ({"date": ["2025-01-02"], "time": ["03:04:05"]}, ["2025-01-02T03:04:05"]),
        ({"Date": ["01/02/2025"], "Time": ["3:04:05 PM"]}, ["2025-01-02T15:04:05"]),
        ({"date": ["20250102"], "time": ["030405"]}, ["2025-01-02T03:04:05"]),
        ({"date": ["2025-01-02"], "time": [DAY_2]}, [DAY_2]),
        ({"date": ["2025-01-02", "2025-01-02"], "time": [None, "03:04"]}, [DAY, "2025-01-02T03:04:00"]),
        ({"begun": [DAY]}, None),
        ({"time": ["-"]}, None),
        ({}, None),
    ],
)
def test_the_first_field_that_parses(given_: dict[str, list[str | None]], expected: list[str | None] | None) -> None:
    expected_time = None if expected is None else [at(text.removesuffix("Z")) if text else None for text in expected]
    assert fields_of(columns(**given_)) == expected_time


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({"id": ["1", "2"], "begun": [DAY, DAY_2], "ended": [DAY_2, DAY_2]}, [DAY, DAY_2]),
        ({"begun": [DAY, "x"], "ended": [DAY_2, DAY_2]}, [DAY_2, DAY_2]),
        ({"n": ["1446249499", "1446249500"]}, None),
        ({"begun": [DAY, ""], "ended": [DAY_2, DAY_2]}, [DAY, None]),
        ({"begun": [DAY, DAY], "time": [DAY_2, "?"]}, [DAY_2, DAY]),
    ],
)
def test_the_leftmost_column_of_times_in_csv(
    given_: dict[str, list[str | None]], expected: list[str | None] | None
) -> None:
    expected_time = None if expected is None else [at(text.removesuffix("Z")) if text else None for text in expected]
    assert fields_of(columns(**given_), csv=True) == expected_time
    assert "time" in given_ or fields_of(columns(**given_)) is None


def test_the_column_of_times_is_chosen_once_an_object() -> None:
    fields = TimeFields(timezone="UTC", modified=MODIFIED, received=RECEIVED, csv=True)
    for first in ("x", DAY_2):
        times = fields.times(columns(a=[first], b=[DAY]))
        assert times is not None
        assert times.to_pylist() == [at(DAY[:-1])]
    assert fields.times(columns(a=[DAY_2], b=["x"])) is None


# --- lines

LINES = [
    (
        '83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 203023 "-" "Mozilla/5.0"',
        "2015-05-17T10:05:03",
    ),
    ("Mar 27 13:06:56 ip-10-77-20-248 sshd[1291]: Server listening on 0.0.0.0 port 22.", "2024-03-27T13:06:56"),
    ("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "2024-10-11T22:14:15"),
    ("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47", "2003-10-11T22:14:15.003000"),
    ("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - -", "2003-08-24T12:14:15.000003"),
    ("[2016-12-19 16:31:47,999] TRACE Controller 0 epoch 36 started", "2016-12-19T16:31:47.999000"),
    ("2016/01/01 00:30:04.91,18.0772,-67.1027,19.91", "2016-01-01T00:30:04.910000"),
    ("2016-01-01 00:30:04,18,-67.1027", "2016-01-01T00:30:04"),
    ("2008/11/09 20:36:15 [error] 1#1: *1 open() failed", "2008-11-09T20:36:15"),
    ("081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1", "2008-11-09T20:36:15"),
    ("17/06/09 20:10:40 INFO executor.CoarseGrainedExecutorBackend: Registered", "2017-06-09T20:10:40"),
    ("- 1117838570 2005.06.03 R02-M1 2005-06-03-15.42.50.363779 R02-M1 RAS", "2005-06-03T15:42:50.363779"),
    ("03-17 16:13:38.811  1702  2395 D WindowManager: printFreezingDisplayLogs", "2024-03-17T16:13:38.811000"),
    ("20171223-22:15:29:606|Step_LSC|30002312|onStandStepChanged 3579", "2017-12-23T22:15:29.606000"),
    ("[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok", "2005-12-04T04:47:44"),
    ("[Wed Oct 11 14:32:52.123456 2000] [core:error] [pid 1] x", "2000-10-11T14:32:52.123456"),
    ("[10.30 16:49:06] chrome.exe - proxy.cse.cuhk.edu.hk:5070 open", "2024-10-30T16:49:06"),
    ("2016-09-28 04:30:30, Info                  CBS    Loaded Servicing Stack", "2016-09-28T04:30:30"),
    ("I0102 03:04:05.123456       1 main.go:42] started", "2025-01-02T03:04:05.123456"),
    ("2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET", "2019-12-04T21:02:31"),
    ("type=SYSCALL msg=audit(1373330716.123:4): arch=c000003e", "2013-07-09T00:45:16.123000"),
    ("@4000000051dbc2cc2a3b1c1c status: local 0/10", "2013-07-09T07:58:58.708516"),
    ('{"level":"info","ts":"2025-01-02T03:04:05.5Z"}', "2025-01-02T03:04:05.500000"),
    ("1:M 02 Jan 2025 03:04:05.123 * Ready to accept connections", "2025-01-02T03:04:05.123000"),
    ("2025-01-02 03:04:05.123 UTC [42] LOG:  started", "2025-01-02T03:04:05.123000"),
    ("2025-01-02 03:04:05 ESTABLISHED", "2025-01-02T03:04:05"),
    ("Mar  1 13:06:56 2001:db8::1 kernel: x", "2025-03-01T13:06:56"),
    # Servers
    ("2025/01/02 03:04:05.123456 main.go:12: hello", "2025-01-02T03:04:05.123456"),
    ("E1231 03:04:05.123456       1 main.go:42] no year", "2024-12-31T03:04:05.123456"),
    ("02 Jan 2025 03:04:05,123 INFO log4j", "2025-01-02T03:04:05.123000"),
    ("1/2/2025 3:04:05 PM Error Windows", "2025-01-02T15:04:05"),
    ("Jan  2 03:04:05.123 host kernel: x", "2025-01-02T03:04:05.123000"),
    ("*Jan  2 03:04:05.123: %LINK-3-UPDOWN: Cisco", "2025-01-02T03:04:05.123000"),
    ("Jan 02 2025 03:04:05: %ASA-6-302013: Cisco", "2025-01-02T03:04:05"),
    ("1.2.3.4:33317 [02/Jan/2025:03:04:05.123] http-in HAProxy", "2025-01-02T03:04:05.123000"),
    ("123:M 02 Jan 03:04:05.123 * Redis", "2025-01-02T03:04:05.123000"),
    ("2025-01-02 03:04:05.123 CET [42] LOG:  PostgreSQL", "2025-01-02T02:04:05.123000"),
    ("250102  3:04:05 [Note] MySQL", "2025-01-02T03:04:05"),
    ("http 2025-01-02T03:04:05.186641Z app/alb/50dc6c495c0c9188", "2025-01-02T03:04:05.186641"),
    ("2025-01-02T03:04:05.123456789Z stderr F Kubernetes", "2025-01-02T03:04:05.123456"),
    ("20250102T030405Z x", "2025-01-02T03:04:05"),
    ("20250102 030405 x", "2025-01-02T03:04:05"),
    ("date=2025-01-02 time=03:04:05 devname=x", "2025-01-02T03:04:05"),
    ("2025-01-02 03:04:05:678 x", "2025-01-02T03:04:05.678000"),
    ("2025-01-02 03:04:05:67 x", "2025-01-02T03:04:05"),
    ("[2025.01.02-03.04.05:678][  0]LogUnreal: x", "2025-01-02T03:04:05.678000"),
    ("[02-Jan-2025 03:04:05 Europe/Berlin] PHP Notice: x", "2025-01-02T02:04:05"),
    ("2025-01-02 03:04:05 Apache/2.4 started", "2025-01-02T03:04:05"),
    ("[1/2/25 3:04:05:678 EST] 0000000a WebSphere", "2025-01-02T08:04:05.678000"),
    ("2025-01-02T03:04:05.123Z[UTC] x", "2025-01-02T03:04:05.123000"),
    ("2025 Jan 02 03:04:05.123 x", "2025-01-02T03:04:05.123000"),
    ("CEF:0|a|b|1|c|d|5|rt=Jan 02 2025 03:04:05 src=10.0.0.1", "2025-01-02T03:04:05"),
    ("02-Jan-2025 03:04:05.123 INFO [main] org.apache.catalina", "2025-01-02T03:04:05.123000"),
    ("Jan 2, 2025 3:04:05 PM org.apache.catalina.core", "2025-01-02T15:04:05"),
    ("10.12.11.24 03:04:05 is an address", None),
    ("1286536309.450    4 10.0.0.1 TCP_MISS/200 is an epoch", "2010-10-08T11:11:49.450000"),
    ("first 2025-01-02 03:04:05 then 2025-01-03 03:04:05", "2025-01-02T03:04:05"),
    ("bad 2025-13-45 03:04:05 then 2025-01-03 03:04:05", "2025-01-03T03:04:05"),
    ("first 2099-01-02 03:04:05 is not believed, nor another 2025-01-03 03:04:05", None),
    ("id 12025-01-02 03:04:05", None),
    ("at 1446249499 nothing is said", None),
    ("on 2025-01-02 nothing began", None),
    ("nothing at all", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("line", "expected"), LINES, ids=[str(line)[:40] for line, _ in LINES])
def test_finds_the_stamp_of_a_line(line: str | None, expected: str | None) -> None:
    assert detect([line]) == [at(expected)]


def test_finds_the_stamps_of_all_lines() -> None:
    assert detect([line for line, _ in LINES]) == [at(expected) for _, expected in LINES]


@pytest.mark.parametrize("stamp", ["2025-01-02T03:04:05.123456Z", "Dec 04 04:47:44 2005", "10/Oct/2011:13:55:36 -0700"])
def test_only_whole_stamps_within_128_characters_count(stamp: str) -> None:
    whole = detect([stamp])[0]
    for before in range(80, 140):
        inside = before + 1 + len(stamp) <= 128
        for filler in ("x", "é"):
            for after in ("", " and more", " " + "y" * 200):
                found = detect([filler * before + " " + stamp + after])
                assert found == [whole if inside else None], (before, filler, after)


# --- settling


def batch_of(**given_: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(list(given_.values()), names=list(given_))


def choose(batch: pa.RecordBatch, *, timestamp: str = "auto", lines: str = "all") -> list[tuple[datetime, str]]:
    chosen = choose_times(batch, timestamp=timestamp, timezone="UTC", modified=MODIFIED, received=RECEIVED, lines=lines)
    assert chosen.schema.field("_time").type == TIME
    assert chosen.schema.field("_time_source").type in (CONSTANT, pa.string_view())
    assert chosen.num_rows == batch.num_rows
    return list(zip(chosen["_time"].to_pylist(), chosen["_time_source"].to_pylist(), strict=True))


TEXT = pa.array(["text"] * 2).dictionary_encode()


def test_records_with_an_error_are_looked_through_like_text() -> None:
    batch = batch_of(
        _message=pa.array(["2024-01-02 03:04:05 WARN x", "2024-01-02 03:04:06 of a record", "at x"]),
        _error=pa.array(["invalid_json: x", None, "invalid_json: x"]),
    )
    found = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert choose(batch, lines="errors") == [(found, "detected"), (MODIFIED, "object"), (MODIFIED, "object")]


MESSAGES = pa.array(["2025-01-02 03:04:05 a", "b"], pa.string_view())
SOME_TIME = datetime(2024, 5, 6, tzinfo=UTC)


def test_lines_take_their_stamp_or_the_time_of_the_object() -> None:
    found = (at("2025-01-02T03:04:05"), "detected")
    assert choose(batch_of(_message=MESSAGES, _format=TEXT)) == [found, (MODIFIED, "object")]


def test_lines_are_not_searched_where_that_is_asked() -> None:
    assert choose(batch_of(_message=MESSAGES, _format=TEXT), timestamp="received") == [(RECEIVED, "received")] * 2


def test_lines_take_the_time_of_the_object_where_that_is_asked() -> None:
    assert choose(batch_of(_message=MESSAGES, _format=TEXT), timestamp="object") == [(MODIFIED, "object")] * 2


@pytest.mark.parametrize(
    ("modified", "believed"),
    [
        pytest.param(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), False, id="before-1970"),
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), False, id="none"),
        pytest.param(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), True, id="1970"),
        pytest.param(RECEIVED + timedelta(days=1), True, id="a-day-ahead"),
        pytest.param(RECEIVED + timedelta(days=1, seconds=1), False, id="further-ahead"),
    ],
)
def test_a_time_of_the_object_that_cannot_be_is_not_believed(modified: datetime, believed: bool) -> None:
    batch = batch_of(_message=pa.array(["a"], pa.string_view()), _format=TEXT[:1])
    chosen = choose_times(batch, timestamp="auto", timezone="UTC", modified=modified, received=RECEIVED)
    found = chosen["_time"].to_pylist(), chosen["_time_source"].to_pylist()
    assert found == (([modified], ["object"]) if believed else ([RECEIVED], ["received"]))


def test_records_are_not_searched() -> None:
    assert choose(batch_of(_message=MESSAGES), lines="errors") == [(MODIFIED, "object")] * 2


@pytest.mark.parametrize(
    ("columns", "lines", "expected"),
    [
        pytest.param({}, "all", {"in the future": 2, "before 1970": 1}, id="lines"),
        pytest.param({}, "errors", {}, id="records-are-not-searched"),
        pytest.param(
            {
                "_time": pa.array([SOME_TIME, None, None, None], TIME),
                "_time_source": pa.array(["record", "before 1970", "in the future", None], pa.string()),
            },
            "errors",
            {"before 1970": 1, "in the future": 1},
            id="fields",
        ),
    ],
)
def test_times_that_are_not_believed_are_counted(
    columns: dict[str, pa.Array], lines: str, expected: dict[str, int]
) -> None:
    stamps = ["2025-01-02 03:04:05", "2099-12-31T00:00:00Z", "[11/Aug/2031:00:00:00 +0000]", "1969-07-20 20:17:40"]
    batch, counts = batch_of(_message=pa.array(stamps, pa.string_view()), **columns), Counter[str]()
    choose_times(
        batch,
        timestamp="auto",
        timezone="UTC",
        modified=MODIFIED,
        received=RECEIVED,
        lines=lines,
        unbelieved=counts,
    )
    assert counts == expected


def test_what_is_set_stays() -> None:
    batch = batch_of(
        _message=MESSAGES,
        _format=TEXT,
        _time=pa.array([SOME_TIME, None], TIME),
        _time_source=pa.array(["pipeline", None], pa.string_view()),
    )
    assert choose(batch) == [(SOME_TIME, "pipeline"), (MODIFIED, "object")]


def test_times_without_a_source_are_the_record_s() -> None:
    batch = batch_of(_message=MESSAGES, _time=pa.array([SOME_TIME, None], TIME))
    assert choose(batch) == [(SOME_TIME, "record"), (MODIFIED, "object")]


def test_a_complete_batch_is_given_back() -> None:
    batch = batch_of(_time=pa.array([SOME_TIME], TIME), _time_source=pa.array(["record"]).dictionary_encode())
    assert choose_times(batch, timestamp="auto", timezone="UTC", modified=MODIFIED, received=RECEIVED) is batch


def test_an_empty_batch() -> None:
    assert (
        choose(batch_of(_message=pa.array([], pa.string_view()), _format=pa.array([], pa.string()).dictionary_encode()))
        == []
    )


def test_put_times_sets_only_what_is_given() -> None:
    batch = batch_of(
        _message=MESSAGES,
        _time=pa.array([SOME_TIME, SOME_TIME], TIME),
        _time_source=pa.array(["record"] * 2, pa.string_view()),
    )
    later = SOME_TIME + timedelta(days=1)
    put = put_times(batch, pl.Series([None, later], dtype=pl.Datetime("us", "UTC")), source="pipeline")
    assert put["_time"].to_pylist() == [SOME_TIME, later]
    assert put["_time_source"].to_pylist() == ["record", "pipeline"]


@pytest.mark.parametrize("word", ["Zürich", "ESTá", "Z\ufffdrich", "CETà"])
def test_a_word_is_no_zone(word: str) -> None:
    assert detect([f"2025-01-02 03:04:05 {word} x"], zone="Europe/Berlin") == [at("2025-01-02T02:04:05")]
    assert detect(["2025-01-02 03:04:05Z，x", "时间：2025-01-02 03:04:05 EST"], zone="Europe/Berlin") == [
        at("2025-01-02T03:04:05"),
        at("2025-01-02T08:04:05"),
    ]


@pytest.mark.parametrize(
    ("value", "modified", "expected"),
    [
        ("08/12/25 00:00:21", "2025-08-13", "2025-08-12T00:00:21"),
        ("01/01/25 00:00:21", "2025-08-13", "2025-01-01T00:00:21"),
        ("17/06/09 20:10:40", "2017-06-10", "2017-06-09T20:10:40"),
        ("12/06/09 20:10:40", "2012-06-10", "2012-06-09T20:10:40"),
        ("25/08/11 20:10:40", "2025-08-13", "2025-08-11T20:10:40"),
    ],
)
def test_two_digit_dates_are_read_as_is_nearest_to_the_object(value: str, modified: str, expected: str) -> None:
    when = datetime.fromisoformat(modified).replace(tzinfo=UTC)
    assert parse([value], modified=when) == [at(expected)]
    assert detect([f"{value} words"], modified=when) == [at(expected)]


def test_suricata() -> None:
    assert detect(["08/11/2025-22:24:37.123456  [**] [1:1:1]"]) == [at("2025-08-11T22:24:37.123456")]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            {
                "date": ["2025-01-02", None],
                "time": ["03:04:05", None],
                "Date": [None, "2025-01-02"],
                "Time": [None, "03:04:06"],
            },
            [5, 6],
        ),
        ({"date": ["2025-01-02"], "time": ["030405"]}, [5]),
        ({"date": ["2025-01-02T00:00:00"], "time": ["03:04:05"]}, [5]),
        ({"date": ["2025-01-02"], "time": ["T03:04:05"]}, [5]),
    ],
    ids=["spellings", "compact", "midnight", "T"],
)
def test_date_beside_time(columns: dict[str, list[str | None]], expected: list[int]) -> None:
    given = {name: pa.array(values, pa.string_view()) for name, values in columns.items()}
    times = record_times(given, timezone="UTC", modified=MODIFIED, received=RECEIVED, csv=False)
    assert times is not None
    assert times.to_pylist() == [datetime(2025, 1, 2, 3, 4, second, tzinfo=UTC) for second in expected]


@pytest.mark.parametrize(
    ("line", "second"),
    [
        ("\x1b[32m2024-06-30 10:00:01\x1b[0m INFO up", 1),
        ("\x1b[1;31m2024-06-30T10:00:02Z\x1b[0mERROR down", 2),
        ("[\x1b[90m2024-06-30 10:00:03\x1b[39m] up", 3),
        ("\x1b[0m\x1b[38;5;12mINFO\x1b[0m 2024-06-30 10:00:04", 4),
        ("\x1b[K2024-06-30 10:00:05", 5),
        ("2024-06-30 10:00:06 [32mup", 6),
    ],
    ids=["colour", "letter behind", "in brackets", "level first", "erase", "no escape"],
)
def test_terminal_colours_do_not_hide_a_stamp(line: str, second: int) -> None:
    received = datetime(2025, 1, 1, tzinfo=timezone.utc)
    found = detect_times(pl.Series([line]), timezone="UTC", modified=received, received=received).item()
    assert found == datetime(2024, 6, 30, 10, 0, second, tzinfo=timezone.utc)


def test_a_short_date_is_read_alike_whatever_stands_before_it() -> None:
    modified = datetime(2006, 8, 1, tzinfo=UTC)  # nearer to 25 July 2006 than to 7 June 2025
    assert detect(["06/07/25 10:26:19 a"], modified=modified) == [at("2006-07-25T10:26:19")]
    assert detect(["12/26/24 10:34:26 a", "06/07/25 10:26:19 a"], modified=modified)[1] == at("2006-07-25T10:26:19")
