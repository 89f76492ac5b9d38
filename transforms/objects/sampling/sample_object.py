"""The beginning of an object, as the preview shows it and as the plan learns its attributes from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timezone

import pyarrow as pa

from transforms.core import schema
from transforms.core.errors import ObjectError
from transforms.core.record_years import NO_ORDER
from transforms.core.schema import EventBatch
from transforms.objects.reading import Reading, ReadSettings, with_years
from transforms.objects.yearless_stamps import stretches_of, years_of
from transforms.storage import ObjectInfo, ObjectStore

_ENOUGH_DECODED = 16 << 20


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the first bytes of an object are.

    Attributes:
        reading: What was found out about it.
        batches: The events, as `transforms.objects.read_object.read_object` yields them; but where stamps have no year
            and the sample is not the whole object, the order of its stamps gives them years only if the job names one.
        bytes_read: Bytes that were read for it.
        failure: Why no more could be read; None where the object or the sample simply ended.
        whole: Whether these are all of the object's events.
    """

    reading: Reading
    batches: tuple[EventBatch, ...]
    bytes_read: int
    failure: ObjectError | None
    whole: bool = False


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
    whole = False
    try:
        with closing(store.read(info, start=0, end=min(size, info.size))) as chunks:  # type: ignore[type-var]  # an iterator that closes
            for batch in reading.batches(source.chunks(chunks)):
                batches.append(batch)
                if reading.decoded > _ENOUGH_DECODED:
                    break
            else:
                whole = True
    except _SampleEndsError:
        pass  # what there is of the object was read: no failure
    except ObjectError as error:
        failure = error
    if reading.yearless and (whole or settings.formats.year is not None):
        batches = _with_years(batches, reading)
    return Sample(reading=reading, batches=tuple(batches), bytes_read=source.bytes_read, failure=failure, whole=whole)


def _with_years(batches: Sequence[EventBatch], reading: Reading) -> list[EventBatch]:
    stretches = stretches_of((batch.events for batch in batches), reading)
    years = years_of(stretches, reading.info, reading.settings.formats, received=reading.received)
    if years == NO_ORDER:
        reading.warn_of_no_order()
    return list(with_years(batches, years))


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
