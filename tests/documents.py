"""The documentation as the tests read it: its pages, their code blocks, and the outputs in them.

An output stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`. With REKINDLE_UPDATE_DOCS=1 the tests that
compare an output write it instead.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
TOUR = ROOT / "docs" / "tour.md"
EXCERPT = ("Backfill", "SQL")
"""The sections of the demonstration's output that README shows, by their beginnings."""

_VARYING = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"^((?:s3|file)://\S+  .*, )\S+Z$", re.MULTILINE), r"\1LAST-MODIFIED"),
    (re.compile(r"^  \S+Z(  \(none found: the object's LastModified\))$", re.MULTILINE), r"  NOW\1"),
    (re.compile(r"^(Took|Written) .*$", re.MULTILINE), r"\1 …"),
    (re.compile(r"[\d,.]+ (?:[KMG]iB|bytes)"), "SIZE"),
)


def pages() -> list[Path]:
    """Return the pages that people read: README, CONTRIBUTING, SECURITY, all of docs/, and the folders' contracts."""
    top = [path for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md") if (path := ROOT / name).exists()]
    return [*top, *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "transforms").rglob("README.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def output(page: Path, name: str) -> str:
    """Return the output of a name."""
    return _split(page, name)[1]


def stable(text: str) -> str:
    """Return an output without what differs from run to run and from machine to machine."""
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    return text


def compare_output(page: Path, name: str, actual: str) -> None:
    """Compare an output with the documented one, or write it where REKINDLE_UPDATE_DOCS is set."""
    if os.environ.get("REKINDLE_UPDATE_DOCS") and stable(output(page, name)) != stable(actual):
        before, documented, after = _split(page, name)
        kept = {stable(line): line for line in documented.splitlines()}
        lines = [kept.get(stable(line), line) for line in actual.strip().splitlines()]
        page.write_text("\n".join([f"{before}{lines[0]}", *lines[1:], after]), encoding="utf-8")
    assert stable(output(page, name)) == stable(actual.strip() + "\n"), (
        f"the output {name} in {page.relative_to(ROOT)} is not today's: write it by REKINDLE_UPDATE_DOCS=1"
    )


def excerpt(demonstration: str) -> str:
    """Return the sections of the demonstration that README shows."""
    sections = re.split(r"^(?=── )", demonstration, flags=re.MULTILINE)
    return "".join(section for section in sections if section.startswith(tuple(f"── {name}" for name in EXCERPT)))


def _split(page: Path, name: str) -> tuple[str, str, str]:
    """Return what is before an output, the output, and what is behind it."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    start, stop = text.index(begin) + len(begin), text.index(end)
    inside = text[start:stop].removeprefix("```text\n").removesuffix("```\n")
    return f"{text[:start]}```text\n", inside, f"```\n{text[stop:]}"
