"""What dies in the middle of a job on a cluster costs time, and nothing else."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import S3
from tests.fault_proxy import Fault, FaultProxy
from tests.pipelines.conftest import start_rekindle
from tests.runners.flink_cluster import FlinkCluster
from tests.runners.servers import WorkerPool
from tests.runners.story import Story, wait
from transforms.job_folder import list_jobs
from transforms.storage import open_tier

pytestmark = [pytest.mark.runner, pytest.mark.slow]
SECONDS = 120.0


@pytest.fixture
def story(s3: S3, fault_proxy: FaultProxy, tmp_path: Path) -> Story:
    made = Story(s3.bucket, s3.client, replace(s3.options, endpoint_url=fault_proxy.endpoint_url), tmp_path / "logs", wave_bytes="400K")
    made.write_logs(mib=2, objects=12)
    made.run("backfill", "direct")
    return made


@pytest.fixture
def flags(flink_cluster: FlinkCluster, worker_pool: WorkerPool) -> list[str]:
    return [*flink_cluster.beam_flags, *worker_pool.beam_flags]


def middle(proxy: FaultProxy, published: str) -> threading.Event:
    """Return what is set when a wave is being read, and the one before it is published: a tier's ledger has it."""
    event = threading.Event()

    def read_on() -> None:
        proxy.add(Fault("*", named=lambda key: key.startswith("logs/"), before=event.set))

    proxy.add(Fault("*", method="PUT", named=lambda key: key.startswith(f"tiers/{published}/_rekindle/ledger/"), after=read_on))
    return event


def test_a_task_manager_killed_in_the_middle(story: Story, fault_proxy: FaultProxy, flink_cluster: FlinkCluster, flags: list[str]) -> None:
    reading = middle(fault_proxy, "flink")
    job = story.start("backfill", "flink", flags)
    assert reading.wait(SECONDS)
    flink_cluster.kill_task_manager()
    flink_cluster.start_task_manager()
    ended = wait(job)
    assert ended.code == 0, ended.err
    assert story.fingerprint("flink") == story.fingerprint("direct")


def test_the_launcher_killed_while_the_cluster_goes_on(story: Story, fault_proxy: FaultProxy, flags: list[str]) -> None:
    reading = middle(fault_proxy, "flink")
    job = story.start("backfill", "flink", flags)
    assert reading.wait(SECONDS)
    job.kill()
    job.communicate()
    tier = open_tier(f"s3://{story.bucket}/tiers/flink", story.options)
    (one,) = list_jobs(tier)
    where = ("--hot-tier", tier.uri, "--endpoint-url", fault_proxy.endpoint_url, "--json")
    ended = wait(start_rekindle("jobs", "resume", one.task_id, *where, "--", *flags))
    assert ended.code == 0, ended.err
    assert ended.json["objects"]["ingested"] == 12
    assert story.fingerprint("flink") == story.fingerprint("direct")
    again = story.run("backfill", "flink", flags)
    assert (again["objects"]["known"], again["events"]) == (12, 0)
