"""The deletion of files that a removal has listed, and whose list has landed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from transforms.hot_tier.maintenance.commit_run import Landed
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.runs import RunFolder

_DELETERS = 8
_BLOCK = 1000


def delete_listed(folder: RunFolder, landed: Landed) -> None:
    """Delete the files of a removal's list, those that are still there.

    Raises:
        TierError: the store refuses; the list stays, and the next command goes on.
    """
    paths = iter(file["path"] for file in landed.document["files"])
    with ThreadPoolExecutor(_DELETERS) as pool:
        while block := list(islice(paths, _BLOCK)):
            list(pool.map(lambda path: folder.tier.delete(f"{EVENTS}/{path}"), block))
            folder.show_life()
