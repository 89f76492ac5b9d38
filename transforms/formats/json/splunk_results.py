"""What Splunk exports as JSON: a record is what `result` holds, beside `preview`.

https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTsearch (`search/v2/jobs/export`, `output_mode=json`)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from transforms.arrow import Flags, Indices
from transforms.arrow.arrays import choose, take
from transforms.formats.json.fields import Fields, join_rows
from transforms.formats.json.nested_objects import NestedObjects
from transforms.formats.json.objects import ObjectBatch


def unwrap_results(batch: ObjectBatch, nested: NestedObjects) -> Iterator[ObjectBatch]:
    """Yield objects as they are, but in place of those that hold a result, this."""
    wrapped = _hold_results(batch.fields)
    if wrapped is None or not wrapped.any():
        yield batch
        return
    for found in nested.read(batch.fields["result"]):
        part, here = batch.slice(found.low, found.high), wrapped[found.low : found.high]
        fields = join_rows(
            [_rows(np.flatnonzero(here), found.fields), _rows(np.flatnonzero(~here), part.fields)], len(here)
        )
        taken = here.copy()
        taken[list(part.errors)] = False
        yield replace(part, messages=choose(taken, part.fields["result"], part.messages), fields=fields)


def _hold_results(fields: Fields) -> Flags | None:
    if "result" not in fields or "preview" not in fields:
        return None
    objects = pl.Series(fields["result"]).str.starts_with("{").fill_null(value=False).to_numpy()
    flags = pl.Series(fields["preview"]).is_in(["true", "false"]).fill_null(value=False).to_numpy()
    return np.asarray(objects & flags)


def _rows(rows: Indices, fields: Fields) -> tuple[Indices, Fields]:
    return rows, {name: take(column, rows) for name, column in fields.items()}
