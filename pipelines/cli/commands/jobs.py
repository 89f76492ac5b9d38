"""`rekindle jobs …`: list, show, cancel, resume and undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelines.cli.common import Common, beam_argument, check_beam_flags, common_flags, use_one_polars_thread
from pipelines.cli.flags import Command, Group, option
from pipelines.cli.output.console import JobConsole, print_message
from pipelines.cli.output.maintenance_report import confirm_on_terminal, printed_as_json, show_undo_report
from pipelines.cli.output.report import show_report
from pipelines.cli.output.rows import print_json, print_rows_json
from pipelines.cli.output.tables import print_table
from transforms.core.errors import TierError

if TYPE_CHECKING:
    from pipelines.documents import JsonObject
    from pipelines.jobs.rows.row import JobRow

_id_argument = click.argument("task_id", metavar="ID", help="The id of the job, or its first characters.")


@click.group(cls=Group, default="list")
def jobs() -> None:
    """List, show, cancel, resume and undo jobs.

    Without a command, the jobs are listed.
    """


@jobs.command("list")
@click.option("--limit", metavar="N", type=click.IntRange(1), default=50, show_default=True, help="How many jobs.")
@click.option("--all", "every", is_flag=True, help="List all jobs.")
@common_flags
def list_jobs(limit: int, every: bool, common: Common) -> int:
    """List the newest jobs of a hot tier, the last one first."""
    from pipelines.jobs.rows.kept_rows import list_job_rows
    from pipelines.jobs.rows.row import shortest_ids
    from transforms.hot_tier.table import location

    tier = common.open_tier()
    found = list_job_rows(tier, None if every else limit)
    if not found and not location.exists(tier):
        raise TierError(common.no_tier())
    if common.as_json:
        print_rows_json(one.as_document() for one in found)
        return 0
    ids = shortest_ids([one.task_id for one in found])
    rows = [
        (
            ids[one.task_id], _status(one), (one.started_at or "")[:19], *_numbers(one), one.job["bucket"],
            _pattern(one.job),
        )
        for one in found
    ]  # fmt: skip
    print_table(("Job", "Status", "Started", "Ingested", "Events", "Failed", "Bucket", "Pattern"), rows)
    return 0


def _status(row: JobRow) -> str:
    return f"{row.status}, undone" if row.undone else row.status or ""


def _numbers(row: JobRow) -> tuple[str, str, str]:
    """Return how many objects, events and failures a job has; of a watch that goes on those of the last hour."""
    if row.watch is None or row.has_ended:
        return _number(row.ingested), _number(row.events), _number(row.failed)
    recent = row.watch["lastHour"]
    objects, events, failed = (f"{recent[name]:,} /h" for name in ("objects", "events", "failed"))
    return objects, events, failed


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _pattern(job: JsonObject) -> str:
    """Return the patterns of a job, or the names of its sources."""
    names = [source["name"] for source in job.get("sources", ())]
    if names:
        return f"{len(names):,} sources: {', '.join(names)}"
    pattern = job["pattern"]
    return pattern if isinstance(pattern, str) else ", ".join(pattern)


@jobs.command
@_id_argument
@common_flags
def show(task_id: str, common: Common) -> int:
    """Show the report of a job."""
    from pipelines.jobs.reporting import load_report

    report = load_report(common.open_tier(), task_id)
    return show_report(report, as_json=common.as_json, code=0)


@jobs.command
@_id_argument
@common_flags
def cancel(task_id: str, common: Common) -> int:
    """Stop a job at its next safe point.

    The waves that it has published stay in the hot tier.
    """
    from pipelines.jobs.queued.job_queue import JobQueue
    from pipelines.jobs.reporting import find_job
    from pipelines.status import read_status

    tier = common.open_tier()
    folder = find_job(tier, task_id)
    found = read_status(folder)
    status, ended = found.status, found.has_ended
    if not ended:
        JobQueue(tier).cancel(folder)
    if common.as_json:
        print_json({"taskId": folder.task_id, "status": status, "cancelRequested": not ended})
    elif not common.quiet:
        print_message(
            f"job {folder.task_id} has ended already: {status}"
            if ended
            else f"job {folder.task_id} stops at its next safe point"
        )
    return 0


@jobs.command
@_id_argument
@beam_argument
@common_flags
def resume(task_id: str, beam_flags: tuple[str, ...], common: Common) -> int:
    """Continue a job that was killed, canceled or failed.

    It keeps its id, its plan and its settings, and skips the waves that it has published.
    """
    use_one_polars_thread()
    from pipelines.jobs.job import resume_job
    from pipelines.jobs.settings import RunSettings

    source, tier = common.stores()
    given = RunSettings(
        hot_tier=common.hot_tier, source_options=source, tier_options=tier, beam_flags=check_beam_flags(beam_flags)
    )
    with JobConsole(quiet=common.quiet) as console:
        result = resume_job(task_id, given, console)
    return show_report(result.report, as_json=common.as_json, code=result.exit_code)


@jobs.command(cls=Command)
@_id_argument
@beam_argument
@option("--dry-run", is_flag=True, help="Show what would go, and what stays because of holds; nothing is changed.")
@option("--yes", is_flag=True, help="Do not ask for confirmation, even if more than half of all events go.")
@common_flags
def undo(task_id: str, beam_flags: tuple[str, ...], dry_run: bool, yes: bool, common: Common) -> int:
    """Take away what a job has brought.

    Its events go in one commit, but for those that a hold keeps. Its objects are then no longer known: the same
    backfill brings them again. `rekindle restore --run` takes it back, until the grace of `rekindle delete` ends.

    What the job had replaced, by --reprocess or because objects had changed, does not come back: --dry-run counts
    such objects.
    """
    use_one_polars_thread()
    from pipelines.jobs.reporting import find_job
    from pipelines.maintenance.rewriter import MaintenanceSettings
    from pipelines.maintenance.undo import Undo
    from pipelines.maintenance.undo import undo as undo_job

    flags = check_beam_flags(beam_flags)
    tier = common.open_tier()
    folder = find_job(tier, task_id)
    with JobConsole(quiet=common.quiet) as console:
        report = undo_job(
            MaintenanceSettings(hot_tier=tier.uri, tier_options=common.stores()[1], beam_flags=flags, console=console),
            Undo(
                task_id=folder.task_id,
                dry_run=dry_run,
                confirm=lambda question, counts: yes or confirm_on_terminal(question, counts),
            ),
        )
    if not printed_as_json(report, common):
        show_undo_report(report, quiet=common.quiet)
    return 0
