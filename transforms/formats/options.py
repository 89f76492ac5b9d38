"""The format and its options, as the job's specification has them, and what an object's times are read against."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NoReturn

from transforms.core.errors import ConfigurationError
from transforms.formats.transcoding import encoding_error

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
        multiline_start: A regular expression, or the name of a preset; a line of text that it does not match goes on
            the event before it.
        join_partial: Whether lines that a container's runtime has cut are joined: CRI's in text, Docker's in JSON.
        timestamp: `auto`; `object` or `received` to give text the object's LastModified or the time of receipt.
        timezone: The zone of times that name none.
        time_field: Fields of records that are asked for the time before all others; dots lead into nested objects.
        year: That of times without one, in text that of the first line; None chooses it by the object's LastModified.
        day_first: Whether `04/08/2025` is 4 August.
        keep_message: Whether events that were read without error keep their record as message beside its fields.
        encoding: The name of a text codec of Python's; `auto` is UTF-8, or UTF-16 where its beginning shows it.
        max_record: The bytes of a record that are kept.
    """

    format: str = "auto"
    delimiter: str = ","
    skip_rows: int = 0
    headers: tuple[str, ...] | None = None
    records_path: str | None = None
    multiline_start: str | None = None
    join_partial: bool = False
    timestamp: str = "auto"
    timezone: str = "UTC"
    time_field: tuple[str, ...] | None = None
    year: int | None = None
    day_first: bool = False
    keep_message: bool = True
    encoding: str = "auto"
    max_record: int = 10 << 20


@dataclass(frozen=True, kw_only=True)
class ObjectTimes:
    """What the times of an object's records are read against.

    Attributes:
        modified: The object's LastModified.
        received: When it is read.
    """

    modified: datetime
    received: datetime


def check_values(options: FormatOptions) -> None:
    """Check each option by itself.

    Raises:
        ConfigurationError: A value is wrong; `field` is the option's name in the specification.
    """
    for option in fields(options):
        value = getattr(options, option.name)
        check = _CHECKS.get(option.name)
        if check and value is not None and (error := check(value)):
            refuse(option.name, value, error)
    if not 0 < options.max_record <= _MAX_RECORD:
        raise ConfigurationError(
            f"--max-record is {options.max_record}: it must be between 1 byte and 1 GiB", field="maxRecord"
        )


def refuse(option: str, value: object, why: str) -> NoReturn:
    """Raise the error of an option: its name in the specification, its value, and what is allowed."""
    first, *others = option.split("_")
    field = f"formatOptions.{first}{''.join(map(str.title, others))}"
    value = list(value) if isinstance(value, tuple) else value
    shown = value if isinstance(value, str) and value.isprintable() else repr(value)
    raise ConfigurationError(f"{field} is {shown}: {why}", field=field)


def _delimiter_error(value: str) -> str | None:
    bad = len(value) != 1 or value in '"\r\n\0\ufeff'
    return "it must be one character or \\t, and no quote, line end or NUL" if bad else None


def _skip_rows_error(value: int) -> str | None:
    return "it must be 0 or more" if value < 0 else None


def _headers_error(value: tuple[str, ...]) -> str | None:
    return None if any(name.strip() for name in value) else "it must name at least one column"


def _records_path_error(value: str) -> str | None:
    return None if all(value.split(".")) else "it must be names joined by dots, such as Records or data.items"


def _multiline_start_error(value: str) -> str | None:
    import polars as pl  # loaded only here: most that ask for options read no object

    try:
        pl.Series([""]).str.contains(value)
    except pl.exceptions.ComputeError as error:
        reason = " ".join(str(error).split()).split(" This error occurred in")[0]  # then comes an expression of Polars'
        return f"it must be a regular expression without look-around and back references ({reason})"
    return None


def _timestamp_error(value: str) -> str | None:
    return None if value in ("auto", "object", "received") else "it must be auto, object or received"


def _timezone_error(value: str) -> str | None:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return "it must be a zone of the IANA database, such as UTC or Europe/Berlin"
    return None


def _time_field_error(value: tuple[str, ...]) -> str | None:
    return None if value and all(value) else "it must name at least one field"


def _year_error(value: int) -> str | None:
    return None if 1970 <= value < 2100 else "it must be a year from 1970 to 2099"


_CHECKS: dict[str, Any] = {
    "delimiter": _delimiter_error,
    "skip_rows": _skip_rows_error,
    "headers": _headers_error,
    "records_path": _records_path_error,
    "multiline_start": _multiline_start_error,
    "timestamp": _timestamp_error,
    "timezone": _timezone_error,
    "time_field": _time_field_error,
    "year": _year_error,
    "encoding": encoding_error,
}
