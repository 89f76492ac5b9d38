"""The syntax tree of the query language (docs/query.md), and how a tree is written as text again.

One tree serves pipeline conditions, search, deletion and tiering rules. It holds no positions but those that later
checks point at, compares by meaning, and pickles, so that it can travel to workers and be compiled there.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from transforms.core.names import SYSTEM_NAMES, attribute_column

MESSAGE_COLUMN = "_message"
# What a user writes after `#`, and the column it is: #eventId is _event_id.
SYSTEM_ATTRIBUTES: dict[str, str] = {
    re.sub(r"_(.)", lambda m: m[1].upper(), column[1:]): column for column in SYSTEM_NAMES
}
_SYSTEM_NAMES = {column: name for name, column in SYSTEM_ATTRIBUTES.items()}
_PLAIN_NAME_MARKS = frozenset("_-.@")
_ENDS_BARE_TEXT = frozenset('(),"')


def is_plain_name(name: str) -> bool:
    """Whether an attribute's name can be written without back-quotes."""
    return name != "" and all(c.isalnum() or c in _PLAIN_NAME_MARKS for c in name)


def ends_bare_text(character: str) -> bool:
    """Whether a character ends a value or word that is not in quotes."""
    return character.isspace() or character in _ENDS_BARE_TEXT


class Operator(enum.Enum):
    """How a field and a value are compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text to compare with: literal parts, with a wildcard between each two of them.

    Attributes:
        parts: one part is a literal; `foo*bar` has the parts `foo` and `bar`, and `*` has two empty ones.
        exact_case: written as `CASE(…)`.
    """

    parts: tuple[str, ...]
    exact_case: bool = False

    @property
    def literal(self) -> str | None:
        """The text itself where there is no wildcard."""
        return self.parts[0] if len(self.parts) == 1 else None

    @property
    def is_any(self) -> bool:
        """Whether any text at all satisfies the pattern."""
        return len(self.parts) > 1 and not any(self.parts)

    def __str__(self) -> str:
        """Write the pattern as a value of the language."""
        escaped = "*".join(re.sub(r'[\\*"]', lambda m: "\\" + m[0], part) for part in self.parts)
        bare = (
            escaped != "" and '\\"' not in escaped and not any(map(ends_bare_text, escaped)) and escaped[0] not in "=<>"
        )
        text = escaped if bare and escaped not in ("AND", "OR", "NOT") else f'"{escaped}"'
        return f"CASE({text})" if self.exact_case else text


@dataclass(frozen=True, slots=True)
class Field:
    """What a condition looks at: a system column or a user attribute.

    Attributes:
        name: the column (`_event_id`) of a system attribute, else the attribute's own name.
        system: which of the two.
        position: where it stands in the query, counted from 0.
    """

    name: str
    system: bool = False
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        """Write the field as a name of the language."""
        if self.system:
            return "#" + _SYSTEM_NAMES[self.name]
        name = attribute_column(self.name) if self.name.startswith("attributes.") else self.name
        name = "attributes.message" if name == "message" else name
        return name if is_plain_name(name) else "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True, slots=True)
class Everything:
    """Holds for every event: the query `*`."""

    def __str__(self) -> str:
        """Write it as a query."""
        return "*"


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase that is looked for anywhere in the message."""

    pattern: Pattern

    def __str__(self) -> str:
        """Write it as a phrase: quotes keep it from being taken for a name or a keyword."""
        text = str(Pattern(self.pattern.parts))
        text = text if text.startswith('"') else f'"{text}"'
        return f"CASE({text})" if self.pattern.exact_case else text


@dataclass(frozen=True, slots=True)
class Comparison:
    """`a=b` and its kin."""

    field: Field
    operator: Operator
    value: Pattern

    def __str__(self) -> str:
        """Write it as a condition."""
        return f"{self.field}{self.operator.value}{self.value}"


@dataclass(frozen=True, slots=True)
class Membership:
    """`a IN (x, y)`."""

    field: Field
    values: tuple[Pattern, ...]

    def __str__(self) -> str:
        """Write it as a condition."""
        return f"{self.field} IN ({', '.join(map(str, self.values))})"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more conditions."""

    terms: tuple[Expr, ...]

    def __str__(self) -> str:
        """Write it with brackets wherever a reader could wonder."""
        return " AND ".join(map(_bracketed, self.terms))


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more conditions."""

    terms: tuple[Expr, ...]

    def __str__(self) -> str:
        """Write it with brackets wherever a reader could wonder."""
        return " OR ".join(map(_bracketed, self.terms))


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition: holds too where what it looks at is missing."""

    term: Expr

    def __str__(self) -> str:
        """Write it as a condition."""
        return f"NOT {_bracketed(self.term)}"


Expr = Everything | Word | Comparison | Membership | And | Or | Not


def fields(expr: Expr) -> Iterator[Field]:
    """Yield every field that a tree names, in the order of the text; words count as the message."""
    match expr:
        case And(terms) | Or(terms):
            for term in terms:
                yield from fields(term)
        case Not(term):
            yield from fields(term)
        case Comparison(named) | Membership(named):
            yield named
        case Word():
            yield Field(MESSAGE_COLUMN, system=True)
        case Everything():
            return


def member_paths(name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the attributes that may hold a member of a dotted name, the longest first, each with the path in it."""
    names = name.split(".")
    for length in range(len(names) - 1, 0, -1):
        yield ".".join(names[:length]), tuple(names[length:])


def leads_into_json(name: str) -> bool:
    """Whether an attribute's name may also mean a member of another attribute's JSON."""
    return "." in name


def _bracketed(expr: Expr) -> str:
    return f"({expr})" if isinstance(expr, And | Or) else str(expr)
