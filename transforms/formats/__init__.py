"""Formats: from plain bytes to records. A file or folder each, one table of them; compression is undone before.

This package does not import Beam. A new format is a new file, a row of `FORMATS` and a row of the tests' table:
`README.md` has the contract and the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING

from transforms.formats.format import Format
from transforms.formats.options import FormatOptions, ObjectTimes, check_values, refuse

if TYPE_CHECKING:
    import pyarrow as pa

    from transforms.formats.record_block import RecordBlock

_UNDER_AUTO = ("join_partial", "keep_message")  # what changes nothing in objects of other formats
_CSV_OPTIONS = ("delimiter", "skip_rows", "headers")
# In the order in which an object's beginning is offered to them; what none of them recognises is text.
_ALL = (
    Format(
        name="w3c",
        title="W3C's extended log format",
        module="transforms.formats.directives.w3c_format",
        event="a line that is no directive (`#Fields: …`): IIS, CloudFront, Exchange",
        message="the line",
        attributes="its cells by the last `#Fields:`; `-` is absent",
        options=("keep_message",),
    ),
    Format(
        name="zeek",
        title="Zeek's log format",
        module="transforms.formats.directives.zeek_format",
        event="a line that is not of the header (`#fields …`)",
        message="the line",
        attributes="its cells by the last `#fields`; the unset ones are absent",
        options=("keep_message",),
    ),
    Format(
        name="csv",
        title="CSV",
        module="transforms.formats.csv",
        event="a row, also with newlines in quotes; `--delimiter`, `--skip-rows`, `--headers`",
        message="the row",
        attributes="its cells by the header",
        extensions=(".csv", ".tsv", ".tab"),
        overruled_by=("json", "w3c", "zeek"),
        options=(*_CSV_OPTIONS, "keep_message"),
    ),
    Format(
        name="json",
        title="JSON",
        module="transforms.formats.json",
        event="an object: one a line, concatenated, in one array, or pretty-printed; with `--records-path Records` "
        "(found by itself for the common exports) an element of that list",
        message="the object's text",
        attributes="its top-level fields, numbers as they are written, lists and objects as JSON",
        extensions=(".json", ".ndjson", ".jsonl"),
        options=("records_path", "join_partial", "keep_message"),
        inherits="errors",
    ),
    Format(
        name="splunk_csv",
        title="Splunk's CSV",
        module="transforms.formats.splunk.csv_export",
        event="a row of Splunk's export",
        message="`_raw`",
        attributes="the other columns",
        refines="csv",
        options=_CSV_OPTIONS,
    ),
    Format(
        name="splunk_hec",
        title="Splunk HEC",
        module="transforms.formats.splunk.event_collector",
        event="an object as Splunk's HTTP Event Collector takes it",
        message="`event`",
        attributes="`host`, `source`, `sourcetype` (`httpevent`), `index` and what `fields` holds",
        refines="json",
        defaults={"sourcetype": "httpevent"},
        lines="plain",
        inherits="all",
    ),
    Format(
        name="text",
        title="text",
        module="transforms.formats.text.text_format",
        event=r"a line; with `--multiline-start '^\[?\d{4}-'` lines that don't match (stack traces) go onto the event "
        "before them",
        message="the line",
        attributes="by pipelines",
        options=("multiline_start", "join_partial"),
        lines="all",
        inherits="all",
    ),
)
FORMATS: dict[str, Format] = {row.name: row for row in _ALL}
FORMAT_NAMES = ("auto", *FORMATS)
"""What `--format` and the job file take."""

__all__ = ["FORMATS", "FORMAT_NAMES", "check_options", "format_of", "read_records"]


def read_records(
    chunks: Iterator[bytes], format_name: str, options: FormatOptions, *, modified: datetime, received: datetime
) -> Iterator[RecordBlock]:
    """Yield the records of one object.

    Args:
        chunks: Its decoded bytes, cut anywhere: where does not matter.
        format_name: A name of `FORMATS`.
        options: How to read.
        modified: The object's LastModified, which chooses the year of times that have none.
        received: When it is read; times later than a day after it are not believed.

    Yields:
        Blocks of at most some 8 MiB of text, 262,144 records and 4 million cells. If `chunks` raises, all records that
        were complete come first, and the one that was cut off is left out.
    """
    return FORMATS[format_name].reader.read(chunks, options, ObjectTimes(modified=modified, received=received))


def format_of(events: pa.RecordBatch) -> Format | None:
    """Return the format of an object's events by their column `_format`; None where they don't say it."""
    at = events.schema.get_field_index("_format")
    return FORMATS.get(str(events.column(at)[0])) if at >= 0 and events.num_rows else None


def check_options(options: FormatOptions) -> None:
    """Check the options of a job: each by itself, and whether the format takes it.

    Raises:
        ConfigurationError: A field is wrong; `field` is its name in the specification.
    """
    if options.format not in FORMAT_NAMES:
        refuse("format", options.format, f"it must be one of {', '.join(FORMAT_NAMES)}")
    for option in fields(options):
        takers = [row.name for row in FORMATS.values() if option.name in row.options]
        value = getattr(options, option.name)
        if option.name in _UNDER_AUTO:
            takers.append("auto")
        if takers and options.format not in takers and value != option.default:
            needed = f"{' or '.join(takers)} (--format {takers[0]})"
            refuse(option.name, value, f"it needs format {needed}, not {options.format}")
    check_values(options)
