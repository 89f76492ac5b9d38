"""Formats: from plain bytes to records. One file each, one table of them; compression is undone before (`codecs`).

This package does not import Beam. A new format is a new file, a row of `FORMATS` and a row of the tests' table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from transforms.formats import text_format
from transforms.formats.csv import csv_format as csv_format
from transforms.formats.json import json_format as json_format
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import RecordBlock
from transforms.formats.splunk import csv_export as splunk_csv
from transforms.formats.splunk import event_collector as splunk_hec
from transforms.formats.times import Clock

FORMATS: dict[str, Callable[[Iterator[bytes], FormatOptions, Clock], Iterator[RecordBlock]]] = {
    "csv": csv_format.read,
    "json": json_format.read,
    "splunk_csv": splunk_csv.read,
    "splunk_hec": splunk_hec.read,
    "text": text_format.read,
}

DEFAULTS: dict[str, dict[str, str]] = {"splunk_hec": {"sourcetype": "httpevent"}}
"""Format -> attributes of events that have none of their own, nor by the job's defaults."""

__all__ = ["DEFAULTS", "FORMATS", "RecordBlock", "read_records"]


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
    return FORMATS[format_name](chunks, options, Clock(modified=modified, received=received))
