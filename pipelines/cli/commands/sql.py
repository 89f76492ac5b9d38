"""`rekindle sql`."""

from __future__ import annotations

import click

from pipelines.cli.common import Common, common_flags, read_flag
from pipelines.cli.flags import Command, option
from pipelines.cli.output.rows import print_rows_json
from pipelines.cli.output.save import Saving, print_batches, save_parquet, saving_flags
from pipelines.units import parse_size

EXAMPLES = (
    'rekindle sql "SELECT host, count(*) FROM events GROUP BY host"',
    "rekindle sql \"SELECT _time, _message FROM events WHERE status = '404'\" --csv",
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("statement", help="One SELECT statement in DuckDB's dialect.")
@option("--timeout", metavar="DURATION", help="End the statement after DURATION, such as 30s or 5m.")
@option(
    "--memory",
    metavar="SIZE",
    show_default="80 % of the machine's",
    help="Use at most SIZE bytes, such as 2G, before spilling to the disk.",
)
@saving_flags
@common_flags
def sql(statement: str, timeout: str | None, memory: str | None, saving: Saving, common: Common) -> int:
    """Run a SELECT statement over the events.

    The events are in the view `events`: its columns are the promoted attributes and the columns whose names begin
    with _; the map `attributes` has all attributes.
    """
    from transforms.hot_tier.search import sql_text
    from transforms.hot_tier.search.serving.stop import StopSignal
    from transforms.hot_tier.search.sql import run_sql
    from transforms.query.instants import parse_span

    saving.check(as_json=common.as_json)
    seconds = None if timeout is None else read_flag("timeout", timeout, parse_span).total_seconds()
    size = None if memory is None else parse_size(memory, "--memory")
    text = sql_text.for_json if common.as_json else sql_text.for_csv if saving.as_csv else sql_text.for_people
    form = None if saving.parquet is not None else text
    with run_sql(common.open_events(), statement, form, stop=StopSignal(seconds), memory=size) as result:
        if common.as_json:
            print_rows_json(dict(zip(result.column_names, row, strict=True)) for row in result.rows())
        elif saving.as_csv:
            print_batches(result.schema, result.batches())
        elif saving.parquet is not None:
            save_parquet(saving.parquet, result.schema, result.batches(), quiet=common.quiet)
        else:
            from pipelines.cli.output.tables import print_table

            print_table(result.column_names, result.rows())
    return 0
