"""`rekindle tier`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.common import Common, beam_argument, common_flags
from pipelines.cli.flags import Command, option
from pipelines.cli.maintenance_flags import execute_option, maintenance_settings, now_option, read_time, rules_option
from pipelines.cli.output.console import JobConsole
from pipelines.cli.output.maintenance_report import show_rules_report


@click.command(cls=Command)
@beam_argument
@rules_option
@execute_option
@option("--yes", is_flag=True, help="Accepted for scripts: a move never asks for confirmation.")
@now_option
@common_flags
def tier(
    beam_flags: tuple[str, ...],
    rules: Path | None,
    execute: bool,
    yes: bool,
    now: str | None,
    common: Common,
) -> int:
    """Move events to the cold tier by rules, those of the hot tier or those of a file.

    Without --execute it is a dry run: the report shows what each rule would move.
    """
    del yes
    from pipelines.maintenance.rules import Rules

    read = None if rules is None else Rules.read(rules, "tiers")
    when = read_time(now, "now")
    with JobConsole(quiet=common.quiet) as console:
        from pipelines.maintenance.tier import Tiering
        from pipelines.maintenance.tier import tier as run_tiering

        request = Tiering(rules=read, now=when, execute=execute)
        report = run_tiering(maintenance_settings(common, beam_flags, console), request)
    return show_rules_report(report, common, "moved")
