"""`run_local.sh` and `scripts/install.sh`: by stand-ins of Python and pip, and once as a whole."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.documents import README, ROOT, TOUR, compare_output, excerpt, output

REKINDLE = Path(sys.prefix) / "bin" / "rekindle"

# A Python that makes environments and installs in no time: `-m venv DIR` copies itself there, `-m pip install …` logs
# what it was asked. `-c …` goes to the real one. FAKE_VERSION, NO_ENSUREPIP and PIP_FAILS make it a worse one.
FAKE_PYTHON = """#!/bin/sh
case "$1 $2" in
    "--version "*) echo "Python 3.${FAKE_VERSION:-12}.0" ;;
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m --disable"* | "-m pip") echo "$@" >>"$LOG"; test -z "$PIP_FAILS" || { echo "no network"; exit 1; } ;;
    "-c import ensurepip"*) test -z "$NO_ENSUREPIP" ;;
    "-c "*) exec REAL -c "import sys; sys.version_info = (3, ${FAKE_VERSION:-12}, 0); $2" ;;
esac
"""
TOOLS = (
    "bash",
    "cat",
    "cksum",
    "cp",
    "cut",
    "dirname",
    "mkdir",
    "mv",
    "paste",
    "rm",
    "sed",
    "sh",
    "sleep",
    "sort",
    "tail",
    "tr",
)


class Checkout:
    """A copy of the scripts in a folder with a space in its name, and a PATH with a stand-in for Python alone."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a checkout"
        self.log = folder / "pip.log"
        self.bin = folder / "bin"
        (self.root / "scripts").mkdir(parents=True)
        self.bin.mkdir()
        for name in ("run_local.sh", "scripts/install.sh", "setup.py", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.root / name)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)
        self.add("python3", FAKE_PYTHON.replace("REAL", sys.executable))

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def installs(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def add(self, name: str, script: str, *, folder: Path | None = None) -> None:
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(
        self, script: str, *arguments: str, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.root / script), *arguments],
            cwd=cwd or self.root,
            env={"PATH": str(self.bin), "LOG": str(self.log), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, extras: str = "demo", **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("scripts/install.sh", extras, cwd=None, **environment)


@pytest.fixture(name="checkout")
def fixture_checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_installs_once_with_the_pinned_versions(checkout: Checkout) -> None:
    first, second = checkout.install(), checkout.install()
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert len(checkout.installs) == 1
    assert "-c constraints.txt -e .[demo]" in checkout.installs[0]
    assert "Python 3.12.0" in first.stderr
    assert (first.stdout, second.stdout, second.stderr) == ("", "", "")


@pytest.mark.parametrize("name", ["setup.py", "constraints.txt", "pyproject.toml"])
def test_installs_again_when_what_it_installs_changed(checkout: Checkout, name: str) -> None:
    checkout.install()
    with (checkout.root / name).open("a") as file:
        file.write("# changed\n")
    (checkout.venv / "kept").touch()
    checkout.install()
    checkout.install()
    assert len(checkout.installs) == 2
    assert (checkout.venv / "kept").exists()


def test_extras_add_up(checkout: Checkout) -> None:
    for extras in ("demo", "test,dev", "demo", "dev"):
        checkout.install(extras)
    assert [line.partition("-e ")[2] for line in checkout.installs] == [".[demo]", ".[demo,dev,test]"]


def test_an_unfinished_environment_is_made_anew(checkout: Checkout) -> None:
    failed = checkout.install(PIP_FAILS="1")
    assert failed.returncode == 1
    assert "no network" in failed.stderr
    (checkout.venv / "half").touch()
    assert checkout.install().returncode == 0
    assert not (checkout.venv / "half").exists()


def test_a_killed_owner_of_the_lock_does_not_block(checkout: Checkout) -> None:
    lock = checkout.root / ".venv.lock"
    lock.mkdir()
    gone = subprocess.Popen(["true"])
    gone.wait()
    (lock / "pid").write_text(str(gone.pid))
    assert checkout.install().returncode == 0
    assert not lock.exists()


def test_an_environment_of_others_is_left_alone(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    done = checkout.install()
    assert (done.returncode, checkout.installs) == (1, [])
    assert "not made by this script" in done.stderr


@pytest.mark.parametrize("version", ["10", "11", "13", "14"])
def test_these_pythons_do(checkout: Checkout, version: str) -> None:
    assert checkout.install(FAKE_VERSION=version).returncode == 0


@pytest.mark.parametrize("version", ["9", "15"])
def test_other_pythons_do_not(checkout: Checkout, version: str) -> None:
    done = checkout.install(FAKE_VERSION=version)
    assert done.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in done.stderr
    assert f"python3 is Python 3.{version}.0" in done.stderr
    assert not checkout.venv.exists()


def test_a_better_python_is_preferred(checkout: Checkout) -> None:
    fake = (checkout.bin / "python3").read_text()
    checkout.add("python3", fake.replace("${FAKE_VERSION:-12}", "10"))
    checkout.add("python3.11", fake.replace("${FAKE_VERSION:-12}", "11"))
    assert "Python 3.11.0" in checkout.install().stderr


def test_without_python_it_says_what_to_install(checkout: Checkout) -> None:
    (checkout.bin / "python3").unlink()
    done = checkout.install()
    assert done.returncode == 1
    assert "python3 is missing. Install one" in done.stderr


def test_without_ensurepip_it_says_what_to_install(checkout: Checkout) -> None:
    done = checkout.install(NO_ENSUREPIP="1")
    assert done.returncode == 1
    assert "apt-get install python3.12-venv" in done.stderr


def test_a_named_python_is_taken_at_its_word(checkout: Checkout) -> None:
    checkout.add("my python", (checkout.bin / "python3").read_text(), folder=checkout.root)
    assert "my python" in checkout.install(PYTHON=str(checkout.root / "my python")).stderr
    other = checkout.run("scripts/install.sh", "test", PYTHON="/nowhere/python")
    assert other.returncode == 0  # the environment is there already, and stays
    shutil.rmtree(checkout.venv)
    assert "PYTHON=/nowhere/python is no Python" in checkout.install(PYTHON="/nowhere/python").stderr


@pytest.mark.parametrize("place", ["other env", "{outside}/env"], ids=["relative", "absolute"])
def test_environments_stand_side_by_side(checkout: Checkout, tmp_path: Path, place: str) -> None:
    folder = place.format(outside=tmp_path)
    done = checkout.install(VENV=folder)
    assert done.returncode == 0, done.stderr
    assert (checkout.root / folder / "bin" / "python").exists()
    assert not checkout.venv.exists()
    assert checkout.install().returncode == checkout.install(VENV=folder).returncode == 0
    assert len(checkout.installs) == 2


def test_arguments_are_passed_on_as_they_are(checkout: Checkout, tmp_path: Path) -> None:
    checkout.install()
    checkout.add("rekindle", '#!/bin/sh\nprintf "<%s>" "$PWD" "$@"\nexit 3\n', folder=checkout.venv / "bin")
    done = checkout.run("run_local.sh", "search", 'a="b c"', "*", "", cwd=tmp_path)
    assert (done.stdout, done.returncode) == (f'<{tmp_path}><search><a="b c"><*><>', 3)


def demonstrate(folder: Path, arguments: Sequence[str] = ()) -> str:
    """Return what `run_local.sh` prints on both streams, as it comes."""
    done = subprocess.run(
        [str(ROOT / "run_local.sh"), *arguments],
        cwd=folder,
        env={**os.environ, "REKINDLE_VENV": sys.prefix},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def as_in_a_checkout(shown: str, folder: Path) -> str:
    """Return an output as it is for a reader who runs `./run_local.sh` in a checkout."""
    return shown.replace(str(folder), "/home/you/rekindle").replace(f"{ROOT}/demo", "demo").replace(f"{ROOT}/", "./")


@pytest.mark.slow
@pytest.mark.skipif(not REKINDLE.exists(), reason="rekindle is not installed in this environment")
def test_the_demonstration_runs_and_adds_nothing_the_second_time(tmp_path: Path) -> None:
    first = demonstrate(tmp_path)
    assert "$ rekindle backfill --bucket shop-logs" in first
    compare_output(TOUR, "demonstration", as_in_a_checkout(first, tmp_path))
    compare_output(README, "demonstration", excerpt(output(TOUR, "demonstration")))
    count = demonstrate(
        tmp_path, ["sql", "SELECT count(*) AS events, count(DISTINCT _object) AS objects FROM events", "--json"]
    )
    assert json.loads(count) == {"events": 216_000, "objects": 33}
    second = demonstrate(tmp_path)
    assert "nothing was added; ./hot-tier holds 216,000 events" in second
