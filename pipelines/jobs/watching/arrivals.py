"""What a queue has announced and is not done yet: objects, each with the messages that are held for it.

A message is held, hidden from other receivers, until the last of its objects is done. Then it is deleted; where one of
them has failed, it is given back, and the queue's dead-letter rule counts how often.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from transforms.objects.discovery.notifications import CreatedObject
from transforms.storage.notification_queue import QueueMessage


@dataclass
class HeldMessage:
    """A message that was received.

    Attributes:
        message: As it was received last.
        keys: Its objects that are not done.
        has_failed: Whether one of its objects could not be read.
    """

    message: QueueMessage
    keys: set[str]
    has_failed: bool = False


@dataclass(frozen=True)
class FinishedMessages:
    """Messages all of whose objects are done.

    Attributes:
        done: Those that may be deleted.
        failed: Those of which an object could not be read.
    """

    done: tuple[QueueMessage, ...]
    failed: tuple[QueueMessage, ...]


@dataclass
class Arrivals:
    """Announced objects by their keys. One thread adds and finishes; another asks which messages are held.

    Attributes:
        announced: What the notifications tell of each object.
    """

    announced: dict[str, CreatedObject] = field(default_factory=dict)
    _held: dict[str, HeldMessage] = field(default_factory=dict)
    _messages_of: dict[str, set[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        """Return how many objects wait."""
        return len(self.announced)

    @property
    def size(self) -> int:
        """How many bytes they have, as far as the notifications say."""
        return sum(one.size or 0 for one in self.announced.values())

    def add(self, message: QueueMessage, objects: Iterable[CreatedObject]) -> None:
        """Hold a message for its objects; one that is held already has a new receipt now."""
        named = {one.key: one for one in objects}
        with self._lock:
            held = self._held.get(message.id)
            if held is None:
                self._held[message.id] = HeldMessage(message, set(named))
            else:
                held.message = message
                held.keys |= named.keys()
            for key in named:
                self._messages_of.setdefault(key, set()).add(message.id)
        self.announced.update(named)

    def held(self) -> list[QueueMessage]:
        """Return the messages that must stay hidden."""
        with self._lock:
            return [one.message for one in self._held.values()]

    def oldest_sent(self, keys: Iterable[str]) -> float | None:
        """Return when the first message about some objects was sent, in seconds since 1970; None without one."""
        ids = {number for key in keys for number in self._messages_of.get(key, ())}
        return min((self._held[one].message.sent.timestamp() for one in ids), default=None)

    def finish(self, keys: Iterable[str], failed: Iterable[str] = ()) -> FinishedMessages:
        """Take objects off the list, and return the messages that none of the others needs.

        Args:
            keys: The objects that are done, also those that failed.
            failed: Those among them that could not be read.
        """
        broken = set(failed)
        finished: list[HeldMessage] = []
        with self._lock:
            for key in keys:
                self.announced.pop(key, None)
                for number in self._messages_of.pop(key, ()):
                    held = self._held[number]
                    held.keys.discard(key)
                    held.has_failed |= key in broken
                    if not held.keys:
                        finished.append(self._held.pop(number))
        return FinishedMessages(
            tuple(one.message for one in finished if not one.has_failed),
            tuple(one.message for one in finished if one.has_failed),
        )
