"""The query language row by row, as slow and plain as it can be: what the compiler and the search are compared with."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from transforms.query.instants import format_instant, parse_instant
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
    Pattern,
    Word,
)

ORDER = {
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
}


def holds(expr: Expr, system: Mapping[str, Any], attributes: Mapping[str, str]) -> bool:
    """Say whether one event satisfies a query.

    Args:
        expr: the query.
        system: the system columns of the event that are not null.
        attributes: the user attributes it has.
    """
    match expr:
        case Everything():
            return True
        case And(terms):
            return all(holds(term, system, attributes) for term in terms)
        case Or(terms):
            return any(holds(term, system, attributes) for term in terms)
        case Not(term):
            return not holds(term, system, attributes)
        case Word(pattern):
            return "_message" in system and matches(pattern, system["_message"], anywhere=True)
        case Membership(field, values):
            return any(holds(Comparison(field, Operator.EQUAL, value), system, attributes) for value in values)
        case Comparison(field, Operator.EQUAL, value) if value.is_any:
            return field.name in system if field.system else value_of(field.name, attributes) is not None
        case Comparison(field, operator_, value):
            if isinstance(moment := system.get(field.name), datetime) and field.system and operator_ in ORDER:
                bound = parse_instant(value.literal or "")
                return bound is not None and ORDER[operator_](moment, bound)
            return any(compares(text, operator_, value) for text in texts(field, system, attributes))
    raise AssertionError(expr)


def texts(field: Field, system: Mapping[str, Any], attributes: Mapping[str, str]) -> list[str]:
    if field.system:
        value = system.get(field.name)
        return [] if value is None else [format_instant(value) if isinstance(value, datetime) else value]
    value = value_of(field.name, attributes)
    return [] if value is None else values_of(value)


def value_of(name: str, attributes: Mapping[str, str]) -> str | None:
    """Return an attribute, else the member of the JSON in another that the dots of its name lead to."""
    if name in attributes:
        return attributes[name]
    names = name.split(".")
    for length in range(len(names) - 1, 0, -1):
        try:
            value = json.loads(
                attributes.get(".".join(names[:length]), ""),
                parse_int=Number, parse_float=Number, parse_constant=refuse,
                object_pairs_hook=lambda pairs: dict(pairs[::-1]),
            )  # fmt: skip
        except ValueError:
            continue
        for member in names[length:]:
            value = value.get(member) if isinstance(value, dict) else None
        if value is not None:
            return value if isinstance(value, str) else written(value)
    return None


def values_of(text: str) -> list[str]:
    """Return the values of an attribute: those of a JSON array, else the text."""
    if not (text.startswith("[") and text.endswith("]")):
        return [text]
    try:
        items = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=refuse)
    except ValueError:
        return [text]
    return [item if isinstance(item, str) else written(item) for item in items if item is not None]


class Number(str):
    """A number's source text."""


def written(item: Any) -> str:
    """Return a value of an array as minified JSON, its numbers verbatim."""
    match item:
        case Number():
            return item
        case dict():
            return "{" + ",".join(f"{written(key)}:{written(value)}" for key, value in item.items()) + "}"
        case list():
            return "[" + ",".join(map(written, item)) + "]"
        case _:
            return json.dumps(item, ensure_ascii=False)


def refuse(constant: str) -> None:
    raise ValueError(constant)


def compares(text: str, operator_: Operator, value: Pattern) -> bool:
    if operator_ is Operator.EQUAL:
        return matches(value, text)
    if operator_ is Operator.NOT_EQUAL:
        return not matches(value, text)
    left, right = number(text), number(value.literal)
    return left is not None and right is not None and ORDER[operator_](left, right)


def number(text: str | None) -> Decimal | None:
    if text is None or not text.isascii() or any(c not in "0123456789.eE+-" for c in text):
        return None
    try:
        return Decimal(text)
    except ArithmeticError:
        return None


def matches(pattern: Pattern, text: str, *, anywhere: bool = False) -> bool:
    """Match by dynamic programming over the characters, a wildcard being any run of them."""
    tokens: list[str | None] = [None] if anywhere else []
    for i, part in enumerate(pattern.parts):
        tokens += [None] * (i > 0)
        tokens += list(part if pattern.exact_case else fold(part))
    tokens += [None] if anywhere else []
    reached = {0}
    for character in [*(text if pattern.exact_case else fold(text)), ""]:
        for i in sorted(reached):
            while i < len(tokens) and tokens[i] is None:
                i += 1
                reached.add(i)
        if character == "":
            return len(tokens) in reached
        reached = {
            i + (token is not None) for i in reached if i < len(tokens) and (token := tokens[i]) in (None, character)
        }
    raise AssertionError("unreachable")


def fold(text: str) -> list[str]:
    """Return the characters by simple Unicode case folding (CaseFolding.txt, statuses C and S)."""
    return [next((f for f in (c.casefold(), c.lower()) if len(f) == 1), c) for c in text]
