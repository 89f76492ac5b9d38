"""Objects of a folder, for the tests of what lists and reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from transforms.storage import ObjectInfo, ObjectStore, SourceLocation

MODIFIED = datetime(2025, 8, 12, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Source:
    """A folder as a bucket."""

    folder: Path

    @property
    def bucket(self) -> str:
        return f"file://{self.folder}"

    @property
    def location(self) -> SourceLocation:
        return SourceLocation(self.bucket)

    @property
    def store(self) -> ObjectStore:
        return self.location.open()

    def put(self, objects: Mapping[str, bytes], *, modified: datetime = MODIFIED) -> Source:
        for key, content in objects.items():
            path = self.folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (modified.timestamp(), modified.timestamp()))
        return self

    def info(self, key: str) -> ObjectInfo:
        """Return an object as it is listed."""
        [info] = [info for page in self.store.list_pages(key) for info in page if info.key == key]
        return info
