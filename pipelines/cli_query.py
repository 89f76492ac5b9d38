"""`rekindle search`, `rekindle sql` and `rekindle files`: the hot tier as people read it. None of them imports Beam."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from typing import Annotated

import typer

from pipelines import cli_output as output
from pipelines.cli_options import Common, parse_time, split_lists, with_flags
from transforms.errors import ConfigurationError


@with_flags(common=Common)
def search(
    query: Annotated[str, typer.Argument(help='attribute=value, words, "phrases"; empty for all.')] = "",
    last: Annotated[str | None, typer.Option("--last", help="Only the last 90m, 12h, 7d.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="From this time on (ISO 8601, UTC).")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Before this time (ISO 8601, UTC).")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many events.")] = 100,
    fields: Annotated[list[str] | None, typer.Option("--fields", help="Only these columns and attributes, by commas.")] = None,
    *,
    common: Common,
) -> int:
    """Search the hot tier."""
    from transforms.hot_tier.search import search as find
    from transforms.query import parse
    from transforms.query.instants import parse_span

    if last and (start or end):
        raise ConfigurationError("--last goes without --from and --to")
    begin = datetime.now(timezone.utc) - parse_span(last) if last else parse_time(start) if start else None
    expression = parse(query) if query.strip() else None
    tier = common.open_events()
    names = split_lists(fields or ())
    rows = find(tier, expression, start=begin, end=parse_time(end) if end else None, limit=limit, fields=names)
    if common.as_json:
        output.print_rows_json(rows)
    else:
        found = output.print_events(rows, names)
        if not found and not common.quiet:
            output.MESSAGES.print("No event matches.")
    return 0


@with_flags(common=Common)
def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT in DuckDB's dialect.")],
    *,
    common: Common,
) -> int:
    """Query the hot tier by SQL."""
    from transforms.hot_tier.sql import run_sql

    result = run_sql(common.open_events(), statement)
    if common.as_json:
        output.print_rows_json(dict(zip(result.column_names, row, strict=True)) for row in result.rows())
    else:
        output.print_table(result.column_names, result.rows())
    return 0


@with_flags(common=Common)
def files(
    *,
    common: Common,
) -> int:
    """List the live files."""
    from transforms.hot_tier.files import live_files

    paths = live_files(common.open_events())
    if common.as_json:
        output.print_rows_json({"path": path} for path in paths)
    else:
        sys.stdout.writelines(path + "\n" for path in paths)
    return 0
