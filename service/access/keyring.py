"""The keys of the tier, as requests ask for them: one lookup a token, kept for some seconds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from pipelines.keys import Key, are_there_keys, hash_of, key_of_digest, note_use
from transforms.core.errors import TierError
from transforms.storage import TierStore

KEPT_SECONDS = 5.0
"""So long a revoked key may still work."""
_USE_SECONDS = 60.0
_MOST = 10_000


@dataclass
class Keyring:
    """Keys by the hashes of their tokens.

    Attributes:
        tier: Where the keys are.
        clock: The time in seconds, for tests.
    """

    tier: TierStore
    clock: Callable[[], float] = time.monotonic
    _found: OrderedDict[str, tuple[Key, float]] = field(default_factory=OrderedDict)
    _noted: dict[str, float] = field(default_factory=dict)
    _any: tuple[bool, float] = (False, float("-inf"))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def knows(self, token: str) -> bool:
        """Whether a token has been that of a key lately: who has it does not guess."""
        return hash_of(token) in self._found

    def kept(self, token: str) -> Key | None:
        """Return the key that a token is of where it was asked for lately; it asks nobody."""
        kept = self._found.get(hash_of(token))
        return kept[0] if kept is not None and self.clock() - kept[1] < KEPT_SECONDS else None

    def find(self, token: str) -> Key | None:
        """Return the key in force that a token is of, or None."""
        digest = hash_of(token)
        with self._lock:
            kept = self._found.get(digest)
        if kept is not None and self.clock() - kept[1] < KEPT_SECONDS:
            return kept[0]
        key = key_of_digest(self.tier, digest)
        with self._lock:
            self._found.pop(digest, None)
            if key is not None:
                self._found[digest] = (key, self.clock())
                if len(self._found) > _MOST:
                    self._found.popitem(last=False)
        return key

    def has_any(self) -> bool:
        """Whether a key was ever made; once one was, there is one for ever."""
        found, at = self._any
        if not found and self.clock() - at >= KEPT_SECONDS:
            found = are_there_keys(self.tier)
            self._any = (found, self.clock())
        return found

    def note_use(self, key: Key) -> None:
        """Keep that a key was used, once a minute."""
        if self.clock() - self._noted.get(key.id, float("-inf")) < _USE_SECONDS:
            return
        self._noted[key.id] = self.clock()
        try:
            note_use(self.tier, key.id)
        except TierError:  # a full disk is no reason to refuse who only reads
            del self._noted[key.id]

    def forget(self) -> None:
        """Ask the tier anew: keys have changed."""
        with self._lock:
            self._found.clear()
        self._any = (self._any[0], float("-inf"))
