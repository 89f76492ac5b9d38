"""The glob over whole keys by which a job chooses its objects.

A pattern is parsed to a small tree, for messages that point at a character, for the literal prefixes that are listed,
and for one regular expression, which Polars' engine matches in time linear in the key, whatever the pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from transforms.core.errors import ConfigurationError

MAX_PREFIXES = 1000
"""Braces that would make more literal prefixes than this are listed under the prefix before them."""
_MAX_DEPTH = 50
_SPECIAL = frozenset("\\*?[]{}")


class KeyGlob:
    """A compiled pattern.

    Attributes:
        pattern: As it was written.
        prefixes: Literal prefixes that together every matching key begins with, none of them under another; `[""]`
            where there is none.
        regex: What matches the whole key, in the syntax of Polars' engine.
        literal: The only key that matches, where the pattern has no wildcard.
    """

    def __init__(self, pattern: str, name: str = "pattern") -> None:
        """Compile a pattern; `name` is what messages call it.

        Raises:
            ConfigurationError: it is malformed; the message points at the character.
        """
        self.pattern = pattern
        try:
            sequence = _Parser(pattern).parse()
            _check_globstars(sequence)
        except _MalformedError as error:
            raise ConfigurationError(error.describe(pattern, name), field=name) from None
        self.prefixes = topmost(prefix for prefix, _ in _expand(sequence, [("", True)]))
        self.literal = _literal(sequence)
        self.regex = rf"\A(?:{_regex(sequence)})\z"
        try:
            self.matches("")
        except pl.exceptions.ComputeError as error:  # the engine bounds the size of what it compiles
            reason = str(error).splitlines()[0]
            text = f"{name} of {len(pattern)} characters: it is too large ({reason})"
            raise ConfigurationError(text, field=name) from error

    def matches(self, key: str) -> bool:
        """Whether the whole key matches. For many keys, `matches_all` is a hundred times faster."""
        return self.matches_all([key])[0]

    def matches_all(self, keys: Sequence[str]) -> list[bool]:
        """Return for each key whether it matches."""
        found: list[bool] = pl.Series(keys, dtype=pl.String).str.contains(self.regex).to_list()
        return found


class _MalformedError(Exception):
    """What is wrong with a pattern, and at which character, None for all of it."""

    def __init__(self, position: int | None, problem: str) -> None:
        self.position = position
        self.problem = problem

    def describe(self, pattern: str, name: str) -> str:
        """Return the message, which points at the character."""
        if self.position is None:
            return f"{name}: {self.problem}"
        shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in pattern)
        pointer = f"{' ' * self.position}^"
        return f"{name}, character {self.position + 1}: {self.problem}\n  {shown}\n  {pointer}"


@dataclass(frozen=True)
class _Literal:
    character: str


@dataclass(frozen=True)
class _Any:
    """`*` or `?`: characters other than a slash."""

    regex: str


@dataclass(frozen=True)
class _Globstar:
    """`**`: whole segments; `position` is for messages."""

    position: int


@dataclass(frozen=True)
class _Braces:
    alternatives: tuple[_Sequence, ...]


_Node = _Literal | _Any | _Globstar | _Braces
_Sequence = tuple[_Node, ...]
_SLASH = _Literal("/")


class _Parser:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def parse(self) -> _Sequence:
        if not self._pattern:
            raise _MalformedError(None, "it is empty and matches nothing; leave it out")
        for position, character in enumerate(self._pattern):
            if "\ud800" <= character <= "\udfff":
                raise _MalformedError(position, "this is no character: the pattern is not UTF-8")
        return self._sequence(opened=[])

    def _sequence(self, opened: list[int]) -> _Sequence:
        """Read up to the end, or within braces (`opened` says where they opened) up to a comma or the closing brace."""
        nodes: list[_Node] = []
        while self._at < len(self._pattern):
            if opened and self._pattern[self._at] in ",}":
                return tuple(nodes)
            nodes.append(self._node(opened))
        if opened:
            raise _MalformedError(opened[-1], "this brace is never closed by '}'; write \\{ for the character itself")
        return tuple(nodes)

    def _node(self, opened: list[int]) -> _Node:
        start, character = self._at, self._pattern[self._at]
        self._at += 1
        if character == "\\":
            return _Literal(self._escaped(start))
        if character == "*":
            return self._stars(start)
        if character == "?":
            return _Any("[^/]")
        if character == "[":
            return self._class(start)
        if character == "{":
            return self._braces([*opened, start])
        if character == "}":
            raise _MalformedError(start, "this brace closes none; write \\} for the character itself")
        return _Literal(character)

    def _escaped(self, start: int) -> str:
        if self._at == len(self._pattern):
            raise _MalformedError(start, "this backslash escapes nothing; write \\\\ for the character itself")
        self._at += 1
        return self._pattern[self._at - 1]

    def _stars(self, start: int) -> _Node:
        while self._at < len(self._pattern) and self._pattern[self._at] == "*":
            self._at += 1
        if self._at - start > 2:
            raise _MalformedError(
                start + 2, "more than two '*' in a row; ** stands for whole segments, * for part of one"
            )
        return _Globstar(start) if self._at - start == 2 else _Any("[^/]*")

    def _braces(self, opened: list[int]) -> _Node:
        if len(opened) > _MAX_DEPTH:
            raise _MalformedError(opened[-1], f"braces in braces, more than {_MAX_DEPTH} deep")
        alternatives = [self._sequence(opened)]
        while self._pattern[self._at] == ",":
            self._at += 1
            alternatives.append(self._sequence(opened))
        self._at += 1
        if alternatives == [()]:
            raise _MalformedError(
                opened[-1], "there is nothing between these braces; write \\{ for the character itself"
            )
        return _Braces(tuple(alternatives))

    def _class(self, start: int) -> _Node:
        negated = self._pattern.startswith("!", self._at)
        self._at += negated
        ranges: list[tuple[int, int]] = []
        while not self._pattern.startswith("]", self._at) or not ranges:  # a bracket that comes first is a member
            low_at = self._at
            low = self._member(start)
            high = low
            if self._pattern.startswith("-", self._at) and not self._pattern.startswith("]", self._at + 1):
                self._at += 1
                high = self._member(start)
            if low > high:
                raise _MalformedError(low_at, f"the range {low}-{high} is upside down; write [{high}-{low}]")
            ranges.append((ord(low), ord(high)))
        self._at += 1
        return _Any(_class_regex(ranges, negated=negated))

    def _member(self, start: int) -> str:
        if self._at >= len(self._pattern):
            raise _MalformedError(start, "this bracket is never closed by ']'; write \\[ for the character itself")
        position, character = self._at, self._pattern[self._at]
        self._at += 1
        if character == "\\":
            character = self._escaped(position)
        if character == "/":
            raise _MalformedError(
                position,
                "a slash within [ ]: a class stands for one character of a segment, and never for '/'",
            )
        return character


_START, _MIDDLE, _AFTER_STARS = "start", "middle", "after **"


def _check_globstars(sequence: _Sequence) -> None:
    """Refuse a `**` that is not alone in its segment, in any reading of the braces around it."""
    _check_segments(sequence, {_START: -1})


def _check_segments(sequence: _Sequence, before: dict[str, int]) -> dict[str, int]:
    """Return where in a segment the text behind the sequence may stand, and for `_AFTER_STARS` where the stars are."""
    for node in sequence:
        if isinstance(node, _Braces) and _AFTER_STARS in before:
            raise _MalformedError(
                before[_AFTER_STARS], "** is followed by braces; put the slash between them, as in **/{a,b}"
            )
        if isinstance(node, _Braces):
            before = {
                where: at
                for alternative in node.alternatives
                for where, at in _check_segments(alternative, before).items()
            }
        elif node == _SLASH:
            before = {_START: -1}
        elif _AFTER_STARS in before or (isinstance(node, _Globstar) and _MIDDLE in before):
            at = node.position if isinstance(node, _Globstar) else before[_AFTER_STARS]
            raise _MalformedError(
                at, "** must be alone in its segment, as in logs/**/*.json; * stands for part of a segment"
            )
        else:
            before = {_AFTER_STARS: node.position} if isinstance(node, _Globstar) else {_MIDDLE: -1}
    return before


def _literal(sequence: _Sequence) -> str | None:
    literals = [node for node in sequence if isinstance(node, _Literal)]
    return "".join(node.character for node in literals) if len(literals) == len(sequence) else None


def _regex(sequence: _Sequence) -> str:
    """Return the regular expression of a sequence that begins a segment, or stands where braces begin."""
    parts: list[str] = []
    nodes = list(reversed(sequence))
    while nodes:
        node = nodes.pop()
        followed = bool(nodes) and nodes[-1] == _SLASH
        if isinstance(node, _Literal):
            parts.append(_escape(node.character))
        elif isinstance(node, _Any):
            parts.append(node.regex)
        elif isinstance(node, _Globstar):
            parts.append("(?:[^/]*/)*" if followed else "(?s:.*)")
        else:
            slash = (_SLASH,) if followed else ()  # goes into the alternatives, as one of them may end in `**`
            parts.append("(?:" + "|".join(_regex((*alternative, *slash)) for alternative in node.alternatives) + ")")
        if followed and isinstance(node, (_Globstar, _Braces)):
            nodes.pop()
    return "".join(parts)


def _class_regex(ranges: Iterable[tuple[int, int]], *, negated: bool) -> str:
    """Return a class without the slash, which some range may span."""
    slash = ord("/")
    if negated:
        return "[^/" + "".join(rf"\x{{{low:x}}}-\x{{{high:x}}}" for low, high in ranges) + "]"
    parts = [
        part
        for low, high in ranges
        for part in ((low, min(high, slash - 1)), (max(low, slash + 1), high))
        if part[0] <= part[1]
    ]
    return "[" + "".join(rf"\x{{{low:x}}}-\x{{{high:x}}}" for low, high in parts) + "]"


def _escape(character: str) -> str:
    return character if character.isalnum() or character == "/" else rf"\x{{{ord(character):x}}}"


def _expand(sequence: _Sequence, prefixes: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Return the literal prefixes of a sequence that follows `prefixes`, each with whether it can still grow."""
    for node in sequence:
        if isinstance(node, _Literal):
            prefixes = [(prefix + node.character if literal else prefix, literal) for prefix, literal in prefixes]
            continue
        expanded = None
        if isinstance(node, _Braces):
            still_open = [one for one in prefixes if one[1]]
            closed = [one for one in prefixes if not one[1]]
            expanded = closed + [one for alternative in node.alternatives for one in _expand(alternative, still_open)]
        prefixes = (
            expanded
            if expanded is not None and len(expanded) <= MAX_PREFIXES
            else [(prefix, False) for prefix, _ in prefixes]
        )
    return prefixes


def topmost(prefixes: Iterable[str]) -> list[str]:
    """Return the prefixes in order, less those that lie under another."""
    kept: list[str] = []
    for prefix in sorted(set(prefixes)):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return kept


def literal_glob(key: str) -> str:
    """Return the pattern that matches one key."""
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in key)
