"""The folder for what a statement spills to the disk: limited, and removed even after its process was killed.

Each folder holds a file that its process keeps locked (flock): the kernel lets go of the lock when the process ends,
however it ends, and whoever next makes a folder removes those that nobody holds.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from transforms.core.file_lock import try_lock

_PREFIX = "rekindle-sql-"
_LOCK = "lock"
_MAKING_SECONDS = 60.0
"""A folder without its lock is left alone so long: its process may be about to make it."""
_SHARE = 0.5
"""Of the disk's free bytes, what one statement may take: the rest is for others, and for the tier if it is here."""


class SpillFolder:
    """A new folder under the system's folder for temporary files (`TMPDIR`).

    Attributes:
        path: The folder.
        limit: How many bytes may be spilled to it.
    """

    def __init__(self) -> None:
        """Make the folder, and remove those whose processes have ended.

        Raises:
            OSError: it can't be made.
        """
        base = Path(tempfile.gettempdir())
        for left in base.glob(f"{_PREFIX}*"):
            _remove_left(left)
        lock = None
        while lock is None:  # another that removes folders may have been quicker
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
            lock = try_lock(self.path / _LOCK, create=True)
        self._lock = lock
        self.limit = int(shutil.disk_usage(self.path).free * _SHARE)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _remove_left(path: Path) -> None:
    """Remove a folder whose process has ended; others', and those of other users, stay."""
    try:
        age = time.time() - path.stat().st_mtime
        if not (path / _LOCK).exists():
            if age > _MAKING_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
            return
        lock = try_lock(path / _LOCK, create=False)
    except OSError:  # another has just removed it, or it is another user's
        return
    if lock is not None:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)
