"""Attributes with several values, as a JSON array: any of them may satisfy a condition (docs/formats.md)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from json import JSONDecodeError
from typing import NoReturn

import polars as pl

from transforms.query.matching import TextTest

# The arrays that a regular expression can take apart: no escapes, no nesting, no blanks. All others take the tolerant
# path.
_ITEM = r'"[^"\\\x00-\x1f]*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null'
_FLAT = rf"\A\[(?:(?:{_ITEM})(?:,(?:{_ITEM}))*)?\]\z"
_ITEMS = r'"[^"]*"|[^\[\],"]+'
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANKS = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True)
class AnyValue:
    """A test of an attribute's values: of each value of an array, and of all other text as it is."""

    test: TextTest

    def __call__(self, values: pl.Series) -> pl.Series:
        """Test each row; a row is satisfied by any of its values, so an empty array satisfies nothing."""
        result = self.test(values).fill_null(value=False)
        bracketed = values.str.starts_with("[")
        if not bracketed.any():
            return result
        arrays = (bracketed & values.str.ends_with("]")).fill_null(value=False)
        rows = arrays.arg_true()
        satisfied = _any_item(values.gather(rows).rename("text"), self.test)
        unchanged = satisfied.is_null()  # text in square brackets that is no JSON
        return result.scatter(rows.filter(~unchanged), satisfied.filter(~unchanged))


def array_items(text: str) -> list[str] | None:
    """Return the values of a JSON array (strings unquoted, all else as its text, no nulls), None for other text."""
    try:
        return _items(text)
    except (JSONDecodeError, RecursionError):
        return None


def _any_item(texts: pl.Series, test: TextTest) -> pl.Series:
    """Return for each text whether any value of its array satisfies, and null where it is no array."""
    flat = texts.str.contains(_FLAT)
    quick = pl.DataFrame({"row": flat.arg_true(), "item": texts.filter(flat).str.extract_all(_ITEMS)}).explode("item")
    quick = quick.filter(pl.col("item") != "null").with_columns(pl.col("item").str.strip_chars('"'))
    others = (~flat).arg_true()
    found = [array_items(text) for text in texts.gather(others)]
    tolerant = (
        pl.DataFrame({"row": others, "item": pl.Series(found, dtype=pl.List(pl.String))}).explode("item").drop_nulls()
    )
    items = pl.concat([quick, tolerant])
    satisfied = items["row"].filter(test(items["item"]).fill_null(value=False))
    no_array = others.filter(pl.Series([items is None for items in found], dtype=pl.Boolean))
    return pl.zeros(len(texts), dtype=pl.Boolean, eager=True).scatter(satisfied, values=True).scatter(no_array, None)


def _items(text: str) -> list[str]:
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)
    items: list[str] = []
    position = _skip_blanks(text, 1)
    if text[position:] == "]":
        return items
    while True:
        value, end = decoder.raw_decode(text, position)
        if value is not None:
            items.append(_SURROGATE.sub("\ufffd", value) if text[position] == '"' else text[position:end])
        position = _skip_blanks(text, end)
        if text[position:] == "]":
            return items
        if text[position : position + 1] != ",":
            raise JSONDecodeError("expected a comma", text, position)
        position = _skip_blanks(text, position + 1)


def _skip_blanks(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return found.end() if found else position


def _refuse(constant: str) -> NoReturn:
    raise JSONDecodeError("not JSON", constant, 0)
