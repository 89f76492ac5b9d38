"""Parts of an object, read by themselves, give what the whole gives: CSV's need its beginning for that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.formats.reading import EXAMPLES, MODIFIED, Reading, add, read_all
from transforms.formats.csv import csv_format
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.text import text_format

_CLOCK = ObjectTimes(modified=MODIFIED, received=MODIFIED)


def read_parts(data: bytes, places: list[int], format_name: str, **options: object) -> Reading:
    """Read an object in parts, the first from its beginning and the others by their head."""
    module = {"csv": csv_format, "text": text_format}[format_name]
    settings_ = FormatOptions(format=format_name, **options)  # type: ignore[arg-type]
    reading = Reading()
    for low, high in zip([0, *places], [*places, len(data)], strict=True):
        part = _chunks(data[low:high])
        head = data[: vars(csv_format)["HEAD_BYTES"]]
        for block in (
            module.read(part, settings_, _CLOCK) if low == 0 else module.read_range(head, part, settings_, _CLOCK)
        ):
            add(reading, block)
    return reading


def _chunks(data: bytes) -> Iterator[bytes]:
    return (data[start : start + 50] for start in range(0, len(data), 50))


_ROWS = [b"%d,2024-01-01 00:00:%02d,a\n" % (row, row) for row in range(30)] + [
    b"%d,x,2024-02-02\n" % row for row in range(30)
]
_TEXT = b"".join(_ROWS)

# Name, what stands before the rows, options; the names that have values.
_HEADERS = [
    ("header", b"id,began,other\n", {}, ["id", "began", "other"]),
    ("byte order mark", b"\xef\xbb\xbfid,began,other\n", {}, ["id", "began", "other"]),
    ("blank lines", b"\n\r\nid,began,other\n", {}, ["id", "began", "other"]),
    ("quoted over lines", b'"i\nd",began,other\n', {}, ["i\nd", "began", "other"]),
    ("skipped lines", b'x"y\nid,began,other\n', {"skip_rows": 1}, ["id", "began", "other"]),
    ("given", b"", {"headers": ("a", "b", "c")}, ["a", "b", "c"]),
    ("another delimiter", b"all\n", {"delimiter": ";"}, ["all"]),
]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize(
    ("before", "options", "names"), [case[1:] for case in _HEADERS], ids=[case[0] for case in _HEADERS]
)
def test_csv_in_parts(before: bytes, options: dict[str, Any], names: list[str], end: bytes) -> None:
    data = (
        before + _TEXT
        if end == b"\n"
        else before.replace(b"\r\n", b"\n").replace(b"\n", end) + _TEXT.replace(b"\n", end)
    )
    names = [name.replace("\n", "\r\n") if end == b"\r\n" else name for name in names]
    places = [data.index(_ROWS[row].replace(b"\n", end), 100) for row in (25, 31, 32, 59)]
    with mock.patch("transforms.formats.csv.csv_format.HEAD_BYTES", 600):
        whole = read_all(data, "csv", **options)
        assert read_parts(data, places, "csv", **options) == whole
    assert list(whole.fields[0]) == names
    assert ["_time" in row for row in whole.rows] == [names != ["all"]] * 30 + [False] * 30


def test_csv_in_parts_of_utf16() -> None:
    data = ("\ufeff" + (b"id,began,other\n" + _TEXT).decode()).encode("utf-16-be")
    place = data.index("29,2024".encode("utf-16-be"))
    with mock.patch("transforms.formats.csv.csv_format.HEAD_BYTES", 1200):
        assert read_parts(data, [place], "csv") == read_all(data, "csv")


def test_csv_without_a_header_in_its_head() -> None:
    for head in (b"", b"\n\n", b'"a,b'):
        with (
            pytest.raises(ValueError, match="no header of CSV"),
            mock.patch("transforms.formats.csv.csv_format.HEAD_BYTES", len(head)),
        ):
            list(csv_format.read_range(head, iter([b"1,2\n"]), FormatOptions(format="csv"), _CLOCK))


@settings(max_examples=EXAMPLES // 4, deadline=None)
@given(
    rows=st.lists(
        st.sampled_from([b"1,2024-01-02\n", b'"x\ny",\n', b"\n", b"1,2,3\n", b"\xff,x\n"]), min_size=1, max_size=12
    ),
    head=st.integers(5, 80),
    data=st.data(),
)
def test_any_csv_in_parts(rows: list[bytes], head: int, data: st.DataObject) -> None:
    places = [len(b"".join(rows[:row])) + 4 for row in range(len(rows) + 1)]
    chosen = data.draw(st.lists(st.sampled_from(places), unique=True, max_size=3).map(sorted))
    text = b"a,b\n" + b"".join(rows)
    with mock.patch("transforms.formats.csv.csv_format.HEAD_BYTES", head):
        whole = read_all(text, "csv")
        assert read_parts(text, [place for place in chosen if head <= place < len(text)], "csv") == whole


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("multiline", [None, "^x"])
def test_text_in_parts(encoding: str, multiline: str | None) -> None:
    parts = ["x1\n\n  é\n", "\ufeffx2\r\n", "x\ufeff3"] if multiline is None else ["x1\n\n  é\n", "x2\r\n y\n", "x3"]
    data = "".join(parts).encode(encoding)
    lengths = [len(part.encode(encoding)) - len("".encode(encoding)) for part in parts]
    start = len("".encode(encoding))
    places = [start + lengths[0], start + lengths[0] + lengths[1]]
    assert read_parts(data, places, "text", multiline_start=multiline) == read_all(
        data, "text", multiline_start=multiline
    )
