"""Answers that a model can read: long values, rows and lists are cut to a size, and the answer names what was cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pipelines.documents import JsonObject

MOST_CHARACTERS = 40_000
"""Of an answer as JSON: about 10,000 tokens, for which clients have limits of their own (Claude Code's is 25,000)."""
_ROOM = 1000
"""Characters that notes may take."""
_MOST_MEMBERS = 100
_LEAST = 10


@dataclass(frozen=True)
class ValueLimits:
    """How much of a value is shown.

    Attributes:
        characters: The most characters of a text, also of a name.
        members: The most members of an object, and elements of a list.
    """

    characters: int
    members: int = _MOST_MEMBERS

    @property
    def halves(self) -> ValueLimits | None:
        """Limits of half the size; None where nothing would be left."""
        if self.members <= _LEAST:
            return None
        return ValueLimits(max(self.characters // 2, _LEAST), self.members // 2)


def shorten_value(value: Any, limits: ValueLimits) -> Any:
    """Return a JSON value within limits; it names what is left out."""
    if isinstance(value, str):
        hidden = len(value) - limits.characters
        return value if hidden <= 0 else f"{value[: limits.characters]}… ({hidden:,} more characters)"
    if isinstance(value, list):
        shown = [shorten_value(one, limits) for one in value[: limits.members]]
        hidden = len(value) - len(shown)
        return [*shown, f"… ({hidden:,} more elements)"] if hidden else shown
    if isinstance(value, dict):
        members = list(value.items())[: limits.members]
        known = {shorten_value(name, limits): shorten_value(one, limits) for name, one in members}
        hidden = len(value) - len(members)
        return known | ({"…": f"{hidden:,} more fields: name those that you need"} if hidden else {})
    return value


def fit_rows(rows: Sequence[Any], characters: int, room: int = MOST_CHARACTERS - _ROOM) -> list[Any]:
    """Return the first rows, shortened, that find room; the first in any case.

    Args:
        rows: Rows of an answer, as JSON has them.
        characters: The most characters of a value.
        room: The most characters of all rows as JSON.
    """
    kept: list[Any] = []
    left = room
    for row in rows:
        shown = shorten_value(row, ValueLimits(characters)) if kept else _first_row(row, characters, room)
        left -= _size(shown) + 1
        if kept and left < 0:
            break
        kept.append(shown)
    return kept


def _first_row(row: Any, characters: int, room: int) -> Any:
    """Return a row as short as it must be to find room."""
    limits: ValueLimits | None = ValueLimits(characters)
    while limits is not None:
        shown = shorten_value(row, limits)
        if _size(shown) <= room:
            return shown
        limits = limits.halves
    return {"…": shorten_value(orjson.dumps(row).decode(), ValueLimits(room // 4))}


def fit_lists(document: JsonObject, lists: Sequence[tuple[JsonObject, str]], characters: int) -> bool:
    """Cut an answer's lists until it finds room, the longest first; return whether any was cut.

    Args:
        document: The answer; it is changed.
        lists: Objects in it, and which of their members are lists that may be cut.
        characters: The most characters of a value.
    """
    for owner, name in lists:
        owner[name] = [shorten_value(one, ValueLimits(characters)) for one in owner[name]]
    sizes = [[_size(one) + 1 for one in owner[name]] for owner, name in lists]
    over = _size(document) - (MOST_CHARACTERS - _ROOM)
    is_cut = over > 0
    totals = [sum(one) for one in sizes]
    while over > 0 and any(totals):
        longest = max(range(len(totals)), key=totals.__getitem__)
        size = sizes[longest].pop()
        totals[longest] -= size
        over -= size
    for (owner, name), left in zip(lists, sizes, strict=True):
        owner[name] = owner[name][: len(left)]
    return is_cut


def _size(value: Any) -> int:
    return len(orjson.dumps(value).decode())
