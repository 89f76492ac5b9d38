"""`rekindle promote`."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

import click

from pipelines.cli.common import Common, common_flags, split_lists
from pipelines.cli.flags import Command
from pipelines.cli.maintenance_flags import maintenance_settings
from pipelines.cli.output.console import RESULTS, JobConsole, print_message, print_warnings
from pipelines.cli.output.maintenance_report import printed_as_json
from pipelines.units import show_size

if TYPE_CHECKING:
    from pipelines.maintenance.reports import PromoteReport


@click.command(cls=Command)
@click.argument(
    "words",
    nargs=-1,
    required=True,
    metavar="NAME... [-- BEAM_FLAGS...]",
    help="The attributes; flags for Apache Beam, such as --runner=FlinkRunner, may follow.",
)
@common_flags
def promote(words: tuple[str, ...], common: Common) -> int:
    """Give attributes columns of their own, for all events.

    Files that keep one in their maps are written anew, in one commit.
    """
    names = tuple(takewhile(lambda word: not word.startswith("-"), words))
    with JobConsole(quiet=common.quiet) as console:
        from pipelines.maintenance.promote import promote as run_promotion

        report = run_promotion(maintenance_settings(common, words[len(names) :], console), split_lists(names))
    if not printed_as_json(report, common):
        _show(report, quiet=common.quiet)
    return 0


def _show(report: PromoteReport, *, quiet: bool) -> None:
    if report.columns_added:
        content = f"{report.files_rewritten:,} files were written anew ({show_size(report.bytes)})"
        RESULTS.print(f"new columns: {', '.join(report.columns_added)}; {content}")
        if not report.files_rewritten and not quiet:
            print_message(f"No event has {' or '.join(report.columns_added)} yet. Names are case-sensitive.")
    if report.already_columns:
        RESULTS.print(f"columns already: {', '.join(report.already_columns)}")
    print_warnings(report.warnings)
