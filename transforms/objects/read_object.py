"""From one object, or a part of it, to batches of events and an outcome.

Bytes → codec → format → events: each step is a plain function of its own package; `Reading` joins them for one object
and adds the columns that all of its events share.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import datetime, timezone
from functools import partial

from transforms.core.errors import ObjectError
from transforms.core.schema import EventBatch
from transforms.objects.outcomes import ObjectOutcome
from transforms.objects.parts import ObjectPart, read_head
from transforms.objects.reading import Reading, ReadSettings
from transforms.objects.yearless_stamps import scan_years
from transforms.storage import ObjectInfo, ObjectStore

_KEPT = 8 << 20
"""Bytes of an object that are kept for a second look at them."""

Tick = Callable[[int, int], None]
"""Takes bytes and events that were read since it was called last."""


def read_object(
    info: ObjectInfo, store: ObjectStore, settings: ReadSettings, *, tick: Tick = lambda nbytes, events: None
) -> Iterator[EventBatch | ObjectOutcome]:
    """Yield an object's events as batches, and last its outcome; see `read_part`."""
    return read_part(ObjectPart(info), store, settings, tick=tick)


def read_part(
    part: ObjectPart,
    store: ObjectStore,
    settings: ReadSettings,
    *,
    tick: Tick = lambda nbytes, events: None,
) -> Iterator[EventBatch | ObjectOutcome]:
    """Yield the events of an object, or of a part of it, as batches, and last its outcome.

    An object that can't be read, or not to its end, is an outcome, not an exception. Whether what was read of it is
    published follows from the outcome's status, not from what was yielded.

    Args:
        part: The object, as it was listed, and what to read of it.
        store: Where it lies.
        settings: How to read.
        tick: Called with the bytes and events that were read since the last call.

    Yields:
        Batches, of plain text still without `_time`; then one outcome.
    """
    progress = _Progress(tick, part.looked_at)
    reading = Reading(part.info, settings, received=datetime.now(timezone.utc), years=part.years)
    failure: ObjectError | None = None
    try:
        if part.start:
            chunks = progress.count_bytes(store.read(part.info, start=part.start, end=part.end))
            head = progress.head(part.info, store)
            batches = reading.range_batches(head, chunks, part, partial(progress.read, part.info, store))
        else:
            source = _Source(part, store, progress)
            blocks = reading.records_of(source.first_chunks())
            if reading.yearless and part.years is None and part.end is None:
                received = reading.received
                years = scan_years(source.chunks_to_scan(), Reading(part.info, settings, received=received))
                reading = Reading(part.info, settings, received=received, years=years)
                blocks = reading.records_of(source.chunks())
            source.forget()
            batches = reading.events(blocks)
        for batch in batches:
            progress.count_events(batch.num_rows)
            yield batch
    except ObjectError as error:
        failure = error
    yield reading.outcome(progress.bytes_read, failure)


class _Source:
    """The bytes of an object or its first part, which are read twice where stamps have no year."""

    def __init__(self, part: ObjectPart, store: ObjectStore, progress: _Progress) -> None:
        self._part, self._store, self._progress = part, store, progress
        self._open = progress.count_bytes(store.read(part.info, end=part.end))
        self._kept: list[bytes] | None = []

    def first_chunks(self) -> Iterator[bytes]:
        """Yield the chunks, by which it is chosen how they are read."""
        for chunk in self._open:
            if self._kept is not None:
                self._kept.append(chunk)
            yield chunk

    def chunks_to_scan(self) -> Iterator[bytes]:
        """Yield them once more; those of a small object are kept."""
        info = self._part.info
        if self._kept is not None and info.size <= _KEPT:
            self._kept += list(self._open)
            return iter(self._kept)
        self._open.close()
        self._progress.forget_ticks()
        self.forget()
        return self._progress.read(info, self._store, 0, info.size)

    def chunks(self) -> Iterator[bytes]:
        """Yield them for the last time."""
        info = self._part.info
        if self._kept is not None and info.size <= _KEPT:
            return iter(self._kept)
        return self._progress.count_bytes(self._store.read(info))

    def forget(self) -> None:
        """Keep no more chunks."""
        self._kept = None


class _Progress:
    """Counts the bytes and events of an object as they pass."""

    def __init__(self, tick: Tick, looked_at: int) -> None:
        self._tick = tick
        self._ticked = self._ticked_before = 0
        self.bytes_read = looked_at

    def head(self, info: ObjectInfo, store: ObjectStore) -> bytes:
        """Return the beginning of the object that a part is of."""
        head = read_head(info, store)
        self.bytes_read += len(head)
        return head

    def read(self, info: ObjectInfo, store: ObjectStore, start: int, end: int) -> Iterator[bytes]:
        """Yield bytes that lie before a part."""
        for chunk in store.read(info, start=start, end=end):
            self.bytes_read += len(chunk)
            self._tick(0, 0)
            yield chunk

    def count_bytes(self, chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
        for chunk in chunks:
            self.bytes_read += len(chunk)
            known = min(len(chunk), self._ticked_before)
            self._ticked_before -= known
            self._ticked += len(chunk) - known
            self._tick(len(chunk) - known, 0)
            yield chunk

    def forget_ticks(self) -> None:
        """Begin to count bytes anew, without ticks for those that had theirs."""
        self._ticked_before = self._ticked

    def count_events(self, events: int) -> None:
        self._tick(0, events)
