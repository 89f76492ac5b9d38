"""How tables are drawn on terminals of any width: what people copy from is never cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from pipelines.cli.output.tables import column_widths, print_table

JOB = "01jd4x0v8zq4m6n8b2c3d4e5f6-backfill-1a2b3c4d"


@pytest.mark.parametrize(
    ("names", "room", "expected"),
    [
        (("Job", "Bucket"), 200, [44, 60]),
        (("Job", "Bucket"), 80, [44, 33]),
        (("Job", "Bucket"), 20, [44, 6]),
        (("Name", "Bucket"), 20, [8, 9]),
        (("Job", "_event_id"), 20, [44, 60]),
    ],
)
def test_ids_do_not_give_way(names: tuple[str, ...], room: int, expected: list[int]) -> None:
    assert column_widths(names, [[Text(JOB), Text("b" * 60)]], room=room) == expected


@pytest.mark.parametrize("name", ["Job", "Key", "_event_id", "#correlationId"])
@pytest.mark.parametrize("width", [20, 80, 200])
def test_ids_are_whole_on_a_terminal(name: str, width: int) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    print_table((name, "Bucket"), [(JOB, "s3://" + "b" * 90)], on=terminal)
    shown = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert JOB in shown
    assert ("…" in shown) is (width < 200)
