"""The format and its options, as the job's specification has them, and the rules for them (spec §3.1)."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass

import polars as pl

from transforms.core.errors import ConfigurationError

FORMAT_NAMES = ("auto", "csv", "json", "splunk_csv", "splunk_hec", "text")
_MAX_RECORD = 1 << 30  # offsets within a block are 32 bits


@dataclass(frozen=True, kw_only=True)
class FormatOptions:
    """How objects are turned into records.

    Attributes:
        format: A name of `FORMAT_NAMES`.
        delimiter: What is between two cells of CSV, one character.
        skip_rows: Physical lines of CSV to pass over before the header.
        headers: The columns of CSV that has no header of its own.
        records_path: Names joined by dots that lead to the records of a JSON object that wraps them.
        multiline_start: A regular expression; a line of text that it does not match goes on the event before it.
        timestamp: `auto`, or `received` to give text the time of receipt.
        timezone: The zone of times that name none.
        max_record: The bytes of a record that are kept.
    """

    format: str = "auto"
    delimiter: str = ","
    skip_rows: int = 0
    headers: tuple[str, ...] | None = None
    records_path: str | None = None
    multiline_start: str | None = None
    timestamp: str = "auto"
    timezone: str = "UTC"
    max_record: int = 10 << 20


def check_options(options: FormatOptions) -> None:
    """Check all rules of spec §3.1.

    Raises:
        ConfigurationError: A field is wrong; `field` is its name in the specification.
    """
    _check_format(options)
    _check_csv(options)
    _check_text(options)
    _check_json(options)
    if options.timestamp not in ("auto", "received"):
        _refuse("timestamp", options.timestamp, "it must be auto or received")
    try:
        zoneinfo.ZoneInfo(options.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        _refuse("timezone", options.timezone, "it must be a zone of the IANA database, such as UTC or Europe/Berlin")
    if not 0 < options.max_record <= _MAX_RECORD:
        raise ConfigurationError(
            f"--max-record is {options.max_record}: it must be between 1 byte and 1 GiB", field="maxRecord"
        )


def _refuse(field: str, value: object, why: str) -> None:
    shown = value if isinstance(value, str) and value.isprintable() else repr(value)
    raise ConfigurationError(f"formatOptions.{field} is {shown}: {why}", field=f"formatOptions.{field}")


def _check_format(options: FormatOptions) -> None:
    if options.format not in FORMAT_NAMES:
        _refuse("format", options.format, f"it must be one of {', '.join(FORMAT_NAMES)}")


def _check_csv(options: FormatOptions) -> None:
    if len(options.delimiter) != 1 or options.delimiter in '"\r\n\0\ufeff':
        _refuse("delimiter", options.delimiter, "it must be one character or \\t, and no quote, line end or NUL")
    if options.skip_rows < 0:
        _refuse("skipRows", options.skip_rows, "it must be 0 or more")
    if options.headers is not None and not any(name.strip() for name in options.headers):
        _refuse("headers", list(options.headers), "it must name at least one column")
    if options.format in ("csv", "splunk_csv"):
        return
    default = FormatOptions()
    for field, value, usual in (
        ("delimiter", options.delimiter, default.delimiter),
        ("skipRows", options.skip_rows, default.skip_rows),
        ("headers", options.headers and list(options.headers), None),
    ):
        if value != usual:
            _refuse(field, value, f"it needs format csv or splunk_csv (--format csv), not {options.format}")


def _check_json(options: FormatOptions) -> None:
    path = options.records_path
    if path is None:
        return
    if options.format != "json":
        _refuse("recordsPath", path, f"it needs format json (--format json), not {options.format}")
    if not all(path.split(".")):
        _refuse("recordsPath", path, "it must be names joined by dots, such as Records or data.items")


def _check_text(options: FormatOptions) -> None:
    pattern = options.multiline_start
    if pattern is None:
        return
    if options.format != "text":
        _refuse("multilineStart", pattern, f"it needs format text (--format text), not {options.format}")
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError as error:
        reason = " ".join(str(error).split())
        _refuse(
            "multilineStart",
            pattern,
            f"it must be a regular expression without look-around and back references ({reason})",
        )
