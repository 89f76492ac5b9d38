"""Worker processes: they run what threads run, once a job and not once a pipeline, and their death is no end."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest

from pipelines.runner.cores import usable_cores
from pipelines.runner.engine import Engine
from transforms.core.errors import AccessError, CanceledError, RekindleError

PROCESSES = "--direct_running_mode=multi_processing"


def note(value: int, folder: str) -> int:
    """Write down which process an element is in, and what that and its parent listen to."""
    listened = listening(os.getpid()) | listening(os.getppid())
    (Path(folder) / str(value)).write_text(f"{os.getpid()} {sorted(listened)}")
    return value


def die_once(value: int, folder: str) -> int:
    try:
        (Path(folder) / "died").touch(exist_ok=False)
    except FileExistsError:
        return note(value, folder)
    os.kill(os.getpid(), signal.SIGKILL)
    return value


def die(value: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return value


def refuse(value: int) -> int:
    raise AccessError(f"s3://b/{value}: not for you")


def listening(pid: int) -> set[str]:
    """Return the TCP addresses that a process listens at."""
    sockets = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()
    ]
    return {line[1] for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in sockets}


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(scope="module")
def two() -> Iterator[Engine]:
    """An engine with two processes of a worker each."""
    engine = Engine([PROCESSES], workers=2)
    with engine.worker_processes(0):
        yield engine


def run_notes(engine: Engine, folder: Path, numbers: range) -> set[int]:
    """Run a pipeline over some numbers, and return the processes that it ran in."""
    engine.run(
        lambda pipeline: pipeline | beam.Create(list(numbers)) | beam.Reshuffle() | beam.Map(note, str(folder)),
        name="test",
    )
    texts = [(folder / str(number)).read_text() for number in numbers]
    assert all(text.endswith(" []") for text in texts), "Beam's ports are open to everybody"
    return {int(text.split()[0]) for text in texts}


def test_pipelines_share_the_processes_of_a_job(two: Engine, tmp_path: Path) -> None:
    first, second = run_notes(two, tmp_path, range(20)), run_notes(two, tmp_path, range(20, 40))
    assert len(first) == 2
    assert first == second
    assert os.getpid() not in first


def test_errors_keep_their_class_and_text(two: Engine) -> None:
    with pytest.raises(AccessError, match=r"^s3://b/7: not for you$"):
        two.run(lambda pipeline: pipeline | beam.Create([7]) | beam.Map(refuse), name="test")


def test_discovery_stays_in_the_launcher(two: Engine, tmp_path: Path) -> None:
    two.at_launcher().run(lambda pipeline: pipeline | beam.Create([1]) | beam.Map(note, str(tmp_path)), name="test")
    assert int((tmp_path / "1").read_text().split()[0]) == os.getpid()


def test_a_killed_process_is_replaced_and_the_pipeline_run_again(tmp_path: Path) -> None:
    messages: list[str] = []
    engine = Engine([PROCESSES], workers=1, message=messages.append)
    with engine.worker_processes(0):
        engine.run(
            lambda pipeline: pipeline | beam.Create([1, 2]) | beam.Map(die_once, str(tmp_path)), name="rekindle-x"
        )
        pids = {int((tmp_path / name).read_text().split()[0]) for name in "12"}
        assert len(pids) == 1
        assert all(map(is_alive, pids))
    assert not any(map(is_alive, pids))
    assert [re.sub(r"\d\d+", "N", line) for line in messages] == [
        "The runner failed; pipeline rekindle-x is run again: worker process N was killed by signal 9"
    ]


@pytest.mark.slow
def test_processes_that_die_again_and_again() -> None:
    engine = Engine([PROCESSES], workers=1)
    with engine.worker_processes(0), pytest.raises(RekindleError, match=r"worker process \d+ was killed by signal 9"):
        engine.run(lambda pipeline: pipeline | beam.Create([1]) | beam.Map(die), name="rekindle-x")


@pytest.mark.slow
def test_a_cancel_does_not_wait_for_another_try() -> None:
    engine = Engine([PROCESSES], workers=1)
    engine._message = lambda _: engine._canceled.set()
    with engine.worker_processes(0), pytest.raises(CanceledError):
        engine.run(lambda pipeline: pipeline | beam.Create([1]) | beam.Map(die), name="rekindle-x")


@pytest.mark.parametrize(
    ("flags", "workers", "gibibytes", "number"),
    [
        ([], 8, 100, 0),
        ([], 9, 100, 2),
        ([], 16, 100, 2),
        ([], 64, 100, 8),
        ([], 64, 0.375, 3),
        ([], 64, 0.2, 0),
        ([PROCESSES], 3, 0, 3),
        (["--direct_running_mode=multi_threading"], 64, 100, 0),
        (["--direct_num_workers=24"], None, 100, 3),
        (["--runner=PortableRunner", "--job_endpoint=embed", "--parallelism=64"], None, 100, 0),
    ],
)
def test_how_many_processes_pay(flags: list[str], workers: int | None, gibibytes: float, number: int) -> None:
    assert Engine(flags, workers=workers)._count_processes(int(gibibytes * 2**30)) == number


def test_workers_of_this_machine() -> None:
    assert Engine([], workers=5).workers == 5
    assert Engine([]).workers == Engine(["--direct_num_workers=0"]).workers == usable_cores()
    assert Engine(["--direct_num_workers=3"], workers=5).workers == 3
    messages: list[str] = []
    Engine(["--runner=PortableRunner", "--job_endpoint=embed"], workers=5, message=messages.append)
    assert any("--workers is for this machine" in line for line in messages)


@pytest.mark.parametrize(
    ("text", "cores"), [("max 100000", None), ("100000 100000", 1), ("50000 100000", 1), ("", None)]
)
def test_cores_of_a_container(tmp_path: Path, text: str, cores: int | None) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(text)
    assert usable_cores(quota) == (cores or usable_cores(tmp_path / "none"))
