r"""The forms that a time is written in: one table, used for columns of times and for stamps within text.

A form is a regular expression whose named groups are the parts of a time; how parts become an instant is the same for
all of them (`reading.py`), so that a new form is one row here and one in the test table. Patterns stay within what both
Rust's engine (whole columns) and Python's `re` (one sampled value) understand alike: no look-around, `[0-9]` for
digits, `\b` for an ASCII word boundary.

Parts: `year` `yy` `month` `mon` `day` `first` `second_number` (month first unless impossible) `hour` `minute` `second`
    `fraction` `ampm`
`zone` `short_zone` `region` `weekday` (read and ignored) `year_behind` (asctime), and `epoch`, `tai` for the two forms
that count seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from transforms.timestamps.grammar.months import ENGLISH_MONTH, WEEKDAY, WEEKDAY_NAME
from transforms.timestamps.grammar.months import MONTH as _MON
from transforms.timestamps.grammar.zones import COMMENT, SOME_ZONE, UNREAD

_YEAR = "(?P<year>(?:19|20)[0-9]{2})"
_YY = "(?P<yy>[0-9]{2})"
_MONTH = "(?P<month>0?[1-9]|1[0-2])"
_MM = "(?P<month>0[1-9]|1[0-2])"
_DAY = "(?P<day>0?[1-9]|[12][0-9]|3[01])"
_DD = "(?P<day>0[1-9]|[12][0-9]|3[01])"
_PADDED_DAY = "(?P<day>[ 0]?[1-9]|[12][0-9]|3[01])"
_FIRST = "(?P<first>0?[1-9]|[12][0-9]|3[01])"
_SECOND_NUMBER = "(?P<second_number>0?[1-9]|[12][0-9]|3[01])"
_HOUR = "(?P<hour>[01]?[0-9]|2[0-4])"  # 24:00 is the end of the day
_HH = "(?P<hour>[01][0-9]|2[0-4])"
_MINUTE = "(?P<minute>[0-5][0-9])"
_SECOND = "(?P<second>[0-5][0-9]|60)"
_FRACTION = "(?:[.,:](?P<fraction>[0-9]+))?"
_SOME_ZONE_IN_TEXT = rf"(?:{SOME_ZONE}(?:[.:][0-9]+)?)"
# In a line, digits after a comma are a fraction only if they look like one: `05,123 INFO` is, and so is what stands
# before a zone (`05,1Z`), the next cell of `05,17,ok` is not.
_FRACTION_IN_TEXT = (
    rf"(?:\.[0-9]+|,[0-9]{{1,12}}{_SOME_ZONE_IN_TEXT}|,[0-9]{{3}}(?:[0-9]{{3}}){{0,2}}\b|:[0-9]{{3}}\b)?"
)
_SECONDS = f"(?::{_SECOND}{_FRACTION})?"
_SECONDS_IN_TEXT = f"(?::{_SECOND}{_FRACTION_IN_TEXT}|:[0-9]+)?"  # not the minutes alone of `03:04:99`
_AMPM = "(?:[ \u202f]?(?P<ampm>[AaPp](?:[Mm]\\b|\\. ?[Mm]\\.)))?"  # CLDR writes the narrow space since 2022
_ZONE = f"(?:{SOME_ZONE}{COMMENT})?"
_DATE = f"{_YEAR}[-/.]{_MONTH}[-/.]{_DAY}"
_SPACE = r"(?:[T t_:\t,;|-]|  |, | - |[ ,]time=)"
_CLOCK = f"{_HOUR}:{_MINUTE}:{_SECOND}{_FRACTION}"
_OF_YEAR = "(?P<day_of_year>00[1-9]|0[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6])"
_WEEK = "W(?P<week>0[1-9]|[1-4][0-9]|5[0-3])-(?P<day_of_week>[1-7])"

PARTS = {"mon": ENGLISH_MONTH, "weekday": WEEKDAY_NAME, "padded_day": _PADDED_DAY}
"""Patterns of parts that are words, for patterns that users write."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a time.

    Attributes:
        name: What the tests, and the formats of the `timestamp` processor, call it.
        pattern: The stamp, with the named groups of the module's docstring.
        in_text: Whether it is looked for in lines; a field is compared with every form.
        number: Whether it is a bare number, which is a time only in the fields named for one.
        before: What a stamp in a line comes after.
        closed: Whether the pattern itself takes what ends it in a line.
        exact: Whether a whole value is the pattern and no more (a user's own), without weekday and brackets around it.
    """

    name: str
    pattern: str
    in_text: bool = True
    number: bool = False
    before: str = r"\b"
    exact: bool = False
    closed: bool = False

    @property
    def field(self) -> str:
        """The pattern of a whole value, with the weekday and the brackets that a value may keep from its line."""
        if self.exact:
            return f"^(?:{self.pattern})$"
        return rf"^\[?{WEEKDAY}{self.pattern}\]?$"

    @property
    def text(self) -> str:
        """The pattern of the stamp within a line, without groups."""
        pattern = self.pattern.replace(COMMENT, "").replace(SOME_ZONE, _SOME_ZONE_IN_TEXT)
        pattern = pattern.replace(_SECONDS, _SECONDS_IN_TEXT).replace(_FRACTION, _FRACTION_IN_TEXT)
        return self.before + without_groups(pattern) + ("" if self.closed else f"{UNREAD}?")


# In a line the leftmost stamp wins, and of those that begin at one character the first of the table: longer ones stand
# before shorter.
FORMS = (
    Form("iso_8601",
         rf"{_DATE}{_SPACE}{_HOUR}:{_MINUTE}{_SECONDS}{_AMPM}{_ZONE}"),
    Form("date", _DATE, in_text=False),
    Form("ordinal", rf"{_YEAR}-{_OF_YEAR}[T ]{_HOUR}:{_MINUTE}{_SECONDS}{_ZONE}"),
    Form("ordinal_date", f"{_YEAR}-{_OF_YEAR}", in_text=False),
    Form("week", rf"{_YEAR}-{_WEEK}[T ]{_HOUR}:{_MINUTE}{_SECONDS}{_ZONE}"),
    Form("week_date", f"{_YEAR}-{_WEEK}", in_text=False),
    Form("dotted_clock", rf"{_YEAR}[-.]{_MM}[-.]{_DD}[- ]{_HH}\.{_MINUTE}\.{_SECOND}{_FRACTION}"),
    Form("compact", rf"{_YEAR}{_MM}{_DD}[T _-]{_HH}{_MINUTE}{_SECOND}{_FRACTION}(?:{SOME_ZONE}{COMMENT}|\b)"),
    Form("compact_date", f"{_YEAR}{_MM}{_DD}[T _-]{_HOUR}:{_MINUTE}:{_SECOND}(?:[.,:](?P<fraction>[0-9]+))?{_ZONE}"),
    Form("compact_day", f"{_YEAR}{_MM}{_DD}", in_text=False, number=True),
    Form("digits", f"{_YEAR}{_MM}{_DD}{_HH}{_MINUTE}{_SECOND}(?:\\.(?P<fraction>[0-9]+))?", in_text=False, number=True),
    Form("clf", rf"{_DAY}/{_MON}/{_YEAR}[: ]{_CLOCK}{_AMPM}{_ZONE}"),
    Form("http_date", rf"{_DAY}(?:[- ]|\.? | de )?{_MON}(?:[- ]| de )?{_YEAR},?(?: at)?[ :;]{_CLOCK}{_AMPM}{_ZONE}"),
    Form("year_mon", rf"{_YEAR}[ /-]{_MON}[ /-]{_PADDED_DAY}[ :]{_CLOCK}{_ZONE}"),
    Form("rfc_850", rf"{_DAY}-{_MON}-{_YY} {_CLOCK}{_AMPM}{_ZONE}"),
    Form("asctime", rf"{_MON} {{1,2}}{_PADDED_DAY} {_CLOCK}{_ZONE} (?P<year_behind>(?:19|20)[0-9]{{2}})(?:[\] ,;]|$)",
         closed=True),
    Form("month_day_year", rf"{_MON} {{1,2}}{_PADDED_DAY},? {_YEAR},?(?: at)? {{1,2}}{_CLOCK}{_AMPM}{_ZONE}"),
    Form("syslog", rf"{_MON} {{1,2}}{_PADDED_DAY} {_CLOCK}{_ZONE}"),
    Form("day_month", rf"{_DAY}\.? {_MON} {_CLOCK}{_ZONE}"),
    Form("month_dash", rf"{_MON}-{_DAY}-(?:{_YEAR}|{_YY}) {_CLOCK}{_AMPM}{_ZONE}"),
    Form(
        "month_first",
        rf"{_FIRST}[/-]{_SECOND_NUMBER}[/-]{_YEAR}"
        rf"(?:[ :T,;-]|, | - ){_HOUR}:{_MINUTE}{_SECONDS}{_AMPM}{_ZONE}",
    ),
    Form("month_first_date", rf"{_FIRST}[/-]{_SECOND_NUMBER}[/-]{_YEAR}", in_text=False),
    Form("mon_date", rf"{_MON} {{1,2}}{_PADDED_DAY},? {_YEAR}", in_text=False),
    Form("day_mon_date", rf"{_DAY}[- /]{_MON}[- /]{_YEAR}", in_text=False),
    Form("day_first_date", rf"{_DAY}\.{_MONTH}\.{_YEAR}", in_text=False),
    Form("day_first", rf"{_DAY}\.{_MONTH}\.{_YEAR}(?:,? | - ){_HOUR}:{_MINUTE}{_SECONDS}{_ZONE}"),
    # in text: the end of an address
    Form("day_first_short", rf"{_DD}\.{_MM}\.{_YY}(?:,? | - ){_CLOCK}{_ZONE}", in_text=False),
    Form("month_first_ampm", rf"{_FIRST}/{_SECOND_NUMBER}/{_YY},? {_CLOCK} ?(?P<ampm>[AaPp][Mm])\b{_ZONE}"),
    Form("short_year", rf"{_YY}/{_MM}/{_DD} {_CLOCK}{_ZONE}"),
    # What short_year does not read, so that no value has two readings.
    Form("month_first_short", rf"(?P<month>[1-9])/{_DAY}/{_YY},? {_CLOCK}{_ZONE}"),
    Form("month_first_late", rf"{_MM}/(?P<day>[1-9]|1[3-9]|2[0-9]|3[01])/{_YY},? {_CLOCK}{_ZONE}"),
    Form("mysql", rf"{_YY}{_MM}{_DD} {{1,2}}{_HOUR}:{_MINUTE}:{_SECOND}{_FRACTION}"),
    Form("hdfs", rf"{_YY}{_MM}{_DD} {_HH}{_MINUTE}{_SECOND}\b", before="^"),
    Form("klog", rf"[IWEF]{_MM}{_DD} {{1,2}}{_HH}:{_MINUTE}:{_SECOND}\.(?P<fraction>[0-9]+)", before="^"),
    Form("android", rf"{_MM}-{_DD} {_HH}:{_MINUTE}:{_SECOND}\.(?P<fraction>[0-9]+)"),
    Form("bracketed_month", rf"\[{_MM}\.{_DD} {_HH}:{_MINUTE}:{_SECOND}", before=""),
    Form("audit", r"audit\((?P<epoch>[0-9]{1,10})\.(?P<fraction>[0-9]+):[0-9]+\)"),
    Form("tai64n", "@(?P<tai>4[0-9a-f]{23})", before=""),
)  # fmt: skip

SHORT_YEAR = "short_year"
MONTH_FIRST_TWIN = Form("month_first_twin", rf"{_MM}/{_DD}/{_YY} {_CLOCK}{_ZONE}")
"""The other reading of what `short_year` reads: Spark writes the year first, Windows the month."""

EPOCH = Form("epoch", r"\+?[0-9]{1,40}(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?", in_text=False, number=True, exact=True)
"""A bare number (`epochs.py`)."""

_COUNT = r"(?P<count>1[0-9]{9}(?:\.[0-9]{1,9})?|1[0-9]{12}(?:\.[0-9]{1,6})?|1[0-9]{15}|1[0-9]{18})"
_COUNT_ENDS = r"(?:[ \t|,;:\])\"']|$)"
COUNTS = (
    Form("epoch_first", rf"[\[(]?{_COUNT}{_COUNT_ENDS}", before=r"^", closed=True, exact=True),
    Form(
        "epoch_key",
        rf"(?:ts|time|timestamp|rt|devTime|eventtime)=[\"']?{_COUNT}{_COUNT_ENDS}",
        closed=True,
        exact=True,
    ),
)
"""Epochs in lines: at the beginning, and after the names that logfmt, CEF, LEEF and Fortinet have for them."""


def without_groups(pattern: str) -> str:
    """Make a pattern's groups nameless and uncaptured, so that several patterns can stand in one."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


def for_rust(pattern: str) -> str:
    """Write a pattern of this table for Rust's engine, whose word boundaries are Unicode's, and slow, by default."""
    return pattern.replace(r"\b", r"(?-u:\b)")


def for_python(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of this table for one sampled value."""
    return re.compile(pattern, re.ASCII)
