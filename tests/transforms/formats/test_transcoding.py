"""Texts that are no UTF-8: what iconv wrote is read to the letter, whatever is cut, and bad bytes are counted."""

from __future__ import annotations

import encodings
import pkgutil
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.transforms.formats.cases import CASES
from transforms.core.errors import CorruptStreamError, UnsupportedError
from transforms.formats.options import FormatOptions
from transforms.formats.ranges import can_be_cut
from transforms.formats.transcoding import (
    choose_encoding,
    encoding_error,
    ends_lines_like_ascii,
    transcode,
    utf16_without_mark,
)
from transforms.objects.reading import Reading, ReadSettings
from transforms.storage import ObjectInfo

_MATRIX = Path(__file__).resolve().parents[2] / "data" / "matrix"
_NOW = datetime(2025, 9, 1, tzinfo=timezone.utc)
_CODECS = [
    module.name for module in pkgutil.iter_modules(encodings.__path__) if encoding_error(module.name) is None
]  # fmt: skip


def _read(data: bytes, key: str = "app.log", *, cut: int = 1 << 16, **options: Any) -> tuple[Reading, list[str]]:
    info = ObjectInfo(bucket="b", key=key, size=len(data), etag="e", modified=_NOW)
    reading = Reading(info, ReadSettings(task_id="t", formats=FormatOptions(**options)), received=_NOW)
    chunks = (data[start : start + cut] for start in range(0, len(data), cut))
    return reading, [text for batch in reading.batches(chunks) for text in batch.events["_message"].to_pylist()]


def _decode(name: str, data: bytes, cut: int) -> bytes:
    return b"".join(transcode(name, (data[start : start + cut] for start in range(0, len(data), cut))))


# Made by `printf TEXT | iconv -t ENCODING | xxd -p`.
_BY_ICONV = [
    ("windows-1252", "4772fcdf6520e020e90a", "Grüße à é"),
    ("iso-8859-15", "4772fcdf6520e020e90a", "Grüße à é"),
    ("koi8-r", "efdbc9c2cbc10a", "Ошибка"),
    ("cp866", "8ee8a8a1aaa00a", "Ошибка"),
    ("shift_jis", "8b4e93ae20835c955c0a", "起動 ソ表"),  # the last bytes of both are a backslash's
    ("euc-jp", "b5afc6b020a5bdc9bd0a", "起動 ソ表"),
    ("iso-2022-jp", "1b2442352f46301b2842201b2442253d493d1b28420a", "起動 ソ表"),
    ("gb18030", "b4edcef320a2e30a", "错误 €"),
    ("big5", "bff9bb7e0a", "錯誤"),
    ("cp949", "bfc0b7f90a", "오류"),
    ("utf-16-le", "47007200f600df00650020003dd800de0a00", "Größe 😀"),
    ("utf-16-be", "0047007200f600df00650020d83dde00000a", "Größe 😀"),
    ("utf-16", "47007200f600df00650020003dd800de0a00", "Größe 😀"),
    ("utf-16", "feff0047007200f600df00650020d83dde00000a", "Größe 😀"),
    ("utf-32", "4700000072000000f6000000df000000650000002000000000f601000a000000", "Größe 😀"),
    ("utf-32", "0000feff0000004700000072000000f60000000a", "Grö"),
    ("utf-7", "47722b4150594133772d65202b3244336541410a", "Größe 😀"),
    ("cp037", "c14096958525", "A one"),
]


@pytest.mark.parametrize("cut", [1, 2, 3, 1000])
@pytest.mark.parametrize(("encoding", "data", "text"), _BY_ICONV, ids=[f"{row[0]}-{row[2]}" for row in _BY_ICONV])
def test_what_iconv_wrote_is_read_to_the_letter(encoding: str, data: str, text: str, cut: int) -> None:
    reading, messages = _read(bytes.fromhex(data), cut=cut, encoding=encoding)
    assert (messages, reading.all_warnings()) == ([text], [])


def test_lines_of_ebcdic_end_with_nel() -> None:
    assert _read("A\x85B\x85".encode("cp037"), encoding="cp037", format="text")[1] == ["A", "B"]


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-16-le", "auto"])
@pytest.mark.parametrize("name", CASES)
def test_every_format_is_read_like_its_utf8(name: str, encoding: str) -> None:
    file = CASES[name].file
    data = (_MATRIX / file).read_bytes()[:20_000]
    text = (data[: data.rindex(b"\n") + 1]).decode().encode("windows-1252", "replace").decode("windows-1252")
    plain = _read(text.encode(), file)
    other = _read(text.encode("utf-16-le" if encoding == "auto" else encoding), file, cut=999, encoding=encoding)
    assert other[1] == plain[1]
    assert plain[0].format is not None and other[0].format is not None
    assert other[0].format.format == plain[0].format.format
    assert other[0].formats == replace(plain[0].formats, encoding=encoding)
    counts = [(read.records, read.blank, read.header, read.errors, read.replaced) for read, _ in (plain, other)]
    assert counts[0] == counts[1]


@pytest.mark.parametrize("name", [name for name in _CODECS if not name.startswith("utf_8")])
def test_cuts_change_nothing_and_bad_bytes_are_counted(name: str) -> None:
    chance = random.Random(name)
    for _ in range(30):
        data = bytes(
            chance.choice([chance.randrange(256), *b"\n\x1b$B(\x810+"]) for _ in range(chance.randrange(1, 60))
        )
        whole = _decode(choose_encoding(data, name).name, data, 1000)
        assert _decode(choose_encoding(data, name).name, data, chance.randrange(1, 5)) == whole
        whole.replace(b"\xff", b"").decode()


@pytest.mark.parametrize("name", _CODECS)
def test_every_codec_gives_what_python_decodes(name: str) -> None:
    letters = "".join(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x250), *range(0x400, 0x460), *range(0x3040, 0x30A0))))
    text = letters.encode(name, "ignore").decode(name) + "\n"
    assert _decode(choose_encoding(b"", name).name, text.encode(name), 3).decode().removeprefix("\ufeff") == text


# Encoding, bytes, message, replaced.
_FAULTS = [
    ("windows-1252", b"a\x81b\n", "a\ufffdb", 1),
    ("ascii", b"a\xe9\xe9\n", "a\ufffd\ufffd", 2),
    ("utf-8", b"a\xff\xe2\x82\n", "a\ufffd\ufffd", 2),
    ("shift_jis", b"a\x83", "a\ufffd", 1),
    ("shift_jis", b"a\x83\n", "a\ufffd", 1),
    ("shift_jis", b"\x83\x5c\x83", "ソ\ufffd", 1),
    ("gb18030", b"a\x81\x30\x81", "a\ufffd", 1),
    ("utf-16-le", b"a\0\n", "a\ufffd", 1),
    ("utf-16-le", b"a\0\x3d\xd8", "a\ufffd", 1),
    ("utf-16-le", b"\x3d\xd8a\0\n\0", "\ufffda", 1),
    ("utf-16-be", b"\xde\x00\0a\0\n", "\ufffda", 1),
    ("utf-32-le", b"a\0\0\0\xff\xff\xff\xff\n\0\0\0", "a\ufffd", 1),
    ("utf-32-le", b"a\0\0\0\n\0", "a\ufffd", 1),
    ("iso-2022-jp", b"a\x1b$B5/\n", "a起", 0),
    ("iso-2022-jp", b"a\x1b$B5", "a\ufffd", 1),
]


@pytest.mark.parametrize("cut", [1, 1000])
@pytest.mark.parametrize(
    ("encoding", "data", "message", "count"), _FAULTS, ids=[f"{row[0]}-{row[1]!r}" for row in _FAULTS]
)
def test_bad_bytes_are_replaced_and_counted(encoding: str, data: bytes, message: str, count: int, cut: int) -> None:
    reading, messages = _read(data, cut=cut, encoding=encoding, format="text")
    assert (messages, reading.replaced) == ([message], count)
    assert [f"--encoding {encoding}" in warning for warning in reading.all_warnings()] == [True] * bool(count)


def test_warning_of_utf8_names_the_flag() -> None:
    assert "--encoding" in _read(b"renouvel\xe9e\n")[0].all_warnings()[0]


def test_memory_is_bounded() -> None:
    sizes = [len(piece) for name in ("shift_jis", "utf-7", "utf-16-le") for piece in transcode(name, _chunks(100))]
    assert sum(sizes) > 15 << 20
    assert max(sizes) <= 4 << 20


def _chunks(count: int) -> Iterator[bytes]:
    return (b"+AAA" * (16 << 10) for _ in range(count))


@pytest.mark.parametrize("size", [10, 11, 25])
@pytest.mark.parametrize("cut", [1, 4, 1000])
def test_long_lines_of_utf7_are_cut_where_it_does_not_depend_on_the_stream(size: int, cut: int) -> None:
    with mock.patch("transforms.formats.transcoding._PART", 10):
        assert _decode("utf-7", b"a" * size + b"\nb", cut) == b"a" * size + b"\nb"
        assert _decode("utf-7", b"+AOk-" * size + b"\n", cut) == _decode("utf-7", b"+AOk-" * size + b"\n", 7)


def test_break_comes_after_what_was_whole() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a\n\x83"
        raise CorruptStreamError("broken")

    found: list[bytes] = []
    with pytest.raises(CorruptStreamError):
        found.extend(transcode("shift_jis", chunks()))
    assert b"".join(found) == b"a\n"


@pytest.mark.parametrize(
    ("data", "asked", "message", "warning"),
    [
        ("\ufeffé\n".encode(), "windows-1252", "é", "UTF-8: read as that, not as windows-1252"),
        ("\ufeffé\n".encode(), "utf-8", "é", None),
        ("\ufeffé\n".encode(), "utf-8-sig", "é", None),
        ("\ufeffé\n".encode("utf-16-le"), "utf-16-le", "é", None),
        ("\ufeffé\n".encode("utf-16-le"), "shift_jis", "é", "UTF-16-LE: read as that"),
        ("\ufeffé\n".encode("utf-16-be"), "utf-16-le", "é", "UTF-16-BE: read as that"),
        ("\ufeffé\n".encode("utf-16-be"), "utf-16", "é", None),
        ("\ufeff\0é\n".encode("utf-16-le"), "utf-16-le", "\0é", None),
        ("\ufeffé\n".encode("utf-32-le"), "utf-32", "é", None),
        ("\ufeffé\n".encode("utf-32-be"), "utf-32-le", "é", "UTF-32-BE: read as that"),
        ("\ufeffé\n".encode("gb18030"), "gb18030", "é", None),
    ],
)
def test_mark_counts_for_more_than_the_encoding(data: bytes, asked: str, message: str, warning: str | None) -> None:
    reading, messages = _read(data, encoding=asked, format="text")
    assert messages == [message]
    assert [text for text in reading.all_warnings() if warning is None or warning not in text] == []
    assert bool(reading.warnings) == (warning is not None)


_LINE = "2024-06-30 10:00:00 "


_TEXTS = [
    "a\n",
    "ab",
    "Grüße\r\n",
    "\x1b[31mred\x1b[0m\tx\n",
    f"{_LINE}错误：磁盘已满\n" * 100,
    f"{_LINE}Ошибка 😀\n" * 50,
    f"{_LINE}一\n",
]


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", _TEXTS)
def test_utf16_without_a_mark(text: str, order: str) -> None:
    data = text.encode(order)
    assert utf16_without_mark(data) == order
    reading, messages = _read(data, cut=5)
    assert messages == text.splitlines()
    assert reading.encoding is not None and reading.format is not None
    assert reading.encoding.name == order
    assert reading.format.rule.endswith(f"{order.upper()} by its NULs")
    assert reading.all_warnings() == []


def test_utf16_without_a_mark_that_is_cut_off() -> None:
    reading, messages = _read("Grüße\n".encode("utf-16-le") + b"\n")
    assert (messages, reading.replaced) == (["Grüße", "\ufffd"], 1)


@pytest.mark.parametrize(
    "data",
    [
        bytes([1, 0, 2, 0, 3, 0]),
        bytes([*b"A\0\0\0B\0\0\0"]),
        b"\0a\0b\0\0\0c",
        b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0",
        b"a\0",
        b"a\0b",
        b"text with a \0 NUL\n",
        b"key\0value\0key2\0value2\0",
        "a\0b\n".encode("utf-16-le"),
        "\ue000a\n".encode("utf-16-le"),
        b"a\0\x3d\xd8b\0\n\0",
        b"\x80\0\x81\0\x82\0\x83\0",
        "错误磁盘已满a".encode("utf-16-le"),
        bytes(random.Random(1).choices([0, 0, 0, *range(256)], k=1024)),
        b"".join(number.to_bytes(2, "little") for number in range(100, 600)),
        b"".join(number.to_bytes(4, "big") for number in range(100, 400)),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_binary_files_are_not_taken_for_utf16(data: bytes) -> None:
    assert utf16_without_mark(data) is None
    with pytest.raises(UnsupportedError, match=r"NUL bytes|unsupported"):
        _read(data)


@pytest.mark.parametrize(
    ("head", "asked", "whole"),
    [
        (b"a\nb\n", "auto", True),
        (b"a\nb\n", "utf-8", True),
        (b"a\nb\n", "utf-8-sig", True),
        (b"\xef\xbb\xbfa\nb\n", "shift_jis", True),
        (b"a\nb\n", "windows-1252", True),
        (b"a\nb\n", "cp437", True),
        (b"a\nb\n", "koi8-r", True),
        (b"a\nb\n", "shift_jis", False),
        (b"a\nb\n", "gb18030", False),
        (b"a\nb\n", "iso-2022-jp", False),
        (b"a\nb\n", "utf-7", False),
        (b"a\nb\n", "hz", False),
        (b"a\nb\n", "cp037", False),
        (b"a\nb\n", "utf-16-le", False),
        ("a\nb\n".encode("utf-16-le"), "auto", False),
        ("a\nb\n".encode("utf-16-be"), "auto", False),
        ("\ufeffa\nb\n".encode("utf-16-be"), "auto", False),
        (b"\xff\xfe\0\0a\nb\n", "auto", False),
    ],
)
def test_what_ends_lines_otherwise_is_read_in_one_piece(head: bytes, asked: str, *, whole: bool) -> None:
    assert can_be_cut(head, "text", FormatOptions(encoding=asked)) is whole


@pytest.mark.parametrize("name", [name for name in _CODECS if ends_lines_like_ascii(choose_encoding(b"", name).name)])
def test_what_is_cut_at_a_line_is_read_as_in_one_piece(name: str) -> None:
    data = bytes(random.Random(name).choices([*b"\n" * 20, *range(256)], k=500))
    encoding, place = choose_encoding(b"", name).name, data.index(b"\n", 250) + 1
    assert _decode(encoding, data[:place], 7) + _decode(encoding, data[place:], 7) == _decode(encoding, data, 1000)


def test_utf32_is_refused_with_the_flag_that_reads_it() -> None:
    with pytest.raises(UnsupportedError, match="UTF-32 text; --encoding utf-32 reads it"):
        _read("\ufeffa\n".encode("utf-32-le"))
