"""The reports of `rekindle delete`, `tier`, `restore` and `jobs undo`."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from textwrap import indent
from typing import TYPE_CHECKING

import click

from pipelines.cli.common import Common
from pipelines.cli.output.console import MESSAGES, RESULTS, print_warnings
from pipelines.cli.output.rows import print_json, printable
from pipelines.cli.output.tables import print_table
from pipelines.units import show_size

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.maintenance.reports import (
        CompactReport,
        PromoteReport,
        RemovedFiles,
        RestoreReport,
        RuleCounts,
        RulesReport,
        RunCounts,
        UndoReport,
    )


_FRACTION = re.compile(r"\.\d+(?=Z)")
"""Of a cut-off, which JSON has whole."""


def printed_as_json(
    report: RulesReport | RestoreReport | CompactReport | PromoteReport | UndoReport, common: Common
) -> bool:
    """Print a report as JSON if that is asked for, its warnings beside it unless quiet; return whether it was."""
    if common.as_json:
        print_json(report.as_document())
        if not common.quiet:
            print_warnings(report.warnings)
    return common.as_json


def show_rules_report(report: RulesReport, common: Common, verb: str) -> int:
    """Print the report of a deletion or a move, and return the exit code."""
    if printed_as_json(report, common):
        return 0
    if report.rules_version is not None:
        text = f"Rules: {report.rules_file}, as the tier keeps it (version {report.rules_version})\n"
        RESULTS.print(printable(text), soft_wrap=True, markup=False)
    print_rules(report)
    would = "" if report.executed else "would be "
    RESULTS.print(
        f"{report.events:,} events ({report.share:.2%} of the tier) {would}{verb}; holds keep {report.held:,}"
    )
    print_removed(report.removed)
    if report.executed and report.events:
        RESULTS.print(f"Run {report.run_id}, version {report.version_after}", soft_wrap=True)
    print_warnings(report.warnings)
    if not report.executed and not common.quiet:
        MESSAGES.print("Dry run: nothing was changed. Add --execute to apply.")
    return 0


def print_removed(removed: RemovedFiles | None) -> None:
    """Print how many old files were removed from the store, where any were."""
    if removed and removed.files:
        RESULTS.print(f"{removed.files:,} old files removed for good ({show_size(removed.bytes)})")


def print_rules(report: RulesReport | RunCounts, *, on: Console = RESULTS) -> None:
    """Print how many events each rule takes and each hold keeps."""
    print_table(("Rule", "Before", "Events", "Files", "Whole", "Bytes", "Share"), map(_cells, report.rules), on=on)
    if report.holds:
        on.print()
        print_table(("Hold", "Keeps"), ((hold.name, f"{hold.events:,}") for hold in report.holds), on=on)
    on.print()


def _cells(rule: RuleCounts) -> list[object]:
    numbers = (f"{number:,}" for number in (rule.events, rule.files, rule.files_whole))
    return [rule.name, _FRACTION.sub("", rule.cutoff or ""), *numbers, show_size(rule.bytes), f"{rule.share:.2%}"]


def confirm_on_terminal(question: str, report: RunCounts) -> bool:
    """Show on a terminal what would go, and ask; without a terminal the answer is no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print_rules(report, on=MESSAGES)
    return click.confirm(f"{question}. Go on?", err=True)


def show_undo_report(report: UndoReport, *, quiet: bool) -> None:
    """Print the report of undoing a job."""
    dry = not report.executed
    if report.version_after == report.version_before or (dry and not report.events and not report.objects):
        before = f": run {report.undone_by} has undone it" if report.undone_by else ""
        kept = f" but {report.held:,} events that holds keep" if report.held else ""
        RESULTS.print(f"Nothing of job {report.task_id} is in the hot tier{kept}{before}", soft_wrap=True)
        print_warnings(report.warnings)
        return
    taken = "would be taken away" if dry else "taken away"
    known = _objects(report.objects, "would be", "would be") if dry else _objects(report.objects, "is", "are")
    RESULTS.print(
        f"{report.events:,} events ({report.share:.2%} of the tier) {taken}; {known} no longer known", soft_wrap=True
    )
    if report.held or report.objects_held:
        RESULTS.print(
            f"Holds keep {report.held:,} events; {_objects(report.objects_held, 'has', 'have')} events left, and "
            f"{'stays' if report.objects_held == 1 else 'stay'} known",
            soft_wrap=True,
        )
    if report.replaced:
        RESULTS.print(
            f"{_objects(report.replaced, 'has', 'have')} replaced older content, which does not come back",
            soft_wrap=True,
        )
    if report.executed:
        RESULTS.print(f"Run {report.run_id}, version {report.version_after}", soft_wrap=True)
    print_warnings(report.warnings)
    if dry and not quiet:
        MESSAGES.print("Dry run: nothing was changed. Leave --dry-run out to apply.")
    elif not quiet:
        MESSAGES.print(
            f"`rekindle restore --run {report.run_id} --execute` brings it back, "
            "until the grace of `rekindle delete` ends",
            soft_wrap=True,
            markup=False,
        )


def _objects(number: int, one: str, many: str) -> str:
    return f"{number:,} object{'s' * (number != 1)} {one if number == 1 else many}"


def show_restore_report(report: RestoreReport, *, quiet: bool) -> None:
    """Print the report of a restore."""
    would = "" if report.executed else "would "
    runs = ", ".join(report.runs) or "no run"
    RESULTS.print(f"{report.events:,} events of {runs} {would}come back", soft_wrap=True)
    if report.newer:
        RESULTS.print(f"{report.newer:,} stay away: their objects were replaced, undone or ingested again since")
    if report.objects:
        RESULTS.print(f"{_objects(report.objects, 'is', 'are')} {would and 'then '}known again")
    for run_id in report.already_restored:
        RESULTS.print(f"{run_id} was restored before", soft_wrap=True)
    for name, events in report.deleted_again.items():
        RESULTS.print(f"rule {name} would delete {events:,} of them again at its next run", soft_wrap=True)
    if report.hold and not quiet:
        MESSAGES.print("This keeps them, until the hold is lifted:")
        for line in _hold_commands(report.hold):
            MESSAGES.print(f"  {line}", soft_wrap=True, markup=False)
        MESSAGES.print("So does this under `holds:` of each rules file:")
        MESSAGES.print(indent(report.hold.partition("\n")[2].rstrip(), "  "), soft_wrap=True, markup=False)
    print_warnings(report.warnings)
    if not report.executed and not quiet:
        MESSAGES.print("Dry run: nothing was changed. Add --execute to apply.")


def _hold_commands(text: str) -> Iterator[str]:
    """Yield the commands that set the holds of a rules file."""
    import yaml

    for hold in yaml.safe_load(text)["holds"]:
        yield f"rekindle holds add {shlex.quote(hold['name'])} --when {shlex.quote(hold['when'])}"
