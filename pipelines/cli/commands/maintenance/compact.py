"""`rekindle compact`."""

from __future__ import annotations

import click

from pipelines.cli.common import Common, beam_argument, common_flags
from pipelines.cli.flags import Command, option
from pipelines.cli.maintenance_flags import maintenance_settings
from pipelines.cli.output.console import RESULTS, JobConsole, print_warnings
from pipelines.cli.output.maintenance_report import print_removed, printed_as_json
from pipelines.units import parse_size, show_size


@click.command(cls=Command)
@beam_argument
@option(
    "--target-size",
    metavar="SIZE",
    default="256MiB",
    help="Merge the files smaller than half of SIZE into files of about SIZE.",
)
@common_flags
def compact(beam_flags: tuple[str, ...], target_size: str, common: Common) -> int:
    """Merge the small data files of each date."""
    size = parse_size(target_size, "--target-size")
    with JobConsole(quiet=common.quiet) as console:
        from pipelines.maintenance.compact import compact as run_compaction

        report = run_compaction(maintenance_settings(common, beam_flags, console), target_bytes=size)
    if not printed_as_json(report, common):
        content = f"{show_size(report.bytes)}, {report.events:,} events"
        done = f"{report.merged:,} files became {report.written:,} ({content})"
        RESULTS.print(done if report.merged else f"nothing to merge: {report.files_before:,} files")
        print_removed(report.removed)
        print_warnings(report.warnings)
    return 0
