"""The names of an event's columns, and the rules for names; without pyarrow, which takes 0.1 s to import."""

from __future__ import annotations

# In the order of the table's schema.
SYSTEM_NAMES = (
    "_time",
    "_time_source",
    "_message",
    "_event_id",
    "_receiver",
    "_collector",
    "_processor",
    "_iam_key_id",
    "_correlation_id",
    "_observed_at",
    "_env",
    "_team",
    "_object",
    "_format",
    "_pipelines",
    "_error",
    "_rescued",
)
TIME_NAMES = frozenset({"_time", "_observed_at"})
"""Those that hold times; all others hold text."""
PARTITION_COLUMNS = ("tier", "date")
ATTRIBUTES_COLUMN = "attributes"
BASE_ATTRIBUTES = ("host", "source", "sourcetype", "index", "filename")
PROMOTED_LIMIT = 128
"""Columns that jobs fill by themselves; `--promote` and `rekindle promote` have no limit."""
STATISTICS_LIMIT = 32
"""Promoted attributes whose statistics are in the log."""

_FORBIDDEN = frozenset(" ,;{}()=")
_MAP_PREFIX = ATTRIBUTES_COLUMN + "."


def is_system(name: str) -> bool:
    """Whether a name belongs to the system: a pipeline or a format never writes it as an attribute."""
    return name in SYSTEM_NAMES or name in PARTITION_COLUMNS or name == ATTRIBUTES_COLUMN


def can_be_column(name: str) -> bool:
    """Whether an attribute's name may be a column of the table; if not, it stays in the map.

    What begins with `attributes.` stays there too: as a column it could be taken for another attribute's
    (`attribute_column`).
    """
    return not (
        name == ""
        or name.startswith(("_", _MAP_PREFIX))
        or name in PARTITION_COLUMNS
        or name == ATTRIBUTES_COLUMN
        or any(c in _FORBIDDEN or ord(c) < 0x20 or ord(c) == 0x7F for c in name)
    )


def attribute_column(name: str) -> str:
    """Return the name of an attribute's column in flight.

    It is the attribute's own, or `attributes.NAME` where a system column has that name. Names that begin with
    `attributes.` are prefixed too, so that `attribute_name` can undo it.
    """
    return _MAP_PREFIX + name if is_system(name) or name.startswith(_MAP_PREFIX) else name


def attribute_name(column: str) -> str | None:
    """Return the attribute that an in-flight column holds, or None for a system column."""
    if column in SYSTEM_NAMES:
        return None
    return column.removeprefix(_MAP_PREFIX)
