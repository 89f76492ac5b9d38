"""Java's DateTimeFormatter patterns, translated to regular expressions over the parts of a time.

The letters are those of
https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/time/format/DateTimeFormatter.html; what has no
    instant to give (eras, quarters, weeks) or needs Java's own tables (long zone names) is refused when the file is
    loaded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

from transforms.core.errors import ConfigurationError
from transforms.timestamps import PARTS

_OFFSET = "[+-](?:[01][0-9]|2[0-3])"
_COLONS = f"{_OFFSET}:[0-5][0-9](?::00)?"
_NO_COLONS = f"{_OFFSET}[0-5][0-9](?:00)?"
_REGION = "[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*"
_NAMED_ZONES = {
    **dict.fromkeys(("z", "zz", "zzz", "VV"), f"{_COLONS}|(?:UTC|GMT|UT){_COLONS}|{_REGION}"),
    **dict.fromkeys(("ZZZZ", "OOOO"), f"GMT(?:{_COLONS})?"),
    "O": "GMT(?:[+-](?:1[0-9]|2[0-3]|0?[0-9])(?::[0-5][0-9])?)?",
}
_OFFSETS = {
    **dict.fromkeys(("Z", "ZZ", "ZZZ", "xx"), f"{_OFFSET}[0-5][0-9]"),
    "X": f"Z|{_OFFSET}(?:[0-5][0-9])?",
    "XX": f"Z|{_OFFSET}[0-5][0-9]",
    "XXX": f"Z|{_OFFSET}:[0-5][0-9]",
    "XXXX": f"Z|{_NO_COLONS}",
    **dict.fromkeys(("XXXXX", "ZZZZZ"), f"Z|{_COLONS}"),
    "x": f"{_OFFSET}(?:[0-5][0-9])?",
    "xxx": f"{_OFFSET}:[0-5][0-9]",
    "xxxx": _NO_COLONS,
    "xxxxx": _COLONS,
}
_LETTERS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("y", "u", "yyyy", "uuuu"), ("year", "(?P<year>[0-9]{4})")),
    **dict.fromkeys(("yy", "uu"), ("year", "(?P<yy>[0-9]{2})")),
    **dict.fromkeys(("M", "L"), ("month", "(?P<month>1[0-2]|0?[1-9])")),
    **dict.fromkeys(("MM", "LL"), ("month", "(?P<month>0[1-9]|1[0-2])")),
    **dict.fromkeys(("MMM", "MMMM", "LLL", "LLLL"), ("month", PARTS["mon"])),
    "d": ("day", "(?P<day>[12][0-9]|3[01]|0?[1-9])"),
    "dd": ("day", "(?P<day>0[1-9]|[12][0-9]|3[01])"),
    "ppd": ("day", PARTS["padded_day"]),
    "H": ("hour", "(?P<hour>1[0-9]|2[0-4]|0?[0-9])"),
    "HH": ("hour", "(?P<hour>[01][0-9]|2[0-4])"),
    "h": ("hour", "(?P<half>1[0-2]|0?[1-9])"),
    "hh": ("hour", "(?P<half>0[1-9]|1[0-2])"),
    "K": ("hour", "(?P<half_from_0>1[01]|0?[0-9])"),
    "KK": ("hour", "(?P<half_from_0>0[0-9]|1[01])"),
    "k": ("hour", "(?P<clock>1[0-9]|2[0-4]|0?[0-9])"),
    "kk": ("hour", "(?P<clock>[01][0-9]|2[0-4])"),
    "m": ("minute", "(?P<minute>[1-5][0-9]|0?[0-9])"),
    "mm": ("minute", "(?P<minute>[0-5][0-9])"),
    "s": ("second", "(?P<second>60|[1-5][0-9]|0?[0-9])"),
    "ss": ("second", "(?P<second>[0-5][0-9]|60)"),
    "a": ("half of the day", "(?P<ampm>[AaPp][Mm])"),
    **dict.fromkeys(("E", "EE", "EEE", "EEEE"), ("weekday", PARTS["weekday"])),
    **{letters: ("zone", f"(?P<zone>{pattern})") for letters, pattern in _OFFSETS.items()},
    **{letters: ("zone", f"(?P<zone_name>{pattern})") for letters, pattern in _NAMED_ZONES.items()},
}
"""Letters -> the part of the time they are, and its pattern."""
_RUNS = {"S": ("fraction", "fraction", 9), "n": ("fraction", "nano", 9), "A": ("hour", "milli_of_day", 8),
    "N": ("hour", "nano_of_day", 14),
         "D": ("day", "day_of_year", 3)}  # fmt: skip
"""Letter -> the part, its group, and the most digits; the run's length is the least."""
_PLAIN = {"year", "month", "mon", "day", "hour", "half", "minute", "second", "fraction", "ampm", "zone"}
_HINTS = {"Y": "week year; write yyyy", "zzzz": "long zone names; write z", "vvvv": "long zone names; write z"}
_TOKEN = re.compile(r"'(?:[^']|'')*'|(?:pp)?[A-Za-z]+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JavaPattern:
    """A translated pattern, for both Rust's and Python's engine.

    Attributes:
        pattern: The general one; of a part that stands in several optional sections, the second group is called
            `NAME_2` and so on.
        plain: For the forms of `timestamps`, which know no hour 24; None where they would read something else than
            Java.
    """

    pattern: str
    plain: str | None


def translate(pattern: str) -> JavaPattern:
    """Translate a pattern to regular expressions.

    Args:
        pattern: Like `yyyy-MM-dd HH:mm:ss[.SSS]XXX`.

    Raises:
        ConfigurationError: A letter has no translation, a part occurs twice, or the pattern has no date; with the
            character.
    """
    parts: list[str] = []
    groups: list[str] = []
    always: dict[str, bool] = {}  # the parts, and whether they stand outside of sections
    depth = 0
    for at, token in _tokens(pattern):
        depth += (token == "[") - (token == "]")
        if token[0].isascii() and token[0].isalpha():
            part, piece = _part(pattern, at, token)
            if always.get(part) and not depth:
                raise _error(
                    pattern,
                    at,
                    f"the {part} stands twice; where times are written in two ways, use two timestamp processors",
                )
            always[part] = always.get(part, False) or not depth
            piece = _numbered(piece, groups)
        else:
            piece = _literal(pattern, at, token)
        parts.append(piece)
    _check_whole(pattern, parts, set(groups))
    general = "".join(parts)
    is_plain = set(groups) <= _PLAIN and not {"hour", "ampm"} <= set(groups)
    return JavaPattern(
        general, general.replace("2[0-4]", "2[0-3]").replace("(?P<half>", "(?P<hour>") if is_plain else None
    )


def _numbered(piece: str, groups: list[str]) -> str:
    """Give the group of a piece a name that is free, and note it."""
    (name,) = re.findall(r"\(\?P<(\w+)>", piece)
    count = sum(group == name or group.startswith(f"{name}__") for group in groups)
    groups.append(f"{name}__{count + 1}" if count else name)
    return piece.replace(f"(?P<{name}>", f"(?P<{groups[-1]}>")


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
    if letters[0] in _RUNS and set(letters) == {letters[0]}:
        part, group, most = _RUNS[letters[0]]
        least = len(letters)
        return part, f"(?P<{group}>[0-9]{{{least}}})" if letters[
            0
        ] == "S" or least >= most else f"(?P<{group}>[0-9]{{{least},{most}}})"
    if letters not in _LETTERS:
        hint = _HINTS.get(letters) or _HINTS.get(letters[0])
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


def _check_whole(pattern: str, parts: list[str], groups: set[str]) -> None:
    depth = 0
    for piece in parts:
        depth += (piece == "(?:") - (piece == ")?")
        if depth < 0:
            break
    if depth:
        raise _error(pattern, len(pattern) - 1, "the square brackets don't match")
    if "day_of_year" in groups and not groups & {"year", "yy"}:
        raise _error(pattern, 0, "D, the day of the year, goes with a year")
    given = {"month", "day"} if "day_of_year" in groups else {"month" if "mon" in groups else "", *groups}
    if missing := {"month", "day"} - given:
        raise _error(pattern, 0, f"has no {' and no '.join(sorted(missing))}")
    hours = groups & {"hour", "half", "half_from_0"}
    if bool(hours - {"hour"}) > ("ampm" in groups) or ("ampm" in groups and not hours):
        raise _error(pattern, 0, "h and a belong together (1 to 12, AM or PM); the hour from 0 to 23 is H")


def _error(pattern: str, at: int, text: str) -> ConfigurationError:
    return ConfigurationError(f"character {at + 1} of {pattern!r}: {text}")
