"""Many calls at once: none is lost, and memory stays in its bounds."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlencode

import pytest

from benchmarks.make_tier import make_tier
from benchmarks.measuring import resident_bytes, sampled_memory
from tests.conftest import THOROUGH
from tests.service.conftest import LiveService, serving
from tests.service.processes import children_of
from transforms.storage import StorageOptions, open_tier

INGESTS = 200
SEARCHES = 50
EVENTS = 2_000_000 if THOROUGH else 70_000
LIMIT_SECONDS = 10
ENOUGH = 2_048
"""MiB for the server and two workers."""
REFUSED = (429, 503, 504)
"""What a call may be answered because there are too many: the client tries again."""
SEARCHES_ASKED: tuple[tuple[str, dict[str, str]], ...] = (
    ("/search", {"query": "status=503", "limit": "50"}),
    ("/search", {"query": "timeout"}),
    ("/histogram", {"query": "status=503", "facets": "host,service,level,uri_path", "by": "status"}),
    ("/histogram", {"query": "timeout", "facets": "host,service"}),
    ("/facets", {"fields": "host,status,service,trace_id"}),
    ("/patterns", {"query": "level=error"}),
    ("/fields", {}),
)


@dataclass
class Answers:
    """What was answered: status and seconds of each call."""

    calls: list[tuple[int, float]] = field(default_factory=list)

    def ask(self, service: LiveService, method: str, path: str, document: object = None) -> Any:
        """Ask until it is answered, as a client does."""
        while True:
            began = time.monotonic()
            status, answer, headers = service.ask(method, path, document)
            self.calls.append((status, time.monotonic() - began))
            if status not in REFUSED:
                assert status == 200, answer
                return answer
            Event().wait(float(headers.get("retry-after", 1)))


def resident_mib(service: LiveService) -> float:
    """Return the memory of a service and its workers in MiB."""
    pids = [service.process.pid, *children_of(service.process.pid)]
    return sum(map(resident_bytes, pids)) / 2**20


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_ingests_and_searches_at_once(tmp_path: Path) -> None:
    source, tier = tmp_path / "source", tmp_path / "hot"
    source.mkdir()
    (source / "a.log").write_text("2025-08-12 10:00:00 hello\n" * 100)
    make_tier(open_tier(str(tier), StorageOptions()), EVENTS)
    answers = Answers()
    flags = ("--allow-dir", source, "--job-workers", "2", "--memory", f"{ENOUGH}MiB")
    with serving(tier, *flags) as service, ThreadPoolExecutor(INGESTS + SEARCHES) as clients:
        with sampled_memory(lambda: resident_mib(service)) as peak:
            job = {"bucket": f"file://{source}", "onChanged": "append"}
            ingests = [clients.submit(answers.ask, service, "POST", "/ingest", job) for _ in range(INGESTS)]
            searches = [
                clients.submit(answers.ask, service, "GET", f"{path}?{urlencode(parameters)}")
                for path, parameters in (SEARCHES_ASKED[number % len(SEARCHES_ASKED)] for number in range(SEARCHES))
            ]
            ids = {one.result()["taskId"] for one in ingests}
            assert all(one.result()["version"] for one in searches)
        listed = {row["taskId"]: row["status"] for row in service.ask("GET", "/jobs?limit=1000")[1]["jobs"]}
        assert len(ids) == INGESTS
        assert ids <= listed.keys()
        assert set(listed.values()) <= {"Pending", "Running", "Succeeded"}
        assert peak[0] < ENOUGH
        if THOROUGH:
            assert max(seconds for status, seconds in answers.calls if status == 200) < LIMIT_SECONDS
            assert {service.wait_for(task_id)["status"] for task_id in ids} == {"Succeeded"}
