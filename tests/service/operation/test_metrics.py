"""`/metrics`: who may read it, what it counts, and that no client chooses a label."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipelines.console import Progress
from pipelines.jobs.report import ObjectCounts
from service.operation.metrics import Metrics
from service.workers import counting
from service.workers.counting import CountingConsole, WorkCount
from tests.service.conftest import Api, make_api
from tests.service.hec.conftest import receiving
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.core.errors import TierError
from transforms.storage import StorageOptions, open_tier
from transforms.storage.job_folder import STATUS_FILE, JobFolder


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return the values of an answer, by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_not_by_address(api: Api) -> None:
    token = api.key("admin")
    for path in ("/jobs/rk_secret", "/jobs/other", "/none/rk_secret", "/keys?token=rk_secret"):
        api.ask("GET", path, token=token)
    api.ask("SECRET", "/jobs", token=token)
    answer = api.ask("GET", "/metrics", token=token)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = samples(answer.text)
    name = "rekindle_http_requests_total"
    assert found[name, (("method", "GET"), ("route", "/jobs/{task_id}"), ("status", "404"))] == 2
    assert found[name, (("method", "GET"), ("route", "-"), ("status", "404"))] == 1
    assert found[name, (("method", "GET"), ("route", "/keys"), ("status", "200"))] == 1
    assert found[name, (("method", "other"), ("route", "/jobs"), ("status", "400"))] == 1
    assert "secret" not in answer.text.lower()


@pytest.mark.parametrize(("settings", "status"), [({}, 401), ({"open_metrics": True}, 200)], ids=["closed", "open"])
def test_who_may_read_them(tmp_path: Path, settings: dict[str, Any], status: int) -> None:
    api = make_api(tmp_path, **settings)
    reader = api.key("read")
    assert api.ask("GET", "/metrics").status_code == status
    assert api.ask("GET", "/metrics", token=reader).status_code == 200


def test_what_the_tier_knows(tmp_path: Path) -> None:
    Tier(open_tier(str(tmp_path / "hot"), StorageOptions())).add([event("2025-01-01T00:00:00", "m")])
    api = make_api(tmp_path)
    task_id = api.ask("POST", "/ingest", json={"bucket": f"file://{tmp_path}/source"}).json()["taskId"]
    assert api.ask("GET", "/search").status_code == 200
    assert api.ask("GET", "/search?query=(").status_code == 400
    found = samples(api.ask("GET", "/metrics").text)
    assert found["rekindle_tier_reachable", ()] == 1
    assert found["rekindle_jobs", (("status", "Pending"),)] == 1
    assert found["rekindle_jobs", (("status", "Running"),)] == 0
    assert 0 < found["rekindle_queue_lag_seconds", ()] < 3600
    assert found["rekindle_table_events", (("tier", "hot"),)] == 1
    assert found["rekindle_table_files", (("tier", "cold"),)] == 0
    assert found["rekindle_table_bytes", (("tier", "hot"),)] > 0
    assert found["rekindle_newest_event_timestamp_seconds", ()] == 1735689600
    assert found["rekindle_queries_total", (("outcome", "done"),)] == 1
    assert task_id not in api.ask("GET", "/metrics").text


def test_what_hec_takes(tmp_path: Path) -> None:
    with receiving(tmp_path, open_metrics=True) as hec:
        hec.post(content='{"event": "a"}{"event": "b"}')
        hec.post(content="{")
        hec.api.ask("GET", "/services/collector/health")
        found = samples(hec.api.ask("GET", "/metrics").text)
        assert found["rekindle_hec_answers_total", (("code", "0"),)] == 1
        assert found["rekindle_hec_answers_total", (("code", "6"),)] == 1
        assert found["rekindle_hec_events_total", ()] == 2
        assert found["rekindle_hec_log_bytes", ()] == hec.wal.size > 0
        assert 0 < found["rekindle_hec_log_fill", ()] < 1
        assert found["rekindle_hec_commit_failing", ()] == 0
        hec.committer.failure = "gone"
        assert samples(hec.api.ask("GET", "/metrics").text)["rekindle_hec_commit_failing", ()] == 1


def test_a_service_that_hec_was_never_sent_to(tmp_path: Path) -> None:
    found = samples(make_api(tmp_path, open_metrics=True).ask("GET", "/metrics").text)
    assert found["rekindle_hec_log_bytes", ()] == found["rekindle_hec_log_fill", ()] == 0
    assert not (tmp_path / "hot" / "_rekindle").exists()


def test_how_watches_stand(tmp_path: Path) -> None:
    api = make_api(tmp_path, open_metrics=True)
    job = {"bucket": f"file://{tmp_path}/source"}
    stands = [
        {"lagSeconds": 3.5, "waiting": 2, "queued": None, "lastError": None, "lastHour": {"objects": 4, "failed": 1}},
        {"lagSeconds": 7.0, "waiting": 1, "queued": 10, "lastError": "gone", "lastHour": {"objects": 5, "events": 6}},
        {"lagSeconds": None, "waiting": 0, "queued": 5, "lastError": None},
    ]
    for stand in stands:
        task_id = api.ask("POST", "/ingest", json=job | {"watch": {"every": "1h"}}).json()["taskId"]
        folder = JobFolder(api.service.tier, task_id)
        status = {**(folder.read_json(STATUS_FILE) or {}), "status": "Running", "watch": stand}
        folder.write_json(STATUS_FILE, status)
    assert api.ask("POST", "/ingest", json=job).status_code == 200
    found = samples(api.ask("GET", "/metrics").text)
    watches = {name[0].removeprefix("rekindle_"): value for name, value in found.items() if "watch" in name[0]}
    assert watches == {
        "watches": 3,
        "watches_failing": 1,
        "watch_lag_seconds": 7.0,
        "watch_waiting_objects": 3,
        "watch_queued_messages": 15,
        "watch_last_hour_objects": 9,
        "watch_last_hour_events": 6,
        "watch_last_hour_failed": 1,
    }


def test_a_tier_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = make_api(tmp_path, open_metrics=True)

    def fail(prefix: str) -> None:
        raise TierError(f"gone: {prefix}")

    monkeypatch.setattr(api.service.tier, "list", fail)
    answer = api.ask("GET", "/metrics")
    assert answer.status_code == 200
    assert samples(answer.text)["rekindle_tier_reachable", ()] == 0


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[WorkCount]:
    """What a worker has told its service."""
    counts: list[WorkCount] = []
    monkeypatch.setattr(counting, "print_count", counts.append)
    return counts


@pytest.mark.parametrize(("is_new", "events"), [(True, [10, 15, 0, 5, 70, 0]), (False, [15, 0, 5, 70, 0])])
def test_what_a_worker_tells(told: list[WorkCount], *, is_new: bool, events: list[int]) -> None:
    console = CountingConsole("task", is_new=is_new)
    for number in (10, 25, 20, 30):  # a wave that failed is read again
        console.progress(Progress(objects=number // 10, bytes_read=number, events=number))
    console.ended(
        SimpleNamespace(
            status="Succeeded",
            objects=ObjectCounts(ingested=6, failed=1),
            bytes_read=100,
            records_in=100,
        )  # type: ignore[arg-type]
    )
    assert [count.events for count in told if count.events or count.ended] == [one for one in events if one] + [0]
    assert (told[-1].ended, told[-1].objects_broken) == ("Succeeded", 1 if is_new else 0)
    metrics = Metrics()
    for count in told:
        count.add_to(metrics)
    value = metrics.registry.get_sample_value
    assert value("rekindle_job_events_total") == sum(events)
    assert value("rekindle_job_objects_total") == (7 if is_new else 6)
    assert value("rekindle_jobs_ended_total", {"status": "Succeeded"}) == 1


def test_a_service_that_is_gone_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: bytes) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=SimpleNamespace(write=fail, flush=lambda: None)))
    CountingConsole("task", is_new=True).progress(Progress(objects=1))


def test_a_count_is_a_line_of_json(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    CountingConsole("task", is_new=True).progress(Progress(events=3))
    assert WorkCount.model_validate_json(capfdbinary.readouterr().out) == WorkCount(events=3)
