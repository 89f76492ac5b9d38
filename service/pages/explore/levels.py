"""What values of events mean to people: levels and statuses that are errors or warnings."""

from __future__ import annotations

_ERRORS = {"error", "err", "fatal", "critical", "crit", "emerg", "alert", "panic", "severe"}
_WARNINGS = {"warn", "warning"}
_CALM = {
    "info": "info",
    "information": "info",
    "notice": "info",
    "debug": "quiet",
    "trace": "quiet",
    "verbose": "quiet",
}


def meaning_of(value: str) -> str:
    """Return what a level or an HTTP status means: error, warning, info or quiet; empty where it is neither."""
    text = value.lower()
    if text in _ERRORS or _is_status(text, "5"):
        return "error"
    if text in _WARNINGS or _is_status(text, "4"):
        return "warning"
    return _CALM.get(text, "info" if _is_status(text, "23") else "")


def _is_status(text: str, firsts: str) -> bool:
    return len(text) == 3 and text.isdecimal() and text[0] in firsts
