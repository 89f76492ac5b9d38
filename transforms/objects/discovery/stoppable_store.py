"""A store whose listings and reads end as soon as nobody waits for them any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from transforms.storage import ObjectInfo, ObjectStore


@dataclass
class StoppableStore(ObjectStore):
    """Another store, which is asked no further once a check raises.

    Attributes:
        store: The other store.
        check: Called before each page, look-up and chunk.
    """

    store: ObjectStore
    check: Callable[[], None]

    def __post_init__(self) -> None:
        """Take the bucket's name."""
        self.bucket = self.store.bucket

    def list_pages(self, prefix: str, *, delimiter: str | None = None) -> Iterator[list[ObjectInfo]]:
        """Yield pages until the check raises."""
        self.check()
        for page in self.store.list_pages(prefix, delimiter=delimiter):
            yield page
            self.check()

    def look_up(self, key: str) -> ObjectInfo:
        """Return an object, unless the check raises."""
        self.check()
        return self.store.look_up(key)

    def read(self, info: ObjectInfo, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield chunks until the check raises."""
        self.check()
        for chunk in self.store.read(info, start=start, end=end):
            yield chunk
            self.check()
