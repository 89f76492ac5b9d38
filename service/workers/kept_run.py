"""Does what a kept request asks for, in a process of its own.

    python -m service.workers.kept_run SETTINGS ID CLAIM

Exactly once: a run is one commit, which is there or is not. A process that follows one that is gone first looks
whether that one has committed; only where it never can any more, it begins anew. Deletions go by the time and the
rules of their dry run, and take what that has shown or nothing.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from http import HTTPStatus

from pipelines.documents import JsonObject
from pipelines.jobs.queued.claims import SIGN_SECONDS, JobClaim, is_newest, take_claim, write_claim
from pipelines.liveness import is_live, run_periodically
from service.logs import log, set_up_logging
from service.settings import ServiceSettings
from service.workers.kept_requests import OUTCOME, KeptRequest, folder_of, load_request
from service.workers.maintenance import run as run_maintenance
from service.workers.taken import TakenRows
from transforms.core.errors import TierError
from transforms.hot_tier.maintenance.commit_run import CommittedRun, find_committed
from transforms.hot_tier.maintenance.finish import finish_interrupted
from transforms.hot_tier.table.runs import REQUEST, RunFolder, list_runs
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore
from transforms.storage.json_folder import JsonFolder


def run(settings: ServiceSettings, request_id: str, number: int) -> bool:
    """Claim a request and do it; return whether it has an outcome now.

    Where the tier failed it is released, and tried again by another process.
    """
    tier = settings.tier_location.open()
    folder, asked = folder_of(tier, request_id), load_request(tier, request_id)
    if asked is None or asked.outcome is not None:
        return asked is not None
    claim = take_claim(folder, number)
    if claim is None:
        return False
    with run_periodically(lambda: _show_life(folder, claim), lambda _: None, seconds=SIGN_SECONDS):
        answer = _answer(settings, tier, asked, is_first=number == 1)
    if answer is not None:
        write_outcome(folder, answer)
    write_claim(folder, claim, "released" if answer is None else "ended")
    return answer is not None


def write_outcome(folder: JsonFolder, answer: JsonObject) -> None:
    """Write how a request ended."""
    folder.write_json(OUTCOME, {"at": datetime.now(timezone.utc).isoformat(timespec="seconds"), "answer": answer})


def _answer(settings: ServiceSettings, tier: TierStore, asked: KeptRequest, *, is_first: bool) -> JsonObject | None:
    """Return a report, or the error of an answer; None where it is to be tried again."""
    try:
        if not is_first and (done := _done_before(tier, asked)) is not None:
            return done
        taken = TakenRows(expected=asked.request.taken)
        answer = run_maintenance(settings, asked.request, examine=taken.examine, asked_by=asked.id)
        if "error" in answer and (done := _committed_by(tier, asked)) is not None:
            return done | {"warnings": [answer["error"]]}  # what follows the commit has failed
    except TierError as error:
        log(f"request {asked.id} is tried again: {error}", level=logging.WARNING)
        return None
    except Exception as error:  # noqa: BLE001 - a mistake in the program must not come back with each process
        logging.getLogger("rekindle").exception("request %s failed", asked.id)
        text = f"unexpected: {type(error).__name__}: {error}"
        return {"status": HTTPStatus.INTERNAL_SERVER_ERROR, "error": text, "field": None}
    return answer | ({} if "error" in answer or asked.request.execute else taken.as_document())


def _done_before(tier: TierStore, asked: KeptRequest) -> JsonObject | None:
    """Return the report of what an earlier process has committed, None where none has, and none can any more.

    Raises:
        TierError: one may still be at work.
    """
    finish_interrupted(tier, lambda run: is_live(tier, run.id))
    if alive := [folder.run_id for folder in _runs_of(tier, asked) if folder.is_live()]:
        raise TierError(f"run {alive[0]} may still be at work")
    return _committed_by(tier, asked)


def _committed_by(tier: TierStore, asked: KeptRequest) -> JsonObject | None:
    """Return the report of the run that was committed for a request, None where none was."""
    if not asked.request.execute:
        return None
    snapshot = Snapshot.load(tier)
    found = ((folder, find_committed(snapshot, folder)) for folder in _runs_of(tier, asked))
    return next((_report(folder, committed) for folder, committed in found if committed is not None), None)


def _runs_of(tier: TierStore, asked: KeptRequest) -> Iterator[RunFolder]:
    """Yield the runs that were begun for a request."""
    for folder in list_runs(tier):
        if folder.kind == asked.request.kind and folder.run().parameters.get(REQUEST) == asked.id:
            yield folder


def _report(folder: RunFolder, committed: CommittedRun) -> JsonObject:
    """Return the report of a committed run, as far as its commit has it."""
    done = {"runId": folder.run_id, "executed": True, "versionAfter": committed.version, "warnings": []}
    return committed.document | done | {"files": len(committed.document["files"])}


def _show_life(folder: JsonFolder, claim: JobClaim) -> None:
    if not is_newest(folder, claim):
        log("another process has taken a request over", level=logging.WARNING)
        os._exit(1)
    write_claim(folder, claim)


def main() -> int:
    """Do one request."""
    settings = ServiceSettings.model_validate_json(sys.argv[1])
    set_up_logging(settings.log_format)
    return 0 if run(settings, sys.argv[2], int(sys.argv[3])) else 1


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
