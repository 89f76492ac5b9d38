"""`rekindle delete`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from pipelines.cli.common import Common, beam_argument, common_flags, read_flag
from pipelines.cli.flags import Command, option
from pipelines.cli.maintenance_flags import execute_option, maintenance_settings, now_option, read_time, rules_option
from pipelines.cli.output.console import JobConsole
from pipelines.cli.output.maintenance_report import confirm_on_terminal, show_rules_report

EXAMPLES = (
    "rekindle delete --rules rules.yaml",
    "rekindle delete --rules rules.yaml --execute --grace 30d",
)


@click.command(cls=Command, examples=EXAMPLES)
@beam_argument
@rules_option
@execute_option
@option("--yes", is_flag=True, help="Do not ask for confirmation, even if more than half of all events go.")
@option(
    "--grace",
    metavar="DURATION",
    default="7d",
    help="Keep deleted events restorable for DURATION, such as 12h or 7d; 0 makes the deletion final.",
)
@now_option
@common_flags
def delete(
    beam_flags: tuple[str, ...],
    rules: Path,
    execute: bool,
    yes: bool,
    grace: str,
    now: str | None,
    common: Common,
) -> int:
    """Delete events by rules.

    Without --execute it is a dry run: the report shows what each rule would delete.
    """
    from pipelines.maintenance.rules import Rules
    from transforms.retention.durations import parse_duration

    read = Rules.read(rules, "rules")
    lasting, when = read_flag("grace", grace, partial(parse_duration, zero=True)), read_time(now, "now")
    with JobConsole(quiet=common.quiet) as console:
        from pipelines.maintenance.delete import Deletion
        from pipelines.maintenance.delete import delete as run_deletion

        request = Deletion(
            rules=read,
            now=when,
            grace=lasting,
            execute=execute,
            confirm=lambda question, report: yes or confirm_on_terminal(question, report),
        )
        report = run_deletion(maintenance_settings(common, beam_flags, console), request)
    return show_rules_report(report, common, "deleted")
