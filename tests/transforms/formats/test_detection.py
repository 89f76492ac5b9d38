"""Which format small files are found to have, and by which rule."""

# ruff: noqa: E501  tables of cases, a row a line
from __future__ import annotations

import re

import pytest

from transforms.core.errors import UnsupportedError
from transforms.formats.detection import HEAD_BYTES, asked_for, detect_format
from transforms.formats.options import FormatOptions

_NEITHER = "neither extension nor content of another format"
_BRACKET = "begins with a bracket, but not like JSON objects"
_VALUES = "a first row that could be values, not names"
_PHRASES = "a first row of phrases, not of names"
_FEW = "commas, but fewer than two complete rows of CSV"
_RAGGED = "lines with commas, but not of one number of cells"
_OBJECT = "begins like a JSON object"
_ARRAY = "begins like a JSON array of objects"
_ALIKE = "a first row like one below it, no header"
_NOTHING = "nothing but white space at its beginning"

# Name, key, head, format, rule.
_CASES: list[tuple[str, str, bytes, str, str]] = [
    # by extension
    ("csv", "a.csv", b"whatever", "csv", "extension .csv"),
    ("CSV", "A.CSV", b"", "csv", "extension .csv"),
    ("json", "logs/a.json", b"text", "json", "extension .json"),
    ("ndjson", "a.ndjson", b"", "json", "extension .ndjson"),
    ("jsonl", "a.x.jsonl", b"a,b\n1,2\n", "json", "extension .jsonl"),
    ("an extension of the folder", "a.csv/b", b"hello\n", "text", _NEITHER),
    ("no dot", "csv", b"hello\n", "text", _NEITHER),
    ("rotated", "a.json.1", b"hello\n", "text", _NEITHER),
    # JSON
    ("object", "a", b'{"a":1}\n', "json", _OBJECT),
    ("empty object", "a.log", b"{}\n", "json", _OBJECT),
    ("object over lines", "a", b'\n  {\n  "a": 1\n}', "json", _OBJECT),
    ("object after a mark", "a", b'\xef\xbb\xbf {"a":1}', "json", _OBJECT),
    ("object in UTF-16", "a", '{"a":1}'.encode("utf-16"), "json", _OBJECT),
    ("list of objects", "a", b'[{"a":1}]', "json", _ARRAY),
    ("list of objects over lines", "a", b'[\n  {"a":1}\n]', "json", _ARRAY),
    ("empty list", "a", b"[ ]", "json", _ARRAY),
    ("objects of RFC 7464", "a", b'\x1e{"a":1}\n\x1e{"a":2}\n', "json", _OBJECT),
    ("objects with a NUL behind each", "a", b'{"a":1}\0{"a":2}\0', "json", _OBJECT),
    ("objects after NULs and a mark", "a.json", b'\0\0\n\xef\xbb\xbf{"a":1}', "json", "extension .json"),
    ("list of numbers", "a", b"[1, 2]\n", "text", _BRACKET),
    ("bracketed time", "a", b"[2016-12-19 16:31:47,999] TRACE x\n[2016-12-19 16:31:48,000] TRACE y\n", "text", _BRACKET),
    ("bracketed level", "a", b"[ERROR] it failed\n", "text", _BRACKET),
    ("braces of another kind", "a", b"{a: 1}\n", "text", _BRACKET),
    ("template", "a", b"{{ name }}\n", "text", _BRACKET),
    ("JSON string", "a", b'"text"\n', "text", _NEITHER),
    # CSV
    ("two columns", "a.txt", b"a,b\n1,2\n", "csv", "begins with a header and rows of 2 cells"),
    ("four columns", "a", b"time,host,status,path\n2025-01-01T00:00:00Z,web,200,/\n", "csv", "begins with a header and rows of 4 cells"),
    ("CRLF", "a", b"a,b\r\n1,2\r\n", "csv", "begins with a header and rows of 2 cells"),
    ("after blank lines", "a", b"\n\na,b\n1,2\n", "csv", "begins with a header and rows of 2 cells"),
    ("last row cut off", "a", b"a,b\n" + b"1,2\n" * 400, "csv", "begins with a header and rows of 2 cells"),
    ("last row without newline", "a", b"a,b\n1,2", "csv", "begins with a header and rows of 2 cells"),
    ("quoted commas", "a", b'name,place\n"Doe, J","Chicago, IL"\n', "csv", "begins with a header and rows of 2 cells"),
    ("newline in quotes", "a", b'name,text\nann,"one\ntwo"\n', "csv", "begins with a header and rows of 2 cells"),
    ("quote that goes on beyond the sample", "a", b'name,text\nann,x\nbob,"' + b"y" * 2000,
     "csv", "begins with a header and rows of 2 cells"),
    ("words alone", "a", b"name,city\nann,london\n", "csv", "begins with a header and rows of 2 cells"),
    ("spaces within names", "a", b"first name,last name\nann,lee\n", "csv", "begins with a header and rows of 2 cells"),
    ("Splunk's", "a", b"_raw,_time,host\nx,1,y\n", "splunk_csv", "begins with a header and rows of 3 cells; its header has _raw and _time"),
    ("UTF-8 names", "a", "größe,straße\n1,2\n".encode(), "csv", "begins with a header and rows of 2 cells"),
    # no CSV
    ("header alone", "a", b"a,b\n", "text", _FEW),
    ("one column", "a", b"a\n1\n2\n", "text", _NEITHER),
    ("second row incomplete", "a", b"a,b\n" + b"1," + b"x" * 2000, "text", _FEW),
    ("ragged", "a", b"a,b\n1,2\n1,2,3\n", "text", _RAGGED),
    ("blank name", "a", b"a,,c\n1,2,3\n", "text", "a first row with blank cells, no header"),
    ("doubled name", "a", b"a,a\n1,2\n", "text", "a first row with the same cell twice, no header"),
    ("long name", "a", b"x" * 65 + b",b\n1,2\n", "text", _PHRASES),
    ("prose", "a", b"It rained, and we left.\nHe stayed, of course.\n", "text", _PHRASES),
    ("prose of one width", "a", b"Well, yes\nOh, no\n", "text", _PHRASES),
    ("numbers", "a", b"1,2\n3,4\n", "text", _VALUES),
    ("a number in the header", "a", b"a,2\n3,4\n", "text", _VALUES),
    ("a decimal in the header", "a", b"a,-1.5e3\n3,4\n", "text", _VALUES),
    ("a date in the header", "a", b"2025-01-01,a\n2025-01-02,b\n", "text", _VALUES),
    ("a time in the header", "a", b"10:00:01,started\n10:00:02,stopped\n", "text", _VALUES),
    ("an address in the header", "a", b"10.0.0.1,ann\n10.0.0.2,bob\n", "text", _VALUES),
    ("IPv6", "a", b"fe80::1,ann\nfe80::2,bob\n", "text", _VALUES),
    ("mail", "a", b"ann@example.org,x\nbob@example.org,y\n", "text", _VALUES),
    ("URL", "a", b"https://example.org/,x\nhttps://example.org/2,y\n", "text", _VALUES),
    ("the second row with other digits", "a", b"job a1,done in b3\njob a2,done in b4\n", "text", _ALIKE),
    ("log4j", "a", b"16/03/22 09:00:01,123 INFO x: a\n16/03/22 09:00:02,456 INFO y: b\n", "text", _VALUES),
    ("log lines with commas", "a", b"INFO start, user ann\nINFO stop, user bob\n", "text", _PHRASES),
    ("key=value", "a", b"a=1, b=2\na=3, b=4\n", "text", _PHRASES),
    ("semicolons", "a", b"a;b\n1;2\n",
     "text", "rows of 2 cells separated by semicolons, which --format csv --delimiter ';' would read"),
    # text
    ("nothing", "a", b"", "text", _NOTHING),
    ("white space", "a", b" \n\n", "text", _NOTHING),
    ("syslog", "a", b"Mar 27 13:06:56 ip-10-77-20-248 sshd[1291]: Server listening on :: port 22.\n", "text", _NEITHER),
    ("access log", "a.log", b'1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "a, b"\n', "text", _FEW),
    ("XML", "a.xml", b"<a>\n</a>\n", "text", _NEITHER),
    ("bad bytes", "a", b"caf\xe9\n", "text", _NEITHER),
    ("UTF-16 text", "a", "hello\n".encode("utf-16"), "text", _NEITHER),
    ("text that begins like bzip2", "a", b"BZh9 bug was found\n", "text", _NEITHER),
    ("csv in the middle", "a.csv.1", b"a,b\n1,2\n", "csv", "begins with a header and rows of 2 cells"),
    ("csv that is JSON", "a.csv", b'{"a":1}\n', "json", _OBJECT),
    ("csv that is a JSON array", "a.csv", b'[{"a":1}]\n', "json", _ARRAY),
    ("csv of semicolons", "a.csv", b"a;b\n1;2\n", "csv", "extension .csv"),
    ("csv of tabs", "a.csv", b"a\tb\n1\t2\n", "csv", "extension .csv"),
    ("csv of one column", "a.csv", b"a\n1\n2\n", "csv", "extension .csv"),
    ("json that is text", "a.json", b"hello\n", "json", "extension .json"),
    ("json that is CSV", "a.json", b"a,b\n1,2\n", "json", "extension .json"),
    ("nothing named csv", "a.csv", b"", "csv", "extension .csv"),
    # Splunk
    ("Splunk's CSV by name", "a.csv", b'"_serial","_time",host,"_raw"\n0,1,web,"a\nb"\n',
     "splunk_csv", "extension .csv; its header has _raw and _time"),
    ("Splunk's CSV after blank lines", "a.csv", b"\n\r\n_raw,_time\nx,1\n", "splunk_csv", "extension .csv; its header has _raw and _time"),
    ("Splunk's CSV with a mark", "a.csv", b"\xef\xbb\xbf_time,_raw\n1,x\n", "splunk_csv", "extension .csv; its header has _raw and _time"),
    ("Splunk's CSV in UTF-16", "a.csv", "_time,_raw\n1,x\n".encode("utf-16"),
     "splunk_csv", "extension .csv; its header has _raw and _time"),
    ("Splunk's CSV of old Macs", "a.csv", b"_time,_raw\r1,x\r", "splunk_csv", "extension .csv; its header has _raw and _time"),
    ("Splunk's CSV with a long header", "a.csv", b",".join(b"field_%d" % n for n in range(500)) + b",_time,_raw\n",
     "splunk_csv", "extension .csv; its header has _raw and _time"),
    ("Splunk's CSV, header cut off", "a.csv", b'_time,_raw,"host', "splunk_csv", "extension .csv; its header has _raw and _time"),
    ("_raw without _time", "a.csv", b"_raw,host\nx,y\n", "csv", "extension .csv"),
    ("_raw and _time in another case", "a.csv", b"_RAW,_TIME\nx,y\n", "csv", "extension .csv"),
    ("_raw and _time in the second row", "a.csv", b"a,b\n_raw,_time\n", "csv", "extension .csv"),
    ("HEC", "a", b'{"event":"x","time":1}\n', "splunk_hec", _OBJECT + "; its first object has event and time"),
    ("HEC by name", "a.json", b'{"time":1,"event":{"a":1}}\n', "splunk_hec", "extension .json; its first object has event and time"),
    ("HEC with fields", "a.ndjson", b'{"fields":{"a":"b"},"event":"x"}',
     "splunk_hec", "extension .ndjson; its first object has event and fields"),
    ("HEC over lines", "a", b'{\n  "host": "web",\n  "event": "x"\n}\n', "splunk_hec", _OBJECT + "; its first object has event and host"),
    ("HEC in an array", "a", b'[\n {"event":"x","index":"main"}\n]', "splunk_hec", _ARRAY + "; its first object has event and index"),
    ("HEC concatenated", "a", b'{"event":"x","source":"y"}{"event":"z"}',
     "splunk_hec", _OBJECT + "; its first object has event and source"),
    ("HEC with a long event first", "a", b'{"event":"' + b"x" * 3000 + b'","sourcetype":"y"}',
     "splunk_hec", _OBJECT + "; its first object has event and sourcetype"),
    ("HEC with a long object first", "a.json", b'{"event":{"a":[' + b'{"b":"}\\""},' * 2000 + b'1]},"host":"y"}',
     "splunk_hec", "extension .json; its first object has event and host"),
    ("HEC, cut within a string", "a", b'{"host":"y","event":"' + b"x" * 70000,
     "splunk_hec", _OBJECT + "; its first object has event and host"),
    ("HEC, cut before what tells it", "a", b'{"event":"' + b"x" * 70000 + b'","host":"y"}', "json", _OBJECT),
    ("HEC in UTF-16", "a", '{"event":"é","host":"y"}'.encode("utf-16"), "splunk_hec", _OBJECT + "; its first object has event and host"),
    ("HEC under csv", "a.csv", b'{"event":"x","time":1}\n', "splunk_hec", _OBJECT + "; its first object has event and time"),
    ("event alone", "a", b'{"event":"x","message":"y"}\n', "json", _OBJECT),
    ("event within", "a", b'{"data":{"event":"x","time":1},"time":2}\n', "json", _OBJECT),
    ("event in the second object", "a", b'{"a":1}{"event":"x","time":1}\n', "json", _OBJECT),
    ("event as a value", "a", b'{"a":"event","b":"time"}\n', "json", _OBJECT),
    ("escaped quotes before", "a", b'{"a":"\\",\\"event\\":1,","time":1}\n', "json", _OBJECT),
    ("braces in strings", "a", b'{"a":"}}}","event":1,"index":"x"}\n', "splunk_hec", _OBJECT + "; its first object has event and index"),
    # CSV
    ("quoted header", "a", b'"a","b"\n"1","2"\n', "csv", "begins with a header and rows of 2 cells"),
    ("lines of old Macs", "a", b"a,b\r1,2\r3,4\r", "csv", "begins with a header and rows of 2 cells"),
    ("UTF-16 rows", "a", "a,b\n1,2\n".encode("utf-16"), "csv", "begins with a header and rows of 2 cells"),
    ("three quoted newlines", "a", b'name,text\nann,"a\n\n\nb"\nbob,x\n', "csv", "begins with a header and rows of 2 cells"),
    ("empty cells below", "a", b"a,b,c\n1,,\n,,\n", "csv", "begins with a header and rows of 3 cells"),
    ("mark before the header", "a", b"\xef\xbb\xbfa,b\n1,2\n", "csv", "begins with a header and rows of 2 cells"),
    ("S3 inventory without a header", "a", b'"bucket","key1","12"\n"bucket","key2","34"\n', "text", _VALUES),
    # text
    ("log lines of one width", "a", b"ERROR,disk full,web-a\nINFO,all well,web-b\n", "text", _VALUES),
    ("lines that begin alike", "a", b"sshd,ann,login\nsshd,bob,logout\n", "text", _ALIKE),
    ("key=value with commas", "a", b"user=ann,action=login\nuser=bob,action=logout\n", "text", _VALUES),
    ("logfmt", "a", b'time="2024-01-02T15:04:05Z" level=info msg="a, b"\n', "text", _FEW),
    ("one quoted cell a line", "a", b'"hello, world"\n"a, b"\n', "text", _NEITHER),
    ("hashes", "a", b"deadbeefdeadbeefdeadbeefdeadbeef,a.txt\ncafebabecafebabecafebabecafebabe,b.txt\n", "text", _VALUES),
    ("paths", "a", b"/var/log/a.log,ok\n/var/log/b.log,bad\n", "text", _VALUES),
    ("versions", "a", b"v1.2.3,stable\nv1.2.4,beta\n", "text", _VALUES),
    ("sums", "a", b"$5.00,ann\n$6.00,bob\n", "text", _VALUES),
    ("truths", "a", b"true,false\nfalse,true\n", "text", _VALUES),
    ("tabs", "a.tsv", b"a\tb\tc\n1\t2\t3\n4\t5\t6\n",
     "csv", "extension .tsv"),
    ("tabs by content", "a", b"a\tb\tc\n1\t2\t3\n4\t5\t6\n",
     "text", "rows of 3 cells separated by tabs, which --format csv --delimiter '\\t' would read"),
    ("bars", "a", b"a|b\n1|2\n", "text", "rows of 2 cells separated by bars, which --format csv --delimiter '|' would read"),
    ("three rows of semicolons", "a", b"a;b;c\n1;2;3\n",
     "text", "rows of 3 cells separated by semicolons, which --format csv --delimiter ';' would read"),
    ("one line", "a", b"hello, world", "text", _FEW),
    ("one line with its end", "a", b"a,b,c\n", "text", _FEW),
    ("SQL", "a.sql", b"INSERT INTO t VALUES (1,'a');\nINSERT INTO t VALUES (2,'b');\n", "text", _VALUES),
    ("SQL dump", "a.sql", b"-- MySQL dump 10.13\nCREATE TABLE t (a int, b int);\n", "text", _NEITHER),
    ("flow log", "a", b"2 123456789010 eni-1 10.0.0.1 10.0.0.2 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK\n" * 2, "text", _NEITHER),
    ("flow log with its header", "a", b"version account-id interface-id srcaddr dstaddr\n2 123456789010 eni-1 10.0.0.1 10.0.0.2\n",
     "csv", "begins with AWS's names of flow log fields"),
    ("CEF", "a", b"CEF:0|Security|threat|1.0|100|worm, stopped|10|src=10.0.0.1\nCEF:0|Security|threat|1.0|101|x|10|src=10.0.0.2\n",
     "text", _RAGGED),
    ("stack trace", "a", b"java.lang.IllegalStateException: a, b\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\n", "text", _RAGGED),
    ("Python's trace", "a", b'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nKeyError: 1\n', "text", _NEITHER),
    ("YAML", "a.yaml", b"a: 1\nb: [1, 2]\n", "text", _NEITHER),
    ("YAML of a flow mapping", "a.yaml", b"{a: 1, b: 2}\n", "text", _BRACKET),
    ("INI", "a.ini", b"[section]\na = 1\nb = 2, 3\n", "text", _BRACKET),
    ("TOML", "a.toml", b"[[tables]]\na = 1\n", "text", _BRACKET),
    ("Markdown", "a.md", b"# Title\n\nSome text, and more.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "text", _NEITHER),
    ("HTML", "a.html", b"<!DOCTYPE html>\n<p>a, b</p>\n", "text", _NEITHER),
    ("W3C", "a", b"#Software: IIS\n#Fields: date time c-ip\n2024-01-02 15:04:05 10.0.0.1\n", "w3c", "begins with directives, #Fields: among them"),
    ("PostgreSQL's csvlog", "a", b'2024-01-02 15:04:05.123 UTC,"ann","db",42,,x\n2024-01-02 15:04:06.123 UTC,"bob","db",43,,y\n',
     "text", "a first row with blank cells, no header"),
    ("Palo Alto", "a", b"1,2024/01/02 15:04:05,001,TRAFFIC,end\n1,2024/01/02 15:04:06,001,TRAFFIC,start\n", "text", _VALUES),
    ("level in brackets", "a", b"[INFO] a, b\n[WARN] c, d\n", "text", _BRACKET),
    ("brace and a word", "a", b"{not json\n", "text", _BRACKET),
    ("brace alone", "a", b"{", "text", _BRACKET),
    ("glog", "a", b"I0102 15:04:05.123456 1 main.go:42] a, b\nI0102 15:04:06.123456 1 main.go:42] c, d\n", "text", _PHRASES),
    ("audit", "a", b"type=SYSCALL msg=audit(1373330716.123:4): arch=c000003e\n", "text", _NEITHER),
    ("diff", "a", b"--- a\n+++ b\n@@ -1,2 +1,2 @@\n", "text", _NEITHER),
    ("base64", "a", b"aGVsbG8sIHdvcmxk\naGVsbG8=\n", "text", _NEITHER),
    ("addresses of pairs", "a", b"Doe, Jane\nRoe, Richard\n", "text", _PHRASES),
    ("letter", "a", b"Dear Ann,\nThank you,\nBob\n", "text", _RAGGED),
    ("a byte order mark alone", "a", b"\xef\xbb\xbf", "text", _NOTHING),
    ("Latin-1", "a", b"caf\xe9, bar\ncaf\xe9, bar\n", "text", _PHRASES),
    ("a NUL beyond the sample", "a", b"x" * 1500 + b"\0\n", "text", _NEITHER),
    ("multi-byte character cut at the sample's end", "a", b"x" * 1023 + "é\n".encode(), "text", _NEITHER),
    ("color codes", "a", b"\x1b[32mINFO\x1b[0m a, b\n", "text", _FEW),
    ("syslog with its priority", "a", b"<34>Oct 11 22:14:15 host su: a, b\n<35>Oct 11 22:14:16 host su: c\n", "text", _RAGGED),
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "head", "format_name", "rule"), [case[1:] for case in _CASES], ids=[case[0] for case in _CASES]
)
def test_format(key: str, head: bytes, format_name: str, rule: str) -> None:
    choice = detect_format(key, head[:HEAD_BYTES])
    assert (choice.format, choice.rule) == (format_name, rule)


@pytest.mark.parametrize(
    ("key", "head", "warning"),
    [
        ("a.csv", b"a,b\n1,2\n", None),
        ("a.csv", b"a\n1\n", None),
        ("a.csv", b"a;b,c\n1;2,3\n", None),
        ("a.csv", b"{}\n", "its name says CSV, but it begins like JSON: read as JSON"),
        ("a.csv", b"a;b\n1;2\n",
     "it begins with rows of 2 cells separated by semicolons, which --format csv --delimiter ';' would read; by its name"),
        ("a.txt", b"a;b\n1;2\n", None),
    ],
)  # fmt: skip
def test_warning(key: str, head: bytes, warning: str | None) -> None:
    found = detect_format(key, head).warning
    assert found == warning or (warning and found and found.startswith(warning))


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"name".ljust(257, b"\0") + b"ustar\x0000", "tar archive"),
        (b"PK\x03\x04\x14\0", "zip archive"),
        (b"PK\x05\x06" + bytes(18), "zip archive"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "7z archive"),
        (b"Rar!\x1a\x07\x01\0", "RAR archive"),
        (b"!<arch>\ndebian-binary", "ar archive"),
        (b"PAR1\x15\x04", "Parquet file"),
        (b"Obj\x01\x04\x14avro.codec", "Avro file"),
        (b"ORC\x00\x11", "ORC file"),
        (b"ARROW1\0\0", "Arrow file"),
        (b"SQLite format 3\0", "SQLite database"),
        (b"\x89HDF\r\n\x1a\n\0", "HDF5 file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office document"),
        (b"%PDF-1.7\n", "PDF document"),
        (b"\x89PNG\r\n\x1a\n", "PNG image"),
        (b"\xff\xd8\xff\xe0", "JPEG image"),
        (b"GIF89a\1\0", "GIF image"),
        (b"II*\0\x08", "TIFF image"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "WebP image"),
        (b"\x7fELF\2\1", "ELF program"),
        (b"\xd4\xc3\xb2\xa1\2\0", "pcap capture"),
        (b"\x0a\x0d\x0d\x0a\x1c\0", "pcapng capture"),
        (b"ElfFile\0\0", "Windows event log (evtx)"),
        (b"LPKSHHRH\0\0", "systemd journal"),
        ("text".encode("utf-32"), "UTF-32 text"),
        (b"text and \0 more", "binary file (it holds NUL bytes)"),
        ("no byte order mark".encode("utf-16-le"), "binary file (it holds NUL bytes)"),
    ],
)
@pytest.mark.parametrize("key", ["a", "a.json", "a.csv"])
def test_binary_files_are_refused(key: str, head: bytes, kind: str) -> None:
    with pytest.raises(UnsupportedError, match=f"^unsupported: {re.escape(kind)}; .*--format"):
        detect_format(key, head)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x1f\x8b\x08\0", "gzip stream"),
        (b"\x28\xb5\x2f\xfd\x04", "zstd stream"),
        (b"BZh91AY&SY\x9f\xee\xde\xd4", "bzip2 stream"),
        (b"\xfd7zXZ\0\0\4", "xz stream"),
        (b"\x04\x22\x4d\x18\x60", "LZ4 stream"),
        (b"\x1f\x9d\x90", "compress stream"),
        (b"\xff\x06\0\0sNaPpY", "Snappy stream"),
    ],
)
def test_codecs_that_are_left_are_refused(head: bytes, kind: str) -> None:
    with pytest.raises(UnsupportedError, match=f"^unsupported: {kind}; it lies inside as many codecs as are taken off"):
        detect_format("a", head)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (
            b'{"@timestamp":"2025-08-11T22:24:01Z","message":"GET /1","event":{"dataset":"nginx"},"host":{"name":"web1"}}',
            "json",
        ),
        (
            b'{"event":"request_finished","host":"web-1","level":"info","timestamp":"2025-08-11T22:24:37Z","status":200}',
            "json",
        ),
        (
            b'{"event":"Order Completed","userId":"u1","properties":{},"timestamp":"2025-08-11T22:24:37Z","source":"web"}',
            "json",
        ),
        (b'{"event":"user_login","time":"2025-08-11T22:24:37Z","user":"bob","ip":"10.0.0.1"}', "json"),
        (b'{"event":"x","host":{"name":"web1"}}', "json"),
        (b'{"event":"Demo log","time":"2025-11-14T22:46:11Z","status":500}', "json"),
        (b'{"event":"Demo log","time":"2025-11-14T22:46:11Z","index":"demo","status":500}', "splunk_hec"),
        (b'{"event":"boot","host":"a"}\n{"event":"in","host":"a","user":"ann"}', "json"),
        (b'{"event":"boot","host":"a"}\nnot json {\n{"event":"in"}\n{"host":"a"}', "splunk_hec"),
        (b'[{"event":"boot","host":"a"},\n{"event":"in","host":"a","user":"ann"}]', "json"),
        (b'{"event":"x","time":1719741600,"properties":{"id":1}}', "json"),
        (b'{"event":{"level":"info","message":"x"},"fields":{"a":"b"}}', "splunk_hec"),
    ],
    ids=[
        "ecs",
        "structlog",
        "segment",
        "login",
        "host object",
        "one more",
        "one more beside index",
        "second object",
        "broken ones",
        "second in an array",
        "properties",
        "event object",
    ],  # fmt: skip
)
def test_records_with_an_event_are_not_what_hec_takes(data: bytes, wanted: str) -> None:
    choice = detect_format("a.ndjson", data + b"\n")
    assert choice.format == wanted
    assert (choice.warning is not None) is (b"status" in data and wanted == "splunk_hec")


def test_a_csv_without_a_header_keeps_its_first_row() -> None:
    choice = detect_format(
        "postgresql.csv", b'2025-08-11 22:24:37.123 UTC,"p","db",1\n2025-08-11 22:24:38.123 UTC,"p","db",2\n'
    )
    assert (choice.format, choice.options.get("headers")) == ("csv", ("column_1", "column_2", "column_3", "column_4"))
    assert choice.warning is not None and "--headers" in choice.warning
    assert detect_format("a.csv", b"year,2019,2020\nsales,1,2\n").options == {}
    assert detect_format("a.csv", b"from 10:00,to\n10:30,11:00\n").options == {}


@pytest.mark.parametrize(
    "data",
    [
        b"info,app started\nerror,app crashed\nerror,disk full\n",
        b"alice,login\nbob,logout\ncarol,login\n",
        b"status:ok,user:bob\nstatus:fail,user:al\n",
    ],
)
def test_lines_with_one_comma_are_text(data: bytes) -> None:
    assert detect_format("app.log", data).format == "text"


@pytest.mark.parametrize(
    ("name", "head", "options", "doubted"),
    [
        ("splunk_csv", b'"_time","_raw"\n1,2\n', {}, False),
        ("splunk_csv", b"_raw,host\n", {}, False),
        ("splunk_csv", b"host,_time\n", {}, False),
        ("splunk_csv", b"time,host,raw\n1,2,3\n", {}, True),
        ("splunk_csv", b'{"_raw": "a", "_time": 1}\n', {}, True),
        ("splunk_csv", b"prose, and more\n_raw,_time\n", {"skip_rows": 1}, False),
        ("splunk_csv", b"1;2\n", {"delimiter": ";", "headers": ("_time", "_raw")}, False),
        ("splunk_csv", b"", {}, False),
        ("csv", b"time,host,raw\n1,2,3\n", {}, False),
    ],
)
def test_splunk_csv_that_is_none_is_doubted(name: str, head: bytes, options: dict[str, object], doubted: bool) -> None:
    choice = asked_for(name, head, FormatOptions(format=name, **options))  # type: ignore[arg-type]
    assert (choice.format, choice.rule, choice.warning is not None) == (name, "asked for by name", doubted)
