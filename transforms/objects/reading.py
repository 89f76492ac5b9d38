"""How one object is read: its codec, its format, its records, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl
import pyarrow as pa

from transforms.codecs.decoding import Decoder
from transforms.codecs.detection import CodecChoice, base_key, detect_codec
from transforms.core.errors import BombError, CorruptStreamError, ObjectError
from transforms.core.peeking import peek
from transforms.core.record_years import NO_ORDER, RecordYears
from transforms.core.schema import RECEIVER, UPLOAD_RECEIVER, EventBatch
from transforms.formats import FORMATS, read_records
from transforms.formats.detection import asked_for, detect_format
from transforms.formats.format import HEAD_BYTES, FormatChoice
from transforms.formats.options import FormatOptions
from transforms.formats.partial_lines import has_parts
from transforms.formats.ranges import read_range
from transforms.formats.record_block import RecordBlock
from transforms.formats.transcoding import ENCODING_SAMPLE, UTF8, EncodingChoice, choose_encoding, transcode
from transforms.objects.event_columns import EventColumns
from transforms.objects.inherited_times.preceding_records import ReadBetween, inheriting, last_records, records_before
from transforms.objects.leading_nuls import without_leading_nuls
from transforms.objects.outcomes import ObjectOutcome
from transforms.objects.parts import ObjectPart
from transforms.objects.record_problems import RecordProblems
from transforms.storage import ObjectInfo
from transforms.timestamps import head_is_day_first, head_is_yearless

CODEC_SAMPLE = 4096
FORMAT_SAMPLE = 64 << 10
_HELD_BYTES = 1 << 20
_WRITE_TEST = (
    "aws-logs-write-test"  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3ExportTasksConsole.html
)


@dataclass(frozen=True, kw_only=True)
class ReadSettings:
    """How a job reads its objects.

    Attributes:
        task_id: The job, for `_correlation_id`.
        formats: The format and its options.
        defaults: Attributes for events that don't carry their own.
        columns: System columns that are the same for all events: those of the IAM key.
        on_error: What to do with an object that breaks half-way: `salvage`, `quarantine` or `fail`.
        max_expansion: Output may be at most so many times the input (and 4 GiB).
        receiver: How objects come, for `_receiver`.
    """

    task_id: str
    formats: FormatOptions = field(default_factory=FormatOptions)
    defaults: tuple[tuple[str, str], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    on_error: str = "salvage"
    max_expansion: float = 200.0
    receiver: str = RECEIVER


class Reading:
    """What is found out about one object while it is read.

    Attributes:
        codec: How its codec was chosen; None before the first bytes came, as those below.
        encoding: How its encoding was chosen.
        format: How its format was chosen.
        decoder: Its bytes as they pass.
        warnings: What its user should know of it.
        records, blank, header, errors, replaced: What was read so far: records, lines that are none, records with
            `_error`, bad bytes.
        long, cut: Records that were cut because they are too long, and the bytes of them that are not kept.
        first: The ordinal of the first record that is read.
        first_error: The ordinal of the first record with `_error`, and that error.
        day_first: Whether the lines of its beginning show that dates have the day before the month.
        yearless: Whether stamps of its beginning have no year.
        years: Their years, where they are known.
    """

    def __init__(
        self, info: ObjectInfo, settings: ReadSettings, *, received: datetime, years: RecordYears | None = None
    ) -> None:
        """Prepare for an object; `received` is now."""
        self.info = info
        self.settings = settings
        self.received = received
        self.codec: CodecChoice | None = None
        self.encoding: EncodingChoice | None = None
        self.format: FormatChoice | None = None
        self.decoder: Decoder | None = None
        self.warnings: list[str] = []
        self.records = self.blank = self.header = self.errors = self.replaced = 0
        self.long = self.cut = 0
        self.first = 0
        self.first_error: tuple[int, str] | None = None
        self.day_first = self.yearless = False
        self.years = years

    @property
    def decoded(self) -> int:
        """Plain bytes so far."""
        return self.decoder.bytes_out if self.decoder else 0

    @property
    def formats(self) -> FormatOptions:
        """The job's options, with those that the object's beginning decides."""
        return replace(self.settings.formats, **self.format.options) if self.format else self.settings.formats

    def batches(self, chunks: Iterator[bytes]) -> Iterator[EventBatch]:
        """Yield the object's events."""
        yield from self.events(self.records_of(chunks))

    def events(self, blocks: Iterator[RecordBlock]) -> Iterator[EventBatch]:
        """Yield the events of the object's records."""
        return self._events(blocks, first=0)

    def records_of(self, chunks: Iterator[bytes]) -> Iterator[RecordBlock]:
        """Choose how the object is read, and return its records."""
        head, chunks = peek(chunks, CODEC_SAMPLE)
        self.codec = detect_codec(self.info.key, head)
        self._warn(self.codec.warning)
        if self.info.key.rsplit("/", 1)[-1] == _WRITE_TEST:
            self._warn("it is no log, but the object by which an export of CloudWatch Logs tries whether it may write")
        self.decoder = Decoder(chunks, self.codec.name, max_expansion=self.settings.max_expansion, key=self.info.key)
        head, chunks = peek(iter(self.decoder), ENCODING_SAMPLE)
        self.encoding = choose_encoding(head, self.settings.formats.encoding)
        self._warn(self.encoding.warning)
        decoded, nuls = without_leading_nuls(self.as_utf8(chunks), FORMAT_SAMPLE)
        if nuls:
            self._warn(f"it begins with {nuls:,} NULs, as a live file that was truncated does: they were passed over")
        head, decoded = peek(decoded, FORMAT_SAMPLE)
        self.format = self._choose_format(head)
        if self.encoding and self.encoding.rule:
            self.format = replace(self.format, rule=f"{self.format.rule}; {self.encoding.rule}")
        self._warn(self.format.warning)
        if not self.settings.formats.join_partial and has_parts(head, self.format.format):
            self._warn("it has lines that a container's runtime has cut: --join-partial joins them")
        if self.years == NO_ORDER:
            self.warn_of_no_order()
        formats, modified = self.formats, self.info.modified
        return read_records(decoded, self.format.format, formats, modified=modified, received=self.received)

    def range_batches(
        self, head: bytes, chunks: Iterator[bytes], part: ObjectPart, read: ReadBetween
    ) -> Iterator[EventBatch]:
        """Yield the events of a range that is not the object's first: how it is read follows from the object's head.

        Args:
            head: The object's first `HEAD_BYTES`.
            chunks: The range.
            part: Which it is.
            read: Gives bytes of the object, for what precedes the range.
        """
        head = self.choose(head)
        assert self.format is not None and self.codec is not None
        self.decoder = Decoder(chunks, self.codec.name, max_expansion=self.settings.max_expansion)
        name, times = self.format.format, {"modified": self.info.modified, "received": self.received}
        preceding = None
        if self._inherits:

            def utf8(first: int, last: int) -> Iterator[bytes]:
                return self.as_utf8(read(first, last))

            records = records_before(part.start, utf8, head, name, self.formats, **times)
            if records is not None:
                preceding = self._columns(first=part.first - records.num_rows).stamp(records).events
        blocks = read_range(head, self.as_utf8(iter(self.decoder)), name, self.formats, **times)
        yield from self._events(blocks, first=part.first, preceding=preceding)

    def as_utf8(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Make UTF-8 of decoded bytes, when the encoding is chosen; UTF-16 with a mark is left to the formats."""
        assert self.encoding is not None
        if self.settings.formats.encoding == "auto" and self.encoding.rule is None:
            return chunks
        return transcode(self.encoding.name, chunks)

    def choose(self, head: bytes) -> bytes:
        """Choose how an object that is not compressed is read, by its first `HEAD_BYTES`; return these as UTF-8."""
        self.codec = detect_codec(self.info.key, head[:CODEC_SAMPLE])
        self.encoding = choose_encoding(head, self.settings.formats.encoding)
        head = b"".join(self.as_utf8(iter([head])))[:HEAD_BYTES]
        self.format = self._choose_format(head[:FORMAT_SAMPLE])
        return head

    def _events(
        self, blocks: Iterator[RecordBlock], *, first: int, preceding: pa.RecordBatch | None = None
    ) -> Iterator[EventBatch]:
        self.first, columns = first, self._columns(first=first)
        inherits = self._inherits
        held: pa.RecordBatch | None = None
        for block in blocks:
            if held is not None:
                preceding, held = last_records(preceding, held), None
            self.blank += block.blank
            self.header += block.header
            self.replaced += block.replaced
            self.cut += block.cut
            self.warnings += block.warnings
            if block.records.num_rows:
                batch = self._count(columns.stamp(block.records))
                if inheriting(batch.events):
                    batch = replace(batch, preceding=preceding)
                yield from with_years([batch], self.years, first=columns.next - batch.num_rows)
                if inherits and batch.events.get_total_buffer_size() <= _HELD_BYTES:
                    held = batch.events  # most likely the object ends here, and nothing has to be looked for
                elif inherits:
                    preceding = last_records(preceding, batch.events)

    @property
    def _inherits(self) -> bool:
        """Whether events may have the time of one before them."""
        assert self.format is not None
        return bool(FORMATS[self.format.format].inherits) and self.settings.formats.timestamp == "auto"

    def _columns(self, *, first: int) -> EventColumns:
        assert self.format is not None
        name = self.format.format
        return EventColumns(
            self.info,
            format_name=name,
            task_id=self.settings.task_id,
            receiver=self.settings.receiver,
            defaults={**FORMATS[name].defaults, **self._source, **dict(self.settings.defaults)},
            system=dict(self.settings.columns),
            first=first,
            day_first=self.day_first,
        )

    @property
    def _source(self) -> dict[str, str]:
        """An uploaded file is the source of its events, where nothing else is."""
        return {"source": self.info.key} if self.settings.receiver == UPLOAD_RECEIVER else {}

    def outcome(self, bytes_read: int, failure: ObjectError | None) -> ObjectOutcome:
        """Return what became of the object, when its reading ended, by the failure if there is one."""
        return ObjectOutcome(
            info=self.info,
            status=self.status(failure),
            reason=str(failure) if failure else None,
            codec=self.codec.name if self.codec else None,
            format=self.format.format if self.format else None,
            unchecked=self.decoder.unchecked if self.decoder else False,
            records=self.records,
            blank=self.blank,
            header=self.header,
            errors=self.errors,
            bytes_read=bytes_read,
            bytes_decoded=self.decoded,
            warnings=tuple(self.warnings),
            problems=self.problems,
        )

    def _choose_format(self, head: bytes) -> FormatChoice:
        self.day_first = head_is_day_first(head[:FORMAT_SAMPLE])
        asked = self.settings.formats.format
        assert self.codec is not None
        if asked != "auto":
            choice = asked_for(asked, head, self.settings.formats)
        else:
            choice = detect_format(base_key(self.info.key, self.codec.name), head)
        lines = FORMATS[choice.format].lines == "all" and self.settings.formats.timestamp == "auto"
        self.yearless = lines and head_is_yearless(head[:FORMAT_SAMPLE])
        return choice

    def all_warnings(self) -> list[str]:
        """Return what the object's user should know, by all that was read of it so far."""
        name = self.format.format if self.format else None
        found = self.problems.warnings(records=self.records, errors=self.errors, format_name=name)
        return [*self.warnings, *found]

    def warn_of_no_order(self) -> None:
        """Warn that the order of the object's stamps gives no years."""
        year = self.settings.formats.year
        chosen = (
            "each has the latest year that does not put it more than a day after the object's LastModified (--year "
            "names another)"
            if year is None
            else f"all are of {year} (--year)"
        )
        self._warn(f"its stamps name no year and are in no order of years: {chosen}")

    @property
    def problems(self) -> RecordProblems:
        """What was wrong with the records that were read so far."""
        return RecordProblems(
            replaced=self.replaced,
            encoding=self.encoding.name if self.encoding else UTF8,
            asked=self.settings.formats.encoding,
            long=self.long,
            cut=self.cut,
            max_record=self.settings.formats.max_record,
            first_error=self.first_error,
        )

    def _count(self, batch: EventBatch) -> EventBatch:
        events = batch.events
        at = events.schema.get_field_index("_error")
        if at >= 0:
            found = events.num_rows - events.column(at).null_count
            self.errors += found
            if found:
                errors = pl.Series(events.column(at)).drop_nulls()
                if self.first_error is None:
                    row = pl.Series(events.column(at)).is_not_null().arg_max() or 0
                    self.first_error = self.first + self.records + row, errors[0]
                self.long += int(errors.str.starts_with("record_too_long: more than").sum())
        self.records += events.num_rows
        return batch

    def _warn(self, warning: str | None) -> None:
        if warning:
            self.warnings.append(warning)

    def status(self, failure: ObjectError | None) -> str:
        """Return what becomes of the object, by the failure that ended its reading if there was one."""
        if failure is None:
            return "ingested"
        if isinstance(failure, (CorruptStreamError, BombError)) and self.settings.on_error == "quarantine":
            return "quarantined"
        if isinstance(failure, CorruptStreamError) and self.settings.on_error == "salvage" and self.records:
            return "salvaged"
        return failure.status


def with_years(batches: Iterable[EventBatch], years: RecordYears | None, *, first: int = 0) -> Iterator[EventBatch]:
    """Give batches that follow each other the years of their records, which are known by their numbers from `first`."""
    for batch in batches:
        if years is None or years == NO_ORDER:
            yield batch
            continue
        before = batch.preceding.num_rows if batch.preceding is not None else 0
        near = years.within(first - before, first + batch.num_rows)
        yield replace(batch, years=near.counted_from(first))
        first += batch.num_rows
