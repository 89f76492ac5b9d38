"""Times and spans as people write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from transforms.core.errors import ConfigurationError
from transforms.query.instants import format_instant, parse_instant, parse_span

TIMES = {
    "2025-08-11": "2025-08-11T00:00:00Z",
    "2025-08-11T22:24": "2025-08-11T22:24:00Z",
    "2025-08-11 22:24:37": "2025-08-11T22:24:37Z",
    "2025-08-11T22:24:37Z": "2025-08-11T22:24:37Z",
    "2025-08-11t22:24:37z": None,
    "2025-08-11T22:24:37.5Z": "2025-08-11T22:24:37.500000Z",
    "2025-08-11T22:24:37,123456789Z": "2025-08-11T22:24:37.123456Z",
    "2025-08-11T22:24:37+02:00": "2025-08-11T20:24:37Z",
    "2025-08-11T22:24:37-0530": "2025-08-12T03:54:37Z",
    "2025-08-11T22:24:37 +02": "2025-08-11T20:24:37Z",
    "2025-02-30": None,
    "2025-08-11T24:00:00Z": None,
    "2025-08-11T22:24:37+25:00": None,
    "0001-01-01T00:00:00+01:00": None,
    "2025-08": None,
    "yesterday": None,
    "1754951077": None,
    "": None,
    "2025-08-11Z": None,
}


@pytest.mark.parametrize(("text", "expected"), TIMES.items(), ids=TIMES.keys())
def test_instant(text: str, expected: str | None) -> None:
    found = parse_instant(text)
    assert (None if found is None else format_instant(found)) == expected


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("45s", timedelta(seconds=45)),
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_span(text: str, span: timedelta) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize("text", ["", "7", "d", "7 d", "-7d", "0d", "7D", "7d12h", "1.5h", "99999999999d", "7x"])
def test_span_that_is_none(text: str) -> None:
    with pytest.raises(ConfigurationError, match="length of time|longer than"):
        parse_span(text)


def test_instant_is_utc() -> None:
    assert parse_instant("2025-08-11T22:24:37+02:00") == datetime(2025, 8, 11, 20, 24, 37, tzinfo=timezone.utc)
