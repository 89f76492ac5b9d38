"""Lines and their ends, bad bytes, long lines; and that it does not matter where a stream is cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.formats.reading import EXAMPLES, read_all
from transforms.arrow.arrays import take
from transforms.arrow.strings import split_columns, view_array
from transforms.core.errors import CorruptStreamError
from transforms.formats.encoding import utf8
from transforms.formats.lines import line_blocks, split_lines

# Name, bytes; messages, blank lines, replaced byte sequences.
_TEXTS: list[tuple[str, bytes, list[str], int, int]] = [
    ("nothing", b"", [], 0, 0),
    ("one line", b"a\n", ["a"], 0, 0),
    ("no newline at the end", b"a\nb", ["a", "b"], 0, 0),
    ("CRLF", b"a\r\nb\r\n", ["a", "b"], 0, 0),
    ("CR at the end", b"a\nb\r", ["a", "b"], 0, 0),
    ("one CR of two", b"a\r\r\n", ["a\r"], 0, 0),
    ("lone CR", b"a\rb\n", ["a\rb"], 0, 0),
    ("blank", b"\n\na\n\r\n\n", ["a"], 4, 0),
    ("CR alone", b"\r", [], 1, 0),
    ("white space is no blank", b" \n\t\n", [" ", "\t"], 0, 0),
    ("NUL", b"a\0b\n\0\n", ["a\0b", "\0"], 0, 0),
    ("other line separators", "a\x0bb\x0cc\x85d\u2028e\n".encode(), ["a\x0bb\x0cc\x85d\u2028e"], 0, 0),
    ("short and long", b"\n".join([b"x" * size for size in range(1, 40)]), ["x" * size for size in range(1, 40)], 0, 0),
    ("UTF-8", "é\nß漢😀\n".encode(), ["é", "ß漢😀"], 0, 0),
    ("byte order mark", b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", ["a", "\ufeffb"], 0, 0),
    ("byte order mark alone", b"\xef\xbb\xbf", [], 0, 0),
    ("part of a mark", b"\xef\xbb", ["\ufffd"], 0, 1),
    ("bad bytes", b"a\xffb\xfe\nc\n", ["a\ufffdb\ufffd", "c"], 0, 2),
    ("cut character", b"a\xe2\x82\nb\xe2\x82", ["a\ufffd", "b\ufffd"], 0, 2),
    ("surrogate in UTF-8", b"\xed\xa0\x80\n", ["\ufffd\ufffd\ufffd"], 0, 3),
    ("overlong", b"\xc0\xaf\n", ["\ufffd\ufffd"], 0, 2),
    ("U+FFFD itself", "\ufffd\n".encode() + b"\xff\xef\xbf\xbd\n", ["\ufffd", "\ufffd\ufffd"], 0, 1),
    ("Latin-1", "Füße\nja\n".encode("latin-1"), ["F\ufffd\ufffde", "ja"], 0, 2),
    ("UTF-16 little", "a\r\né😀\n".encode("utf-16"), ["a", "é😀"], 0, 0),
    ("UTF-16 big", "\ufeffa\né😀".encode("utf-16-be"), ["a", "é😀"], 0, 0),
    ("UTF-16 lone surrogate", b"\xff\xfe\x00\xd8a\0\n\0", ["\ufffda"], 0, 1),
    ("UTF-16 reversed pair", b"\xff\xfe\x00\xde\x3d\xd8\n\0", ["\ufffd\ufffd"], 0, 2),
    ("UTF-16 with an odd byte", b"\xff\xfea\0b", ["a\ufffd"], 0, 1),
    ("UTF-16 mark alone", b"\xfe\xff", [], 0, 0),
]  # fmt: skip


@pytest.mark.parametrize("cut", [None, 1, 2, 7])
@pytest.mark.parametrize(
    ("data", "messages", "blank", "replaced"), [row[1:] for row in _TEXTS], ids=[row[0] for row in _TEXTS]
)
def test_text(data: bytes, messages: list[str], blank: int, replaced: int, cut: int | None) -> None:
    reading = read_all(data, "text", cut=cut)
    assert reading.messages == messages
    assert reading.errors == [None] * len(messages)
    assert (reading.blank, reading.header, reading.replaced) == (blank, 0, replaced)


@pytest.mark.parametrize("cut", [None, 1, 3, 16])
def test_long_lines_are_cut_at_a_character(cut: int | None) -> None:
    lines = ["x" * 10, "x" * 11, "é" * 5, "é" * 6, "xé" * 4, "😀" * 100, "x" * 9 + "\ufffd", "short"]
    reading = read_all("\r\n".join(lines).encode(), "text", cut=cut, max_record=10)
    assert reading.messages == ["x" * 10, "x" * 10, "é" * 5, "é" * 5, "xéxéxéx", "😀😀", "x" * 9, "short"]
    assert reading.errors == [None, "record_too_long", None, *["record_too_long"] * 4, None]


def test_memory_is_bounded_without_newlines() -> None:
    chunks = (b"x" * 1000 for _ in range(10_000))
    assert [len(block) for block in line_blocks(chunks, max_record=3000)] <= [10_000]


def test_blocks_are_large() -> None:
    chunks = (b"0123456\n" * 128 for _ in range(20 << 10))
    sizes = [len(block) for block in line_blocks(chunks, max_record=100)]
    assert sizes == [8 << 20, 8 << 20, 4 << 20]


def test_stream_that_breaks_at_once() -> None:
    def chunks() -> Iterator[bytes]:
        yield from ()
        raise CorruptStreamError("here")

    with pytest.raises(CorruptStreamError, match="here"):
        list(utf8(chunks()))


_MULTILINE = b"\n  before\n[1] a\n\n  b\r\n\r\n[2] c\n[3] d\n x\n\n\n"


@pytest.mark.parametrize("cut", [None, 1, 5])
def test_multiline(cut: int | None) -> None:
    reading = read_all(_MULTILINE, "text", cut=cut, multiline_start=r"^\[")
    assert reading.messages == ["  before", "[1] a\n\n  b", "[2] c", "[3] d\n x"]
    assert reading.blank == 5


@pytest.mark.parametrize("cut", [None, 1, 5])
def test_multiline_too_long(cut: int | None) -> None:
    data = b"[1] a\n" + b" bbb\n\n" * 50 + b"[2] c\n" + b"[3] " + b"x" * 40 + b"\n y\n[4] d"
    reading = read_all(data, "text", cut=cut, multiline_start=r"^\[", max_record=12)
    assert reading.messages == ["[1] a\n bbb\n\n", "[2] c", "[3] xxxxxxxx", "[4] d"]
    assert reading.errors == ["record_too_long", None, "record_too_long", None]
    assert reading.blank == 50


@pytest.mark.parametrize("cut", [None, 1, 5])
def test_multiline_too_long_behind_blank_lines(cut: int | None) -> None:
    """Blank lines at the end of an event are none of it, but those before a line that is cut off are."""
    reading = read_all(
        b"[1] a\n" + b"\n" * 30 + b" b\n[2] c\n" + b"\n" * 30, "text", cut=cut, multiline_start=r"^\[", max_record=12
    )
    assert list(zip(reading.messages, reading.errors, strict=True)) == [
        ("[1] a" + "\n" * 7, "record_too_long"),
        ("[2] c", None),
    ]
    assert reading.blank == 60


_TRACES = b"""[2016-12-19 16:31:47,999] TRACE Controller 0 epoch 36 started leader election (state.change.logger)
[2016-12-19 16:31:48,025] ERROR Controller 0 epoch 36 failed (state.change.logger)
kafka.common.NoReplicaOnlineException: No replica for partition [a,19] is alive. Live brokers are: [Set()]
\tat kafka.controller.OfflinePartitionLeaderSelector.selectLeader(PartitionLeaderSelector.scala:75)

Caused by: java.io.IOException
\t... 1 more
[2016-12-19 16:31:48,026] INFO goes on
"""


@pytest.mark.parametrize("cut", [None, 1, 7, 64, 4096])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_stack_traces_are_one_event_each(end: bytes, cut: int | None) -> None:
    reading = read_all(_TRACES.replace(b"\n", end), "text", cut=cut, multiline_start=r"^\[\d{4}-")
    assert [message.count("\n") for message in reading.messages] == [0, 5, 0]
    assert reading.messages[1].endswith("java.io.IOException" + end.decode() + "\t... 1 more")
    assert reading.blank == 1


_LINE = st.lists(
    st.sampled_from([b"a", b"bcdefghijklmnop", "é".encode(), "😀".encode(), b"\xff", b"\xe2\x82", b"\r", b"\0", b" "]),
    max_size=5,
)
_DATA = st.lists(_LINE.map(b"".join), max_size=8).map(b"\n".join)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    data=_DATA,
    cut=st.sampled_from([1, 2, 7, 64]),
    max_record=st.sampled_from([100, 10, 3]),
    multiline=st.sampled_from([None, "a"]),
)
def test_where_a_text_is_cut_does_not_matter(data: bytes, cut: int, max_record: int, multiline: str | None) -> None:
    whole = read_all(data, "text", max_record=max_record, multiline_start=multiline)
    assert read_all(data, "text", cut=cut, max_record=max_record, multiline_start=multiline) == whole
    if multiline is None:
        assert len(whole.rows) + whole.blank == data.count(b"\n") + (data != b"" and not data.endswith(b"\n"))


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=_DATA)
def test_text_is_what_python_reads(data: bytes) -> None:
    expected = [line.removesuffix("\r") for line in data.decode("utf-8", "replace").split("\n")]
    assert read_all(data, "text").messages == [line for line in expected if line]


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    text=_DATA.map(lambda data: data.decode("utf-8", "replace")),
    cut=st.sampled_from([1, 3, 64]),
    order=st.sampled_from(["le", "be"]),
)
def test_utf16_is_transcoded(text: str, cut: int, order: str) -> None:
    data = ("\ufeff" + text).encode(f"utf-16-{order}")
    assert read_all(data, "text", cut=cut) == read_all(text.encode(), "text")


@settings(max_examples=EXAMPLES, deadline=None)
@given(words=st.lists(st.text(max_size=16), max_size=20), chosen=st.lists(st.integers(-1, 19), max_size=30))
def test_views(words: list[str], chosen: list[int]) -> None:
    encoded = [word.encode("utf-8", "replace") for word in words]
    lengths = np.array([len(word) for word in encoded], np.int64)
    array = view_array(b"".join(encoded), np.cumsum(lengths) - lengths, lengths)
    array.validate(full=True)
    expected = [word.decode() for word in encoded]
    assert array.to_pylist() == expected
    rows = [row for row in chosen if row < len(words)]
    taken = take(array, np.array(rows, np.int64))
    taken.validate(full=True)
    assert taken.to_pylist() == [expected[row] if row >= 0 else None for row in rows]
    part = take(taken.slice(1), np.arange(max(len(rows) - 1, 0)))
    assert part.to_pylist() == taken.to_pylist()[1:]


def test_columns_of_lists() -> None:
    lists = pa.array([["a", None], [None, "a long text, not inline"], ["b", "c"]], pa.list_(pa.string_view()))
    columns, found = split_columns(lists, 2)
    assert [column.to_pylist() for column in columns] == [["a", None, "b"], [None, "a long text, not inline", "c"]]
    assert found.tolist() == [1, 1, 2]
    columns, found = split_columns(lists.slice(1), 2)
    assert [column.to_pylist() for column in columns] == [[None, "b"], ["a long text, not inline", "c"]]


def test_lines_share_the_block() -> None:
    """No text is copied: the array's data buffer is the block."""
    block = b"a line that is not inline\nand another one of that kind\n"
    array = split_lines(block, max_record=100).array()
    assert array.buffers()[2].address == array.slice(1).buffers()[2].address
    assert array.buffers()[2].size == len(block)


_LONG = b"x" * 100
_CUT = [
    ("text", "text", b"short\n" + _LONG + b"\nshort", {}, 90),
    ("text, twice, and without an end", "text", _LONG + b"\r\n" + _LONG, {}, 91 + 90),
    ("text, a character", "text", "é".encode() * 6 + b"\n", {}, 2),
    ("text, a little", "text", b"x" * 11 + b"\r\n", {}, 1),
    ("events of several lines", "text", b"[1] a\n" + b" b\n" * 30 + b"[2]\n", {"multiline_start": r"^\["}, 86),
    ("events, one long line", "text", b"[1]\n" + _LONG + b"\n[2]\n" + b"\n" * 50, {"multiline_start": r"^\["}, 95),
    ("csv", "csv", b"a,b\n1,2\n" + _LONG + b",1\n3,4\n", {}, 92),
    ("csv, in quotes over lines", "csv", b'a,b\n1,"x\n' + _LONG + b'\n"\n3,4\n', {}, 90),
    ("splunk_csv", "splunk_csv", b"_raw,_time\n" + _LONG + b",1\n", {}, 92),
    ("w3c", "w3c", b"#Fields: a\n" + _LONG + b" 1\nx\n", {}, 92),
    ("zeek", "zeek", b"#fields\ta\n" + _LONG + b"\nx\n", {}, 90),
    ("json", "json", b'{"a":1}\n{"a":"' + _LONG + b'"}\n', {}, 98),
    ("splunk_hec", "splunk_hec", b'{"event":"' + _LONG + b'"}\n{"event":"a"}\n', {}, 105),
    ("nothing", "text", b"x" * 10 + b"\n\n\n", {}, 0),
]


@pytest.mark.parametrize("cut", [None, 1, 7, 64])
@pytest.mark.parametrize(
    ("name", "data", "options", "bytes_cut"), [row[1:] for row in _CUT], ids=[row[0] for row in _CUT]
)
def test_bytes_that_are_not_kept_are_counted(
    name: str, data: bytes, options: dict[str, Any], bytes_cut: int, cut: int | None
) -> None:
    """Of events of several lines those beyond the limit, up to where the next begins."""
    assert read_all(data, name, cut=cut, max_record=10, **options).cut == bytes_cut
