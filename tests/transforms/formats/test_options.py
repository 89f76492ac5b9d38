"""The rules of format options."""

from __future__ import annotations

from typing import Any

import pytest

from transforms.core.errors import ConfigurationError
from transforms.formats import check_options
from transforms.formats.options import FormatOptions
from transforms.formats.text.multiline_presets import MULTILINE_PRESETS


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"format": "text", "multiline_start": r"^\[\d{4}-", "timestamp": "received", "timezone": "Europe/Berlin"},
        *({"format": "text", "multiline_start": preset} for preset in MULTILINE_PRESETS),
        {"format": "csv", "delimiter": "\t", "skip_rows": 3, "headers": ("a", "b")},
        {"format": "csv", "delimiter": "§"},
        {"format": "json", "max_record": 1},
        {"format": "json", "records_path": "data.items"},
        {"format": "splunk_csv", "delimiter": ";", "skip_rows": 1, "headers": ("_time", "_raw")},
        {"format": "splunk_hec"},
        {"encoding": "windows-1252"},
        {"encoding": "Shift_JIS", "format": "csv"},
        {"encoding": "utf-16-le"},
        {"encoding": "UTF8"},
    ],
)
def test_good(options: dict[str, Any]) -> None:
    check_options(FormatOptions(**options))


@pytest.mark.parametrize(
    ("options", "field", "why"),
    [
        ({"format": "xml"}, "format", "one of auto, w3c, zeek, csv, json"),
        ({"format": "CSV"}, "format", "one of auto"),
        ({"format": "csv", "delimiter": ""}, "delimiter", "one character"),
        ({"format": "csv", "delimiter": ",,"}, "delimiter", "one character"),
        ({"format": "csv", "delimiter": '"'}, "delimiter", "no quote"),
        ({"format": "csv", "delimiter": "\n"}, "delimiter", "line end"),
        ({"format": "csv", "skip_rows": -1}, "skipRows", "0 or more"),
        ({"format": "csv", "headers": ()}, "headers", "at least one"),
        ({"delimiter": ";"}, "delimiter", "needs format csv or splunk_csv (--format csv), not auto"),
        ({"format": "text", "skip_rows": 1}, "skipRows", "not text"),
        ({"format": "json", "headers": ("a",)}, "headers", "not json"),
        ({"records_path": "Records"}, "recordsPath", "format json (--format json), not auto"),
        (
            {"format": "splunk_hec", "records_path": "Records"},
            "recordsPath",
            "format json (--format json), not splunk_hec",
        ),
        ({"format": "json", "records_path": ""}, "recordsPath", "names joined by dots"),
        ({"format": "json", "records_path": "a..b"}, "recordsPath", "names joined by dots"),
        ({"format": "splunk_hec", "delimiter": ";"}, "delimiter", "not splunk_hec"),
        ({"format": "csv", "multiline_start": "x"}, "multilineStart", "format text"),
        ({"multiline_start": "x"}, "multilineStart", "format text"),
        ({"format": "text", "multiline_start": "("}, "multilineStart", "regular expression"),
        ({"format": "text", "multiline_start": "("}, "multilineStart", "unclosed group)"),
        ({"format": "text", "multiline_start": "(?=x)"}, "multilineStart", "look-around"),
        ({"encoding": "windows-1225"}, "encoding", "; is windows-125"),
        ({"encoding": "win1252"}, "encoding", "; is windows-1252 meant?"),
        ({"encoding": "klingon"}, "encoding", "auto or a text codec of Python's, such as windows-1252"),
        ({"encoding": "mbcs"}, "encoding", "auto or a text codec"),
        ({"encoding": ""}, "encoding", "auto or a text codec"),
        ({"encoding": "a\0b"}, "encoding", "auto or a text codec"),
        ({"encoding": "../os"}, "encoding", "auto or a text codec"),
        *(
            ({"encoding": name}, "encoding", "no text in a file is encoded like this")
            for name in ("base64", "rot13", "zlib", "hex", "idna", "punycode", "unicode_escape", "undefined")
        ),
        ({"timestamp": "now"}, "timestamp", "auto, object or received"),
        ({"timezone": "Mars/Olympus"}, "timezone", "IANA"),
        ({"timezone": ""}, "timezone", "IANA"),
        ({"timezone": "../etc"}, "timezone", "IANA"),
    ],
)
def test_bad(options: dict[str, Any], field: str, why: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_options(FormatOptions(**options))
    assert caught.value.field == f"formatOptions.{field}"
    assert why in str(caught.value)


@pytest.mark.parametrize("size", [0, -1, 2 << 30])
def test_bad_record_size(size: int) -> None:
    with pytest.raises(ConfigurationError, match="--max-record"):
        check_options(FormatOptions(max_record=size))
