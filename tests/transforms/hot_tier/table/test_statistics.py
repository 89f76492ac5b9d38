"""Statistics are bounds that hold, in the form that every reader of Delta tables takes."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.hot_tier.table.statistics import (
    ColumnStatistics,
    complete_statistics,
    lower_bound,
    statistics_json,
    statistics_property,
    time_text,
    upper_bound,
)


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (1_754_951_077_123_456, "2025-08-11T22:24:37.123456Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_time_text(microseconds: int, text: str) -> None:
    assert time_text(microseconds) == text


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("", "", ""),
        ("x" * 64, "x" * 64, "x" * 64),
        ("x" * 65, "x" * 64, "x" * 63 + "y"),
        ("x" * 63 + "\ud7ff" + "z", "x" * 63 + "\ud7ff", "x" * 63 + "\ue000"),
        ("x" * 62 + "\U0010ffff" * 9, "x" * 62 + "\U0010ffff" * 2, "x" * 61 + "y"),
        ("\U0010ffff" * 70, "\U0010ffff" * 64, "\U0010ffff" * 70),
    ],
    ids=["empty", "just-fits", "one-more", "before-surrogates", "last-code-points", "nothing-above"],
)
def test_bounds(value: str, low: str, high: str) -> None:
    assert (lower_bound(value), upper_bound(value)) == (low, high)


@given(st.text(min_size=50, max_size=90))
def test_bounds_hold_byte_by_byte(value: str) -> None:
    assert lower_bound(value).encode() <= value.encode() <= upper_bound(value).encode()
    assert (lower_bound(value) == upper_bound(value)) == (len(value) <= 64 or upper_bound(value) == lower_bound(value))
    if len(value) > 64 and upper_bound(value) != value:
        assert lower_bound(value) != upper_bound(value), "equal bounds say that all values are equal"


def test_json_of_a_file() -> None:
    made = statistics_json(
        3,
        min_time=0,
        max_time=1_500_000,
        columns={
            "_object": ColumnStatistics(0, "a", "b"),
            "host": ColumnStatistics(3, None, None),
            "k8s.pod": ColumnStatistics(1, "", "ü"),
        },
    )
    assert orjson.loads(made) == {
        "numRecords": 3,
        "minValues": {"_time": "1970-01-01T00:00:00.000000Z", "_object": "a", "k8s.pod": ""},
        "maxValues": {"_time": "1970-01-01T00:00:01.500000Z", "_object": "b", "k8s.pod": "ü"},
        "nullCount": {"_time": 0, "_object": 0, "host": 3, "k8s.pod": 1},
    }


def test_columns_that_were_added_since_are_null() -> None:
    made = statistics_json(
        2,
        min_time=0,
        max_time=0,
        columns={"_object": ColumnStatistics(0, "a", "b"), "host": ColumnStatistics(1, "h", "h")},
    )
    assert complete_statistics(made, 2, ["host"]) == made
    completed = orjson.loads(complete_statistics(made, 2, ["host", "new"]))
    assert completed == orjson.loads(made) | {"nullCount": {"_time": 0, "_object": 0, "host": 1, "new": 2}}


def test_property_quotes_odd_names() -> None:
    assert statistics_property(["host", "k8s.pod", "we`ird", "a-b"]) == "_time,_object,host,`k8s.pod`,`we``ird`,`a-b`"
