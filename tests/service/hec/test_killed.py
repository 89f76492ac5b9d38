"""Eight senders of HEC, and a service that is killed, whose disk is full, or whose tier is gone.

Every acknowledged event is in the tier once. Only what had no answer is sent again, and only that may be there twice.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from demo.embedded_s3 import free_port
from pipelines.keys import create_key
from tests.conftest import S3, THOROUGH
from tests.fault_proxy import Fault, FaultProxy
from tests.service.conftest import SECONDS, LiveService, serving
from tests.service.hec.senders import Senders, Target, check, kill_points
from tests.service.tier_reading import read_tier
from transforms.storage import StorageOptions, TierStore, open_tier

SENDERS = 8
EVENTS, KILLS = (100_000, 10) if THOROUGH else (5_000, 2)
COUNTED = "SELECT attributes['n'], count(*) FROM events GROUP BY ALL"
WAIT_SECONDS = 600.0


@dataclass
class Restarted:
    """A service on one port, started again whenever it was killed.

    Attributes:
        tier: The hot tier.
        flags: Of `rekindle serve`.
        target: Where senders send to.
        service: The one that runs now.
    """

    tier: TierStore
    flags: tuple[object, ...]
    target: Target
    service: LiveService = field(init=False)
    stack: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        """Start it."""
        flags = ("--port", self.target.port, "--job-workers", "0", *self.flags)
        self.service = self.stack.enter_context(serving(self.tier.uri, *flags))

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.service.process.pid, signal.SIGKILL)
        self.service.process.wait(SECONDS)

    def stop(self) -> None:
        """End it as an operator does: what it has in its log goes to the tier first."""
        self.service.process.terminate()
        assert self.service.process.wait(SECONDS) == 0, self.service.log


@contextmanager
def restarted(tier: TierStore, log: Path, *flags: object) -> Iterator[Restarted]:
    """Run a service with a key, on a port that stays the same."""
    key = create_key(tier, name="senders", role="ingest", env=None, team=None, s3_pull=None, hec=True)
    target = Target(port=free_port(), token=key.hec_token or "")
    made = Restarted(tier, ("--hec-dir", log, *flags), target)
    with made.stack:
        made.start()
        yield made


@pytest.fixture
def tier(tmp_path: Path) -> TierStore:
    """A hot tier in a folder."""
    return open_tier(str(tmp_path / "hot"), StorageOptions())


def held(tier: TierStore) -> dict[str, int]:
    """Return how often the tier has each event."""
    return dict(read_tier(tier, COUNTED))


def settle(made: Restarted, senders: Senders) -> dict[str, int]:
    """Wait until the tier has all acknowledged events, end the service, and return what the check finds."""
    acknowledged = senders.acknowledged
    wait_for(lambda: acknowledged <= held(made.tier).keys(), "acknowledged events are not in the tier")
    made.stop()
    return check(held(made.tier), senders)


def wait_for(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("durable", ["log", "tier"])
def test_killed_at_random_moments(durable: str, tier: TierStore, tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)  # noqa: S311
    draw = random.Random(seed)  # noqa: S311
    with restarted(tier, tmp_path / "log", "--hec-durable", durable) as made:
        senders = Senders.of(made.target, senders=SENDERS, events=EVENTS, size=EVENTS // 250)
        with senders:
            for count, delay in kill_points(EVENTS, KILLS, draw):
                senders.wait_for(count, WAIT_SECONDS)
                threading.Event().wait(delay)
                made.kill()
                made.start()
            senders.wait(WAIT_SECONDS)
        print(f"seed {seed}: {settle(made, senders)}")  # noqa: T201 - the figures of the run, shown by -s
    assert senders.count == EVENTS
    assert set(senders.refused) <= {429, 503}


@pytest.mark.slow
def test_killed_while_it_writes_to_the_tier(tier: TierStore, tmp_path: Path) -> None:
    """What was acknowledged before a kill, and nothing was sent after it, is there once: by the log alone."""
    with restarted(tier, tmp_path / "log") as made:
        senders = Senders.of(made.target, senders=SENDERS, events=800, size=20)
        with senders:
            senders.wait(WAIT_SECONDS)
        for delay in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4):
            made.service.process.terminate()  # begins the commit
            threading.Event().wait(delay)
            made.kill()
            made.start()
        found = settle(made, senders)
    assert not senders.unanswered
    assert found == {"events": 800, "doubled": 0, "repeated": 0}


@pytest.mark.slow
def test_a_disk_that_is_full_for_a_while(tier: TierStore, tmp_path: Path) -> None:
    """No file may grow beyond some bytes: the log's writes fail in the middle, and later the tier's files too."""
    with restarted(tier, tmp_path / "log") as made:
        senders = Senders.of(made.target, senders=SENDERS, events=8_000, size=20)
        pid, unlimited = made.service.process.pid, resource.RLIM_INFINITY
        with senders:
            senders.wait_for(800, WAIT_SECONDS)
            for limit in (20_000, 100):
                before = senders.refused.total()
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, unlimited))
                senders.wait_for_refusals(before + 8, WAIT_SECONDS)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
                senders.wait_for(min(8_000, senders.count + 800), WAIT_SECONDS)
            senders.wait(WAIT_SECONDS)
        assert made.service.process.poll() is None
        found = settle(made, senders)
    assert set(senders.refused) <= {429, 503}
    assert not senders.unanswered
    assert found == {"events": 8_000, "doubled": 0, "repeated": 0}


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_a_tier_that_is_gone_for_a_while(s3: S3, fault_proxy: FaultProxy, tmp_path: Path, *, killed: bool) -> None:
    """The log takes what comes; when the tier is back, all of it goes there, even if the service was killed since."""
    tier = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    flags = ("--endpoint-url", fault_proxy.endpoint_url)
    with restarted(tier, tmp_path / "log", *flags) as made:
        senders = Senders.of(made.target, senders=SENDERS, events=2_000, size=5, pause=0.05)
        with senders:
            senders.wait_for(500, WAIT_SECONDS)
            away = fault_proxy.add(Fault("*", method="*", reset=True, count=-1))
            threading.Event().wait(60 if THOROUGH else 3)
            if killed:
                made.kill()
            away.count = 0
            if killed:
                made.start()
            senders.wait(WAIT_SECONDS)
        found = settle(made, senders)
    assert set(senders.refused) <= {429, 503}
    assert (found["events"], found["doubled"] <= found["repeated"]) == (2_000, True)
    assert killed or not senders.unanswered
