"""Attempts to change the table: each on a new snapshot, with pauses between them, because others change it too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from deltalake.exceptions import DeltaError

from transforms.core.errors import TierError
from transforms.hot_tier.table.delta import back_off, one_line
from transforms.storage import TierStore

MOST = 30
"""Attempts in a row that come to nothing although nobody else has committed: then it is not rivalry."""


class Versioned(Protocol):
    """A table at one version."""

    version: int


S = TypeVar("S", bound=Versioned)


class Attempts(Generic[S]):
    """New snapshots, one after the other, until the caller breaks off."""

    def __init__(self, tier: TierStore, complaint: str, load: Callable[[TierStore], S]) -> None:
        """Prepare.

        Args:
            tier: The hot tier.
            complaint: What can't be done, for the error.
            load: Returns the table as it is now, by a handle of its own.
        """
        self._tier = tier
        self._complaint = complaint
        self._load = load
        self._cause: Exception | None = None

    def __iter__(self) -> Iterator[S]:
        """Yield new snapshots.

        Raises:
            TierError: nothing came of very many attempts.
        """
        version, failures = -1, 0
        while failures < MOST:
            if failures:
                time.sleep(back_off(min(failures, 5)))
            snapshot = self._load(self._tier)
            failures = failures + 1 if snapshot.version <= version else max(1, failures // 2)
            version = snapshot.version
            yield snapshot
        why = one_line(self._cause) if self._cause else "commits are accepted but do not appear"
        raise TierError(f"hot tier {self._tier.uri}: {self._complaint}: {why}") from self._cause

    @contextmanager
    def unless_refused(self) -> Iterator[None]:
        """Let an attempt fail: whether it landed all the same, the next snapshot tells."""
        try:
            yield
        except (DeltaError, OSError, TierError) as error:
            self._cause = error
