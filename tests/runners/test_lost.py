"""What dies in the middle of a job on a cluster costs time, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.conftest import S3
from tests.fault_proxy import Fault, FaultProxy
from tests.pipelines.conftest import Ended, start_rekindle
from tests.runners.flink_cluster import FlinkCluster
from tests.runners.servers import Prism, WorkerPool
from tests.runners.story import Story, wait
from transforms.storage import open_tier
from transforms.storage.job_folder import list_jobs

pytestmark = [pytest.mark.runner, pytest.mark.slow]
SECONDS = 900.0


@pytest.fixture
def story(s3: S3, fault_proxy: FaultProxy, tmp_path: Path) -> Story:
    made = Story(
        s3.bucket,
        s3.client,
        replace(s3.options, endpoint_url=fault_proxy.endpoint_url),
        tmp_path / "logs",
        wave_bytes="400K",
    )
    made.write_logs(mib=2, objects=12)
    made.run("backfill", "direct")
    return made


def jobs(verb: str, story: Story, tier: str, flags: Sequence[str] = ()) -> Ended:
    """Run `rekindle jobs VERB` on the one job of a tier."""
    (one,) = list_jobs(open_tier(f"s3://{story.bucket}/tiers/{tier}", story.options))
    where = ("--hot-tier", one.tier.uri, "--endpoint-url", str(story.options.endpoint_url), "--json")
    return wait(start_rekindle("jobs", verb, one.task_id, *where, *(["--", *flags] if flags else ())))


@pytest.fixture
def flags(flink_cluster: FlinkCluster, worker_pool: WorkerPool) -> list[str]:
    return [*flink_cluster.beam_flags, *worker_pool.beam_flags]


@dataclass
class Middle:
    """The moment when a wave is being read, and the one before it is published."""

    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of(cls, proxy: FaultProxy, tier: str) -> Middle:
        """Look out for it: the reader waits there until it may go on."""
        middle = cls()

        def wait_here() -> None:
            middle.reached.set()
            middle.go_on.wait(SECONDS)

        def read_on() -> None:
            proxy.add(Fault("*", named=lambda key: key.startswith("logs/"), before=wait_here))

        proxy.add(
            Fault("*", method="PUT", named=lambda key: key.startswith(f"tiers/{tier}/_rekindle/ledger/"), after=read_on)
        )
        return middle


def test_a_task_manager_killed_in_the_middle(
    story: Story, fault_proxy: FaultProxy, flink_cluster: FlinkCluster, flags: list[str]
) -> None:
    middle = Middle.of(fault_proxy, "flink")
    job = story.start("backfill", "flink", flags)
    assert middle.reached.wait(SECONDS)
    flink_cluster.kill_task_manager()
    middle.go_on.set()
    flink_cluster.start_task_manager()
    ended = wait(job)
    assert ended.code == 0, ended.err
    assert story.fingerprint("flink") == story.fingerprint("direct")


def test_the_launcher_killed_while_the_cluster_goes_on(story: Story, fault_proxy: FaultProxy, flags: list[str]) -> None:
    middle = Middle.of(fault_proxy, "flink")
    job = story.start("backfill", "flink", flags)
    assert middle.reached.wait(SECONDS)
    job.kill()
    job.communicate()
    middle.go_on.set()
    ended = jobs("resume", story, "flink", flags)
    assert ended.code == 0, ended.err
    assert ended.json["objects"]["ingested"] == 13
    assert story.fingerprint("flink") == story.fingerprint("direct")
    again = story.run("backfill", "flink", flags)
    assert (again["objects"]["known"], again["events"]) == (13, 0)


def test_canceled_from_elsewhere_and_resumed_on_this_machine(
    story: Story, fault_proxy: FaultProxy, prism: Prism, worker_pool: WorkerPool
) -> None:
    middle = Middle.of(fault_proxy, "prism")
    job = story.start("backfill", "prism", [*prism.beam_flags, *worker_pool.beam_flags])
    assert middle.reached.wait(SECONDS)
    assert jobs("cancel", story, "prism").code == 0
    middle.go_on.set()
    ended = wait(job)
    assert ended.code == 130, ended.err
    assert (ended.json["status"], ended.json["waves"]) == ("Canceled", 1)
    assert "Traceback" not in ended.err
    resumed = jobs("resume", story, "prism", ["--runner=DirectRunner"])
    assert resumed.code == 0, resumed.err
    assert story.fingerprint("prism") == story.fingerprint("direct")
