"""Which contents of an object are in the table, from its rows of the ledger in the order of their commits.

A row publishes a content, or is about a job that was undone (`ledger.undone`): its content is then no longer in the
table, and is there again once that is restored. It may come back while nothing of the object is there that has come
since: else an event could be there twice, or an older one beside what has replaced it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from transforms.hot_tier.ledger.published_index import Published
from transforms.hot_tier.ledger.sidecar import UNDONE


class PresentContent(NamedTuple):
    """A content that is in the table, since which commit, and those of the same bytes that it has replaced."""

    content: Published
    since: int
    before: tuple[Published, ...] = ()


class UndoneContent(NamedTuple):
    """A content that was in the table, as `PresentContent` has it, and the commit that has undone its job."""

    content: Published
    since: int
    before: tuple[Published, ...]
    undone: int


class ContentHistory:
    """The contents of one object, row by row.

    Attributes:
        present: Those that are in the table, the latest last.
        undone: Those of jobs that are undone.
    """

    def __init__(self) -> None:
        """Begin with an object that nobody has seen."""
        self.present: list[PresentContent] = []
        self.undone: list[UndoneContent] = []

    @classmethod
    def of(cls, rows: Iterable[tuple[bool, Published]]) -> ContentHistory:
        """Return the history after rows, each with whether it replaced others."""
        history = cls()
        for replaced, row in rows:
            history.add(row, replaced=replaced)
        return history

    @property
    def contents(self) -> list[Published]:
        """The contents that are in the table, the latest last."""
        return [one.content for one in self.present]

    def add(self, row: Published, *, replaced: bool) -> None:
        """Take the next row.

        A replacement replaced the same content (`--reprocess`, `--retry-failed`) where there was one, else all.
        """
        if row.status == UNDONE:
            gone = [one for one in self.present if _is_of_job(one.content, row)]
            self.present = [one for one in self.present if one not in gone]
            self.undone += [UndoneContent(*one, row.k) for one in gone]
            return
        content = row
        before: tuple[Published, ...] = ()
        if self.undone and (restored := [one for one in self.undone if _is_of_job(one.content, row)]):
            # an undone job publishes nothing: it is a restore
            self.undone = [one for one in self.undone if one not in restored]
            content, before = restored[-1].content, restored[-1].before
        elif replaced:
            same = [one for one in self.present if one.content.is_same(row)]
            before = (*same[-1].before, same[-1].content) if same else ()
            self.present = [one for one in self.present if one not in same] if same else []
        self.present.append(PresentContent(content, row.k, before))

    def restorable(self, restoring: Collection[int]) -> list[UndoneContent]:
        """Return the undone contents that come back when the undoings of some commits are restored together."""
        chosen = [one for one in self.undone if one.undone in restoring]
        since = [*(one.since for one in self.present), *(one.since for one in chosen)]
        return [one for one in chosen if all(number <= one.undone for number in since)]


def superseded_jobs(rows: Iterable[tuple[bool, Published]], k: int, restoring: Collection[int]) -> frozenset[str]:
    """Return the jobs whose contents of commit `k` or before may not come back.

    They were replaced, undone, or published again (`--force`) by a later commit.

    Args:
        rows: An object's.
        k: The number of a commit.
        restoring: Undoings that are being restored: what these bring back counts as there.
    """
    history = ContentHistory()
    before: list[Published] = []
    for replaced, row in rows:
        history.add(row, replaced=replaced)
        if row.k <= k:
            before = [*history.contents, *(one.content for one in history.undone)]
    there = {one.content: one.since for one in history.present}
    there |= {one.content: one.since for one in history.restorable(restoring)}
    later = [content for content, since in there.items() if since > k]
    return frozenset(
        one.job for one in before if one not in there or any(one.is_same(other) and one != other for other in later)
    )


def _is_of_job(one: Published, row: Published) -> bool:
    return one.job == row.job and one.is_same(row)
