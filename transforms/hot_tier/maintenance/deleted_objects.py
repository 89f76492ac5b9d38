"""Published objects of which rules have left no event, by looking into the table (docs/retention.md, docs/jobs.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from transforms.hot_tier.data.file_objects import ObjectBounds, objects_in
from transforms.hot_tier.ledger.ledger import Published
from transforms.hot_tier.maintenance.commit_run import CommittedRun, find_committed
from transforms.hot_tier.table.runs import CUTOFF, DELETE, RunFolder, files_of_runs
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.instants import microseconds, parse_instant
from transforms.storage import TierStore

_READERS = 8
_NONE = "none"
PublishedContents = Mapping[str, Sequence[Published]]
"""The published contents of objects, by their URIs."""


@dataclass(frozen=True)
class Deletions:
    """The deletions of a table.

    Attributes:
        tier: The tier.
        snapshot: The table as it is.
        cutoff: The latest cut-off of any rule of a deletion, in microseconds since 1970 UTC.
    """

    tier: TierStore
    snapshot: Snapshot
    cutoff: int

    @classmethod
    def load(cls, tier: TierStore, snapshot: Snapshot | None = None) -> Deletions | None:
        """Find all deletions; return None where there were none.

        This costs one listing: only of a deletion that is not done a file is read.

        Args:
            tier: The tier.
            snapshot: The table as it is; None loads it, where there were deletions.
        """
        names = {
            run_id: found for run_id, found in files_of_runs(tier).items() if RunFolder(tier, run_id).kind == DELETE
        }
        if not names:
            return None
        snapshot = snapshot or Snapshot.load(tier)
        cutoffs = [_cutoff_of(snapshot, RunFolder(tier, run_id), found) for run_id, found in names.items()]
        cutoff = max((one for one in cutoffs if one is not None), default=None)
        return None if cutoff is None else cls(tier, snapshot, cutoff)

    def may_have_lost(self, known: PublishedContents) -> list[str]:
        """Return the objects of which a rule may have deleted events."""
        times = {uri: _times(contents) for uri, contents in known.items()}
        return [uri for uri, (low, high) in times.items() if low <= high and low < self.cutoff]

    def have_lost_all(self, known: PublishedContents) -> set[str]:
        """Return the objects of which rules have left no event.

        These are among those whose events were all older than some rule's cut-off; of the files whose statistics allow
        for one of these, the column `_object` is read.
        """
        times = {uri: _times(contents) for uri, contents in known.items()}
        candidates = {uri: (low, high) for uri, (low, high) in times.items() if low <= high < self.cutoff}
        bounds = ObjectBounds(candidates)
        paths = [file.path for file in self.snapshot.files.values() if bounds.may_be_in(file)]
        with ThreadPoolExecutor(_READERS) as pool:
            for found in pool.map(lambda path: objects_in(self.tier, path), paths):
                for uri in found:
                    candidates.pop(uri, None)
        return set(candidates)


def latest_cutoff(document: dict[str, Any]) -> int | None:
    """Return the latest cut-off of a deletion's rules, in microseconds since 1970 UTC; None where none has one."""
    times = (parse_instant(rule["cutoff"]) for rule in document["rules"] if rule["cutoff"])
    return max((microseconds(time) for time in times if time is not None), default=None)


def mark_cutoff(folder: RunFolder, committed: CommittedRun | None) -> None:
    """Let the latest cut-off of a deletion that is over be known by a listing; may be repeated."""
    cutoff = latest_cutoff(committed.document) if committed is not None else None
    folder.tier.put(folder.path(f"{CUTOFF}{_NONE if cutoff is None else cutoff}"), b"")


def _cutoff_of(snapshot: Snapshot, folder: RunFolder, names: Iterable[str]) -> int | None:
    marked = next((name.removeprefix(CUTOFF) for name in names if name.startswith(CUTOFF)), None)
    if marked is not None:
        return None if marked == _NONE else int(marked)
    committed = find_committed(snapshot, folder)
    return latest_cutoff(committed.document) if committed is not None else None


def _times(contents: Iterable[Published]) -> tuple[int, int]:
    """Return the least and greatest time of an object's events, or (1, 0) where it never had any."""
    ranges = [(one.min_time, one.max_time) for one in contents if one.min_time is not None and one.max_time is not None]
    return min((low for low, _ in ranges), default=1), max((high for _, high in ranges), default=0)
