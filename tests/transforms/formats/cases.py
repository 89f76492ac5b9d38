"""The table of formats: what every one of them is tested with (`test_every_format.py`, `tests/test_matrix.py`).

A new format is a row here; what is its own (values, nulls, bad records with their `_error`) has a test file beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.transforms.formats.reading import TOLERANT


@dataclass(frozen=True, kw_only=True)
class FormatCase:
    """A format's row.

    Attributes:
        parts: Whole lines of records, good and bad, blank lines among them, that may follow each other in any order.
        header: What stands before them.
        short: The shortest record, with its line end.
        cut_off: Two records, and a third one that the stream breaks in.
        file: Its 1,000 records in `tests/data/matrix`.
        tolerant: Patches that leave the fast path out.
        head: The constant that says how long an object's beginning is, if ranges depend on what is in it.
        physical: Whether each record is a line, so that lines = records + blank + header.
    """

    parts: tuple[bytes, ...]
    short: bytes
    cut_off: bytes
    file: str
    header: bytes = b""
    tolerant: Mapping[str, Any] = field(default_factory=lambda: TOLERANT)
    head: str | None = None
    physical: bool = False


CASES: dict[str, FormatCase] = {
    "csv": FormatCase(
        header=b"id,began,text\n",
        parts=(b"1,2024-01-02,a\n", b'2,,"x\ny"\n', b"\n", b"3,4\n", b"5,6,7,8\n", b"\xff,x,y\n", b'"9""",0,\r\n'),
        short=b"x\n",
        cut_off=b'a,b\n1,2\n3,4\n"5\n',
        file="csv.csv",
        head="transforms.formats.csv.csv_format.HEAD_BYTES",
    ),
    "json": FormatCase(
        parts=(
            b'{"a":1,"time":"2024-01-02T03:04:05Z"}\n',
            b'{"a":[1, 2.50],"b":null}\n',
            b"\n",
            b'{"a":1}{"b":2}\n',
            b"[1]\n",
            b'{"a":\n',
            b'{"a":"\xff"}\r\n',
            b'{\n "a": {}\n}\n',
        ),
        short=b"{}\n",
        cut_off=b'{"a":1}\n{"a":2}\n{"a":3}',
        file="json.json",
    ),
    "splunk_csv": FormatCase(
        header=b"_time,_raw,host\n",
        parts=(
            b"1754870400,event,web\n",
            b'1754870400,"two\nlines",web\n',
            b"\n",
            b"never,event,web\n",
            b"1754870400,,web\n",
            b"1,2,3,4\n",
            b"1754870400,\xff,web\r\n",
        ),
        short=b"1,x,y\n",
        cut_off=b'_time,_raw\n1754870400,a\n1754870401,b\n"5\n',
        file="splunk_csv.csv",
    ),
    "splunk_hec": FormatCase(
        parts=(
            b'{"event":"x","time":1754870400,"host":"web"}\n',
            b'{"event":{"a":1.10},"fields":{"k":["v",1]}}\n',
            b"\n",
            b'{"event":""}\n',
            b'{"host":"web"}{"event":"x"}\n',
            b'{"event":"x","fields":[1]}\n',
            b'{"event":"x","status":5.10,"a":{"b": [1]}}\n',
            b"x\n",
            b'{"event":"\xff"}\r\n',
        ),
        short=b'{"event":1}\n',
        cut_off=b'{"event":1}\n{"event":2}\n{"event":3}',
        file="splunk_hec.json",
    ),
    "text": FormatCase(
        parts=(b"2024-01-02 a line\n", "é漢😀\r\n".encode(), b"\n", b"\r\n", b"\xff\xc3\n", b"nul\0 cr\r.\n", b" \n"),
        short=b"x\n",
        cut_off=b"a\nb\nc",
        file="text.log",
        physical=True,
    ),
    "w3c": FormatCase(
        header=b"#Fields: date time c-ip cs(x)\n",
        parts=(
            b"2024-01-02 03:04:05 1.2.3.4 -\n",
            b"2024-01-02\t03:04:06\t1.2.3.4\ta b\r\n",
            b'2024-01-02 03:04:07 "-" "a b"\n',
            b'"2024-01-02" "03:04:08" - "a ""b"""\n',
            b'2024-01-02 03:04:09 "> x"y"\n',
            b"\n",
            b" 2024-01-02  3:04:10 a\n",
            b"a b c d e f\n",
            b"2024-01-02 03:04:11 \xff x \n",
            b"#Date: 2024-01-02 03:00:00\n#Fields: time c-ip\n",
            b"#Fields: date-time,x\r\n",
            b'2024-01-02T03:04:12Z,"a, b"\n',
            b"23:59:00 a\n00:00:01 b\n",
            b"#Fields: date time c-ip cs(x)\n",
        ),
        short=b"a b c d\n",
        cut_off=b"#Fields: a b\n1 2\n3 4\n5 6",
        file="w3c.log",
        physical=True,
    ),
    "zeek": FormatCase(
        header=b"#fields\tts\tuid\ttags\n",
        parts=(
            b"1719741600.597629\tC1\ta,b\n",
            b"1719741601.000001\t-\t(empty)\r\n",
            b'1719741602\t"a\tb"\n',
            b"\n",
            b"-\tx\n",
            b"1\t2\t3\t4\n",
            b"1719741603.5\t\xff\t\n",
            b"#close\t2024-06-30-11-00-00\n",
            b"#separator |\n#unset_field|none\n",
            b"#fields|ts|x\n1719741604.1|none\n",
            b"#separator \\x09\n#unset_field\t-\n#fields\tts\tuid\ttags\n",
        ),
        short=b"1\t2\t3\n",
        cut_off=b"#fields\tts\tuid\n1\t2\n3\t4\n5\t6",
        file="zeek.log",
        physical=True,
    ),
}
