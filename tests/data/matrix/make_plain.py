"""Writes the plain files of the matrix: 1,000 records in each format, the same at every run.

`python make_plain.py` in this folder.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECORDS = 1000
HOSTS = ("web-1", "web-2", "db-1")
MESSAGES = (
    "login ok",
    'user said "hello", twice',
    "größe überschritten: 5 €",
    "日本語のログ",
    "path C:\\temp\\x, retry",
    "it's late; half past nine",
    "",
    "tab\tin the middle",
    "emoji 🎉 and a comma, too",
)


def records() -> Iterator[tuple[datetime, str, int, str]]:
    chance = random.Random(20240229)
    time = datetime(2024, 2, 28, 23, 50, 0, 125_000, tzinfo=timezone.utc)
    for _ in range(RECORDS):
        time += timedelta(milliseconds=chance.randrange(1, 2500))
        yield time, chance.choice(HOSTS), chance.choice((200, 200, 200, 404, 500)), chance.choice(MESSAGES)


def stamp(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rows(header: list[str], lines: Iterator[list[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def in_quotes(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if text else "-"


def escaped(text: str) -> str:
    """Write a text as Zeek does."""
    return text.replace("\t", r"\x09") or "(empty)"


def plain_files() -> dict[str, str]:
    """Return each file's name and content."""
    return {
        "csv.csv": rows(
            ["timestamp", "host", "status", "note"], ([stamp(t), h, str(s), m] for t, h, s, m in records())
        ),
        "json.json": "".join(
            compact({"time": stamp(t), "host": h, "status": s, "note": m}) + "\n" for t, h, s, m in records()
        ),
        "text.log": "".join(f"{stamp(t)} {h} {s} {m}\n" for t, h, s, m in records()),
        "splunk_csv.csv": rows(
            ["_time", "host", "_raw"],
            ([f"{t.timestamp():.3f}", h, f'status={s} note="{m}"'] for t, h, s, m in records()),
        ),
        "splunk_hec.json": "".join(
            compact({"time": round(t.timestamp(), 3), "host": h, "event": m or "-", "fields": {"status": str(s)}})
            + "\n"
            for t, h, s, m in records()
        ),
        "w3c.log": "#Version: 1.0\n#Date: 2024-02-28 23:50:00\n#Fields: date time s-computername sc-status x-note\n"
        + "".join(
            f"{t:%Y-%m-%d} {t:%H:%M:%S}.{t.microsecond // 1000:03d} {h} {s} {in_quotes(m)}\n"
            for t, h, s, m in records()
        ),
        "zeek.log": "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tnotes\n"
        "#fields\tts\thost\tstatus\ttags\tnote\n#types\ttime\tstring\tcount\tset[string]\tstring\n"
        + "".join(f"{t.timestamp():.6f}\t{h}\t{s}\ta,b\t{escaped(m)}\n" for t, h, s, m in records()),
    }


if __name__ == "__main__":
    for name, content in plain_files().items():
        (HERE / name).write_text(content, encoding="utf-8", newline="")
