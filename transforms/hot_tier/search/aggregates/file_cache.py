"""Counts of whole files, kept in memory: files never change, so they hold for as long as a file lives."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Protocol, TypeVar

CACHE_BYTES = 64 << 20
_LOCKS = 64


class Sized(Protocol):
    """An answer that knows about how much memory it takes."""

    @property
    def bytes(self) -> int:
        """Its size."""


_T = TypeVar("_T", bound=Sized)


class FileCache:
    """Answers by file and question, for all threads of a server; those not asked for longest make room for new ones."""

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        """Begin without answers."""
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[str, object], Sized] = OrderedDict()
        self._bytes = 0
        self._finding = tuple(threading.Lock() for _ in range(_LOCKS))

    @property
    def bytes(self) -> int:
        """How much memory the answers take."""
        return self._bytes

    def get(self, path: str, question: object, kind: type[_T]) -> _T | None:
        """Return the answer that was kept, or None."""
        with self._lock:
            found = self._answers.get((path, question))
            if found is not None:
                self._answers.move_to_end((path, question))
        assert found is None or isinstance(found, kind)
        return found

    def finding(self, path: str, question: object) -> threading.Lock:
        """Return a lock under which one thread finds an answer that others wait for; a few questions share each."""
        return self._finding[hash((path, question)) % _LOCKS]

    def put(self, path: str, question: object, answer: Sized) -> None:
        """Keep an answer, unless it alone takes more than an eighth of the room."""
        if answer.bytes > self._most_bytes // 8:
            return
        with self._lock:
            old = self._answers.pop((path, question), None)
            self._bytes += answer.bytes - (0 if old is None else old.bytes)
            self._answers[path, question] = answer
            while self._bytes > self._most_bytes:
                _, oldest = self._answers.popitem(last=False)
                self._bytes -= oldest.bytes
