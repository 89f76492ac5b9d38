"""Runs a server, and ends it with all its children when standard input ends.

Its other end is held by the process that started the guard.

So a server goes away even when the tests are killed. `python guard.py COMMAND …`, as the leader of a process group of
its own. No child outlives the guard: so whoever sees it end needs to look for nothing more.
"""

import os
import signal
import subprocess
import sys
import threading
import time

GRACE_SECONDS = 10.0


def main(command: list[str]) -> None:
    """Run the command, and say with which code it ended."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # sent to the group, it is for the server
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as server:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        code = server.wait()
    sys.stderr.write(f"{command[0]} ended with code {code}\n")
    sys.stderr.flush()
    os.killpg(0, signal.SIGKILL)


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)  # the guard is gone before, unless the server does not heed
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
