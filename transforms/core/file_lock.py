"""A lock on a file that ends with its process, however that ends: the kernel lets go of it (flock)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def try_lock(path: Path, *, create: bool) -> int | None:
    """Lock a file, and return its descriptor: closing it ends the lock; None where another process holds it.

    Args:
        path: The file.
        create: Make it, for this user alone, where it is not there.

    Raises:
        OSError: it can't be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
