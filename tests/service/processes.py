"""The processes of a service."""

from __future__ import annotations

import subprocess


def children_of(pid: int) -> list[int]:
    """Return the numbers of a process's children: of a service, its workers."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(one) for one in listed.stdout.split()]
