"""What ships ready made, with an example each, and how a text comes to include it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache

from transforms.event_pipelines.definition import load_ready_made
from transforms.event_pipelines.ready_made import read_samples, ready_made_names

_IN_BRACKETS = re.compile(r"^include:[ ]*\[([^\]#]*)\]", re.MULTILINE)
_IN_LINES = re.compile(r"^include:[ ]*\n(?=([ ]*)- )", re.MULTILINE)
_EMPTY = re.compile(r"\s*(?:pipelines: *\[\]\s*)?")
EXAMPLE = """\
include:
  - {name: access_combined, when: HTTP}   # ready made, for lines of web servers
pipelines:
  - name: health_checks
    when: uri_path="/healthz"
    steps: [{drop: {}}]                   # not kept
  - name: orders
    when: 'order'                         # a word of the message
    steps:
      - regex: {source: message, pattern: 'order (?P<order_id>\\d+) by (?P<customer>\\S+)'}
      - redact: {source: customer, pattern: email}
      - redact: {source: message, pattern: email}
"""
EXAMPLE_SAMPLE = """\
203.0.113.7 - - [11/Aug/2025:22:24:37 +0000] "GET /cart?id=7 HTTP/1.1" 200 1987 "-" "Mozilla/5.0"
203.0.113.9 - - [11/Aug/2025:22:24:38 +0000] "GET /healthz HTTP/1.1" 200 2 "-" "kube-probe/1.30"
2025-08-11T22:24:39Z INFO order 1042 by ann@example.com
"""


@dataclass(frozen=True, kw_only=True)
class ReadyMade:
    """A ready-made pipeline.

    Attributes:
        name: What `include` takes.
        description: What it is for.
        message: A message that it takes.
        attributes: What it makes of that.
    """

    name: str
    description: str
    message: str
    attributes: tuple[str, ...]


@cache
def catalogue() -> tuple[ReadyMade, ...]:
    """Return what ships ready made."""
    return tuple(_read(name) for name in ready_made_names())


def _read(name: str) -> ReadyMade:
    sample = next(one for one in read_samples(name) if one.get("attributes") and one.get("ran", name))
    made = tuple(f"{key}={value}" for key, value in sample["attributes"].items() if value is not None)
    description = load_ready_made(name)[0].description
    return ReadyMade(name=name, description=description, message=sample["message"], attributes=made)


def with_include(text: str, name: str) -> str | None:
    """Return a text that includes a ready-made pipeline too; None where it can't be put in without knowing more."""
    if _EMPTY.fullmatch(text):
        return f"include: [{name}]\n"
    if text.lstrip().startswith("{"):
        return _with_include_in_json(text, name)
    if found := _IN_BRACKETS.search(text):
        names = found[1].strip().rstrip(",")
        return f"{text[: found.start()]}include: [{names}{', ' if names else ''}{name}]{text[found.end() :]}"
    if found := _IN_LINES.search(text):
        return f"{text[: found.end()]}{found[1]}- {name}\n{text[found.end() :]}"
    return None if re.search(r"^include\b", text, re.MULTILINE) else f"include: [{name}]\n{text}"


def _with_include_in_json(text: str, name: str) -> str | None:
    try:
        document = json.loads(text)
        included = document.pop("include", [])
        return json.dumps({"include": [*included, name], **document}, indent=2, ensure_ascii=False) + "\n"
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
