"""Members of JSON: `http.status` is the attribute of that name, else the member `status` of the JSON in `http`.

Polars reads most texts; one by one are read those of which it would give another text: numbers that it writes anew,
lists and objects, doubled names, escapes. A member has the text that an attribute would have (docs/formats.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import polars as pl

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_ @-]+")
_UNUSUAL_TEXT = r"\\u|\d{300}|[eE][+]?\d{3}|(?:[\[{][^\[{]*){100}"
"""Escaped characters, numbers beyond all doubles, and depths at which Polars gives up."""
_REWRITTEN = r"^[\[{]|^-?\d[\d]*[.eE]|^-?\d{15}|^-0"
"""Values that Polars may have written anew."""


class _Number(str):
    """The text of a number as it stands in JSON."""

    __slots__ = ()


def member_texts(values: pl.Series, path: Sequence[str]) -> pl.Series:
    """Return the member at a path of each text that is a JSON object; null elsewhere, and where it has none."""
    texts = values.cast(pl.String).rename("text")
    may = texts.str.contains(r"^\s*\{") & (texts.str.contains(path[-1], literal=True) | texts.str.contains(r"\\u"))
    distinct = texts.filter(may.fill_null(value=False)).unique()
    if distinct.is_empty():
        return pl.Series(values.name, [None] * len(values), pl.String)
    found = pl.DataFrame({"text": distinct, "member": _distinct_members(distinct, path)})
    joined = texts.to_frame().join(found, on="text", how="left", maintain_order="left")
    members: pl.Series = joined.get_column("member")
    return members.alias(values.name)


def member_text(text: str, path: Sequence[str]) -> str | None:
    """Return the member at a path of one text, None where it is no JSON object or has none."""
    try:
        value = json.loads(
            text, parse_int=_Number, parse_float=_Number, parse_constant=_refuse, object_pairs_hook=_first_of_each
        )
        for name in path:
            value = value[name] if isinstance(value, dict) and name in value else None
        found = None if value is None else value if isinstance(value, str) else _compact(value)
    except (ValueError, RecursionError):
        return None
    if found is None or found.isascii():
        return found
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _distinct_members(texts: pl.Series, path: Sequence[str]) -> pl.Series:
    if not all(map(_PLAIN_NAME.fullmatch, path)):
        return _one_by_one(texts, path)
    unusual = texts.str.contains(_UNUSUAL_TEXT)
    for name in path:
        unusual |= texts.str.count_matches(f'"{name}"', literal=True) > 1
    usual = texts.set(unusual, "")
    members = usual.str.json_path_match("$" + "".join(f"['{name}']" for name in path))
    slow = unusual | members.str.contains(_REWRITTEN).fill_null(value=False)
    if not slow.any():
        return members
    return members.scatter(slow.arg_true(), _one_by_one(texts.filter(slow), path))


def _one_by_one(texts: pl.Series, path: Sequence[str]) -> pl.Series:
    return pl.Series("member", [member_text(text, path) for text in texts], pl.String)


def _compact(value: Any) -> str:
    match value:
        case _Number():
            return value
        case dict():
            return "{" + ",".join(f"{_compact(name)}:{_compact(member)}" for name, member in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_compact, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        members.setdefault(name, value)
    return members


def _refuse(constant: str) -> None:
    raise ValueError(constant)
