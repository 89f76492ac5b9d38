"""How a pipeline is run, and how its errors come back."""

from __future__ import annotations

import apache_beam as beam
import pytest

from pipelines.running import Engine
from transforms.errors import AccessError, ConfigurationError, RekindleError


def _refuse(value: int) -> int:
    raise AccessError(f"s3://b/{value}: not for you")


def _break(value: int) -> int:
    return 1 // value


def test_local_by_default_with_a_worker_a_core() -> None:
    engine = Engine([])
    assert engine.is_local
    assert engine.workers >= 1
    assert Engine(["--direct_num_workers=3"]).workers == 3


def test_clusters_say_their_parallelism() -> None:
    engine = Engine(["--runner=PortableRunner", "--job_endpoint=embed", "--parallelism=6", "--some_flag_of_the_job_server=1"])
    assert not engine.is_local
    assert engine.workers == 6


def test_a_runner_that_is_none() -> None:
    with pytest.raises(ConfigurationError, match="--runner=Nope"):
        Engine(["--runner=Nope"])


def test_a_job_server_that_does_not_answer() -> None:
    with pytest.raises(AccessError, match="--job_endpoint=127.0.0.1:9"):
        Engine(["--runner=PortableRunner", "--job_endpoint=127.0.0.1:9"])


def test_flags_that_beam_does_not_have() -> None:
    with pytest.raises(ConfigurationError, match="--direct_num_wrokers"):
        Engine(["--direct_num_wrokers=3"])


def test_errors_of_workers_keep_their_class_and_words() -> None:
    with pytest.raises(AccessError, match=r"^s3://b/7: not for you$"):
        Engine([]).run(lambda pipeline: pipeline | beam.Create([7]) | beam.Map(_refuse))


def test_other_errors_are_told_too() -> None:
    with pytest.raises(RekindleError, match="division|integer"):
        Engine([]).run(lambda pipeline: pipeline | beam.Create([0]) | beam.Map(_break))
