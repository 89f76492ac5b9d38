"""From one object, or a part of it, to batches of events and an outcome.

Bytes → codec → format → events: each step is a plain function of its own package; `Reading` joins them for one object
and adds the columns that all of its events share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from functools import partial

from transforms.core.errors import ObjectError
from transforms.core.schema import EventBatch
from transforms.objects.outcomes import ObjectOutcome
from transforms.objects.parts import ObjectPart, read_head
from transforms.objects.reading import Reading, ReadSettings
from transforms.storage import ObjectInfo, ObjectStore

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
    reading = Reading(part.info, settings, received=datetime.now(timezone.utc))
    failure: ObjectError | None = None
    try:
        chunks = progress.count_bytes(store.read(part.info, start=part.start, end=part.end))
        batches = (
            reading.range_batches(
                progress.head(part.info, store), chunks, part, partial(progress.read, part.info, store)
            )
            if part.start
            else reading.batches(chunks)
        )
        for batch in batches:
            progress.count_events(batch.num_rows)
            yield batch
    except ObjectError as error:
        failure = error
    yield reading.outcome(progress.bytes_read, failure)


class _Progress:
    """Counts the bytes and events of an object as they pass."""

    def __init__(self, tick: Tick, looked_at: int) -> None:
        self._tick = tick
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
            yield chunk

    def count_bytes(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.bytes_read += len(chunk)
            self._tick(len(chunk), 0)
            yield chunk

    def count_events(self, events: int) -> None:
        self._tick(0, events)
