"""Families of objects: those whose keys differ by digits, dates, hashes and UUIDs alone. One sample stands for each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from transforms.storage import ObjectInfo

_EXTENSIONS = re.compile(r"(?:\.[A-Za-z][A-Za-z0-9]{0,9}){0,3}\Z")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_WORD = re.compile(r"[A-Za-z0-9]+")
_DIGITS = re.compile(r"[0-9]+")
_STARS = re.compile(r"\*(?:[-_:.]?\*)+")
_CASE_CHANGE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[a-z])")
_SHORTEST_ID = 8  # letters and digits: shorter words with digits are names, such as `host12`
_SHORTEST_RANDOM = 12  # letters


@dataclass(frozen=True, kw_only=True)
class Family:
    """Objects whose keys are alike.

    Attributes:
        name: Their key, with `*` for what differs.
        objects: The objects, in the order of their keys.
    """

    name: str
    objects: tuple[ObjectInfo, ...]

    @property
    def size(self) -> int:
        """Their bytes."""
        return sum(info.size for info in self.objects)

    @property
    def sample(self) -> ObjectInfo:
        """The object that stands for them: the first, as the last may still be written."""
        return self.objects[0]


def group_by_family(infos: Iterable[ObjectInfo]) -> list[Family]:
    """Return the families of some objects, those with most bytes first."""
    members: dict[str, list[ObjectInfo]] = {}
    for info in infos:
        members.setdefault(family_name(info.key), []).append(info)
    families = [
        Family(name=name, objects=tuple(sorted(objects, key=lambda info: info.key)))
        for name, objects in members.items()
    ]
    return sorted(families, key=lambda family: (-family.size, family.name))


def family_name(key: str) -> str:
    """Return a key with `*` in place of UUIDs, hashes, random words, dates and other digits; extensions stay.

    `AWSLogs/123456789012/vpcflowlogs/2025/08/11/1234_fl-0a1b2c3d4e_20250811T0000Z.log.gz` is of the family
    `AWSLogs/*/vpcflowlogs/*/*/*/*_fl-*.log.gz`.
    """
    extensions = _EXTENSIONS.search(key)
    assert extensions is not None
    name = _WORD.sub(_without_digits, _UUID.sub("*", key[: extensions.start()]))
    return _STARS.sub("*", name) + extensions[0]


def _without_digits(word: re.Match[str]) -> str:
    text = word[0]
    has_digit = _DIGITS.search(text) is not None
    if has_digit and (len(text) >= _SHORTEST_ID or text.isdigit()):
        return "*"
    if not has_digit and len(text) >= _SHORTEST_RANDOM and 5 * len(_CASE_CHANGE.findall(text)) >= 2 * len(text):
        return "*"
    return _DIGITS.sub("*", text)
