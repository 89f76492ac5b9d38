"""How the tests get what pip does not install: built once, whoever asks, and a reason where it can't be had."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import pytest

from tests.runners import tools
from tests.runners.conftest import started
from tests.runners.processes import Server, ServerProcess


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "rekindle"


def build(folder: Path) -> None:
    assert list(folder.iterdir()) == []
    (folder / "tool").touch()
    with (folder.parent / "built").open("a") as file:
        file.write("x")


def is_whole(folder: Path) -> bool:
    return (folder / "tool").exists()


def times_built(cache: Path) -> int:
    return len((cache / "built").read_text())


def ask(_: object = None) -> str:
    return str(tools.kept("tool-1", build, is_whole))


def test_a_tool_is_built_once(cache: Path) -> None:
    assert ask() == ask() == str(cache / "tool-1")
    assert times_built(cache) == 1


def test_of_several_processes_one_builds(cache: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert set(pool.map(ask, range(8), chunksize=1)) == {str(cache / "tool-1")}
    assert times_built(cache) == 1


@pytest.mark.parametrize("lost", [".done", "tool"])
def test_what_was_not_finished_or_has_been_damaged_is_built_again(lost: str, cache: Path) -> None:
    (Path(ask()) / lost).unlink()
    ask()
    assert times_built(cache) == 2
    assert is_whole(cache / "tool-1")


def test_a_build_that_fails_leaves_nothing_that_counts_as_finished(cache: Path) -> None:
    with pytest.raises(tools.ToolMissing, match=r"(?s)-c .* failed: one\ntwo"):
        tools.kept(
            "tool-1", lambda folder: tools.run(sys.executable, "-c", "print('one', flush=True); exit('two')"), is_whole
        )
    ask()
    assert times_built(cache) == 1


class Absent(Server):
    """A server whose tool is missing."""

    beam_flags: list[str] = []

    def start(self) -> None:
        tools.program("a-program-that-nobody-has")


def test_without_the_tool_a_test_is_skipped_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tools.REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="a-program-that-nobody-has is not on PATH"), started(Absent()):
        pass


def test_where_it_is_required_that_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tools.REQUIRED, "required")
    with pytest.raises(tools.ToolMissing), started(Absent()):
        pass


def test_a_server_that_does_not_come_up_shows_the_end_of_its_log(tmp_path: Path) -> None:
    server = ServerProcess([sys.executable, "-c", "exit('no luck')"], tmp_path / "log")
    with pytest.raises(RuntimeError, match=r"(?s)the server ended; .*no luck.*ended with code 1"):
        server.await_answer(lambda: False, 60)


def test_a_server_ends_with_its_children(tmp_path: Path) -> None:
    child = "import time; print('up', flush=True); time.sleep(600)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    server = ServerProcess([sys.executable, "-c", parent], tmp_path / "log")
    server.await_answer(lambda: server.tail() == "up", 60)
    assert len(server.members()) == 2
    server.stop()
    assert server.is_over
    assert server.members() == {}
