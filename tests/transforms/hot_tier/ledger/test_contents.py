"""Which contents of an object are in the table, after publishing, undoing and restoring in any order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from transforms.hot_tier.ledger.contents import ContentHistory, superseded_jobs
from transforms.hot_tier.ledger.published_index import Published


def rows(text: str) -> Iterator[tuple[bool, Published]]:
    """Yield rows, written as job, content and what is done: `a1` is published, `a1=` replaces, `a1-` is undone."""
    for k, row in enumerate(text.split(), 1):
        status = "undone" if row.endswith("-") else "ingested"
        content = Published(etag=row[1], size=1, status=status, job=row[0], wave=0, k=k, min_time=None, max_time=None)
        yield row.endswith("="), content


def named(contents: list[Published]) -> str:
    return " ".join(one.job + one.etag for one in contents)


@pytest.mark.parametrize(
    ("text", "present", "undone"),
    [
        pytest.param("", "", "", id="never seen"),
        pytest.param("a1 b2", "a1 b2", "", id="appended"),
        pytest.param("a1 b2 c3=", "c3", "", id="all replaced"),
        pytest.param("a1 b2 c1=", "b2 c1", "", id="the same content replaced"),
        pytest.param("a1 a1-", "", "a1", id="undone"),
        pytest.param("a1 b1 b1-", "a1", "b1", id="forced, then undone"),
        pytest.param("a1 b2= b2-", "", "b2", id="what was replaced does not come back"),
        pytest.param("a1 a1- a1", "a1", "", id="restored"),
        pytest.param("a1 a1- b1", "b1", "a1", id="ingested again"),
        pytest.param("a1 a1- b1 b1-", "", "a1 b1", id="ingested again and undone again"),
        pytest.param("a1 a1- b1 b1- a1", "a1", "b1", id="the first of two restored"),
        pytest.param("a1 a1- a1 a1-", "", "a1", id="restored and undone again"),
        pytest.param("a1 b2 b2- b2", "a1 b2", "", id="restored beside another"),
        pytest.param("a1 b1-", "a1", "", id="nothing of the job is there"),
        pytest.param("a1 b1= a1-", "b1", "", id="replaced before it was undone"),
    ],
)
def test_contents_that_are_present(text: str, present: str, undone: str) -> None:
    history = ContentHistory.of(rows(text))
    assert named(history.contents) == present
    assert named([one.content for one in history.undone]) == undone


@pytest.mark.parametrize(
    ("text", "before"),
    [
        pytest.param("a1 b1=", "a1", id="replaced"),
        pytest.param("a1 b1= c1=", "a1 b1", id="twice"),
        pytest.param("a1 b1= b1- b1", "a1", id="undone and restored"),
        pytest.param("a1 b1= b1- c1", "", id="undone and ingested again"),
        pytest.param("a1 b1= b1- b1 c1=", "a1 b1", id="restored and replaced"),
    ],
)
def test_what_the_present_content_has_replaced(text: str, before: str) -> None:
    (present,) = ContentHistory.of(rows(text)).present
    assert named(list(present.before)) == before


@pytest.mark.parametrize(
    ("text", "k", "restoring", "jobs"),
    [
        pytest.param("a1 b2=", 1, (), "a", id="replaced"),
        pytest.param("a1 b2=", 2, (), "", id="replaced before"),
        pytest.param("a1 b1", 1, (), "a", id="forced"),
        pytest.param("a1 b2", 1, (), "", id="appended"),
        pytest.param("a1 a1-", 1, (), "a", id="undone by another run"),
        pytest.param("a1 a1-", 2, (2,), "", id="undone by this run"),
        pytest.param("a1 a1-", 1, (2,), "", id="deleted before, and both are restored"),
        pytest.param("a1 a1- a1", 1, (), "", id="undone and restored since"),
        pytest.param("a1 a1- b1", 2, (2,), "a", id="ingested again since"),
        pytest.param("a1 a1- b2", 2, (2,), "a", id="other content since"),
        pytest.param("a1 a1- b1 b1-", 2, (2,), "", id="ingested again since, and undone"),
        pytest.param("a1 a1- b1 b1-", 2, (2, 4), "a", id="the earlier of two undone jobs"),
        pytest.param("a1 a1- b1 b1- a1", 4, (4,), "b", id="the later, when the earlier is back"),
        pytest.param("a1 a1- b1 b1-", 4, (2, 4), "a", id="the later of two undone jobs"),
        pytest.param("a1 b1 b1-", 1, (), "", id="forced, and that undone"),
        pytest.param("a1 b1= b1-", 1, (), "a", id="replaced, and that undone"),
        pytest.param("a1 b1 b1- b1", 1, (), "a", id="forced, undone and restored"),
    ],
)  # fmt: skip
def test_jobs_whose_contents_may_not_come_back(text: str, k: int, restoring: tuple[int, ...], jobs: str) -> None:
    assert superseded_jobs(rows(text), k, restoring) == set(jobs)
