"""Skip files and row groups by bounds of their values.

Never too narrow, often too wide: what the bounds do not exclude may hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from transforms.query.syntax import And, Comparison, Expr, Field, Membership, Operator, Or, Pattern, leads_into_json

_LIST_FIRST, _LIST_BEYOND = "[", "\\"
# The characters beyond ASCII that equal an ASCII letter without case (CaseFolding.txt): the Kelvin sign and the long s.
_GREATEST_OF_CASE = str.maketrans({"k": "\u212a", "s": "\u017f"})
_BEYOND_ALL = "\U0010ffff"


@dataclass(frozen=True)
class Values:
    """What is known of a field's text in some rows, by the order of its code points (which is that of its UTF-8 bytes).

    Attributes:
        low: no value is less; None where that is not known.
        high: no value is greater; None where that is not known.
        none: no row has the field.
        complete: every row has the field.
    """

    low: str | None = None
    high: str | None = None
    none: bool = False
    complete: bool = False

    @property
    def only(self) -> str | None:
        """The one value that all rows have; None where there are several, or that is not known."""
        return self.low if self.complete and self.low == self.high else None


UNKNOWN = Values()
NONE = Values(none=True)


def may_hold(expr: Expr | None, known: Callable[[Field], Values]) -> bool:
    """Return False where no row can satisfy a query; None means every event.

    Args:
        expr: the query.
        known: what is known of a field.
    """
    match expr:
        case And(terms):
            return all(may_hold(term, known) for term in terms)
        case Or(terms):
            return any(may_hold(term, known) for term in terms)
        case Comparison(field, operator, value):
            values = certain_values(field, known(field))
            return not values.none and (
                operator is not Operator.EQUAL or _may_match(value, values, several=not field.system)
            )
        case Membership(field, patterns):
            values = certain_values(field, known(field))
            return not values.none and any(
                _may_match(pattern, values, several=not field.system) for pattern in patterns
            )
        case _:
            return True


def certain_values(field: Field, values: Values) -> Values:
    """Return what is known of a field, if that is not only known of the attribute of its name.

    Rows that lack `http.status` may have it as a member of the JSON in `http`, of which nothing is known.
    """
    return values if field.system or values.complete or not leads_into_json(field.name) else UNKNOWN


def _may_match(pattern: Pattern, values: Values, *, several: bool) -> bool:
    """Return whether a value within bounds may match, by the text before the first wildcard; JSON lists may."""
    if values.low is None or values.high is None:
        return True
    if several and values.low < _LIST_BEYOND and values.high >= _LIST_FIRST:
        return True
    if not pattern.exact_case and not pattern.parts[0].isascii():
        return True
    least, greatest = text_range(pattern)
    return least <= values.high and values.low <= greatest


def text_range(pattern: Pattern) -> tuple[str, str]:
    """Return the least and greatest text a pattern may match; it has exact case, or starts with ASCII."""
    first = pattern.parts[0]
    least = first if pattern.exact_case else first.upper()
    greatest = first if pattern.exact_case else first.lower().translate(_GREATEST_OF_CASE)
    return least, greatest if pattern.literal is not None else greatest + _BEYOND_ALL
