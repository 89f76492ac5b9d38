"""`WriteHotTier`: from batches of events to Parquet files that no reader sees yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.hot_tier.data.writer import BUFFER_BYTES, FileDescription, HotTierWriter
from transforms.hot_tier.table.location import open_existing_tier
from transforms.storage import StorageOptions


@dataclass
class WriteHotTier(beam.PTransform):
    """Write events as Parquet files under `tier=hot/date=…`.

    Input: `PCollection[RecordBatch]` of settled events. Output: `PCollection[FileDescription]`.

    Guarantees: files have unique names, and what no commit names does not exist for a reader, so a bundle that is run
        again leaves orphans
    and doubles nothing.

    Attributes:
        tier_uri: The hot tier.
        tier_options: How it is reached.
        columns: The attributes that have a column of their own, as the table has them.
        task_id: The job, for the files' footers.
        buffer_bytes: What the events in a worker's memory may take.
    """

    tier_uri: str
    tier_options: StorageOptions
    columns: tuple[str, ...]
    task_id: str | None = None
    buffer_bytes: int = BUFFER_BYTES

    def expand(self, batches: beam.PCollection[pa.RecordBatch]) -> beam.PCollection[FileDescription]:
        """Write what a bundle brings, and describe the files at its end."""
        return batches | "Write" >> beam.ParDo(_WriteHotTierFn(self)).with_output_types(FileDescription)


class _WriteHotTierFn(beam.DoFn):
    def __init__(self, config: WriteHotTier) -> None:
        self._tier_uri = config.tier_uri
        self._tier_options = config.tier_options
        self._columns = config.columns
        self._task_id = config.task_id
        self._buffer_bytes = config.buffer_bytes
        self._writer: HotTierWriter | None = None

    def setup(self) -> None:
        self._tier = open_existing_tier(self._tier_uri, self._tier_options)

    def start_bundle(self) -> None:
        self._writer = HotTierWriter(
            self._tier, columns=self._columns, job=self._task_id, buffer_bytes=self._buffer_bytes
        )

    def process(self, batch: pa.RecordBatch) -> None:
        assert self._writer is not None
        self._writer.write(batch)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        assert self._writer is not None
        window = GlobalWindow()
        for file in self._writer.close():
            yield WindowedValue(file, window.max_timestamp(), [window])
        self._writer = None

    def teardown(self) -> None:
        if self._writer is not None:  # its bundle failed
            self._writer.abort()
