"""A text that the tier keeps, as a form: what was typed, and what is wrong with it, beside the lines that are meant."""

from __future__ import annotations

import re

from pipelines.documents import JsonObject

_MOST_MISTAKES = 50
_MOST_SHOWN = 300


def read_text(typed: str) -> str:
    """Return the text of a form's field with the line ends of a file: browsers send CR LF."""
    return typed.replace("\r\n", "\n")


def mistakes_in(text: str, message: str, *, file: str) -> list[JsonObject]:
    """Return the mistakes that a message about a file tells, each with its place and the line that is meant.

    Args:
        text: The file's.
        message: As `FILE:LINE:COLUMN: what is wrong`, a line for each; lines that begin otherwise belong to the mistake
            before them.
        file: The file's name, which the message begins with.
    """
    lines = text.split("\n")
    place = re.compile(rf"{re.escape(file)}:(\d{{1,9}}):(\d{{1,9}}): ")
    found: list[JsonObject] = []
    for line in message.split("\n"):
        at = place.match(line)
        if at:
            number, column = int(at[1]), int(at[2])
            shown = lines[number - 1] if 0 < number <= len(lines) else ""
            found.append({"line": number, "column": column, "text": line[at.end() :], "shown": shown[:_MOST_SHOWN]})
        elif found:
            found[-1]["text"] += f"\n{line}"
        else:
            found.append({"line": None, "column": None, "text": line, "shown": ""})
    return found[:_MOST_MISTAKES]
