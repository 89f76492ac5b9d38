"""`rekindle jobs …`: list, show, cancel and resume."""

from __future__ import annotations

from typing import Annotated

from pipelines.cli.common import Common, beam_flags_of, with_flags
from pipelines.cli.flags import Argument
from pipelines.cli.output import console as output
from transforms.core.errors import TierError

TaskId = Annotated[str, Argument(metavar="ID")]


@with_flags(common=Common)
def list_jobs(common: Common) -> int:
    """List jobs."""
    from pipelines.status import read_status
    from transforms.hot_tier.table import location as place
    from transforms.storage import job_folder

    tier = common.open_tier()
    found = []
    for folder in job_folder.list_jobs(tier):
        job, status = folder.read_json("job.json"), read_status(folder)
        if job:
            times = {"startedAt": status.started_at, "finishedAt": status.finished_at}
            ids = {"taskId": folder.task_id, "status": status.status, "stage": status.stage}
            found.append({**ids, **times, "job": job["job"]})
    if not found and not place.exists(tier):
        raise TierError(common.no_tier())
    found.sort(key=lambda one: one["startedAt"] or "", reverse=True)
    if common.as_json:
        output.print_rows_json(found)
    else:
        rows = [
            (one["taskId"], one["status"], (one["startedAt"] or "")[:19], one["job"]["bucket"], one["job"]["pattern"])
            for one in found
        ]
        output.print_table(("Job", "Status", "Started", "Bucket", "Pattern"), rows)
    return 0


@with_flags(common=Common)
def show(task_id: TaskId, *, common: Common) -> int:
    """Show a job."""
    from pipelines.jobs.reporting import load_report

    report = load_report(common.open_tier(), task_id).as_document()
    return output.show_report(report, as_json=common.as_json, code=0)


@with_flags(common=Common)
def cancel(task_id: TaskId, *, common: Common) -> int:
    """Cancel a job."""
    from pipelines.jobs.reporting import find_job
    from pipelines.status import read_status

    folder = find_job(common.open_tier(), task_id)
    found = read_status(folder)
    status, ended = found.status, found.has_ended
    if not ended:
        folder.request_cancel()
    if common.as_json:
        output.print_json({"taskId": task_id, "status": status, "cancelRequested": not ended})
    elif not common.quiet:
        output.MESSAGES.print(
            f"job {task_id} has ended already: {status}" if ended else f"job {task_id} stops at its next safe point"
        )
    return 0


@with_flags(common=Common)
def resume(
    task_id: TaskId,
    beam_flags: Annotated[list[str] | None, Argument(metavar="-- BEAM FLAGS", help="Flags for Apache Beam.")] = None,
    *,
    common: Common,
) -> int:
    """Resume a job."""
    from pipelines.cli.commands.backfill import one_polars_thread

    one_polars_thread()
    from pipelines.jobs.job import resume_job
    from pipelines.jobs.settings import RunSettings

    source, tier = common.stores()
    given = RunSettings(
        hot_tier=common.hot_tier, source_options=source, tier_options=tier, beam_flags=beam_flags_of(beam_flags)
    )
    with output.JobConsole(quiet=common.quiet) as console:
        result = resume_job(task_id, given, console)
    return output.show_report(result.report.as_document(), as_json=common.as_json, code=result.exit_code)
