"""Lines under their header: the last directives before a line say how it is read, wherever blocks and ranges are cut.

A range of a large object that begins in the middle takes its header from the object's beginning. That this is the last
one before it is proved when records are counted: the first range must end with that header, and in the others no line
may have another one. An object that changes its header behind its beginning is thus read in one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from transforms.arrow import Indices
from transforms.formats.directives.cells import RowLayout, read_cells
from transforms.formats.directives.mixed_rows import HeadedRows, union_of_fields
from transforms.formats.encoding import utf8, utf8_within
from transforms.formats.format import FormatReader, RangeReader
from transforms.formats.lines import DroppedBytes, Lines, line_blocks, lines_of, split_lines
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.record_block import MAX_ROWS, RecordBlock, make_records
from transforms.formats.record_errors import line_errors

_HASH = ord("#")
_CELLS = 1 << 20  # of a block: what is known of each takes 32 bytes
_COLUMNS = 500  # of a block of rows under several headers
_LARGE = 4096  # rows under one header that are worth a block of their own


class Header(Protocol):
    """What the directives up to some line say; two that are equal give a row the same record."""

    @property
    def layout(self) -> RowLayout:
        """How rows are written."""

    @property
    def kind(self) -> Hashable:
        """What is the same of headers whose rows are read alike."""

    @property
    def needs_rows_before(self) -> bool:
        """Whether the time of a row depends on those before it."""

    def after(self: HeaderT, directive: str) -> HeaderT:
        """Return the header behind one more directive."""


HeaderT = TypeVar("HeaderT", bound=Header)
Times = Callable[[Sequence[HeadedRows[Header]], int], dict[str, pa.Array]]
"""Returns `_time` and `_time_source` of rows that follow those it was given last, in parts, of so many rows in all."""


@dataclass(frozen=True)
class DirectiveLog:
    """A format of lines and directives.

    Attributes:
        start: The header before any directive.
        times: Makes what finds the times of an object's rows.
    """

    start: Header
    times: Callable[[FormatOptions, ObjectTimes], Times]

    def read(self, chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes) -> Iterator[RecordBlock]:
        """Yield the records of an object."""
        return _read(utf8(chunks), self.start, options, self.times(options, times))

    def read_range(
        self, head: bytes, chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes
    ) -> Iterator[RecordBlock]:
        """Yield the records of a range that is not the object's first, under the header that its beginning shows."""
        header = self._header_of(head, options)
        return _read(utf8_within(head, chunks), header, options, self.times(options, times))

    def count(
        self, head: bytes, chunks: Iterator[bytes], options: FormatOptions, *, first: bool, last: bool
    ) -> int | None:
        """Count the records of a range; None where a row has another header than the object's beginning ends with."""
        del last  # its end is a line's
        shared = self._header_of(head, options)
        if shared.needs_rows_before or not shared.layout.names:
            return None
        header, count = self.start if first else shared, 0
        for lines in lines_of(chunks, options, first=first):
            for section in sections(lines, header):
                header = section.header
                if not first and len(section.rows) and header != shared:
                    return None
                count += len(section.rows)
        return count if header == shared else None

    def reader(self, **functions: Callable[..., object]) -> FormatReader:
        """Return the functions of the format, with some of its own."""
        ranges = RangeReader(read=self.read_range, count=self.count)
        return FormatReader(read=self.read, ranges=ranges, **functions)  # type: ignore[arg-type]

    def _header_of(self, head: bytes, options: FormatOptions) -> Header:
        header = self.start
        for lines in lines_of(iter([head[: head.rfind(b"\n") + 1]]), options, first=True):
            *_, last = sections(lines, header)
            header = last.header
        return header


@dataclass(frozen=True)
class Section:
    """Adjacent lines under one header.

    Attributes:
        header: What is said before them.
        rows: Those that are no directives.
        directives: Those before them that no other section has.
    """

    header: Header
    rows: Indices
    directives: int


def sections(lines: Lines, header: Header) -> Iterator[Section]:
    """Yield the sections of some lines, at least one: the last one has the header that holds behind them.

    Args:
        lines: Lines of an object.
        header: What the directives before them say.
    """
    marks = np.flatnonzero(np.frombuffer(lines.text, np.uint8)[lines.starts] == _HASH).tolist() if len(lines) else []
    parts: list[Indices] = []
    low = directives = 0
    for mark in marks:
        if low < mark:
            parts.append(np.arange(low, mark))
        following = header.after(_line(lines, mark))
        if parts and following != header:
            yield Section(header, np.concatenate(parts), directives)
            parts, directives = [], 0
        header, low, directives = following, mark + 1, directives + 1
    yield Section(header, np.concatenate([*parts, np.arange(low, len(lines))]), directives)


def _line(lines: Lines, line: int) -> str:
    start = int(lines.starts[line])
    return lines.text[start : start + int(lines.lengths[line])].decode()


def _read(text: Iterator[bytes], header: Header, options: FormatOptions, times: Times) -> Iterator[RecordBlock]:
    dropped = DroppedBytes()
    for block in line_blocks(text, max_record=options.max_record, dropped=dropped):
        lines = split_lines(block, max_record=options.max_record)
        cut = lines.cut + dropped.take()
        passed: dict[str, Any] = {"blank": lines.blank, "replaced": lines.replaced, "cut": cut}
        for group in _grouped(sections(lines, header)):
            section, header = group[0], group[-1].header
            directives = sum(one.directives for one in group)
            if len(group) > 1:
                yield RecordBlock(records=_mixed_records(lines, group, options, times), header=directives, **passed)
                passed = {}
                continue
            step = max(1, min(MAX_ROWS, _CELLS // max(len(header.layout.names), 1)))
            for low in range(0, max(len(section.rows), 1), step):
                records = _records(_chosen(lines, section.rows[low : low + step]), header, options, times)
                yield RecordBlock(records=records, header=directives, **passed)
                passed, directives = {}, 0


def _chosen(lines: Lines, rows: Indices) -> Lines:
    long = None if lines.long is None or not lines.long[rows].any() else lines.long[rows]
    return replace(lines, starts=lines.starts[rows], lengths=lines.lengths[rows], long=long, bad=None, blank=0)


def _records(lines: Lines, header: Header, options: FormatOptions, times: Times) -> pa.RecordBatch:
    fields, errors, rescued = _fields(lines, header.layout)
    errors.update(line_errors(lines, max_record=options.max_record, bad_text=False))
    rows = HeadedRows(np.arange(len(lines)), [(header, len(lines))], fields)
    return make_records(lines.array(), errors, fields, times([rows], len(lines)) if fields else {}, rescued=rescued)


def _fields(lines: Lines, layout: RowLayout) -> tuple[dict[str, pa.Array], dict[int, str], dict[int, str]]:
    columns, errors, rescued = read_cells(lines, layout)
    named = zip(layout.names, columns, strict=True)
    return {name: column for name, column in named if column.null_count < len(lines)}, errors, rescued


def _grouped(found: Iterator[Section]) -> Iterator[list[Section]]:
    """Yield sections in groups: those of few rows together, as long as all their rows and columns make one block."""
    group: list[Section] = []
    names: set[str] = set()
    rows = 0
    for section in found:
        size, more = len(section.rows), names.union(section.header.layout.names)
        full = len(more) > _COLUMNS or rows + size > MAX_ROWS or (rows + size) * len(more) > _CELLS
        if group and (full or size > _LARGE):
            yield group
            group, names, rows = [], set(), 0
            more = {*section.header.layout.names}
        group.append(section)
        names, rows = more, rows + size
        if size > _LARGE:
            yield group
            group, names, rows = [], set(), 0
    if group:
        yield group


def _mixed_records(lines: Lines, group: Sequence[Section], options: FormatOptions, times: Times) -> pa.RecordBatch:
    """Make records of rows under several headers: those under headers of a kind are read together."""
    lines = _chosen(lines, np.concatenate([section.rows for section in group]))
    alike: dict[Hashable, list[tuple[Header, Indices]]] = {}
    first = 0
    for section in group:
        if size := len(section.rows):
            alike.setdefault(section.header.kind, []).append((section.header, np.arange(first, first + size)))
            first += size
    errors: dict[int, str] = {}
    rescued: dict[int, str] = {}
    parts: list[HeadedRows[Header]] = []
    for found in alike.values():
        places = np.concatenate([rows for _, rows in found])
        fields, wrong, more = _fields(_chosen(lines, places), found[0][0].layout)
        parts.append(HeadedRows(places, [(header, len(rows)) for header, rows in found], fields))
        errors.update({int(places[row]): error for row, error in wrong.items()})
        rescued.update({int(places[row]): cells for row, cells in more.items()})
    errors.update(line_errors(lines, max_record=options.max_record, bad_text=False))
    fields = union_of_fields(parts, len(lines))
    return make_records(lines.array(), errors, fields, times(parts, len(lines)) if fields else {}, rescued=rescued)
