"""From lines to columns: the rows with as many cells as the header by numpy, the others one by one in Python.

Both read the same: a cell in quotes counts as such only where its closing quote ends the cell, else its quotes are
characters like others. Text is not copied: a cell is a view on its block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from transforms.arrow import Flags, Indices
from transforms.arrow.arrays import take
from transforms.arrow.strings import view_array
from transforms.formats.lines import Lines
from transforms.formats.record_block import cells_as_json

_QUOTE = 34
_FEW = 4  # so few rows are read one by one: numpy takes as long for one as for some hundred


@dataclass(frozen=True, kw_only=True)
class RowLayout:
    r"""How a row is written.

    Attributes:
        names: Its columns; none before the header.
        separator: What is between two cells. Where it is a blank, a row with a tab before its first blank is separated
            by tabs (CloudFront), and a run of blanks counts as one: no cell is empty.
        quotes: Whether a cell may be in quotes, a quote within it doubled.
        unset: The text of a cell that has no value.
        empty: The text of a cell that is `""`.
    """

    names: tuple[str, ...] = ()
    separator: str = "\t"
    quotes: bool = False
    unset: str = "-"
    empty: str | None = None


@dataclass(frozen=True)
class CellGrid:
    """Cells of some lines.

    Attributes:
        rows: The lines.
        starts: Where each cell begins in the text: a row of the matrix for each column.
        lengths: Its bytes.
    """

    rows: Indices
    starts: Indices
    lengths: Indices


def read_cells(lines: Lines, layout: RowLayout) -> tuple[list[pa.Array], dict[int, str], dict[int, str]]:
    """Return the columns of some lines (`string_view`, null where absent).

    Returns:
        The columns; what is wrong with some rows; and the cells that the header has no column for, as a list in JSON.
    """
    if len(lines) <= _FEW:
        return _uneven_columns(lines, np.arange(len(lines)), layout)
    grid = even_rows(lines, layout)
    columns = _columns(lines.text, grid, layout)
    if len(grid.rows) == len(lines):
        return columns, {}, {}
    uneven = np.setdiff1d(np.arange(len(lines)), grid.rows)
    others, errors, rescued = _uneven_columns(lines, uneven, layout)
    order = np.empty(len(lines), np.int64)
    order[np.concatenate([grid.rows, uneven])] = np.arange(len(lines))
    return [take(pa.concat_arrays(pair), order) for pair in zip(columns, others, strict=True)], errors, rescued


def even_rows(lines: Lines, layout: RowLayout) -> CellGrid:
    """Find the cells of all lines that have exactly as many as the header; of no others."""
    rows = np.arange(len(lines)) if lines.long is None else np.flatnonzero(~lines.long)
    if len(layout.separator) != 1 or not layout.separator.isascii() or not len(rows) or not layout.names:
        return _evenly_separated(lines, rows[:0], layout)
    if layout.separator != " ":
        return _evenly_separated(lines, rows, layout)
    tabbed = _are_tabbed(lines, rows)
    grids = [
        _evenly_separated(lines, chosen, replace(layout, separator=separator))
        for separator, chosen in ((" ", rows[~tabbed]), ("\t", rows[tabbed]))
        if len(chosen)
    ]
    if len(grids) == 1:
        return grids[0]
    joined = np.concatenate([grid.rows for grid in grids])
    order = np.argsort(joined)
    starts, lengths = (
        np.concatenate(parts, axis=1)[:, order]
        for parts in ([grid.starts for grid in grids], [grid.lengths for grid in grids])
    )
    return CellGrid(joined[order], starts, lengths)


def _are_tabbed(lines: Lines, rows: Indices) -> Flags:
    """Return which lines have a tab before their first blank."""
    starts, ends = lines.starts[rows], _ends(lines, rows)
    tabs, blanks = (
        np.append(places, len(lines.text))[np.searchsorted(places, starts)]
        for places in (_places(lines, rows, ord("\t")), _places(lines, rows, ord(" ")))
    )
    return np.asarray((tabs < blanks) & (tabs < ends))


def _ends(lines: Lines, rows: Indices) -> Indices:
    return lines.starts[rows] + lines.lengths[rows]


def _places(lines: Lines, rows: Indices, character: int) -> Indices:
    """Return where a character is, from the first of some lines to the last."""
    low, high = int(lines.starts[rows[0]]), int(lines.starts[rows[-1]] + lines.lengths[rows[-1]])
    return np.flatnonzero(np.frombuffer(lines.text, np.uint8, high - low, low) == character) + low


def _evenly_separated(lines: Lines, rows: Indices, layout: RowLayout) -> CellGrid:
    width = len(layout.names)
    if not len(rows):
        return CellGrid(rows, np.empty((width, 0), np.int64), np.empty((width, 0), np.int64))
    starts, ends = lines.starts[rows], _ends(lines, rows)
    places = _places(lines, rows, ord(layout.separator))
    quotes = _places(lines, rows, _QUOTE) if layout.quotes else places[:0]
    if len(quotes):
        places = _outside_quotes(places, quotes, starts)
    first = np.searchsorted(places, starts)
    even = np.searchsorted(places, ends) - first == width - 1
    rows, starts, ends, first = rows[even], starts[even], ends[even], first[even]
    between = places[first[None, :] + np.arange(width - 1)[:, None]]
    starts, stops = np.vstack([starts[None, :], between + 1]), np.vstack([between, ends[None, :]])
    kept = (starts < stops).all(axis=0) if layout.separator == " " else np.ones(len(rows), np.bool_)
    if len(quotes):
        quoted = _are_quoted(lines.text, starts, stops)
        found = np.searchsorted(quotes, stops[-1]) - np.searchsorted(quotes, starts[0])
        kept &= found == 2 * quoted.sum(axis=0)
        starts, stops = starts + quoted, stops - quoted
    return CellGrid(rows[kept], starts[:, kept], (stops - starts)[:, kept])


def _outside_quotes(places: Indices, quotes: Indices, starts: Indices) -> Indices:
    """Return the separators with an even number of quotes before them in their line."""
    line = np.searchsorted(starts, places, side="right") - 1
    before = np.searchsorted(quotes, places) - np.searchsorted(quotes, starts)[line]
    outside: Indices = places[before % 2 == 0]
    return outside


def _are_quoted(text: bytes, starts: Indices, stops: Indices) -> Flags:
    """Return which cells are in quotes, each at an edge of its own."""
    data = np.frombuffer(text, np.uint8)
    opened = data[np.minimum(starts, len(data) - 1)] == _QUOTE
    return np.asarray(opened & (stops - starts > 1) & (data[stops - 1] == _QUOTE))


def _columns(text: bytes, grid: CellGrid, layout: RowLayout) -> list[pa.Array]:
    columns = []
    for starts, lengths in zip(grid.starts, grid.lengths, strict=True):
        present = ~_are(text, starts, lengths, layout.unset)
        if layout.empty is not None:
            lengths = np.where(_are(text, starts, lengths, layout.empty), 0, lengths)
        columns.append(view_array(text, starts, lengths, present))
    return columns


def _are(text: bytes, starts: Indices, lengths: Indices, value: str) -> Flags:
    """Return which slices of a text are some value."""
    expected = value.encode()
    same = lengths == len(expected)
    data = np.frombuffer(text, np.uint8)
    for place, byte in enumerate(expected):
        rows = np.flatnonzero(same)
        same[rows] = data[starts[rows] + place] == byte
    return np.asarray(same)


def _uneven_columns(
    lines: Lines, rows: Indices, layout: RowLayout
) -> tuple[list[pa.Array], dict[int, str], dict[int, str]]:
    width = len(layout.names)
    errors: dict[int, str] = {}
    rescued: dict[int, str] = {}
    found: list[list[str | None]] = []
    for row in rows.tolist():
        cells: list[str | None] = []
        if lines.long is None or not lines.long[row]:
            start = int(lines.starts[row])
            texts = split_row(lines.text[start : start + int(lines.lengths[row])].decode(), layout)
            if len(texts) > width:
                errors[row], rescued[row] = _too_many(len(texts), width), cells_as_json(texts[width:])
            cells = [_value(text, layout) for text in texts[:width]]
        found.append([*cells, *[None] * (width - len(cells))])
    columns = [pa.array([cells[column] for cells in found], pa.string_view()) for column in range(width)]
    return columns, errors, rescued


def _too_many(cells: int, width: int) -> str:
    header = f"the header has {width}" if width else "there is no header before it"
    return f"too_many_columns: {cells} cells, but {header}"


def _value(text: str, layout: RowLayout) -> str | None:
    return None if text == layout.unset else "" if text == layout.empty else text


def split_row(line: str, layout: RowLayout) -> list[str]:
    """Return the cells of one line; a blank one behind as many as the header has is none."""
    separator = layout.separator
    if separator == " " and "\t" in line.partition(" ")[0]:
        separator = "\t"
    cells = _split_quoted(line, separator) if layout.quotes and '"' in line else _split(line, separator)
    # behind a blank at the end there is no cell: an empty one is in quotes there
    if len(cells) == len(layout.names) + 1 and not cells[-1] and separator != " " and line.endswith(separator):
        cells.pop()
    return cells


def _split(line: str, separator: str) -> list[str]:
    return line.split(separator) if separator != " " else [cell for cell in line.split(" ") if cell]


def _split_quoted(line: str, separator: str) -> list[str]:
    """Split a line where quotes may hide separators; those that no other closes at a cell's end hide none."""
    quoted = re.compile(rf'"([^"]*(?:""[^"]*)*)"(?={re.escape(separator)}|\Z)')
    cells, place = [], 0
    while place <= len(line):
        match = quoted.match(line, place)
        end = match.end() if match else line.find(separator, place)
        end = len(line) if end < 0 else end
        if match or separator != " " or end > place:
            cells.append(match[1].replace('""', '"') if match else line[place:end])
        place = end + len(separator)
    return cells
