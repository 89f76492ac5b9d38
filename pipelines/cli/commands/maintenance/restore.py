"""`rekindle restore`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.common import Common, common_flags
from pipelines.cli.flags import FILE, Command, option
from pipelines.cli.maintenance_flags import execute_option, maintenance_settings, read_time
from pipelines.cli.output.console import JobConsole
from pipelines.cli.output.maintenance_report import printed_as_json, show_restore_report
from transforms.core.errors import ConfigurationError

_MAX_VERSION_DIGITS = 15


@click.command(cls=Command)
@option("--run", metavar="ID", help="Take back the deletion, or the undoing of a job, with this run id.")
@option(
    "--to",
    metavar="VERSION|TIME",
    help="Take back all such runs after this version of the table, or after TIME.",
)
@option(
    "--rules",
    type=FILE,
    metavar="FILE",
    help="Report which rules in FILE would delete the events again; by default the rules of the undone runs.",
)
@execute_option
@option("--yes", is_flag=True, help="Accepted for scripts: a restore never asks for confirmation.")
@common_flags
def restore(
    run: str | None,
    to: str | None,
    rules: Path | None,
    execute: bool,
    yes: bool,
    common: Common,
) -> int:
    """Bring back deleted events and undone jobs.

    This takes back runs of `rekindle delete` and `rekindle jobs undo`, until the grace of their events ends. Give
    either --run or --to.
    """
    del yes
    if (run is None) == (to is None):
        raise ConfigurationError(
            "give either --run, the id of a deletion or undoing, or --to, a version of the table or a time", field="run"
        )
    from pipelines.maintenance.rules import Rules

    read = None if rules is None else Rules.read(rules, "rules")
    point = None if to is None else _version(to) if to.isascii() and to.isdecimal() else read_time(to, "to")
    with JobConsole(quiet=common.quiet) as console:
        from pipelines.maintenance.restore import Restore
        from pipelines.maintenance.restore import restore as run_restore

        request = Restore(run_id=run, to=point, rules=read, execute=execute)
        report = run_restore(maintenance_settings(common, (), console), request)
    if not printed_as_json(report, common):
        show_restore_report(report, quiet=common.quiet)
    return 0


def _version(text: str) -> int:
    """Return a version of the table; as a number it is never a time: 20261120 would be either."""
    if len(text) > _MAX_VERSION_DIGITS:
        raise ConfigurationError(f"--to: {text!r} is neither a version of the table nor a time", field="to")
    return int(text)
