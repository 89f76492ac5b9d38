"""The processor `regex`: capture groups become attributes. Rust's engine, so that no pattern and no line can stall a job (spec §6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import polars as pl
import pyarrow as pa

from transforms.processors.processor import Parameters, Processor, column_of
from transforms.schema import attribute_column
from transforms.timestamps import as_series

_VIEWS = pl.CompatLevel.newest()
_HINT = "Patterns run in linear time, by Rust's engine (https://docs.rs/regex): without look-around, backreferences and atomic groups"


@dataclass(frozen=True, slots=True)
class Regex(Processor):
    """Cut attributes out of a text.

    Attributes:
        source: Column in flight that is searched.
        pattern: Regular expression.
        names: The attribute of each capture group, in their order.
    """

    source: str
    pattern: str
    names: tuple[str, ...]

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `source`, `pattern` and `outputs`, and try the pattern."""
        parameters.allow("source", "pattern", "outputs")
        source, pattern = parameters.source(), parameters.text("pattern")
        outputs = parameters.texts("outputs")
        groups = _groups(pattern, parameters) if pattern else ()
        return cls(source, pattern, _names(groups, outputs, parameters) if groups else ())

    @property
    def outputs(self) -> tuple[str, ...]:
        """The groups' attributes."""
        return self.names

    def apply(self, batch: pa.RecordBatch, *, modified: datetime, received: datetime) -> pa.RecordBatch:
        """Search every event's source; a group that took part becomes an attribute, and replaces what is there."""
        del modified, received
        values = column_of(batch, self.source)
        if values is None:
            return batch
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        for name, found in zip(self.names, self._search(values), strict=True):
            column = attribute_column(name)
            if found.null_count == len(found):
                continue
            columns[column] = _over(found, columns[column]) if found.null_count and column in columns else found
        return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))

    def _search(self, values: pa.Array) -> list[pa.Array]:
        if pa.types.is_dictionary(values.type):
            return [_each_row(found, values.indices) for found in self._search(values.dictionary.cast(pa.string_view()))]
        groups = as_series(values).str.extract_groups(self.pattern).struct.unnest()
        return [group.to_arrow(compat_level=_VIEWS) for group in groups.get_columns()]


def _each_row(found: pa.Array, indices: pa.Array) -> pa.Array:
    """What was found in the values of a dictionary, for each row that has them: a constant again where there is nothing but values."""
    if found.null_count == 0:
        return pa.DictionaryArray.from_arrays(indices, found.cast(pa.string()))
    rows = pl.Series(pl.from_arrow(indices))
    return as_series(found).gather(rows).to_arrow(compat_level=_VIEWS)


def _over(found: pa.Array, before: pa.Array) -> pa.Array:
    """What was found, and where nothing was what stood there before."""
    return as_series(found).fill_null(as_series(before)).to_arrow(compat_level=_VIEWS)


def _groups(pattern: str, parameters: Parameters) -> tuple[str, ...]:
    """Return the groups' names as the engine has them (a number where there is none), by compiling the pattern."""
    try:
        groups = pl.Series([""]).str.extract_groups(pattern).struct.fields
    except pl.exceptions.PolarsError as error:
        parameters.problem("pattern", _place(pattern, str(error)))
        return ()
    if not groups:
        parameters.problem("pattern", f"has no capture group, so nothing would be written; write (?P<name>…) in '{pattern}'")
    return tuple(groups)


def _place(pattern: str, report: str) -> str:
    """Say in one line where and why the engine refuses a pattern."""
    reason = report.rsplit("error:", 1)[-1].strip()
    caret = re.search(r"^    ( *)(\^+)", report, re.MULTILINE)
    if caret is None or "\n" in pattern:
        return f"{reason}, in '{pattern}'. {_HINT}"
    start, width = len(caret[1]), len(caret[2])
    return f"character {start + 1}, '{pattern[start : start + width]}': {reason}, in '{pattern}'. {_HINT}"


def _names(groups: tuple[str, ...], outputs: tuple[str, ...], parameters: Parameters) -> tuple[str, ...]:
    """Match groups and `outputs`: either all groups have names, or `outputs` has one for each."""
    unnamed = [group for group in groups if group.isdecimal()]
    at = "outputs" if outputs else "pattern"
    if not outputs and unnamed:
        parameters.problem(
            "pattern", f"group {unnamed[0]} has no name; write (?P<name>…), (?:…) to keep nothing of it, or name all in outputs"
        )
    elif outputs and len(unnamed) < len(groups):
        parameters.problem("outputs", "the pattern's groups have names of their own; leave outputs out, or the names")
    elif outputs and len(outputs) != len(groups):
        parameters.problem("outputs", f"names {len(outputs)} attributes, but the pattern has {len(groups)} capture groups")
    elif len(set(outputs)) < len(outputs):
        parameters.problem("outputs", "names an attribute twice")
    names = outputs or tuple(group for group in groups if not group.isdecimal())
    for name in names:
        parameters.output(name, at=at)
    return names
