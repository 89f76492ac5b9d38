"""`rekindle delete`, `restore`, `tier` and `compact`: what is done with events once they are in the hot tier."""

from __future__ import annotations

import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Annotated, Any

import click

from pipelines.cli.commands.backfill import one_polars_thread
from pipelines.cli.common import Common, beam_flags_of, read_flag, with_flags
from pipelines.cli.flags import Argument, Option
from pipelines.cli.output import console as output
from pipelines.units import parse_size, show_size
from transforms.core.errors import ConfigurationError
from transforms.query.instants import parse_time

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.maintenance.rewriter import MaintenanceSettings

RulesFile = Annotated[Path, Option("--rules", help="Rules file, YAML or JSON.")]
Execute = Annotated[bool, Option("--execute", help="Do it; without it only the report of what would be done.")]
Yes = Annotated[bool, Option("--yes", help="Do it without asking, also where it is more than half of all events.")]
Now = Annotated[str | None, Option("--now", help="The time by which retention is reckoned (ISO 8601), for rehearsals.")]
BeamFlags = Annotated[list[str] | None, Argument(metavar="-- BEAM FLAGS", help="Flags for Apache Beam.")]
_MOST_DIGITS = 15


@with_flags(common=Common)
def delete(
    beam_flags: BeamFlags = None,
    *,
    rules: RulesFile,
    execute: Execute = False,
    yes: Yes = False,
    grace: Annotated[str, Option("--grace", help="How long deleted events can be restored: 12h, 7d, 0.")] = "7d",
    now: Now = None,
    common: Common,
) -> int:
    """Delete events by rules."""
    from pipelines.maintenance.rules import Rules
    from transforms.retention.durations import parse_duration

    read = Rules.read(rules, "rules")
    lasting, when = read_flag("grace", grace, partial(parse_duration, zero=True)), _time(now, "now")
    with output.JobConsole(quiet=common.quiet) as console:
        from pipelines.maintenance.delete import Deletion, delete

        asked = Deletion(
            rules=read,
            now=when,
            grace=lasting,
            execute=execute,
            confirm=lambda much, counts: yes or _confirmed(much, counts.as_document()),
        )
        report = delete(_settings(common, beam_flags, console), asked).as_document()
    return _show(report, common, "deleted")


@with_flags(common=Common)
def restore(
    run: Annotated[str | None, Option("--run", help="The deletion run to take back, by its id.")] = None,
    to: Annotated[
        str | None, Option("--to", help="Take back all deletion runs after this version of the table, or time.")
    ] = None,
    rules: Annotated[
        Path | None, Option("--rules", help="Rules that may delete the events again, by default the runs' own.")
    ] = None,
    execute: Execute = False,
    yes: Yes = False,
    *,
    common: Common,
) -> int:
    """Bring back what deletions have removed."""
    del yes  # it only adds
    if (run is None) == (to is None):
        raise ConfigurationError(
            "give either --run, the id of a deletion run, or --to, a version of the table or a time", field="run"
        )
    from pipelines.maintenance.rules import Rules

    read = None if rules is None else Rules.read(rules, "rules")
    point = None if to is None else _version(to) if to.isascii() and to.isdecimal() else _time(to, "to")
    with output.JobConsole(quiet=common.quiet) as console:
        from pipelines.maintenance.restore import Restore, restore

        request = Restore(run_id=run, to=point, rules=read, execute=execute)
        report = restore(_settings(common, None, console), request).as_document()
    if not _printed_as_json(report, common):
        _show_restore(report, quiet=common.quiet)
    return 0


@with_flags(common=Common)
def tier(
    beam_flags: BeamFlags = None,
    *,
    rules: RulesFile,
    execute: Execute = False,
    yes: Yes = False,
    now: Now = None,
    common: Common,
) -> int:
    """Move events to the cold tier by rules."""
    del yes  # nothing is lost by a move
    from pipelines.maintenance.rules import Rules

    read, when = Rules.read(rules, "tiers"), _time(now, "now")
    with output.JobConsole(quiet=common.quiet) as console:
        from pipelines.maintenance.tier import Tiering, tier

        request = Tiering(rules=read, now=when, execute=execute)
        report = tier(_settings(common, beam_flags, console), request).as_document()
    return _show(report, common, "moved")


@with_flags(common=Common)
def compact(
    beam_flags: BeamFlags = None,
    *,
    target_size: Annotated[
        str, Option("--target-size", help="Size of large files; those of less than half are merged.")
    ] = "256MiB",
    common: Common,
) -> int:
    """Merge small files."""
    size = parse_size(target_size, "--target-size")
    with output.JobConsole(quiet=common.quiet) as console:
        from pipelines.maintenance.compact import compact

        report = compact(_settings(common, beam_flags, console), target_bytes=size).as_document()
    if not _printed_as_json(report, common):
        done = f"{report['merged']:,} files became {report['written']:,} ({show_size(report['bytes'])}, {report['events']:,} events)"
        output.RESULTS.print(done if report["merged"] else f"nothing to merge: {report['filesBefore']:,} files")
        output.print_warnings(report["warnings"])
    return 0


def _settings(common: Common, beam_flags: list[str] | None, console: output.JobConsole) -> MaintenanceSettings:
    one_polars_thread()
    from pipelines.maintenance.rewriter import MaintenanceSettings

    tier = common.open_events()
    return MaintenanceSettings(
        hot_tier=tier.uri, tier_options=common.stores()[1], beam_flags=beam_flags_of(beam_flags), console=console
    )


def _version(text: str) -> int:
    """Return a version of the table; as a number it is never a time: 20261120 would be either."""
    if len(text) > _MOST_DIGITS:
        raise ConfigurationError(f"--to: {text!r} is neither a version of the table nor a time", field="to")
    return int(text)


def _time(text: str | None, flag: str) -> datetime | None:
    return None if text is None else read_flag(flag, text, parse_time)


def _confirmed(what: str, found: dict[str, Any]) -> bool:
    """Show on a terminal what would go, and ask; where there is none, nobody can say yes."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    _print_rules(found, on=output.MESSAGES)
    return click.confirm(f"{what}. Go on?", err=True)


def _printed_as_json(report: dict[str, Any], common: Common) -> bool:
    """Print a report as JSON where that is asked for; its warnings are then said beside it, unless quiet."""
    if common.as_json:
        output.print_json(report)
        if not common.quiet:
            output.print_warnings(report["warnings"])
    return common.as_json


def _show(report: dict[str, Any], common: Common, verb: str) -> int:
    if _printed_as_json(report, common):
        return 0
    _print_rules(report)
    would = "" if report["executed"] else "would be "
    output.RESULTS.print(
        f"{report['events']:,} events ({report['share']:.2%} of the tier) {would}{verb}; holds keep {report['held']:,}"
    )
    if report.get("removed", {}).get("files"):
        output.RESULTS.print(
            f"{report['removed']['files']:,} old files removed for good ({show_size(report['removed']['bytes'])})"
        )
    if report["executed"] and report["events"]:
        output.RESULTS.print(f"Run {report['runId']}, version {report['versionAfter']}", soft_wrap=True)
    output.print_warnings(report["warnings"])
    if not report["executed"] and not common.quiet:
        output.MESSAGES.print("Nothing was done: --execute does it.")
    return 0


def _print_rules(report: dict[str, Any], *, on: Console = output.RESULTS) -> None:
    """Print what each rule takes and each hold keeps."""
    output.print_table(
        ("Rule", "Before", "Events", "Files", "Whole", "Bytes", "Share"), map(_cells, report["rules"]), on=on
    )
    if report["holds"]:
        on.print()
        output.print_table(
            ("Hold", "Keeps"), ((hold["name"], f"{hold['events']:,}") for hold in report["holds"]), on=on
        )
    on.print()


def _cells(rule: dict[str, Any]) -> list[object]:
    numbers = (f"{rule[name]:,}" for name in ("events", "files", "filesWhole"))
    return [rule["name"], rule["cutoff"], *numbers, show_size(rule["bytes"]), f"{rule['share']:.2%}"]


def _show_restore(report: dict[str, Any], *, quiet: bool) -> None:
    would = "" if report["executed"] else "would "
    runs = ", ".join(report["runs"]) or "no run"
    output.RESULTS.print(f"{report['events']:,} events of {runs} {would}come back", soft_wrap=True)
    if report["newer"]:
        output.RESULTS.print(f"{report['newer']:,} stay away: their objects were replaced or ingested again since")
    for run_id in report["alreadyRestored"]:
        output.RESULTS.print(f"{run_id} was restored before", soft_wrap=True)
    for name, events in report["deletedAgain"].items():
        output.RESULTS.print(f"rule {name} would delete {events:,} of them again at its next run", soft_wrap=True)
    if report["hold"] and not quiet:
        output.MESSAGES.print("Under `holds:` of the rules file, this keeps them:")
        output.MESSAGES.print(indent(report["hold"].partition("\n")[2].rstrip(), "  "), soft_wrap=True, markup=False)
    output.print_warnings(report["warnings"])
    if not report["executed"] and not quiet:
        output.MESSAGES.print("Nothing was done: --execute does it.")
