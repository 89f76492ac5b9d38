"""Which format an object has, and why (spec §4.2). The rule that is given with it is what `rekindle preview` shows."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace

from transforms.errors import UnsupportedError
from transforms.formats.binary_files import binary_kind, hint
from transforms.formats.csv.detection import csv_width, header_cells, other_delimiter
from transforms.formats.encoding import utf8, whole_characters
from transforms.formats.line_ends import with_line_feeds

SAMPLE_BYTES = 1024  # what is looked at to tell formats apart
HEAD_BYTES = 64 << 10  # what is looked at to tell Splunk's from others: an event in HEC may be long

_EXTENSIONS = {".csv": "csv", ".json": "json", ".ndjson": "json", ".jsonl": "json"}
_JSON_START = re.compile(r'\s*(?:(?P<object>\{\s*["}])|(?P<array>\[\s*[{\]]))')
_TOKEN = re.compile(r'"(?P<string>(?:[^"\\]|\\.)*)"(?P<name>\s*:)?|(?P<open>[{\[])|(?P<close>[}\]])', re.DOTALL)
_HEC_FIELDS = ("time", "host", "source", "sourcetype", "index", "fields")


@dataclass(frozen=True, kw_only=True)
class FormatChoice:
    """A format, the rule that chose it, and what is odd about it, if anything."""

    format: str
    rule: str
    warning: str | None = None


def detect_format(key: str, head: bytes) -> FormatChoice:
    """Choose the format of an object.

    Args:
        key: Its key without the extension of its codec.
        head: Its first decoded bytes: 64 KiB, or all there are. (With fewer, Splunk's formats may not be told from CSV and JSON.)

    Raises:
        UnsupportedError: It is an archive, an image or another binary file. (A format that is asked for by name reads it all the same.)
    """
    kind = binary_kind(head)
    if kind is not None:
        raise UnsupportedError(f"unsupported: {kind}; {hint(kind)}")
    text = _text(head[:HEAD_BYTES])
    sample = text[: len(_text(head[:SAMPLE_BYTES]))]
    choice = _by_extension(key, sample) or _by_content(sample, whole=len(head) < SAMPLE_BYTES)
    return _refine(choice, text)


def _by_extension(key: str, sample: str) -> FormatChoice | None:
    ending = next((ending for ending in _EXTENSIONS if key.lower().endswith(ending)), None)
    if ending is None:
        return None
    name, warning = _EXTENSIONS[ending], None
    if name == "csv":
        if rule := _json_rule(sample):  # as CSV its first record would be lost as a header
            return FormatChoice(format="json", rule=rule, warning="its name says CSV, but it begins like JSON: read as JSON")
        others = other_delimiter(sample)
        warning = f"it begins with {others}; by its name it is read with commas" if others else None
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
        names = _first_names(text)
        beside = next((name for name in _HEC_FIELDS if name in names), None)
        if "event" in names and beside is not None:
            return replace(choice, format="splunk_hec", rule=f"{choice.rule}; its first object has event and {beside}")
    return choice


def _first_names(text: str) -> set[str]:
    """Return the names of the first object's members, as far as the text goes; what is no JSON is passed over."""
    names: set[str] = set()
    depth = inside = 0
    for token in _TOKEN.finditer(text):
        if token["open"]:
            depth += 1
            inside = inside or (depth if token["open"] == "{" else 0)  # an array around the object
        elif token["close"]:
            depth -= 1
            if depth < inside:
                break
        elif token["name"] and depth == inside:
            names.add(token["string"])
    return names


def _text(head: bytes) -> str:
    """Decode a sample as formats do, the byte order mark taken off; a character that was cut at its end is left out."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = head[: len(head) & ~1]
    text = b"".join(with_line_feeds(utf8([head])))
    return text[: whole_characters(text)].decode("utf-8", "replace")
