"""A glob in words: which keys it takes, for people who look at it while they type it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice, product
from typing import Literal

from transforms.objects.discovery.key_glob import KeyGlob

_MOST_PATTERNS = 4
"""So many readings of braces are explained one by one."""
_MOST_TEXTS = 8
_UNCLEAR = frozenset(" ,;")
"""Text that has one of these stands in quotes."""


@dataclass(frozen=True)
class _Token:
    """A part of a pattern: text (of which there may be several to choose from), or what stands for others."""

    kind: Literal["text", "slash", "star", "stars", "one", "braces"]
    start: int
    end: int
    texts: tuple[str, ...] = ()


_Segment = list[_Token]
_MANY = ("are called", "begin with", "contain", "end in")
_ONE = ("is called", "begins with", "contains", "ends in")


def explain_glob(pattern: str) -> str:
    """Return which keys a glob matches, such as `keys under logs/, in any folder, that end in .gz`.

    Raises:
        ConfigurationError: it is malformed; the message points at the character.
    """
    literal = KeyGlob(pattern).literal
    if literal is not None:
        return f"the key {_shown(literal)} alone"
    readings = _expand(pattern)
    if readings is None:
        return "keys of many forms: braces stand for each of their alternatives in turn"
    return "; or ".join(dict.fromkeys(map(_explain, readings)))


def _explain(pattern: str) -> str:
    segments: list[_Segment] = [[]]
    for token in _tokens(pattern):
        if token.kind == "slash":
            segments.append([])
        else:
            segments[-1].append(token)
    *folders, name = segments
    under = ""
    while folders and _is_fixed(folders[0]):
        under += f"{_text(folders.pop(0))}/"
    if not folders and _is_fixed(name):
        return f"the key {_shown(under + _text(name))} alone"
    return _sentence(under, folders, name)


def _sentence(under: str, folders: Sequence[_Segment], name: _Segment) -> str:
    parts = [_folder(folder) for folder in folders]
    is_all = _is(name, "stars")
    start = "all keys" if is_all and not parts else "keys"
    if under:
        start += f" under {_shown(under)}" if parts or is_all else f" directly under {_shown(under)}"
    elif parts:
        start += f" {parts.pop(0)}"
    elif not is_all:
        start += " in no folder"
    if is_all:
        return ", ".join([start, *parts, *(["at any depth"] if folders else [])])
    called = _called(name, _MANY)
    return ", ".join([start, *parts, *([f"that {called}"] if called else [])])


def _folder(segment: _Segment) -> str:
    """Return where a segment leads that is followed by a slash."""
    if _is(segment, "stars"):
        return "in any folder"
    if _is(segment, "star"):
        return "in one folder of any name"
    if _is_fixed(segment):
        return f"then {_shown(_text(segment) + '/')}"
    return f"in a folder that {_called(segment, _ONE)}"


def _called(segment: _Segment, verbs: tuple[str, str, str, str]) -> str:
    """Return what a name is like, for `that …`; empty where it may be any."""
    parts: list[_Segment] = [[]]
    for token in segment:
        if token.kind == "star":
            parts.append([])
        else:
            parts[-1].append(token)
    called, begin, contain, end = verbs
    if not segment:
        return f"{end} a slash"
    if len(parts) == 1:
        return f"{called} {_words(parts[0])}"
    first, *between, last = parts
    held = [
        *([f"{begin} {_words(first)}"] if first else ()),
        *(f"{contain} {_words(part)}" for part in between if part),
        *([f"{end} {_words(last)}"] if last else ()),
    ]
    return " and ".join(held)


def _words(tokens: Sequence[_Token]) -> str:
    """Return texts and single characters in their order."""
    found = []
    for is_text, group in groupby(tokens, lambda one: one.kind == "text"):
        part = list(group)
        if not is_text:
            found.append(_characters(part))
            continue
        number = math.prod(len(token.texts) for token in part)
        texts = islice(product(*(token.texts for token in part)), _MOST_TEXTS)
        found.append(_either(["".join(choice) for choice in texts], number))
    return ", then ".join(found)


def _characters(tokens: Sequence[_Token]) -> str:
    counted = [(words, len(list(group))) for words, group in groupby(token.texts[0] for token in tokens)]
    return ", then ".join(f"{count} × {words}" if count > 1 else words for words, count in counted)


def _either(texts: Sequence[str], number: int) -> str:
    """Return texts as a choice, where there are so many of which these are the first."""
    shown = [_shown(text) for text in dict.fromkeys(texts)]
    if number > len(texts):
        shown.append(f"one of {number - len(texts):,} others")
    return " or ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def _shown(text: str) -> str:
    return f"“{text}”" if not text or _UNCLEAR & set(text) else text


def _text(tokens: Sequence[_Token]) -> str:
    return "".join(token.texts[0] for token in tokens)


def _is_fixed(segment: _Segment) -> bool:
    return all(token.kind == "text" and len(token.texts) == 1 for token in segment)


def _is(segment: _Segment, kind: str) -> bool:
    return len(segment) == 1 and segment[0].kind == kind


def _expand(pattern: str) -> list[str] | None:
    """Return patterns whose braces hold texts alone, None where these are too many."""
    braces = next((token for token in _tokens(pattern) if token.kind == "braces"), None)
    if braces is None:
        return [pattern]
    readings: list[str] = []
    for alternative in braces.texts:
        found = _expand(pattern[: braces.start] + alternative + pattern[braces.end :])
        if found is None or len(readings) + len(found) > _MOST_PATTERNS:
            return None
        readings += found
    return readings


def _tokens(pattern: str) -> Iterator[_Token]:
    """Yield the parts of a pattern that is well-formed."""
    end = 0
    while end < len(pattern):
        start, end = end, _end_of(pattern, end)
        part, character = pattern[start:end], pattern[start]
        if character == "/":
            yield _Token("slash", start, end)
        elif character == "*":
            yield _Token("stars" if part == "**" else "star", start, end)
        elif character in "?[":
            yield _Token("one", start, end, ("any one character" if character == "?" else _class(part),))
        elif character == "{":
            alternatives = _alternatives(part)
            choices = [_choice(alternative) for alternative in alternatives]
            texts = tuple(text for text in choices if text is not None)
            is_choice = len(texts) == len(choices)
            yield _Token("text" if is_choice else "braces", start, end, texts if is_choice else tuple(alternatives))
        else:
            yield _Token("text", start, end, (part[-1],))


def _end_of(pattern: str, at: int) -> int:
    """Return where the part that begins at a place ends."""
    character = pattern[at]
    if character == "\\":
        return at + 2
    if character == "*":
        return at + 2 if pattern.startswith("**", at) else at + 1
    if character == "[":
        at += 2 if pattern.startswith("[!", at) else 1
        first = at
        while pattern[at] != "]" or at == first:
            at += 2 if pattern[at] == "\\" else 1
        return at + 1
    if character != "{":
        return at + 1
    at += 1
    while pattern[at] != "}":
        at = _end_of(pattern, at)
    return at + 1


def _class(part: str) -> str:
    held = part[1:-1].replace("\\", "")
    return f"one character but {held[1:]}" if held.startswith("!") else f"one of {held}"


def _alternatives(part: str) -> list[str]:
    """Return what stands between the commas of braces."""
    found, at, begin = [], 1, 1
    while at < len(part) - 1:
        if part[at] == ",":
            found.append(part[begin:at])
            begin = at + 1
        at = _end_of(part, at)
    return [*found, part[begin:-1]]


def _choice(alternative: str) -> str | None:
    """Return the text of an alternative, None where it is more than a text without slashes."""
    tokens = list(_tokens(alternative))
    if any(token.kind != "text" or len(token.texts) > 1 for token in tokens):
        return None
    return _text(tokens)
