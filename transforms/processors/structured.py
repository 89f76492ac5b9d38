"""The processors `json` and `key_value`: fields of a text become attributes (docs/pipelines.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from transforms.arrow import Flags
from transforms.arrow.arrays import as_flags, as_view, is_present, take
from transforms.core.schema import attribute_column
from transforms.formats.json.nested_objects import NestedObjects
from transforms.formats.json.objects import ObjectBatch
from transforms.processors.kernels.events import Events
from transforms.processors.parameters import Parameters, output_column
from transforms.processors.processor import Processor

_VIEWS = pl.CompatLevel.newest()
_FEWEST_NAMES, _MOST_NAMES = 100, 1000
_MOST_CELLS = 16_000_000  # 256 MiB of views
_NEXT_KEY = "next_key"
_VALUE = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[^\s,;]*'
_PAIRS = rf"[\w.@/-]+=(?:{_VALUE})"
_PAIR = r"(?s)^([^=]+)=(?:\"(.*)\"|'(.*)'|(.*))$"


@dataclass(frozen=True, slots=True)
class _Structured(Processor):
    """Makes attributes of what a text holds.

    Attributes:
        source: Column in flight that holds the text.
        prefix: What the attributes' names begin with.
    """

    source: str
    prefix: str

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `source` and `prefix`."""
        parameters.allow("source", "prefix")
        return cls(parameters.source(), parameters.prefix())


@dataclass(frozen=True, slots=True)
class Json(_Structured):
    """Make attributes of the top-level fields of a JSON object, as the format does."""

    name: ClassVar[str] = "json"

    def apply(self, events: Events) -> Flags | None:
        """Set the fields, which replace what is there; a text that is no JSON object fails."""
        texts = events.texts(self.source)
        if texts is None:
            return None
        texts = texts.str.strip_chars(" \t\r\n")
        given = as_flags(texts.is_not_null())
        failed = given & ~as_flags(texts.str.starts_with("{"))
        blocks = list(NestedObjects().read(texts.to_arrow(compat_level=_VIEWS)))
        counts = Counter[str]()
        for block in blocks:
            counts.update({name: len(column) - column.null_count for name, column in block.fields.items()})
        names = _kept_names(counts, len(events))
        for block in blocks:
            wrong = [row for row, error in block.errors.items() if error.startswith("invalid_json")]
            failed[block.low :][wrong] = True
            fits = np.ones(len(block.messages), np.bool_)
            for name, column in block.fields.items():
                if name not in names:
                    fits &= ~is_present(column)
            failed[block.low : block.high] |= ~fits
            self._put(events, block, fits, names)
        return failed

    def _put(self, events: Events, block: ObjectBatch, fits: Flags, names: Set[str]) -> None:
        rows = np.zeros(len(events), np.bool_)
        rows[block.low : block.high] = fits
        part, chosen = events.where(rows), np.flatnonzero(fits)
        for name in (name for name in block.fields if name in names):
            column = block.fields[name]
            part.put(
                attribute_column(self.prefix + name), column if len(chosen) == len(column) else take(column, chosen)
            )


@dataclass(frozen=True, slots=True)
class KeyValue(_Structured):
    """Make attributes of `name=value` pairs.

    Quoted values may hold blanks, others end at a blank, a comma or a semicolon.

    Attributes:
        separator: A character that parts the pairs instead, or `next_key`: a value goes on to the next ` name=`.
    """

    name: ClassVar[str] = "key_value"

    separator: str = ""

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `source`, `prefix` and `separator`."""
        parameters.allow("source", "prefix", "separator")
        separator = parameters.text("separator", default="", empty="separator" not in parameters.values)
        if len(separator) > 1 and separator != _NEXT_KEY or separator in ("=", '"', "'"):
            parameters.problem("separator", f"must be one character, or {_NEXT_KEY}, not {separator!r}")
        return cls(parameters.source(), parameters.prefix(), separator)

    def apply(self, events: Events) -> Flags | None:
        """Set the pairs, which replace what is there; of a doubled name the first wins. A text without a pair fails."""
        texts = events.texts(self.source)
        if texts is None:
            return None
        pairs = _pairs(texts, self.separator)
        found = np.zeros(len(events), np.bool_)
        found[pairs["row"].to_numpy()] = True
        names = _kept_names(Counter(dict(pairs["name"].value_counts().iter_rows())), len(events))
        left_out = pairs.filter(~pl.col("name").is_in(list(names)))["row"].unique()
        if len(left_out):
            found[left_out.to_numpy()] = False
            pairs = pairs.filter(~pl.col("row").is_in(left_out.implode()))
        for (name,), part in pairs.partition_by("name", as_dict=True, include_key=False).items():
            self._put(events, str(name), part)
        return as_flags(texts.is_not_null()) & ~found

    def _put(self, events: Events, name: str, part: pl.DataFrame) -> None:
        rows = np.zeros(len(events), np.bool_)
        rows[part["row"].to_numpy()] = True
        events.where(rows).put(output_column(self.prefix + name), as_view(part["value"].to_arrow(compat_level=_VIEWS)))


def _kept_names(counts: Counter[str], rows: int) -> Set[str]:
    """Return the most frequent names, so many that their columns fit in memory; events that have others fail."""
    limit = max(_FEWEST_NAMES, min(_MOST_NAMES, _MOST_CELLS // rows))
    return counts.keys() if len(counts) <= limit else {name for name, _ in counts.most_common(limit)}


def _pairs(texts: pl.Series, separator: str) -> pl.DataFrame:
    """Return the pairs of all texts: row, name, value; sorted by row, and of doubled names the first only."""
    found = _pairs_by_words(texts, separator) if separator in ("", " ") else _pairs_between(texts, separator)
    return found.unique(["row", "name"], keep="first", maintain_order=True)


def _pairs_by_words(texts: pl.Series, separator: str) -> pl.DataFrame:
    """Read pairs with a blank between them, where values with blanks are quoted."""
    pattern = _PAIRS if not separator else _PAIRS.replace(r"[^\s,;]*", r"\S*")
    frame = pl.DataFrame({"row": pl.int_range(len(texts), eager=True), "pair": texts.str.extract_all(pattern)})
    parts = pl.col("pair").str.extract_groups(_PAIR)
    frame = frame.explode("pair").drop_nulls("pair").select("row", parts.struct.unnest())
    frame.columns = ["row", "name", "double", "single", "bare"]
    quoted = pl.coalesce("double", "single").str.replace_all(r"(?s)\\(.)", "${1}")
    return frame.select("row", "name", pl.coalesce(quoted, "bare").alias("value"))


def _pairs_between(texts: pl.Series, separator: str) -> pl.DataFrame:
    """Read pairs with a character between them, or those whose values go on to the next name (CEF's extension)."""
    at = separator
    if separator == _NEXT_KEY:
        at, texts = "\x1f", texts.str.replace_all(r"\s+([A-Za-z_][\w.\[\]-]*)=", "\x1f${1}=")
    frame = pl.DataFrame({"row": pl.int_range(len(texts), eager=True), "pair": texts.str.split(at)})
    frame = frame.explode("pair").drop_nulls("pair")
    parts = pl.col("pair").str.strip_chars_start().str.extract_groups(r"(?s)^([A-Za-z_][\w.\[\]-]*)=(.*)$")
    frame = frame.select("row", parts.struct.unnest())
    frame.columns = ["row", "name", "value"]
    value = pl.col("value")
    if separator == _NEXT_KEY:
        value = value.str.replace_all(r"\\", "\x1e", literal=True).str.replace_all(r"\n", "\n", literal=True)
        value = value.str.replace_all(r"\\([=|])", "${1}").str.replace_all("\x1e", "\\", literal=True)
    return frame.drop_nulls("name").select("row", "name", value)
