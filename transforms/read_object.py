"""From one object to batches of events, and an entry for the ledger that says what became of it.

Bytes → codec → format → events: each step is a plain function of its own package; here they are joined for one object, and the columns
that are the same for all of its events are added (spec §2).
"""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone

import polars as pl
import pyarrow as pa

from transforms import schema
from transforms.codecs.decoding import Decoder
from transforms.codecs.detection import CodecChoice, base_key, detect_codec
from transforms.errors import BombError, CorruptStreamError, ObjectError
from transforms.formats import read_records
from transforms.formats.detection import detect_format
from transforms.formats.options import FormatOptions
from transforms.hot_tier.ledger import LedgerEntry
from transforms.storage import ObjectInfo, ObjectStore

CODEC_SAMPLE = 4096
FORMAT_SAMPLE = 1024


@dataclass(frozen=True, kw_only=True)
class ReadSettings:
    """How a job reads its objects.

    Attributes:
        task_id: The job, for `_correlation_id`.
        formats: The format and its options.
        defaults: Attributes for events that don't carry their own.
        on_error: What to do with an object that breaks half-way: `salvage`, `quarantine` or `fail`.
        max_expansion: Output may be at most so many times the input (and 4 GiB).
    """

    task_id: str
    formats: FormatOptions = field(default_factory=FormatOptions)
    defaults: tuple[tuple[str, str], ...] = ()
    on_error: str = "salvage"
    max_expansion: float = 200.0


def event_id_prefix(info: ObjectInfo) -> str:
    """Return what the ids of an object's events begin with: `e_` and 26 characters of a 128-bit BLAKE2b hash of its identity, and `-`."""
    digest = hashlib.blake2b("\0".join(map(str, info.identity)).encode("utf-8", "surrogateescape"), digest_size=16).digest()
    return "e_" + base64.b32encode(digest).decode().rstrip("=") + "-"


def read_object(
    info: ObjectInfo,
    store: ObjectStore,
    settings: ReadSettings,
    *,
    wave: int,
    tick: Callable[[int, int], None] = lambda nbytes, events: None,
) -> Iterator[pa.RecordBatch | LedgerEntry]:
    """Yield an object's events as batches, and last its ledger entry.

    An object that can't be read, or not to its end, is no exception: the entry says so. Whether what was read of it is published follows
    from the entry's status, not from what was yielded.

    Args:
        info: The object, as it was listed.
        store: Where it lies.
        settings: How to read.
        wave: The wave it belongs to.
        tick: Called with the bytes and events that were read since the last call.

    Yields:
        Batches as `transforms.schema` describes them, without a settled `_time` for plain text; then one `LedgerEntry`.
    """
    progress = _Progress(tick)
    reading = _Reading(info, settings, received=datetime.now(timezone.utc))
    failure: ObjectError | None = None
    try:
        for batch in reading.batches(progress.count_bytes(store.read(info))):
            progress.count_events(batch.num_rows)
            yield batch
    except ObjectError as error:
        failure = error
    yield reading.entry(wave, progress.bytes_read, failure)


def sample_object(info: ObjectInfo, store: ObjectStore, settings: ReadSettings, *, size: int) -> list[pa.RecordBatch]:
    """Return the events in the first `size` bytes of an object; the sample ends where the object breaks."""
    batches: list[pa.RecordBatch] = []
    reading = _Reading(info, settings, received=datetime.now(timezone.utc))
    try:
        for batch in reading.batches(store.read(info, start=0, end=min(size, info.size))):
            batches.append(batch)  # what came before an error is kept
    except ObjectError:  # a compressed stream breaks where the sample ends; the job itself will say what is wrong with the object
        pass
    return batches


class _Progress:
    """Counts the bytes and events of an object as they pass."""

    def __init__(self, tick: Callable[[int, int], None]) -> None:
        self._tick = tick
        self.bytes_read = 0

    def count_bytes(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.bytes_read += len(chunk)
            self._tick(len(chunk), 0)
            yield chunk

    def count_events(self, events: int) -> None:
        self._tick(0, events)


class _Reading:
    """What is found out about one object while it is read."""

    def __init__(self, info: ObjectInfo, settings: ReadSettings, *, received: datetime) -> None:
        self.info = info
        self.settings = settings
        self.received = received
        self.codec: CodecChoice | None = None
        self.format: str | None = None
        self.decoder: Decoder | None = None
        self.warnings: list[str] = []
        self.records = self.blank = self.header = self.errors = 0

    def batches(self, chunks: Iterator[bytes]) -> Iterator[pa.RecordBatch]:
        """Yield the object's events."""
        decoded = self._decode(chunks)
        head, decoded = peek(decoded, FORMAT_SAMPLE)
        options = self.settings.formats
        if options.format == "auto":
            assert self.codec is not None
            choice = detect_format(base_key(self.info.key, self.codec.name), head)
            self.format = choice.format
            self._warn(choice.warning)
        else:
            self.format = options.format
        columns = _constant_columns(self.info, self.format, self.settings)
        prefix = event_id_prefix(self.info)
        for block in read_records(decoded, self.format, options, modified=self.info.modified, received=self.received):
            self.blank += block.blank
            self.header += block.header
            if block.records.num_rows:
                yield self._stamp(block.records, columns, prefix)

    def entry(self, wave: int, bytes_read: int, failure: ObjectError | None) -> LedgerEntry:
        """Return the ledger's entry."""
        status = self._status(failure)
        published = status in ("ingested", "salvaged")
        return LedgerEntry(
            bucket=self.info.bucket,
            key=self.info.key,
            etag=self.info.etag,
            size=self.info.size,
            modified=self.info.modified,
            status=status,
            reason=str(failure) if failure else None,
            codec=self.codec.name if self.codec else None,
            format=self.format,
            unchecked=self.decoder.unchecked if self.decoder else False,
            records_in=self.records,
            blank=self.blank,
            header=self.header,
            events=self.records if published else 0,
            events_with_error=self.errors if published else 0,
            rejected=0 if published else self.records,
            bytes_read=bytes_read,
            bytes_decoded=self.decoder.bytes_out if self.decoder else 0,
            job=self.settings.task_id,
            wave=wave,
            warnings=tuple(self.warnings),
        )

    def _decode(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        head, chunks = peek(chunks, CODEC_SAMPLE)
        self.codec = detect_codec(self.info.key, head)
        self._warn(self.codec.warning)
        self.decoder = Decoder(chunks, self.codec.name, max_expansion=self.settings.max_expansion)
        return iter(self.decoder)

    def _warn(self, warning: str | None) -> None:
        if warning:
            self.warnings.append(warning)

    def _status(self, failure: ObjectError | None) -> str:
        if failure is None:
            return "ingested"
        if isinstance(failure, (CorruptStreamError, BombError)) and self.settings.on_error == "quarantine":
            return "quarantined"
        if isinstance(failure, CorruptStreamError) and self.settings.on_error == "salvage" and self.records:
            return "salvaged"
        return failure.status

    def _stamp(self, records: pa.RecordBatch, constants: dict[str, str], prefix: str) -> pa.RecordBatch:
        """Add ids, system columns and defaults to a block of records."""
        rows = records.num_rows
        columns = dict(zip(records.schema.names, records.columns, strict=True))
        if "_error" in columns:
            self.errors += rows - columns["_error"].null_count
        columns["_event_id"] = _event_ids(prefix, self.records, rows)
        columns["_observed_at"] = pa.repeat(pa.scalar(datetime.now(timezone.utc), schema.TIME), rows)
        for name, value in constants.items():
            if name not in columns:
                columns[name] = _repeat(value, rows)
            elif columns[name].null_count:
                columns[name] = _fill(columns[name], value)
        self.records += rows
        return schema.with_modified(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), self.info.modified)


def _constant_columns(info: ObjectInfo, format_name: str, settings: ReadSettings) -> dict[str, str]:
    """Return the columns whose value is the same for every event of the object that has none of its own."""
    return {
        "_receiver": schema.RECEIVER,
        "_collector": schema.PRODUCT,
        "_processor": schema.PRODUCT,
        "_correlation_id": settings.task_id,
        "_object": info.uri,
        "_format": format_name,
        "filename": info.key,
        **dict(settings.defaults),
    }


def _event_ids(prefix: str, first: int, rows: int) -> pa.Array:
    numbers = pl.int_range(first, first + rows, eager=True).cast(pl.String)
    return (pl.Series("", [prefix]) + numbers).to_arrow(compat_level=pl.CompatLevel.newest())


def _repeat(value: str, rows: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), pa.array([value], pa.string()))


def _fill(column: pa.Array, value: str) -> pa.Array:
    return pl.from_arrow(column).fill_null(value).to_arrow(compat_level=pl.CompatLevel.newest())


def peek(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `size` bytes (fewer where there are no more), and an iterator over everything, those bytes too.

    An error of the source shows where it stood: after the bytes that came before it.
    """
    taken: list[bytes] = []
    length = 0
    failure: ObjectError | None = None
    while length < size:
        try:
            chunk = next(chunks)
        except StopIteration:
            break
        except ObjectError as error:
            failure = error
            break
        taken.append(chunk)
        length += len(chunk)
    return b"".join(taken)[:size], itertools.chain(taken, _fail_with(failure), chunks)


def _fail_with(error: ObjectError | None) -> Iterator[bytes]:
    if error is not None:
        raise error
    yield from ()
