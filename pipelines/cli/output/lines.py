"""Lines of a page on standard output: a name and a text, cut to what can be read at a glance."""

from __future__ import annotations

from rich.text import Text

from pipelines.cli.output.console import RESULTS, printable


def say(name: str, text: str, *, indent: int = 0, style: str = "") -> None:
    """Print a name and a text on a line."""
    RESULTS.print(
        Text(" " * indent).append(f"{name}: ", style="bold").append(printable(text), style=style), soft_wrap=True
    )


def cut(text: str, length: int) -> str:
    """Return a text on one line of so many characters at most, without control characters."""
    shown = printable(text).replace("\n", "⏎")
    return shown if len(shown) <= length else shown[: length - 1] + "…"
