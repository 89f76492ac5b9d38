"""The beginning of an object, as the preview shows it and as the plan learns its attributes from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timezone

import pyarrow as pa

from transforms.core import schema
from transforms.core.errors import ObjectError
from transforms.core.schema import EventBatch
from transforms.objects.reading import Reading, ReadSettings
from transforms.storage import ObjectInfo, ObjectStore

_ENOUGH_DECODED = 16 << 20


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the first bytes of an object are.

    Attributes:
        reading: What was found out about it.
        batches: The events, as `transforms.objects.read_object.read_object` yields them.
        bytes_read: Bytes that were read for it.
        failure: Why no more could be read; None where the object or the sample simply ended.
    """

    reading: Reading
    batches: tuple[EventBatch, ...]
    bytes_read: int
    failure: ObjectError | None


def count_attributes(events: pa.RecordBatch) -> Counter[str]:
    """Return how many events in flight have each attribute."""
    columns = zip(events.schema.names, events.columns, strict=True)
    named = ((schema.attribute_name(column), len(values) - values.null_count) for column, values in columns)
    return Counter({name: number for name, number in named if name is not None and number})


class _SampleEndsError(ObjectError):
    """The object goes on, but the sample does not."""


def sample_object(
    info: ObjectInfo, store: ObjectStore, settings: ReadSettings, *, size: int, key: str | None = None
) -> Sample:
    """Read the first `size` bytes of an object, or less where they unpack to very much.

    A record that is cut off there is left out. With a `key` the object is read as if this were its own.
    """
    reading = Reading(info if key is None else replace(info, key=key), settings, received=datetime.now(timezone.utc))
    source = _Source(info, size)
    batches: list[EventBatch] = []
    failure: ObjectError | None = None
    try:
        with closing(store.read(info, start=0, end=min(size, info.size))) as chunks:  # type: ignore[type-var]  # an iterator that closes
            for batch in reading.batches(source.chunks(chunks)):
                batches.append(batch)
                if reading.decoded > _ENOUGH_DECODED:
                    break
    except _SampleEndsError:
        pass  # what there is of the object was read: no failure
    except ObjectError as error:
        failure = error
    return Sample(reading=reading, batches=tuple(batches), bytes_read=source.bytes_read, failure=failure)


class _Source:
    """The bytes of a sample, and how many of them came."""

    def __init__(self, info: ObjectInfo, size: int) -> None:
        self._more = info.size > size
        self.bytes_read = 0

    def chunks(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.bytes_read += len(chunk)
            yield chunk
        if self._more:
            raise _SampleEndsError("the sample ends here")
