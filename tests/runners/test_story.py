"""Whatever runs a job and each kind of maintenance: the table and the ledger are the same (docs/clusters.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import S3, THOROUGH
from tests.runners.processes import Server
from tests.runners.servers import WorkerPool
from tests.runners.story import STEPS, WIDE, Story

pytestmark = [pytest.mark.runner, pytest.mark.slow]


@pytest.fixture
def story(s3: S3, tmp_path: Path) -> Story:
    made = Story(s3.bucket, s3.client, s3.options, tmp_path / "logs", wave_bytes="300K")
    made.write_logs(mib=2, objects=12)
    return made


@pytest.mark.parametrize("name", ["flink", "spark", *(["prism"] if THOROUGH else [])])
def test_every_runner_makes_the_same_of_it(
    name: str, story: Story, worker_pool: WorkerPool, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(name)
    flags = [*server.beam_flags, *worker_pool.beam_flags]
    for step in STEPS:
        if step == "backfill again":
            assert story.change_logs() == 4
        expected = story.run(step, "direct")
        report = story.run(step, name, flags)
        assert story.fingerprint(name) == story.fingerprint("direct"), step
        counts = ("objects", "events", "recordsIn", "bytesRead", "held")
        assert {one: report.get(one) for one in counts} == {one: expected.get(one) for one in counts}
        assert report["events"], step
    assert report["columnsAdded"] == [WIDE[-1]]
    assert report["filesRewritten"], "it was in a map"
