"""`WriteHotTier`: from batches of events to Parquet files that no reader sees yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.elements import EventBatch
from transforms.hot_tier.data.writer import BUFFER_BYTES, FileDescription, HotTierWriter
from transforms.hot_tier.table.location import open_existing_tier
from transforms.storage import TierLocation


@dataclass
class WriteHotTier(beam.PTransform):
    """Write events as Parquet files under `tier=hot/date=…`.

    Input: `PCollection[EventBatch]`, every event with a time.
    Output: `PCollection[FileDescription]`, at the end of each bundle those of its files.
    Metrics: none.
    Guarantees: files have unique names, and what no commit names does not exist for a reader, so a bundle that is run
        again leaves orphans and doubles nothing.

    Attributes:
        tier: The hot tier.
        columns: The attributes that have a column of their own, as the table has them.
        task_id: The job, for the files' footers.
        buffer_bytes: What the events in a worker's memory may take.
    """

    tier: TierLocation
    columns: tuple[str, ...]
    task_id: str | None = None
    buffer_bytes: int = BUFFER_BYTES

    def expand(self, batches: beam.PCollection[EventBatch]) -> beam.PCollection[FileDescription]:
        """Write what a bundle brings, and describe the files at its end."""
        return batches | "Write" >> beam.ParDo(_WriteHotTierFn(self)).with_output_types(FileDescription)


class _WriteHotTierFn(beam.DoFn):
    def __init__(self, config: WriteHotTier) -> None:
        self._config = config
        self._writer: HotTierWriter | None = None

    def setup(self) -> None:
        self._tier = open_existing_tier(self._config.tier)

    def start_bundle(self) -> None:
        config = self._config
        self._writer = HotTierWriter(
            self._tier, columns=config.columns, job=config.task_id, buffer_bytes=config.buffer_bytes
        )

    def process(self, batch: EventBatch) -> None:
        assert self._writer is not None
        self._writer.write(batch.events)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        assert self._writer is not None
        window = GlobalWindow()
        for file in self._writer.close():
            yield WindowedValue(file, window.max_timestamp(), [window])
        self._writer = None

    def teardown(self) -> None:
        if self._writer is not None:  # its bundle failed
            self._writer.abort()
