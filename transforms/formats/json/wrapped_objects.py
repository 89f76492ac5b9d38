"""Objects that hold the record in a member: `result` of what Splunk exports, `_source` of Elasticsearch's hits.

Splunk has it beside `preview`, and nothing there belongs to the record. What stands beside `_source` (`_index`, `_id`)
becomes attributes, as far as the record has none of the name.
https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTsearch (`search/v2/jobs/export`, `output_mode=json`)
https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-search
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from transforms.arrow import Flags, Indices
from transforms.arrow.arrays import choose, is_present, take
from transforms.formats.json.fields import Fields, join_rows
from transforms.formats.json.framing.first_object import HITS
from transforms.formats.json.nested_objects import NestedObjects
from transforms.formats.json.objects import ObjectBatch


def unwrap_objects(batch: ObjectBatch, nested: NestedObjects) -> Iterator[ObjectBatch]:
    """Yield objects as they are, but in place of those that hold a record in a member, this."""
    is_hits = batch.path == HITS
    name = "_source" if is_hits else "result"
    wrapped = _hold_objects(batch.fields, name) if is_hits else _hold_results(batch.fields)
    if wrapped is None or not wrapped.any():
        yield batch
        return
    for found in nested.read(batch.fields[name]):
        part, here = batch.slice(found.low, found.high), wrapped[found.low : found.high]
        held = _with_others(found.fields, part.fields, name) if is_hits else found.fields
        fields = join_rows([_rows(np.flatnonzero(here), held), _rows(np.flatnonzero(~here), part.fields)], len(here))
        taken = here.copy()
        taken[list(part.errors)] = False
        yield replace(part, messages=choose(taken, part.fields[name], part.messages), fields=fields)


def _hold_results(fields: Fields) -> Flags | None:
    objects = _hold_objects(fields, "result")
    if objects is None or "preview" not in fields:
        return None
    flags = pl.Series(fields["preview"]).is_in(["true", "false"]).fill_null(value=False).to_numpy()
    return np.asarray(objects & flags)


def _hold_objects(fields: Fields, name: str) -> Flags | None:
    if name not in fields:
        return None
    return np.asarray(pl.Series(fields[name]).str.starts_with("{").fill_null(value=False).to_numpy())


def _with_others(found: Fields, around: Fields, name: str) -> Fields:
    """Return the fields of records, with those of the objects around them where they have none of the name."""
    others = {other: column for other, column in around.items() if other != name}
    shared = {
        other: choose(is_present(found[other]), found[other], column)
        for other, column in others.items()
        if other in found
    }
    return {**others, **found, **shared}


def _rows(rows: Indices, fields: Fields) -> tuple[Indices, Fields]:
    return rows, {name: take(column, rows) for name, column in fields.items()}
