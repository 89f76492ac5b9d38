"""Whether a process that has begun something in the tier is still there: what it has begun is else finished, or taken
back, by another.
"""

from __future__ import annotations

import os
import socket
import time
from datetime import datetime

SILENCE_SECONDS = 120
"""Who is at work says so every few seconds; one that was silent for so long on another machine is taken for dead."""


def is_gone(host: str, pid: int, last_sign: datetime) -> bool:
    """Whether a process has ended, as far as can be told from here.

    Args:
        host: The machine that it was started on.
        pid: Its number there.
        last_sign: When it last showed life; on this machine it is not asked for.
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
