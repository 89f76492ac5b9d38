"""Queries that are only equalities of attributes with plain text, which any engine can answer."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.query.syntax import And, Comparison, Everything, Expr, Field, Membership, Operator, Pattern


def equalities(expr: Expr | None) -> list[tuple[Field, tuple[Pattern, ...]]] | None:
    """Return each attribute of a query with the texts any of which it must equal, if that is the whole query.

    Returns:
        Literals, compared exactly, or without case and of ASCII alone; None where the query has anything else.
    """
    found: list[tuple[Field, tuple[Pattern, ...]]] = []
    for term in _terms(expr):
        match term:
            case Comparison(field, Operator.EQUAL, value):
                patterns: tuple[Pattern, ...] = (value,)
            case Membership(field, patterns):
                pass
            case _:
                return None
        if field.system or not all(map(_is_plain, patterns)):
            return None
        found.append((field, patterns))
    return found


def has_no_case(text: str) -> bool:
    """Return whether an ASCII text equals only itself when case is ignored; False for any other text."""
    return text.isascii() and not any(c.isalpha() for c in text)


def _terms(expr: Expr | None) -> Iterator[Expr]:
    if isinstance(expr, And):
        for term in expr.terms:
            yield from _terms(term)
    elif expr is not None and not isinstance(expr, Everything):
        yield expr


def _is_plain(pattern: Pattern) -> bool:
    return pattern.literal is not None and (pattern.exact_case or pattern.literal.isascii())
