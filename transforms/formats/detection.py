"""Which format an object has, and why (spec §4.2). The rule that is given with it is what `rekindle preview` shows."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace

from transforms.core.errors import UnsupportedError
from transforms.formats.binary_files import binary_kind, hint
from transforms.formats.csv.detection import columns_without_header, csv_width, header_cells, other_delimiter
from transforms.formats.encoding import utf8, whole_characters
from transforms.formats.line_ends import with_line_feeds
from transforms.formats.options import FormatOptions
from transforms.formats.splunk import csv_export
from transforms.timestamps.records import NAMES

SAMPLE_BYTES = 1024  # what is looked at to tell formats apart
HEAD_BYTES = 64 << 10  # what is looked at to tell Splunk's from others: an event in HEC may be long

_EXTENSIONS = {".csv": "csv", ".json": "json", ".ndjson": "json", ".jsonl": "json"}
_JSON_START = re.compile(r'\s*(?:(?P<object>\{\s*["}])|(?P<array>\[\s*[{\]]))')
_TOKEN = re.compile(r'"(?P<string>(?:[^"\\]|\\.)*)"(?P<name>\s*:)?|(?P<open>[{\[])|(?P<close>[}\]])', re.DOTALL)
_HEC_FIELDS = ("time", "host", "source", "sourcetype", "index", "fields")
_RECORD_MEMBERS = frozenset(
    {*(name for name in NAMES if name != "time"), "level", "severity", "message", "msg", "log", "logger"}
)


@dataclass(frozen=True, kw_only=True)
class FormatChoice:
    """A format, the rule that chose it, what is odd about it, if anything, and names for the columns of CSV that has no
    header.
    """

    format: str
    rule: str
    warning: str | None = None
    headers: tuple[str, ...] | None = None


def detect_format(key: str, head: bytes) -> FormatChoice:
    """Choose the format of an object.

    Args:
        key: Its key without the extension of its codec.
        head: Its first decoded bytes: 64 KiB, or all there are. (With fewer, Splunk's formats may not be told from CSV
            and JSON.)

    Raises:
        UnsupportedError: It is an archive, an image or another binary file. (A format that is asked for by name reads
            it all the same.)
    """
    kind = binary_kind(head)
    if kind is not None:
        raise UnsupportedError(f"unsupported: {kind}; {hint(kind)}")
    text = _text(head[:HEAD_BYTES])
    sample = text[: len(_text(head[:SAMPLE_BYTES]))]
    choice = _by_extension(key, sample) or _by_content(sample, whole=len(head) < SAMPLE_BYTES)
    return _refine(choice, text)


def asked_for(name: str, head: bytes, options: FormatOptions) -> FormatChoice:
    """Return the choice of a format by its name; what an object's first decoded bytes say against it is a warning."""
    warning = csv_export.doubt(head, options) if name == "splunk_csv" else None
    return FormatChoice(format=name, rule="asked for by name", warning=warning)


def _by_extension(key: str, sample: str) -> FormatChoice | None:
    ending = next((ending for ending in _EXTENSIONS if key.lower().endswith(ending)), None)
    if ending is None:
        return None
    name, warning = _EXTENSIONS[ending], None
    if name == "csv":
        if rule := _json_rule(sample):  # as CSV its first record would be lost as a header
            return FormatChoice(
                format="json", rule=rule, warning="its name says CSV, but it begins like JSON: read as JSON"
            )
        others = other_delimiter(sample)
        warning = f"it begins with {others}; by its name it is read with commas" if others else None
        if columns := columns_without_header(sample):
            names = tuple(f"column_{number}" for number in range(1, columns + 1))
            warning = "its first row has a time where the second has one: it is read as data, of column_1, column_2…; --headers names them"
            return FormatChoice(
                format="csv", rule=f"extension {ending}, without a header", warning=warning, headers=names
            )
    return FormatChoice(format=name, rule=f"extension {ending}", warning=warning)


def _by_content(sample: str, *, whole: bool) -> FormatChoice:
    if rule := _json_rule(sample):
        return FormatChoice(format="json", rule=rule)
    text = sample.lstrip()
    if not text:
        return FormatChoice(format="text", rule="nothing but white space at its beginning")
    if text[0] in "{[":
        return FormatChoice(format="text", rule="begins with a bracket, but not like JSON objects")
    cells, reason = csv_width(text, whole=whole)
    if cells:
        return FormatChoice(format="csv", rule=f"begins with a header and rows of {cells} cells")
    return FormatChoice(format="text", rule=reason or "neither extension nor content of another format")


def _json_rule(sample: str) -> str:
    match = _JSON_START.match(sample)
    if match is None:
        return ""
    return "begins like a JSON object" if match["object"] else "begins like a JSON array of objects"


def _refine(choice: FormatChoice, text: str) -> FormatChoice:
    """Tell Splunk's formats from others of their syntax."""
    if choice.format == "csv" and {"_raw", "_time"} <= set(header_cells(text.encode("utf-8", "replace"))):
        return replace(choice, format="splunk_csv", rule=f"{choice.rule}; its header has _raw and _time")
    if choice.format == "json" and _JSON_START.match(text):
        return _as_collected(choice, _first_members(text))
    return choice


def _as_collected(choice: FormatChoice, members: dict[str, str]) -> FormatChoice:
    """Tell what HEC takes from records that happen to have `event`: as HEC these would lose their other members.

    HEC's own members are plain values but for `event` and `fields`. A record has a time, a level or a message beside
    its event, or several members that HEC does not know.
    """
    beside = next((name for name in _HEC_FIELDS if name in members), None)
    others = [name for name in members if name not in ("event", *_HEC_FIELDS)]
    nested = any(members.get(name) in ("{", "[") for name in _HEC_FIELDS if name != "fields")
    if (
        "event" not in members
        or beside is None
        or nested
        or len(others) > 1
        or _RECORD_MEMBERS.intersection(map(str.lower, others))
    ):
        return choice
    warning = f"its objects have {others[0]!r}, which HEC drops: --format json keeps it" if others else choice.warning
    return replace(
        choice, format="splunk_hec", rule=f"{choice.rule}; its first object has event and {beside}", warning=warning
    )


def _first_members(text: str) -> dict[str, str]:
    """Return the first object's members, each with what its value opens (a brace, a bracket or nothing), as far as the
    text goes.
    """
    members: dict[str, str] = {}
    name = ""
    depth = inside = 0
    for token in _TOKEN.finditer(text):
        if token["open"]:
            if name and depth == inside:
                members[name] = token["open"]
            depth, name = depth + 1, ""
            inside = inside or (depth if token["open"] == "{" else 0)  # an array around the object
        elif token["close"]:
            depth -= 1
            if depth < inside:
                break
        elif token["name"] and depth == inside:
            name = token["string"]
            members.setdefault(name, "")
        else:  # a text that is a value
            name = ""
    return members


def _text(head: bytes) -> str:
    """Decode a sample as formats do, the byte order mark taken off; a character that was cut at its end is left out."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = head[: len(head) & ~1]
    text = b"".join(with_line_feeds(utf8([head])))
    return text[: whole_characters(text)].decode("utf-8", "replace")
