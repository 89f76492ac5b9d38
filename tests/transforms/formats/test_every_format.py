"""What holds for every format of the table: the contract in `transforms/formats/README.md`, row by row."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.formats.cases import CASES, FormatCase
from tests.transforms.formats.reading import EXAMPLES, FAST, MODIFIED, Reading, add, blocks_of, read_all
from transforms.core.errors import ConfigurationError, CorruptStreamError
from transforms.formats import FORMAT_NAMES, FORMATS, check_options, read_records
from transforms.formats.detection import detect_format
from transforms.formats.format import FormatChoice
from transforms.formats.options import FormatOptions
from transforms.formats.ranges import can_be_cut, count_records, read_range, record_start
from transforms.formats.record_block import MAX_ROWS

ROOT = Path(__file__).resolve().parents[3]
_EVERY = pytest.mark.parametrize("name", FORMATS)
_GENERAL = {"format", "timestamp", "time_field", "timezone", "year", "day_first", "encoding", "max_record"}


def text_of(case: FormatCase, data: st.DataObject) -> tuple[bytes, list[int]]:
    """Draw parts of a format's row: the bytes, and where each part begins."""
    parts = data.draw(st.lists(st.sampled_from(case.parts), min_size=1, max_size=10))
    places = [len(case.header) + len(b"".join(parts[:number])) for number in range(len(parts))]
    return case.header + b"".join(parts), places


def test_the_table_has_every_format() -> None:
    assert CASES.keys() == FORMATS.keys()
    assert ("auto", *FORMATS) == FORMAT_NAMES
    assert all(row.name == name for name, row in FORMATS.items())
    assert {other for row in FORMATS.values() for other in (*row.overruled_by, row.refines or row.name)} <= {*FORMATS}


def test_every_option_is_of_all_formats_or_of_some() -> None:
    taken = {option for row in FORMATS.values() for option in row.options}
    assert {option.name for option in dataclasses.fields(FormatOptions)} == taken | _GENERAL
    assert not taken & _GENERAL


_VALUES = {
    "delimiter": ";",
    "skip_rows": 1,
    "headers": ("a",),
    "records_path": "a",
    "multiline_start": "x",
    "join_partial": True,
    "keep_message": False,
}
_UNDER_AUTO = {"join_partial", "keep_message"}


@pytest.mark.parametrize("option", sorted({option for row in FORMATS.values() for option in row.options}))
@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_an_option_is_taken_by_its_formats_alone(name: str, option: str) -> None:
    value = _VALUES[option]
    options = FormatOptions(format=name, **{option: value})  # type: ignore[arg-type]
    if option in (_UNDER_AUTO if name == "auto" else FORMATS[name].options):
        check_options(options)
        return
    with pytest.raises(ConfigurationError, match=f"needs format .*not {name}$"):
        check_options(options)


@_EVERY
def test_the_documents_have_its_row(name: str) -> None:
    row = FORMATS[name]
    line = f"| `{name}` | {row.event} | {row.message} | {row.attributes} |"
    for page in ("transforms/formats/README.md", "README.md"):
        lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
        assert line in lines, f"{page} has no such row: {line}"


@_EVERY
@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(data=st.data())
def test_where_it_is_cut_and_which_path_reads_it_do_not_matter(name: str, data: st.DataObject) -> None:
    case = CASES[name]
    text, _ = text_of(case, data)
    cut, max_record = data.draw(st.sampled_from([1, 2, 7, 64])), data.draw(st.sampled_from([1000, 1000, 9]))
    whole = read_all(text, name, max_record=max_record, patches=dict(case.tolerant))
    for patches in (FAST, dict(case.tolerant), None):
        assert read_all(text, name, cut=cut, max_record=max_record, patches=patches) == whole
    if case.physical:
        assert text.count(b"\n") == len(whole.rows) + whole.blank + whole.header


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"json", "text"}))
def test_what_has_no_place_is_among_the_parts(name: str) -> None:
    """So that ranges, cuts and both paths are tested with `_rescued`."""
    case = CASES[name]
    assert any("_rescued" in row for row in read_all(case.header + b"".join(case.parts), name).rows)


@_EVERY
def test_a_stream_that_breaks_gives_complete_records_first(name: str) -> None:
    text = CASES[name].cut_off
    for cut in (1, 1000):

        def chunks(cut: int = cut) -> Iterator[bytes]:
            yield from (text[start : start + cut] for start in range(0, len(text), cut))
            raise CorruptStreamError("here")

        reading = Reading()
        blocks = read_records(chunks(), name, FormatOptions(format=name), modified=MODIFIED, received=MODIFIED)
        with pytest.raises(CorruptStreamError, match="here"):
            for block in blocks:
                add(reading, block)
        assert len(reading.rows) == 2


@_EVERY
def test_short_records_come_in_more_blocks(name: str) -> None:
    case, count = CASES[name], 2 * MAX_ROWS + 10
    blocks = list(blocks_of(b"\n" + (case.header or case.short) + case.short * (count - 1), name))
    sizes = [block.records.num_rows for block in blocks]
    assert max(sizes) <= MAX_ROWS
    assert sum(sizes) + sum(block.header for block in blocks) == count
    assert (blocks[0].blank, sum(block.blank for block in blocks)) == (1, 1)


@pytest.mark.parametrize("name", [name for name, row in FORMATS.items() if row.reader.ranges])
@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(data=st.data())
def test_ranges_give_what_the_whole_gives(name: str, data: st.DataObject) -> None:
    case, options = CASES[name], FormatOptions(format=name)
    text, places = text_of(case, data)
    middle = data.draw(st.sampled_from(places))
    head = text[: middle or len(text)]  # the first range has all of it
    assert can_be_cut(head, name, options)
    found = record_start(text, head, name, options)
    assert found is None or text[found - 1 : found] == b"\n"
    parts = [text[:middle], text[middle:]] if middle else [text]
    with mock.patch(case.head, len(head)) if case.head else nullcontext():
        counts = [
            count_records(head, iter([part]), name, options, first=not number, last=number == len(parts) - 1)
            for number, part in enumerate(parts)
        ]
        if None in counts:
            return  # it is read in one piece
        reading = Reading()
        for number, part in enumerate(parts):
            times = {"modified": MODIFIED, "received": MODIFIED}
            if number:
                blocks = read_range(head, iter([part]), name, options, **times)
            else:
                blocks = read_records(iter([part]), name, options, **times)
            before = len(reading.rows)
            for block in blocks:
                add(reading, block)
            assert len(reading.rows) - before == counts[number]
        assert reading == read_all(text, name)


@_EVERY
def test_its_beginning_is_recognised_by_one_format(name: str) -> None:
    """Or by none, where it is a special kind of another one, or text."""
    path = ROOT / "tests/data/matrix" / CASES[name].file
    choice = detect_format("no-extension", path.read_bytes()[: 64 << 10])
    assert isinstance(choice, FormatChoice)
    assert (choice.format, choice.warning) == (name, None)
