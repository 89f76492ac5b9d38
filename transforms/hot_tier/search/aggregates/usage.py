"""How many events, files and bytes the tier has, by day, tier, source or sourcetype.

Days and tiers are partitions: the log answers. A file all of whose events have one value of an attribute is known by
the log's statistics too; of others that column is read, and what was counted of a file is kept (`FileCache`). A file's
bytes are shared out to its values by their events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.query.syntax import Field

PARTITIONS = ("day", "tier")
ATTRIBUTES = ("source", "sourcetype")
DIMENSIONS = ("day", "source", "sourcetype", "tier")
_Counted = tuple[LiveFile, list[tuple[str | None, int]]]


@dataclass(frozen=True, kw_only=True)
class UsageRow:
    """What the events of one day, tier, source or sourcetype take.

    Attributes:
        value: The day (`YYYY-MM-DD`, UTC), the tier or the value; None for events without the attribute, and for the
            rarest of too many values of a file.
        events: How many events.
        files: How many files have any of them.
        bytes: Their share of the files' bytes.
    """

    value: str | None
    events: int
    files: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What the tier holds.

    Attributes:
        version: The version of the table.
        by: `day`, `source`, `sourcetype` or `tier`.
        rows: Days in their order; all else by bytes, the most first. Files may be in several rows.
        events: All events.
        files: All files.
        bytes: All bytes: the sum of the rows'.
    """

    version: int
    by: str
    rows: tuple[UsageRow, ...]
    events: int
    files: int
    bytes: int


def usage(snapshot: Snapshot, by: str, *, cache: FileCache | None = None, stop: StopSignal | None = None) -> Usage:
    """Return what the live files hold.

    Args:
        snapshot: A version of the table.
        by: What to divide it by: `day`, `source`, `sourcetype` or `tier`.
        cache: Where counts of whole files are kept; None keeps none.
        stop: What ends it early.

    Raises:
        ConfigurationError: it can't be divided by that.
        TierError: a file can't be read.
        CanceledError: it was canceled.
        TimeLimitError: its time is over.
    """
    if by not in DIMENSIONS:
        raise ConfigurationError(f"must be one of {', '.join(DIMENSIONS)}, not {by}", field="by")
    files = list(snapshot.files.values())
    if by in PARTITIONS:
        counted: Iterable[_Counted] = ((file, [(file.date if by == "day" else file.tier, file.rows)]) for file in files)
    else:
        counted = _by_attribute(snapshot, files, by, cache, stop)
    sums: dict[str | None, _Sum] = defaultdict(_Sum)
    for file, values in counted:
        for (value, events), share in zip(values, _shares(file.size, [n for _, n in values]), strict=True):
            sums[value].add(events, share)
    rows = [UsageRow(value=value, events=one.events, files=one.files, bytes=one.bytes) for value, one in sums.items()]
    rows.sort(key=lambda row: (row.value or "") if by == "day" else (-row.bytes, row.value is None, row.value or ""))
    return Usage(
        version=snapshot.version,
        by=by,
        rows=tuple(rows),
        events=snapshot.rows,
        files=len(files),
        bytes=sum(file.size for file in files),
    )


@dataclass
class _Sum:
    events: int = 0
    files: int = 0
    bytes: int = 0

    def add(self, events: int, share: int) -> None:
        self.events += events
        self.files += 1
        self.bytes += share


def _shares(size: int, events: Sequence[int]) -> list[int]:
    """Share out bytes by events: the parts are whole, and their sum is the size."""
    total, done, given = sum(events), 0, 0
    shares = []
    for number in events:
        done += number
        shares.append(size * done // total - given)
        given += shares[-1]
    return shares


def _by_attribute(
    snapshot: Snapshot, files: Sequence[LiveFile], name: str, cache: FileCache | None, stop: StopSignal | None
) -> Iterator[_Counted]:
    """Yield each file's values and how many of its events have each."""
    bounds = snapshot.text_bounds(name)
    unread = []
    for file in files:
        nulls, low, high = bounds[file.path]
        if not layout_of(file.path) or nulls is None:
            unread.append(file)
        elif nulls == file.rows:
            yield file, [(None, file.rows)]
        elif low is not None and low == high:  # all its values are (`statistics.upper_bound`)
            yield file, [(low, file.rows - nulls), *([(None, nulls)] if nulls else [])]
        else:
            unread.append(file)
    if not unread:
        return
    from transforms.hot_tier.search.aggregates.file_counts import count_whole_files

    for file, counts in count_whole_files(snapshot, unread, Field(name), cache or FileCache(0), stop or StopSignal()):
        values: list[tuple[str | None, int]] = list(counts.frame.select("value", "count").iter_rows())
        rest = file.rows - sum(number for _, number in values)
        yield file, [*values, *([(None, rest)] if rest else [])]
