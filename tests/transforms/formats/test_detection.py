"""Which format small files are found to have, and by which rule."""

from __future__ import annotations

import pytest

from transforms.errors import UnsupportedError
from transforms.formats.detection import detect_format

# Name, key, head, format, a word of the rule.
_CASES: list[tuple[str, str, bytes, str, str]] = [
    # by extension
    ("csv", "a.csv", b"whatever", "csv", ".csv"),
    ("CSV", "A.CSV", b"", "csv", ".csv"),
    ("json", "logs/a.json", b"text", "json", ".json"),
    ("ndjson", "a.ndjson", b"", "json", ".ndjson"),
    ("jsonl", "a.x.jsonl", b"a,b\n1,2\n", "json", ".jsonl"),
    ("an extension of the folder", "a.csv/b", b"hello\n", "text", "neither"),
    ("no dot", "csv", b"hello\n", "text", "neither"),
    ("rotated", "a.json.1", b"hello\n", "text", "neither"),
    # JSON
    ("object", "a", b'{"a":1}\n', "json", "JSON"),
    ("empty object", "a.log", b"{}\n", "json", "JSON"),
    ("object over lines", "a", b'\n  {\n  "a": 1\n}', "json", "JSON"),
    ("object after a mark", "a", b'\xef\xbb\xbf {"a":1}', "json", "JSON"),
    ("object in UTF-16", "a", '{"a":1}'.encode("utf-16"), "json", "JSON"),
    ("list of objects", "a", b'[{"a":1}]', "json", "JSON"),
    ("list of objects over lines", "a", b'[\n  {"a":1}\n]', "json", "JSON"),
    ("empty list", "a", b"[ ]", "json", "JSON"),
    ("list of numbers", "a", b"[1, 2]\n", "text", "neither"),
    ("bracketed time", "a", b"[2016-12-19 16:31:47,999] TRACE x\n[2016-12-19 16:31:48,000] TRACE y\n", "text", "neither"),
    ("bracketed level", "a", b"[ERROR] it failed\n", "text", "neither"),
    ("braces of another kind", "a", b"{a: 1}\n", "text", "neither"),
    ("template", "a", b"{{ name }}\n", "text", "neither"),
    ("JSON string", "a", b'"text"\n', "text", "neither"),
    # CSV
    ("two columns", "a.txt", b"a,b\n1,2\n", "csv", "2 cells"),
    ("four columns", "a", b"time,host,status,path\n2025-01-01T00:00:00Z,web,200,/\n", "csv", "4 cells"),
    ("CRLF", "a", b"a,b\r\n1,2\r\n", "csv", "2 cells"),
    ("after blank lines", "a", b"\n\na,b\n1,2\n", "csv", "2 cells"),
    ("last row cut off", "a", b"a,b\n" + b"1,2\n" * 400, "csv", "2 cells"),
    ("last row without newline", "a", b"a,b\n1,2", "csv", "2 cells"),
    ("quoted commas", "a", b'name,place\n"Doe, J","Chicago, IL"\n', "csv", "2 cells"),
    ("newline in quotes", "a", b'name,text\nann,"one\ntwo"\n', "csv", "2 cells"),
    ("quote that goes on beyond the sample", "a", b'name,text\nann,x\nbob,"' + b"y" * 2000, "csv", "2 cells"),
    ("words alone", "a", b"name,city\nann,london\n", "csv", "2 cells"),
    ("spaces within names", "a", b"first name,last name\nann,lee\n", "csv", "2 cells"),
    ("Splunk's", "a", b"_raw,_time,host\nx,1,y\n", "csv", "3 cells"),
    ("UTF-8 names", "a", "größe,straße\n1,2\n".encode(), "csv", "2 cells"),
    # no CSV
    ("header alone", "a", b"a,b\n", "text", "neither"),
    ("one column", "a", b"a\n1\n2\n", "text", "neither"),
    ("second row incomplete", "a", b"a,b\n" + b"1," + b"x" * 2000, "text", "neither"),
    ("ragged", "a", b"a,b\n1,2\n1,2,3\n", "text", "neither"),
    ("blank name", "a", b"a,,c\n1,2,3\n", "text", "neither"),
    ("doubled name", "a", b"a,a\n1,2\n", "text", "neither"),
    ("long name", "a", b"x" * 65 + b",b\n1,2\n", "text", "neither"),
    ("prose", "a", b"It rained, and we left.\nHe stayed, of course.\n", "text", "neither"),
    ("prose of one width", "a", b"Well, yes\nOh, no\n", "text", "neither"),
    ("numbers", "a", b"1,2\n3,4\n", "text", "neither"),
    ("a number in the header", "a", b"a,2\n3,4\n", "text", "neither"),
    ("a decimal in the header", "a", b"a,-1.5e3\n3,4\n", "text", "neither"),
    ("a date in the header", "a", b"2025-01-01,a\n2025-01-02,b\n", "text", "neither"),
    ("a time in the header", "a", b"10:00:01,started\n10:00:02,stopped\n", "text", "neither"),
    ("an address in the header", "a", b"10.0.0.1,ann\n10.0.0.2,bob\n", "text", "neither"),
    ("IPv6", "a", b"fe80::1,ann\nfe80::2,bob\n", "text", "neither"),
    ("mail", "a", b"ann@example.org,x\nbob@example.org,y\n", "text", "neither"),
    ("URL", "a", b"https://example.org/,x\nhttps://example.org/2,y\n", "text", "neither"),
    ("the second row with other digits", "a", b"job a1,done in b3\njob a2,done in b4\n", "text", "neither"),
    ("log4j", "a", b"16/03/22 09:00:01,123 INFO x: a\n16/03/22 09:00:02,456 INFO y: b\n", "text", "neither"),
    ("log lines with commas", "a", b"INFO start, user ann\nINFO stop, user bob\n", "text", "neither"),
    ("key=value", "a", b"a=1, b=2\na=3, b=4\n", "text", "neither"),
    ("semicolons", "a", b"a;b\n1;2\n", "text", "neither"),
    # text
    ("nothing", "a", b"", "text", "neither"),
    ("white space", "a", b" \n\n", "text", "neither"),
    ("syslog", "a", b"Mar 27 13:06:56 ip-10-77-20-248 sshd[1291]: Server listening on :: port 22.\n", "text", "neither"),
    ("access log", "a.log", b'1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "a, b"\n', "text", "neither"),
    ("XML", "a.xml", b"<a>\n</a>\n", "text", "neither"),
    ("bad bytes", "a", b"caf\xe9\n", "text", "neither"),
    ("UTF-16 text", "a", "hello\n".encode("utf-16"), "text", "neither"),
    ("text that begins like bzip2", "a", b"BZh9 bug was found\n", "text", "neither"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "head", "format_name", "rule"), [case[1:] for case in _CASES], ids=[case[0] for case in _CASES])
def test_format(key: str, head: bytes, format_name: str, rule: str) -> None:
    choice = detect_format(key, head[:1024])
    assert (choice.format, rule in choice.rule) == (format_name, True), choice


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"name".ljust(257, b"\0") + b"ustar\x0000", "tar archive"),
        (b"PK\x03\x04\x14\0", "zip archive"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "7z archive"),
        (b"PAR1\x15\x04", "Parquet file"),
        (b"Obj\x01\x04\x14avro.codec", "Avro file"),
        (b"ORC\x00\x11", "ORC file"),
        (b"\x89PNG\r\n\x1a\n", "PNG image"),
        (b"\xff\xd8\xff\xe0", "JPEG image"),
        (b"text and \0 more", "binary file (it holds NUL bytes)"),
        ("no byte order mark".encode("utf-16-le"), "binary file (it holds NUL bytes)"),
        (b"BZh91AY&SY\x9f\xee\xde\xd4", "bzip2 stream"),
    ],
)
@pytest.mark.parametrize("key", ["a", "a.json", "a.csv"])
def test_binary_files_are_refused(key: str, head: bytes, kind: str) -> None:
    with pytest.raises(UnsupportedError, match=f"^unsupported: {kind}".replace("(", r"\(").replace(")", r"\)")):
        detect_format(key, head)
