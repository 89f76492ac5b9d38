"""What was wrong with an object's records, in numbers, and the warnings about it.

A large object is read in parts. The numbers of its parts add up; the warnings are made of the sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transforms.formats.transcoding import UTF8

_CSV_COLUMNS = (
    "--skip-rows N passes over N lines before the header, --skip-rows 1 --headers A,B,C replaces the header, "
    "--delimiter names what stands between cells"
)
_MORE_COLUMNS = {"csv": _CSV_COLUMNS, "splunk_csv": _CSV_COLUMNS}
_NO_COLUMNS = "--format text reads lines as they are"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordProblems:
    """What was wrong with the records of an object, or of a part of one.

    Attributes:
        replaced: Byte sequences that became U+FFFD.
        encoding: What these are no text of.
        asked: The encoding as the job names it; `auto` if it names none.
        long: Records that were cut because they are too long.
        cut: The bytes of them that are not kept.
        max_record: The bytes of a record that are kept.
        first_error: The ordinal of the first record with `_error`, and that error.
    """

    replaced: int = 0
    encoding: str = UTF8
    asked: str = "auto"
    long: int = 0
    cut: int = 0
    max_record: int = 0
    first_error: tuple[int, str] | None = None

    def warnings(self, *, records: int, errors: int, format_name: str | None) -> Iterator[str]:
        """Yield what the object's user should know.

        Args:
            records: How many records were read.
            errors: How many of them have `_error`.
            format_name: What they were read as.
        """
        if self.replaced:
            yield self._replaced_warning()
        if self.long:
            left = f": {self.cut:,} bytes of them are not kept" if self.cut else ""
            yield (
                f"{self.long:,} record{'s' * (self.long != 1)} longer than {self.max_record:,} bytes "
                f"(--max-record) {'were' if self.long != 1 else 'was'} cut{left}"
            )
        if self.first_error and records > 1 and errors > records // 2 and format_name:
            yield (
                f"{errors:,} of {records:,} records could not be read as {format_name}, the first: "
                f"{self.first_error[1]}{_cure(self.first_error[1], format_name)}"
            )

    def _replaced_warning(self) -> str:
        if self.asked != "auto":
            cure = f"--encoding {self.asked} may not be theirs"
        elif self.encoding == UTF8:
            cure = "--encoding reads others, such as windows-1252 or shift_jis"
        else:
            cure = "they are damaged, or --encoding names what they are"
        what = "byte sequences that are" if self.replaced != 1 else "byte sequence that is"
        done = "were" if self.replaced != 1 else "was"
        return f"{self.replaced:,} {what} no {self.encoding.upper()} {done} replaced by U+FFFD: {cure}"


def _cure(error: str, format_name: str) -> str:
    """Return what helps against an error that most records have, as the end of a sentence."""
    if not error.startswith("too_many_columns"):
        return ""
    return f". {_MORE_COLUMNS.get(format_name, _NO_COLUMNS)}"


def add_problems(parts: Sequence[RecordProblems]) -> RecordProblems:
    """Return the problems of an object, by those of its parts in any order."""
    found = [part.first_error for part in parts if part.first_error]
    one = max(parts, key=lambda part: part.replaced)  # a part that could not be read knows of no encoding
    return RecordProblems(
        replaced=sum(part.replaced for part in parts),
        encoding=one.encoding,
        asked=one.asked,
        long=sum(part.long for part in parts),
        cut=sum(part.cut for part in parts),
        max_record=one.max_record,
        first_error=min(found, default=None),
    )
