"""Ranges of time that count back from now, or from the newest event where that is older: logs may be of last year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.live_files import BOUND_PRECISION
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.query.instants import format_instant, microseconds

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class RecentRange:
    """A range of time that ends at now or with the newest event.

    Attributes:
        start: From which on, inclusive.
        end: Before which; None is without end.
        from_newest: Whether it counts back from the newest event, because now has none.
        message: What to show where it does; else empty.
    """

    start: datetime
    end: datetime | None
    from_newest: bool
    message: str = ""


def recent_range(
    snapshot: Snapshot, length: timedelta, *, tier_name: str | None = None, now: datetime | None = None
) -> RecentRange:
    """Return the last hours or days: before now, or before the newest event where none is so new.

    The log answers, without a file being read.

    Args:
        snapshot: A version of the table.
        length: How long.
        tier_name: The partition `hot` or `cold`; None means both.
        now: The end; None is the present time.

    Raises:
        ConfigurationError: it is longer than there are dates.
    """
    now = datetime.now(timezone.utc) if now is None else now
    start = _before(now, length)
    newest = max((_newest(file) for file in snapshot.files.values() if tier_name in (None, file.tier)), default=None)
    if newest is None or newest >= microseconds(start):
        return RecentRange(start=start, end=None, from_newest=False)
    end = _EPOCH + timedelta(microseconds=newest) + _MICROSECOND
    message = (
        f"No event is of the last {_text(length)}. The range counts back from the newest event, of "
        f"{format_instant(end - _MICROSECOND)}."
    )
    return RecentRange(start=_before(end, length), end=end, from_newest=True, message=message)


def _newest(file: LiveFile) -> int:
    """Return a time that no event of a file is newer than; another writer's bounds are cut to milliseconds."""
    return file.max_time if layout_of(file.path) else file.max_time + BOUND_PRECISION


def _before(end: datetime, length: timedelta) -> datetime:
    try:
        return end - length
    except OverflowError as error:
        raise ConfigurationError(f"{length} is longer than there are dates", field="last") from error


def _text(length: timedelta) -> str:
    """Return a length as the query language writes it: `24h`, `7d`."""
    seconds = length // timedelta(seconds=1)
    units = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
    if seconds == units["d"]:
        return "24h"
    name, size = next(((name, size) for name, size in units.items() if seconds and seconds % size == 0), ("s", 1))
    return f"{seconds // size}{name}"
