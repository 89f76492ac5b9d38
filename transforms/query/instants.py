"""Times and lengths of time as users write them: `2025-08-11T12:00+02:00`, `7d` (docs/query.md, docs/retention.md)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from transforms.core.errors import ConfigurationError

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_INSTANT = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s?(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_SPAN = re.compile(r"(\d+)([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_instant(text: str) -> datetime | None:
    """Return the time that an ISO 8601 text names, in UTC, or None where it names none.

    A date alone is its first moment; without a zone it is UTC; fractions beyond microseconds are cut off.
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    date = [int(found[part]) for part in ("year", "month", "day")]
    clock = [int(found[part] or 0) for part in ("hour", "minute", "second")]
    microsecond = int(((found["fraction"] or "") + "000000")[:6])
    try:
        local = datetime(date[0], date[1], date[2], clock[0], clock[1], clock[2], microsecond, _zone(found["zone"]))
        return local.astimezone(timezone.utc)
    except (ValueError, OverflowError):  # the 31st of February, or the year 9999 seen from another zone
        return None


def parse_time(text: str) -> datetime:
    """Return a time from ISO 8601 text, in UTC unless it has a zone.

    Raises:
        ConfigurationError: the text is none.
    """
    value = parse_instant(text.strip())
    if value is None:
        raise ConfigurationError(f"{text!r} is not a time: give ISO 8601, such as 2025-08-11 or 2025-08-11T22:00:00Z")
    return value


def parse_span(text: str) -> timedelta:
    """Return the length of time that `90m`, `12h`, `30d` or `2w` names.

    Raises:
        ConfigurationError: it is none of these, or nothing, or longer than there are dates.
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None or not found[1].strip("0"):
        raise ConfigurationError(
            f'"{text}" is not a length of time: a whole number above 0 and s, m, h, d or w, as in 90m, 12h, 30d, 2w'
        )
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    except (OverflowError, ValueError) as error:  # Python refuses to read numbers of more than 4,300 digits
        raise ConfigurationError(f'"{text}" is longer than there are dates') from error


def is_span(text: str) -> bool:
    """Whether a text is written like a length of time."""
    return _SPAN.fullmatch(text) is not None


def format_instant(moment: datetime) -> str:
    """Return the one text of a time: UTC, `Z`, and a fraction only where there is one (six digits)."""
    return moment.astimezone(timezone.utc).isoformat().removesuffix("+00:00") + "Z"


def microseconds(moment: datetime) -> int:
    """Return a time in microseconds since 1970 UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return timezone.utc
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
