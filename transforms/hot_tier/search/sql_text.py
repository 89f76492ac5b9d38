"""The values of a SELECT as JSON, CSV and tables show them; what these have no type for is cast to VARCHAR.

DuckDB converts them, by an expression for each column: Python has no types for its infinite times, years beyond 9999,
maps with lists as keys, and others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from transforms.hot_tier.search.events_view import identifier, literal

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType  # before 1.5 it had another place

Form: TypeAlias = "Callable[[str, DuckDBPyType], str]"
"""From an expression and its type to the expression of what is shown."""

_JSON_HAS = {"boolean", "float", "double", "decimal", "varchar", "hugeint"} | {
    f"{sign}{size}" for sign in ("", "u") for size in ("tinyint", "smallint", "integer", "bigint")
}
_NESTED = {"list", "array", "struct", "map"}
_TIMES = {"timestamp": "", "timestamp_s": "", "timestamp_ms": "", "timestamp with time zone": "Z"}
_FIRST, _LAST = "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"


def for_people(value: str, kind: DuckDBPyType) -> str:
    """Return a value as DuckDB shows it."""
    del kind
    return f"CAST({value} AS VARCHAR)"


def for_json(value: str, kind: DuckDBPyType) -> str:
    """Return a value in JSON's types (lists, objects, numbers, booleans, text), times as `2025-01-02T03:04:05Z`."""
    return _nested(value, kind, 0)


def for_csv(value: str, kind: DuckDBPyType) -> str:
    """Return a value as text: lists and maps as JSON, all else as in JSON but without quotes."""
    shown = _nested(value, kind, 0)
    if shown == for_people(value, kind):  # a structure without names
        return shown
    return f"CAST(to_json({shown}) AS VARCHAR)" if kind.id in _NESTED else f"CAST({shown} AS VARCHAR)"


def _nested(value: str, kind: DuckDBPyType, depth: int) -> str:
    if kind.id in _JSON_HAS:
        return value
    if kind.id in _TIMES:
        return _time(value, zone=_TIMES[kind.id])
    if kind.id in ("list", "array"):
        return _each(value, _element_types(kind)["child"], depth, is_array=kind.id == "array")
    if kind.id == "map":
        types = _element_types(kind)
        values = _each(f"map_values({value})", types["value"], depth)
        keys = f"list_transform(map_keys({value}), lambda k: CAST(k AS VARCHAR))"
        return f"CASE WHEN {value} IS NOT NULL THEN map({keys}, {values}) END"
    if kind.id == "struct" and _element_types(kind) and all(_element_types(kind)):
        fields = (
            (name, _nested(f"struct_extract({value}, {literal(name)})", part, depth))
            for name, part in _element_types(kind).items()
        )
        packed = ", ".join(f"{identifier(name)} := {shown}" for name, shown in fields)
        return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({packed}) END"
    return f"CAST({value} AS VARCHAR)"


def _element_types(kind: DuckDBPyType) -> dict[str, DuckDBPyType]:
    """Return the types that a type is made of, without an array's length."""
    return {name: part for name, part in kind.children if not isinstance(part, int | list)}


def _each(value: str, kind: DuckDBPyType, depth: int, *, is_array: bool = False) -> str:
    name = f"e{depth}"
    shown = _nested(name, kind, depth + 1)
    # An array becomes a list in any case: DuckDB 1.5 has no CASE of structures with arrays.
    return value if shown == name and not is_array else f"list_transform({value}, lambda {name}: {shown})"


def _time(value: str, *, zone: str) -> str:
    """Return a time in ISO 8601 with no fraction or six digits; infinite ones and other years as DuckDB has them."""
    time = f"timezone('UTC', {value})" if zone else f"CAST({value} AS TIMESTAMP)"
    compared, kind = (value, "TIMESTAMPTZ") if zone else (time, "TIMESTAMP")  # DuckDB 1.5 can't convert the last ones
    fraction = f"CASE WHEN microsecond({time}) % 1000000 = 0 THEN '' ELSE strftime({time}, '.%f') END"
    iso = f"strftime({time}, '%Y-%m-%dT%H:%M:%S') || {fraction} || '{zone}'"
    within = f"{compared} BETWEEN {kind} '{_FIRST}{zone}' AND {kind} '{_LAST}{zone}'"
    return f"CASE WHEN {within} THEN {iso} ELSE CAST({value} AS VARCHAR) END"
