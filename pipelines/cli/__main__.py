"""Start `rekindle`: handle Ctrl-C before anything that takes a moment to import.

While modules load, there is nothing to tidy up, and a KeyboardInterrupt would end in a traceback of whatever is
loading, in native modules in an abort: the program exits at once then. Everywhere else it is a KeyboardInterrupt.
"""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn

_IMPORTING = "<frozen importlib"
_INTERRUPTED = 130


def _interrupt(number: int, frame: FrameType | None) -> None:
    above = frame
    while above is not None:
        if above.f_code.co_filename.startswith(_IMPORTING):
            os._exit(_INTERRUPTED)
        above = above.f_back
    signal.default_int_handler(number, frame)


def _end_at_once(number: int, frame: FrameType | None) -> None:
    del number, frame
    os._exit(_INTERRUPTED)


def _handle(before: object, handler: signal._HANDLER) -> None:
    if signal.getsignal(signal.SIGINT) is before:  # else it is ignored, as in the background of a script
        signal.signal(signal.SIGINT, handler)


_handle(signal.default_int_handler, _end_at_once)


def main() -> NoReturn:
    """Run the command line."""
    from pipelines.cli.main import main as run

    begin()
    run()


def begin() -> None:
    """Raise KeyboardInterrupt on Ctrl-C and SIGTERM from now on, except while modules load."""
    _handle(_end_at_once, _interrupt)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _interrupt)


if __name__ == "__main__":
    main()
