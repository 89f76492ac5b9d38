"""`rekindle audit`."""

from __future__ import annotations

from typing import Any

import click
import orjson

from pipelines.cli.common import Common, common_flags
from pipelines.cli.flags import Command, option
from pipelines.cli.output.rows import print_rows_json
from pipelines.cli.output.tables import print_table

EXAMPLES = ("rekindle audit --limit 20",)
_COLUMNS = ("Done", "Who", "What", "Rule or name", "Events", "Files", "Version", "Run", "Detail")


@click.command(cls=Command, examples=EXAMPLES)
@option("--limit", type=click.IntRange(min=0), metavar="N", default=100, help="Show at most N rows; 0 shows all.")
@common_flags
def audit(limit: int, common: Common) -> int:
    """Show who did what to the hot tier, newest first.

    The rows are those of deletions, undone jobs, restores, moves, compactions, promotions and removals, and of changes
    to holds, pipelines and rules.
    """
    from transforms.hot_tier.maintenance.audit import audit_document, read_audit

    rows = read_audit(common.open_events(), limit=limit or None)[::-1]
    if common.as_json:
        print_rows_json(map(audit_document, rows))
    else:
        print_table(_COLUMNS, map(_cells, rows))
    return 0


def _cells(row: dict[str, Any]) -> list[object]:
    detail = orjson.loads(row["detail"] or "{}")
    shown = ", ".join(f"{name}: {_shown(value)}" for name, value in detail.items() if value not in (None, []))
    counts = ["" if row[name] is None else f"{row[name]:,}" for name in ("events", "files")]
    done = row["done_at"].replace(microsecond=0)
    return [done, row["who"], row["kind"], row["rule"], *counts, row["version_after"], row["run_id"], shown]


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
