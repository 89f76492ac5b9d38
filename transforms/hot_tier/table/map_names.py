"""The names of attributes that files keep in their maps: of one file, or of the whole table (decision 22)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from transforms.core.names import can_be_column

MAP_NAMES = "rekindle.mapNames"
"""The key of the table's configuration that holds the table's map names."""
MOST_NAMES = 4096
MOST_BYTES = 64 << 10
_ANY = "{any}"
"""Text for any name; no column can be called so."""


@dataclass(frozen=True)
class MapNames:
    """A set of names that could be columns; the others never can, so nothing is decided by them.

    Attributes:
        names: The names; none where any is meant.
        is_any: Whether every name is in it: there were too many to list.
    """

    names: frozenset[str] = frozenset()
    is_any: bool = False

    @classmethod
    def of(cls, names: Iterable[str]) -> MapNames:
        """Return the set of those names that could be columns."""
        kept = frozenset(name for name in names if can_be_column(name))
        is_any = len(kept) > MOST_NAMES or sum(len(name.encode()) + 1 for name in kept) > MOST_BYTES
        return cls(is_any=True) if is_any else cls(kept)

    @classmethod
    def parse(cls, text: str) -> MapNames:
        """Return the set that `text` was made of."""
        return cls(is_any=True) if text == _ANY else cls(frozenset(filter(None, text.split(","))))

    @property
    def text(self) -> str:
        """The set as one line: no name has a comma (`can_be_column`)."""
        return _ANY if self.is_any else ",".join(sorted(self.names))

    def __contains__(self, name: str) -> bool:
        """Whether a name is in the set."""
        return self.is_any or name in self.names

    def __or__(self, other: MapNames) -> MapNames:
        """Return the union."""
        return MapNames(is_any=True) if self.is_any or other.is_any else MapNames.of(self.names | other.names)

    def without(self, names: Iterable[str]) -> MapNames:
        """Return the set without some names; any name stays any."""
        return self if self.is_any else MapNames(self.names.difference(names))
