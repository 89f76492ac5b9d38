"""Lengths of time: what is read, and what is said of all else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from transforms.core.errors import ConfigurationError
from transforms.retention.durations import format_duration, parse_duration

ALLOWED = "allowed is a whole number above 0 and m, h, d or w, as in 90m, 12h, 30d, 2w (a day is 24 hours)"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(days=14)),
        ("007d", timedelta(days=7)),
        ("1825000d", timedelta(days=1_825_000)),
    ],
)
def test_reads(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length == parse_duration(text, zero=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (30, f"30 has no unit; {ALLOWED}"),
        (0, f"0 has no unit; {ALLOWED}"),
        (1.5, f"1.5 has no unit; {ALLOWED}"),
        ("30", f"'30' is not a length of time; {ALLOWED}"),
        ("0", f"'0' is not a length of time; {ALLOWED}"),
        ("0d", f"'0d' is not a length of time; {ALLOWED}"),
        ("30s", f"'30s' is not a length of time; {ALLOWED}"),
        ("1.5d", f"'1.5d' is not a length of time; {ALLOWED}"),
        ("-1d", f"'-1d' is not a length of time; {ALLOWED}"),
        ("1d12h", f"'1d12h' is not a length of time; {ALLOWED}"),
        (" 1d", f"' 1d' is not a length of time; {ALLOWED}"),
        ("1D", f"'1D' is not a length of time; {ALLOWED}"),
        ("\u0661d", f"'\u0661d' is not a length of time; {ALLOWED}"),
        ("", f"'' is not a length of time; {ALLOWED}"),
        (True, f"True is not a length of time; {ALLOWED}"),
        (None, f"None is not a length of time; {ALLOWED}"),
        (["1d"], f"['1d'] is not a length of time; {ALLOWED}"),
        ("99999999999d", '"99999999999d" is longer than there are dates'),
        ("9" * 5000 + "w", '"' + "9" * 5000 + 'w" is longer than there are dates'),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_refuses(text: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_duration(text)
    assert str(error.value) == message


@pytest.mark.parametrize("text", ["0", "0d", "00w"])
def test_no_time_at_all_where_that_will_do(text: str) -> None:
    assert parse_duration(text, zero=True) == timedelta()


def test_says_that_zero_will_do() -> None:
    with pytest.raises(
        ConfigurationError, match=r"'7' is not a length of time; allowed is .*\(a day is 24 hours\); or 0"
    ):
        parse_duration("7", zero=True)


@pytest.mark.parametrize(
    ("text", "shown"), [("90m", "90m"), ("120m", "2h"), ("48h", "2d"), ("2w", "14d"), ("1825000d", "1825000d")]
)
def test_writes(text: str, shown: str) -> None:
    assert format_duration(parse_duration(text)) == shown
    assert parse_duration(shown) == parse_duration(text)
