"""Which messages are held for which objects, whatever is announced twice."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from pipelines.jobs.watching.arrivals import Arrivals
from transforms.objects.discovery.notifications import CreatedObject
from transforms.storage.notification_queue import QueueMessage

SENT = datetime(2026, 1, 1, tzinfo=timezone.utc)


def message(number: int, *, receipt: str = "first") -> QueueMessage:
    sent = SENT + timedelta(seconds=number)
    return QueueMessage(id=str(number), receipt=receipt, body="", received=1, sent=sent)


def announced(*keys: str) -> list[CreatedObject]:
    return [CreatedObject(bucket="b", key=key, size=10) for key in keys]


@pytest.fixture
def arrivals() -> Arrivals:
    return Arrivals()


def test_a_message_is_done_with_the_last_of_its_objects(arrivals: Arrivals) -> None:
    arrivals.add(message(1), announced("a", "b"))
    assert (len(arrivals), arrivals.size) == (2, 20)
    assert arrivals.finish(["a"]).done == ()
    assert arrivals.held() == [message(1)]
    assert arrivals.finish(["b"]).done == (message(1),)
    assert (len(arrivals), arrivals.held()) == (0, [])


def test_all_messages_of_an_object_are_done_with_it(arrivals: Arrivals) -> None:
    arrivals.add(message(2), announced("a"))
    arrivals.add(message(1), announced("a"))
    assert len(arrivals) == 1
    assert arrivals.oldest_sent(["a", "z"]) == (SENT + timedelta(seconds=1)).timestamp()
    assert sorted(one.id for one in arrivals.finish(["a"]).done) == ["1", "2"]


def test_a_message_that_comes_again_is_deleted_by_its_new_receipt(arrivals: Arrivals) -> None:
    arrivals.add(message(1), announced("a"))
    arrivals.add(message(1, receipt="second"), announced("a"))
    assert arrivals.finish(["a"]).done == (message(1, receipt="second"),)


def test_a_message_that_comes_again_half_done_is_done_with_all(arrivals: Arrivals) -> None:
    arrivals.add(message(1), announced("a", "b"))
    arrivals.finish(["a"])
    arrivals.add(message(1, receipt="second"), announced("a", "b"))
    assert arrivals.finish(["b"]).done == ()
    assert arrivals.finish(["a"]).done == (message(1, receipt="second"),)


def test_of_several_objects_one_failure_keeps_the_message(arrivals: Arrivals) -> None:
    arrivals.add(message(1), announced("a", "b"))
    arrivals.finish(["a"], ["a"])
    finished = arrivals.finish(["b"])
    assert (finished.done, finished.failed) == ((), (message(1),))


def test_what_no_message_announced_finishes_none(arrivals: Arrivals) -> None:
    arrivals.add(message(1), announced("a"))
    finished = arrivals.finish(["z"], ["z"])
    assert (finished.done, finished.failed) == ((), ())
    assert arrivals.oldest_sent(["z"]) is None
