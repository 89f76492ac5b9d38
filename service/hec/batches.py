"""From entries of the log to events: read, shaped and timed as those of files are.

Requests of the same context are read together, whatever their number: columns cost the same for one event or for many.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from service.hec.entries import LogEntry, RequestContext
from transforms.arrow.arrays import take
from transforms.core import schema
from transforms.event_pipelines import DROPPED_BY, Pipeline
from transforms.formats import FORMATS, read_records
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import make_records
from transforms.objects.event_columns import fill_defaults, id_prefix
from transforms.objects.event_shaping import ShapingSettings, shape_events
from transforms.timestamps import put_times

RECEIVER = "http.hec"
UNREAD = "not_read"
"""The code of `_error` of a request that a mistake of the product keeps from being read."""
_FORMATS = {"event": "splunk_hec", "raw": "text"}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NOT_OWN = (schema.TIME_FROM_OBJECT, schema.TIME_RECEIVED)
_UTC = pl.Datetime("us", "UTC")


@dataclass(frozen=True, kw_only=True)
class EventReading:
    """How the entries of a log become events.

    Attributes:
        instance: The log's id: the events' `_object`, `_correlation_id`, and what their ids are made of.
        pipelines: What runs on them.
    """

    instance: str
    pipelines: tuple[Pipeline, ...] = ()

    @property
    def uri(self) -> str:
        """What stands for the log as the object of its events."""
        return f"hec://{self.instance}"

    def batches(self, entries: Iterable[LogEntry]) -> Iterator[pa.RecordBatch]:
        """Yield the events of some MiB of entries, every one with a time, without those that a pipeline dropped."""
        groups: dict[bytes, list[LogEntry]] = {}
        for entry in entries:
            groups.setdefault(entry.context, []).append(entry)
        for context, group in groups.items():
            yield from self._read_or_split(RequestContext.load(context), group)

    def _read_or_split(self, context: RequestContext, entries: list[LogEntry]) -> Iterator[pa.RecordBatch]:
        """Yield the events of entries of one context; one that can't be read keeps none of the others back."""
        try:
            yield from list(self._read(context, entries))
        except Exception as error:  # whatever it is: what was answered must come into the hot tier
            if len(entries) > 1:
                half = len(entries) // 2
                yield from self._read_or_split(context, entries[:half])
                yield from self._read_or_split(context, entries[half:])
                return
            logging.getLogger("rekindle").exception("a request of HEC can't be read: its text is kept")
            yield self._unread(context, entries[0], error)

    def _unread(self, context: RequestContext, entry: LogEntry, error: Exception) -> pa.RecordBatch:
        """Return one event that has the text of a request, and what was wrong."""
        text = entry.payload.decode("utf-8", "replace").rstrip("\n")
        message = f"{UNREAD}: {type(error).__name__}, which the log of the service has"
        records = make_records(pa.array([text], schema.TEXT), {0: message}, {}, {})
        events = self._stamped(context, records, _Origins.of([replace(entry, events=1)], 1))
        times = pl.Series([_time(entry.received)], dtype=_UTC)
        return put_times(events, times, source=schema.TIME_RECEIVED)

    def _read(self, context: RequestContext, entries: list[LogEntry]) -> Iterator[pa.RecordBatch]:
        """Yield the events of entries of one context."""
        options, received = FormatOptions(), _time(max(entry.received for entry in entries))
        chunks = iter([entry.payload for entry in entries])
        blocks = read_records(chunks, _FORMATS[context.kind], options, modified=received, received=received)
        records = [block.records for block in blocks if block.records.num_rows]
        rows = sum(one.num_rows for one in records)
        if rows != sum(entry.events for entry in entries) and len(entries) > 1:
            for entry in entries:
                yield from self._read(context, [entry])
            return
        origins = _Origins.of(entries, rows)
        start = 0
        for one in records:
            yield from self._shaped(context, one, origins.slice(start, one.num_rows), received)
            start += one.num_rows

    def _shaped(
        self, context: RequestContext, records: pa.RecordBatch, origins: _Origins, received: datetime
    ) -> Iterator[pa.RecordBatch]:
        events = self._stamped(context, records, origins)
        if context.time is not None:
            events = put_times(events, _times_of_request(events, context.time), source=schema.TIME_FROM_RECORD)
        batch = schema.EventBatch(events, received)
        settings = ShapingSettings(pipelines=self.pipelines, inherits=False)
        shaped = shape_events(batch, settings, keep_dropped=True).events
        shaped = _with_times(shaped, origins, inherits=context.kind == "raw")
        if DROPPED_BY in shaped.schema.names:
            kept = np.flatnonzero(shaped.column(DROPPED_BY).is_null().to_numpy(zero_copy_only=False))
            shaped = shaped.drop_columns(DROPPED_BY)
            columns = [take(column, kept) for column in shaped.columns]
            shaped = pa.RecordBatch.from_arrays(columns, schema=shaped.schema)
        if shaped.num_rows:
            yield shaped

    def _stamped(self, context: RequestContext, records: pa.RecordBatch, origins: _Origins) -> pa.RecordBatch:
        """Add ids, system columns and defaults."""
        columns = dict(zip(records.schema.names, records.columns, strict=True))
        prefix = id_prefix("hec", self.instance)
        columns["_event_id"] = (pl.Series("", [prefix]) + origins.ids).to_arrow(compat_level=pl.CompatLevel.newest())
        columns["_observed_at"] = pa.array(origins.received, pa.int64()).cast(schema.TIME)
        name = _FORMATS[context.kind]
        system = {
            "_receiver": RECEIVER,
            "_collector": schema.PRODUCT,
            "_processor": schema.PRODUCT,
            "_correlation_id": self.instance,
            "_object": self.uri,
            "_format": name,
            **context.columns,
        }
        return fill_defaults(columns, {**system, **FORMATS[name].defaults, **context.defaults}, records.num_rows)


@dataclass(frozen=True)
class _Origins:
    """Which request each event is of: its number among them, when it was received, and the event's id."""

    requests: npt.NDArray[np.int64]
    received: npt.NDArray[np.int64]
    ids: pl.Series

    @classmethod
    def of(cls, entries: list[LogEntry], rows: int) -> _Origins:
        counts = np.array([entry.events for entry in entries])
        if rows != counts.sum():  # one request, whose events were counted otherwise than they are read: an id each
            counts = np.array([rows])
            entry = entries[0]
            numbers = [f"{min(entry.first + row, entry.last)}" for row in range(rows)]
            extra = [f".{row - entry.events + 1}" if row >= entry.events else "" for row in range(rows)]
            ids = pl.Series("", [number + more for number, more in zip(numbers, extra, strict=True)], pl.String)
        else:
            starts = np.repeat(np.array([entry.first for entry in entries]), counts)
            within = np.arange(rows) - np.repeat(np.cumsum(counts) - counts, counts)
            ids = pl.Series("", starts + within).cast(pl.String)
        requests = np.repeat(np.arange(len(entries)), counts)
        return cls(requests, np.repeat(np.array([entry.received for entry in entries]), counts), ids)

    def slice(self, start: int, rows: int) -> _Origins:
        stop = start + rows
        return replace(
            self, requests=self.requests[start:stop], received=self.received[start:stop], ids=self.ids[start:stop]
        )


def _with_times(events: pa.RecordBatch, origins: _Origins, *, inherits: bool) -> pa.RecordBatch:
    """Give the events that have no time of their own that of a line before them in the same request, or of receipt."""
    frame = pl.DataFrame(
        {
            "time": pl.Series(events.column("_time")).cast(_UTC),
            "source": pl.Series(events.column("_time_source")).cast(pl.String),
            "request": origins.requests,
            "received": pl.Series(events.column("_observed_at")).cast(_UTC),
        }
    ).with_columns(own=~pl.col("source").is_in(_NOT_OWN))
    if frame["own"].all():
        return events
    late = frame.select(pl.when(~pl.col("own")).then("received")).to_series()
    events = put_times(events, late, source=schema.TIME_RECEIVED)
    if not inherits:
        return events
    own = pl.when("own").then("time")
    before = frame.select(pl.when(~pl.col("own")).then(own.forward_fill().over("request"))).to_series()
    return put_times(events, before, source=schema.TIME_INHERITED)


def _times_of_request(events: pa.RecordBatch, time: int) -> pl.Series:
    """Return the request's time for the events that have none."""
    rows = events.num_rows
    of_request = pl.repeat(_time(time), rows, dtype=_UTC, eager=True)
    if "_time" not in events.schema.names:
        return of_request
    return of_request.set(pl.Series(events.column("_time")).is_not_null(), None)


def _time(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
