"""Lines that a container's runtime has cut are joined, each stream by itself, wherever the bytes are cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.formats.reading import EXAMPLES, FAST, TOLERANT, read_all
from transforms.core.errors import CorruptStreamError
from transforms.formats.options import FormatOptions
from transforms.formats.partial_lines import has_parts, join_parts
from transforms.formats.ranges import can_be_cut


def _cri(second: int, rest: str) -> str:
    return f"2024-06-30T10:00:{second:02}.000000001Z {rest}\n"


def _crlf(second: int, rest: str) -> str:
    return _cri(second, rest)[:-1] + "\r\n"


def _docker(second: int, log: str, stream: str = "stdout") -> str:
    """Write a line as Docker's json-file does: without blanks, in this order."""
    return f'{{"log":{json.dumps(log)},"stream":"{stream}","time":"2024-06-30T10:00:{second:02}Z"}}\n'


def _joined(text: str | bytes, format_name: str, *, cut: int = 1 << 20, max_record: int = 1 << 20) -> str:
    data = text.encode() if isinstance(text, str) else text
    chunks = (data[start : start + cut] for start in range(0, len(data), cut))
    return b"".join(join_parts(chunks, format_name, max_record=max_record)).decode()


_PARTS = [
    ("whole lines", [_cri(0, "stdout F a"), _cri(1, "stderr F b")], [_cri(0, "stdout F a"), _cri(1, "stderr F b")]),
    ("two parts", [_cri(0, "stdout P one "), _cri(1, "stdout F two")], [_cri(0, "stdout F one two")]),
    (
        "between another stream's",
        [_cri(0, "stdout P a"), _cri(1, "stderr F x"), _cri(2, "stdout P b"), _cri(3, "stdout F c")],
        [_cri(1, "stderr F x"), _cri(0, "stdout F abc")],
    ),
    (
        "two streams at once",
        [_cri(0, "stdout P a"), _cri(1, "stderr P x"), _cri(2, "stdout F b"), _cri(3, "stderr F y")],
        [_cri(0, "stdout F ab"), _cri(1, "stderr F xy")],
    ),
    ("empty last part", [_cri(0, "stdout P a"), _cri(1, "stdout F ")], [_cri(0, "stdout F a")]),
    ("last part without a blank", [_cri(0, "stdout P a"), _cri(1, "stdout F")], [_cri(0, "stdout F a")]),
    ("more tags", [_cri(0, "stdout P:x:y a"), _cri(1, "stdout F:x b")], [_cri(0, "stdout F:x:y ab")]),
    ("no last part", [_cri(0, "stdout P a"), _cri(1, "stdout P b")], [_cri(0, "stdout P ab")]),
    (
        "no last part of both",
        [_cri(0, "stderr P a"), _cri(1, "stdout P b"), _cri(2, "stderr P c")],
        [_cri(0, "stderr P ac"), _cri(1, "stdout P b")],
    ),
    ("no line end", [_cri(0, "stdout P a"), _cri(1, "stdout F b").rstrip()], [_cri(0, "stdout F ab").rstrip()]),
    (
        "an offset",
        ["2024-06-30T10:00:00+02:00 stdout P a\n", _cri(1, "stdout F b")],
        ["2024-06-30T10:00:00+02:00 stdout F ab\n"],
    ),
    (
        "blank lines",
        ["\n", _cri(0, "stdout P a"), "\n", _cri(1, "stdout F b"), "\n"],
        ["\n\n", _cri(0, "stdout F ab"), "\n"],
    ),
    (
        "within the text",
        [_cri(0, "stdout F x stdout P y"), _cri(1, "stdout F z")],
        [_cri(0, "stdout F x stdout P y"), _cri(1, "stdout F z")],
    ),
    (
        "other lines",
        ["10:00 stdout P a\n", "P stdout P a\n", " stdout P a\n"],
        ["10:00 stdout P a\n", "P stdout P a\n", " stdout P a\n"],
    ),
    ("another tag", [_cri(0, "stdout PF a"), _cri(1, "stdout X b")], [_cri(0, "stdout PF a"), _cri(1, "stdout X b")]),
    (
        "CRLF",
        [_crlf(0, "stdout P a"), _crlf(1, "stderr F x"), _crlf(2, "stdout P:x b"), _crlf(3, "stdout F c")],
        [_crlf(1, "stderr F x"), _crlf(0, "stdout F abc")],
    ),
    ("CRLF, empty last part", [_crlf(0, "stdout P a"), _crlf(1, "stdout F ")], [_crlf(0, "stdout F a")]),
    ("CRLF, last part without a blank", [_crlf(0, "stdout P a"), _crlf(1, "stdout F")], [_crlf(0, "stdout F a")]),
    ("CRLF, no last part", [_crlf(0, "stdout P a"), _crlf(1, "stdout P b")], [_crlf(0, "stdout P ab")]),
    (
        "a CR that the container wrote",
        [_cri(0, "stderr F a"), _cri(1, "stdout P 10%\r"), _cri(2, "stdout P 20%\r"), _cri(3, "stdout F 30%")],
        [_cri(0, "stderr F a"), _cri(1, "stdout F 10%\r20%\r30%")],
    ),
    ("nothing", [], []),
]
_DOCKER_PARTS = [
    ("whole lines", [_docker(0, "a\n"), _docker(1, "b\n")], [_docker(0, "a\n"), _docker(1, "b\n")]),
    ("two parts", [_docker(0, "one "), _docker(1, "two\n")], [_docker(0, "one two\n")]),
    (
        "between another stream's",
        [_docker(0, "a"), _docker(1, "x\n", "stderr"), _docker(2, "b"), _docker(3, "c\n")],
        [_docker(1, "x\n", "stderr"), _docker(0, "abc\n")],
    ),
    (
        "two streams at once",
        [_docker(0, "a"), _docker(1, "x", "stderr"), _docker(2, "b\n"), _docker(3, "y\n", "stderr")],
        [_docker(0, "ab\n"), _docker(1, "xy\n", "stderr")],
    ),
    ("empty parts", [_docker(0, ""), _docker(1, "\n"), _docker(2, "b\n")], [_docker(0, "\n"), _docker(2, "b\n")]),
    ("a backslash and n", [_docker(0, "C:\\n"), _docker(1, "ew\n")], [_docker(0, "C:\\new\n")]),
    ("a backslash and a newline", [_docker(0, "C:\\\n"), _docker(1, "b\n")], [_docker(0, "C:\\\n"), _docker(1, "b\n")]),
    ("an n", [_docker(0, "n"), _docker(1, "n\n")], [_docker(0, "nn\n")]),
    (
        "Docker's own within",
        [_docker(0, _docker(0, "in")), _docker(1, "b\n")],
        [_docker(0, _docker(0, "in")), _docker(1, "b\n")],
    ),
    ("no last part", [_docker(0, "a"), _docker(1, "b")], [_docker(0, "ab")]),
    (
        "labels",
        ['{"log":"a","stream":"stdout","attrs":{"k":"v"},"time":"t"}\n', _docker(1, "b\n")],
        ['{"log":"ab\\n","stream":"stdout","attrs":{"k":"v"},"time":"t"}\n'],
    ),
    (
        "other objects",
        ['{"a":"x","stream":"stdout"}\n', '{"log":"x"}\n'],
        ['{"a":"x","stream":"stdout"}\n', '{"log":"x"}\n'],
    ),
    (
        "objects with other fields between",
        ['{"log":"a","pod":"p","stream":"stdout"}\n', '{"log":"b","pod":"q","stream":"stdout"}\n'],
        ['{"log":"a","pod":"p","stream":"stdout"}\n', '{"log":"b","pod":"q","stream":"stdout"}\n'],
    ),
]
_TABLE = [
    *(pytest.param("text", lines, joined, id=f"CRI: {name}") for name, lines, joined in _PARTS),
    *(pytest.param("json", lines, joined, id=f"Docker: {name}") for name, lines, joined in _DOCKER_PARTS),
]


@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
@pytest.mark.parametrize(("format_name", "lines", "joined"), _TABLE)
def test_parts_are_joined(format_name: str, lines: list[str], joined: list[str], cut: int) -> None:
    assert _joined("".join(lines), format_name, cut=cut) == "".join(joined)


@pytest.mark.parametrize(("format_name", "lines", "joined"), _TABLE)
def test_has_parts(format_name: str, lines: list[str], joined: list[str]) -> None:
    assert has_parts("".join(lines).encode(), format_name) is (lines != joined)


def test_other_formats_have_none() -> None:
    assert not has_parts(_cri(0, "stdout P a").encode(), "csv")


def test_cut_character_is_whole_again() -> None:
    first, second = "ü".encode()[:1], "ü".encode()[1:]
    data = _cri(0, "stdout P a").encode()[:-1] + first + b"\n" + _cri(1, "stdout F ").encode()[:-1] + second + b"\n"
    reading = read_all(data, "text", join_partial=True)
    assert (reading.messages, reading.replaced) == ([_cri(0, "stdout F aü")[:-1]], 0)


_LINES = st.lists(
    st.sampled_from(
        [
            *(
                _cri(0, f"{stream} {tag} {text}")
                for stream in ("stdout", "stderr")
                for tag in "PF"
                for text in ("é", "")
            ),
            "\n",
            "\tat java\n",
            _cri(0, "stdout F " + "x" * 60),
            _cri(0, "stdout P " + "x" * 60),
        ]
    ),
    max_size=12,
)


def _reference(lines: list[str]) -> list[str]:
    """Join line by line, as slowly as one likes."""
    found: list[str] = []
    waiting: dict[str, list[str]] = {}
    for line in lines:
        time, stream, tag, text = [*line.rstrip("\n").split(" ", 3), "", "", ""][:4]
        if tag not in ("P", "F"):
            found.append(line)
            continue
        parts = waiting.setdefault(stream, [time])
        parts.append(text)
        if tag == "F":
            found.append(f"{time} {stream} F {''.join(waiting.pop(stream)[1:])}\n")
    return found + [f"{time} {stream} P {''.join(parts)}\n" for stream, (time, *parts) in waiting.items()]


@settings(max_examples=EXAMPLES, deadline=None)
@given(lines=_LINES, cut=st.integers(1, 80))
def test_any_lines_are_joined_like_the_reference(lines: list[str], cut: int) -> None:
    assert _joined("".join(lines), "text", cut=cut) == "".join(_reference(lines))


@settings(max_examples=EXAMPLES, deadline=None)
@given(lines=_LINES, cut=st.integers(1, 80), max_record=st.sampled_from([30, 50, 80]))
def test_records_do_not_depend_on_cuts(lines: list[str], cut: int, max_record: int) -> None:
    data = "".join(lines).encode()
    options: dict[str, Any] = {"max_record": max_record, "join_partial": True}
    whole, parts = read_all(data, "text", **options), read_all(data, "text", cut=cut, **options)
    assert parts == whole
    assert all(len(message.encode()) <= max_record for message in whole.messages)


@pytest.mark.parametrize("patches", [FAST, TOLERANT], ids=["fast", "tolerant"])
def test_docker_records_have_the_whole_text(patches: dict[str, Any]) -> None:
    text = _docker(0, "one ") + _docker(1, "x\n", "stderr") + _docker(2, "two\n")
    reading = read_all(text.encode(), "json", patches=patches, join_partial=True)
    assert [fields["log"] for fields in reading.fields] == ["x\n", "one two\n"]
    assert [str(row["_time"])[:19] for row in reading.rows] == ["2024-06-30 10:00:01", "2024-06-30 10:00:00"]


def test_lines_are_records_joined_parts_and_blank_ones() -> None:
    """Physical lines = records + blank + parts that went onto another."""
    lines = [_cri(0, "stdout P a"), "\n", _cri(1, "stderr F x"), _cri(2, "stdout P b"), _cri(3, "stdout F c"), "text\n"]
    reading = read_all("".join(lines).encode(), "text", join_partial=True)
    assert (len(reading.rows), reading.blank, reading.header) == (len(lines) - 1 - 2, 1, 0)


@pytest.mark.parametrize("format_name", ["text", "json"])
def test_long_lines_are_cut_and_marked(format_name: str) -> None:
    part = _cri(0, "stdout P " + "x" * 100) if format_name == "text" else _docker(0, "x" * 100)
    last = _cri(1, "stdout F end") if format_name == "text" else _docker(1, "end\n")
    reading = read_all((part * 50 + last + last).encode(), format_name, max_record=1000, join_partial=True, cut=64)
    assert reading.errors == ["record_too_long", None]
    assert len(reading.messages[0]) == 1000
    whole = len(_joined(part * 50 + last, format_name).rstrip("\n"))
    assert reading.cut == whole - 1000


@pytest.mark.parametrize("format_name", ["text", "json"])
def test_memory_is_bounded(format_name: str) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield (_cri(0, "stdout P " + "x" * 1000) if format_name == "text" else _docker(0, "x" * 1000)).encode()
        for _ in range(100):
            yield b"y" * 1000

    sizes = [len(piece) for piece in join_parts(chunks(), format_name, max_record=4000)]
    assert max(sizes) < 2 * 4000
    assert sum(sizes) > 100_000


def test_break_leaves_out_what_is_open() -> None:
    def chunks() -> Iterator[bytes]:
        yield (_cri(0, "stdout F a") + _cri(1, "stdout P b")).encode()
        raise CorruptStreamError("here")

    found: list[bytes] = []
    with pytest.raises(CorruptStreamError):
        found.extend(join_parts(chunks(), "text", max_record=1000))
    assert b"".join(found).decode() == _cri(0, "stdout F a")


def test_long_array_passes() -> None:
    data = json.dumps([{"log": "x", "number": number} for number in range(1000)]).encode()
    for cut in (100, 1 << 20):
        assert len(read_all(data, "json", join_partial=True, max_record=200, cut=cut).rows) == 1000


def test_is_read_in_one_piece() -> None:
    assert can_be_cut(b"a\nb\n", "text", FormatOptions())
    assert not can_be_cut(b"a\nb\n", "text", FormatOptions(join_partial=True))
