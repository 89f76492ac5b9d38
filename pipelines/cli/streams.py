"""Standard output and standard error in UTF-8, with an exception of its own where output can't be written."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any, NoReturn

INTERRUPTED = 130
"""The exit code of Ctrl-C."""
_OUTPUT = 1


class OutputError(OSError):
    """Standard output can't be written."""


def take_streams() -> bool:
    """Replace `sys.stdout` and `sys.stderr`; return whether the caller has left standard output open.

    Closed streams are opened on /dev/null, so that no other file gets their numbers.
    """
    is_open = sys.stdout is not None
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the program runs
    elif isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    raw = _Output(_OUTPUT, "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=raw.isatty()
    )
    return is_open


def stop_writing() -> None:
    """Discard all further output."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def end_process(code: int) -> NoReturn:
    """Write what is left, and end this process at once with an exit code.

    All is closed and written by then. To take the idle threads of Beam, Arrow and deltalake down took another 0.5 s,
    and now and then it aborted a process that had done its work ("terminate called without an active exception").
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


class _Output(io.FileIO):
    """Standard output, without a buffer."""

    def write(self, data: Any, /) -> int:
        """Write as many bytes as the stream takes, and return their number."""
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(error.errno, error.strerror) from error
