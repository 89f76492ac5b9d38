"""What an older version of the tier's pipelines, or somebody else's, has otherwise."""

from __future__ import annotations

from difflib import unified_diff

_MOST_LINES = 1_000
"""More takes seconds where lines come again and again."""
_KINDS = {"+": "came", "-": "gone"}


def difference(old: str, new: str) -> list[tuple[str, str]] | None:
    """Return the lines by which a text differs from an older one, each with its class; None where they are too many."""
    before, after = old.split("\n"), new.split("\n")
    if max(len(before), len(after)) > _MOST_LINES:
        return None
    lines = list(unified_diff(before, after, lineterm="", n=2))[2:]
    return [(_KINDS.get(line[:1], ""), line) for line in lines]
