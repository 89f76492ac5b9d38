"""Messages grouped by their shape: what differs from one event to the next is masked, and the rest is counted.

Masked are numbers, hexadecimal numbers, UUIDs, addresses and what stands in quotes, each as `*`. A shape is thus a
phrase of the query language: `"login of * from *"` finds its messages.

Of JSON objects the names stay, and of their values the texts that people read: those of `message`, `level`, `error` and
the like, masked as other messages are. All other values are `*`: `{"level":"error","msg":"took * ms","user":*}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.search.aggregates.scan import newest_first, read_row_groups
from transforms.hot_tier.search.event_file import EventFile, RowGroup
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.query.syntax import Field

MOST_EVENTS = 1_000_000
MOST_PATTERNS = 1_000
_MOST_SHAPES = 20_000
"""Shapes that are counted at once."""
_CHARACTERS = 512
"""So much of a message makes its shape."""
_ROWS = 16_384
"""Messages that are masked at once: 0.1 s of CPU at most."""
_MESSAGE = Field("_message", system=True)
_SHAPE, _COUNT, _EXAMPLE = "shape", "count", "example"
_SCHEMA = {_SHAPE: pl.String, _COUNT: pl.Int64, _EXAMPLE: pl.String}
_QUOTED = r""""(?:[^"\\]|\\.)*"|\B'[^']*'\B"""
_UUID = r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b"
_ADDRESS = r"\b[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:%\w+)?\b|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"
_MAIL = r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"
"""Addresses of mail are addresses too."""
_HEXADECIMAL = r"\b0[xX][0-9A-Fa-f]+\b|\b[0-9A-Fa-f]*(?:[0-9][A-Fa-f]|[A-Fa-f][0-9])[0-9A-Fa-f]*\b"
_NUMBER = r"[+-]?\d+(?:[.,:]\d+)*"
_NAMELESS = "|".join((_UUID, _MAIL, _ADDRESS, _HEXADECIMAL, _NUMBER))
_VARIABLE = f"{_QUOTED}|{_NAMELESS}"
_REPEATED = r"\*(?:[\s,;:/_.+-]*\*)+"
"""Several masked values in a row are one, so that lists and dates of any length have one shape."""


_READ = ("message", "msg", "text", "log", "event", "level", "lvl", "severity", "error", "err", "exception", "reason")
_COLONS = {"\ufdd0": ":", "\ufdd1": ": "}
"""Stand for a colon before what is kept of JSON while other values are masked: code points that no text may have."""
_KEPT = {
    f'"{written}"{colon}"': f'"{written}"{mark}"'
    for name in _READ
    for written in (name, name.capitalize(), name.upper(), f"@{name}")
    for mark, colon in _COLONS.items()
}
_OBJECT = r'^\{\s*"'
_STRING = r'"(?:[^"\\]|\\.)*(?:"|\\?$)'
_VALUE = rf'":\s*(?:{_STRING}|[-+.\w]+|\[(?:[^"\[\]{{}}]|{_STRING})*(?:\]|$))'
"""A value of JSON, also one that is cut: a text, a number, a word, or an array of them."""


@dataclass(frozen=True)
class MessagePattern:
    """Messages of one shape.

    Attributes:
        shape: The messages' text with `*` for what differs; of a long message its first 512 characters.
        count: How many of the events looked at have it.
        share: Which part of these, from 0 to 1.
        example: One of the messages: its first 512 characters.
        query: The query that finds messages with these texts in this order; None where nothing but `*` is left.
    """

    shape: str
    count: int
    share: float
    example: str
    query: str | None


@dataclass(frozen=True, kw_only=True)
class PatternList:
    """The shapes of messages.

    Attributes:
        version: The version of the table.
        events: How many events with a message were looked at.
        is_complete: Whether these were all that match; if not, they are those of the newest files.
        shapes: How many shapes there are; at least so many where it is not exact.
        is_exact: Whether all shapes were counted. If not, there were too many: counts are lower bounds.
        patterns: The most frequent shapes.
    """

    version: int
    events: int
    is_complete: bool
    shapes: int
    is_exact: bool
    patterns: tuple[MessagePattern, ...]


def message_patterns(
    snapshot: Snapshot,
    request: SearchRequest,
    *,
    limit: int = 50,
    most_events: int | None = MOST_EVENTS,
    stop: StopSignal | None = None,
) -> PatternList:
    """Group the messages of the events that match by their shape.

    Args:
        snapshot: A version of the table.
        request: Which events.
        limit: The most patterns.
        most_events: About how many events to look at, the newest first; None is all.
        stop: What ends it early.

    Raises:
        ConfigurationError: the limit can't be.
        TierError: a file can't be read.
        CanceledError: it was canceled.
        TimeLimitError: its time is over.
    """
    if not 1 <= limit <= MOST_PATTERNS:
        raise ConfigurationError(f"must be from 1 to {MOST_PATTERNS:,}, not {limit:,}", field="limit")
    selection = Selection.of(snapshot, request)
    counter = _ShapeCounter()
    is_complete = True
    parts = _shapes(selection, stop or StopSignal())
    for shapes in parts:
        counter.add(shapes)
        if most_events is not None and counter.events >= most_events:
            is_complete = next(parts, None) is None
            break
    shapes = counter.shapes()
    return PatternList(
        version=snapshot.version,
        events=counter.events,
        is_complete=is_complete,
        shapes=shapes.height,
        is_exact=counter.is_exact,
        patterns=tuple(
            MessagePattern(shape, count, count / counter.events, example, shape_query(shape))
            for shape, count, example in shapes.sort(_COUNT, _SHAPE, descending=[True, False]).head(limit).iter_rows()
        ),
    )


def shape_query(shape: str) -> str | None:
    """Return the query that finds the messages of a shape, None where nothing is left of them."""
    text = shape.strip().strip("*").strip()
    if not text.replace("*", "").strip():
        return None
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _ShapeCounter:
    """Adds up shapes in bounded memory."""

    def __init__(self) -> None:
        self.events = 0
        self.is_exact = True
        self._parts: list[pl.DataFrame] = [pl.DataFrame(schema=_SCHEMA)]

    def add(self, shapes: pl.DataFrame) -> None:
        self.events += int(shapes.get_column(_COUNT).sum())
        self._parts.append(shapes)
        if sum(part.height for part in self._parts[1:]) > _MOST_SHAPES:
            self._merge()

    def shapes(self) -> pl.DataFrame:
        self._merge()
        return self._parts[0]

    def _merge(self) -> None:
        merged = _grouped(pl.concat(self._parts), pl.col(_COUNT).sum())
        if merged.height > _MOST_SHAPES:
            merged = merged.top_k(_MOST_SHAPES, by=_COUNT)
            self.is_exact = False
        self._parts = [merged]


def _shapes(selection: Selection, stop: StopSignal) -> Iterator[pl.DataFrame]:
    """Yield the shapes of row groups, those of the newest files first."""

    def read(file: EventFile, group: RowGroup) -> pl.DataFrame:
        messages = file.values(group, selection.request, {_EXAMPLE: _MESSAGE}).get_column(_EXAMPLE).drop_nulls()
        parts = [pl.DataFrame(schema=_SCHEMA)]
        for first in range(0, len(messages), _ROWS):
            stop.check()
            parts.append(shapes_of(messages.slice(first, _ROWS).str.slice(0, _CHARACTERS)))
        return _grouped(pl.concat(parts), pl.col(_COUNT).sum())

    files: list[LiveFile] = newest_first(selection.files)
    for _, shapes in read_row_groups(selection, files, read, stop):
        yield shapes


def shapes_of(messages: pl.Series) -> pl.DataFrame:
    """Return the shapes of messages, how many have each, and the least of them: the same wherever messages are cut."""
    counts = messages.alias(_EXAMPLE).value_counts(name=_COUNT).cast({_COUNT: pl.Int64})
    text = pl.col(_EXAMPLE)
    is_json = text.str.contains(_OBJECT) & ~text.str.contains_any(list(_COLONS))
    plain = counts.filter(~is_json).with_columns(text.str.replace_all(_VARIABLE, "*").alias(_SHAPE))
    shapes = pl.concat([plain, _json_shapes(counts.filter(is_json))])
    # a literal asterisk would be a wildcard in the query; as part of a shape it stands for itself and others
    return _grouped(shapes.with_columns(pl.col(_SHAPE).str.replace_all(_REPEATED, "*")), pl.col(_COUNT).sum())


def _json_shapes(counts: pl.DataFrame) -> pl.DataFrame:
    """Mask the values of JSON objects, but for those that people read: of these what any message has masked.

    Few texts are left once whole values are masked, so that the slow pattern looks at each of these once: 60,000
    messages take 0.14 s of CPU, not 1.4 s. No step uses groups, which would cost ten times as much. What is no JSON
    after all gets a shape that finds it too.
    """
    kept = pl.col(_EXAMPLE).str.replace_many(_KEPT).str.replace_all(_VALUE, '":*')
    masked = _grouped(counts.with_columns(kept.alias(_SHAPE)), pl.col(_COUNT).sum())
    shape = pl.col(_SHAPE).str.replace_all(_NAMELESS, "*").str.replace_many(_COLONS)
    return masked.select(_EXAMPLE, _COUNT, shape.alias(_SHAPE))


def _grouped(frame: pl.DataFrame, count: pl.Expr) -> pl.DataFrame:
    return frame.group_by(_SHAPE).agg(count, pl.col(_EXAMPLE).min()).select(list(_SCHEMA))
