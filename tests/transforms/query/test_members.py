"""Members of JSON: as many at once as one by one, whatever the texts are."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.query.members import member_text, member_texts

_NAMES = st.sampled_from(["a", "b", "a b", "é", 'a"', "a'", "", "$", "*"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda items: st.lists(items, max_size=2) | st.dictionaries(_NAMES, items, max_size=3),
    max_leaves=6,
)
_TEXTS = st.builds(
    lambda value, ascii_only, cut: json.dumps(value, ensure_ascii=ascii_only)[: cut or None],
    st.dictionaries(_NAMES, _VALUES, max_size=3), st.booleans(), st.sampled_from([0, 0, 0, -1]),
)  # fmt: skip


@given(st.lists(st.none() | _TEXTS | st.text(max_size=5), max_size=8), st.lists(_NAMES, min_size=1, max_size=2))
def test_all_at_once_are_each_by_itself(texts: list[str | None], path: list[str]) -> None:
    expected = [None if text is None else member_text(text, path) for text in texts]
    assert member_texts(pl.Series("x", texts, pl.String), path).to_list() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"a":1e999}', "1e999", id="beyond doubles"),
        pytest.param('{"a":"x","b":1e999}', "x", id="beside what is beyond doubles"),
        pytest.param('{"a":123456789012345678901234567890}', "123456789012345678901234567890", id="many digits"),
        pytest.param('{"a":-0}', "-0", id="minus zero"),
        pytest.param('{"a":"1.50"}', "1.50", id="text that looks like a number"),
        pytest.param('{"a":1.50}', "1.50", id="number"),
        pytest.param('{"a":{"z":1,"y":[true, null]}}', '{"z":1,"y":[true,null]}', id="object"),
        pytest.param('{"b":{"a":1},"a":2}', "2", id="the same name deeper"),
        pytest.param('{"a":' + "[" * 150 + "]" * 150 + "}", "[" * 150 + "]" * 150, id="deep"),
        pytest.param('{"a":"\\ud800"}', "\ufffd", id="lone surrogate"),
        pytest.param('{"a":NaN}', None, id="no JSON"),
        pytest.param('{"a":1} x', None, id="text behind it"),
    ],
)
def test_texts(text: str, expected: str | None) -> None:
    assert member_texts(pl.Series(["", text, None]), ["a"]).to_list() == [None, expected, None]


def test_constants_and_nulls() -> None:
    assert member_texts(pl.Series(['{"a":1}'] * 3, dtype=pl.Categorical), ["a"]).to_list() == ["1"] * 3
    assert member_texts(pl.Series([None, None], dtype=pl.String), ["a"]).to_list() == [None, None]
    assert member_texts(pl.Series([], dtype=pl.String), ["a"]).to_list() == []
