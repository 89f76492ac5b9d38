"""Whether a process that began something in the tier is still running; if not, another finishes or undoes it."""

from __future__ import annotations

import os
import socket
import time
from datetime import datetime

SILENCE_SECONDS = 120
"""A running process signs every few seconds; one silent for so long on another machine counts as dead."""


def is_gone(host: str, pid: int, last_sign: datetime) -> bool:
    """Whether a process has ended, as far as this machine can see.

    Args:
        host: The machine that it was started on.
        pid: Its number there.
        last_sign: When it last showed life; not used for processes of this machine.
    """
    if host != socket.gethostname():
        return time.time() - last_sign.timestamp() > SILENCE_SECONDS
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
