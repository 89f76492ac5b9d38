"""Which contents of an object are in the table, from its rows of the ledger in the order of their commits.

A row publishes a content, or is about a job that was undone (`ledger.undone`): its content is then no longer in the
table, and is there again once the undoing is restored. What was published since ends that: the older content does not
come back then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from transforms.hot_tier.ledger.published_index import Published
from transforms.hot_tier.ledger.sidecar import UNDONE


class ContentHistory:
    """The contents of one object, row by row.

    Attributes:
        present: Those that are in the table, the latest last.
        undone: Those that an undoing has taken away and a restore may bring back, each with that commit's number.
    """

    def __init__(self) -> None:
        """Begin with an object that nobody has seen."""
        self.present: list[Published] = []
        self.undone: list[tuple[Published, int]] = []

    @classmethod
    def of(cls, rows: Iterable[tuple[bool, Published]]) -> ContentHistory:
        """Return the history after rows, each with whether it replaced others."""
        history = cls()
        for replaced, row in rows:
            history.add(row, replaced=replaced)
        return history

    def add(self, row: Published, *, replaced: bool) -> None:
        """Take the next row.

        A replacement replaced the same content (`--reprocess`, `--retry-failed`) where there was one, else all.
        """
        if row.status == UNDONE:
            gone = [one for one in self.present if _is_of_job(one, row)]
            self.present = [one for one in self.present if one not in gone]
            self.undone += [(one, row.k) for one in gone]
            return
        restored = [one for one, _ in self.undone if _is_of_job(one, row)]
        if restored:  # an undone job publishes nothing: it is a restore
            self.undone = [(one, k) for one, k in self.undone if one not in restored]
            self.present += restored
            return
        self.undone = []
        if replaced:
            others = [one for one in self.present if not one.is_same(row)]
            self.present = others if len(others) < len(self.present) else []
        self.present.append(row)


def superseded_jobs(rows: Iterable[tuple[bool, Published]], k: int, restoring: Collection[int]) -> frozenset[str]:
    """Return the jobs whose contents of commit `k` or before may not come back.

    They were replaced, undone, or published again (`--force`) by a later commit.

    Args:
        rows: An object's.
        k: The number of a commit.
        restoring: Undoings that are being restored: what they have taken away counts as there.
    """
    history = ContentHistory()
    before: list[Published] = []
    for replaced, row in rows:
        history.add(row, replaced=replaced)
        if row.k <= k:
            before = [*history.present, *(one for one, _ in history.undone)]
    now = [*history.present, *(one for one, by in history.undone if by in restoring)]
    later = [one for one in now if one.k > k]
    return frozenset(one.job for one in before if one not in now or any(one.is_same(other) for other in later))


def _is_of_job(one: Published, row: Published) -> bool:
    return one.job == row.job and one.is_same(row)
