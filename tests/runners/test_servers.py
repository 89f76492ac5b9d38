"""The job servers that the other tests use come up, run a pipeline with its Python code where it should.

And go away.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from tests.runners.processes import Server
from tests.runners.servers import WorkerPool

pytestmark = [pytest.mark.runner, pytest.mark.slow]


def run(flags: list[str], folder: Path) -> set[int]:
    """Group words by their lengths, check the result, and return the ids of the processes that did it."""

    def note(element: tuple[int, Iterable[str]]) -> None:
        length, words = element
        (folder / f"{length} {' '.join(sorted(words))} {os.getpid()}").touch()

    with beam.Pipeline(options=PipelineOptions(flags)) as pipeline:
        _ = (
            pipeline
            | beam.Create(["a", "b", "cc", "ddd", "eee"])
            | beam.WithKeys(len).with_output_types(tuple[int, str])
            | beam.GroupByKey()
            | beam.Map(note)
        )
    names = [path.name.rsplit(" ", 1) for path in folder.iterdir()]
    assert sorted({name for name, _ in names}) == ["1 a b", "2 cc", "3 ddd eee"]
    return {int(pid) for _, pid in names}


@pytest.mark.parametrize("name", ["flink", "spark", "prism"])
def test_a_job_server_runs_a_pipeline(
    name: str, request: pytest.FixtureRequest, worker_pool: WorkerPool, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(name)
    for folder in ("here", "elsewhere"):
        (tmp_path / folder).mkdir()
    assert run(server.beam_flags, tmp_path / "here") == {os.getpid()}
    assert os.getpid() not in run([*server.beam_flags, *worker_pool.beam_flags], tmp_path / "elsewhere")
