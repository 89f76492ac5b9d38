"""NULs at the start of a text file, which a truncated live file has, are passed over with a warning."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from transforms.core.errors import UnsupportedError
from transforms.formats.options import FormatOptions
from transforms.formats.ranges import can_be_cut
from transforms.objects.leading_nuls import without_leading_nuls
from transforms.objects.reading import Reading, ReadSettings
from transforms.storage import ObjectInfo

_NOW = datetime(2025, 9, 1, tzinfo=timezone.utc)


def _read(data: bytes, key: str = "app.log", *, size: int = 1 << 16) -> tuple[Reading, list[str]]:
    info = ObjectInfo(bucket="b", key=key, size=len(data), etag="e", modified=_NOW)
    reading = Reading(info, ReadSettings(task_id="t"), received=_NOW)
    chunks = (data[start : start + size] for start in range(0, len(data), size))
    return reading, [text for batch in reading.batches(chunks) for text in batch.events["_message"].to_pylist()]


@pytest.mark.parametrize("size", [7, 1 << 16])
@pytest.mark.parametrize("count", [1, 1024, 70_000])
def test_nuls_are_passed_over(count: int, size: int) -> None:
    reading, messages = _read(b"\0" * count + b"one\n\xe9 two\n", size=size)
    assert messages == ["one", "\ufffd two"]
    assert any(f"{count:,} NULs" in warning for warning in reading.all_warnings())


def test_format_is_found_behind_them() -> None:
    reading, messages = _read(b"\0" * 5000 + b'{"a": 1}\n{"a": 2}\n')
    assert reading.format is not None
    assert (reading.format.format, messages) == ("json", ['{"a": 1}', '{"a": 2}'])


def test_nothing_but_nuls() -> None:
    reading, messages = _read(b"\0" * 200_000)
    assert messages == []
    assert "200,000 NULs" in reading.all_warnings()[0]


@pytest.mark.parametrize(
    "data",
    [b"\0\0\0\x18ftypmp42\0\0", b"\0\0\xfe\xff\0\0\0a", b"\0\0\x01\x00\x02"],
    ids=["film", "UTF-32", "icon"],
)
def test_binary_files_are_still_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedError):
        _read(data)


def test_stream_without_them_is_left_alone() -> None:
    stream, passed = without_leading_nuls(iter([b"a\0", b"\0b"]), 2)
    assert (list(stream), passed) == ([b"a\0", b"\0b"], 0)


def test_is_not_cut_into_ranges() -> None:
    assert not can_be_cut(b"\0\0a\nb\n", "text", FormatOptions())
    assert can_be_cut(b"a\nb\n", "text", FormatOptions())
