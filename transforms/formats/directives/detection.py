"""The directives that an object begins with."""

from __future__ import annotations

from collections.abc import Iterator


def leading_directives(text: str) -> Iterator[str]:
    """Yield the complete lines that begin with `#`, up to the first line of another kind that is not blank."""
    place = 0
    while (end := text.find("\n", place)) >= 0:
        line = text[place:end].strip("\r")
        if line.strip() and not line.startswith("#"):
            return
        yield line
        place = end + 1
