"""The grammar of stamps: read whole or not at all, in lines as in fields (docs/formats.md)."""

from __future__ import annotations

import random
import zoneinfo
from collections import defaultdict
from datetime import datetime, timedelta, timezone

import polars as pl
import pytest

from tests.conftest import many
from transforms.timestamps import detect_times, head_is_day_first, parse_times
from transforms.timestamps.grammar.months import MONTH_NUMBERS
from transforms.timestamps.grammar.zones import UNREAD_ZONES, ZONE_NAMES

UTC = timezone.utc
MODIFIED = datetime(2025, 3, 1, 12, tzinfo=UTC)
RECEIVED = datetime(2025, 11, 21, 12, tzinfo=UTC)


def at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def in_fields(values: list[str], *, year: int | None = None, day_first: bool = False) -> list[datetime | None]:
    return parse_times(
        pl.Series(values),
        timezone="Asia/Tokyo",
        modified=MODIFIED,
        received=RECEIVED,
        epochs=False,
        year=year,
        day_first=day_first,
    ).to_list()


def in_lines(lines: list[str], *, year: int | None = None, day_first: bool = False) -> list[datetime | None]:
    return detect_times(
        pl.Series(lines),
        timezone="Asia/Tokyo",
        modified=MODIFIED,
        received=RECEIVED,
        year=year,
        day_first=day_first,
    ).to_list()


# The zone of the tests is Tokyo, nine hours east, so that a zone that is overlooked shows.
STAMPS = [
    # Fractions before a zone
    ("2023-04-06T09:05:54,991Z", "2023-04-06T09:05:54.991"),
    ("2023-04-06T09:05:54,9Z", "2023-04-06T09:05:54.900"),
    ("2023-04-06T09:05:54,991234Z", "2023-04-06T09:05:54.991234"),
    ("2023-04-06T09:05:54,991+02:00", "2023-04-06T07:05:54.991"),
    ("2023-04-06 09:05:54,991 UTC", "2023-04-06T09:05:54.991"),
    ("2023-04-06 09:05:54,991UTC", "2023-04-06T09:05:54.991"),
    ("2023-04-06 09:05:54,991 GMT+2", "2023-04-06T07:05:54.991"),
    ("2023-04-06 09:05:54,991", "2023-04-06T00:05:54.991"),
    # Offsets of one digit, behind names, with U+2212
    ("2025-04-12 00:14:20 GMT+2", "2025-04-11T22:14:20"),
    ("2025-04-12 00:14:20 UTC+2:00", "2025-04-11T22:14:20"),
    ("2025-04-12 00:14:20 UTC+02:00", "2025-04-11T22:14:20"),
    ("2025-04-12 00:14:20 UTC +0200", "2025-04-11T22:14:20"),
    ("2025-04-12 00:14:20 GMT+02", "2025-04-11T22:14:20"),
    ("2025-04-12 00:14:20 GMT-5", "2025-04-12T05:14:20"),
    ("2025-04-12 00:14:20+5:30", "2025-04-11T18:44:20"),
    ("2025-04-12T00:14:20+2:00", "2025-04-11T22:14:20"),
    ("2025-04-12T00:14:20 +2", "2025-04-11T22:14:20"),
    ("2025-04-12T00:14:20\u221205:00", "2025-04-12T05:14:20"),
    ("2025-04-12T00:14:20\u22125", "2025-04-12T05:14:20"),
    ("2025-04-12 00:14:20 utc", "2025-04-12T00:14:20"),
    ("6/30/2024, 10:00:00 AM GMT+2", "2024-06-30T08:00:00"),
    ("6/30/2024, 10:00:00\u202fPM GMT+5:30", "2024-06-30T16:30:00"),
    ("6/30/2024, 10:00:00 p. m. UTC", "2024-06-30T22:00:00"),
    # Zones in brackets
    ("2025-04-12 00:14:20 [UTC]", "2025-04-12T00:14:20"),
    ("2025-04-12 00:14:20 (CEST)", "2025-04-11T22:14:20"),
    ("2025-07-12T00:14:20[Europe/Paris]", "2025-07-11T22:14:20"),
    ("Sun Jun 30 2024 10:00:00 GMT+0200 (CEST)", "2024-06-30T08:00:00"),
    ("Sun Jun 30 2024 10:00:00 GMT+0200 (Mitteleuropäische Sommerzeit)", "2024-06-30T08:00:00"),
    ("10/Jul/2024:13:55:36 Europe/Paris", "2024-07-10T11:55:36"),
    # The end of the day, days of the year, of the week, leap seconds
    ("2024-06-30T24:00:00Z", "2024-07-01T00:00:00"),
    ("2024-12-31 24:00 UTC", "2025-01-01T00:00:00"),
    ("30/Jun/2024:24:00:00 +0200", "2024-06-30T22:00:00"),
    ("2012-025T10:22:40,672Z", "2012-01-25T10:22:40.672"),
    ("2024-366T10:22:40Z", "2024-12-31T10:22:40"),
    ("2024-W27-1T10:00:00Z", "2024-07-01T10:00:00"),
    ("2020-W53-5T10:00:00Z", "2021-01-01T10:00:00"),
    ("2016-12-31T18:59:60-05:00", "2017-01-01T00:00:00"),
    # Months of other languages
    ("15-Mär-2024 18:54:42.585 UTC", "2024-03-15T18:54:42.585"),
    ("15-MÄR-2024 18:54:42.585 UTC", "2024-03-15T18:54:42.585"),
    ("15. Dezember 2024 18:54:42 UTC", "2024-12-15T18:54:42"),
    ("03/ene/2016 11:52:14Z", "2016-01-03T11:52:14"),
    ("3 de agosto de 2016 11:52:14Z", "2016-08-03T11:52:14"),
    ("août 19 11:08:37 UTC", "2024-08-19T11:08:37"),
    ("sept. 19 11:08:37 UTC", "2024-09-19T11:08:37"),
    ("19 juil. 2024 11:08:37 UTC", "2024-07-19T11:08:37"),
    ("02-mrt-2024 11:08:37 UTC", "2024-03-02T11:08:37"),
    ("02 fev 2024 11:08:37 UTC", "2024-02-02T11:08:37"),
    ("02 gen 2024 11:08:37 UTC", "2024-01-02T11:08:37"),
    # What is not understood makes the stamp none
    ("2024-06-30T24:00:01Z", None),
    ("2024-06-30T24:30:00Z", None),
    ("2024-06-30T25:00:00Z", None),
    ("2024-06-30T10:60:00Z", None),
    ("2024-06-30T10:00:99Z", None),
    ("2024-02-30T10:00:00Z", None),
    ("2023-366T10:22:40Z", None),
    ("2024-W53-1T10:00:00Z", None),
    ("2024-W27-8T10:00:00Z", None),
    ("2024-06-30T10:00:00+25:00", None),
    ("2024-06-30T10:00:00 +25:00", None),
    ("2024-06-30T10:00:00+02:00:30", None),
    ("2024-06-30T10:00:00+2:0", None),
    ("2024-06-30T10:00:00-0700x", None),
    ("2024-06-30T10:00:00-12345", None),
    ("2024-06-30T10:00:00 +0260", None),
    ("2024-06-30T10:00:00\u2212", "2024-06-30T01:00:00"),
    ("2024-06-30T10:00:00Q", None),
    ("2024-06-30T10:00:00 GMT+25", None),
    ("Jun 30 10:00:00 PM", None),
    ("30/Foo/2024:10:00:00 +0200", None),
    ("2024-06-30 10:00:00 [IST]", None),
    *((f"2024-06-30 10:00:00 {zone}", None) for zone in UNREAD_ZONES),
]


@pytest.mark.parametrize(("stamp", "expected"), STAMPS, ids=[stamp for stamp, _ in STAMPS])
def test_a_stamp_is_read_whole_or_not_at_all(stamp: str, expected: str | None) -> None:
    alone = stamp.removesuffix("\u2212")
    assert in_fields([alone]) == [at(expected)]
    for line in ("{} INFO x", "[{}] INFO x", "{}", "{} then 2025-01-03 03:04:05Z"):
        assert in_lines([line.format(stamp)]) == [at(expected)], line


def test_columns_of_all_stamps() -> None:
    stamps = [stamp for stamp, _ in STAMPS if not stamp.endswith("\u2212")] * 3
    expected = [at(expected) for stamp, expected in STAMPS if not stamp.endswith("\u2212")] * 3
    assert in_fields(stamps) == expected
    assert in_lines([f"{stamp} INFO x" for stamp in stamps]) == expected


@pytest.mark.parametrize("name", MONTH_NUMBERS)
def test_month_names(name: str) -> None:
    expected = [datetime(2024, int(MONTH_NUMBERS[name]), 5, 10, tzinfo=UTC)]
    for stamp in (f"5 {name} 2024 10:00:00Z", f"05/{name.upper()}/2024:10:00:00 +0000", f"5 {name}. 2024 10:00:00Z"):
        assert in_fields([stamp]) == in_lines([f"{stamp} x"]) == expected, stamp


_EVENT = "<Event xmlns='http://schemas.example/event'><System><Provider Name='Sysmon' Guid='{5770385f-c22a-43e0}'/>"
LINES = [
    # Windows' events as XML: their time stands beyond the first 128 characters, and in either kind of quotes
    (
        f"{_EVENT}{'<Level>4</Level>' * 9}<TimeCreated SystemTime='2024-06-30T10:00:01.1234567Z'/>",
        "2024-06-30T10:00:01.123456",
    ),
    (
        f'{_EVENT}<TimeCreated RawTime="1" SystemTime="2024-06-30T10:00:01Z"/><Data>2025-01-03</Data>',
        "2024-06-30T10:00:01",
    ),
    ("<Event> 2024-06-30 10:00:00 <TimeCreated/>", "2024-06-30T01:00:00"),
    (f"{_EVENT}<TimeCreated SystemTime='yesterday evening'/><Data>2024-06-30 10:00:00Z</Data>", None),
    ("2024-13-01 10:00:00 was 2025-01-03 03:04:05Z", None),
    ("<34>Foo 12 10:00:00 host x 2025-01-03 03:04:05Z", None),
    ("[2024-02-30T10:00:00Z] 2025-01-03 03:04:05Z", None),
    ("seen 2024-13-01 10:00:00, 2025-01-03 03:04:05Z", "2025-01-03T03:04:05"),
    ("2024-06-30 10:00:00 -1.5 degrees", None),
    ("2024-06-30 10:00:00 - 5 items", "2024-06-30T01:00:00"),
    ("2024-06-30 10:00:00,17,ok", "2024-06-30T01:00:00"),
    ("2024-06-30 10:00:00,550e8400-e29b,ok", "2024-06-30T01:00:00"),
    ("2024-06-30 10:00:00Z_x", None),
    ("2024-06-30 10:00:00 Zürich", "2024-06-30T01:00:00"),
    # Full stamps beside yearless ones
    ("Jun 30 10:00:06 fw CEF:0|V|P|1|100|login|5|rt=Jun 30 2023 10:00:06 UTC src=x", "2023-06-30T10:00:06"),
    ("Jun 30 10:00:06 fw CEF:0|V|P|1|100|login|5|rt=1688119206000 src=x", "2023-06-30T10:00:06"),
    ("Dec 31 23:00:00 fw x: 2023-01-01T00:30:00Z", "2023-01-01T00:30:00"),
    ("Feb 29 10:00:00 fw x: 2020-02-29T01:30:00Z", "2020-02-29T01:30:00"),
    ("Jun 30 10:00:06 fw x: expires 2023-08-01 10:00:00Z", "2024-06-30T01:00:06"),
    ("Jun 30 10:00:06 fw " + "y" * 240 + " 2023-06-30 10:00:06Z", "2024-06-30T01:00:06"),
    # Epochs
    ("1719741600.021    180 192.0.2.224 TCP_MISS/200", "2024-06-30T10:00:00.021"),
    ("1719741608.937\t203.0.113.21\t0.332", "2024-06-30T10:00:08.937"),
    ("1719741603123 Hello", "2024-06-30T10:00:03.123"),
    ("1719741603123456 Hello", "2024-06-30T10:00:03.123456"),
    ("[1719741604.262003500|INFO](node) hello", "2024-06-30T10:00:04.262003"),
    ("ts=1719741601.123 caller=main.go:1", "2024-06-30T10:00:01.123"),
    ('level=info time="1719741601" x', "2024-06-30T10:00:01"),
    ("CEF:0|V|P|1|100|login|5|rt=1719741605000 src=x", "2024-06-30T10:00:05"),
    ("LEEF:2.0|V|P|1|100|devTime=1719741605000\tsrc=x", "2024-06-30T10:00:05"),
    ("logver=60 eventtime=1715366267369913239 x=y", "2024-05-10T18:37:47.369913"),
    ("171974160 is a number", None),
    ("17197416001 is a number", None),
    ("1719741600abc is a name", None),
    ("port=1719741600", None),
    # Zones of their own key
    ('date=2024-05-10 time=11:37:47 devname="x" tz="-0700"', "2024-05-10T18:37:47"),
    ('<30>device="x" date=2020-05-18 time=14:39:09 timezone="CEST" x=y', "2020-05-18T12:39:09"),
    ('date=2024-05-10 time=11:37:47 tz="UTC+2:00"', "2024-05-10T09:37:47"),
    ("date=2024-05-10 time=11:37:47 tz=Europe/Paris", "2024-05-10T09:37:47"),
    ('date=2024-05-10 time=11:37:47 timezone="IST"', None),
    ('date=2024-05-10 time=11:37:47Z tz="-0700"', "2024-05-10T11:37:47"),
    ('logver=60 timestamp=1591368557 tz="UTC+2:00"', "2020-06-05T14:49:17"),
    ('date=2024-05-10 time=11:37:47 tz=""', "2024-05-10T02:37:47"),
]


@pytest.mark.parametrize(("line", "expected"), LINES, ids=[line[:50] for line, _ in LINES])
def test_lines(line: str, expected: str | None) -> None:
    assert in_lines([line]) == [at(expected)]


def test_a_column_of_all_lines() -> None:
    assert in_lines([line for line, _ in LINES]) == [at(expected) for _, expected in LINES]


@pytest.mark.parametrize(
    ("stamp", "year", "day_first", "expected"),
    [
        ("Feb 11 20:44:26Z", 2019, False, "2019-02-11T20:44:26"),
        ("Feb 29 20:44:26Z", 2019, False, None),
        ("2018-02-11 20:44:26Z", 2019, False, "2018-02-11T20:44:26"),
        ("04/08/2024 10:00:00Z", None, True, "2024-08-04T10:00:00"),
        ("04/18/2024 10:00:00Z", None, True, "2024-04-18T10:00:00"),
        ("04/08/2024 10:00:00Z", None, False, "2024-04-08T10:00:00"),
    ],
)
def test_years_and_days_as_asked(stamp: str, year: int | None, day_first: bool, expected: str | None) -> None:  # noqa: FBT001
    for values in ([stamp], [stamp] * 300):
        assert set(in_fields(values, year=year, day_first=day_first)) == {at(expected)}
        assert set(in_lines([f"{value} x" for value in values], year=year, day_first=day_first)) == {at(expected)}


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"11/03/2024 10:00:00 a\n20/10/2024 10:00:01 b\n", True),
        (b"11/03/2024 10:00:00 a\n10/20/2024 10:00:01 b\n", False),
        (b"20/10/2024 10:00:01 b\n10/20/2024 10:00:01 b\n", False),
        (b"11/03/2024 10:00:00 paid on 20/10/2024\n", False),
        (b"", False),
    ],
)
def test_the_order_of_an_object_s_dates(head: bytes, expected: bool) -> None:  # noqa: FBT001
    assert head_is_day_first(head) is expected


# --- a grammar's stamps


def _fraction(rng: random.Random) -> tuple[str, int]:
    digits = rng.choice((0, 1, 3, 6, 9))
    if not digits:
        return "", 0
    text = f"{rng.randrange(10**digits):0{digits}}"
    mark = rng.choice((".", ",")) if digits in (3, 6, 9) else "."
    return mark + text, int((text + "000000")[:6])


# Names that the tz database of today lacks, or has for several offsets: RFC 822 §5.1, and German and Singapore's.
NOT_BY_TZDATA = {
    "UT": 0, "Z": 0, "z": 0, "utc": 0, "gmt": 0, "CST": -360, "CDT": -300, "PST": -480, "MEZ": 60, "MESZ": 120,
    "SGT": 480,
}  # fmt: skip


def _offsets_of_today() -> dict[str, set[int]]:
    """Return the minutes east of UTC that the tz database's zones use each abbreviation for."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for name in zoneinfo.available_timezones() - {"localtime"}:
        for month in (1, 7):
            moment = datetime(2024, month, 15, tzinfo=zoneinfo.ZoneInfo(name))
            offset = moment.utcoffset()
            assert offset is not None
            found[str(moment.tzname())].add(int(offset.total_seconds()) // 60)
    return {name: offsets for name, offsets in found.items() if name[0] not in "+-"}


def test_names_of_zones_are_those_of_the_tz_database() -> None:
    today = _offsets_of_today()
    assert NOT_BY_TZDATA.keys() <= ZONE_NAMES.keys()
    for name, east in ZONE_NAMES.items():
        assert {east} == ({NOT_BY_TZDATA[name]} if name in NOT_BY_TZDATA else today[name]), name
    assert today.keys() - ZONE_NAMES.keys() - set(UNREAD_ZONES) <= {"CAT", "-00"}, "CAT is a word too"


@pytest.mark.parametrize("form", ["{}", "({})"], ids=["bare", "in brackets"])
def test_every_name_of_a_zone_is_read(form: str) -> None:
    stamps = [f"2024-06-30 10:00:00 {form.format(name)}" for name in ZONE_NAMES]
    expected = [datetime(2024, 6, 30, 10, tzinfo=UTC) - timedelta(minutes=east) for east in ZONE_NAMES.values()]
    assert in_fields(stamps) == expected
    assert in_lines([f"{stamp} x" for stamp in stamps]) == expected
    assert [in_fields([stamp] * 2) for stamp in stamps] == [[time] * 2 for time in expected], "read by their places"


def _zone(rng: random.Random) -> tuple[str, int | None]:
    """A zone and the minutes that it is east of UTC; None if nobody can know."""
    hours, minutes, sign = rng.randrange(13), rng.choice((0, 30)), rng.choice("+-\u2212")
    east = (-1 if sign != "+" else 1) * (hours * 60 + minutes)
    long = rng.choice((f"{hours:02}:{minutes:02}", f"{hours:02}{minutes:02}", f"{hours}:{minutes:02}"))
    whole = (-1 if sign != "+" else 1) * hours * 60
    return rng.choice(
        (
            ("Z", 0),
            (" UTC", 0),
            (" CEST", 120),
            (" (CET)", 60),
            (f"{sign}{long}", east),
            (f" {sign}{long}", east),
            (f" GMT{sign}{long}", east),
            (f" UTC{sign}{hours}", whole),
            (f"{sign}{hours:02}", whole),
            (" IST", None),
            ("+99:00", None),
            (" GMT+77", None),
        )
    )


def _random_stamp(rng: random.Random) -> tuple[str, datetime | None]:
    when = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(35 * 365 * 86400))
    fraction, micros = _fraction(rng)
    zone, east = _zone(rng)
    name = rng.choice([name for name, number in MONTH_NUMBERS.items() if int(number) == when.month])
    clock = f"{when:%H:%M:%S}{fraction}"
    iso = when.isocalendar()
    date = rng.choice(
        (
            f"{when:%Y-%m-%dT}",
            f"{when:%Y-%m-%d }",
            f"{when:%Y/%m/%d }",
            f"{when:%Y-%jT}",
            f"{iso.year}-W{iso.week:02}-{iso.weekday}T",
            f"{when.day:02}/{name}/{when.year}:",
            f"{when.day} {name} {when.year} ",
            f"{name} {when.day}, {when.year} ",
        )
    )
    if rng.random() < 0.03 and not zone.startswith(" "):  # behind a blank it begins another word
        zone, east = zone + "x", None
    if east is None:
        return date + clock + zone, None
    return date + clock + zone, when + timedelta(microseconds=micros) - timedelta(minutes=east)


def _check_random_stamps(count: int) -> None:
    rng = random.Random(13)
    drawn = [_random_stamp(rng) for _ in range(count)]
    stamps, expected = [stamp for stamp, _ in drawn], [time for _, time in drawn]
    fields = in_fields(stamps)
    lines = in_lines([rng.choice(("{} INFO x", "[{}] x", "<34>{} x")).format(stamp) for stamp in stamps])
    wrong = [
        (stamp, time, field, line)
        for stamp, time, field, line in zip(stamps, expected, fields, lines, strict=True)
        if not time == field == line
    ]
    assert wrong == []


def test_random_stamps() -> None:
    _check_random_stamps(1000)


@pytest.mark.slow
def test_many_random_stamps() -> None:
    _check_random_stamps(many(10_000))
