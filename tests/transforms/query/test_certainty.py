"""What bounds of values settle: a table of cases, and random columns compared with the row-by-row reference."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.transforms.query.reference import holds
from tests.transforms.query.test_compiler import TEXTS, random_query
from transforms.query.certainty import KnownValues, prove, prove_all
from transforms.query.parser import parse
from transforms.query.pruning import NONE, UNKNOWN, Values
from transforms.query.syntax import Field


def only(value: str) -> Values:
    return Values(value, value, complete=True)


BETWEEN = Values("200", "503", complete=True)
# query, what is known of `a` and #object (nothing of all else), what it settles
CASES: dict[str, tuple[str, Values, bool | None]] = {
    "the one value": ("a=x", only("X"), True),
    "another value": ("a=x", only("y"), False),
    "the one value, but not everywhere": ("a=x", Values("x", "x"), None),
    "another value, and not everywhere": ("a=x", Values("y", "y"), False),
    "the one value, beyond ASCII": ("a=ÿ", only("Ÿ"), True),
    "the one value, whose capital is two letters": ("a=straße", only("STRAẞE"), True),
    "different from the micro sign": ("a!=µ", only("μ"), False),
    "perhaps the micro sign": ("a!=µ", Values("μ", "ν", complete=True), None),
    "exact case": ("a=CASE(x)", only("X"), False),
    "a wildcard": ("a=*b*", only("abc"), True),
    "a list": ("a=b", only('["a","b"]'), True),
    "an empty list": ("a!=b", only("[]"), False),
    "a list, not missing": ("a=*", only("[]"), True),
    "a system attribute is no list": ("#object=b", only('["a","b"]'), False),
    "number": ("a>99", only("100"), True),
    "no number": ("a>99", only("x"), False),
    "numbers are no text": ("a>99", BETWEEN, None),
    "within": ("a=404", BETWEEN, None),
    "beyond": ("a=504", BETWEEN, False),
    "different from what is beyond": ("a!=504", BETWEEN, True),
    "different from what is beyond, but not everywhere": ("a!=504", Values("200", "503"), None),
    "different from what is within": ("a!=404", BETWEEN, None),
    "lists among them": ("a!=504", Values("X", "x", complete=True), None),
    "set": ("a=*", BETWEEN, True),
    "one of anything": ("a IN (x, *)", BETWEEN, True),
    "perhaps set": ("a=*", Values("200", "503"), None),
    "one of several": ("a IN (1, x)", only("x"), True),
    "none of several": ("a IN (1, 600)", BETWEEN, False),
    "missing": ("a=*", NONE, False),
    "missing and different": ("a!=x", NONE, False),
    "missing and ordered": ("a<1", NONE, False),
    "not missing": ("NOT a=*", NONE, True),
    "unknown": ("a=x", UNKNOWN, None),
    "not unknown": ("NOT a=x", UNKNOWN, None),
    "not": ("NOT a=x", only("x"), False),
    "both": ("a=x a!=y", only("x"), True),
    "one and perhaps": ("a=x b=1", only("x"), None),
    "none and perhaps": ("a=y b=1", only("x"), False),
    "one or perhaps": ("a=x OR b=1", only("x"), True),
    "none or perhaps": ("a=y OR b=1", only("x"), None),
    "neither": ("a=y OR NOT a=x", only("x"), False),
    "a word": ("word", only("x"), None),
    "everything": ("*", UNKNOWN, True),
    "nothing": ("NOT *", UNKNOWN, False),
    "time is not text": ("#time>=2025-01-01", only("x"), None),
}


@pytest.mark.parametrize(("query", "values", "expected"), CASES.values(), ids=CASES.keys())
def test_prove(query: str, values: Values, expected: bool | None) -> None:  # noqa: FBT001
    assert prove(parse(query), lambda field: values if field.name in ("a", "_object") else UNKNOWN) is expected


def test_all_rows_satisfy_no_condition() -> None:
    assert prove(None, lambda _: UNKNOWN) is True


def random_values(rng: random.Random, names: list[str]) -> list[dict[str, str]]:
    """Return rows of which some columns are constant, some are missing, and some have a value in every row."""
    kinds = {name: rng.choice(["constant", "full", "some", "missing"]) for name in names}
    constants = {name: rng.choice(TEXTS) for name in names}
    rows: list[dict[str, str]] = []
    for _ in range(3):
        row = {name: constants[name] if kinds[name] == "constant" else rng.choice(TEXTS) for name in names}
        rows.append(
            {
                name: value
                for name, value in row.items()
                if kinds[name] != "missing" and (kinds[name] != "some" or rng.random() < 0.5)
            }
        )
    return rows


def known_of(rows: list[dict[str, str]], field: Field, *, attributes: bool = True) -> Values:
    values = [row[field.name] for row in rows if field.name in row]
    if field.system is attributes:
        return UNKNOWN
    return Values(min(values), max(values), complete=len(values) == len(rows)) if values else NONE


@pytest.mark.parametrize("seed", range(20))
def test_what_is_proved_is_so_for_every_row(seed: int) -> None:
    rng = random.Random(seed)
    found = {True: 0, False: 0, None: 0}
    for _ in range(150):
        rows = random_values(rng, ["host", "status", "tags", "x y", "Host", "_time", "message"])
        query = random_query(rng)
        answer = prove(query, lambda field, rows=rows: known_of(rows, field))  # type: ignore[misc]
        met = {holds(query, {"_message": "", "_error": "a"}, row) for row in rows}
        assert answer is None or met == {answer}, (str(query), rows)
        found[answer] += 1
    assert min(found.values()) > 2


@pytest.mark.parametrize("seed", range(5))
def test_system_attributes_are_text(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(200):
        rows = random_values(rng, ["_message", "_event_id", "_error", "_env"])
        query = random_query(rng)
        answer = prove(query, lambda field, rows=rows: known_of(rows, field, attributes=False))  # type: ignore[misc]
        assert answer is None or {holds(query, row, {"host": "b"}) for row in rows} == {answer}, (str(query), rows)


@pytest.mark.parametrize("seed", range(5))
def test_many_files_at_once_are_proved_as_one_by_one(seed: int) -> None:
    rng = random.Random(seed)
    files = [random_values(rng, ["host", "status", "tags"]) for _ in range(40)]
    for _ in range(100):
        query = random_query(rng)

        def known(field: Field) -> KnownValues:
            values = [known_of(rows, field) for rows in files]
            distinct = list(dict.fromkeys(values))
            return KnownValues(distinct, np.array([distinct.index(one) for one in values]))

        answers = [prove(query, lambda field, rows=rows: known_of(rows, field)) for rows in files]  # type: ignore[misc]
        assert prove_all(query, known, len(files)).tolist() == [
            {False: 0, None: 1, True: 2}[answer] for answer in answers
        ], str(query)
