"""What the workers of a run write for its launcher, and what is left of that where the launcher was killed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta, timezone

from transforms.hot_tier.table.runs import MaintenanceRun
from transforms.storage import TierStore
from transforms.storage.json_folder import JsonFolder

_ROOT = "_rekindle/results"
_LEFTOVERS_AGE = timedelta(days=1)
"""No launcher waits for so long between a worker's last document and its end: such are of runs that left no trace, as
dry ones do.
"""


def results_folder(tier: TierStore, run_id: str) -> JsonFolder:
    """Return where the workers of a run write what came of their tasks."""
    return JsonFolder(tier, f"{_ROOT}/{run_id}")


def remove_left_results(tier: TierStore, finished: Collection[MaintenanceRun]) -> None:
    """Remove what killed launchers have left; costs one listing.

    Args:
        tier: The hot tier.
        finished: Runs whose processes are gone for certain.

    Raises:
        TierError: the store refuses.
    """
    gone = {run.id for run in finished}
    oldest = datetime.now(timezone.utc) - _LEFTOVERS_AGE
    for file in list(tier.list(f"{_ROOT}/")):
        if file.path.split("/")[2] in gone or file.modified < oldest:
            tier.delete(file.path)
