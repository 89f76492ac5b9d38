"""A text that the tier keeps, as a form: what was typed, and what is wrong with it, beside the lines that are meant."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from service.pages.rendering import visible

MOST_MISTAKES = 50
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


def read_text(typed: str) -> str:
    """Return the text of a form's field with the line ends of a file: browsers send CR LF."""
    return typed.replace("\r\n", "\n")


def mistakes_of(message: str, text: str, *, file: str) -> list[Mistake]:
    """Return what a message about a text says of it, mistake by mistake.

    Args:
        message: As `FILE:LINE:COLUMN: what is wrong`, or `FILE: what is wrong`, a line for each; lines that begin
            otherwise belong to the mistake before them.
        text: The text.
        file: What the message calls it.
    """
    lines = text.split("\n")
    place = re.compile(rf"{re.escape(file)}:(\d{{1,9}}):(\d{{1,9}}): (.*)")
    found: list[Mistake] = []
    for part in message.split("\n"):
        at = place.fullmatch(part)
        if at is not None:
            found.append(_at(lines, int(at[1]), int(at[2]), at[3]))
        elif found and not part.startswith(f"{file}: "):
            found[-1] = replace(found[-1], more=f"{found[-1].more}\n{part}".lstrip("\n"))
        else:
            found.append(Mistake(message=part.removeprefix(f"{file}: ")))
    return found


def _at(lines: list[str], line: int, column: int, message: str) -> Mistake:
    text = lines[line - 1] if 0 < line <= len(lines) else ""
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
    return [(number, line[:_AFTER]) for number, line in lines if visible(line) != line][:MOST_MISTAKES]
