"""Adding the events of a numbered log to the table exactly once, without a ledger of objects.

The commit has the log's app id, with the number of the last event as its version: whoever reads the table knows how far
the log is in it. What a commit costs depends neither on how many there were before nor on what the log has brought.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transforms.core.errors import TierError
from transforms.hot_tier.data.rewrite import every_row, rewrite_file
from transforms.hot_tier.table.commit import Attempts, commit, finish_commit
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.live_files import load_events
from transforms.hot_tier.table.purges import check_not_purged
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

Step = Callable[[str], None]
"""Called with the name of what was just done."""


class OtherLogError(TierError):
    """The table has events of a log that the log did not know to be there.

    Attributes:
        known: The number of the last one that the table has.
    """

    def __init__(self, message: str, known: int) -> None:
        """Keep the number."""
        super().__init__(message)
        self.known = known


class RemovedFilesError(TierError):
    """Files that were to be added were removed as those of a dead writer: they must be written again."""


@dataclass(frozen=True)
class Appended:
    """What was added.

    Attributes:
        version: The table's version that has it.
        warnings: What failed after the commit.
    """

    version: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LogBatch:
    """Events of a log that are to be added together.

    Attributes:
        app_id: The log's.
        previous: The number of the last event that was added before.
        last: The number of the last one of these.
    """

    app_id: str
    previous: int
    last: int


def last_appended(snapshot: Snapshot, app_id: str) -> int:
    """Return the number of the last event of a log that is in the table, 0 where none is."""
    return snapshot.transaction_version(app_id) or 0


def append_events(
    tier: TierStore, batch: LogBatch, files: Sequence[FileDescription], *, step: Step = lambda name: None
) -> Appended:
    """Add the events of a batch in one commit.

    Args:
        tier: The hot tier.
        batch: Which events.
        files: The files that were written for them; none where pipelines have dropped all.
        step: Called after `committed`.

    Raises:
        OtherLogError: the table has events of the log that were not known to be there: an earlier attempt to add these,
            or another copy of the log, has added them. Nothing was added now.
        RemovedFilesError: the files are gone; nothing was added.
        TierError: the store refuses; whether it was added, the next attempt finds out.
    """
    attempts = Attempts(tier, f"events of {batch.app_id} can't be added", load_events)
    tried: int | None = None
    for snapshot in attempts:
        known = last_appended(snapshot, batch.app_id)
        if known == batch.last and tried is not None:
            return Appended(tried, tuple(finish_commit(tier, tried)))
        if known > batch.previous:
            raise OtherLogError(
                f"hot tier {tier.uri}: it has events of {batch.app_id} up to {known}, which this log has not brought "
                f"(it was at {batch.previous}): another service uses a copy of the log's folder. End it, and name "
                "another folder here",
                known,
            )
        files = [_laid_out(tier, file, snapshot) for file in files]
        _check_not_purged(tier, snapshot, files)
        tried = snapshot.version + 1
        with attempts.unless_refused():
            commit(snapshot, added=files, transactions=[(batch.app_id, batch.last)])
            step("committed")
    raise AssertionError  # they end by raising


def _check_not_purged(tier: TierStore, snapshot: Snapshot, files: Sequence[FileDescription]) -> None:
    try:
        check_not_purged(tier, snapshot, [file.path for file in files])
    except TierError as error:
        raise RemovedFilesError(str(error)) from error


def _laid_out(tier: TierStore, file: FileDescription, snapshot: Snapshot) -> FileDescription:
    """Return a file that fits the snapshot: itself, or where its map has what became a column, another."""
    if not file.misplaced(snapshot.columns):
        return file
    written = rewrite_file(
        tier,
        file.path,
        every_row,
        tier_name=file.tier,
        date=file.date,
        promoted=snapshot.columns,
        anew=True,
    )
    assert written is not None
    return written
