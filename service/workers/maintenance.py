"""Runs maintenance in a process of its own, so that what its files take of memory and threads is not the server's.

    python -m service.workers.maintenance SETTINGS < REQUEST

It prints the report as JSON, or the status and the error of the answer. The end of the service does not end it: a run
is one commit, which is there or is not.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

import orjson

from pipelines.documents import JsonModel, JsonObject
from service.errors import ApiError, status_of
from service.logs import LogConsole, set_up_logging
from service.settings import ServiceSettings
from transforms.core.errors import ConfigurationError, ConflictError, RekindleError, UnconfirmedError
from transforms.hot_tier.table.runs import acting_for

if TYPE_CHECKING:
    from pipelines.maintenance.reports import RunCounts
    from pipelines.maintenance.rewriter import MaintenanceSettings
    from pipelines.maintenance.rules import Rules
    from transforms.hot_tier.maintenance.accounting import Outcome

    Confirm: TypeAlias = Callable[[str, RunCounts], bool]
    Examine: TypeAlias = Callable[[Sequence[Outcome]], None]
YES = "yes"


class MaintenanceRequest(JsonModel):
    """What a process is to do, all of it checked before.

    Attributes:
        kind: Delete events by rules or move them to the cold tier, restore what was deleted, or undo a job.
        who: The key by which it was asked for; None is whoever runs the service.
        task_id: The job.
        rules: The text of a file of rules; None are those of the tier.
        rules_sha256: The hash that the tier's rules must have, where nothing else is to be done.
        taken: The digest of what must be taken (`service.workers.taken`), likewise.
        now: The time by which retention is reckoned.
        grace: For how long what is deleted can be restored: a duration.
        run: The run that is taken back.
        to: The version of the table, or the time, after which all are.
        execute: Whether to do it, or only to report.
        yes: Whether more than half of all events may go.
    """

    kind: Literal["delete", "tier", "restore", "undo"]
    who: str | None = None
    task_id: str | None = None
    rules: str | None = None
    rules_sha256: str | None = None
    taken: str | None = None
    now: datetime | None = None
    grace: str = "7d"
    run: str | None = None
    to: int | datetime | None = None
    execute: bool = True
    yes: bool = False


async def run_in_process(settings: ServiceSettings, request: MaintenanceRequest) -> JsonObject:
    """Run maintenance by a process of its own, and return the report.

    Raises:
        ApiError: it was refused, or failed.
    """
    command = [sys.executable, "-m", __name__, settings.model_dump_json(by_alias=True)]
    environment = {"POLARS_MAX_THREADS": "1", **os.environ, "PYTHONSAFEPATH": "1"}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, env=environment, start_new_session=True
    )
    printed, _ = await process.communicate(request.model_dump_json(by_alias=True).encode())
    if process.returncode:
        raise RuntimeError(f"the process of a {request.kind} ended with {process.returncode}")
    return answer_of(orjson.loads(printed))


def answer_of(printed: JsonObject) -> JsonObject:
    """Return a report that was printed.

    Raises:
        ApiError: it was an error.
    """
    if "error" in printed:
        raise ApiError(printed["status"], printed["error"], field=printed["field"])
    return printed


def run(
    settings: ServiceSettings,
    request: MaintenanceRequest,
    *,
    examine: Examine = lambda _: None,
    asked_by: str | None = None,
) -> JsonObject:
    """Run maintenance, and return what is to be printed.

    Args:
        settings: How the service runs.
        request: What is to be done.
        examine: Called with the files that rules take from, before a commit; what it raises is the answer's error.
        asked_by: The id of the request that a run keeps.
    """
    questions: list[str] = []

    def confirm(question: str, _: object) -> bool:
        questions.append(question)
        return request.yes

    try:
        with acting_for(request.who, request=asked_by):
            return _run(settings, request, confirm, examine)
    except UnconfirmedError as error:
        text = f"{questions[-1]}: nothing was done; `yes` allows more than half of all events to go"
        return {"status": status_of(error), "error": text, "field": YES}
    except RekindleError as error:
        field = error.field if isinstance(error, ConfigurationError) else None
        return {"status": status_of(error), "error": str(error), "field": field}


def _run(settings: ServiceSettings, request: MaintenanceRequest, confirm: Confirm, examine: Examine) -> JsonObject:
    from pipelines.maintenance.delete import Deletion, delete
    from pipelines.maintenance.restore import Restore, restore
    from pipelines.maintenance.rewriter import MaintenanceSettings
    from pipelines.maintenance.tier import Tiering, tier
    from pipelines.maintenance.undo import Undo, undo
    from transforms.retention.durations import parse_duration

    where = MaintenanceSettings(
        hot_tier=settings.hot_tier, tier_options=settings.tier_options, console=LogConsole(request.task_id)
    )
    rules = _rules_of(request, where)
    if request.kind == "undo":
        assert request.task_id is not None
        return undo(where, Undo(task_id=request.task_id, dry_run=not request.execute, confirm=confirm)).as_document()
    if request.kind == "restore":
        asked = Restore(run_id=request.run, to=request.to, rules=rules, execute=request.execute)
        return restore(where, asked).as_document()
    common: JsonObject = {"rules": rules, "now": request.now, "execute": request.execute, "examine": examine}
    if request.kind == "tier":
        return tier(where, Tiering(**common)).as_document()
    grace = parse_duration(request.grace, zero=True)
    return delete(where, Deletion(grace=grace, confirm=confirm, **common)).as_document()


def _rules_of(request: MaintenanceRequest, where: MaintenanceSettings) -> Rules | None:
    """Return the rules that a request gives, or the tier's where these must be certain ones.

    Raises:
        ConflictError: the tier has others.
    """
    from pipelines.maintenance.rules import Rules
    from transforms.retention.rules_file import RULES, TIERS

    section = TIERS if request.kind == "tier" else RULES
    if request.rules is not None:
        return Rules.of_text(request.rules, section)
    if request.rules_sha256 is None:
        return None
    rules = Rules.of_tier(where.open_tier(), section)
    if rules.file.sha256 != request.rules_sha256:
        raise ConflictError("the rules of the tier were changed since the dry run; nothing was done: make another")
    return rules


def main() -> int:
    """Run one request."""
    settings = ServiceSettings.model_validate_json(sys.argv[1])
    set_up_logging(settings.log_format)
    request = MaintenanceRequest.model_validate_json(sys.stdin.buffer.read())
    try:
        answer = run(settings, request)
    except Exception:
        logging.getLogger("rekindle").exception("a %s failed", request.kind)
        return 1
    sys.stdout.write(orjson.dumps(answer).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
