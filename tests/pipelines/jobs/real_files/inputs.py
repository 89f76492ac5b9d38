"""Small files of the kinds that real users have, each with the options that it is read with.

Hosts, names and texts are made up. What is right for each stands in `expected.py`.
"""

# ruff: noqa: E501  a line of a file, a line
from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass

import cramjam


@dataclass(frozen=True)
class Input:
    """A file.

    Attributes:
        data: Its bytes.
        flags: The flags of the job that reads it; files with the same flags are read by one job.
        modified: Its LastModified.
    """

    data: bytes
    flags: tuple[str, ...] = ()
    modified: str = "2025-09-01T00:00:00Z"


def lines(*texts: str, end: str = "\n") -> bytes:
    return "".join(text + end for text in texts).encode()


def rows(*objects: object) -> bytes:
    return lines(*(json.dumps(one, ensure_ascii=False) for one in objects))


PIPELINES = ("--pipelines", "ready_made")
"""All ready-made pipelines, one after the other."""
_FLOW = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
_FLOW_5 = "version vpc-id az-id flow-direction pkt-src-aws-service start end srcaddr"
_PG = (
    '2024-05-02 08:15:{0}.125 UTC,"app","crm",812,"10.0.0.9:5521",6634f1a1.32c,1,"INSERT",2024-05-02 08:15:20 UTC,3/7,0,ERROR,23505,'
    '"duplicate key value violates unique constraint ""users_pkey""{1}",,,,,,"insert into users",13,,"psql"'
)
_IIS = "#Software: Microsoft Internet Information Services 10.0"
_EXCHANGE = "#Fields: date-time,client-ip,event-id,recipient-address"
_ZEEK = (
    "#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tdns",
    "#fields\tts\tuid\tid.orig_h\tquery\tanswers", "#types\ttime\tstring\taddr\tstring\tvector[string]",
)  # fmt: skip
_ALB = (
    'h2 2025-02-03T04:05:{0}Z app/shop/1a2b 198.51.100.7:5501 10.0.0.4:443 0.001 0.020 0.000 {1} 200 120 4510 "{2}" "curl/8.5" '
    'TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/shop/9f "Root=1-67a0-1" '
    '"shop.example" "session-reused" 3 2025-02-03T04:05:00.100000Z "forward" "-" "-" "10.0.0.4:443" "200" "-" "-"'
)
_CF = (
    "#Version: 1.0", "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(User-Agent)",
    "2025-02-03\t04:05:06\tFRA56-P4\t512\t203.0.113.5\tGET\td1.cloudfront.net\t/a b.css\t200\tcurl/8.5%20(x)",
)  # fmt: skip
_XML = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' "
    "Guid='{{54849625-5478-4994-a5ba-3e3b0328c30d}}'/><EventID>4624</EventID><Version>2</Version><Level>0</Level><TimeCreated "
    "SystemTime='2025-02-03T04:05:{0}.7654321Z'/><Computer>PC-7</Computer></System></Event>"
)
_WRAPPED = '{"records": [' + ",".join(
    json.dumps({"time": f"2025-02-03T04:{number // 60:02}:{number % 60:02}Z", "n": number, "pad": "y" * 600}) for number in range(300)
) + "]}"  # fmt: skip


def xerial(data: bytes) -> bytes:
    block = bytes(cramjam.snappy.compress_raw(data))
    return b"\x82SNAPPY\0" + (1).to_bytes(4, "big") * 2 + len(block).to_bytes(4, "big") + block


def lz4_block_stream(data: bytes) -> bytes:
    """Return the stream of lz4-java's LZ4BlockOutputStream, one block that is not compressed."""
    size = len(data).to_bytes(4, "little")
    return b"LZ4Block" + bytes([0x16]) + size + size + bytes(4) + data


FILES: Mapping[str, Input] = {
    # 01: CloudFront's standard logs, with their header
    "01/E1EXAMPLE.2025-02-03-04.1a2b.gz": Input(gzip.compress(lines(*_CF), mtime=0)),
    # 02, 03: VPC flow logs, with AWS's names as their header, and without
    "02/flow-5.log.gz": Input(
        gzip.compress(
            lines(
                _FLOW_5,
                "5 vpc-9 euw1-az2 egress - 1738555506 1738555560 10.0.0.7",
                "5 vpc-9 euw1-az2 ingress S3 1738555507 1738555560 -",
            ),
            mtime=0,
        )
    ),
    "03/flow-2.log": Input(
        lines(
            _FLOW,
            "2 111122223333 eni-7 10.0.0.7 10.0.0.8 443 5100 6 9 840 1738555506 1738555560 ACCEPT OK",
            "2 111122223333 eni-7 - - - - - - - 1738555507 1738555560 - NODATA",
        )
    ),
    "03/bare.log": Input(
        lines(
            "2 111122223333 eni-7 10.0.0.7 10.0.0.8 443 5100 6 9 840 1738555506 1738555560 REJECT OK",
            "2 111122223333 eni-7 10.0.0.7 10.0.0.8 443 5100 6 9 840 1738555506 1738555560 REJECT OK more",
        ),
        PIPELINES,
    ),
    # 04: requests with blanks, and none
    "04/alb.log": Input(
        lines(
            _ALB.format("06.000001", 200, "GET https://shop.example:443/a?x=1 HTTP/2.0"),
            _ALB.format("07.000001", 400, "GET https://shop.example:443/a b  c.php HTTP/1.1"),
            _ALB.format("08.000001", 400, "- https://shop.example:443- -"),
            _ALB.format("09.000001", 400, "GET https://shop.example:443/x"),
        ),
        PIPELINES,
    ),
    # 06: times under the names of their sources
    "06/audit.log": Input(
        rows(
            {
                "kind": "Event",
                "stage": "ResponseStarted",
                "requestReceivedTimestamp": "2025-02-03T04:05:01.5Z",
                "stageTimestamp": "2025-02-03T04:05:02Z",
            }
        )
    ),
    "06/findings.jsonl": Input(
        rows({"id": "f", "createdAt": "2025-02-03T04:05:02.125Z", "updatedAt": "2025-03-03T00:00:00Z"})
    ),
    "06/log4j2.json": Input(rows({"instant": {"epochSecond": 1738555503, "nanoOfSecond": 250000000}, "level": "WARN"})),
    "06/mongod.json": Input(rows({"t": {"$date": "2025-02-03T05:05:04.000+01:00"}, "s": "W"})),
    "06/nginx.json": Input(rows({"time_iso8601": "2025-02-03T05:05:05+01:00", "status": "204"})),
    "06/okta.json": Input(
        json.dumps(
            [{"published": "2025-02-03T04:05:06.000Z", "eventType": "x"}, {"published": "2025-02-03T04:05:07.000Z"}]
        ).encode()
    ),
    "06/resolver.jsonl": Input(rows({"query_timestamp": "2025-02-03T04:05:08Z", "query_name": "a.example."})),
    "06/otlp.json": Input(
        rows(
            {
                "resourceLogs": [
                    {
                        "resource": {"attributes": [{"key": "k"}]},
                        "scopeLogs": [
                            {
                                "scope": {"name": "s"},
                                "logRecords": [
                                    {"timeUnixNano": "1738555509000000000", "severityText": "INFO"},
                                    {"timeUnixNano": "1738555510000000500", "severityText": "WARN"},
                                ],
                            }
                        ],
                    }
                ]
            }
        )
    ),
    # 07: fractions behind a comma
    "07/comma.log": Input(
        lines(
            "2025-02-03T04:05:06,125Z a",
            "2025-02-03T04:05:06,125+02:00 b",
            "2025-02-03 04:05:06,125 UTC c",
            "2025-02-03 04:05:06,125UTC d",
            "2025-02-03T04:05:06,125456Z e",
        ),
        ("--timezone", "America/New_York"),
    ),
    # 08: months in other languages
    "08/de.log": Input(
        lines(
            "03-Mär-2024 04:05:06.5 INFO eins",
            "03-Mai-2024 04:05:06.5 INFO zwei",
            "03-Okt-2024 04:05:06.5 INFO drei",
            "03-Dez-2024 04:05:06.5 INFO vier",
        )
    ),
    "08/es.log": Input(lines("03/ene/2024 04:05:06 uno", "03/ago/2024 04:05:06 dos", "03/dic/2024 04:05:06 tres")),
    "08/fr.log": Input(
        lines(
            "févr. 03 04:05:06 pc app[1]: un", "juil. 03 04:05:06 pc app[1]: deux", "août 03 04:05:06 pc app[1]: trois"
        )
    ),
    # 09: less common ISO 8601
    "09/iso.log": Input(
        lines(
            "2024-060T04:05:06,250 ordinal",
            "2024-02-28T24:00:00Z end of the day",
            "2024-W09-4T04:05:06Z week",
            "2024-02-29T04:05:06\u221205:00 minus",
            "2024-02-29T04:05Z minutes",
            "20240229T040506.5Z basic",
            "2023-02-29T04:05:06Z no such day",
        )
    ),
    # 10: the day before the month, decided for a column and a file
    "10/orders.csv": Input(lines("id,date,name", "1,04/03/2024,a", "2,25/03/2024,b", "3,05/12/2024,c")),
    "10/orders.log": Input(lines("04/03/2024 04:05:06 a", "25/03/2024 04:05:06 b", "05/12/2024 04:05:06 c")),
    "10/short.csv": Input(lines("id,date,name", "1,04/03/2024,a"), ("--day-first",)),
    # 11: a zone in a field beside it
    "11/firewall.log": Input(
        lines(
            'date=2025-02-03 time=04:05:06 devname="fw" eventtime=1738584306000000000 tz="-0800"',
            '<30>device="SFW" date=2025-02-03 time=04:05:06 timezone="CET" x="y"',
            '<189>logver=60 timestamp=1738555506 tz="UTC+2:00" devname="fw"',
        )
    ),
    # 12: PostgreSQL's csvlog, whose first record is none for a header
    "12/postgresql.csv": Input(
        lines(_PG.format("21", "\nDETAIL 1\nDETAIL 2"), _PG.format("22", ""), _PG.format("23", ""))
    ),
    "12/postgresql.log": Input(lines(_PG.format("21", "\nDETAIL 1"), _PG.format("22", ""))),
    # 13: usage logs of GCS
    "13/bucket_usage_2025_02_03_04_00_00_0a_v0": Input(
        lines('"time_micros","c_ip","cs_method","sc_status"', '"1738555506250000","203.0.113.5","GET","200"')
    ),
    "13/rows.csv": Input(
        lines('"1738555506250000","203.0.113.5","GET","200"', '"1738555507250000","203.0.113.6","GET","304"')
    ),
    # 14: how CSV is written
    "14/sep.csv": Input(lines("sep=;", "time;user;text", "2025-02-03T04:05:06Z;ann;a,b")),
    "14/sep-comma.csv": Input(lines("sep=,", "time,user", "2025-02-03T04:05:06Z,ann")),
    "14/blanks.csv": Input(lines("time, user, text", '2025-02-03T04:05:06Z, ann, "a, b"')),
    "14/trailing.csv": Input(lines("time,user", "2025-02-03T04:05:06Z,ann,", "2025-02-03T04:05:07Z,bob,")),
    "14/comment.csv": Input(lines("#time,user", "2025-02-03T04:05:06Z,ann")),
    "14/preamble.csv": Input(
        lines("Report", "Made: today", "", "time,user", "2025-02-03T04:05:06Z,ann", "2025-02-03T04:05:07Z,bob")
    ),
    "14/skipped.csv": Input(
        lines("Report", "Made: today", "", "time,user", "2025-02-03T04:05:06Z,ann"),
        ("--format", "csv", "--skip-rows", "3"),
    ),
    "14/backslash.csv": Input(
        lines("time,user,text", '2025-02-03T04:05:06Z,ann,"a \\"b\\", c"', "2025-02-03T04:05:07Z,bob,d")
    ),
    # 16: JSON and text in one file
    "16/json-first.log": Input(
        lines(
            '{"time":"2025-02-03T04:05:06Z","n":1}',
            "2025-02-03 04:05:07 WARN plain",
            "\tat a.B.c(B.java:7)",
            '{"time":"2025-02-03T04:05:08Z","n":2}',
        )
    ),
    "16/prefixed.log": Input(lines('Feb  3 04:05:06 pc app: {"time":"2025-02-03T04:05:06Z"}')),
    "16/text-first.log": Input(
        lines("Starting.", '{"time":"2025-02-03T04:05:06Z","n":1}', '{"time":"2025-02-03T04:05:07Z","n":2}')
    ),
    # 17: the common wrappers
    "17/config.json.gz": Input(
        gzip.compress(
            json.dumps(
                {
                    "fileVersion": "1.0",
                    "configurationItems": [
                        {"configurationItemCaptureTime": "2025-02-03T04:05:06Z", "resourceId": "a"},
                        {"configurationItemCaptureTime": "2025-02-03T04:05:07Z", "resourceId": "b"},
                    ],
                }
            ).encode(),
            mtime=0,
        )
    ),
    "17/elastic.json": Input(
        json.dumps(
            {
                "took": 1,
                "hits": {
                    "total": 2,
                    "hits": [
                        {"_index": "i", "_source": {"@timestamp": "2025-02-03T04:05:06Z", "n": 1}},
                        {"_source": {"@timestamp": "2025-02-03T04:05:07Z"}},
                    ],
                },
            }
        ).encode()
    ),
    "17/o365.json": Input(
        json.dumps(
            {
                "value": [
                    {"CreationTime": "2025-02-03T04:05:06", "Id": "1"},
                    {"CreationTime": "2025-02-03T04:05:07", "Id": "2"},
                ]
            }
        ).encode()
    ),
    "17/PT1H.json": Input(
        json.dumps(
            {
                "records": [
                    {"time": "2025-02-03T04:05:06Z", "category": "NSG"},
                    {"time": "2025-02-03T04:05:07Z", "category": "NSG"},
                ]
            },
            indent=1,
        ).encode()
    ),
    # 21: what Java makes of LZ4 and Snappy
    "21/hadoop.log.snappy": Input(xerial(b"2025-02-03T04:05:06Z a\n")),
    "21/kafka": Input(xerial(b"2025-02-03T04:05:06Z a\n" * 3)),
    "21/spark.log.lz4": Input(lz4_block_stream(b"2025-02-03T04:05:06Z a\n")),
    # 27: stamps without a year
    "27/rollover.log": Input(
        lines("Nov 30 10:00:00 pc app: a", "Dec 31 23:59:59 pc app: b", "Jan  1 00:00:01 pc app: c"),
        modified="2025-01-01T00:10:00Z",
    ),
    "27/years.log": Input(
        lines(
            "May 10 01:00:00 pc app: a",
            "Dec 31 23:59:59 pc app: b",
            "Jan  1 00:00:01 pc app: c",
            "Mar 20 01:00:00 pc app: d",
        ),
        modified="2025-03-21T00:00:00Z",
    ),
    "27/three-years.log": Input(
        lines(
            "Jan 10 01:00:00 pc app: a",
            "Dec 31 23:59:59 pc app: b",
            "Jan  1 00:00:01 pc app: c",
            "Dec 31 23:59:58 pc app: late",
            "Sep 10 01:00:00 pc app: d",
            "Mar 20 01:00:00 pc app: e",
        ),
        modified="2026-11-30T00:00:00Z",
    ),
    "27/flag.log": Input(lines("Dec 31 23:59:59 pc app: a", "Jan  1 00:00:01 pc app: b"), ("--year", "2019")),
    "27/copied.log": Input(
        lines("Feb 11 20:44:26 pc app: a", "Feb 29 20:44:26 pc app: b"), modified="2026-11-30T00:00:00Z"
    ),
    "27/leap.log": Input(lines("Feb 11 20:44:26 pc app: a", "Feb 29 20:44:26 pc app: b"), ("--year", "2019")),
    # 28: encodings
    "28/utf16.log": Input("2025-02-03 04:05:06 Grüße\r\n2025-02-03 04:05:07 漢\r\n".encode("utf-16")),
    "28/utf16le.log": Input(
        "2025-02-03 04:05:06.5 Server   Grüße\r\n2025-02-03 04:05:07.5 Server   zwei\r\n".encode("utf-16-le")
    ),
    "28/western.log": Input("2025-02-03 04:05:06 à bientôt\r\n".encode("cp1252"), ("--encoding", "windows-1252")),
    "28/unnamed.log": Input("2025-02-03 04:05:06 à bientôt\n".encode("cp1252")),
    "28/japanese.log": Input("2025-02-03 04:05:06 ログ\n".encode("shift_jis"), ("--encoding", "shift_jis")),
    "28/exchange.LOG": Input(
        (
            "\ufeff#Software: Microsoft Exchange Server\r\n#Version: 15.0\r\n"
            + _EXCHANGE
            + "\r\n2025-02-03T04:05:06.001Z,10.0.0.5,RECEIVE,ann@example.com\r\n"
        ).encode()
    ),
    # 29: lines that the container's runtime has cut
    "29/partial.log": Input(
        lines(
            "2025-02-03T04:05:06.1Z stdout P one ",
            "2025-02-03T04:05:06.2Z stderr F other",
            "2025-02-03T04:05:06.3Z stdout F two",
        ),
        PIPELINES,
    ),
    # 30: Zeek
    "30/dns.log.gz": Input(
        gzip.compress(
            lines(
                *_ZEEK,
                "1738555506.250000\tC1\t10.0.0.7\ta.example\t192.0.2.1,192.0.2.2",
                "1738555507.250000\tC2\t10.0.0.7\t-\t(empty)",
                "#close\t2025-02-03-05-00-00",
            ),
            mtime=0,
        )
    ),
    # 31: W3C's format
    "31/u_ex.log": Input(
        lines(
            _IIS,
            "#Date: 2025-02-03 04:05:00",
            "#Fields: date time s-ip cs-uri-stem cs(User-Agent) sc-status",
            "2025-02-03 04:05:06 10.0.0.1 /a curl/8.5+(x) 200",
            _IIS,
            "#Date: 2025-02-03 05:00:00",
            "#Fields: date time cs-uri-stem sc-status",
            "2025-02-03 05:00:01 /b -",
            end="\r\n",
        )
    ),
    "31/clock.log": Input(
        lines(
            "#Version: 1.0",
            "#Date: 2025-02-03 23:59:50",
            "#Fields: time c-ip",
            "23:59:51 10.0.0.1",
            "00:00:02 10.0.0.2",
        )
    ),
    "31/quoted.log": Input(
        lines(
            "#Version: 1.0",
            "#Fields: date time cs-uri-stem",
            '"2025-02-03" "04:05:06.5" "/a b"',
            "2025-02-03 04:05:07 /c x",
        )
    ),
    # 34: epochs, and times of other keys
    "34/squid.log": Input(
        lines("1738555506.021    180 192.0.2.4 TCP_MISS/200 411 GET http://a.example/ - DIRECT/203.0.113.9 text/html")
    ),
    "34/logfmt.log": Input(
        lines(
            "ts=1738555506.125 level=info",
            "ts=2025-02-03T04:05:07Z level=info",
            'time="2025-02-03T04:05:08Z" level=info',
        )
    ),
    "34/millis.log": Input(lines("1738555506125 Hello", "[1738555507.262003500|INFO] hello")),
    "34/events.log": Input(
        lines(
            "CEF:0|Maker|Box|1|7|login|5|rt=1738555506000 src=10.0.0.1",
            "Feb  3 04:05:07 fw CEF:0|Maker|Box|1|7|login|5|rt=Feb 03 2025 04:05:07 src=10.0.0.1",
            "LEEF:2.0|Maker|Box|1|7|devTime=Feb 03 2025 04:05:08\tsrc=10.0.0.1",
        )
    ),
    # 35: JSON as it is written
    "35/seq.json": Input(b'\x1e{"time":"2025-02-03T04:05:06Z","n":1}\n\x1e{"time":"2025-02-03T04:05:07Z","n":2}\n'),
    "35/seq.log": Input(b'\x1e{"time":"2025-02-03T04:05:06Z","n":1}\n\x1e{"time":"2025-02-03T04:05:07Z","n":2}\n'),
    "35/nul.json": Input(b'{"timestamp":1738555506.25,"n":1}\0{"timestamp":1738555507.25,"n":2}\0'),
    "35/commas.json": Input(lines('{"time":"2025-02-03T04:05:06Z","n":1},', '{"time":"2025-02-03T04:05:07Z","n":2},')),
    "35/comment.jsonl": Input(lines("// made 2024", '{"time":"2025-02-03T04:05:06Z","n":1}')),
    "35/bad.json": Input(
        lines(
            '{"time":"2025-02-03T04:05:06Z","v":NaN}',
            '{"time":"2025-02-03T04:05:07Z","v":1}',
            '{"time":"2025-02-03T04:05:08Z","text":"a',
            'b"}',
            '{"time":"2025-02-03T04:05:09Z","text":"a\tb"}',
        )
    ),
    "35/repr.json": Input(lines("{'time': '2025-02-03T04:05:06Z', 'a': 'b'}")),
    "35/texts.json": Input(lines('["a","b"]')),
    "35/last-comma.json": Input(
        lines('[{"time":"2025-02-03T04:05:06Z","n":1},', '{"time":"2025-02-03T04:05:07Z","n":2},', "]")
    ),
    "35/open.json": Input(
        lines("[", '{"time":"2025-02-03T04:05:06Z","n":1},', '{"time":"2025-02-03T04:05:07Z","n":2}')
    ),
    "35/verbatim.json": Input(
        lines(
            '{"time":"2025-02-03T04:05:06Z","id":18446744073709551616,"f":1e400,"z":-0,"d":1.10,"e":"\\u00e9\\ud83d\\ude00"}'
        )
    ),
    # 36: units of epochs, and numbers that are none
    "36/units.json": Input(
        lines(
            *(
                f'{{"timestamp":{value}}}'
                for value in (
                    "1738555506",
                    "1738555506125",
                    "1738555506125456",
                    "1738555506125456789",
                    '"1738555506.125456789"',
                    "1738555506125.5",
                    "20250203040506",
                    '"20250203040506.125"',
                    "638741523061250000",
                    "133830291061250000",
                    "45691.17",
                    "-1",
                    "0",
                    '""',
                    "null",
                )
            )
        )
    ),
    # 38: wrappers that are longer than a record may be
    "38/PT1H.json": Input(_WRAPPED.encode(), ("--max-record", "64KiB")),
    "38/trail.json.bz2": Input(
        bz2.compress(_WRAPPED.replace('"records"', '"Records"').encode()), ("--max-record", "64KiB")
    ),
    # 43: zones behind GMT and UTC
    "43/zones.log": Input(
        lines(
            "2025-02-03 04:05:06 GMT+2 a",
            "2/3/2025, 4:05:06 AM GMT+5:30 b",
            "2/3/2025, 4:05:06 PM GMT-5 c",
            "2025-02-03 04:05:06 UTC+2:00 d",
            "Mon Feb 03 2025 04:05:06 GMT+0200 (Eastern European Standard Time) e",
            "2025-02-03T04:05:06+2:00 f",
        )
    ),
    "43/zones.json": Input(
        rows(
            *(
                {"time": text}
                for text in (
                    "2025-02-03 04:05:06 GMT+2",
                    "2/3/2025, 4:05:06 AM GMT+5:30",
                    "2025-02-03 04:05:06 UTC+2:00",
                    "Mon Feb 03 2025 04:05:06 GMT+0200 (EET)",
                    "2025-02-03T04:05:06,125Z",
                    "2025-02-03T24:00:00Z",
                    "2025-034T04:05:06Z",
                    "03-Mär-2025 04:05:06.125",
                    "2025-02-03T04:05:06\u221205:00",
                    "2025-02-03 04:05:06 IST",
                )
            )
        )
    ),
    # 44: CSV without a header
    "44/epochs.csv": Input(lines("1738555506,10.0.0.1,GET", "1738555507,10.0.0.2,GET")),
    "44/addresses.csv": Input(lines("10.0.0.1,10.0.0.2,443,tcp", "10.0.0.1,10.0.0.3,443,tcp")),
    "44/one.csv": Input(lines("2025-02-03 04:05:06,ann,login")),
    "44/uneven.csv": Input(
        lines(
            "1,2025/02/03 04:05:06,TRAFFIC,10.1.1.1",
            "1,2025/02/03 04:05:07,THREAT,10.1.1.2,more,cells",
            "1,2025/02/03 04:05:08,TRAFFIC,10.1.1.1",
        )
    ),
    "44/quoted.csv": Input(
        lines(
            '"2025-02-03 04:05:06","ann","ann,HQ","10.10.1.100"', '"2025-02-03 04:05:07","bob","bob,HQ","10.10.1.101"'
        )
    ),
    # 46: Windows' events as XML
    "46/security.log": Input(lines(_XML.format("06"), _XML.format("07"), end="\r\n")),
    # 49, 56: JSON whose events are called `event`
    "49/app.json": Input(
        rows(
            {"event": "boot", "host": "pc"},
            {"event": "login", "host": "pc", "user": "ann", "timestamp": "2025-02-03T04:05:06Z", "level": "info"},
        )
    ),
    "49/timed.json": Input(rows({"event": "login", "time": "2025-02-03T04:05:06Z", "user": "ann"})),
    "56/segment.json": Input(
        rows(
            {"event": "Order Completed", "time": 1738555506, "properties": {"id": 1}},
            {"event": "Order Refunded", "time": 1738555507, "properties": {"id": 2}, "reason": "x"},
        )
    ),
    "56/hec.json": Input(
        rows(
            {"event": "x", "time": 1738555506, "sourcetype": "s", "status": 5},
            {"event": {"a": 1}, "time": 1738555507, "sourcetype": "s"},
        )
    ),
    # 53: exports of CloudWatch
    "53/0f1e/lambda/000000.gz": Input(
        gzip.compress(
            lines(
                "2025-02-03T04:05:06.250Z START RequestId: 7 Version: 1",
                "2025-02-03T04:05:07.250Z 2 111122223333 eni-7 10.0.0.7 10.0.0.8 443 5100 6 9 840 1738555500 1738555560 ACCEPT OK",
                '2025-02-03T04:05:08.250Z 203.0.113.9 - ann [03/Feb/2025:04:05:01 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8.5"',
            ),
            mtime=0,
        ),
        PIPELINES,
    ),
    "53/aws-logs-write-test": Input(b"Permission Check Successful"),
    # 54: fluentd's out_file
    "54/buffer.log": Input(lines('2025-02-03T05:05:06+01:00\tapp.web\t{"level":"warn","a":{"b":1}}'), PIPELINES),
    "54/untimed.json": Input(lines('{"level":"info","msg":"x"}'), PIPELINES),
    # 58: JSON of the clouds
    "58/gcp.json": Input(
        rows(
            {
                "insertId": "1a",
                "timestamp": "2025-02-03T04:05:06.123456789Z",
                "receiveTimestamp": "2025-02-03T04:10:00Z",
            }
        )
    ),
    "58/azure.json": Input(b"\xef\xbb\xbf" + rows({"time": "2025-02-03T04:05:06.6983518Z", "properties": {"a": 1}})),
    "58/cloudfront-v2.json": Input(rows({"date": "2025-02-03", "time": "04:05:06", "sc-bytes": "1"})),
    "58/caddy.log": Input(rows({"level": "info", "ts": 1738555506.3152757, "msg": "handled"})),
    "58/waf.json": Input(
        rows(
            {
                "timestamp": 1738555506125,
                "formatVersion": 1,
                "webaclId": "arn:x",
                "action": "ALLOW",
                "httpRequest": {"clientIp": "10.0.0.1", "uri": "/"},
            }
        ),
        PIPELINES,
    ),
    # 62: syslog with years and zones
    "62/devices.log": Input(
        lines(
            "Feb 03 04:05:06 2017 SW-01 %%10WEB/4/LOGIN(l): failed",
            "<166>Feb 03 2024 04:05:06 asa7 : %ASA-6-302013: Built",
            "<189>77: *Feb  3 2024 04:05:06.250 UTC: %SYS-5-CONFIG_I: x",
            '<30>1 2024-02-03T04:05:06+08:00 vpn charon 15 - [meta sequenceId="1"] up',
            "<13>Feb  3 04:05:06 10.0.0.99 text",
            "2024 Feb 03 04:05:06 pc app[1]: text",
            "<34>Feb  3 04:05:06 CET pc su[1]: text",
        ),
        PIPELINES,
    ),
    # what is longer than a record may be
    "90/long.log": Input(
        lines("2025-02-03 04:05:06 " + "z" * 70_000, "2025-02-03 04:05:07 short"), ("--max-record", "64KiB")
    ),
    "90/long.csv": Input(
        lines("time,text", "2025-02-03T04:05:06Z,a", "2025-02-03T04:05:07Z," + "z" * 70_000), ("--max-record", "64KiB")
    ),
}
