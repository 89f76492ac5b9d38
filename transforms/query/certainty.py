"""Prove from bounds of values that all rows satisfy a condition, or none (three-valued logic, Kleene's).

`pruning` asks only whether rows may be left out; here they may also be taken unseen, so both answers must be proved.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from transforms.core.schema import SYSTEM_COLUMNS, TIME, attribute_column
from transforms.query.alternatives import with_memberships
from transforms.query.compiler import compile_query
from transforms.query.pruning import Values, certain_values, may_hold
from transforms.query.syntax import (
    And,
    Comparison,
    Everything,
    Expr,
    Field,
    Membership,
    Not,
    Operator,
    Or,
    Word,
    fields,
)

NO_ROW, SOME_ROWS, ALL_ROWS = 0, 1, 2
"""In this order the least of several is what AND proves, the greatest what OR proves."""
Certainty = npt.NDArray[np.int8]
_Condition = Word | Comparison | Membership


class KnownValues(NamedTuple):
    """What is known of a field in many files.

    Attributes:
        distinct: What is known, each once.
        codes: For each file, which of these.
    """

    distinct: Sequence[Values]
    codes: npt.NDArray[np.int64]


def prove(expr: Expr | None, known: Callable[[Field], Values]) -> bool | None:
    """Return whether all rows satisfy a query (True) or none does (False); None where neither can be proved.

    Args:
        expr: The query; None means every event.
        known: What is known of a field in these rows.
    """
    only = np.zeros(1, np.int64)
    return (False, None, True)[prove_all(expr, lambda field: KnownValues([known(field)], only), 1)[0]]


def prove_all(expr: Expr | None, known: Callable[[Field], KnownValues], files: int) -> Certainty:
    """Prove for many files at once what `prove` does for one: `NO_ROW`, `ALL_ROWS`, else `SOME_ROWS`.

    Args:
        expr: The query; None means every event.
        known: What is known of a field in these files.
        files: How many there are.
    """
    match expr:
        case None | Everything():
            return np.full(files, ALL_ROWS, np.int8)
        case And(terms):
            return functools.reduce(np.minimum, (prove_all(term, known, files) for term in terms))
        case Or(terms):
            return functools.reduce(np.maximum, (prove_all(term, known, files) for term in with_memberships(terms)))
        case Not(term):
            return (ALL_ROWS - prove_all(term, known, files)).astype(np.int8)
        case Word() | Comparison() | Membership():
            field = next(fields(expr))
            given, codes = known(field)
            distinct = [certain_values(field, values) for values in given]
            used, numbers = np.unique(codes, return_inverse=True)
            return _prove_condition(expr, field, [distinct[code] for code in used])[numbers]


def _prove_condition(condition: _Condition, field: Field, distinct: Sequence[Values]) -> Certainty:
    """Settle one condition: evaluated where all rows have one value or none has any, by bounds elsewhere."""
    answers = np.fromiter((_by_bounds(condition, field, values) for values in distinct), np.int8, len(distinct))
    if field.system and SYSTEM_COLUMNS[field.name] == TIME:  # bounds are text
        return answers
    numbers = [
        number for number, values in enumerate(distinct) if answers[number] == SOME_ROWS and values.only is not None
    ]
    if numbers:
        column = field.name if field.system else attribute_column(field.name)
        frame = pl.DataFrame({column: [distinct[number].only for number in numbers]})
        answers[numbers] = ALL_ROWS * frame.select(compile_query(condition, [column])).to_series().to_numpy().astype(
            np.int8
        )
    return answers


def _by_bounds(condition: _Condition, field: Field, values: Values) -> int:
    if values.none:
        return NO_ROW  # what looks at a field that is missing does not hold, whatever the operator
    if not may_hold(condition, lambda _: values):
        return NO_ROW
    return ALL_ROWS if values.complete and _always_holds(condition, field, values) else SOME_ROWS


def _always_holds(condition: _Condition, field: Field, values: Values) -> bool:
    """Whether a condition holds for every value within bounds."""
    match condition:
        case Comparison(_, Operator.EQUAL, value):
            return value.is_any
        case Comparison(_, Operator.NOT_EQUAL, value):
            return not may_hold(Comparison(field, Operator.EQUAL, value), lambda _: values)
        case Membership(_, patterns):
            return any(pattern.is_any for pattern in patterns)
        case _:
            return False
