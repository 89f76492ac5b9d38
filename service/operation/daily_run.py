"""Does one daily run in a process of its own, so that what it takes of memory and threads is not the server's.

    python -m service.operation.daily_run SETTINGS KIND DAY CLAIM

It prints how the run ended, in one word, or nothing where another service has claimed it. The end of the service does
not end it: it is one commit, which is there or is not.
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import date, timedelta
from typing import Literal, TypeAlias, cast

from pipelines.jobs.queued.claims import SIGN_SECONDS, JobClaim, is_newest, take_claim, write_claim
from pipelines.liveness import run_periodically
from service.logs import log, set_up_logging
from service.operation.daily_folder import ROOT, DailyKind, folder_of
from service.settings import ServiceSettings
from transforms.core.errors import ConfigurationError, RekindleError, UnconfirmedError
from transforms.hot_tier.table import location
from transforms.storage import TierStore
from transforms.storage.json_folder import JsonFolder

Outcome: TypeAlias = Literal["done", "no_rules", "no_events", "refused", "failed"]
_KEPT = timedelta(days=7)
"""Claims of earlier days are removed."""


def run(settings: ServiceSettings, kind: DailyKind, day: date, number: int) -> Outcome | None:
    """Claim and do a run; return how it ended, None where another service has claimed it.

    A run that failed is released: it is begun again, here or by another service.
    """
    folder = folder_of(settings.tier_location.open(), day, kind)
    claim = take_claim(folder, number)
    if claim is None:
        return None
    with run_periodically(lambda: _show_life(folder, claim), lambda _: None, seconds=SIGN_SECONDS):
        outcome = _run(settings, kind)
    write_claim(folder, claim, "released" if outcome == "failed" else "ended")
    _forget_old_days(folder.tier, day)
    return outcome


def _forget_old_days(tier: TierStore, day: date) -> None:
    oldest = (day - _KEPT).isoformat()
    for file in tier.list(f"{ROOT}/"):
        if file.path.removeprefix(f"{ROOT}/").partition("/")[0] < oldest:
            tier.delete(file.path)


def _show_life(folder: JsonFolder, claim: JobClaim) -> None:
    if not is_newest(folder, claim):
        log("another service has taken the daily run over", level=logging.WARNING)
        os._exit(1)
    write_claim(folder, claim)


def _run(settings: ServiceSettings, kind: DailyKind) -> Outcome:
    from pipelines.maintenance.delete import Deletion, delete
    from pipelines.maintenance.rewriter import MaintenanceSettings
    from pipelines.maintenance.tier import Tiering, tier

    where = MaintenanceSettings(hot_tier=settings.hot_tier, tier_options=settings.tier_options)
    if not location.exists(settings.tier_location.open()):
        log("The daily run found no events", kind=kind)
        return "no_events"
    try:
        report = delete(where, Deletion(execute=True)) if kind == "delete" else tier(where, Tiering(execute=True))
    except UnconfirmedError as error:
        cure = "`rekindle delete --execute --yes` does it"
        log(f"The daily deletion was refused: {error}; {cure}", level=logging.ERROR, kind=kind)
        return "refused"
    except ConfigurationError as error:
        log(f"The daily run did nothing: {error}", level=logging.WARNING, kind=kind)
        return "no_rules"
    except RekindleError as error:
        log(f"The daily run failed, and is tried again: {error}", level=logging.ERROR, kind=kind)
        return "failed"
    for warning in report.warnings:
        log(warning, level=logging.WARNING, kind=kind, runId=report.run_id)
    log("The daily run is done", kind=kind, runId=report.run_id, events=report.events, version=report.version_after)
    return "done"


def main() -> int:
    """Do one run."""
    settings = ServiceSettings.model_validate_json(sys.argv[1])
    set_up_logging(settings.log_format)
    kind, day, number = cast(DailyKind, sys.argv[2]), date.fromisoformat(sys.argv[3]), int(sys.argv[4])
    try:
        outcome = run(settings, kind, day, number)
    except Exception:
        logging.getLogger("rekindle").exception("the daily run failed")
        return 1
    sys.stdout.write(outcome or "")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
