r"""Zeek's logs of tab-separated values (https://docs.zeek.org/en/master/log-formats.html).

Sets and vectors stay text as they are written, and so does what Zeek escapes (`\x09`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from transforms.formats.csv.rows import header_names
from transforms.formats.directives.cells import RowLayout
from transforms.formats.directives.detection import leading_directives
from transforms.formats.directives.mixed_rows import HeadedRows, closed_up, joined, spread_times
from transforms.formats.directives.sections import DirectiveLog, Header
from transforms.formats.encoding import utf8
from transforms.formats.format import FormatChoice, FormatSample
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.times import RecordTimes

_ESCAPED = re.compile(r"\\x([0-9a-fA-F]{2})")
_SEPARATOR = "#separator "


@dataclass(frozen=True)
class ZeekHeader:
    """What the header lines of Zeek say up to some line.

    Attributes:
        layout: By the last `#separator`, `#fields`, `#unset_field` and `#empty_field`.
    """

    layout: RowLayout = RowLayout(separator="\t", unset="-", empty="(empty)")

    @property
    def kind(self) -> RowLayout:
        """How rows are written."""
        return self.layout

    @property
    def needs_rows_before(self) -> bool:
        """Each row has its own time."""
        return False

    def after(self, directive: str) -> ZeekHeader:
        """Return the header behind one more line of it."""
        if directive.startswith(_SEPARATOR):
            written = directive[len(_SEPARATOR) :]
            separator = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), written.strip(" ") or written)
            return ZeekHeader(replace(self.layout, separator=separator or "\t"))
        name, _, value = directive.partition(self.layout.separator)
        if name == "#fields":
            names = tuple(header_names(value.split(self.layout.separator)))
            return ZeekHeader(replace(self.layout, names=names))
        if name == "#unset_field":
            return ZeekHeader(replace(self.layout, unset=value))
        if name == "#empty_field":
            return ZeekHeader(replace(self.layout, empty=value))
        return self


class ZeekTimes:
    """Finds the times of one object's rows."""

    def __init__(self, options: FormatOptions, times: ObjectTimes) -> None:
        """Prepare for an object."""
        self._times = RecordTimes(options, times)

    def columns(self, parts: Sequence[HeadedRows[Header]], total: int) -> dict[str, pa.Array]:
        """Return `_time` and `_time_source` by `ts`; where there is none, by another field named for a time."""
        stamps = [(part.rows, part.fields["ts"]) for part in parts if "ts" in part.fields]
        others = [part for part in parts if "ts" not in part.headers[0][0].layout.names and part.fields]
        found = []
        if stamps:
            rows, texts = joined(stamps)
            found.append((rows, self._times.columns({"ts": texts})))
        if others:
            rows, fields = closed_up(others)
            found.append((rows, self._times.columns(fields)))
        return spread_times(found, total)


def _recognise(sample: FormatSample) -> FormatChoice | str:
    if _has_header(sample.text):
        return FormatChoice(format="zeek", rule="begins with #separator and #fields")
    return ""


def _mismatch(head: bytes, options: FormatOptions) -> str | None:
    del options
    found = _has_header(b"".join(utf8([head])).decode("utf-8", "replace"))
    return None if found else "it does not begin with #separator and #fields"


def _has_header(text: str) -> bool:
    lines = list(leading_directives(text))
    return any(line.startswith(_SEPARATOR) for line in lines) and any(line.startswith("#fields") for line in lines)


_LOG = DirectiveLog(start=ZeekHeader(), times=lambda options, times: ZeekTimes(options, times).columns)
READER = _LOG.reader(recognise=_recognise, mismatch=_mismatch)
