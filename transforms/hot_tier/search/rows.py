"""Flat rows (docs/jobs.md): an event as one object, the `_` columns first, then its attributes, without nulls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from transforms.core.errors import ConfigurationError
from transforms.core.names import ATTRIBUTES_COLUMN, PARTITION_COLUMNS, SYSTEM_NAMES, attribute_column
from transforms.query.parser import attribute_field
from transforms.query.syntax import SYSTEM_ATTRIBUTES, Field, leads_into_json, member_paths

if TYPE_CHECKING:
    import polars as pl

_QUOTED = re.compile(r"`((?:[^`]|``)+)`", re.DOTALL)


def row_field(name: str) -> Field:
    """Parse a name of `--fields`: a key of a flat row or a field of the query language (`_time`, `#time`, `status`).

    A name in back-quotes is what stands between them, as in queries.

    Raises:
        ConfigurationError: it begins with `#` and is not a system attribute.
    """
    if name in SYSTEM_NAMES:
        return Field(name, system=True)
    if quoted := _QUOTED.fullmatch(name):
        return attribute_field(quoted[1].replace("``", "`"))
    if not name.startswith("#"):
        return attribute_field(name)
    column = SYSTEM_ATTRIBUTES.get(name[1:])
    if column is None:
        known = ", ".join(f"#{known}" for known in SYSTEM_ATTRIBUTES)
        raise ConfigurationError(f"{name} is not a system attribute; must be one of {known}", field="fields")
    return Field(column, system=True)


def row_key(field: Field) -> str:
    """Return the key that a field has in flat rows."""
    return field.name if field.system else attribute_column(field.name)


def flat_rows(events: pl.DataFrame, fields: Sequence[Field] = ()) -> Iterator[dict[str, Any]]:
    """Yield events as flat rows.

    Args:
        events: Columns of the hot tier, any of them; the partitions' are left out.
        fields: What to keep, in this order; nothing means everything.

    Yields:
        Text as `str`, times as `datetime` in UTC.
    """
    system = [name for name in SYSTEM_NAMES if name in events.columns]
    known = {*SYSTEM_NAMES, *PARTITION_COLUMNS, ATTRIBUTES_COLUMN}
    promoted = [name for name in events.columns if name not in known]
    keys = [*system, *map(attribute_column, promoted)]
    columns = [events.get_column(name).to_list() for name in (*system, *promoted)]
    others = (
        events.get_column(ATTRIBUTES_COLUMN).to_list()
        if ATTRIBUTES_COLUMN in events.columns
        else [None] * events.height
    )
    for number, others_of_row in enumerate(others):
        row = {key: value for key, column in zip(keys, columns, strict=True) if (value := column[number]) is not None}
        for name, value in (others_of_row or {}).items():
            row.setdefault(attribute_column(name), value)
        yield row if not fields else _kept(row, fields)


def _kept(row: dict[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    """Return some fields of a row."""
    found = ((row_key(field), field_value(row, field)) for field in fields)
    return {key: value for key, value in found if value is not None}


def field_value(row: dict[str, Any], field: Field) -> Any:
    """Return what a flat row has of a field, None where it has none; a dotted name may lead into JSON."""
    value = row.get(row_key(field))
    if value is not None or field.system or not leads_into_json(field.name):
        return value
    from transforms.query.members import member_text

    texts = ((row.get(attribute_column(prefix)), path) for prefix, path in member_paths(field.name))
    members = (member_text(text, path) for text, path in texts if text is not None)
    return next((member for member in members if member is not None), None)
