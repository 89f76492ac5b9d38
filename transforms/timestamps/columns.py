"""Read a column of times: by the form of its first value, the rows that differ by the other forms."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from datetime import datetime

import polars as pl
import pyarrow as pa

from transforms.arrow.arrays import as_series
from transforms.timestamps.casting import cast_iso, first_of, nothing
from transforms.timestamps.clock import DayFirst, Modified, TimeContext
from transforms.timestamps.epochs import UNITS, read_epochs
from transforms.timestamps.forms import (
    COUNTS,
    EPOCH,
    FORMS,
    MONTH_FIRST_TWIN,
    SHORT_YEAR,
    Form,
    for_python,
    for_rust,
    without_groups,
)
from transforms.timestamps.layouts import read_layout
from transforms.timestamps.reading import read_pattern

_CASTABLE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.(?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_ISO_8601 = next(form for form in FORMS if form.name == "iso_8601")
_MICROSECONDS = 6  # digits
_FEW = 256  # rows: for fewer another layout does not pay
_LAYOUTS = 12  # lengths of one form in one column: RFC 3339 as Go writes it, without trailing zeros, has ten
_RUN = 2  # rows in a run, on average, from which reading each run once pays


def parse_times(
    values: pa.Array | pl.Series,
    *,
    timezone: str,
    modified: Modified,
    received: datetime | None,
    epochs: bool,
    forms: Sequence[Form] = FORMS,
    year: int | None = None,
    day_first: DayFirst = False,
) -> pl.Series:
    """Read a column of times, each row in whatever form it has.

    Args:
        values: Strings.
        timezone: IANA name that holds where a value has no zone.
        modified: When the object was last modified; a missing year is chosen by it.
        received: A time more than a day after it is not believed, nor one before 1970; None to believe any.
        epochs: Whether bare numbers are times too.
        forms: The forms to allow.
        year: That of times without one; None chooses it.
        day_first: Whether `04/08/2025` is 4 August, or what finds that out where it matters.

    Returns:
        Datetime[us, UTC] of the same length; null where there is no time, or none to believe.
    """
    clock = TimeContext(timezone, modified, received, year, day_first)
    return by_runs(as_series(values), lambda heads: _parse(heads, clock, forms, epochs=epochs))


def parse_epochs(values: pa.Array | pl.Series, *, received: datetime, unit: str) -> pl.Series:
    """Read a column of numbers of one unit (`UNITS`), as `parse_times` reads those whose size determines it."""
    clock = TimeContext("UTC", received, received)
    return clock.believe(read_epochs(as_series(values).str.strip_chars(), scale=UNITS[unit]))


def by_runs(texts: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Read each run of equal values once, where there are enough of them: the lines of one second have one time."""
    if not len(texts):
        return read(texts)
    begins = texts.ne_missing(texts.shift(1))
    begins[0] = True
    if begins.sum() * _RUN > len(texts):
        return read(texts)
    return read(texts.filter(begins)).gather(begins.cum_sum() - 1)


def _parse(texts: pl.Series, clock: TimeContext, forms: Sequence[Form], *, epochs: bool) -> pl.Series:
    if texts.null_count() == len(texts):
        return nothing(len(texts))
    if _ISO_8601 in forms and (whole := _cast(texts, clock)) is not None:
        return clock.believe(whole)
    times, texts = nothing(len(texts)), texts.str.strip_chars()
    rows = texts.is_not_null().arg_true()
    untried = [form for form in ((EPOCH, *forms) if epochs else forms) if epochs or not form.number]
    while len(rows) and untried:
        form = _form_of(texts[int(rows[0])], untried)
        if form is None:
            rows = rows[1:]
            rows = rows.filter(texts.gather(rows).str.contains(_any_of(tuple(untried))))
            continue
        untried.remove(form)
        found = clock.believe(_read_either(form, _at(texts, rows), clock))
        times = (
            found if len(found) == len(times) else times.scatter(rows.filter(found.is_not_null()), found.drop_nulls())
        )
        rows = rows.filter(found.is_null())
    return times


def _form_of(text: str, forms: Sequence[Form]) -> Form | None:
    return next((form for form in forms if _python(form.field).search(text)), None)


def _at(texts: pl.Series, rows: pl.Series) -> pl.Series:
    return texts if len(rows) == len(texts) else texts.gather(rows)


_python = functools.cache(for_python)


@functools.cache
def _any_of(forms: tuple[Form, ...]) -> str:
    return for_rust("|".join(f"(?:{without_groups(form.field)})" for form in forms))


def _cast(texts: pl.Series, clock: TimeContext) -> pl.Series | None:
    """Read a column that is ISO 8601 throughout by Arrow's cast; None if it is not."""
    match = _CASTABLE.fullmatch(first_of(texts) or "")
    if match is None:
        return None
    zone = "UTC" if match["zone"] else None
    times = None
    if len(match["fraction"] or "") <= _MICROSECONDS:
        times = cast_iso(texts, pa.timestamp("us", zone))
    if times is None and _fits_nanoseconds(texts):
        times = cast_iso(texts, pa.timestamp("ns", zone))
    return times if zone or times is None else clock.localize(times)


def _fits_nanoseconds(texts: pl.Series) -> bool:
    """Return whether all years are within 64 bits of nanoseconds (1678 to 2261); beyond, the cast wraps around."""
    low, high = str(texts.min()), str(texts.max())
    return low >= "1678" and high < "2262"


def _read_either(form: Form, texts: pl.Series, clock: TimeContext) -> pl.Series:
    """Read rows by one form; `08/12/25` by both of its readings: the nearer to LastModified holds."""
    times = _read_form(form, texts, clock)
    if form.name.startswith("month_first_"):  # layouts are wider than forms: `06/07/25` behind `12/26/25` is either
        either = next(one for one in FORMS if one.name == SHORT_YEAR)
        return times.set(texts.str.contains(f"^(?:{for_rust(either.field)})$").fill_null(value=False), None)
    if form.name != SHORT_YEAR:
        return times
    frame = pl.DataFrame({"year_first": times, "month_first": _read_form(MONTH_FIRST_TWIN, texts, clock)})
    far = (pl.col("year_first") - clock.latest).abs() > (pl.col("month_first") - clock.latest).abs()
    return frame.select(
        pl.when(far).then("month_first").otherwise(pl.coalesce("year_first", "month_first"))
    ).to_series()


def _read_form(form: Form, texts: pl.Series, clock: TimeContext) -> pl.Series:
    """Read rows by one form: by layouts where many are written alike, the rest by the form's pattern."""
    if form is EPOCH:
        return read_epochs(texts)
    if form in COUNTS:
        return read_epochs(texts.str.extract(for_rust(form.field)))
    times = nothing(len(texts))
    rows = pl.int_range(len(texts), eager=True, dtype=pl.get_index_type())
    left = texts
    for count in range(_LAYOUTS):
        match = _python(form.field).search(left[0])
        if match is None or (count and len(left) < _FEW):
            break
        alike = left.str.len_bytes() == len(left[0])
        found = read_layout(left if alike.all() else left.filter(alike), match, clock)
        if found is None:
            break
        if found.null_count() == 0 and len(found) == len(texts):
            return found
        times = times.scatter(rows.filter(alike), found)
        rows, left = rows.filter(~alike), left.filter(~alike)
        if not len(left):
            break
    rows = times.is_null().arg_true()
    return times.scatter(rows, read_pattern(_at(texts, rows), form.field, clock)) if len(rows) else times
