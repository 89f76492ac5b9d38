"""Every attribute goes to one place: its column, or the map."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.hot_tier.samples import NOON, events
from transforms.arrow.arrays import MAP
from transforms.core import schema
from transforms.hot_tier.data.attributes import attributes_map, stored_columns


@given(st.lists(st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=5, max_size=5), min_size=1, max_size=4))
def test_map_holds_what_is_not_null(columns: list[list[str | None]]) -> None:
    named = {f"name {number}": values for number, values in enumerate(columns)}
    made = attributes_map({name: pa.array(values, schema.TEXT) for name, values in named.items()}, 5)

    made.validate(full=True)
    assert made.type == MAP
    expected = [[(name, values[row]) for name, values in named.items() if values[row] is not None] for row in range(5)]
    assert made.to_pylist() == [row or None for row in expected]


def test_promoted_and_others() -> None:
    batch = events(
        "s3://b/k",
        [NOON] * 3,
        host=["a", None, "b"],
        Host=["x", "y", None],
        status="200",
        empty=[None, None, None],
        void=["", None, ""],
    )
    stored = stored_columns(batch, {"host", "status", "filename"})

    assert stored["host"].to_pylist() == ["a", None, "b"]
    assert stored["status"].type == schema.CONSTANT
    assert stored["attributes"].to_pylist() == [[("Host", "x"), ("void", "")], [("Host", "y")], [("void", "")]]
    assert set(stored) - set(schema.SYSTEM_COLUMNS) == {"host", "status", "filename", "attributes"}


@pytest.mark.parametrize(
    "name", ["date", "tier", "attributes", "_time", "_message", "_own", "attributes.x", "", "a b", "a,b"]
)
def test_names_that_cannot_be_columns_keep_their_name_in_the_map(name: str) -> None:
    named: dict[str, Any] = {name: ["v"]}
    stored = stored_columns(events("s3://b/k", [NOON], **named), {"host", "filename"})
    assert stored["attributes"].to_pylist() == [[(name, "v")]]


def test_no_map_where_all_are_promoted() -> None:
    assert "attributes" not in stored_columns(events("s3://b/k", [NOON], host=["a"]), {"host", "filename"})


def test_constants_go_to_the_map_too() -> None:
    stored = stored_columns(events("s3://b/k", [NOON] * 2, service="web"), {"filename"})
    assert stored["attributes"].to_pylist() == [[("service", "web")]] * 2
