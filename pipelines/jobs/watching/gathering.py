"""What a queue announces is gathered until it is worth a wave; a message is held until all its objects are done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipelines.jobs.watching.accounts import WatchAccounts
from pipelines.jobs.watching.arrivals import Arrivals
from pipelines.liveness import run_periodically
from transforms.core.errors import RekindleError
from transforms.objects.discovery.notifications import created_keys, parse_notification
from transforms.objects.discovery.object_filter import SourceMatcher
from transforms.storage.notification_queue import (
    HIDDEN_SECONDS,
    MOST_AT_ONCE,
    NotificationQueue,
    QueueMessage,
    QueueState,
)

RECEIVE_SECONDS = 5
"""How long a request waits for messages, at most: so long SIGTERM may wait."""
MOST_WAITING = 10_000
"""So many objects are a wave, however small they are."""
_STATE_SECONDS = 60.0
_MOST_RECEIVED = 5
"""Without a dead-letter rule, a message whose object has failed so often is deleted: the ledger has the failure."""
_FIRST_RELEASE, _LONGEST_RELEASE = 30, 900


@dataclass(kw_only=True)
class Gathering:
    """What was announced and is not done yet.

    Attributes:
        queue: What announces; None where a watch lists alone.
        bucket: The bucket that is watched.
        matcher: Which of its keys match.
        wait_seconds: How long what has arrived waits for more.
        most_bytes: So much is a wave, and does not wait.
        accounts: Where all that comes is counted.
        clock: The time in seconds, for tests.
        arrivals: The objects, and the messages that are held for them.
    """

    queue: NotificationQueue | None
    bucket: str
    matcher: SourceMatcher
    wait_seconds: float
    most_bytes: int
    accounts: WatchAccounts
    clock: Callable[[], float] = time.monotonic
    arrivals: Arrivals = field(default_factory=Arrivals)
    _state: QueueState | None = None
    _state_at: float = float("-inf")
    _first_at: float | None = None
    _last_at: float = 0.0
    _since: float = 0.0
    _is_backlog: bool = False

    @property
    def queued(self) -> int | None:
        """How many messages the queue had when it was last looked at."""
        return None if self._state is None else self._state.waiting

    @contextmanager
    def holding_messages(self, warn: Callable[[str], None]) -> Iterator[None]:
        """Keep the held messages hidden; at the end others get them at once."""
        if self.queue is None:
            yield
            return
        queue = self.queue
        hide = run_periodically(
            lambda: queue.hide(self.arrivals.held(), HIDDEN_SECONDS),
            lambda error: warn(f"Warning: messages could not be kept hidden: {error}"),
            seconds=HIDDEN_SECONDS / 3,
        )
        try:
            with hide:
                yield
        finally:
            try:
                queue.hide(self.arrivals.held(), 0)
            except RekindleError as error:  # they come back by themselves
                warn(f"Warning: messages could not be given back: {error}")

    def is_due(self) -> bool:
        """Whether what has arrived is ingested now."""
        at = self.clock()
        waited = self._due_at is not None and at >= self._due_at
        waited &= not self._is_backlog or at - self._since >= self.wait_seconds
        return bool(len(self.arrivals)) and (
            waited or len(self.arrivals) >= MOST_WAITING or self.arrivals.size >= self.most_bytes
        )

    @property
    def _due_at(self) -> float | None:
        """When what has arrived is ingested; half of the wait after the last arrival it is not expected to be more."""
        if self._first_at is None:
            return None
        return min(self._first_at + self.wait_seconds, self._last_at + self.wait_seconds / 2)

    def receive(self, queue: NotificationQueue, *, until: float | None) -> None:
        """Take messages, and wait for some at most until a time of the clock; those that match nothing are let go."""
        self._look_at_queue(queue)
        seconds: float = RECEIVE_SECONDS
        for latest in (self._due_at, until):
            if latest is not None:
                seconds = min(seconds, latest - self.clock())
        messages = queue.receive(wait_seconds=max(1, round(seconds)))
        self._is_backlog = len(messages) == MOST_AT_ONCE
        let_go = [message for message in messages if not self._take(message)]
        if let_go:
            queue.delete(let_go)
            self.accounts.counts["deleted"] += len(let_go)

    def _take(self, message: QueueMessage) -> bool:
        """Hold a message for its objects; return False where it has none that match."""
        counts = self.accounts.counts
        counts["messages"] += 1
        notification = parse_notification(message.body)
        counts["other_events"] += notification.others
        counts["unreadable"] += not notification.is_readable
        created = {one.key: one for one in created_keys(notification, self.bucket)}
        unique = {(one.bucket, one.key) for one in notification.created}
        numbers = self.matcher.sources_of_keys(list(created))
        matching = [one for one, number in zip(created.values(), numbers, strict=True) if number >= 0]
        counts["unmatched"] += len(unique) - len(matching)
        self.accounts.count_evaluated(len(unique))
        if not matching:
            return False
        self.arrivals.add(message, matching)
        age = max(0.0, time.time() - message.sent.timestamp())  # what has waited in the queue has waited
        since = self.clock() - min(age, self.wait_seconds)
        if self._first_at is None:
            self._first_at, self._since = since, self.clock()
        self._first_at, self._last_at = min(self._first_at, since), self.clock()
        return True

    def _look_at_queue(self, queue: NotificationQueue) -> None:
        if self.clock() - self._state_at >= _STATE_SECONDS:
            self._state = queue.state()
            self._state_at = self.clock()

    def begin_anew(self) -> None:
        """Let what is left wait from now on."""
        self._first_at = self.clock() if len(self.arrivals) else None
        self._since = self._last_at = self.clock()

    def finish(self, keys: Sequence[str], failed: Sequence[str]) -> None:
        """Delete the messages whose objects are all done, and give those back of which one failed."""
        finished = self.arrivals.finish(keys, failed)
        if self.queue is None:
            return
        deleted = list(finished.done)
        for message in finished.failed:
            if self._state is not None and not self._state.has_dead_letters and message.received >= _MOST_RECEIVED:
                deleted.append(message)
            else:
                seconds = min(_LONGEST_RELEASE, _FIRST_RELEASE * 2 ** min(message.received - 1, 10))
                self.queue.hide([message], seconds)
                self.accounts.counts["released"] += 1
        self.queue.delete(deleted)
        self.accounts.counts["deleted"] += len(deleted)
