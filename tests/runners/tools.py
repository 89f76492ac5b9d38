"""The runners and servers that pip does not install.

Built once from their public sources, then kept in `~/.cache/rekindle`.

Maven brings the libraries of Beam's job servers for Flink and Spark, Go builds Prism and MinIO. Every tool has a folder
of its own, named by what it is built from: another version is another folder. A folder is finished when it holds the
file `.done`, which is written last.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec

P = ParamSpec("P")
HERE = Path(__file__).parent
PRISM = "github.com/apache/beam/sdks/v2/go/cmd/prism@v2.77.0"
MINIO = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"  # its releases have no versions that Go knows
REQUIRED = "REKINDLE_RUNNERS"
_DONE = ".done"
_BUILD_SECONDS = 1200
_TOLD = 15  # lines of a build's output


class ToolMissing(RuntimeError):  # noqa: N818 - a state of the machine; whether that is an error its user decides
    """A tool is not there, and can't be had on this machine."""


def is_required() -> bool:
    """Return whether a missing tool is an error (`REKINDLE_RUNNERS=required`), rather than a reason to skip a test."""
    return os.environ.get(REQUIRED) == "required"


def flink() -> str:
    """Return the Java class path of Beam's Flink job server, and of Flink itself."""
    return _class_path("flink")


def spark() -> str:
    """Return the Java class path of Beam's Spark job server, and of Spark itself."""
    return _class_path("spark")


def prism() -> Path:
    """Return Beam's Go runner."""
    return _go_program(PRISM)


def minio() -> Path:
    """Return the MinIO server."""
    return _go_program(MINIO)


def cache() -> Path:
    """Return the folder that all tools are kept in."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rekindle"


def kept(name: str, build: Callable[[Path], None], is_whole: Callable[[Path], bool]) -> Path:
    """Return a tool's folder; build it first where it is not there.

    Of several processes that ask at once one builds, the others wait.

    Args:
        name: The folder's, with the version.
        build: Called with an empty folder, to fill it.
        is_whole: Whether a finished folder can still be used.

    Raises:
        ToolMissing: it can't be built.
    """
    folder = cache() / name
    with _locked(folder.with_name(f"{name}.lock")):
        if (folder / _DONE).exists() and is_whole(folder):
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        build(folder)
        (folder / _DONE).touch()
    return folder


def program(name: str) -> str:
    """Return where a program is that this machine must bring along.

    Raises:
        ToolMissing: it is not on PATH.
    """
    found = shutil.which(name)
    if found is None:
        raise ToolMissing(f"{name} is not on PATH")
    return found


def run(*command: object, environment: dict[str, str] | None = None) -> None:
    """Run a build.

    Raises:
        ToolMissing: it failed; with the last lines of what it said.
    """
    words = [str(word) for word in command]
    try:
        subprocess.run(
            words,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_BUILD_SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout or ""
        told = "\n".join(said.splitlines()[-_TOLD:])
        raise ToolMissing(f"{' '.join(words)} failed: {told or error}") from error


def once(find: Callable[P, str]) -> Callable[P, str]:
    """Ask once a process, and remember what can't be had too: a build that failed is not tried again for each test."""

    @functools.cache
    def ask(*names: P.args, **named: P.kwargs) -> str | ToolMissing:
        try:
            return find(*names, **named)
        except ToolMissing as error:
            return error

    def answer(*names: P.args, **named: P.kwargs) -> str:
        found = ask(*names, **named)  # type: ignore[arg-type]
        if isinstance(found, ToolMissing):
            raise found
        return found

    return answer


def class_path(pom: Path, name: str) -> str:
    """Return what Maven resolves a pom file to: jars of its own repository, in the order of the class path."""
    program("java")

    def build(folder: Path) -> None:
        run(
            program("mvn"),
            "--batch-mode",
            "--quiet",
            f"--file={pom}",
            "org.apache.maven.plugins:maven-dependency-plugin:2.8:build-classpath",
            f"-Dmdep.outputFile={folder / 'classpath'}",
        )

    def is_whole(folder: Path) -> bool:
        return all(os.path.exists(jar) for jar in (folder / "classpath").read_text().split(os.pathsep))

    return (kept(f"{name}-{digest(pom)}", build, is_whole) / "classpath").read_text()


@once
def _class_path(engine: str) -> str:
    return class_path(HERE / f"{engine}-pom.xml", f"{engine}-job-server")


def digest(*files: Path) -> str:
    """Return what names a tool's folder: another text of the files that it is built from is another tool."""
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.read_bytes())
    return whole.hexdigest()[:12]


def _go_program(package: str) -> Path:
    return Path(_built_by_go(package))


@once
def _built_by_go(package: str) -> str:
    path, _, version = package.partition("@")
    name = path.rpartition("/")[2]
    folder = kept(
        f"{name}-{version}",
        lambda folder: run(
            program("go"), "install", package, environment={"GOBIN": str(folder), "GOFLAGS": "-buildvcs=false"}
        ),
        lambda folder: os.access(folder / name, os.X_OK),
    )
    return str(folder / name)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that the operating system takes back when its holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
