"""Acknowledgement numbers: they say by themselves which event of which log they are about.

Nothing is kept about them, so that they outlive the service, and that any service of the hot tier can answer for the
logs of all. A number holds the number of the log in the tier, and that of the request's last event in the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from service.hec.committer import app_id
from service.hec.write_ahead_log import WriteAheadLog
from transforms.hot_tier.ledger.append import last_appended
from transforms.hot_tier.table.live_files import load_events
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

_LOGS = "_rekindle/hec-logs"
_EVENT_BITS = 40
"""Numbers stay below 2**53, which is what JavaScript reads exactly."""
_MOST_LOGS = 1 << 13
_MOST_OTHERS = 16
"""A call asks for the logs of so many other services at most."""


def register_log(tier: TierStore, instance: str) -> int:
    """Return the number of a log in its hot tier; a new one gets the next that is free."""
    known = {file.path.rpartition("/")[2] for file in tier.list(f"{_LOGS}/")}
    for name in sorted(known):
        if tier.get(f"{_LOGS}/{name}") == instance.encode():
            return int(name)
    number = max(map(int, known), default=0) + 1
    while True:
        try:
            tier.put_new(_path(number), instance.encode())
        except FileExistsError:
            if tier.get(_path(number)) != instance.encode():
                number += 1
                continue
        return number


@dataclass
class Acknowledgements:
    """Says which requests are in the hot tier.

    Attributes:
        tier: The hot tier.
        wal: The service's own log.
        log_number: Its number.
    """

    tier: TierStore
    wal: WriteAheadLog
    log_number: int
    _instances: dict[int, str] = field(default_factory=dict)

    def number_of(self, event: int) -> int:
        """Return the acknowledgement number of a request, by its last event."""
        return (self.log_number % _MOST_LOGS) << _EVENT_BITS | event

    def own(self, number: int) -> bool | None:
        """Return whether a request is in the hot tier; None where it is in the log of another service."""
        log_number, event = _parts(number)
        if log_number != self.log_number % _MOST_LOGS:
            return None if number > 0 and log_number else False
        return 0 < event <= self.wal.committed

    def others(self, numbers: Iterable[int]) -> dict[int, bool]:
        """Return the same for requests in logs of other services: the hot tier is asked."""
        numbers = list(numbers)
        logs = sorted({_parts(number)[0] for number in numbers})[:_MOST_OTHERS]
        snapshot = load_events(self.tier)
        committed = {log_number: self._committed(snapshot, log_number) for log_number in logs}
        return {number: 0 < _parts(number)[1] <= committed.get(_parts(number)[0], 0) for number in numbers}

    def _committed(self, snapshot: Snapshot, log_number: int) -> int:
        if log_number not in self._instances:
            try:
                self._instances[log_number] = self.tier.get(_path(log_number)).decode()
            except FileNotFoundError:
                return 0
        return last_appended(snapshot, app_id(self._instances[log_number]))


def _path(number: int) -> str:
    return f"{_LOGS}/{number}"


def _parts(number: int) -> tuple[int, int]:
    return number >> _EVENT_BITS, number & ((1 << _EVENT_BITS) - 1)
