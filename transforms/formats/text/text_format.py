"""Plain text: a line is an event, or several lines are, where `multilineStart` matches the first line of an event.

The time in it is looked for after the pipelines have run, by `transforms.timestamps`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from shlex import quote

import numpy as np
import polars as pl

from transforms.arrow import Flags, Indices
from transforms.arrow.strings import view_array
from transforms.formats.encoding import utf8, utf8_within, whole_characters
from transforms.formats.format import FormatReader, RangeReader
from transforms.formats.lines import (
    MARGIN,
    DroppedBytes,
    Lines,
    line_blocks,
    lines_of,
    raw_from,
    raw_places,
    split_lines,
)
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.partial_lines import join_parts
from transforms.formats.record_block import RecordBlock, make_records
from transforms.formats.record_errors import line_errors, record_too_long
from transforms.formats.text.multiline_presets import MULTILINE_PRESETS, multiline_pattern


def read(chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes) -> Iterator[RecordBlock]:
    """Yield the events of a stream as `_message`."""
    del times  # text has no fields
    yield from _read(utf8(chunks), options)


def read_range(
    head: bytes, chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes
) -> Iterator[RecordBlock]:
    """Yield the events of a part of an object, as `read` gives them for the whole.

    Args:
        head: The object's first bytes, which show its encoding.
        chunks: The part's bytes; it begins where an event does, and not with the object.
        options: How to read.
        times: Not used.
    """
    del times
    yield from _read(utf8_within(head, chunks), options)


def _count(_: bytes, chunks: Iterator[bytes], options: FormatOptions, *, first: bool, last: bool) -> int:
    """Count the lines of a range that are not blank."""
    del last  # its end is a line's
    return sum(map(len, lines_of(chunks, options, first=first)))


def _read(text: Iterator[bytes], options: FormatOptions) -> Iterator[RecordBlock]:
    dropped = DroppedBytes()
    if options.join_partial:
        text = join_parts(text, "text", max_record=options.max_record, dropped=dropped)
    blocks = line_blocks(text, max_record=options.max_record, dropped=dropped)
    if options.multiline_start is not None:
        yield from _read_events(blocks, dropped, multiline_pattern(options.multiline_start), options.max_record)
        return
    for block in blocks:
        for lines in split_lines(block, max_record=options.max_record).parts():
            errors = line_errors(lines, max_record=options.max_record, bad_text=False)
            yield RecordBlock(
                records=make_records(lines.array(), errors),
                blank=lines.blank,
                replaced=lines.replaced,
                cut=lines.cut + dropped.take(),
            )


def _mismatch(head: bytes, options: FormatOptions) -> str | None:
    """Warn where no line of an object's beginning begins an event: a misspelt expression makes one of them all."""
    start = options.multiline_start
    if start is None:
        return None
    lines = pl.Series(b"".join(utf8(iter([head]))).decode(errors="replace").split("\n"), dtype=pl.String)
    lines = lines.filter(lines.str.strip_chars() != "")
    if len(lines) < 2 or lines.str.contains(multiline_pattern(start)).any():
        return None
    meant = get_close_matches(start.lower(), MULTILINE_PRESETS, 1)
    hint = f"; is {meant[0]} meant?" if meant and meant[0] != start else ""
    return f"no line of its beginning matches --multiline-start {quote(start)}: they become one event{hint}"


@dataclass(frozen=True)
class _NotKept:
    """What was read of the event that goes on and is kept no more, because it is too long.

    Attributes:
        blank: Blank lines.
        replaced: Bad bytes.
        size: Bytes.
        lines: Whether there was a line that is not blank.
    """

    blank: int = 0
    replaced: int = 0
    size: int = 0
    lines: bool = False


def _read_events(
    blocks: Iterator[bytes], dropped: DroppedBytes, pattern: str, max_record: int
) -> Iterator[RecordBlock]:
    """Yield events of one or more lines; the last one of a block waits for the next, because it may go on there."""
    waiting, before = b"", _NotKept()
    for block in blocks:
        raw = waiting + block
        lines = split_lines(raw, max_record=max_record)
        firsts = _first_lines(lines, pattern)
        place = int(lines.starts[firsts[-1]]) if len(firsts) else len(lines.text)
        found = _events(raw, lines, firsts[:-1], place, before, max_record)
        yield replace(found, cut=found.cut + dropped.take())
        goes_on = len(firsts) == 1
        waiting, now = _limit(raw_from(raw, lines, place), max_record)
        before = replace(now, size=now.size + before.size, lines=now.lines or before.lines) if goes_on else now
    if waiting:
        lines = split_lines(waiting, max_record=max_record)
        yield _events(waiting, lines, np.arange(1), len(lines.text), before, max_record)


def _first_lines(lines: Lines, pattern: str) -> Indices:
    """Return the lines that begin an event; the first one does in any case."""
    begins = pl.Series(lines.array()).str.contains(pattern).to_numpy().copy()
    begins[:1] = True
    return np.flatnonzero(begins)


def _events(raw: bytes, lines: Lines, firsts: Indices, end: int, before: _NotKept, max_record: int) -> RecordBlock:
    """Make a block of the events that lie before `end`.

    Blank lines within an event stay in it, and are counted all the same. What is cut of an event are its bytes beyond
    the limit, up to where the next one begins.

    Args:
        raw: A block.
        lines: Its lines.
        firsts: Those that begin an event.
        end: Where in the text the last event ends.
        before: What is not in the block of the first event.
        max_record: The bytes of an event that are kept.
    """
    count = int(np.searchsorted(lines.starts, end))
    lasts = np.append(firsts[1:], count)[: len(firsts)] - 1
    starts = lines.starts[firsts]
    lengths = lines.starts[lasts] + lines.lengths[lasts] - starts
    is_long = (lengths > max_record) | _any_between(lines.long, firsts, lasts)
    is_long[:1] |= before.lines
    long = np.flatnonzero(is_long).tolist()
    for event in long:
        start = int(starts[event])
        lengths[event] = whole_characters(lines.text[start : start + max_record])
    places = raw_places(raw, lines, np.append(starts, end)) if long else starts
    cut = _bytes_beyond(max_record, places, before.size, long)
    errors = dict.fromkeys(long, record_too_long(max_record))
    records = make_records(view_array(lines.text, starts, lengths), errors)
    physical = lines.text.count(b"\n", 0, end) + (end == len(lines.text) and not lines.text.endswith(b"\n"))
    replaced = 0 if lines.bad is None else int(lines.bad[:count].sum())
    return RecordBlock(
        records=records,
        blank=before.blank + physical - count,
        replaced=before.replaced + replaced,
        cut=cut,
    )


def _bytes_beyond(max_record: int, places: Indices, before: int, long: list[int]) -> int:
    """Return how many bytes long events have beyond the limit; the first has some before the first place."""
    sizes = np.diff(places)
    sizes[:1] += before
    return int(np.maximum(sizes - max_record, 0)[long].sum())


def _any_between(flags: Flags | None, firsts: Indices, lasts: Indices) -> Flags:
    if flags is None:
        return np.zeros(len(firsts), np.bool_)
    sums = np.concatenate([[0], np.cumsum(flags)])
    return np.asarray(sums[lasts + 1] > sums[firsts])


def _limit(waiting: bytes, max_record: int) -> tuple[bytes, _NotKept]:
    """Keep no more of an event that goes on than will be given of it, and say what is not kept."""
    size = max_record + 2 * MARGIN
    if len(waiting) <= size + 1:
        return waiting, _NotKept()
    kept = waiting[:size] + b"\n"
    all_, some = split_lines(waiting, max_record=max_record), split_lines(kept, max_record=max_record)
    return kept, _NotKept(
        all_.blank - some.blank, all_.replaced - some.replaced, len(waiting) - len(kept), len(all_) > len(some)
    )


READER = FormatReader(
    read=read,
    mismatch=_mismatch,
    ranges=RangeReader(read=read_range, count=_count, allows=lambda options: options.multiline_start is None),
)
