"""Java's time patterns, as `java.time.format.DateTimeFormatter` reads them."""

from __future__ import annotations

from datetime import datetime, timezone

import polars as pl
import pytest

from transforms.errors import ConfigurationError
from transforms.processors.java_patterns import translate
from transforms.timestamps import Form, parse_times

UTC = timezone.utc
MODIFIED = RECEIVED = datetime(2025, 11, 21, 12, tzinfo=UTC)


def read(pattern: str, value: str) -> datetime | None:
    form = Form("custom", translate(pattern), exact=True)
    column = parse_times(pl.Series([value]), timezone="UTC", modified=MODIFIED, received=RECEIVED, epochs=False, forms=(form,))
    return column.to_list()[0]


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
    ],
)
def test_reads(pattern: str, value: str, expected: str | None) -> None:
    assert read(pattern, value) == (None if expected is None else datetime.fromisoformat(expected).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("YYYY-MM-dd", "character 1 of 'YYYY-MM-dd': 'YYYY' can't be read (week year; write yyyy)"),
        ("yyyy-DDD", "character 6 of 'yyyy-DDD': 'DDD' can't be read (day of the year)"),
        ("yyyy-MM-dd kk:mm", "character 12 of 'yyyy-MM-dd kk:mm': 'kk' can't be read (hour from 1 to 24; write HH)"),
        ("yyyy-MM-dd VV", "character 12 of 'yyyy-MM-dd VV': 'VV' can't be read"),
        ("yyyy-MM-dd yyyy", "character 12 of 'yyyy-MM-dd yyyy': the year stands twice"),
        ("HH:mm:ss", "character 1 of 'HH:mm:ss': says no day and no month"),
        ("yyyy-MM", "character 1 of 'yyyy-MM': says no day"),
        ("yyyy-MM-dd hh:mm", "character 1 of 'yyyy-MM-dd hh:mm': h and a belong together"),
        ("yyyy-MM-dd HH:mm a", "character 1 of 'yyyy-MM-dd HH:mm a': h and a belong together"),
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
