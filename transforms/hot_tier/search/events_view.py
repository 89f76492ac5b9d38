"""The flat view `events` that SQL sees: every file of the table with the same columns (docs/query.md).

Files are grouped by the columns they have. In each group a promoted attribute is either a column or, in files older
than it, an entry of the map, so filters reach the row groups' statistics and the map is read only where a statement
needs it. The result is that of `coalesce(column, attributes['x'])` over all files, which is used where the layout is
not known.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from transforms.core.names import ATTRIBUTES_COLUMN, SYSTEM_NAMES, TIME_NAMES

_FILE = "_file"
_MAP_TYPE = "MAP(VARCHAR, VARCHAR)"
_MAP_PARTS = ["key_value", "key", "value"]
_PARTITION = r"/tier=([^/]*)/date=([^/]*)/[^/]*$"
_TYPES = {name: "TIMESTAMP WITH TIME ZONE" if name in TIME_NAMES else "VARCHAR" for name in SYSTEM_NAMES}


def select_groups(uris: Sequence[str]) -> str:
    """Return the SELECT that groups files by their schemas' elements, depth first."""
    elements = (
        "SELECT file_name, list(name ORDER BY column_id) AS elements "
        f"FROM parquet_schema({_list(uris)}) GROUP BY file_name"
    )
    return f"SELECT elements, list(file_name ORDER BY file_name) FROM ({elements}) GROUP BY elements ORDER BY elements"


def root_columns(elements: Sequence[str]) -> list[str]:
    """Return the columns of a schema's elements: not the root, and not the parts of the map."""
    columns = list(elements[1:])
    if ATTRIBUTES_COLUMN in columns:
        inside = columns.index(ATTRIBUTES_COLUMN) + 1
        assert columns[inside : inside + len(_MAP_PARTS)] == _MAP_PARTS, columns
        del columns[inside : inside + len(_MAP_PARTS)]
    return columns


def select_files(
    uris: Sequence[str], stored: Collection[str], *, promoted: Sequence[str], never_in_map: Collection[str]
) -> str:
    """Return the SELECT of one group of files; partitions come from their paths, so filters can skip files.

    Args:
        uris: The files.
        stored: The columns that each of them has.
        promoted: The promoted attributes of the table.
        never_in_map: Those among them that no row has in the map.
    """
    source = f"read_parquet({_list(uris)}, hive_partitioning = false, filename = {literal(_FILE)})"
    tier, date = (f"regexp_extract({identifier(_FILE)}, {literal(_PARTITION)}, {group})" for group in (1, 2))
    return _select(
        source, stored, tier=tier, date=f"CAST({date} AS DATE)", promoted=promoted, never_in_map=never_in_map
    )


def select_table(source: str, *, promoted: Sequence[str], never_in_map: Collection[str]) -> str:
    """Return the SELECT of a table that has all columns and the partitions.

    Args:
        source: Its name.
        promoted: The promoted attributes.
        never_in_map: Those among them that no row has in the map.
    """
    stored = [*SYSTEM_NAMES, *promoted, ATTRIBUTES_COLUMN]
    return _select(source, stored, tier="tier", date="CAST(date AS DATE)", promoted=promoted, never_in_map=never_in_map)


def select_nothing(promoted: Sequence[str]) -> str:
    """Return the SELECT of a table without files: all columns, no row."""
    none = _select(
        "(SELECT 1)", (), tier="CAST(NULL AS VARCHAR)", date="CAST(NULL AS DATE)", promoted=promoted, never_in_map=()
    )
    return f"{none} WHERE false"


def literal(text: str) -> str:
    """Return text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def _select(
    source: str,
    stored: Collection[str],
    *,
    tier: str,
    date: str,
    promoted: Sequence[str],
    never_in_map: Collection[str],
) -> str:
    has_map = ATTRIBUTES_COLUMN in stored
    columns = {name: identifier(name) if name in stored else _null(kind) for name, kind in _TYPES.items()}
    columns |= {"tier": tier, "date": date}
    columns |= {
        name: _attribute(name, is_stored=name in stored, in_map=has_map and name not in never_in_map)
        for name in promoted
    }
    columns[ATTRIBUTES_COLUMN] = ATTRIBUTES_COLUMN if has_map else _null(_MAP_TYPE)
    return (
        "SELECT " + ", ".join(f"{value} AS {identifier(name)}" for name, value in columns.items()) + f" FROM {source}"
    )


def _attribute(name: str, *, is_stored: bool, in_map: bool) -> str:
    entry = f"{ATTRIBUTES_COLUMN}[{literal(name)}]"
    if is_stored and in_map:
        return f"coalesce({identifier(name)}, {entry})"
    if is_stored:
        return identifier(name)
    return entry if in_map else _null("VARCHAR")


def _list(uris: Sequence[str]) -> str:
    return f"[{', '.join(map(literal, uris))}]"


def _null(kind: str) -> str:
    return f"CAST(NULL AS {kind})"
