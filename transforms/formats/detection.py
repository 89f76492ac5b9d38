"""Which format an object has, and why: the rule is what `rekindle preview` shows (README.md, "Detection")."""

from __future__ import annotations

import codecs
from dataclasses import replace

from transforms.core.errors import UnsupportedError
from transforms.formats import FORMATS
from transforms.formats.binary_files import binary_kind, hint
from transforms.formats.encoding import utf8, whole_characters, with_line_feeds
from transforms.formats.format import FormatChoice, FormatSample
from transforms.formats.options import FormatOptions

SAMPLE_BYTES = 1024  # what is looked at to choose a format
HEAD_BYTES = 64 << 10  # what is looked at to refine the choice: an event in HEC may be long


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
    start = text[: len(_text(head[:SAMPLE_BYTES]))]
    sample = FormatSample(text=text, start=start, whole=len(head) < SAMPLE_BYTES)
    choice = _by_extension(key.lower(), sample) or _by_content(sample)
    refining = [row.reader.refine for row in FORMATS.values() if row.refines == choice.format]
    found = (refine(choice, sample) for refine in refining if refine)
    return next((refined for refined in found if refined), choice)


def asked_for(name: str, head: bytes, options: FormatOptions) -> FormatChoice:
    """Return the choice of a format by its name; what an object's first decoded bytes show against it is a warning."""
    mismatch = FORMATS[name].reader.mismatch
    return FormatChoice(format=name, rule="asked for by name", warning=mismatch(head, options) if mismatch else None)


def _by_extension(key: str, sample: FormatSample) -> FormatChoice | None:
    found = ((row, ending) for row in FORMATS.values() for ending in row.extensions if key.endswith(ending))
    row, ending = next(found, (None, ""))
    if row is None:
        return None
    for other in (FORMATS[name] for name in row.overruled_by):
        choice = other.reader.recognise(sample) if other.reader.recognise else ""
        if isinstance(choice, FormatChoice):
            warning = f"its name says {row.title}, but it begins like {other.title}: read as {other.title}"
            return replace(choice, warning=warning)
    choice = FormatChoice(format=row.name, rule=f"extension {ending}")
    return row.reader.amend(choice, sample) if row.reader.amend else choice


def _by_content(sample: FormatSample) -> FormatChoice:
    """Return the choice of the first format that recognises a sample, else text with the first reason against one."""
    if not sample.start.strip():
        return FormatChoice(format="text", rule="nothing but white space at its beginning")
    reasons = []
    for recognise in (row.reader.recognise for row in FORMATS.values()):
        found = recognise(sample) if recognise else ""
        if isinstance(found, FormatChoice):
            return found
        reasons.append(found)
    rule = next(filter(None, reasons), "neither extension nor content of another format")
    return FormatChoice(format="text", rule=rule)


def _text(head: bytes) -> str:
    """Decode a sample as formats do, the byte order mark taken off; a character cut off at its end is left out."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = head[: len(head) & ~1]
    text = b"".join(with_line_feeds(utf8([head])))
    return text[: whole_characters(text)].decode("utf-8", "replace")
