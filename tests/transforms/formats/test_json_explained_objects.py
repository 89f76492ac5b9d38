"""Objects whose lengths show that all their members were found."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.formats.json.explained_objects import explained
from transforms.formats.lines import split_lines

Member = tuple[str, Any]


def _is_explained(rows: list[str], names: str) -> list[bool]:
    messages = split_lines(("\n".join(rows) + "\n").encode(), max_record=1 << 20).array()
    members = [json.loads(row, object_pairs_hook=_Members) for row in rows]
    columns = {name: pa.array([_text(row, name) for row in members], pa.string_view()) for name in names}
    return list(explained(messages, columns).tolist())


class _Members(list[Member]):
    """The members of an object, doubled ones too."""


def _text(members: _Members, name: str) -> str | None:
    value = next((value for found, value in members if found == name), None)
    return value if value is None or isinstance(value, str) else _compact(value)


def _compact(value: Any) -> str:
    if isinstance(value, _Members):
        return "{" + ",".join(f"{json.dumps(name)}:{_compact(inner)}" for name, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize(
    ("row", "known"),
    [
        pytest.param('{"a":"text","b":12345678}', True, id="string and number"),
        pytest.param('{"b":true,"a":"","n":[]}', True, id="empty"),
        pytest.param('{"a":"[no list","n":{"q":["z",1],"q":"é"}}', True, id="nested"),
        pytest.param('{"a":"text","b":1234567,"c":null}', False, id="null"),
        pytest.param('{"a":"text", "b":12345678}', False, id="white space"),
        pytest.param('{"a":"text","n":[1, 2345678]}', False, id="nested white space"),
        pytest.param('{"a":"text","b":1,"b":22222222}', False, id="doubled"),
        pytest.param('{"a":"text","b":12345678,"":1}', False, id="another name"),
        pytest.param('{"a":"te\\nxt","b":12345678}', False, id="backslash"),
        pytest.param('{"a":1}', False, id="short"),
    ],
)
def test_only_what_is_certain_is_explained(row: str, known: bool) -> None:  # noqa: FBT001  a parameter of the table
    assert _is_explained([row], "abn") == [known]


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(st.sampled_from("xyz"), inner), max_size=2).map(_Members)
    ),
    max_leaves=5,
)
_objects = st.lists(st.tuples(st.sampled_from("abcd"), _values), min_size=1, max_size=6).map(_Members)


@given(st.lists(_objects, min_size=1, max_size=5))
def test_no_object_with_other_members_is_explained(objects: list[_Members]) -> None:
    padded = [_Members([("a", "a text of some length"), *members]) for members in objects]
    found = _is_explained([_compact(members) for members in padded], "abc")
    for members, is_explained in zip(padded, found, strict=True):
        names = [name for name, _ in members]
        hidden = "d" in names or len(set(names)) < len(names) or any(value is None for _, value in members)
        assert not (hidden and is_explained)
        assert is_explained or hidden or "\\" in _compact(members)
