"""Terms of an OR that compare one field are put together."""

from __future__ import annotations

import pytest

from transforms.query import parse
from transforms.query.alternatives import with_memberships
from transforms.query.syntax import Or


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a=x OR a=y", ["a IN (x, y)"]),
        ("a=x OR b=y OR a IN (z, x) OR a=CASE(x)", ["a IN (x, z, CASE(x))", "b IN (y)"]),
        ("a=x OR #error=x", ["a IN (x)", "#error IN (x)"]),
        ("a=* OR a=x*", ["a IN (*, x*)"]),
        ("a!=x OR a>1 OR word OR NOT a=y", ["a!=x", "a>1", '"word"', "NOT a=y"]),
        ("(a=x b=y) OR a=x", ["a IN (x)", "a=x AND b=y"]),
    ],
)
def test_one_field_is_looked_at_once(query: str, expected: list[str]) -> None:
    tree = parse(query)
    assert isinstance(tree, Or)
    assert list(map(str, with_memberships(tree.terms))) == expected
