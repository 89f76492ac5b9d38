"""What a format is: a row of the table in `transforms.formats`, and the functions in a module of its own that read it.

Rows are light, so that a command's help and a job's specification know names and options without loading Polars,
pyarrow and DuckDB. `README.md` beside this file is the contract of the functions.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from transforms.formats.options import FormatOptions, ObjectTimes

if TYPE_CHECKING:
    from transforms.formats.record_block import RecordBlock

HEAD_BYTES = 1 << 20
"""How much of an object's beginning decides how all of it is read, whichever range of it a worker has."""


@dataclass(frozen=True, kw_only=True)
class FormatSample:
    """The beginning of an object as text, without its byte order mark.

    Attributes:
        text: Its first 64 KiB.
        start: Its first 1024 bytes, which choose the format.
        whole: Whether `start` is all there is, so that its last line is complete.
        complete: Whether `text` is.
    """

    text: str
    start: str
    whole: bool
    complete: bool


@dataclass(frozen=True, kw_only=True)
class FormatChoice:
    """The format of an object, and why.

    Attributes:
        format: A name of `FORMATS`.
        rule: The rule that chose it, as `rekindle preview` shows it.
        warning: What is unusual about the object.
        options: Fields of `FormatOptions` that its beginning decides, such as the columns of CSV without a header.
    """

    format: str
    rule: str
    warning: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RangeReader:
    """How an object is read in ranges by several workers.

    Attributes:
        read: Yields the records of a range that begins with a record, given the object's first `HEAD_BYTES`.
        count: Counts a range's records, told whether it is the object's `first` and `last`; None where the range does
            not end with a whole record, or can't be read by itself.
        start: Returns where in a window (an object's bytes from anywhere on) a record can begin, given the head; by
            default at the first line that begins there.
        allows: Whether the options leave a record to a line.
    """

    read: Callable[[bytes, Iterator[bytes], FormatOptions, ObjectTimes], Iterator[RecordBlock]]
    count: Callable[..., int | None]
    start: Callable[[bytes, bytes, FormatOptions], int | None] | None = None
    allows: Callable[[FormatOptions], bool] = lambda _: True


@dataclass(frozen=True, kw_only=True)
class FormatReader:
    """The functions of a format: the constant `READER` of its module.

    Attributes:
        read: Yields the records of an object.
        ranges: How it is read in ranges; None where it is read in one piece.
        recognise: Chooses the format by an object's beginning, or returns why not (empty where it is nothing like it).
        amend: Looks at the beginning of an object that has the format's extension.
        refine: Chooses the format for an object that is taken for the one that it `refines`; else None.
        mismatch: Returns why an object that is asked to be read as this format hardly is it.
    """

    read: Callable[[Iterator[bytes], FormatOptions, ObjectTimes], Iterator[RecordBlock]]
    ranges: RangeReader | None = None
    recognise: Callable[[FormatSample], FormatChoice | str] | None = None
    amend: Callable[[FormatChoice, FormatSample], FormatChoice] | None = None
    refine: Callable[[FormatChoice, FormatSample], FormatChoice | None] | None = None
    mismatch: Callable[[bytes, FormatOptions], str | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Format:
    """A row of the table.

    Attributes:
        name: As flags, job files and the column `_format` have it.
        title: As sentences have it.
        module: Where its `READER` is.
        event, message, attributes: What becomes an event, its `_message` and its attributes, as `README.md` has it.
        extensions: Endings of keys, lower case, with their dot.
        overruled_by: Formats whose beginning counts for more than this one's extension.
        refines: The format whose objects are looked at once more: this one is a special kind of it.
        options: The fields of `FormatOptions` that it takes beside those of all formats.
        defaults: Attributes of events that have none of their own, nor by the job's defaults.
        lines: Which messages are looked through for a stamp, as lines of text are: `all`, `plain` (all that are not
            JSON), or `errors` (those that could not be read).
        inherits: Which events without a time have that of the one before them: `all`, `errors`, or none.
    """

    name: str
    title: str
    module: str
    event: str
    message: str
    attributes: str
    extensions: tuple[str, ...] = ()
    overruled_by: tuple[str, ...] = ()
    refines: str | None = None
    options: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    lines: str = "errors"
    inherits: str = ""

    @cached_property
    def reader(self) -> FormatReader:
        """The format's functions, imported when they are first needed."""
        found: FormatReader = importlib.import_module(self.module).READER
        return found
