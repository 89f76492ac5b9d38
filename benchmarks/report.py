"""Sections of benchmarks/RESULTS.md, each written by its own benchmark."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"


def put_section(title: str, lines: Iterable[str], *, results: Path = RESULTS) -> None:
    """Write a section with a heading of the second level: in place of the one of that title, else at the end."""
    text = results.read_text(encoding="utf-8") if results.exists() else ""
    section = "\n".join([f"## {title}", "", *lines]).rstrip() + "\n"
    before, found, rest = text.partition(f"## {title}\n")
    after = re.search(r"^## .*", rest, re.MULTILINE | re.DOTALL) if found else None
    results.write_text(f"{before.rstrip()}\n\n{section}" + (f"\n{after[0]}" if after else ""), encoding="utf-8")
