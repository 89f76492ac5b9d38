"""Where the objects of JSON text are, for a whole window at once: numpy over its quotes, brackets and line feeds.

Only what is clean is found here: at the first thing that needs a closer look the search ends, and `record_scan`
decides about it. Both follow the rules of `value_ends`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.arrow import Indices

MOST_LEVELS = 1000  # of an object at the end of a line
_MOST_BLANKS = 64
_WINDOW = 128 << 10  # fits the second-level cache
_QUOTE, _BACKSLASH, _LF, _BRACE = 34, 92, 10, ord("{")
_AFTER_STRING = np.isin(np.arange(256), np.frombuffer(b",:}] \t\r\n", np.uint8))
_BEFORE_BRACE = np.isin(np.arange(256), np.frombuffer(b"[,:", np.uint8))
_SPACE = re.compile(rb"[ \t\r\n]*")
_MAYBE_COMMA = re.compile(rb"[ \t\r]*,?[ \t\r\n]*")
_COMMA = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
_END_OF_LINE = re.compile(rb"[ \t\r]*,?[ \t\r]*\n")

_Bytes = npt.NDArray[np.uint8]


class ObjectRanges(NamedTuple):
    """Objects that lie one after the other.

    Attributes:
        starts: Where each begins.
        ends: Where each ends.
        clean: Whether the window was read to its end.
    """

    starts: Indices
    ends: Indices
    clean: bool


def find_objects(text: bytes, start: int, stop: int, *, in_list: bool, max_record: int) -> ObjectRanges:
    """Find the objects from a place on, which must be outside of any.

    Args:
        text: Some text.
        start: Where to begin: behind an object, or before one.
        stop: Where the window ends.
        in_list: Whether commas are between the objects.
        max_record: Longer ones need a closer look.
    """
    data = np.frombuffer(text, np.uint8)[start:stop]
    places, depths, trouble = _brackets(data)
    opening = np.flatnonzero(depths == 1)
    opening = opening[(data[places[opening]] & 2) != 0]
    closing = places[depths == 0] + 1
    starts = places[opening][: len(closing)]
    ends = closing[: len(starts)]
    wrong = (data[starts] != _BRACE) | (ends - starts > max_record) | (ends > trouble)
    clean = trouble == len(data) and not wrong.any()
    count = int(wrong.argmax()) if wrong.any() else len(starts)
    starts, ends = starts[:count] + start, ends[:count] + start
    count = _well_spaced(text, start, starts, ends, _COMMA if in_list else _MAYBE_COMMA)
    clean &= count == len(starts)
    if not in_list and count and not _END_OF_LINE.match(text, int(ends[count - 1])):
        count -= 1  # what follows on its line may belong to it
    return ObjectRanges(starts[:count], ends[:count], clean)


def find_end(text: bytes, start: int, stop: int) -> int | None:
    """Return where an object or list ends; None if it does not, or if it needs a closer look."""
    places, depths, trouble = _brackets(np.frombuffer(text, np.uint8)[start:stop])
    ends = places[depths == 0][:1]
    return start + int(ends[0]) + 1 if len(ends) and ends[0] < trouble else None


def _brackets(data: _Bytes) -> tuple[Indices, Indices, int]:
    """Return the brackets outside of strings, the depth behind each, and the first place that needs a closer look."""
    marks = _marks(data)
    kinds = data[marks]
    quotes, feeds = kinds == _QUOTE, kinds == _LF
    within = np.cumsum(quotes, dtype=np.int32)
    before = within - quotes
    if feeds.any():
        lines = np.maximum.accumulate(np.where(feeds, within, 0))
        before[1:] -= lines[:-1]
    inside = (before & 1).astype(np.bool_)
    trouble = [len(data), *marks[inside & feeds][:1].tolist()]
    closing = marks[inside & quotes] + 1
    closing = closing[closing < len(data)]
    implausible = ~_AFTER_STRING[data[closing]]
    if implausible.any():
        trouble.append(int(closing[implausible.argmax()]) - 1)
    chosen = ~(inside | quotes | feeds)
    places = marks[chosen]
    depths = np.cumsum((kinds[chosen] & 2).astype(np.int32) - 1)
    below = depths < 0
    if below.any():
        trouble.append(int(places[below.argmax()]))
    if len(depths) and int(depths.max()) > MOST_LEVELS:
        trouble.append(int(places[(depths > MOST_LEVELS).argmax()]))
    if feeds.any():
        trouble += _misplaced(data, marks, chosen, feeds, depths)
    return places, depths, min(trouble)


def _marks(data: _Bytes) -> Indices:
    """Return the brackets, line feeds and unescaped quotes."""
    found = [np.empty(0, np.int64)]
    for start in range(0, len(data), _WINDOW):
        window = data[start : start + _WINDOW]
        folded = window | 0x20
        hits = folded == _BRACE
        hits |= folded == ord("}")
        hits |= window == _QUOTE
        hits |= window == _LF
        found.append(np.flatnonzero(hits) + start)
    marks = np.concatenate(found)
    escaped = (data[marks] == _QUOTE) & (data[np.maximum(marks - 1, 0)] == _BACKSLASH)
    if not escaped.any():
        return marks
    backslashes = np.flatnonzero(data == _BACKSLASH)
    runs = backslashes[np.concatenate([[True], np.diff(backslashes) > 1])]
    places = marks[escaped]
    escaped[escaped] = (places - runs[np.searchsorted(runs, places) - 1]) % 2 == 1
    unescaped: Indices = marks[~escaped]
    return unescaped


def _misplaced(
    data: _Bytes, marks: Indices, chosen: npt.NDArray[np.bool_], feeds: npt.NDArray[np.bool_], depths: Indices
) -> list[int]:
    """Return the first brace that opens a line within an object without a comma, colon or bracket before it."""
    candidates = chosen.copy()
    candidates[1:] &= feeds[:-1]
    candidates[:1] = False
    candidates[chosen] &= depths > 1
    places = marks[candidates]
    at = marks[np.flatnonzero(candidates) - 1]
    places, at = places[data[places] == _BRACE], at[data[places] == _BRACE]
    blank = np.ones(len(at), np.bool_)
    for _ in range(_MOST_BLANKS):
        if not blank.any():
            break
        at = at - blank
        blank = (data[at] <= ord(" ")) & (at > 0)
    wrong = ~_BEFORE_BRACE[data[at]]
    return [int(places[wrong.argmax()])] if wrong.any() else []


def _well_spaced(text: bytes, start: int, starts: Indices, ends: Indices, between: re.Pattern[bytes]) -> int:
    """Return how many of some objects have nothing but what may be there before them."""
    begins, stops = [start, *ends[:-1].tolist()], starts.tolist()
    gaps = [text[low:high] for low, high in zip(begins, stops, strict=False)]
    bad = {gap for gap in set(gaps[1:]) if not between.fullmatch(gap)}
    if gaps and not (between.fullmatch(gaps[0]) or _SPACE.fullmatch(gaps[0])):
        return 0
    return next((place for place, gap in enumerate(gaps) if place and gap in bad), len(gaps)) if bad else len(gaps)
