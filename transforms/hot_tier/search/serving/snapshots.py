"""The newest version of a tier's table, opened once and kept until there is a newer one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.live_files import load_events
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

LOOK_SECONDS = 1.0
KEPT_SECONDS = 300.0


class Snapshots:
    """A tier's newest snapshot, for all threads of a server.

    To look for a newer version takes one request: whether the log has the entry of the next. A snapshot is opened anew
    after five minutes in any case: where many commits came at once, a clean-up may have removed that very entry.
    """

    def __init__(self, tier: TierStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Open nothing yet."""
        self._tier = tier
        self._clock = clock
        self._lock = threading.Lock()
        self._newest: Snapshot | None = None
        self._opened = self._looked = 0.0

    def newest(self) -> Snapshot:
        """Return the newest version, as of a second ago at most.

        Raises:
            TierError: there are no events yet, or the table can't be read.
        """
        with self._lock:
            now = self._clock()
            if self._newest is not None and now - self._looked < LOOK_SECONDS:
                return self._newest
            if self._newest is None or now - self._opened >= KEPT_SECONDS or self._has_next(self._newest):
                self._newest = _opened(load_events(self._tier))
                self._opened = now
            self._looked = now
            return self._newest

    def refresh(self) -> Snapshot:
        """Open the table as it is now: after a change of one's own, or where a file was found to be gone."""
        with self._lock:
            self._newest = None
        return self.newest()

    def _has_next(self, snapshot: Snapshot) -> bool:
        return self._tier.exists(f"{EVENTS}/_delta_log/{snapshot.version + 1:020d}.json")


def _opened(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot whose lists are read: threads only look at them from now on."""
    assert snapshot.files is not None
    assert snapshot.columns is not None
    assert snapshot.map_names is not None
    return snapshot
