"""Senders of Splunk's HTTP Event Collector: each repeats a batch until it is acknowledged, and keeps count.

A client that has had no answer can't know whether its events were taken. It sends them again, and only then may an
event be in the tier twice: these repeats are counted, event by event.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

PATH = "/services/collector/event"
_BUSY = (429, 503)
_WAIT_SECONDS = 0.05
_MOST_WAIT_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where events go.

    Attributes:
        port: Of the service, on the loopback address.
        token: A key's.
        seconds: How long an answer may take.
    """

    port: int
    token: str
    seconds: float = 60.0

    @property
    def headers(self) -> dict[str, str]:
        """Those of every request."""
        return {"Authorization": f"Splunk {self.token}"}


@dataclass
class Sender(threading.Thread):
    """Sends batches one after another, each until it is acknowledged.

    Attributes:
        target: Where to.
        batches: Events by batch, each an id that no other event has.
        pause: Seconds between two batches.
        acknowledged: Ids of the events that were answered with 200.
        unanswered: How often a request with this event went out and had no answer.
        refused: How many requests were answered with each other status.
        seconds: How long each acknowledged request took.
    """

    target: Target
    batches: Sequence[Sequence[str]]
    pause: float = 0.0
    stopped: threading.Event = field(default_factory=threading.Event)
    acknowledged: set[str] = field(default_factory=set)
    unanswered: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    error: BaseException | None = None

    def __post_init__(self) -> None:
        """Begin as a thread."""
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Send all batches."""
        connection: HTTPConnection | None = None
        try:
            for batch in self.batches:
                while batch and not self.stopped.is_set():
                    connection, status, wait = self._send(connection, batch)
                    if status == 200:
                        self.acknowledged.update(batch)
                        break
                    self.stopped.wait(wait)
                self.stopped.wait(self.pause)
        except BaseException as error:  # noqa: BLE001 - it is raised where the senders are awaited
            self.error = error
        finally:
            if connection is not None:
                connection.close()

    def _send(
        self, connection: HTTPConnection | None, batch: Sequence[str]
    ) -> tuple[HTTPConnection | None, int | None, float]:
        """Send a batch once; return the connection if it still stands, the answer's status, and how long to wait.

        Raises:
            RuntimeError: it was refused for good.
        """
        if connection is None:
            connection = HTTPConnection("127.0.0.1", self.target.port, timeout=self.target.seconds)
            try:
                connection.connect()
            except OSError:  # nothing went out
                return None, None, _WAIT_SECONDS
        began = time.perf_counter()
        try:
            connection.request("POST", PATH, body_of(batch), self.target.headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, HTTPException):
            connection.close()
            self.unanswered.update(batch)
            return None, None, _WAIT_SECONDS
        took = time.perf_counter() - began
        if answer.status == 200:
            self.seconds.append(took)
        else:
            self.refused[answer.status] += 1
            if answer.status not in _BUSY:
                raise RuntimeError(f"a batch was refused: {answer.status} {text.decode()}")
        if answer.will_close:
            connection.close()
        wait = min(float(answer.headers.get("Retry-After") or _WAIT_SECONDS), _MOST_WAIT_SECONDS)
        return None if answer.will_close else connection, answer.status, wait


def body_of(ids: Sequence[str]) -> bytes:
    """Return a batch as clients send it: objects run together."""
    return "".join(
        json.dumps(
            {
                "time": event_time(one),
                "host": f"host-{one.partition('-')[0]}",
                "source": "senders",
                "sourcetype": "load",
                "event": f"event {one} of a sender, long enough to look like a line of a log",
                "fields": {"n": one},
            }
        )
        for one in ids
    ).encode()


def event_time(one: str) -> float:
    """Return the seconds since 1970 of an event: they spread over some days."""
    sender, number = map(int, one.split("-"))
    return 1754951077 + sender * 3600 + number % 200_000 + 0.25


def batches_of(sender: int, *, events: int, size: int) -> list[list[str]]:
    """Return the batches of a sender."""
    ids = [f"{sender}-{number}" for number in range(events)]
    return [ids[at : at + size] for at in range(0, events, size)]


@dataclass
class Senders:
    """Several that send at once.

    Attributes:
        members: They.
    """

    members: list[Sender]

    @classmethod
    def of(cls, target: Target, *, senders: int, events: int, size: int, pause: float = 0.0) -> Senders:
        """Return senders that share so many events."""
        share = events // senders
        return cls([Sender(target, batches_of(number, events=share, size=size), pause) for number in range(senders)])

    def __enter__(self) -> Senders:
        """Begin."""
        for one in self.members:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what still sends."""
        for one in self.members:
            one.stopped.set()
        for one in self.members:
            one.join()

    @property
    def acknowledged(self) -> set[str]:
        """The ids of all acknowledged events."""
        return set().union(*(one.acknowledged for one in self.members))

    @property
    def unanswered(self) -> Counter[str]:
        """How often each event went out without an answer."""
        return sum((one.unanswered for one in self.members), Counter())

    @property
    def refused(self) -> Counter[int]:
        """How many requests were refused by each status."""
        return sum((one.refused for one in self.members), Counter())

    @property
    def count(self) -> int:
        """How many events are acknowledged."""
        return sum(len(one.acknowledged) for one in self.members)

    def wait(self, seconds: float) -> None:
        """Wait until all is acknowledged.

        Raises:
            TimeoutError: it takes too long.
        """
        self.wait_for(sum(len(batch) for one in self.members for batch in one.batches), seconds)

    def wait_for(self, count: int, seconds: float) -> None:
        """Wait until so many events are acknowledged.

        Raises:
            TimeoutError: it takes too long.
        """
        self._wait(lambda: self.count >= count, f"{count} acknowledged events", seconds)

    def wait_for_refusals(self, count: int, seconds: float) -> None:
        """Wait until so many requests were refused.

        Raises:
            TimeoutError: it takes too long.
        """
        self._wait(lambda: self.refused.total() >= count, f"{count} refusals", seconds)

    def _wait(self, is_so: Callable[[], bool], what: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            for one in self.members:
                if one.error is not None:
                    raise one.error
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what}: {self.count} acknowledged, refused {dict(self.refused)}")
            self.members[0].join(0.005)


def kill_points(events: int, kills: int, draw: random.Random) -> Iterator[tuple[int, float]]:
    """Yield after how many acknowledged events, and how many seconds later, to kill: at random, never at the end."""
    for count in sorted(draw.sample(range(1, events * 9 // 10), kills)):
        yield count, draw.choice((0.0, draw.random() * 0.3))


def check(found: Mapping[str, int], senders: Senders) -> dict[str, int]:
    """Check what the tier holds of each id; return how many events there are, how many doubled, how many repeated.

    Raises:
        AssertionError: an acknowledged event is not there, or one that was answered is there twice.
    """
    acknowledged, unanswered = senders.acknowledged, senders.unanswered
    lost = acknowledged - found.keys()
    assert not lost, f"{len(lost)} acknowledged events are lost, such as {sorted(lost)[:3]}"
    foreign = found.keys() - acknowledged - unanswered.keys()
    assert not foreign, f"{len(foreign)} events were refused and are there, such as {sorted(foreign)[:3]}"
    too_many = {one: count for one, count in found.items() if count > (one in acknowledged) + unanswered[one]}
    assert not too_many, f"{len(too_many)} events are there too often, such as {dict(list(too_many.items())[:3])}"
    doubled = sum(count - 1 for count in found.values())
    return {"events": len(found), "doubled": doubled, "repeated": sum(unanswered.values())}
