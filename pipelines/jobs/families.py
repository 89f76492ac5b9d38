"""Families of objects: those whose keys differ by digits, dates, hashes and UUIDs alone. One sample stands for each."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from transforms.objects.discovery.object_filter import EXCLUDED
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
        name: Their key, with `*` for what differs; of one object its own.
        objects: The objects, in the order of their keys.
    """

    name: str
    objects: tuple[ObjectInfo, ...]

    @property
    def size(self) -> int:
        """Their bytes."""
        return sum(info.size for info in self.objects)

    @property
    def source(self) -> int:
        """The number of the source that they belong to."""
        return self.objects[0].source

    @property
    def sample(self) -> ObjectInfo:
        """The object that stands for them: the first, as the last may still be written."""
        return self.objects[0]


def group_by_family(infos: Iterable[ObjectInfo]) -> list[Family]:
    """Return the families of some objects, those with most bytes first; a source's objects are apart from others'."""
    members: dict[tuple[int, str], list[ObjectInfo]] = {}
    for info in infos:
        members.setdefault((info.source, family_name(info.key)), []).append(info)
    families = [
        Family(
            name=name if len(objects) > 1 else objects[0].key,
            objects=tuple(sorted(objects, key=lambda info: info.key)),
        )
        for (_, name), objects in members.items()
    ]
    return sorted(families, key=lambda family: (-family.size, family.name))


@dataclass(kw_only=True)
class FamilyTotals:
    """Objects whose keys are alike, without the objects themselves.

    Attributes:
        name: Their key, with `*` for what differs; of one object its own.
        objects, bytes: How many there are, and their bytes.
        excluded: How many of them only `exclude` has left out.
    """

    name: str
    objects: int = 0
    bytes: int = 0
    excluded: int = 0


class UnmatchedFamilies:
    """Counts what no source takes by family, from several threads at once."""

    def __init__(self) -> None:
        """Begin with none."""
        self._totals: dict[str, FamilyTotals] = {}
        self._lock = threading.Lock()

    def add(self, info: ObjectInfo, reason: int) -> None:
        """Count an object, and whether it was `EXCLUDED`."""
        name = family_name(info.key)
        with self._lock:
            totals = self._totals.setdefault(name, FamilyTotals(name=info.key))
            totals.name = name if totals.objects else info.key
            totals.objects += 1
            totals.bytes += info.size
            totals.excluded += reason == EXCLUDED

    def families(self) -> list[FamilyTotals]:
        """Return the families, those with most bytes first."""
        return sorted(self._totals.values(), key=lambda family: (-family.bytes, family.name))


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
