"""Presets of `--multiline-start`: where each begins an event; they are listed in docs/formats.md."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.transforms.formats.reading import read_all
from transforms.formats.detection import asked_for
from transforms.formats.options import FormatOptions
from transforms.formats.text.multiline_presets import MULTILINE_PRESETS, multiline_pattern

_DOCS = Path(__file__).resolve().parents[3] / "docs" / "formats.md"

_JAVA = """2024-06-30 10:00:00,123 ERROR [main] com.example.Shop - order 7 failed
java.lang.IllegalStateException: no stock
\tat com.example.Shop.order(Shop.java:10)

\tSuppressed: java.io.IOException: closed
Caused by: java.sql.SQLException: gone
\t... 12 more
10:00:01.123 [main] INFO com.example.Shop - up
Jun 30, 2024 10:00:02 AM com.example.Shop start
SEVERE: failed
[ERROR] no build
WARN  old
12 [main] DEBUG com.example.Shop - log4j
[0.012s][info][gc] Using G1
Exception in thread "main" java.lang.Error: end
\tat com.example.Shop.main(Shop.java:1)
"""
_PYTHON = """2024-06-30 10:00:00,123 - shop - ERROR - failed
Traceback (most recent call last):
  File "shop.py", line 7, in order
    stock[key]
KeyError: 'tea'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "shop.py", line 9, in order
ValueError: ERROR
ERROR:root:failed
Traceback (most recent call last):
ZeroDivisionError: division by zero
WARNING:shop.orders:late
[2024-06-30 10:00:01 +0000] [7] [INFO] Booting worker
INFO     up
"""
_POSTGRESQL = """2024-06-30 10:00:00.123 UTC [47] LOG:  statement: select 1,
\t2
2024-06-30 10:00:01.123 CEST [47] app@shop ERROR:  no table "x"
2024-06-30 10:00:01.123 CEST [47] app@shop STATEMENT:  select *
\tfrom x
\t2024-06-30 10:00:00 is in the statement
2024-06-30 10:00:02 UTC:10.0.0.9(55):app@shop:[48]:ERROR:  none
2024-06-30T10:00:03.000Z 2024-06-30 10:00:03 UTC::@:[49]:LOG:  done
1719741604.123 [50] LOG:  by epoch
"""
_DATED = """2024-06-30T10:00:00Z one
  more
[2024-06-30 10:00:00,123] two
2024-06-30 was a day
<34>Jun 30 10:00:00 host app: three
30/06/2024 10:00:00 four
30/Jun/2024:10:00:00 +0000 five
Sun Jun 30 10:00:00 2024 six
Sun, 30 Jun 2024
Sun, 30 Jun 2024 10:00:00 GMT six and a half
20240630T100000 seven
at 2024-06-30 10:00:00
30. Juni 2024 10:00:00 eight
30-Jun-2024 10:00:00.123 SEVERE nine
\x1b[31m2024-06-30 10:00:00\x1b[0m ten
10:00:00,123 eleven
7:15 min
"""


@pytest.mark.parametrize("cut", [None, 1, 64])
@pytest.mark.parametrize(
    ("preset", "text", "lines"),
    [
        ("java", _JAVA, [7, 1, 2, 1, 1, 1, 1, 2]),
        ("python", _PYTHON, [11, 3, 1, 1, 1]),
        ("postgresql", _POSTGRESQL, [2, 1, 3, 1, 1, 1]),
        ("dated", _DATED, [2, 2, 1, 1, 1, 2, 1, 2, 1, 1, 1, 2]),
    ],
    ids=["java", "python", "postgresql", "dated"],
)
def test_events_begin(preset: str, text: str, lines: list[int], cut: int | None) -> None:
    reading = read_all(text.encode(), "text", cut=cut, multiline_start=preset)
    assert [message.count("\n") + 1 for message in reading.messages] == lines
    assert "\n".join(reading.messages) + "\n" == text


def test_another_text_is_a_regular_expression() -> None:
    assert multiline_pattern("^java") == "^java"
    assert read_all(b"a java\nb\njava", "text", multiline_start="^?java").messages == ["a java\nb", "java"]


@pytest.mark.parametrize("preset", MULTILINE_PRESETS)
def test_is_documented(preset: str) -> None:
    assert f"| `{preset}` | {MULTILINE_PRESETS[preset].matches} |" in _DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize("preset", MULTILINE_PRESETS)
def test_hostile_lines_are_searched_in_linear_time(preset: str) -> None:
    """Patterns run on the linear engine: each compiles there, and finds nothing in a line of nearly a stamp."""
    line = "[" + "2024-06-30 " * 10_000
    assert not pl.Series([line]).str.contains(multiline_pattern(preset)).item()


@pytest.mark.parametrize(
    ("start", "head", "expected"),
    [
        (
            "jave",
            b"2024-06-30 10:00:00 a\n2024-06-30 10:00:01 b\n",
            "--multiline-start jave: they become one event; is java",
        ),
        (r"^\[\d", b"2024 a\n\n2024 b\n", r"--multiline-start '^\[\d': they become one event"),
        ("java", b"a\nb\n", "--multiline-start java: they become one event"),
        ("java", "\ufeffa\r\nb".encode("utf-16-le"), "--multiline-start java"),
        ("java", "\ufeff2024-06-30 10:00:00 a\r\nb".encode("utf-16-le"), None),
        ("java", b"2024-06-30 10:00:00 a\n  b\n", None),
        ("java", b"  b\n2024-06-30 10:00:00 a\n", None),
        ("java", b"only one line\n", None),
        ("java", b"\n\n", None),
        (None, b"a\nb\n", None),
    ],
    ids=str,
)
def test_a_start_that_no_line_matches_is_told(start: str | None, head: bytes, expected: str | None) -> None:
    warning = asked_for("text", head, FormatOptions(format="text", multiline_start=start)).warning
    assert warning is None if expected is None else expected in str(warning)
