"""Queries that are nothing but equalities of attributes with plain text: what they ask any engine can answer, without a
compiler to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from transforms.query.syntax import And, Comparison, Everything, Expr, Field, Membership, Operator, Pattern


def equalities(expr: Expr | None) -> list[tuple[Field, tuple[Pattern, ...]]] | None:
    """Return the attributes of a query and of each the texts that it must be any of, where that is all that the query
    says.

    Returns:
        Literals, compared exactly, or without case and of ASCII alone; None where the query says anything else.
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
    """Whether a text is equal without case only to itself; for characters beyond ASCII that is left to the regular
    expression.
    """
    return text.isascii() and not any(c.isalpha() for c in text)


def _terms(expr: Expr | None) -> Iterator[Expr]:
    if isinstance(expr, And):
        for term in expr.terms:
            yield from _terms(term)
    elif expr is not None and not isinstance(expr, Everything):
        yield expr


def _is_plain(pattern: Pattern) -> bool:
    return pattern.literal is not None and (pattern.exact_case or pattern.literal.isascii())
