"""What bounds of values prove: a table of cases, and random columns compared with the row-by-row reference."""

from __future__ import annotations

import random

import polars as pl
import pytest

from tests.transforms.query.reference import holds
from tests.transforms.query.test_compiler import TEXTS, random_query
from transforms.query.matching import Matches
from transforms.query.parser import parse
from transforms.query.pruning import NONE, UNKNOWN, Values, may_hold
from transforms.query.syntax import Comparison, Field, Operator, Pattern

# query, the bounds of `a` (those of all else are unknown), whether a row may satisfy it
CASES: dict[str, tuple[str, Values, bool]] = {
    "between": ("a=404", Values("200", "503"), True),
    "below": ("a=100", Values("200", "503"), False),
    "above": ("a=504", Values("200", "503"), False),
    "the least": ("a=200", Values("200", "503"), True),
    "the greatest": ("a=503", Values("200", "503"), True),
    "in capitals": ("a=WEB", Values("web", "web"), True),
    "in small letters": ("a=web", Values("WEB", "WEB"), True),
    "case between": ("a=web", Values("Wa", "We\u017f"), True),
    "exact case": ("a=CASE(WEB)", Values("web", "web"), False),
    "the Kelvin sign": ("a=k", Values("\u212a", "\u212a"), True),
    "the long s": ("a=status", Values("\u017ftatus", "\u017ftatus"), True),
    "beyond ASCII": ("a=é", Values("É", "É"), True),
    "beyond ASCII, whose capital is far away": ("a=ÿ", Values("Ÿ", "Ÿ"), True),
    "beyond ASCII, whose small letter is far away": ("a=Ÿ", Values("ÿ", "ÿ"), True),
    "beyond ASCII, whose capital is two letters": ("a=straße", Values("STRAẞE", "STRAẞE"), True),
    "beyond ASCII, a capital of its own": ("a=ẞ*", Values("ßx", "ßx"), True),
    "beyond ASCII, the micro sign": ("a=µs", Values("μs", "μs"), True),
    "beyond ASCII, Greek": ("a=μs", Values("µs", "µs"), True),
    "beyond ASCII, one of several": ("a IN (x, ÿ)", Values("Ÿ", "Ÿ"), True),
    "beyond ASCII, exact": ("a=CASE(é)", Values("a", "b"), False),
    "a list may hold anything": ("a=5", Values('["x"]', '["y"]'), True),
    "a list between": ("a=5", Values("X", "x"), True),
    "a system attribute is no list": ("#object=5", Values("X", "x"), False),
    "wildcard behind": ("a=40*", Values("404", "404"), True),
    "wildcard behind, above": ("a=50*", Values("200", "404"), False),
    "wildcard behind, longest": ("a=web*", Values("WEB\U0010ffff", "WEB\U0010ffff"), True),
    "wildcard in front": ("a=*5", Values("1", "2"), True),
    "any of several": ("a IN (1, 404)", Values("200", "503"), True),
    "none of several": ("a IN (1, 504)", Values("200", "503"), False),
    "different": ("a!=404", Values("404", "404"), True),
    "ordered": ("a>404", Values("1", "2"), True),
    "set": ("a=*", Values("1", "2"), True),
    "missing everywhere": ("a=*", NONE, False),
    "missing and different": ("a!=1", NONE, False),
    "missing and ordered": ("a>1", NONE, False),
    "missing and in": ("a IN (*)", NONE, False),
    "not missing": ("NOT a=*", NONE, True),
    "not": ("NOT a=404", Values("404", "404"), True),
    "unknown": ("a=1", UNKNOWN, True),
    "half known": ("a=1", Values(low="2"), True),
    "both": ("a=404 b=1", Values("1", "2"), False),
    "either": ("a=404 OR b=1", Values("1", "2"), True),
    "neither": ("a=404 OR a=500", Values("1", "2"), False),
    "a member of JSON": ("a.b=404", NONE, True),
    "a word": ("word", NONE, True),
    "everything": ("*", NONE, True),
}


@pytest.mark.parametrize(("query", "values", "expected"), CASES.values(), ids=CASES.keys())
def test_may_hold(query: str, values: Values, *, expected: bool) -> None:
    assert (
        may_hold(parse(query), lambda field: values if field.name in ("a", "a.b", "_object") else UNKNOWN) is expected
    )


def test_every_event_may_be_there() -> None:
    assert may_hold(None, lambda _: NONE)


def test_no_letter_that_equals_another_without_case_is_ruled_out() -> None:
    """All of Unicode, as the engine that compares them folds it."""
    folded = [
        (letter, other)
        for letter in map(chr, (*range(0x41, 0xD800), *range(0xE000, 0x1F000)))
        for other in {letter.casefold(), letter.lower(), letter.upper()} - {letter}
        if len(other) == 1
    ]
    assert len(folded) > 2500
    for one, other in (pair for pair in folded for pair in (pair, pair[::-1])):
        pattern = Pattern((one,), exact_case=False)
        if not may_hold(Comparison(Field("a"), Operator.EQUAL, pattern), lambda _, value=other: Values(value, value)):  # type: ignore[misc]
            assert not Matches((pattern,))(pl.Series([other]))[0], (one, other)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_that_holds_is_ruled_out(seed: int) -> None:
    rng = random.Random(seed)
    ruled_out = 0
    for _ in range(150):
        names = ["host", "status", "tags", "x y", "Host", "_time"]
        rows = [{name: rng.choice(TEXTS) for name in names if rng.random() < 0.4} for _ in range(3)]
        query = random_query(rng)

        def known(field: Field, rows: list[dict[str, str]] = rows) -> Values:
            values = [row[field.name] for row in rows if field.name in row]
            return UNKNOWN if field.system else Values(min(values), max(values)) if values else NONE

        possible = may_hold(query, known)
        ruled_out += not possible
        assert possible or not any(holds(query, {}, row) for row in rows), str(query)
    assert ruled_out > 10
