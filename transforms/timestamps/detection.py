"""Find the first stamp within a line by one pattern of all forms, read as a column of times (docs/formats.md)."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pyarrow as pa

from transforms.arrow.arrays import as_series
from transforms.timestamps.columns import parse_times
from transforms.timestamps.forms import FORMS, for_rust

_LOOKED_AT = 128  # characters
_LONGEST = 64  # characters: no stamp is longer
_IN_TEXT = tuple(form for form in FORMS if form.in_text)
_GOES_ON = r"([A-Za-z])(?:[\p{L}\p{M}--[A-Za-z]]|\x{FFFD})"
"""A word that goes on with a letter that is not ASCII, which the boundaries of stamps don't see."""
_STAMP = for_rust("|".join(form.text for form in _IN_TEXT))


def detect_times(messages: pa.Array | pl.Series, *, timezone: str, modified: datetime, received: datetime) -> pl.Series:
    """Read the first stamp of each line, where it lies within the line's first 128 characters.

    Args:
        messages: Strings.
        timezone: IANA name that holds where a stamp has no zone.
        modified: When the object was last modified; a missing year is chosen by it.
        received: A time more than a day after it is not believed, nor one before 1970.

    Returns:
        Datetime[us, UTC]; null where there is no stamp, or none to believe.
    """
    stamps = first_stamps(as_series(messages))
    return parse_times(stamps, timezone=timezone, modified=modified, received=received, epochs=False, forms=_IN_TEXT)


def first_stamps(lines: pl.Series) -> pl.Series:
    """Cut out the text of each line's first stamp; null where there is none."""
    heads = lines.str.head(_LOOKED_AT)
    stamps = _search(heads)
    at_edge = _at_edge(lines, heads, stamps).arg_true()
    if len(at_edge):  # it may go on beyond the edge, and mean something else as a whole
        whole = _search(lines.gather(at_edge).str.head(_LOOKED_AT + _LONGEST))
        inside = _contain(heads.gather(at_edge), whole)
        stamps = stamps.scatter(at_edge, whole.set(~inside.fill_null(value=False), None))
    return stamps


def _search(texts: pl.Series) -> pl.Series:
    stamps = texts.str.extract(_STAMP, 0)
    lettered = stamps.str.contains(r"[A-Za-z]$").fill_null(value=False).arg_true()
    rows = lettered.filter(texts.gather(lettered).str.contains(_GOES_ON))
    if len(rows):  # what looks like a zone is the beginning of a word, such as the Z of Zürich
        masked = texts.gather(rows).str.replace_all(_GOES_ON, "${1}_")
        stamps = stamps.scatter(rows, masked.str.extract(_STAMP, 0))
    return stamps.str.strip_chars_end(" ],;")


def _at_edge(lines: pl.Series, heads: pl.Series, stamps: pl.Series) -> pl.Series:
    """Which stamps lie so far right in a line that they may have been cut off."""
    return (heads.str.len_bytes() < lines.str.len_bytes()) & _contain(heads.str.tail(_LONGEST), stamps)


def _contain(texts: pl.Series, parts: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"text": texts, "part": parts})
    return frame.select(pl.col("text").str.contains(pl.col("part"), literal=True)).to_series()
