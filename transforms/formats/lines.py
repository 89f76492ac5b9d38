"""From UTF-8 to lines: blocks that end at line ends, and where lines are in them, without a Python loop over lines.

Lines end with LF or CRLF, the last one also with the end of all. A line without a character is blank and passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from transforms.arrow import Flags, Indices
from transforms.arrow.strings import view_array
from transforms.formats import chunks as chunking
from transforms.formats.chunks import BreakableStream, ChunkBuffer
from transforms.formats.encoding import is_utf8, utf8, whole_characters
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import MAX_ROWS

MARGIN = 4  # so many bytes beyond the limit are kept until a record is cut, at a character's boundary
_LF, _CR = 10, 13
_REPLACEMENT = "\ufffd".encode()


@dataclass(frozen=True)
class Lines:
    """The lines of a block that are not blank.

    Attributes:
        text: Valid UTF-8, as far as lines go: there may be more of the stream before and behind them.
        starts: Where each line begins in it.
        lengths: Its bytes, without its end.
        long: Which lines were cut, None if none were.
        bad: How many bad byte sequences of each line became U+FFFD, None if none did.
        blank: Blank lines among them.
        cut: Bytes of the long ones that are in none of the lines.
    """

    text: bytes
    starts: Indices
    lengths: Indices
    long: Flags | None = None
    bad: Indices | None = None
    blank: int = 0
    cut: int = 0

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.starts)

    @property
    def replaced(self) -> int:
        """Bad byte sequences that became U+FFFD."""
        return 0 if self.bad is None else int(self.bad.sum())

    def slice(self, low: int, high: int) -> Lines:
        """Return some of the lines."""
        long = None if self.long is None else self.long[low:high]
        bad = None if self.bad is None else self.bad[low:high]
        return Lines(self.text, self.starts[low:high], self.lengths[low:high], long, bad, 0)

    def parts(self) -> Iterator[Lines]:
        """Yield the lines in parts of at most MAX_ROWS; the first one has the blank lines, and what was cut."""
        if len(self) <= MAX_ROWS:
            yield self
            return
        yield replace(self.slice(0, MAX_ROWS), blank=self.blank, cut=self.cut)
        yield from (self.slice(low, low + MAX_ROWS) for low in range(MAX_ROWS, len(self), MAX_ROWS))

    def array(self) -> pa.Array:
        """Return the lines as string views on the block."""
        return view_array(self.text, self.starts, self.lengths)


@dataclass
class DroppedBytes:
    """Bytes of long lines that no block has, counted when the line has ended."""

    count: int = 0

    def take(self) -> int:
        """Return how many there were since the last time."""
        count, self.count = self.count, 0
        return count


def line_blocks(chunks: Iterable[bytes], *, max_record: int, dropped: DroppedBytes | None = None) -> Iterator[bytes]:
    """Cut a stream into blocks of some 8 MiB that end with a line's end, the last one at the end of the stream.

    Of a line longer than `max_record`, only a little more than that is kept in memory and given; what is not is counted
    in `dropped`. If the stream breaks,
    all complete lines come first; the one that was cut off is dropped, and the error goes up.
    """
    stream = BreakableStream(chunks)
    whole, tail = ChunkBuffer(), ChunkBuffer()
    dropped, passed_over = dropped or DroppedBytes(), 0
    for chunk in stream:
        view, cut = memoryview(chunk), chunk.rfind(b"\n") + 1
        if cut:
            dropped.count, passed_over = dropped.count + passed_over, 0
            whole.add(tail.join())
            whole.add(view[:cut])
            tail.add(view[cut:])
            if whole.size >= chunking.BLOCK_BYTES:
                yield whole.join()
        else:
            tail.add(view)
            if tail.size > 2 * (max_record + MARGIN):
                line = tail.join()
                tail.add(line[: max_record + 2 * MARGIN])
                passed_over += len(line) - tail.size
    if stream.error is None:
        dropped.count += passed_over
        whole.add(tail.join())
    if whole.size:
        yield whole.join()
    if stream.error is not None:
        raise stream.error


def lines_of(chunks: Iterable[bytes], options: FormatOptions, *, first: bool) -> Iterator[Lines]:
    """Yield the lines of a range, to count them; `first` where it begins with the object."""
    for block in line_blocks(utf8(chunks) if first else chunks, max_record=options.max_record):
        yield split_lines(block, max_record=options.max_record)


def raw_from(raw: bytes, lines: Lines, place: int) -> bytes:
    """Return a block's own bytes (bad ones too) from the line on that begins at a place of its text."""
    return raw[int(raw_places(raw, lines, np.array([place]))[0]) :]


def raw_places(raw: bytes, lines: Lines, places: Indices) -> Indices:
    """Return where lines begin in a block's own bytes that begin at some places of its text, or at its end."""
    if raw is lines.text:
        return places
    starts, ends = _line_ranges(lines.text)
    del ends
    return np.append(_line_ranges(raw)[0], len(raw))[np.searchsorted(starts, places)]


def split_lines(block: bytes, *, max_record: int, within: tuple[int, int] | None = None) -> Lines:
    """Find the lines of a block, or of a range of it, which begins and ends at lines' ends."""
    if within is not None and within != (0, len(block)):
        return _lines_within(block, *within, max_record=max_record)
    starts, ends = _line_ranges(block)
    size = len(block)
    if (ends - starts >= max_record + MARGIN).any():
        block = _shorten(block, starts, ends, max_record + MARGIN)
        starts, ends = _line_ranges(block)
    bad, cut = None, size - len(block)
    if not is_utf8(block):
        before = _count_in_lines(block, ends)
        block = block.decode("utf-8", "replace").encode()
        starts, ends = _line_ranges(block)
        bad = _count_in_lines(block, ends) - before
    if b"\r" in block:
        ends = ends - ((ends > starts) & (np.frombuffer(block, np.uint8)[np.maximum(ends - 1, 0)] == _CR))
    lines = _without_blanks(block, starts, ends - starts, bad, max_record)
    return replace(lines, cut=lines.cut + cut) if cut else lines


def _lines_within(block: bytes, low: int, high: int, *, max_record: int) -> Lines:
    """Find the lines of a range, of the block itself where it can stay as it is: a copy takes as long as the rest."""
    starts, ends = (places + low for places in _line_ranges(memoryview(block)[low:high]))
    valid = block.isascii() or is_utf8(memoryview(block)[low:high])
    if not valid or (ends - starts >= max_record + MARGIN).any() or b"\r" in block:
        return split_lines(block[low:high], max_record=max_record)
    return _without_blanks(block, starts, ends - starts, None, max_record)


def _line_ranges(block: bytes | memoryview) -> tuple[Indices, Indices]:
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _LF)
    if len(block) and block[-1] != _LF:
        ends = np.append(ends, len(block))
    starts = np.empty_like(ends)
    starts[:1] = 0
    starts[1:] = ends[:-1] + 1
    return starts, ends


def _shorten(block: bytes, starts: Indices, ends: Indices, size: int) -> bytes:
    """Cut the lines that are longer than `size` bytes at a character's boundary before it."""
    parts: list[bytes] = []
    done = 0
    for line in np.flatnonzero(ends - starts >= size).tolist():
        start = int(starts[line])
        kept = whole_characters(block[start : start + size])
        parts.append(block[done : start + kept])
        done = int(ends[line])
    return b"".join([*parts, block[done:]])


def _count_in_lines(text: bytes, ends: Indices) -> Indices:
    """Count the U+FFFD of each line."""
    data = np.frombuffer(text, np.uint8)
    at = np.flatnonzero(data == _REPLACEMENT[0])
    at = at[at < len(data) - 2]
    at = at[(data[at + 1] == _REPLACEMENT[1]) & (data[at + 2] == _REPLACEMENT[2])]
    return np.bincount(np.searchsorted(ends, at), minlength=len(ends))


def _without_blanks(text: bytes, starts: Indices, lengths: Indices, bad: Indices | None, max_record: int) -> Lines:
    blank = 0
    if not lengths.all():
        kept = lengths > 0
        blank = int(len(kept) - kept.sum())
        starts, lengths = starts[kept], lengths[kept]
        bad = None if bad is None else bad[kept]
    long = lengths > max_record
    if not long.any():
        return Lines(text, starts, lengths, None, bad, blank)
    whole, lengths = lengths, lengths.copy()
    for line in np.flatnonzero(long).tolist():
        start = int(starts[line])
        lengths[line] = whole_characters(text[start : start + max_record])
    return Lines(text, starts, lengths, long, bad, blank, int((whole - lengths).sum()))
