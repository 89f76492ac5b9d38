"""Which lines of JSON DuckDB would not read as we mean it, found without parsing them.

DuckDB (yyjson) rewrites some numbers: `1.10` to `1.1`, `1e5` to `100000.0`, `0.0000001` to `1e-7`, `-0` to `0`, and decimals of more digits than a
double holds. It takes trailing commas, `NaN` and `Infinity`, which are no JSON; and its pointers can't name a key with a NUL in it. A line
that only looks as if it had one of these (in a string) is found too: the slower path reads it all the same.

One regular expression for all of this takes 1.5 ms a MB, because it starts anywhere; these take 1.0: the expressions begin with something rare, and
numbers with a point or an exponent are looked at with numpy.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from transforms.formats.framing import Flags, Lines
from transforms.formats.views import Indices

_Bytes = npt.NDArray[np.uint8]

_SPACE = r"[ \t\r]"
_EXPRESSIONS = (
    r"-0[,}\] \t\r]",
    rf",{_SPACE}*[}}\]]",
    r"[:\[, \t\r]-?(?:[iI]|[nN][aA])",
)
_NUL_ESCAPE = r"\u0000"
_WINDOW = 128 << 10  # fits the second-level cache: half the time of whole blocks
_LONGEST = 24  # a number longer than this is odd anyway
_DOT, _MINUS, _ZERO = b".-0"
_BEFORE_VALUE = np.isin(np.arange(256), np.frombuffer(b":[, \t\r-", np.uint8))
_AFTER_NUMBER = np.isin(np.arange(256), np.frombuffer(b",}] \t\r\n", np.uint8))
_DIGIT = np.isin(np.arange(256), np.frombuffer(b"0123456789", np.uint8))


def odd_rows(lines: Lines, messages: pl.Series) -> Flags:
    """Return which lines the fast path must not read.

    Args:
        lines: Lines of a block.
        messages: The same as strings.
    """
    odd = messages.str.contains(_NUL_ESCAPE, literal=True)
    for expression in _EXPRESSIONS:
        odd |= messages.str.contains(expression)
    flags = odd.to_numpy().copy()
    data = np.frombuffer(lines.text, np.uint8)
    places = _odd_numbers(data, _candidates(data))
    flags[np.searchsorted(lines.starts, places, side="right") - 1] = True
    return flags


def _candidates(data: _Bytes) -> Indices:
    """Return where a digit is followed by a point or an `e`."""
    found = [np.empty(0, np.int64)]
    for start in range(0, len(data) - 1, _WINDOW):
        window = data[start : start + _WINDOW + 1]
        second = window[1:]
        hits = (second | 0x20) == ord("e")
        hits |= second == _DOT
        hits &= (window[:-1] - np.uint8(_ZERO)) < 10
        found.append(np.flatnonzero(hits) + (start + 1))
    return np.concatenate(found)


def _odd_numbers(data: _Bytes, marks: Indices) -> Indices:
    """Return those of some points and exponents that are in numbers whose text would change."""
    padded = np.concatenate([data, np.zeros(2 * _LONGEST, np.uint8)])
    before = _run(padded, marks - 1, -1)
    first = marks - before
    starts_value = _BEFORE_VALUE[padded[first - 1]] & (first > 0) & ((padded[first] != _ZERO) | (before == 1))
    marks, before = marks[starts_value], before[starts_value]
    exponent = padded[marks] != _DOT
    return np.concatenate([marks[exponent], _odd_fractions(padded, marks[~exponent], before[~exponent])])


def _run(padded: _Bytes, places: Indices, step: int) -> Indices:
    """Count the digits from each place on in one direction, as far as `_LONGEST`."""
    counts = np.zeros(len(places), np.int64)
    going = np.arange(len(places))
    for _ in range(_LONGEST):
        at = places[going] + step * counts[going]
        going = going[(at >= 0) & _DIGIT[padded[at]]]
        if not going.size:
            break
        counts[going] += 1
    return counts


def _odd_fractions(padded: _Bytes, points: Indices, before: Indices) -> Indices:
    after = _run(padded, points + 1, 1)
    last, follow = padded[points + after], padded[points + after + 1]
    ended = _AFTER_NUMBER[follow] | (after == _LONGEST)
    digits = before + after
    lead = padded[points - before]
    # 16 digits are exact below 2^52, whatever the place of the point: epochs with microseconds are
    too_long = (digits > 16) | ((digits == 16) & ((lead > ord("3")) | (lead == _ZERO)))
    zeros = (last == _ZERO) & (after > 1)
    tiny = (lead == _ZERO) & (padded[points + 1] == _ZERO) & (after >= 7)
    exponent = (follow | 0x20) == ord("e")
    return points[exponent | (ended & (too_long | zeros | tiny))]
