"""The one flat view `events` that SQL sees: every file of the table with the same columns, whatever it holds (spec §11).

Files are put together by the attributes that were promoted when they were written. In each such group a promoted attribute is either the
column or an entry of the map, which the log's statistics tell; so filters reach the row groups' statistics, and the map is read only where
it is asked for. It comes to the same as `coalesce(column, attributes['x'])` over all files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from transforms.schema import ATTRIBUTES_COLUMN, SYSTEM_COLUMNS, TIME

_FILE = "_file"
_MAP_TYPE = "MAP(VARCHAR, VARCHAR)"
_PARTITION = r"/tier=([^/]*)/date=([^/]*)/[^/]*$"
_TYPES = {name: "TIMESTAMP WITH TIME ZONE" if kind == TIME else "VARCHAR" for name, kind in SYSTEM_COLUMNS.items()}


def group_files(promoted_when_written: Mapping[str, frozenset[str]]) -> list[tuple[frozenset[str], list[str]]]:
    """Return the files by the attributes that were promoted when they were written, in an order that stays."""
    groups = defaultdict(list)
    for path, promoted in promoted_when_written.items():
        groups[promoted].append(path)
    return sorted(((promoted, sorted(paths)) for promoted, paths in groups.items()), key=lambda group: sorted(group[0]))


def files_source(uris: Sequence[str]) -> str:
    """Return the FROM item that reads files; the name of each is the column `_file`."""
    files = ", ".join(map(literal, uris))
    return f"read_parquet([{files}], union_by_name = true, hive_partitioning = false, filename = {literal(_FILE)})"


def select_files(source: str, stored: Collection[str], *, promoted: Sequence[str], known: Collection[str]) -> str:
    """Return the SELECT of one group of files.

    Args:
        source: what `files_source` returns; a path also tells the partition, and files are left out by it.
        stored: the columns that any of the files has.
        promoted: the promoted attributes of the table.
        known: those that were promoted when the files were written.
    """
    tier, date = (f"regexp_extract({identifier(_FILE)}, {literal(_PARTITION)}, {group})" for group in (1, 2))
    return _select(source, stored, tier=tier, date=f"CAST({date} AS DATE)", promoted=promoted, known=known)


def select_table(source: str, stored: Collection[str], *, promoted: Sequence[str], known: Collection[str]) -> str:
    """Return the SELECT of a table that has the partitions as columns, with the arguments of `select_files`."""
    return _select(source, stored, tier="tier", date="CAST(date AS DATE)", promoted=promoted, known=known)


def select_nothing(promoted: Sequence[str]) -> str:
    """Return the SELECT of a table without files: all columns, no row."""
    none = _select("(SELECT 1)", (), tier="CAST(NULL AS VARCHAR)", date="CAST(NULL AS DATE)", promoted=promoted, known=promoted)
    return f"{none} WHERE false"


def literal(text: str) -> str:
    """Return text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def _select(source: str, stored: Collection[str], *, tier: str, date: str, promoted: Sequence[str], known: Collection[str]) -> str:
    has_map = ATTRIBUTES_COLUMN in stored
    columns = {name: identifier(name) if name in stored else _null(kind) for name, kind in _TYPES.items()}
    columns |= {"tier": tier, "date": date}
    columns |= {name: _attribute(name, is_stored=name in stored, in_map=has_map and name not in known) for name in promoted}
    columns[ATTRIBUTES_COLUMN] = ATTRIBUTES_COLUMN if has_map else _null(_MAP_TYPE)
    return "SELECT " + ", ".join(f"{value} AS {identifier(name)}" for name, value in columns.items()) + f" FROM {source}"


def _attribute(name: str, *, is_stored: bool, in_map: bool) -> str:
    entry = f"{ATTRIBUTES_COLUMN}[{literal(name)}]"
    if is_stored and in_map:
        return f"coalesce({identifier(name)}, {entry})"
    if is_stored:
        return identifier(name)
    return entry if in_map else _null("VARCHAR")


def _null(kind: str) -> str:
    return f"CAST(NULL AS {kind})"
