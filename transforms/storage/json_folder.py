"""A folder of JSON documents in the hot tier: what processes on several machines share about a job or a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from transforms.core.errors import DamagedFileError
from transforms.storage.tier import TierStore


class JsonFolder:
    """Documents by their names in one folder. Methods raise what the tier's store raises."""

    def __init__(self, tier: TierStore, root: str) -> None:
        """Name the folder; nothing is read or written yet."""
        self.tier = tier
        self.root = root

    def path(self, name: str) -> str:
        """Return the path of one of the folder's files in the tier."""
        return f"{self.root}/{name}"

    def write_json(self, name: str, document: object) -> None:
        """Write a document, whole or not at all."""
        self.tier.put(self.path(name), orjson.dumps(document, option=orjson.OPT_INDENT_2))

    def read_json(self, name: str) -> Any:  # JSON
        """Return a document, or None where there is none.

        Raises:
            DamagedFileError: it is no JSON.
        """
        try:
            return orjson.loads(self.tier.get(self.path(name)))
        except FileNotFoundError:
            return None
        except orjson.JSONDecodeError as error:
            raise DamagedFileError(f"{self.path(name)} of the hot tier is damaged: it is no JSON: {error}") from error

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of the files that begin with a prefix, sorted."""
        return sorted(file.path.removeprefix(f"{self.root}/") for file in self.tier.list(self.path(prefix)))

    def remove(self, prefix: str = "") -> None:
        """Remove the files whose names begin with a prefix, by default all."""
        for name in self.names(prefix):
            self.tier.delete(self.path(name))


def folders_in(tier: TierStore, root: str) -> Iterator[str]:
    """Yield the names of the folders in a folder, each once, in no order."""
    seen = set()
    for file in tier.list(f"{root}/"):
        name, _, rest = file.path.removeprefix(f"{root}/").partition("/")
        if rest and name not in seen:
            seen.add(name)
            yield name
