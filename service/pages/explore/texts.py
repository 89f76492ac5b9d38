"""Texts of events as pages show them: what words of the query match is marked, and JSON has lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from transforms.core.errors import QueryError
from transforms.query import parse
from transforms.query.syntax import And, Expr, Or, Word

MOST_MARKED = 500
"""Characters of a message that a row of the list has."""
_MOST_JSON = 20_000
_MOST_DEPTH = 40
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_OPENING, _CLOSING = ("{", "["), ("}", "]")


def words_of(query: str) -> re.Pattern[str] | None:
    """Return what finds the texts that a query looks for in messages, None where it looks for none."""
    try:
        found = {part for pattern in _words(parse(query)) for part in pattern if len(part) > 1} if query else set()
    except QueryError:
        return None
    longest_first = sorted(found, key=lambda part: (-len(part), part))
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if found else None


def _words(expr: Expr) -> Iterator[tuple[str, ...]]:
    if isinstance(expr, Word):
        yield expr.pattern.parts
    elif isinstance(expr, (And, Or)):
        for term in expr.terms:
            yield from _words(term)


def marked(text: str, words: re.Pattern[str] | None) -> list[tuple[bool, str]]:
    """Return the parts of a text, cut where it is long, and whether each is one of the words."""
    shown, parts, end = text[:MOST_MARKED], [], 0
    for hit in words.finditer(shown) if words else ():
        parts += [(False, shown[end : hit.start()]), (True, hit[0])]
        end = hit.end()
    return [part for part in (*parts, (False, shown[end:])) if part[1]]


def in_lines(text: str) -> str:
    """Return JSON with a line for each of its values, which differs by blanks alone, and other texts as they are."""
    if not text.startswith(_OPENING) or len(text) > _MOST_JSON:
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    lines, depth, before = [""], 0, ""
    for token in _TOKEN.findall(text):
        if token in _CLOSING:
            depth -= 1
        if before == "," or (before in _OPENING) != (token in _CLOSING):
            lines.append("  " * min(depth, _MOST_DEPTH))
        lines[-1] += ": " if token == ":" else token
        depth += token in _OPENING
        before = token
    return "\n".join(lines)
