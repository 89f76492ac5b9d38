"""Keeping the tier tidy as a watch goes on: small files are merged when there are many of one size.

Files are merged with those of about their size (up to 2, 16, 128 MiB), so that a large one is not written again for
each few small ones. Log, ledger and audit are brought together by the commits themselves.
"""

from __future__ import annotations

from pipelines.maintenance.compact import compact
from pipelines.maintenance.rewriter import MaintenanceSettings
from transforms.hot_tier.data.writer import TARGET_BYTES
from transforms.hot_tier.maintenance.plan import plan_merging
from transforms.hot_tier.table.snapshot import Snapshot

MOST_SMALL = 64
"""So many files of a size are merged."""
CHECK_WAVES = 8
"""After so many waves it is looked for them."""
_SIZES = (TARGET_BYTES >> 6, TARGET_BYTES >> 3, TARGET_BYTES)


def merge_small_files(snapshot: Snapshot, settings: MaintenanceSettings) -> bool:
    """Merge the small files of a table, if there are many; return whether there were.

    Raises:
        TierError: they could not be merged; they stay as they are.
    """
    for size in _SIZES:
        tasks = plan_merging(snapshot, target_bytes=size).tasks
        if sum(len(task.sources) for task in tasks) >= MOST_SMALL:
            compact(settings, target_bytes=size)
            return True
    return False
