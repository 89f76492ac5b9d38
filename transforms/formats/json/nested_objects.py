"""Objects that are values of objects: `fields` of HEC, `result` of Splunk's exports."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa

from transforms.formats.json.objects import ObjectBatch, ObjectReader
from transforms.formats.lines import Lines


class NestedObjects:
    """Reads the values of one field that are objects."""

    def __init__(self) -> None:
        """Prepare for a stream."""
        self._reader = ObjectReader(max_record=(1 << 31) - 1)

    def read(self, values: pa.Array) -> Iterator[ObjectBatch]:
        """Yield the fields of objects in batches, none for a value that is absent or none.

        Args:
            values: JSON text without white space, as `string_view`.
        """
        texts = pl.Series(values)
        objects = (
            pl.select(pl.when(texts.str.starts_with("{")).then(texts).otherwise(pl.lit("{}"))).to_series().to_arrow()
        )
        objects = objects.cast(pa.large_string())
        _, offsets, data = objects.buffers()
        places = np.frombuffer(offsets, np.int64, len(objects) + 1, objects.offset * 8)
        text = data.to_pybytes() if data is not None else b""
        lines = Lines(text, places[:-1].copy(), np.diff(places))
        yield from self._reader.read(lines).batches()
