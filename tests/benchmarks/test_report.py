"""Sections of the results: each benchmark replaces its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.report import put_section

WHOLE = "# Results\n\nwords\n\n### a table\n\n## First\n\nold\n\n## Second\n\nkept\n"


@pytest.mark.parametrize(
    ("before", "title", "after"),
    [
        (WHOLE, "First", WHOLE.replace("old", "new")),
        (WHOLE, "Second", WHOLE.replace("kept", "new")),
        (WHOLE, "Third", WHOLE + "\n## Third\n\nnew\n"),
        ("# Results\n", "Third", "# Results\n\n## Third\n\nnew\n"),
    ],
)
def test_a_section_is_replaced_or_added(before: str, title: str, after: str, tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text(before)
    for _ in range(2):
        put_section(title, ["new"], results=results)
        assert results.read_text() == after
