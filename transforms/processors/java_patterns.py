"""Java's DateTimeFormatter patterns, translated to the parts of a time that `timestamps` reads.

The letters are those of https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/time/format/DateTimeFormatter.html; what has no
instant to give (eras, quarters, weeks) or needs Java's own tables (long zone names) is refused when the file is loaded.
"""

from __future__ import annotations

import re
from itertools import groupby

from transforms.errors import ConfigurationError
from transforms.timestamps import PARTS

_OFFSET = "[+-](?:[01][0-9]|2[0-3])"
_NAMES = "UTC|GMT|UT|[ECMP][SD]T|CES?T"
_LETTERS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("y", "u", "yyyy", "uuuu"), ("year", "(?P<year>[0-9]{4})")),
    **dict.fromkeys(("yy", "uu"), ("year", "(?P<yy>[0-9]{2})")),
    **dict.fromkeys(("M", "L"), ("month", "(?P<month>1[0-2]|0?[1-9])")),
    **dict.fromkeys(("MM", "LL"), ("month", "(?P<month>0[1-9]|1[0-2])")),
    **dict.fromkeys(("MMM", "MMMM", "LLL", "LLLL"), ("month", PARTS["mon"])),
    "d": ("day", "(?P<day>[12][0-9]|3[01]|0?[1-9])"),
    "dd": ("day", "(?P<day>0[1-9]|[12][0-9]|3[01])"),
    "ppd": ("day", PARTS["padded_day"]),
    "H": ("hour", "(?P<hour>1[0-9]|2[0-3]|0?[0-9])"),
    "HH": ("hour", "(?P<hour>[01][0-9]|2[0-3])"),
    "h": ("hour", "(?P<hour>1[0-2]|0?[1-9])"),
    "hh": ("hour", "(?P<hour>0[1-9]|1[0-2])"),
    "m": ("minute", "(?P<minute>[1-5][0-9]|0?[0-9])"),
    "mm": ("minute", "(?P<minute>[0-5][0-9])"),
    "s": ("second", "(?P<second>60|[1-5][0-9]|0?[0-9])"),
    "ss": ("second", "(?P<second>[0-5][0-9]|60)"),
    "a": ("half of the day", "(?P<ampm>[AaPp][Mm])"),
    **dict.fromkeys(("E", "EE", "EEE", "EEEE"), ("weekday", PARTS["weekday"])),
    **dict.fromkeys(("z", "zz", "zzz"), ("zone", f"(?P<zone>{_NAMES})")),
    **dict.fromkeys(("Z", "ZZ", "ZZZ", "xx"), ("zone", f"(?P<zone>{_OFFSET}[0-5][0-9])")),
    **dict.fromkeys(("ZZZZZ", "XXX"), ("zone", f"(?P<zone>Z|{_OFFSET}:[0-5][0-9])")),
    "X": ("zone", f"(?P<zone>Z|{_OFFSET}(?:[0-5][0-9])?)"),
    "XX": ("zone", f"(?P<zone>Z|{_OFFSET}[0-5][0-9])"),
    "x": ("zone", f"(?P<zone>{_OFFSET}(?:[0-5][0-9])?)"),
    "xxx": ("zone", f"(?P<zone>{_OFFSET}:[0-5][0-9])"),
}
"""Letters -> the part of the time they are, and its pattern."""

_HINTS = {"Y": "week year; write yyyy", "D": "day of the year", "k": "hour from 1 to 24; write HH"}
_TOKEN = re.compile(r"'(?:[^']|'')*'|(?:pp)?[A-Za-z]+|.", re.DOTALL)


def translate(pattern: str) -> str:
    """Translate a pattern to a regular expression with the groups that `timestamps` reads.

    Args:
        pattern: Like `yyyy-MM-dd HH:mm:ss[.SSS]XXX`.

    Returns:
        A regular expression for both Rust's and Python's engine.

    Raises:
        ConfigurationError: A letter has no translation, a part stands twice, or the pattern says no date; with the character.
    """
    pieces: list[str] = []
    seen: set[str] = set()
    for at, token in _tokens(pattern):
        if token[0].isascii() and token[0].isalpha():
            part, piece = _part(pattern, at, token)
            if part in seen:
                raise _error(pattern, at, f"the {part} stands twice; where times are written in two ways, use two timestamp processors")
            seen.add(part)
        else:
            piece = _literal(pattern, at, token)
        pieces.append(piece)
    _check_whole(pattern, pieces, seen)
    return "".join(pieces)


def _tokens(pattern: str) -> list[tuple[int, str]]:
    """Cut a pattern into runs of one letter, quoted text and single other characters, each with its place."""
    tokens: list[tuple[int, str]] = []
    for match in _TOKEN.finditer(pattern):
        text, at = match[0], match.start()
        if not text[0].isalpha() or not text.isascii():
            tokens.append((at, text))
            continue
        for _, run in groupby(text):
            letters = "".join(run)
            if tokens and tokens[-1] == (at - len("pp"), "pp") and letters == "d":
                tokens[-1] = (at - len("pp"), "ppd")
            else:
                tokens.append((at, letters))
            at += len(letters)
    return tokens


def _part(pattern: str, at: int, letters: str) -> tuple[str, str]:
    if set(letters) == {"S"}:
        return "fraction", f"(?P<fraction>[0-9]{{{len(letters)}}})"
    if letters not in _LETTERS:
        hint = _HINTS.get(letters[0])
        raise _error(pattern, at, f"{letters!r} can't be read" + (f" ({hint})" if hint else ""))
    return _LETTERS[letters]


def _literal(pattern: str, at: int, token: str) -> str:
    if token == "[":
        return "(?:"
    if token == "]":
        return ")?"
    if token in "{}#":
        raise _error(pattern, at, f"{token!r} is reserved; put it in single quotes")
    if token == "'":
        raise _error(pattern, at, "the quote is not closed")
    if token[0] == "'":
        token = token[1:-1].replace("''", "'") or "'"
    return "".join(rf"\{character}" if character in r"\.+*?()|[]{}^$#&-~/" else character for character in token)


def _check_whole(pattern: str, pieces: list[str], seen: set[str]) -> None:
    depth = 0
    for piece in pieces:
        depth += (piece == "(?:") - (piece == ")?")
        if depth < 0:
            break
    if depth:
        raise _error(pattern, len(pattern) - 1, "the square brackets don't match")
    if missing := {"month", "day"} - seen:
        raise _error(pattern, 0, f"says no {' and no '.join(sorted(missing))}")
    halves = any("hour" in piece and "1[0-2]" in piece for piece in pieces)
    if halves != ("half of the day" in seen):
        raise _error(pattern, 0, "h and a belong together (1 to 12, AM or PM); the hour from 0 to 23 is H")


def _error(pattern: str, at: int, text: str) -> ConfigurationError:
    return ConfigurationError(f"character {at + 1} of {pattern!r}: {text}")
