"""Ten thousand files of CSV, of text and of logs with directives: the fast path reads what a slow one reads, wherever the stream is cut."""

# ruff: noqa: E501  tables of cases, a row a line
from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import many
from tests.transforms.formats.reading import TOLERANT, read_all

_MANY = settings(max_examples=many(10_000), deadline=None, database=None, suppress_health_check=list(HealthCheck))
_CUTS = [8 << 20] * 16 + [4096] * 2 + [64, 64, 7, 1]  # small ones cost a call of pyarrow a row
_TOLERANT = {"transforms.formats.csv.table.can_be_fast": lambda lines, delimiter: False}

_CELLS = [
    b"", b"a", b" b ", b"1", b"2024-01-02T03:04:05Z", b"2024-01-02 03:04:05,123", b"03/01/2024 01:02:03", b"Feb 29 01:02:03", b"1704164645",
    "é漢😀".encode(), b'"q"', b'"a,b"', b'"x\ny"', b'"x\r\ny"', b'"d""q"', b'""', b'"2024-01-02"', b'mid"dle', b'"after"x', b'"', b'"open',
    b"\xff", b"\xe2\x82", b"nul\0", b"cr\rcr", b"a longer cell that no view holds within itself",
]  # fmt: skip
_CSV_ROW = st.one_of(
    st.sampled_from([b"2024-01-02 03:04:05,x,1", b'2024-01-02 03:04:06,"x",2', b"", b"\r"]),
    st.lists(st.sampled_from(_CELLS), min_size=1, max_size=4).map(b",".join),
)
_HEADERS = [
    b"time,a,b",
    b"time,ts",
    b"began,a,b",
    b'"a","a",',
    b"date,time,x",
    b"",
    b"\xef\xbb\xbfts,b",
    b'"a\nb",c',
    b"a",
]
_ENDS = [b"\n", b"\r\n"]

_LINES = [
    b"", b"\r", b" ", b"a", b"[2024-01-02 03:04:05,678] INFO x", b"[2024-01-02] at", b"\tat a.B.c(B.java:1)", b"Feb 29 01:02:03 host x",
    b"\xff\xc0", b"\xed\xa0\x80", b"nul\0", b"cr\rcr", "é漢😀".encode(), b"a line that is longer than sixteen bytes", "\ufeffx".encode(),
    b"x" * 40,
]  # fmt: skip


@pytest.mark.slow
@_MANY
@given(
    header=st.sampled_from(_HEADERS),
    rows=st.lists(_CSV_ROW, max_size=5),
    end=st.sampled_from(_ENDS),
    last=st.booleans(),
    cut=st.sampled_from(_CUTS),
    max_record=st.sampled_from([1000, 1000, 12]),
)
def test_csv(header: bytes, rows: list[bytes], end: bytes, cut: int, max_record: int, *, last: bool) -> None:
    data = end.join([header, *rows]) + (end if last else b"")
    fast = read_all(data, "csv", cut=cut if len(data) > cut else None, max_record=max_record)
    assert fast == read_all(data, "csv", patches=_TOLERANT, max_record=max_record)


@pytest.mark.slow
@_MANY
@given(
    lines=st.lists(st.sampled_from(_LINES), max_size=8),
    end=st.sampled_from(_ENDS),
    encoding=st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"]),
    cut=st.sampled_from(_CUTS),
    max_record=st.sampled_from([1000, 1000, 16]),
    multiline=st.sampled_from([None, r"^\[\d{4}-"]),
)
def test_text(lines: list[bytes], end: bytes, encoding: str, cut: int, max_record: int, multiline: str | None) -> None:
    data = end.join(lines)
    if encoding != "utf-8":
        data = data.decode("utf-8", "replace").encode(encoding)
    found = read_all(
        data, "text", cut=cut if len(data) > cut else None, max_record=max_record, multiline_start=multiline
    )
    assert (list(zip(found.messages, found.errors, strict=True)), found.blank) == _plainly(data, max_record, multiline)


def _plainly(data: bytes, max_record: int, multiline: str | None) -> tuple[list[tuple[str, str | None]], int]:
    """Read text as one would without haste: events with their errors, and the number of blank lines."""
    text = data.decode("utf-16" if data.startswith(b"\xff\xfe") else "utf-8-sig", "replace")
    events: list[str] = []
    blank, gap = 0, ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        content = re.sub(r"\r?\n$|\r$", "", line)
        if not content:
            blank += 1
            gap += line
        elif not events or multiline is None or re.search(multiline, content):
            events.append(content)
            gap = line[len(content) :]
        else:
            events[-1] += gap + content
            gap = line[len(content) :]
    return [_limited(event, max_record) for event in events], blank


def _limited(event: str, max_record: int) -> tuple[str, str | None]:
    encoded = event.encode()
    if len(encoded) <= max_record:
        return event, None
    return encoded[:max_record].decode(errors="ignore"), "record_too_long"


_DIRECTIVES = [
    b"#Fields: date time c-ip cs(x)", b"#Fields: date-time,x", b"#Fields: time x", b"#Fields:\tdate\ttime", b"#Fields:", b"#Remark: \xff",
    b"#Date: 2024-02-28 23:00:00", b"#Start-Date: 2024-02-29", b"#separator \\x09", b"#separator |", b"#fields\tts\tuid\ttags",
    b"#fields|ts|uid", b"#unset_field\t(none)", b"#empty_field\t", b"#close\tx", b"#",
]  # fmt: skip
_ROWS = [
    b"2024-02-29 01:02:03 1.2.3.4 -", b"2024-02-29\t01:02:03\t::1\ta b", b'"2024-02-29" "01:02:03" "a b" ""', b'"a ""b""" x "> y',
    b"2024-02-29T01:02:03Z,x", b'2024-02-29T01:02:03Z,"x, y"', b"23:30:00 x", b"00:30:00 x", b"- x", b" a  b ", b"a\tb ", b"1704164645.5\tC1\t(empty)",
    b"1704164645.5\t-\t(none)", b"1704164645|C1", b'"\t"\t"', b"1 2 3 4 5 6 7", b"a,b,,", b"", b"\r", b"\xff\t\xe2\x82 x", "é漢😀 x".encode(), b"nul\0 cr\rx",
    b"x" * 40,
]  # fmt: skip


@pytest.mark.slow
@_MANY
@given(
    name=st.sampled_from(["w3c", "zeek"]),
    lines=st.lists(
        st.one_of(st.sampled_from(_DIRECTIVES), st.sampled_from(_ROWS), st.sampled_from(_ROWS)), max_size=10
    ),
    end=st.sampled_from(_ENDS),
    last=st.booleans(),
    cut=st.sampled_from(_CUTS),
    max_record=st.sampled_from([1000, 1000, 30]),
)
def test_directives(name: str, lines: list[bytes], end: bytes, cut: int, max_record: int, *, last: bool) -> None:
    data = end.join(lines) + (end if last else b"")
    fast = read_all(data, name, cut=cut if len(data) > cut else None, max_record=max_record)
    assert fast == read_all(data, name, patches=TOLERANT, max_record=max_record)
    assert len(fast.rows) + fast.blank + fast.header == data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
