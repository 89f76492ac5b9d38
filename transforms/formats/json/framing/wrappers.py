"""JSON objects that wrap records: where the list of them is, and the values beside it.

`{"logGroup":"x","logEvents":[{…},{…}],"owner":"1"}` with the path `logEvents`: two records, each with `logGroup` and
`owner`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from dataclasses import dataclass, field

from transforms.formats.json.framing.value_ends import STRING, find_value_end
from transforms.formats.json.values import InvalidJsonError, read_object

_SPACE = rb"[ \t\r\n]*"
NAME = re.compile(_SPACE + rb",?" + _SPACE + rb"(" + STRING + rb")" + _SPACE + rb":" + _SPACE)
PLAIN = re.compile(rb"(?:" + STRING + rb"|[-+.\w]+)(?=[ \t\r\n]*[,}])")
END = re.compile(_SPACE + rb"\}")


class UnfinishedError(Exception):
    """The text ends, or is broken, before an object's end."""


@dataclass
class Wrapper:
    """An object that wraps records, as far as it was read.

    Attributes:
        start: Where it begins.
        place: Where its list's bracket is, or the brace of an object that stands in a list's place.
        members: For each object around the list, from the outside, its plain members as JSON text.
    """

    start: int
    place: int = 0
    members: list[list[bytes]] = field(default_factory=list)

    @property
    def levels(self) -> int:
        """Objects around the list."""
        return len(self.members)

    def attributes(self) -> dict[str, str]:
        """Return the plain values; of doubled names the innermost object's first one counts."""
        text = b",".join(member for level in reversed(self.members) for member in level)
        try:
            found = read_object(f"{{{text.decode('utf-8', 'replace')}}}")
        except InvalidJsonError:
            return {}
        return found.fields if found else {}


def find_list(text: bytes, start: int, path: tuple[str, ...], stop: int) -> Wrapper | None:
    """Find the records in an object.

    Args:
        text: Some text.
        start: Where the object begins.
        path: The names that lead there.
        stop: Where to give up.

    Returns:
        The wrapper; None if there is no list or object at the path.

    Raises:
        UnfinishedError: The object has no end before `stop`, or no list.
    """
    wrapper, place = Wrapper(start), start
    for name in path:
        if text[place] != ord("{"):
            return None
        wrapper.members.append([])
        found = _enter(text, place + 1, stop, name, wrapper)
        if found is None:
            return None
        place = found
    wrapper.place = place
    return wrapper


def close_list(text: bytes, place: int, wrapper: Wrapper, stop: int) -> int:
    """Read the members behind the records, and return where the wrapper ends.

    Raises:
        UnfinishedError: It has no end before `stop`.
    """
    for level in reversed(wrapper.members):
        members = _members(text, place, stop)
        while True:
            try:
                low, _, high, plain = next(members)
            except StopIteration as ended:
                place = ended.value
                break
            if plain:
                level.append(text[low:high])
    return place


def _enter(text: bytes, place: int, stop: int, name: str, wrapper: Wrapper) -> int | None:
    """Return where the value of a name is, if it is a list or an object, and note the plain members before it."""
    for low, middle, high, plain in _members(text, place, stop, opened=name):
        if high < 0:
            return middle
        if is_called(text[low:middle], name):
            return None
        if plain:
            wrapper.members[-1].append(text[low:high])
    return None


def _members(
    text: bytes, place: int, stop: int, *, opened: str | None = None
) -> Generator[tuple[int, int, int, bool], None, int]:
    """Yield where members, their values and their ends are, and whether they are plain; return where the object ends.

    The value of the name `opened` is not looked through if it is a list or an object: its end is given as -1.
    """
    while (end := END.match(text, place, stop)) is None:
        name = NAME.match(text, place, stop)
        if name is None or name.end() >= stop:
            raise UnfinishedError
        value = name.end()
        container = text[value] in b"{["
        if container and opened is not None and is_called(name[1], opened):
            yield name.start(1), value, -1, False
            return value
        plain = None if container else PLAIN.match(text, value, stop)
        closed = find_value_end(text, value, stop) if container else None
        if (closed is None or closed.kind != "closed") and plain is None:
            raise UnfinishedError
        place = plain.end() if plain else closed.place if closed else stop
        yield name.start(1), value, place, plain is not None
    return end.end()


def is_called(literal: bytes, name: str) -> bool:
    """Whether a name in quotes, with what is behind it up to the value, is this one."""
    text = literal.decode("utf-8", "replace").rstrip(": \t\r\n")
    if "\\" not in text:
        return text == f'"{name}"'
    try:
        return bool(json.loads(text) == name)
    except ValueError:
        return False
