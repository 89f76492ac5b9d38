"""Physical removals, as processes that add files to the table see them (docs/decisions/0015-retention-runs.md).

A removal deletes files that are not live: removed ones, and orphans that no commit ever named. Its list is the document
of a commit without new or live files, with `purge` and the next number as app id; files are deleted after it. So a
commit that adds files and has not seen the removal's is refused, and on the next attempt finds the list: it never adds
a file that is gone or about to go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson

from transforms.core.errors import TierError
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.runs import CHANGES, DONE, REMOVE, RunFolder, files_of_runs
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

APP_ID = "purge"
"""Its version counts the removals."""
_READERS = 8


@dataclass(frozen=True)
class Purge:
    """A removal that is in the table's log.

    Attributes:
        run_id: The run that removes.
        path: Its list.
        document: The list: `files`, each with `path` and `size`; `at`, `version`, `purge`, and what the audit needs.
    """

    run_id: str
    path: str
    document: dict[str, Any]

    @property
    def files(self) -> frozenset[str]:
        """The paths that are removed."""
        return frozenset(file["path"] for file in self.document["files"])


def purge_number(snapshot: Snapshot) -> int:
    """Return how many removals there were."""
    return snapshot.transaction_version(APP_ID) or 0


def committed_purges(
    tier: TierStore, snapshot: Snapshot, *, unfinished: bool = False, since: int = 0
) -> Iterator[Purge]:
    """Yield the committed removals of a snapshot, in no order.

    Args:
        tier: The tier.
        snapshot: The table.
        unfinished: Only those whose run is not done, so that some of their files may still exist.
        since: Only those whose commit comes after this version.
    """
    for path in _list_paths(tier, unfinished=unfinished):
        document = orjson.loads(tier.get(path))
        if since < document["version"] <= snapshot.version and snapshot.transaction_version(path) is not None:
            yield Purge(path.split("/")[2], path, document)


def check_not_purged(tier: TierStore, snapshot: Snapshot, paths: Collection[str]) -> None:
    """Check that files to be added have not been removed as orphans of a writer that was taken for dead.

    Args:
        tier: The tier.
        snapshot: What the commit is tried on.
        paths: The files, relative to the table.

    Raises:
        TierError: one is gone, or is about to be removed.
    """
    if not paths or not purge_number(snapshot):
        return
    going = {path for purge in committed_purges(tier, snapshot, unfinished=True) for path in purge.files}
    with ThreadPoolExecutor(_READERS) as pool:
        there = list(pool.map(lambda path: path not in going and tier.exists(f"{EVENTS}/{path}"), paths))
    missing = [path for path, is_there in zip(paths, there, strict=True) if not is_there]
    if missing:
        raise TierError(
            f"hot tier {tier.uri}: {EVENTS}/{missing[0]} was removed before it was published (in all {len(missing):,} "
            "such files): its writer was silent for so long that it was taken for dead. Nothing was changed; run again"
        )


def _list_paths(tier: TierStore, *, unfinished: bool) -> list[str]:
    runs = ((RunFolder(tier, run_id), names) for run_id, names in files_of_runs(tier).items())
    removals = (
        (folder, names) for folder, names in runs if folder.kind == REMOVE and not (unfinished and DONE in names)
    )
    return [folder.path(name) for folder, names in removals for name in names if name.startswith(CHANGES)]
