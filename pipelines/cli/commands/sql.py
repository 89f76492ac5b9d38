"""`rekindle sql`."""

from __future__ import annotations

import click

from pipelines.cli.common import Common, common_flags
from pipelines.cli.flags import Command
from pipelines.cli.output.rows import print_rows_json
from pipelines.cli.output.save import Saving, print_batches, save_parquet, saving_flags

EXAMPLES = (
    'rekindle sql "SELECT host, count(*) FROM events GROUP BY host"',
    "rekindle sql \"SELECT _time, _message FROM events WHERE status = '404'\" --csv",
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("statement", help="One SELECT statement in DuckDB's dialect.")
@saving_flags
@common_flags
def sql(statement: str, saving: Saving, common: Common) -> int:
    """Run a SELECT statement over the events.

    The events are in the view `events`: its columns are the promoted attributes and the columns whose names begin
    with _; the map `attributes` has all attributes.
    """
    from transforms.hot_tier.search import sql_text
    from transforms.hot_tier.search.sql import run_sql

    saving.check(as_json=common.as_json)
    text = sql_text.for_json if common.as_json else sql_text.for_csv if saving.as_csv else sql_text.for_people
    with run_sql(common.open_events(), statement, None if saving.parquet is not None else text) as result:
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
