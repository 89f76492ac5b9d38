"""The mistakes of an edited text, each with its place in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from service.pages.rendering import visible

SOURCE = "pipelines"
"""What messages call an edited text."""
MOST = 50
_PLACE = re.compile(rf"{SOURCE}:(\d+):(\d+): (.*)")
_BEFORE, _AFTER = 60, 120  # characters of the line that are shown around a mistake


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A mistake of a text.

    Attributes:
        line: Where it stands, counted from 1; 0 where no place is known.
        column: Likewise, in characters.
        message: What is wrong.
        more: Further lines of the message, such as a query with a mark under it.
        before: The line up to the place, its beginning left out where it is long.
        at: The character at the place.
        after: What follows.
    """

    line: int = 0
    column: int = 0
    message: str
    more: str = ""
    before: str = ""
    at: str = ""
    after: str = ""


def mistakes_of(message: str, text: str) -> list[Mistake]:
    """Return what the message of an error says of a text, mistake by mistake."""
    lines = text.splitlines() or [""]
    found: list[Mistake] = []
    for part in message.split("\n"):
        place = _PLACE.fullmatch(part)
        if place is not None:
            found.append(_at(lines, int(place[1]), int(place[2]), place[3]))
        elif found and not part.startswith(f"{SOURCE}: "):
            found[-1] = replace(found[-1], more=f"{found[-1].more}\n{part}".lstrip("\n"))
        else:
            found.append(Mistake(message=part.removeprefix(f"{SOURCE}: ")))
    return found


def _at(lines: list[str], line: int, column: int, message: str) -> Mistake:
    text = lines[line - 1] if line <= len(lines) else ""
    start = max(0, column - 1 - _BEFORE)
    return Mistake(
        line=line,
        column=column,
        message=message,
        before=("…" if start else "") + text[start : column - 1],
        at=text[column - 1 : column],
        after=text[column : column + _AFTER],
    )


def unseen_lines(text: str) -> list[tuple[int, str]]:
    """Return the lines with characters that are not seen, or turn the direction: a reader may take them for others."""
    lines = enumerate(text.split("\n"), 1)
    return [(number, line[:_AFTER]) for number, line in lines if visible(line) != line][:MOST]
