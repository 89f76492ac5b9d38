"""From a stream of JSON text to the fields of its objects, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from transforms.arrow.arrays import take
from transforms.arrow.strings import nulls
from transforms.formats.chunks import BreakableStream
from transforms.formats.encoding import utf8, without_separators
from transforms.formats.json.fields import Fields
from transforms.formats.json.framing.found_records import FramedRecords
from transforms.formats.json.framing.framer import JsonFramer
from transforms.formats.json.objects import ObjectBatch, ObjectReader, Objects
from transforms.formats.lines import DroppedBytes
from transforms.formats.options import FormatOptions
from transforms.formats.partial_lines import join_parts
from transforms.formats.record_block import MAX_ROWS

UNCLOSED = "its array, or the list of its records, is not closed at the end: the object may be cut off"
_OTHER_LIST = (
    "its first object has a list of objects called {name!r}: with --format json --records-path {name} each of them is "
    "an event"
)


def read_objects(
    decoded: Iterable[bytes], options: FormatOptions, *, path: tuple[str, ...] | None
) -> Iterator[ObjectBatch]:
    """Yield the objects of a stream; if it breaks, those first that were whole.

    Args:
        decoded: Its bytes.
        options: How to read.
        path: Where each object has its records; None if the first object decides; empty if objects are records.
    """
    framer = JsonFramer(max_record=options.max_record, path=path)
    reader = ObjectReader(max_record=options.max_record)
    text, dropped = utf8(iter(decoded)), DroppedBytes()
    if options.join_partial:
        text = join_parts(text, "json", max_record=options.max_record, dropped=dropped)
    stream = BreakableStream(without_separators(text))
    for chunks in stream.blocks():
        framer.feed(*chunks, final=False)
        yield from _read(framer, reader)
    framer.feed(final=stream.error is None)
    if stream.error is not None:
        framer.give_up()
    yield from _read(framer, reader)
    yield _remarks(framer, dropped.count)
    if stream.error is not None:
        raise stream.error


def wraps_records(head: bytes) -> bool:
    """Whether objects wrap records, by the first `HEAD_BYTES` of a stream, or what there is of it."""
    framer = JsonFramer(max_record=len(head) + 1, path=None)
    framer.feed(b"".join(without_separators(utf8([head]))), final=True)
    framer.lines()
    return bool(framer.path)


def _remarks(framer: JsonFramer, dropped: int) -> ObjectBatch:
    """Return what is known of a stream at its end, or where it breaks; `dropped` are bytes that never came there."""
    warnings = [UNCLOSED] if framer.final and framer.is_unclosed else []
    if framer.other_list is not None:
        warnings.append(_OTHER_LIST.format(name=framer.other_list))
    return ObjectBatch(0, 0, nulls(0), {}, {}, cut=framer.cut + dropped, warnings=tuple(warnings))


def _read(framer: JsonFramer, reader: ObjectReader) -> Iterator[ObjectBatch]:
    lines = framer.lines()
    if lines is not None and len(lines) <= MAX_ROWS:
        objects = reader.read(lines)
        if framer.are_alone(lines, objects.invalid):
            yield from _batches(objects, FramedRecords(framer.accept(lines)), ())
            return
    frame = framer.scan()
    done = 0
    for lines in frame.lines.parts():
        errors = {row - done: error for row, error in frame.errors.items() if done <= row < done + len(lines)}
        groups = tuple((low - done, high - done, attributes) for low, high, attributes in frame.groups)
        yield from _batches(reader.read(lines, errors), FramedRecords(lines, groups=groups), framer.path or ())
        done += len(lines)


def _batches(objects: Objects, frame: FramedRecords, path: tuple[str, ...]) -> Iterator[ObjectBatch]:
    blank = frame.lines.blank
    if not len(objects.lines) and not blank:
        return
    for batch in objects.batches():
        replaced = objects.lines.slice(batch.low, batch.high).replaced
        yield replace(batch, fields=_with_groups(batch, frame.groups), blank=blank, replaced=replaced, path=path)
        blank = 0


def _with_groups(batch: ObjectBatch, groups: Iterable[tuple[int, int, Mapping[str, str]]]) -> Fields:
    """Return the fields of objects, with those of the object around them where they have none of the name."""
    rows = batch.high - batch.low
    given: dict[str, list[tuple[int, int, str]]] = {}
    for low, high, attributes in groups:
        low, high = max(low - batch.low, 0), min(high - batch.low, rows)
        if low < high:
            for name, value in attributes.items():
                given.setdefault(name, []).append((low, high, value))
    fields = dict(batch.fields)
    for name, ranges in given.items():
        own = fields.get(name, nulls(rows))
        order = np.where(own.is_valid().to_numpy(zero_copy_only=False), np.arange(rows), -1)
        for place, (low, high, _) in enumerate(ranges):
            part = order[low:high]
            part[part < 0] = rows + place
        fields[name] = take(
            pa.concat_arrays([own, pa.array([value for _, _, value in ranges], pa.string_view())]), order
        )
    return fields
