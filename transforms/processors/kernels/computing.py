"""What formulas come to: whole columns as doubles where these are exact enough, other rows one by one as decimals.

The two agree: what is made of whole numbers without division is exact, all else has 15 significant digits, of which the
last may differ by one. `%` has the sign of the dividend, as in SQL and C.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

import numpy as np
import numpy.typing as npt
import polars as pl

from transforms.arrow import Flags
from transforms.arrow.arrays import as_flags
from transforms.processors.kernels.formula import Formula, Name, Number, Operation
from transforms.query.matching import is_number

_SHORT_INTEGER = r"^[+-]?[0-9]{1,15}$"
_EXACT = float(2**53)
_DIGITS = 15
_LONGEST, _LARGEST = 64, 38  # characters of a number, and digits of a result
_EXACTLY = Context(prec=100, traps=[DivisionByZero, InvalidOperation, Overflow])
_ROUNDED = Context(prec=_DIGITS, rounding=ROUND_HALF_UP)

Doubles = npt.NDArray[np.float64]


def compute(formula: Formula, columns: Mapping[str, pl.Series]) -> pl.Series:
    """Return what a formula comes to in each row as plain decimal text.

    Args:
        formula: What to compute.
        columns: Text of the attributes that it names, without nulls.

    Returns:
        Strings; null where a value is no number, or is divided by zero.
    """
    rows = len(next(iter(columns.values())))
    quick = np.full(rows, _is_quick(formula))
    for texts in columns.values():
        quick &= as_flags(texts.str.contains(_SHORT_INTEGER))
    result = pl.repeat(None, rows, dtype=pl.String, eager=True)
    if quick.any():
        found, exact = _in_doubles(formula, {name: texts.filter(pl.Series(quick)) for name, texts in columns.items()})
        quick[np.flatnonzero(quick)[~exact]] = False
        result = result.scatter(np.flatnonzero(quick), found.filter(pl.Series(exact)))
    rest = np.flatnonzero(~quick)
    if rest.size:
        result = result.scatter(
            rest, _one_by_one(formula, {name: texts.gather(rest) for name, texts in columns.items()})
        )
    return result


def _is_quick(formula: Formula) -> bool:
    """Return whether doubles are exact enough.

    Whatever is added, subtracted or divided with a remainder must be whole, so that no digits cancel out.
    """
    match formula:
        case Operation("*" | "/", left, right):
            return _is_quick(left) and _is_quick(right)
        case Operation():
            return _is_whole(formula)
        case Number(value):
            return len(value.as_tuple().digits) <= _DIGITS
        case Name():
            return True


def _is_whole(formula: Formula) -> bool:
    """Whether a formula over whole numbers is a whole number."""
    match formula:
        case Operation("/", _, _):
            return False
        case Operation(_, left, right):
            return _is_whole(left) and _is_whole(right)
        case Number(value):
            return value == value.to_integral_value() and len(value.as_tuple().digits) <= _DIGITS
        case Name():
            return True


@dataclass(slots=True)
class _Doubles:
    """Evaluate a formula over columns of whole numbers; `exact` are the rows without too large a number."""

    columns: Mapping[str, Doubles]
    exact: Flags

    def value(self, formula: Formula) -> Doubles:
        match formula:
            case Number(number):
                return np.full(len(self.exact), float(number))
            case Name(name):
                return self.columns[name]
            case Operation(operator, left, right):
                value = self._operate(operator, self.value(left), self.value(right))
                if _is_whole(formula):
                    self.exact &= ~(np.abs(value) >= _EXACT)
                return value

    def _operate(self, operator: str, left: Doubles, right: Doubles) -> Doubles:
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "%":
                return np.where(right == 0, np.nan, np.fmod(left, right))
            case _:
                return np.where(right == 0, np.nan, left / right)


def _in_doubles(formula: Formula, columns: Mapping[str, pl.Series]) -> tuple[pl.Series, Flags]:
    """Return the results as text, and in which rows they are exact enough."""
    numbers = {name: texts.cast(pl.Float64).to_numpy() for name, texts in columns.items()}
    work = _Doubles(numbers, np.ones(len(next(iter(numbers.values()))), np.bool_))
    with np.errstate(all="ignore"):
        values = work.value(formula)
        exact = work.exact & ~(np.abs(values) >= (_EXACT if _is_whole(formula) else 10.0**_DIGITS))
        given = pl.Series(values, nan_to_null=True)
        series = given.zip_with(pl.Series(values == np.trunc(values)), given.round_sig_figs(_DIGITS))
        values = series.fill_null(np.nan).to_numpy()
        # after rounding: 7 / 100 * 100 is 7.000000000000001
        whole = (values == np.trunc(values)) & (np.abs(values) < _EXACT)
    fractions = series.cast(pl.String)
    exact &= (
        ~as_flags(fractions.str.contains("e", literal=True) | (fractions.str.count_matches("[0-9]") > _DIGITS + 1))
        | whole
    )
    integers = series.set(pl.Series(~whole), None).cast(pl.Int64).cast(pl.String)
    return integers.fill_null(fractions), exact


def _one_by_one(formula: Formula, columns: Mapping[str, pl.Series]) -> list[str | None]:
    """Compute with decimals, once for values that come together more than once."""
    known: dict[tuple[str, ...], str | None] = {}
    results: list[str | None] = []
    for values in zip(*columns.values(), strict=True):
        if values not in known:
            known[values] = _decimal_text(formula, dict(zip(columns, values, strict=True)))
        results.append(known[values])
    return results


def _decimal_text(formula: Formula, texts: Mapping[str, str]) -> str | None:
    if not all(len(text) <= _LONGEST and is_number(text) for text in texts.values()):
        return None
    try:
        value = _decimal(formula, {name: Decimal(text) for name, text in texts.items()})
    except (DivisionByZero, InvalidOperation, Overflow):
        return None
    if abs(value.adjusted()) > _LARGEST:
        return "0" if not value else None
    if value != value.to_integral_value():
        value = _ROUNDED.plus(value)
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _decimal(formula: Formula, values: Mapping[str, Decimal]) -> Decimal:
    match formula:
        case Number(value):
            return value
        case Name(name):
            return values[name]
        case Operation(operator, left, right):
            one, other = _decimal(left, values), _decimal(right, values)
            match operator:
                case "+":
                    return _EXACTLY.add(one, other)
                case "-":
                    return _EXACTLY.subtract(one, other)
                case "*":
                    return _EXACTLY.multiply(one, other)
                case "%":
                    return _EXACTLY.remainder(one, other)
                case _:
                    return _EXACTLY.divide(one, other)
