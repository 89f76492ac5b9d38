r"""JSON (RFC 8259) read token by token: what the fast path can't take, and what is wrong with what is no JSON.

It gives what DuckDB gives for an ordinary object: the text of strings, numbers as they stand, lists and objects without
white space and with their strings written anew (yyjson's way: only what must be escaped is, `\u001F` in upper case). It
does not recurse, so depth is no limit.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from transforms.formats.record_errors import LONE_SURROGATE

_STRING = r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
_SCALAR = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null"
_SPACE = r"[ \t\n\r]*"
_TOKEN = re.compile(rf"{_SPACE}(?:(?P<string>{_STRING})|(?P<scalar>{_SCALAR})|(?P<mark>[{{}}\[\],:])|(?P<end>\Z))")
_MEMBER = re.compile(  # most members at one go
    rf"{_SPACE}(?P<name>{_STRING}){_SPACE}:{_SPACE}(?:(?P<string>{_STRING})|(?P<scalar>{_SCALAR})){_SPACE}(?P<mark>[,}}])"
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_MUST_ESCAPE = re.compile(r'["\\\x00-\x1f]')
_SHORT = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SHORT_BACK = {value: "\\" + key for key, value in _SHORT.items() if value != "/"}
_OPENING = {"{": "}", "[": "]"}


class InvalidJsonError(ValueError):
    """A text is no JSON; the message is what stands where."""


@dataclass
class JsonObject:
    """The members of an object as attributes.

    Attributes:
        fields: Name to text; members that are null are left out, and of a doubled name the first counts.
        error: Set if a lone surrogate was replaced.
    """

    fields: dict[str, str]
    error: str | None = None


class _Reader:
    """A text and the place in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.error: str | None = None

    def next(self) -> tuple[str, str]:
        """Return the next token as (kind, text)."""
        match = _TOKEN.match(self.text, self.place)
        if match is None:
            start = len(self.text) - len(self.text[self.place :].lstrip(" \t\n\r"))
            raise InvalidJsonError(f"unexpected text at character {start + 1}")
        self.place = match.end()
        kind = match.lastgroup or "end"
        return kind, match[kind]

    def expect(self, mark: str) -> None:
        self.require(self.next(), mark)

    def require(self, token: tuple[str, str], *marks: str) -> str:
        """Return the text of a token, which must be one of some marks."""
        if token[0] != "mark" or token[1] not in marks:
            raise self.unexpected(token, " or ".join(marks))
        return token[1]

    def unexpected(self, token: tuple[str, str], missing: str) -> InvalidJsonError:
        kind, text = token
        if kind == "end":
            return InvalidJsonError(f"it ends where {missing} should be")
        return InvalidJsonError(f"no {missing} at character {self.place - len(text) + 1}")

    def unescape(self, literal: str) -> str:
        """Return the text of a string literal; a lone surrogate becomes U+FFFD and is noted."""
        body = literal[1:-1]
        if "\\" not in body:
            return body
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else _SHORT[match[2]], body)
        if not re.search("[\ud800-\udfff]", text):
            return text
        whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        if "\ufffd" in whole and whole.count("\ufffd") > text.count("\ufffd"):
            self.error = LONE_SURROGATE
        return whole


def read_object(text: str) -> JsonObject | None:
    """Read a text that is one JSON value.

    Returns:
        The object's members, or None for a value that is no object.

    Raises:
        InvalidJsonError: It is no JSON.
    """
    reader = _Reader(text)
    kind, first = reader.next()
    if (kind, first) != ("mark", "{"):
        _compact(reader, (kind, first))
        _require_end(reader)
        return None
    fields = _members(reader)
    _require_end(reader)
    return JsonObject({name: value for name, value in fields.items() if value is not None}, reader.error)


def other_members(text: str, known: Collection[str]) -> str:
    """Return the members of an object but some, as JSON without white space; those that are null are left out."""
    reader = _Reader(text)
    reader.require(reader.next(), "{")
    members: dict[str, tuple[str, str]] = {}
    while (token := reader.next())[0] == "string":
        name = reader.unescape(token[1])
        reader.expect(":")
        members.setdefault(name, (_atom(reader, token), _compact(reader, reader.next())))
        if reader.require(reader.next(), ",", "}") == "}":
            break
    kept = [(key, value) for name, (key, value) in members.items() if name not in known and value != "null"]
    return "{" + ",".join(f"{key}:{value}" for key, value in kept) + "}"


def _require_end(reader: _Reader) -> None:
    token = reader.next()
    if token[0] != "end":
        raise InvalidJsonError(f"text after the value, at character {reader.place - len(token[1]) + 1}")


def _members(reader: _Reader) -> dict[str, str | None]:
    """Read the rest of an object whose brace was read."""
    fields: dict[str, str | None] = {}
    while True:
        member = _MEMBER.match(reader.text, reader.place)
        if member:
            reader.place = member.end()
            name, value = reader.unescape(member["name"]), member["scalar"]
            text = reader.unescape(member["string"]) if value is None else None if value == "null" else value
            fields.setdefault(name, text)
            mark = member["mark"]
        else:
            token = reader.next()
            if not fields and token == ("mark", "}"):
                return fields
            if token[0] != "string":
                raise reader.unexpected(token, "name in quotes")
            name = reader.unescape(token[1])
            reader.expect(":")
            fields.setdefault(name, _value(reader))
            mark = reader.require(reader.next(), ",", "}")
        if mark == "}":
            return fields


def _value(reader: _Reader) -> str | None:
    kind, text = token = reader.next()
    if kind == "string":
        return reader.unescape(text)
    if kind == "scalar":
        return None if text == "null" else text
    return _compact(reader, token)


def _compact(reader: _Reader, token: tuple[str, str]) -> str:
    """Return a value without white space, from its first token on."""
    parts: list[str] = []
    closers: list[str] = []
    while True:
        if token[0] == "mark" and token[1] in _OPENING:
            parts.append(token[1])
            closers.append(_OPENING[token[1]])
            token = reader.next()
            if token != ("mark", closers[-1]):
                token = _member_value(reader, token, parts) if closers[-1] == "}" else token
                continue
            parts.append(closers.pop())
        else:
            parts.append(_atom(reader, token))
        while closers:
            parts.append(reader.require(reader.next(), ",", closers[-1]))
            if parts[-1] == ",":
                break
            closers.pop()
        else:
            return "".join(parts)
        token = reader.next()
        if closers[-1] == "}":
            token = _member_value(reader, token, parts)


def _member_value(reader: _Reader, token: tuple[str, str], parts: list[str]) -> tuple[str, str]:
    """Write the name of a member, and return the first token of its value."""
    if token[0] != "string":
        raise reader.unexpected(token, "name in quotes")
    parts += (_atom(reader, token), ":")
    reader.expect(":")
    return reader.next()


def _atom(reader: _Reader, token: tuple[str, str]) -> str:
    """Return the JSON text of a string, a number, a boolean or null."""
    kind, text = token
    if kind == "scalar":
        return text
    if kind != "string":
        raise reader.unexpected(token, "value")
    if "\\" not in text:
        return text
    return (
        '"'
        + _MUST_ESCAPE.sub(lambda match: _SHORT_BACK.get(match[0]) or f"\\u{ord(match[0]):04X}", reader.unescape(text))
        + '"'
    )
