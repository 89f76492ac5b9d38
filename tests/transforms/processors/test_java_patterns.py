"""Java's time patterns, as `java.time.format.DateTimeFormatter` reads them."""

from __future__ import annotations

from datetime import datetime, timezone

import polars as pl
import pytest

from transforms.core.errors import ConfigurationError
from transforms.processors.kernels.java_patterns import translate
from transforms.processors.kernels.java_times import read_java_times

UTC = timezone.utc
MODIFIED = RECEIVED = datetime(2025, 11, 21, 12, tzinfo=UTC)


def read(pattern: str, value: str) -> datetime | None:
    """Read a value among others, by itself, and where nothing stands."""
    texts = pl.Series(["x", value, None, value])
    column = read_java_times(texts, translate(pattern), timezone="UTC", modified=MODIFIED, received=RECEIVED)
    alone = read_java_times(texts.slice(1, 1), translate(pattern), timezone="UTC", modified=MODIFIED, received=RECEIVED)
    assert column.to_list() == [None, alone[0], None, alone[0]]
    found: datetime | None = alone[0]
    return found


ZONES = {
    "CET": "2025-07-02T01:04:00", "CEST": "2025-07-02T01:04:00", "MET": "2025-07-02T01:04:00",
    "PST": "2025-07-02T10:04:00",
    "EST": "2025-07-02T07:04:00", "MST": "2025-07-02T09:04:00", "CST": "2025-07-02T08:04:00",
    "HST": "2025-07-02T13:04:00",
    "JST": "2025-07-01T18:04:00", "WET": "2025-07-02T02:04:00", "EET": "2025-07-02T00:04:00",
    "MSK": "2025-07-02T00:04:00",
    "AEST": "2025-07-01T17:04:00", "NZDT": "2025-07-01T15:04:00", "AKDT": "2025-07-02T11:04:00",
    "NST": "2025-07-02T05:34:00",
    "ACDT": "2025-07-01T17:34:00", "SAST": "2025-07-02T01:04:00", "AST": "2025-07-02T06:04:00",
    "PT": "2025-07-02T10:04:00",
    "+02:00": "2025-07-02T01:04:00", "Z": "2025-07-02T03:04:00", "UTC": "2025-07-02T03:04:00",
    "UT": "2025-07-02T03:04:00",
    "UTC+02:00": "2025-07-02T01:04:00", "Europe/Berlin": "2025-07-02T01:04:00",
    "America/New_York": "2025-07-02T07:04:00",
    "EAT": "2025-07-02T00:04:00", "NPT": "2025-07-01T21:19:00", "ART": "2025-07-02T06:04:00",
    "Zulu": "2025-07-02T03:04:00",
    "+0200": None, "MEZ": None, "IST": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("yyyy-MM-dd", "2025-01-02", "2025-01-02T00:00:00"),
        ("uuuu-MM-dd'T'HH:mm:ss.SSSXXX", "2025-01-02T03:04:05.678+01:00", "2025-01-02T02:04:05.678000"),
        ("yyyy-MM-dd'T'HH:mm:ssX", "2025-01-02T03:04:05Z", "2025-01-02T03:04:05"),
        ("yyyy-MM-dd'T'HH:mm:ssX", "2025-01-02T03:04:05-07", "2025-01-02T10:04:05"),
        ("yyyyMMddHHmmssSSS", "20250102030405678", "2025-01-02T03:04:05.678000"),
        ("yyMMdd HHmm", "250102 0304", "2025-01-02T03:04:00"),
        ("dd/MMM/yyyy:HH:mm:ss Z", "10/Oct/2011:13:55:36 -0700", "2011-10-10T20:55:36"),
        ("EEE, d MMM yyyy HH:mm:ss z", "Sun, 6 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37"),
        ("EEEE, MMMM d, yyyy h:mm a", "Thursday, January 2, 2025 3:04 PM", "2025-01-02T15:04:00"),
        ("MMM ppd HH:mm:ss", "Mar  7 13:06:56", "2025-03-07T13:06:56"),
        ("M/d/yy h:mm:ss a", "1/2/25 12:04:05 AM", "2025-01-02T00:04:05"),
        ("yyyy-MM-dd HH:mm[:ss[.SSSSSSSSS]]", "2025-01-02 03:04", "2025-01-02T03:04:00"),
        ("yyyy-MM-dd HH:mm[:ss[.SSSSSSSSS]]", "2025-01-02 03:04:05", "2025-01-02T03:04:05"),
        ("yyyy-MM-dd HH:mm[:ss[.SSSSSSSSS]]", "2025-01-02 03:04:05.123456789", "2025-01-02T03:04:05.123456"),
        ("'o''clock' H 'on' d.M.yyyy", "o'clock 3 on 2.1.2025", "2025-01-02T03:00:00"),
        ("yyyy年MM月dd日 HH:mm", "2025年01月02日 03:04", "2025-01-02T03:04:00"),
        ("yyyy.MM.dd|HH:mm", "2025.01.02|03:04", "2025-01-02T03:04:00"),
        ("yyyy.MM.dd", "2025x01x02", None),
        ("yyyy-MM-dd HH:mm", "2025-01-02 3:04", None),
        ("yyyy-MM-dd SSS", "2025-01-02 12", None),
        ("yyyy-MM-dd", "2025-01-02 ", "2025-01-02T00:00:00"),
        ("yyyy-MM-dd", "[2025-01-02]", None),
        # by the JDK (17.0.15, Locale.ENGLISH)
        *(("yyyy-MM-dd HH:mm z", f"2025-07-02 03:04 {zone}", expected) for zone, expected in ZONES.items()),
        ("yyyy-MM-dd HH:mm z", "2025-01-02 03:04 PDT", "2025-01-02T11:04:00"),
        ("yyyy-MM-dd HH:mm z", "2025-01-02 03:04 CEST", "2025-01-02T02:04:00"),
        ("yyyy-MM-dd HH:mm:ss", "2025-07-02 24:00:00", "2025-07-03T00:00:00"),
        ("yyyy-MM-dd HH:mm:ss", "2024-12-31 24:00:00", "2025-01-01T00:00:00"),
        ("yyyy-MM-dd HH:mm:ss", "2025-07-02 24:00:01", None),
        ("yyyy-MM-dd H:mm", "2025-07-02 24:00", "2025-07-03T00:00:00"),
        ("yyyy-MM-dd HH", "2025-07-02 24", "2025-07-03T00:00:00"),
        ("yyyy-MM-dd HH:mm:ss.SSS", "2025-07-02 24:00:00.000", "2025-07-03T00:00:00"),
        ("yyyy-MM-dd HH:mm:ss.SSS", "2025-07-02 24:00:00.001", None),
        ("yyyy-MM-dd HH:mm", "2025-07-02 25:00", None),
        ("yyyy-MM-dd kk:mm:ss", "2025-07-02 24:10:00", "2025-07-02T00:10:00"),
        ("yyyy-MM-dd k:mm", "2025-07-02 1:10", "2025-07-02T01:10:00"),
        ("yyyy-MM-dd K:mm a", "2025-07-02 0:10 PM", "2025-07-02T12:10:00"),
        ("yyyy-MM-dd K:mm a", "2025-07-02 12:10 PM", None),
        ("yyyy-MM-dd KK:mm a", "2025-07-02 11:10 AM", "2025-07-02T11:10:00"),
        ("yyyy-MM-dd HH:mm a", "2025-07-02 13:10 PM", "2025-07-02T13:10:00"),
        ("yyyy-MM-dd HH:mm a", "2025-07-02 13:10 AM", None),
        ("yyyy-MM-dd HH:mm a", "2025-07-02 01:10 PM", None),
        ("yy-MM-dd", "24-01-02", "2024-01-02T00:00:00"),
        ("yy-MM-dd", "99-01-02", None),  # 2099, which is not believed
        ("EEE yyyy-MM-dd", "Wed 2025-07-02", "2025-07-02T00:00:00"),
        ("EEE yyyy-MM-dd", "Thu 2025-07-02", None),
        ("EEE MMM d HH:mm", "Wed Jul 2 03:04", "2025-07-02T03:04:00"),
        ("yyyy-DDD", "2025-183", "2025-07-02T00:00:00"),
        ("yyyy-D", "2025-2", "2025-01-02T00:00:00"),
        ("yyyyDDD HH", "2024366 03", "2024-12-31T03:00:00"),
        ("yyyy-DDD", "2025-366", None),
        ("yyyy-DDD", "2025-000", None),
        ("yyyy-MM-dd HH:mm VV", "2025-07-02 03:04 CET", "2025-07-02T01:04:00"),
        ("yyyy-MM-dd HH:mm'['VV']'", "2025-07-02 03:04[Asia/Tokyo]", "2025-07-01T18:04:00"),
        ("yyyy-MM-dd HH:mm VV", "2025-07-02 03:04 Mars/Base", None),
        ("yyyy-MM-dd HH:mm O", "2025-07-02 03:04 GMT+2", "2025-07-02T01:04:00"),
        ("yyyy-MM-dd HH:mm O", "2025-07-02 03:04 GMT-2:30", "2025-07-02T05:34:00"),
        ("yyyy-MM-dd HH:mm O", "2025-07-02 03:04 GMT+11", "2025-07-01T16:04:00"),
        ("yyyy-MM-dd HH:mm O", "2025-07-02 03:04 GMT", "2025-07-02T03:04:00"),
        ("yyyy-MM-dd HH:mm O", "2025-07-02 03:04 UTC+2", None),
        ("yyyy-MM-dd HH:mm OOOO", "2025-07-02 03:04 GMT+02:00", "2025-07-02T01:04:00"),
        ("yyyy-MM-dd HH:mm ZZZZ", "2025-07-02 03:04 GMT-02:00", "2025-07-02T05:04:00"),
        ("yyyy-MM-dd HH:mm ZZZZ", "2025-07-02 03:04 GMT", "2025-07-02T03:04:00"),
        ("yyyy-MM-dd HH:mm XXXX", "2025-07-02 03:04 +0200", "2025-07-02T01:04:00"),
        ("yyyy-MM-dd HH:mm XXXX", "2025-07-02 03:04 +020000", "2025-07-02T01:04:00"),
        ("yyyy-MM-dd HH:mm XXXX", "2025-07-02 03:04 Z", "2025-07-02T03:04:00"),
        ("yyyy-MM-dd HH:mm xxxxx", "2025-07-02 03:04 +02:00", "2025-07-02T01:04:00"),
        ("yyyy-MM-dd HH:mm:ss.n", "2025-07-02 03:04:05.123000", "2025-07-02T03:04:05.000123"),
        ("yyyy-MM-dd HH:mm:ss.nnnnnnnnn", "2025-07-02 03:04:05.123456789", "2025-07-02T03:04:05.123456"),
        ("yyyy-MM-dd A", "2025-07-02 3723004", "2025-07-02T01:02:03.004000"),
        ("yyyy-MM-dd A", "2025-07-02 86400000", None),
        ("yyyy-MM-dd N", "2025-07-02 3723004000000", "2025-07-02T01:02:03.004000"),
        ("yyyy-MM-dd HH:mm:ss[.SSSSSS][.SSS]", "2025-07-02 03:04:05", "2025-07-02T03:04:05"),
        ("yyyy-MM-dd HH:mm:ss[.SSSSSS][.SSS]", "2025-07-02 03:04:05.123", "2025-07-02T03:04:05.123000"),
        ("yyyy-MM-dd HH:mm:ss[.SSSSSS][.SSS]", "2025-07-02 03:04:05.123456", "2025-07-02T03:04:05.123456"),
        ("yyyy-MM-dd'T'HH:mm:ss[XXX][X]", "2025-07-02T03:04:05+02", "2025-07-02T01:04:05"),
        ("yyyy-MM-dd'T'HH:mm:ss[XXX][X]", "2025-07-02T03:04:05+02:00", "2025-07-02T01:04:05"),
        ("[yyyy-MM-dd][dd/MM/yyyy] HH:mm", "02/07/2025 03:04", "2025-07-02T03:04:00"),
        ("[yyyy-MM-dd][dd/MM/yyyy] HH:mm", "2025-07-02 03:04", "2025-07-02T03:04:00"),
        ("[yyyy-MM-dd][dd/MM/yyyy] HH:mm", " 03:04", None),
    ],
)
def test_reads(pattern: str, value: str, expected: str | None) -> None:
    assert read(pattern, value) == (None if expected is None else datetime.fromisoformat(expected).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("YYYY-MM-dd", "character 1 of 'YYYY-MM-dd': 'YYYY' can't be read (week year; write yyyy)"),
        ("DDD", "character 1 of 'DDD': D, the day of the year, goes with a year"),
        ("yyyy-MM-dd zzzz", "character 12 of 'yyyy-MM-dd zzzz': 'zzzz' can't be read (long zone names; write z)"),
        ("yyyy-MM-dd B", "character 12 of 'yyyy-MM-dd B': 'B' can't be read"),
        ("yyyy-MM-dd a", "character 1 of 'yyyy-MM-dd a': h and a belong together"),
        ("yyyy-MM-dd yyyy", "character 12 of 'yyyy-MM-dd yyyy': the year stands twice"),
        ("HH:mm:ss", "character 1 of 'HH:mm:ss': has no day and no month"),
        ("yyyy-MM", "character 1 of 'yyyy-MM': has no day"),
        ("yyyy-MM-dd hh:mm", "character 1 of 'yyyy-MM-dd hh:mm': h and a belong together"),
        ("yyyy-MM-dd'T", 'character 11 of "yyyy-MM-dd\'T": the quote is not closed'),
        ("yyyy-MM-dd[HH", "character 13 of 'yyyy-MM-dd[HH': the square brackets don't match"),
        ("yyyy]-MM-dd[", "the square brackets don't match"),
        ("yyyy-MM-dd {x}", "character 12 of 'yyyy-MM-dd {x}': '{' is reserved; put it in single quotes"),
        ("ISO-8601", "character 1 of 'ISO-8601': 'I' can't be read"),
    ],
)
def test_refuses(pattern: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        translate(pattern)
    assert message in str(error.value)
