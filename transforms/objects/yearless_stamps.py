"""The years of an object's stamps that name none: all of its stamps are looked at before its events are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial

import pyarrow as pa

from transforms.core.errors import BombError, CorruptStreamError
from transforms.core.record_years import RecordYears
from transforms.formats import FORMATS
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import RecordBlock
from transforms.objects.reading import Reading
from transforms.storage import ObjectInfo
from transforms.timestamps import detect_missing, detect_times, latest_events
from transforms.timestamps.years.rollovers import years_by_order
from transforms.timestamps.years.stretches import MARKER_YEAR, Stretch, Stretches


def scan_years(chunks: Iterator[bytes], reading: Reading) -> RecordYears | None:
    """Read an object for the years of its records, as far as it can be read.

    Args:
        chunks: All of its bytes.
        reading: Where it is found out how they are read.

    Returns:
        None where no stamp lacks a year.
    """
    stretches = stretches_of(_salvaged(reading.records_of(chunks)), reading)
    return years_of(stretches, reading.info, reading.settings.formats, received=reading.received)


def years_of(
    stretches: Sequence[Stretch], info: ObjectInfo, options: FormatOptions, *, received: datetime
) -> RecordYears | None:
    """Return the years of an object's records by the stretches of its stamps, None where no stamp lacks a year."""
    latest = latest_events(info.modified, received)
    return years_by_order(stretches, year=options.year, latest=latest, timezone=options.timezone)


def stretches_of(batches: Iterable[pa.RecordBatch], reading: Reading) -> list[Stretch]:
    """Collect the stretches of the stamps of records, by the same stamps that their times are made of.

    Args:
        batches: The records of an object, or of a range of it, from whose beginning they are counted.
        reading: How the object is read.
    """
    assert reading.format is not None
    options, lines = reading.settings.formats, FORMATS[reading.format.format].lines
    detect = partial(
        detect_times,
        timezone=options.timezone,
        modified=reading.info.modified,
        received=reading.received,
        day_first=options.day_first or reading.day_first,
    )
    stretches = Stretches()
    first = 0
    for batch in batches:
        if batch.num_rows:
            times = detect_missing(batch, lines, detect, year=MARKER_YEAR)
            stretches.add(times, first=first, timezone=options.timezone)
            if stretches.too_many:
                break
            first += batch.num_rows
    return stretches.found


def _salvaged(blocks: Iterator[RecordBlock]) -> Iterator[pa.RecordBatch]:
    """Yield what can be read of an object that is damaged: no more of it will become events."""
    try:
        for block in blocks:
            yield block.records
    except (CorruptStreamError, BombError):
        return
