"""Find the stamp of a line by one pattern of all forms, read as a column of times (docs/formats.md).

A stamp is cut out with whatever stands right behind it like a zone, and then read as a field is: whole, or not at all.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime

import polars as pl
import pyarrow as pa

from transforms.arrow.arrays import as_series
from transforms.timestamps.clock import Modified, count_reasons, why_unbelieved
from transforms.timestamps.columns import parse_times
from transforms.timestamps.fields.day_order import is_day_first
from transforms.timestamps.forms import COUNTS, FORMS, for_rust
from transforms.timestamps.grammar.zones import ANY_NAME
from transforms.timestamps.line_parts import (
    BEGINS_PLAINLY,
    HAS_YEAR,
    full_stamps,
    same_days,
    with_system_times,
    with_zones,
)

_LOOKED_AT = 128  # characters
_LONGEST = 64  # characters: no stamp is longer
_IN_TEXT = (*(form for form in FORMS if form.in_text), *COUNTS)
_GOES_ON = rf"([0-9 ](?:{ANY_NAME}|[AaPp][Mm]))(?:[\p{{L}}\p{{M}}--[A-Za-z]]|\x{{FFFD}})"
"""A word that begins like a zone and goes on with a letter that is not ASCII, which boundaries of stamps don't see."""
_STAMP = for_rust("|".join(form.text for form in _IN_TEXT))

_CONTROL = r"\x1b\[[0-?]*[ -/]*[@-~]"
"""A control sequence (ECMA-48 §5.4), such as a colour."""
_MAYBE_YEARLESS = (
    r"(?m)[\p{L}.] {1,2}[0-9 ]?[0-9] [0-9]{1,2}:[0-9]{2}:[0-9]{2}|[0-9]\.? \p{L}{3,12}\.? [0-9]{1,2}:[0-9]{2}:[0-9]{2}"
    r"|^[IWEF][0-9]{4} {1,2}[0-9]{2}:|(?:^|[^0-9-])[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\."
    r"|\[[0-9]{2}\.[0-9]{2} [0-9]{2}:"
)
"""What each form without a year has: looked for first, as it is much cheaper than to find the stamps."""
_MAYBE_YEARLESS_SHORT = re.compile(
    _MAYBE_YEARLESS.replace(r"[\p{L}.]", r"(?:[^\W\d_]|\.)").replace(r"\p{L}", r"[^\W\d_]")
)
"""The same for a short text: Polars compiles the pattern anew each time, which takes longer than to search."""
_SHORT = 8 << 10
_DAY_FIRST = re.compile(rb"(?:\b|\x1b\[[0-9;]*m)(?:1[3-9]|2[0-9]|3[01])[/-][0-9]{1,2}[/-](?:19|20)[0-9]{2}\b")


def detect_times(
    messages: pa.Array | pl.Series,
    *,
    timezone: str,
    modified: Modified,
    received: datetime,
    year: int | None = None,
    day_first: bool = False,
    unbelieved: Counter[str] | None = None,
) -> pl.Series:
    """Read the first stamp of each line, where it lies within the line's first 128 characters.

    A stamp without a year gives way to a full one in the first 256 characters that agrees with it to a day. A line of
    `key=value` may name the stamp's zone beside it (`tz`, `timezone`).

    Args:
        messages: Strings.
        timezone: IANA name that holds where a stamp has no zone.
        modified: When the object was last modified; a missing year is chosen by it.
        received: A time more than a day after it is not believed, nor one before 1970.
        year: That of stamps without one; None chooses it.
        day_first: Whether `04/08/2025` is 4 August.
        unbelieved: Where stamps are counted that are not believed, by why not; None to count nothing.

    Returns:
        Datetime[us, UTC]; null where there is no stamp, or none to believe.
    """

    def read(stamps: pl.Series, believed: datetime | None = received) -> pl.Series:
        return parse_times(
            stamps,
            timezone=timezone,
            modified=modified,
            received=believed,
            epochs=False,
            forms=_IN_TEXT,
            year=year,
            day_first=day_first,
        )

    lines = without_colours(as_series(messages))
    stamps = first_stamps(lines)
    zoned = with_zones(stamps, lines)
    times = read(zoned)
    if unbelieved is not None and (lost := stamps.is_not_null() & times.is_null()).any():
        unbelieved.update(count_reasons(why_unbelieved(read(zoned.filter(lost), None), received)))
    rows = (~stamps.str.contains(HAS_YEAR)).fill_null(value=False).arg_true()
    if not len(rows):
        return times
    others = full_stamps(lines.gather(rows))
    rows, others = rows.filter(others.is_not_null()), others.drop_nulls()
    if not len(rows):
        return times
    full = read(others)
    agree = same_days(full, times.gather(rows))
    return times.scatter(rows.filter(agree), full.filter(agree))


def head_is_day_first(head: bytes) -> bool:
    """Return whether the stamps of an object's first lines show that its dates have the day before the month."""
    if not _DAY_FIRST.search(head):
        return False
    lines = pl.Series(head.decode("utf-8", "replace").splitlines())
    return is_day_first([first_stamps(without_colours(lines))])


def head_is_yearless(head: bytes) -> bool:
    """Return whether a stamp of an object's first lines has no year."""
    text = head.decode("utf-8", "replace")
    if len(text) <= _SHORT and not _MAYBE_YEARLESS_SHORT.search(text):
        return False
    if len(text) > _SHORT and not pl.Series([text]).str.contains(_MAYBE_YEARLESS).item():
        return False
    stamps = first_stamps(without_colours(pl.Series(text.splitlines(), dtype=pl.String)))
    return bool((~stamps.str.contains(HAS_YEAR)).any())


def without_colours(lines: pl.Series) -> pl.Series:
    """Take a terminal's control sequences out of lines: none at the beginning, a blank in place of each other one."""
    if not lines.str.contains("\x1b[", literal=True).any():
        return lines
    return lines.str.replace(f"^(?:{_CONTROL})+", "").str.replace_all(_CONTROL, " ")


def first_stamps(lines: pl.Series) -> pl.Series:
    """Cut out the text of each line's first stamp, or an XML event's `SystemTime`; null where there is none."""
    heads = lines.str.head(_LOOKED_AT)
    stamps = _search(heads)
    at_edge = _at_edge(lines, heads, stamps).arg_true()
    if len(at_edge):  # it may go on beyond the edge, and mean something else as a whole
        whole = _search(lines.gather(at_edge).str.head(_LOOKED_AT + _LONGEST))
        inside = _contain(heads.gather(at_edge), whole)
        stamps = stamps.scatter(at_edge, whole.set(~inside.fill_null(value=False), None))
    return with_system_times(_without_later(heads, stamps), lines)


def _without_later(heads: pl.Series, stamps: pl.Series) -> pl.Series:
    """Take a later date of the line for no stamp where the line begins with what is plainly one, but is not read."""
    later = (~_begin_with(heads, stamps)).fill_null(value=False).arg_true()
    if not len(later):
        return stamps
    begun = heads.gather(later).str.extract(BEGINS_PLAINLY, 1)
    plain = begun.is_not_null().arg_true()
    if not len(plain):
        return stamps
    rows, found = later.gather(plain), stamps.gather(later.gather(plain))
    rest = heads.gather(rows).str.strip_prefix(begun.gather(plain))
    return stamps.scatter(rows.filter(~_begin_with(rest, found)), None)


def _begin_with(texts: pl.Series, parts: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"text": texts, "part": parts})
    return frame.select(pl.col("text").str.starts_with(pl.col("part"))).to_series()


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
