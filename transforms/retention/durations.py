"""Lengths of time as rules and flags give them: `90m`, `12h`, `30d`, `2w` (docs/retention.md)."""

from __future__ import annotations

import re
from datetime import timedelta

from transforms.core.errors import ConfigurationError
from transforms.query.instants import parse_span

_DURATION = re.compile(r"(?P<count>[0-9]+)[mhdw]")
_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))
_ALLOWED = "a whole number above 0 and m, h, d or w, as in 90m, 12h, 30d, 2w (a day is 24 hours)"


def parse_duration(text: object, *, zero: bool = False) -> timedelta:
    """Return the length of time that a text names.

    Args:
        text: What stands in a rules file, of whatever type, or in a flag.
        zero: Whether no time at all will do, as in `--grace 0`; it needs no unit.

    Raises:
        ConfigurationError: It names none, or one that is longer than there are dates.
    """
    allowed = f"{_ALLOWED}; or 0" if zero else _ALLOWED
    if isinstance(text, int | float) and not isinstance(text, bool):
        raise ConfigurationError(f"{text!r} has no unit; allowed is {allowed}")
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if zero and (text == "0" or (found and not found["count"].strip("0"))):
        return timedelta()
    if found is None or not found["count"].strip("0"):
        raise ConfigurationError(f"{text!r} is not a length of time; allowed is {allowed}")
    return parse_span(found[0])


def format_duration(length: timedelta) -> str:
    """Return a length of time as `parse_duration` takes it, in the greatest unit up to days that needs no fraction."""
    return next(
        (f"{length // unit}{name}" for name, unit in _UNITS if not length % unit), f"{length.total_seconds() / 60:g}m"
    )
