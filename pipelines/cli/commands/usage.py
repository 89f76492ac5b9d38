"""`rekindle usage`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelines.cli.common import Common, common_flags
from pipelines.cli.flags import Command, OneOf, option
from pipelines.cli.output.rows import print_rows_json
from pipelines.cli.output.tables import print_table
from pipelines.units import show_size

if TYPE_CHECKING:
    from transforms.hot_tier.search.aggregates.usage import Usage

EXAMPLES = ("rekindle usage", "rekindle usage --by sourcetype --json")


@click.command(cls=Command, examples=EXAMPLES)
@option(
    "--by",
    type=OneOf(["day", "source", "sourcetype", "tier"]),
    default="day",
    help="Divide the tier by the events' day, source or sourcetype, or into hot and cold.",
)
@common_flags
def usage(by: str, common: Common) -> int:
    """Show how many events, files and bytes the hot tier has.

    The bytes of a file with events of several sources are shared out by their numbers.
    """
    from transforms.hot_tier.search.aggregates.usage import usage as measure
    from transforms.hot_tier.table.live_files import load_events

    found = measure(load_events(common.open_events()), by)
    if common.as_json:
        print_rows_json(
            {by: row.value, "events": row.events, "files": row.files, "bytes": row.bytes} for row in found.rows
        )
    else:
        _print(found)
    return 0


def _print(found: Usage) -> None:
    rows = [
        (
            f"(no {found.by})" if row.value is None else row.value,
            f"{row.events:,}",
            f"{row.files:,}",
            show_size(row.bytes),
        )
        for row in found.rows
    ]
    total = ("Total", f"{found.events:,}", f"{found.files:,}", show_size(found.bytes))
    print_table((found.by.capitalize(), "Events", "Files", "Bytes"), [*rows, total])
