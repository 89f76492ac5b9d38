"""What a single condition means for a column of text: the tests that the compiler puts together (docs/query.md).

A test takes a Polars series and returns which values satisfy it: true or false, and null or false for a value
that is missing. Text is compared without case by simple Unicode case folding, which is what `(?i)` does in Rust's
regular expressions; they run in linear time, whatever the text.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

import polars as pl

from transforms.query.equalities import has_no_case
from transforms.query.syntax import Operator, Pattern

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NUMBER_BEGINS = r"^[+-]?[0-9.]"
# Two numbers of at most 15 digits are equal if they are equal as doubles (IEEE 754).
_EXACT_DIGITS = 15
_ALTERNATIVES = 100

ORDERINGS: dict[Operator, Callable[[Any, Any], Any]] = {
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
}


class TextTest(Protocol):
    """Whether each value of a series of text satisfies a condition."""

    def __call__(self, values: pl.Series) -> pl.Series:
        """Return a series of booleans of the same length, null or false where the value is null."""


@dataclass(frozen=True)
class Matches:
    """The whole value is any of the patterns."""

    patterns: tuple[Pattern, ...]

    def __call__(self, values: pl.Series) -> pl.Series:
        """Test each value: plain text by equality, all else by regular expressions."""
        plain = [p.literal for p in self.patterns if p.literal is not None and (p.exact_case or has_no_case(p.literal))]
        others = [p for p in self.patterns if p.literal is None or not (p.exact_case or has_no_case(p.literal))]
        found = [_equals_any(values, plain)] if plain else []
        for start in range(0, len(others), _ALTERNATIVES):
            found.append(values.str.contains(_whole_expression(others[start : start + _ALTERNATIVES])))
        result = found[0]
        for more in found[1:]:
            result = result | more
        return result


@dataclass(frozen=True)
class Differs:
    """The whole value is not the pattern."""

    pattern: Pattern

    def __call__(self, values: pl.Series) -> pl.Series:
        """Test each value."""
        return ~Matches((self.pattern,))(values)


@dataclass(frozen=True)
class Contains:
    """The pattern is somewhere in the value."""

    pattern: Pattern

    def __call__(self, values: pl.Series) -> pl.Series:
        """Test each value."""
        text, literal = self._searched
        return values.str.contains(text, literal=literal)

    def expression(self, values: pl.Expr) -> pl.Expr:
        """Return the test of a column of text, without Python's part in it."""
        text, literal = self._searched
        return values.str.contains(text, literal=literal)

    @property
    def _searched(self) -> tuple[str, bool]:
        """What is looked for, and whether it is text, not a regular expression."""
        text = self.pattern.literal
        if text is not None and (self.pattern.exact_case or has_no_case(text)):
            return text, True
        return f"(?{_flags(self.pattern)}:{_body(self.pattern)})", False


@dataclass(frozen=True)
class Compares:
    """The value is a number that stands in an order to another; exact, however many digits the two have."""

    ordering: Operator
    number: str

    def __call__(self, values: pl.Series) -> pl.Series:
        """Test each value: as doubles, and as decimals where doubles are not exact enough."""
        doubles = values.cast(pl.Float64, strict=False)
        bound = float(self.number)
        result = ORDERINGS[self.ordering](doubles, bound).fill_null(value=False)
        unusual = (~doubles.is_finite()).fill_null(value=False)
        if unusual.any():  # `inf` and `nan` are words, 1e400 is a number
            result = result & (~unusual | values.str.contains(_NUMBER_BEGINS))
        equal = (doubles == bound).fill_null(value=False)
        return self._decide_among(values, result, equal) if equal.any() else result

    def _decide_among(self, values: pl.Series, result: pl.Series, equal: pl.Series) -> pl.Series:
        """Return the result with those values decided by their digits that are equal to the number as doubles."""
        texts = values.filter(equal).unique()
        if not _is_long(self.number):
            texts = texts.filter((texts.str.len_bytes() > _EXACT_DIGITS) | texts.str.contains("[eE]"))
        decided = {text: self._decide(text) for text in texts}
        if not decided:
            return result
        unsure = equal & values.is_in(list(decided))
        return (result & ~unsure) | (unsure & values.is_in([text for text, holds in decided.items() if holds]))

    def _decide(self, text: str) -> bool:
        if _NUMBER.fullmatch(text) is None:
            return False
        try:
            return bool(ORDERINGS[self.ordering](Decimal(text), Decimal(self.number)))
        except InvalidOperation:  # an exponent of twenty digits: no number that anybody meant
            return False


def is_number(text: str | None) -> bool:
    """Whether a text is a number as the language compares them: decimal, with or without fraction and exponent."""
    return text is not None and _NUMBER.fullmatch(text) is not None


def _is_long(number: str) -> bool:
    return len(number) > _EXACT_DIGITS or "e" in number.lower()


def _equals_any(values: pl.Series, texts: Sequence[str]) -> pl.Series:
    return values == texts[0] if len(texts) == 1 else values.is_in(texts)


def _flags(pattern: Pattern) -> str:
    return "s" if pattern.exact_case else "is"


def _body(pattern: Pattern) -> str:
    return ".*".join(pl.escape_regex(part) for part in pattern.parts)


def _whole_expression(patterns: Sequence[Pattern]) -> str:
    """Return a regular expression for any of the patterns; anchors are left out where it is quicker than `.*`."""
    return "|".join(map(_anchored, patterns))


def _anchored(pattern: Pattern) -> str:
    parts = pattern.parts
    open_start, open_end = len(parts) > 1 and parts[0] == "", len(parts) > 1 and parts[-1] == ""
    body = _body(Pattern(parts[1 if open_start else 0 : -1 if open_end else len(parts)]))
    begin, end = "" if open_start else r"\A", "" if open_end else r"\z"
    return f"(?{_flags(pattern)}:{begin}{body}{end})"
