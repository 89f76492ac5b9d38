"""Undoes a job in a process of its own, so that what its files take of memory and threads is not the server's.

    python -m service.workers.undoing SETTINGS TASK_ID [yes] [dry-run]

It prints the report as JSON, or the status and the error of the answer. The end of the service does not end it: it is
one commit, which is there or is not.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import orjson

from pipelines.documents import JsonObject
from service.errors import ApiError, status_of
from service.logs import LogConsole, set_up_logging
from service.settings import ServiceSettings
from transforms.core.errors import RekindleError, UnconfirmedError

_YES = "yes"
_DRY_RUN = "dry-run"


async def undo_in_process(settings: ServiceSettings, task_id: str, *, yes: bool, dry_run: bool = False) -> JsonObject:
    """Undo a job by a process of its own, and return the report.

    Args:
        settings: Where the tier is.
        task_id: The job.
        yes: Whether more than half of all events may go.
        dry_run: Whether only to count.

    Raises:
        ApiError: it was refused, or failed.
    """
    flags = [*([_YES] * yes), *([_DRY_RUN] * dry_run)]
    command = [sys.executable, "-m", __name__, settings.model_dump_json(by_alias=True), task_id, *flags]
    environment = {"POLARS_MAX_THREADS": "1", **os.environ, "PYTHONSAFEPATH": "1"}
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, stdin=nothing, stdout=pipe, env=environment, start_new_session=True
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the process that undoes job {task_id} ended with {process.returncode}")
    return answer_of(orjson.loads(printed))


def answer_of(printed: JsonObject) -> JsonObject:
    """Return a report that was printed.

    Raises:
        ApiError: it was an error.
    """
    if "error" in printed:
        raise ApiError(printed["status"], printed["error"], field=printed["field"])
    return printed


def run(settings: ServiceSettings, task_id: str, *, yes: bool, dry_run: bool = False) -> JsonObject:
    """Undo a job, and return what is to be printed."""
    from pipelines.maintenance.rewriter import MaintenanceSettings
    from pipelines.maintenance.undo import Undo, undo

    console = LogConsole(task_id)
    where = MaintenanceSettings(hot_tier=settings.hot_tier, tier_options=settings.tier_options, console=console)
    questions: list[str] = []

    def confirm(question: str, _: object) -> bool:
        questions.append(question)
        return yes

    try:
        return undo(where, Undo(task_id=task_id, dry_run=dry_run, confirm=confirm)).as_document()
    except UnconfirmedError as error:
        text = f"{questions[-1]}: nothing was undone; `?yes=true` takes away more than half of all events"
        return {"status": status_of(error), "error": text, "field": _YES}
    except RekindleError as error:
        return {"status": status_of(error), "error": str(error), "field": None}


def main() -> int:
    """Undo one job."""
    settings = ServiceSettings.model_validate_json(sys.argv[1])
    set_up_logging(settings.log_format)
    try:
        answer = run(settings, sys.argv[2], yes=_YES in sys.argv[3:], dry_run=_DRY_RUN in sys.argv[3:])
    except Exception:
        logging.getLogger("rekindle").exception("job %s could not be undone", sys.argv[2])
        return 1
    sys.stdout.write(orjson.dumps(answer).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
