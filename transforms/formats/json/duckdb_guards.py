r"""Which lines of JSON DuckDB would not read as we mean it, found without parsing them.

DuckDB (yyjson) rewrites some numbers: `1.10` to `1.1`, `1e5` to `100000.0`, `0.0000001` to `1e-7`, `-0` to `0`, and
decimals of more digits than a double holds. It takes trailing commas, `NaN` and `Infinity`, which are no JSON; and its
pointers can't name a key with a NUL in it. A line that only looks as if it had one of these (in a string) is found too:
the slower paths read it all the same.

One regular expression for all of this takes 1.5 ms a MB, because it may start anywhere. So the expressions begin with
something rare, and points and exponents are looked at with numpy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from transforms.arrow import Flags, Indices
from transforms.formats.lines import Lines

_Bytes = npt.NDArray[np.uint8]

_MINUS_ZERO = r"-0[,}\] \t\r\n]"
_TRAILING_COMMA = r",[ \t\r\n]*[}\]]"
_NO_NUMBER = r"[:\[,][ \t\r\n]*-?(?i:nan|inf|infinity)[ \t\r\n]*[,}\]]"
_NUL_ESCAPE = r"\u0000"
_WINDOW = 128 << 10  # fits the second-level cache: half the time of whole blocks
_LONGEST = 24  # digits; a number with more is guarded anyway
_DOT, _MINUS, _ZERO = ord("."), ord("-"), ord("0")


def _table(characters: bytes) -> npt.NDArray[np.bool_]:
    return np.isin(np.arange(256), np.frombuffer(characters, np.uint8))


_BEFORE_VALUE = _table(b":[, \t\r\n")  # white space: there was more of it than is looked at
_SPACE = _table(b" \t\r\n")
_AFTER_NUMBER = _table(b",}] \t\r\n")
_DIGIT = _table(b"0123456789")


class GuardedRows(NamedTuple):
    """Lines that DuckDB would not read as they are meant.

    Attributes:
        numbers: Those with numbers whose text would change.
        strange: Those that it takes, and should not, or whose names it can't find.
    """

    numbers: Flags
    strange: Flags


def guarded_rows(lines: Lines, messages: pl.Series) -> GuardedRows:
    """Look through the lines of a block, given also as strings."""
    message = pl.col(messages.name).str
    strange = (
        message.contains(_TRAILING_COMMA) | message.contains(_NO_NUMBER) | message.contains(_NUL_ESCAPE, literal=True)
    )
    found = messages.to_frame().select(numbers=message.contains(_MINUS_ZERO), strange=strange)
    numbers = found["numbers"].to_numpy().copy()
    low, high = int(lines.starts[0]), int(lines.starts[-1] + lines.lengths[-1])
    data = np.frombuffer(lines.text, np.uint8)[low : high + 1]  # with the byte behind a number that ends the last line
    places = _changed_numbers(data, _marks(data)) + low
    numbers[np.searchsorted(lines.starts, places, side="right") - 1] = True
    return GuardedRows(numbers, found["strange"].to_numpy())


def _marks(data: _Bytes) -> Indices:
    """Return where a point or an `e` stands between what can be parts of a number."""
    found = [np.empty(0, np.int64)]
    for start in range(0, len(data) - 2, _WINDOW):
        window = data[start : start + _WINDOW + 2]
        middle = window[1:-1]
        hits = (middle | 0x20) == ord("e")
        hits |= middle == _DOT
        hits &= (window[:-2] - np.uint8(_ZERO)) < 10
        hits &= (window[2:] - np.uint8(ord("+"))) < 15  # up to 9
        found.append(np.flatnonzero(hits) + (start + 1))
    return np.concatenate(found)


def _changed_numbers(data: _Bytes, marks: Indices) -> Indices:
    """Return those of some points and exponents that are in numbers whose text would change."""
    points = data[marks] == _DOT
    marks = np.concatenate([marks[~points], _changed_fractions(data, marks[points])])
    before = _run(data, marks - 1, -1, _DIGIT)
    first = marks - before
    sign = np.maximum(first - 1, 0)
    place = sign - (data[sign] == _MINUS)
    place -= _run(data, place, -1, _SPACE)
    starts_value = (place >= 0) & _BEFORE_VALUE[data[place]] & ((data[first] != _ZERO) | (before == 1))
    changed: Indices = marks[starts_value | (before == _LONGEST)]
    return changed


def _changed_fractions(data: _Bytes, points: Indices) -> Indices:
    """Return the points that a number's text would change for, if they stand in numbers."""
    after = _run(data, points + 1, 1, _DIGIT)
    end = points + after + 1
    follow = np.where(end < len(data), data[np.minimum(end, len(data) - 1)], ord("\n"))
    exponent = (follow | 0x20) == ord("e")
    zeros = (after > 1) & (data[points + after] == _ZERO)
    candidates = (
        exponent
        | (_AFTER_NUMBER[follow] & (zeros | (after > 6) | _DIGIT[data[np.maximum(points - 9, 0)]]))
        | (after == _LONGEST)
    )
    points, after, exponent, zeros = points[candidates], after[candidates], exponent[candidates], zeros[candidates]
    before = _run(data, points - 1, -1, _DIGIT)
    lead, digits = data[points - before], before + after
    # 16 digits are exact below 2^52, wherever the point is: epochs with microseconds are
    too_long = (digits > 16) | ((digits == 16) & ((lead > ord("3")) | (lead == _ZERO)))
    tiny = (lead == _ZERO) & (data[points + 1] == _ZERO) & (after >= 7)
    changed: Indices = points[exponent | zeros | too_long | tiny]
    return changed


def _run(data: _Bytes, places: Indices, step: int, table: npt.NDArray[np.bool_]) -> Indices:
    """Count the bytes of a kind from each place on in one direction, as far as `_LONGEST`."""
    counts = np.zeros(len(places), np.int64)
    going, at = np.arange(len(places)), places
    for length in range(1, _LONGEST + 1):
        hits = table[data[np.minimum(at, len(data) - 1)]] & (at >= 0) & (at < len(data))
        going, at = going[hits], at[hits] + step
        if not going.size:
            break
        counts[going] = length
    return counts
