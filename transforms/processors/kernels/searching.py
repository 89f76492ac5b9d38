"""Users' patterns, and how their groups become attributes, in linear time by Rust's regex engine."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from transforms.arrow import Flags
from transforms.arrow.arrays import as_flags, as_series, is_present
from transforms.processors.kernels.events import Events
from transforms.processors.parameters import Parameters, output_column

_VIEWS = pl.CompatLevel.newest()
HINT = (
    "Patterns run in linear time, by Rust's engine (https://docs.rs/regex): "
    "without look-around, backreferences and atomic groups"
)


def put_groups(events: Events, source: str, pattern: str, names: Sequence[str]) -> Flags | None:
    """Search a column and set an attribute for each group that took part, the first of those with one name.

    Args:
        events: What to search.
        source: Column in flight.
        pattern: A pattern that `groups_of` accepts.
        names: The attribute of each group.

    Returns:
        Which events have the source and do not match.
    """
    values = events.column(source)
    if values is None:
        return None
    found = search(values, pattern)
    merged: dict[str, pa.Array] = {}
    for name, group in zip(names, found, strict=True):
        column = output_column(name)
        merged[column] = _first_of(merged[column], group) if column in merged else group
    for column, group in merged.items():
        events.put(column, group)
    return _unmatched(values, pattern, found)


def matched(events: Events, source: str, failed: Flags | None) -> Flags:
    """Return which events have the source and match, by what `put_groups` returned."""
    present = events.has(source)
    return present if failed is None else present & ~failed


def search(values: pa.Array, pattern: str) -> list[pa.Array]:
    """Return what each group captured in each string; a constant is searched once."""
    if pa.types.is_dictionary(values.type):
        return [_each_row(found, values.indices) for found in search(values.dictionary.cast(pa.string_view()), pattern)]
    groups = as_series(values).str.extract_groups(pattern).struct.unnest()
    return [group.to_arrow(compat_level=_VIEWS) for group in groups.get_columns()]


def _each_row(found: pa.Array, indices: pa.Array) -> pa.Array:
    """Return the results for a dictionary's values for each row: again a constant where all have one."""
    if found.null_count == 0:
        return pa.DictionaryArray.from_arrays(indices, found.cast(pa.string()))
    rows = pl.Series(pl.from_arrow(indices))
    return as_series(found).gather(rows).to_arrow(compat_level=_VIEWS)


def _first_of(one: pa.Array, other: pa.Array) -> pa.Array:
    return as_series(one).fill_null(as_series(other)).to_arrow(compat_level=_VIEWS)


def _unmatched(values: pa.Array, pattern: str, found: list[pa.Array]) -> Flags | None:
    """Return which values no group took part in, but for those that match all the same."""
    if any(group.null_count == 0 for group in found):
        return None
    empty = is_present(values)
    for group in found:
        empty &= ~is_present(group)
    rows = np.flatnonzero(empty)
    if rows.size:
        empty[rows] = ~as_flags(as_series(values).gather(rows).str.contains(pattern))
    return empty


def groups_of(pattern: str, parameters: Parameters, *, shown: str | None = None) -> tuple[str, ...]:
    """Compile a pattern.

    Args:
        pattern: As the engine gets it.
        parameters: Where it is noted if the engine refuses it.
        shown: What the user wrote, where that is another text.

    Returns:
        The groups' names as the engine has them: a number where there is none. Empty if there are none, or if it is
        refused.
    """
    try:
        groups = pl.Series([""]).str.extract_groups(pattern).struct.fields
    except pl.exceptions.PolarsError as error:
        parameters.problem(
            "pattern",
            locate_error(pattern, str(error)) if shown is None else f"{error_reason(str(error))}, in '{shown}'. {HINT}",
        )
        return ()
    if not groups:
        text = pattern if shown is None else shown
        parameters.problem(
            "pattern", f"has no capture group, so nothing would be written; write (?P<name>…) in '{text}'"
        )
    return tuple(groups)


def error_reason(report: str) -> str:
    """Return why the engine refuses a pattern, from its report."""
    return report.rsplit("error:", 1)[-1].strip()


def locate_error(pattern: str, report: str) -> str:
    """Say in one line where and why the engine refuses a pattern."""
    caret = re.search(r"^    ( *)(\^+)", report, re.MULTILINE)
    if caret is None or "\n" in pattern:
        return f"{error_reason(report)}, in '{pattern}'. {HINT}"
    start, width = len(caret[1]), len(caret[2])
    return f"character {start + 1}, '{pattern[start : start + width]}': {error_reason(report)}, in '{pattern}'. {HINT}"
