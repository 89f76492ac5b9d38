"""How a pipeline is run, and how its errors come back."""

from __future__ import annotations

import socket
import threading
from typing import ClassVar

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult, PipelineRunner, PipelineState

from pipelines.runner import engine as running
from pipelines.runner.engine import Engine
from transforms.core.errors import AccessError, CanceledError, ConfigurationError, RekindleError


def _refuse(value: int) -> int:
    raise AccessError(f"s3://b/{value}: not for you")


def _break(value: int) -> int:
    return 1 // value


def test_local_by_default_with_a_worker_a_core() -> None:
    engine = Engine([])
    assert engine.is_local
    assert engine.workers >= 1
    assert Engine(["--direct_num_workers=3"]).workers == 3


def test_a_clusters_parallelism() -> None:
    engine = Engine(
        ["--runner=PortableRunner", "--job_endpoint=embed", "--parallelism=6", "--some_flag_of_the_job_server=1"]
    )
    assert not engine.is_local
    assert engine.workers == 6


def test_a_runner_that_is_none() -> None:
    with pytest.raises(ConfigurationError, match="--runner=Nope"):
        Engine(["--runner=Nope"])


def test_a_job_server_that_does_not_answer() -> None:
    with pytest.raises(AccessError, match="--job_endpoint=127.0.0.1:9"):
        Engine(["--runner=PortableRunner", "--job_endpoint=127.0.0.1:9"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--runner=PortableRunner"], "add --job_endpoint=HOST:PORT"),
        (["--runner=PortableRunner", "--job_endpoint=localhost"], "--job_endpoint=localhost .*: it has no port"),
        (
            ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=WRONG"],
            "it must be one of DOCKER, PROCESS",
        ),
        (["--parallelism=x"], "argument --parallelism: invalid int value: 'x'$"),
    ],
)
def test_flags_by_which_no_cluster_is_reached(
    flags: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Engine(flags)
    assert capfd.readouterr().err == ""


def test_flags_that_beam_does_not_have() -> None:
    with pytest.raises(ConfigurationError, match="--direct_num_wrokers"):
        Engine(["--direct_num_wrokers=3"])


def test_errors_of_workers_keep_their_class_and_text() -> None:
    with pytest.raises(AccessError, match=r"^s3://b/7: not for you$"):
        Engine([]).run(lambda pipeline: pipeline | beam.Create([7]) | beam.Map(_refuse), name="test")


def test_other_errors_are_told_too() -> None:
    with pytest.raises(RekindleError, match="division|integer"):
        Engine([]).run(lambda pipeline: pipeline | beam.Create([0]) | beam.Map(_break), name="test")


class UnsteadyCluster(PipelineRunner):
    """A runner that is no local one, and loses its workers some times before it runs a pipeline."""

    failures: ClassVar[list[Exception]] = []
    runs: ClassVar[list[str]] = []

    def run_pipeline(self, pipeline: beam.Pipeline, options: PipelineOptions) -> PipelineResult:
        self.runs.append(options.view_as(GoogleCloudOptions).job_name)
        return _Unsteady(self.failures.pop(0)) if self.failures else FnApiRunner().run_pipeline(pipeline, options)


class _Unsteady(PipelineResult):
    def __init__(self, error: Exception) -> None:
        super().__init__(PipelineState.FAILED)
        self.error = error

    def wait_until_finish(self, duration: int | None = None) -> str:
        raise self.error


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> type[UnsteadyCluster]:
    monkeypatch.setattr(running, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(running, "create_runner", lambda _: UnsteadyCluster())
    UnsteadyCluster.failures, UnsteadyCluster.runs = [], []
    return UnsteadyCluster


def test_a_cluster_that_loses_workers_gets_the_pipeline_again(cluster: type[UnsteadyCluster]) -> None:
    cluster.failures = [RuntimeError("a task manager was lost"), RuntimeError("and another")]
    messages: list[str] = []
    Engine(["--runner=UnsteadyCluster"], message=messages.append).run(
        lambda pipeline: pipeline | beam.Create([1]), name="rekindle-x"
    )
    assert cluster.runs == ["rekindle-x"] * 3
    assert [line.rpartition(": ")[2] for line in messages] == ["a task manager was lost", "and another"]


def test_a_cluster_that_never_comes_back(cluster: type[UnsteadyCluster]) -> None:
    cluster.failures = [RuntimeError("no slots")] * 3
    with pytest.raises(RekindleError, match="no slots"):
        Engine(["--runner=UnsteadyCluster"]).run(lambda pipeline: pipeline | beam.Create([1]), name="rekindle-x")
    assert len(cluster.runs) == 3


def test_a_job_server_that_comes_back(cluster: type[UnsteadyCluster], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_PAUSE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        engine = Engine(["--runner=UnsteadyCluster", f"--job_endpoint=127.0.0.1:{port}"])
    back: list[socket.socket] = []

    def message(text: str) -> None:
        if len(messages) == 1:
            back.append(socket.create_server(("127.0.0.1", port)))
        messages.append(text)

    messages: list[str] = []
    engine._message = message
    engine.run(lambda pipeline: pipeline | beam.Create([1]), name="rekindle-x")
    back[0].close()
    assert len(messages) == 2
    assert all("no job server answers" in line for line in messages)
    assert cluster.runs == ["rekindle-x"]


def test_a_cancel_does_not_wait_for_another_try(
    cluster: type[UnsteadyCluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_PAUSE_SECONDS", 1e6)
    cluster.failures = [RuntimeError("no slots")]
    canceled = threading.Event()
    with pytest.raises(CanceledError):
        Engine(["--runner=UnsteadyCluster"], canceled=canceled, message=lambda _: canceled.set()).run(
            lambda pipeline: pipeline | beam.Create([1]), name="rekindle-x"
        )


def test_an_error_of_the_products_own_is_not_tried_again(cluster: type[UnsteadyCluster]) -> None:
    cluster.failures = [
        RuntimeError(
            f"Traceback …\n{AccessError.__module__}.AccessError: "
            "s3://b/k: not for you [while running 'Read']\n\tat java"
        )
    ]
    with pytest.raises(AccessError, match="^s3://b/k: not for you$"):
        Engine(["--runner=UnsteadyCluster"]).run(lambda pipeline: pipeline | beam.Create([1]), name="rekindle-x")
    assert len(cluster.runs) == 1


def test_a_canceled_pipeline_is_not_tried_again(cluster: type[UnsteadyCluster]) -> None:
    cluster.failures = [RuntimeError("CANCELLED")]
    canceled = threading.Event()
    canceled.set()
    with pytest.raises(CanceledError):
        Engine(["--runner=UnsteadyCluster"], canceled=canceled).run(
            lambda pipeline: pipeline | beam.Create([1]), name="rekindle-x"
        )
    assert len(cluster.runs) == 1


def test_a_name_of_the_users_own_comes_first(cluster: type[UnsteadyCluster]) -> None:
    Engine(["--runner=UnsteadyCluster", "--job_name=nightly"]).run(
        lambda pipeline: pipeline | beam.Create([1]), name="rekindle-x"
    )
    assert cluster.runs == ["nightly-rekindle-x"]


def test_listing_is_not_worth_a_cluster(cluster: type[UnsteadyCluster]) -> None:
    Engine(["--runner=UnsteadyCluster"]).at_launcher().run(
        lambda pipeline: pipeline | beam.Create([1]), name="rekindle-x"
    )
    assert cluster.runs == []


@pytest.mark.parametrize(
    ("flags", "warning"),
    [
        (["--enviroment_type=LOOPBACK"], "was --environment_type meant"),
        ([], "lacks Rekindle"),
        (["--environment_type=DOCKER"], "lacks Rekindle"),
        (["--environment_type=DOCKER", "--environment_config=registry/rekindle"], None),
        (["--environment_type=EXTERNAL", "--environment_config=localhost:50000", "--parallelism=2"], None),
        (["--setup_file=./setup.py"], None),
    ],
)
def test_flags_of_clusters_that_are_doubtful(flags: list[str], warning: str | None) -> None:
    messages: list[str] = []
    Engine(["--runner=PortableRunner", "--job_endpoint=embed", *flags], message=messages.append)
    assert all(line.startswith("Warning: ") for line in messages)
    assert any(warning in line for line in messages) if warning else not messages
