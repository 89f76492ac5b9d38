"""The flat view `events` that SQL sees: every file of the table with the same columns (docs/query.md).

Files are grouped by the columns they have. In each group a promoted attribute is either a column or, in files older
than it, an entry of the map, so filters reach the row groups' statistics and the map is read only where a statement
needs it. The result is that of `coalesce(column, attributes['x'])` over all files, which is used where the layout is
not known.

`attributes` has all of an event's attributes, promoted ones too. Putting these into the map costs 15 µs a row, so a
statement that asks for entries by their names alone (`attributes['x']`) gets just these of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from transforms.core.names import ATTRIBUTES_COLUMN, SYSTEM_NAMES, TIME_NAMES

_FILE = "_file"
_MAP_TYPE = "MAP(VARCHAR, VARCHAR)"
_MAP_PARTS = ["key_value", "key", "value"]
_PARTITION = r"/tier=([^/]*)/date=([^/]*)/[^/]*$"
_TABLE_KEYS = ("alias", "table_name")
_ENTRY_FUNCTIONS = ("array_extract", "element_at", "map_contains", "map_extract", "map_extract_value")
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
    uris: Sequence[str],
    stored: Collection[str],
    *,
    promoted: Sequence[str],
    never_in_map: Collection[str],
    entries: Collection[str] | None,
) -> str:
    """Return the SELECT of one group of files; partitions come from their paths, so filters can skip files.

    Args:
        uris: The files.
        stored: The columns that each of them has.
        promoted: The promoted attributes of the table.
        never_in_map: Those among them that no row has in the map.
        entries: Which entries `attributes` must have (`entries_asked_for`); None for all.
    """
    source = f"read_parquet({_list(uris)}, hive_partitioning = false, filename = {literal(_FILE)})"
    tier, date = (f"regexp_extract({identifier(_FILE)}, {literal(_PARTITION)}, {group})" for group in (1, 2))
    return _select(
        source,
        stored,
        tier=tier,
        date=f"CAST({date} AS DATE)",
        promoted=promoted,
        never_in_map=never_in_map,
        entries=entries,
    )


def select_table(
    source: str, *, promoted: Sequence[str], never_in_map: Collection[str], entries: Collection[str] | None
) -> str:
    """Return the SELECT of a table that has all columns and the partitions.

    Args:
        source: Its name.
        promoted: The promoted attributes.
        never_in_map: Those among them that no row has in the map.
        entries: Which entries `attributes` must have; None for all.
    """
    stored = [*SYSTEM_NAMES, *promoted, ATTRIBUTES_COLUMN]
    return _select(
        source,
        stored,
        tier="tier",
        date="CAST(date AS DATE)",
        promoted=promoted,
        never_in_map=never_in_map,
        entries=entries,
    )


def select_nothing(promoted: Sequence[str]) -> str:
    """Return the SELECT of a table without files: all columns, no row."""
    none = _select(
        "(SELECT 1)",
        (),
        tier="CAST(NULL AS VARCHAR)",
        date="CAST(NULL AS DATE)",
        promoted=promoted,
        never_in_map=(),
        entries=(),
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
    entries: Collection[str] | None,
) -> str:
    has_map = ATTRIBUTES_COLUMN in stored
    columns = {name: identifier(name) if name in stored else _null(kind) for name, kind in _TYPES.items()}
    columns |= {"tier": tier, "date": date}
    columns |= {
        name: _attribute(name, is_stored=name in stored, in_map=has_map and name not in never_in_map)
        for name in promoted
    }
    moved = [name for name in promoted if name in stored and (entries is None or name in entries)]
    kept = ATTRIBUTES_COLUMN if has_map else _null(_MAP_TYPE)
    twice = has_map and not set(moved).issubset(never_in_map)
    columns[ATTRIBUTES_COLUMN] = _with_entries(kept, {name: columns[name] for name in moved}, may_be_there=twice)
    return (
        "SELECT " + ", ".join(f"{value} AS {identifier(name)}" for name, value in columns.items()) + f" FROM {source}"
    )


def _with_entries(kept: str, values: Mapping[str, str], *, may_be_there: bool) -> str:
    """Return the expression of a map with further entries, those whose values are not null."""
    if not values:
        return kept
    present = "lambda entry: entry IS NOT NULL"
    names = ", ".join(f"CASE WHEN {value} IS NOT NULL THEN {literal(name)} END" for name, value in values.items())
    new = [f"list_filter([{names}], {present})", f"list_filter([{', '.join(values.values())}], {present})"]
    if may_be_there:  # three times as slow
        return f"map_concat(coalesce({kept}, MAP {{}}), map({new[0]}, {new[1]}))"
    old = [f"coalesce({function}({kept}), [])" for function in ("map_keys", "map_values")]
    return f"map(list_concat({new[0]}, {old[0]}), list_concat({new[1]}, {old[1]}))"


def entries_asked_for(tree: Any) -> frozenset[str] | None:
    """Return the entries of `attributes` that a statement asks for by their names; None where it may need all.

    Args:
        tree: The statement as DuckDB's `json_serialize_sql` returns it, parsed.
    """
    nodes = list(_nodes(tree))
    tables = {str(node[key]).lower() for node in nodes if "class" not in node for key in _TABLE_KEYS if node.get(key)}
    found: set[str] = set()
    named: set[int] = set()
    for node in nodes:  # a node comes before those in it
        if (entry := _entry_of(node)) is not None:
            found.add(entry[0])
            named.add(id(entry[1]))
        elif id(node) not in named and _may_need_all(node, tables):
            return None
    return frozenset(found)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _entry_of(node: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the name and the column where a node is `attributes['x']`, or a function of the same meaning."""
    if node.get("type") != "ARRAY_EXTRACT" and node.get("function_name") not in _ENTRY_FUNCTIONS:
        return None
    operands = node.get("children") or node.get("arguments") or []
    operands = [operand.get("expression", operand) for operand in operands if isinstance(operand, dict)]
    if len(operands) != len(("map", "name")) or _names(operands[0])[-1:] != [ATTRIBUTES_COLUMN]:
        return None
    name = _text_of(operands[1])
    return None if name is None else (name, operands[0])


def _text_of(node: Mapping[str, Any]) -> str | None:
    """Return the text of a constant, as DuckDB 1 or 2 has it."""
    literal_of, value = node.get("literal") or {}, node.get("value") or {}
    if literal_of.get("kind") == "STRING":
        return str(literal_of["text"])
    is_text = isinstance(value, dict) and value.get("type", {}).get("id") == "VARCHAR"
    return str(value["value"]) if is_text and value.get("value") is not None else None


def _may_need_all(node: Mapping[str, Any], tables: Collection[str]) -> bool:
    names = _names(node)
    return (
        ATTRIBUTES_COLUMN in names
        or (len(names) == 1 and names[0] in tables)  # a row as a structure
        or node.get("class") in ("STAR", "POSITIONAL_REFERENCE")
        or node.get("ref_type") == "NATURAL"
        or bool(node.get("using_columns") or node.get("column_name_alias"))
        or node.get("error") is True
    )


def _names(node: Mapping[str, Any]) -> list[str]:
    return [str(name).lower() for name in node.get("column_names") or ()]


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
