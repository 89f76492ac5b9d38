"""Formulas over attributes: `(bytes + 1) / duration` to a tree.

    sum     = product { ("+" | "-") product }
    product = factor { ("*" | "/" | "%") factor }
    factor  = number | name | "`" any characters "`" | "(" sum ")" | ("+" | "-") factor

A name is letters, digits, `_`, `.` and `@`, and does not begin with a digit; `a-b` is a difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from transforms.core.errors import ConfigurationError

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[^\W\d][\w.@]*)|`(?P<quoted>(?:[^`]|``)+)`|(?P<mark>[-+*/%()])|\Z)"
)
_MOST_PARTS = 200


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the formula."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Name:
    """An attribute."""

    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """Two values and what is done with them: one of `+ - * / %`."""

    operator: str
    left: Formula
    right: Formula


Formula = Number | Name | Operation


def parse_formula(text: str) -> Formula:
    """Read a formula.

    Raises:
        ConfigurationError: It is none; with the character.
    """
    parser = _FormulaParser(text)
    tree = parser.sum()
    if parser.token != "":
        raise parser.error("expected an operator or the end")
    return tree


def names_of(formula: Formula) -> Iterator[str]:
    """Yield the attributes of a formula, as often as they stand there."""
    match formula:
        case Name(name):
            yield name
        case Operation(_, left, right):
            yield from names_of(left)
            yield from names_of(right)


class _FormulaParser:
    """A place in a formula: the token there, and its kind."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._end = self._parts = 0
        self.kind = self.token = ""
        self._next()

    def sum(self) -> Formula:
        tree = self._product()
        while self.kind == "mark" and self.token in "+-":
            tree = Operation(self._take(), tree, self._product())
        return tree

    def _product(self) -> Formula:
        tree = self._factor()
        while self.kind == "mark" and self.token in "*/%":
            tree = Operation(self._take(), tree, self._factor())
        return tree

    def _factor(self) -> Formula:
        if self.kind == "number":
            return Number(Decimal(self._take()))
        if self.kind in ("name", "quoted"):
            kind, token = self.kind, self._take()
            return Name(token.replace("``", "`") if kind == "quoted" else token)
        if self.token == "(":  # noqa: S105  a bracket
            self._take()
            tree = self.sum()
            if self.token != ")":  # noqa: S105
                raise self.error("expected an operator or ')'")
            self._take()
            return tree
        if self.kind == "mark" and self.token in "+-":
            return Operation(self._take(), Number(Decimal(0)), self._factor())
        raise self.error("expected a number, an attribute or '('")

    def _take(self) -> str:
        token = self.token
        self._next()
        return token

    def _next(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise self.error(f"a formula has at most {_MOST_PARTS} parts")
        match = _TOKEN.match(self._text, self._end)
        self._start = self._end
        if match is None:
            raise self.error("no number, attribute or operator")
        self.kind = match.lastgroup or ""
        self.token = match[self.kind] if self.kind else ""
        self._start, self._end = match.end() - len(self.token), match.end()

    def error(self, text: str) -> ConfigurationError:
        """Return an error about the token."""
        return ConfigurationError(f"character {self._start + 1} of {self._text!r}: {text}")
