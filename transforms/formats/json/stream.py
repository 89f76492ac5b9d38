"""From a stream of JSON text to the fields of its objects, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from transforms.arrow.views import nulls, take
from transforms.formats import lines as framing
from transforms.formats.encoding import utf8
from transforms.formats.json.fields import Fields
from transforms.formats.json.framing.framer import JsonFramer
from transforms.formats.json.objects import ObjectReader, Objects, Piece
from transforms.formats.json.framing.found_records import Frame
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import MAX_ROWS


@dataclass(frozen=True)
class Passage:
    """Objects of a stream, with what was passed over.

    Attributes:
        piece: The objects.
        blank: Blank lines before and among them.
        replaced: Bad bytes in them that were replaced.
    """

    piece: Piece
    blank: int
    replaced: int


def read_objects(chunks: Iterable[bytes], options: FormatOptions, *, path: tuple[str, ...] | None) -> Iterator[Passage]:
    """Yield the objects of a stream; if it breaks, those first that were whole.

    Args:
        chunks: Its bytes.
        options: How to read.
        path: Where each object has its records; None if they are found where they are called `Records`; empty if
            objects are records.
    """
    framer = JsonFramer(max_record=options.max_record, path=path)
    reader = ObjectReader(max_record=options.max_record)
    blocks = _Blocks(utf8(iter(chunks)))
    for block in blocks:
        framer.feed(block, final=False)
        yield from _read(framer, reader)
    framer.feed(b"", final=blocks.error is None)
    if blocks.error is not None:
        framer.give_up()
    yield from _read(framer, reader)
    if blocks.error is not None:
        raise blocks.error


class _Blocks:
    """A stream in blocks; it ends where it breaks, and keeps the error."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        parts: list[bytes] = []
        size = 0
        try:
            for chunk in self._chunks:
                parts.append(chunk)
                size += len(chunk)
                if size >= framing.BLOCK_BYTES:
                    yield b"".join(parts)
                    parts, size = [], 0
        except Exception as error:  # noqa: BLE001 - raised by who reads, after what came before it
            self.error = error
        if parts:
            yield b"".join(parts)


def _read(framer: JsonFramer, reader: ObjectReader) -> Iterator[Passage]:
    lines = framer.lines()
    if lines is not None and len(lines) <= MAX_ROWS:
        objects = reader.read(lines)
        if framer.are_alone(lines, objects.invalid):
            yield from _passages(objects, Frame(framer.accept(lines)))
            return
    frame = framer.scan()
    done = 0
    for lines in frame.lines.parts():
        errors = {row - done: error for row, error in frame.errors.items() if done <= row < done + len(lines)}
        groups = tuple((low - done, high - done, attributes) for low, high, attributes in frame.groups)
        yield from _passages(reader.read(lines, errors), Frame(lines, groups=groups))
        done += len(lines)


def _passages(objects: Objects, frame: Frame) -> Iterator[Passage]:
    blank = frame.lines.blank
    if not len(objects.lines) and not blank:
        return
    for piece in objects.pieces():
        replaced = objects.lines.slice(piece.low, piece.high).replaced
        yield Passage(replace(piece, fields=_with_groups(piece, frame.groups)), blank, replaced)
        blank = 0


def _with_groups(piece: Piece, groups: Iterable[tuple[int, int, Mapping[str, str]]]) -> Fields:
    """Return the fields of objects, with those of the object around them where they have none of the name."""
    rows = piece.high - piece.low
    given: dict[str, list[tuple[int, int, str]]] = {}
    for low, high, attributes in groups:
        low, high = max(low - piece.low, 0), min(high - piece.low, rows)
        if low < high:
            for name, value in attributes.items():
                given.setdefault(name, []).append((low, high, value))
    fields = dict(piece.fields)
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
