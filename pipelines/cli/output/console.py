"""Standard output and standard error for people: messages, errors, fields, and the progress of a job."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from pipelines.cli.output.rows import printable
from pipelines.units import show_size

if TYPE_CHECKING:
    from pipelines.console import Progress

MAX_LINES = 20
"""More warnings or failures are not shown; `--json` has them all."""
_LOCATION = re.compile(r".+?:[0-9]+:[0-9]+: ")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Re-raise BrokenPipeError instead of exiting with 1."""
        raise  # noqa: PLE0704 - rich calls it where it has caught one


MESSAGES = _Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())
RESULTS = _Console(highlight=False, width=None if sys.stdout.isatty() else 1_000_000)
"""In a pipe or a file, lines are as long as they need to be."""


def print_message(text: str) -> None:
    """Print a line on standard error."""
    MESSAGES.print(Text(printable(text)), soft_wrap=True)


def print_error(text: str, *, field: str | None) -> None:
    """Print an error on standard error; mistakes in a file begin lines of their own, with file, line and column."""
    is_located = field in ("pipelines", "rules") and _LOCATION.match(text) is not None
    names_source = text.startswith("source ") and field is not None and field.startswith("sources")
    is_named = is_located or field is None or names_source or text.lstrip("-").startswith(field)
    shown = printable(text if is_named else f"{field}: {text}")
    # no markup: rich would take the backslash from what a glob is to be written as
    MESSAGES.print(Text.assemble(("Error:", "bold red"), "\n" if is_located else " ", shown), soft_wrap=True)


def print_warnings(warnings: Sequence[str]) -> None:
    """Print warnings on standard error, beside a report on standard output."""
    for text in warnings[:MAX_LINES]:
        MESSAGES.print(Text(f"Warning: {printable(text)}"), soft_wrap=True)


def print_field(name: str, text: str, *, indent: int = 0, style: str = "") -> None:
    """Print a name and a text on a line of standard output."""
    RESULTS.print(
        Text(" " * indent).append(f"{name}: ", style="bold").append(printable(text), style=style), soft_wrap=True
    )


def shorten(text: str, length: int) -> str:
    """Return a text on one line of at most `length` characters, without control characters."""
    shown = printable(text).replace("\n", "⏎")
    return shown if len(shown) <= length else shown[: length - 1] + "…"


class JobConsole:
    """Shows what a job does, on standard error."""

    def __init__(self, *, quiet: bool) -> None:
        """Draw progress only on a terminal; quiet shows nothing at all."""
        self._quiet = quiet
        self._live: Live | None = None
        self._began = time.monotonic()

    def __enter__(self) -> JobConsole:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Take the progress line away."""
        if self._live is not None:
            self._live.stop()
        if kind is KeyboardInterrupt:
            self.message("Canceled. Run the same command again to continue.")

    def message(self, text: str) -> None:
        """Print a line."""
        if not self._quiet:
            print_message(text)

    def progress(self, done: Progress) -> None:
        """Draw how far the job is."""
        if self._quiet or not MESSAGES.is_terminal:
            return
        if self._live is None:
            self._live = Live(console=MESSAGES, transient=True, refresh_per_second=2)
            self._live.start()
        self._live.update(Text(progress_line(done, seconds=time.monotonic() - self._began)))


def progress_line(done: Progress, *, seconds: float) -> str:
    """Return a line with the part that is done, what was read, how fast, and the seconds left."""
    part = min(1.0, done.bytes_read / done.bytes_in_all) if done.bytes_in_all else 0.0
    bar = ("█" * round(part * 24)).ljust(24, "░")
    left = f", {seconds / part - seconds:,.0f} s left" if part > 0.02 else ""
    read = f"{done.objects:,} objects, {show_size(done.bytes_read)}, {done.events:,} events"
    return f"{bar} {part:4.0%}  {read}, {done.events / max(seconds, 0.1):,.0f} events/s{left}"
