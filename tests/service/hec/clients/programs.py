"""The clients of HEC that others wrote, fetched and built once, then kept in `~/.cache/rekindle`.

Each from the registry that its users have it from, in a version that is written down here, with its checksums: pip's
and npm's by their lock files, Go's by `go.sum`, Maven's and Debian's by what these registries sign or publish.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.runners.tools import class_path, digest, kept, once, program, run

HERE = Path(__file__).parent
_SYSLOG_NG = ("syslog-ng-core", "syslog-ng-mod-http")


@once
def python_packages() -> str:
    """Return the folder with Splunk's handlers of Python's logging."""
    requirements = HERE / "python" / "requirements.txt"
    flags = ("--require-hashes", "--only-binary", ":all:", "--no-deps", "--disable-pip-version-check")

    def build(folder: Path) -> None:
        command = (sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action", "ignore")
        run(*command, *flags, "--target", folder, "--requirement", requirements)

    name = f"hec-python-{digest(requirements)}"
    return str(kept(name, build, lambda folder: (folder / "splunk_handler").exists()))


@once
def npm_packages() -> str:
    """Return the folder whose `node_modules` has splunk-logging and winston's transport."""
    files = [HERE / "npm" / name for name in ("package.json", "package-lock.json")]

    def build(folder: Path) -> None:
        for file in files:
            shutil.copy(file, folder)
        run(program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", f"--prefix={folder}")

    program("node")
    return str(kept(f"hec-npm-{digest(*files)}", build, lambda folder: (folder / "node_modules" / "winston").exists()))


@once
def docker_driver() -> str:
    """Return a program with Docker's splunk log driver in it."""
    source = HERE / "docker"

    def build(folder: Path) -> None:
        run(program("go"), "build", "-C", source, "-buildvcs=false", "-mod=readonly", "-o", folder / "docker", ".")

    files = [source / name for name in ("main.go", "go.mod", "go.sum")]
    folder = kept(f"hec-docker-{digest(*files)}", build, lambda folder: os.access(folder / "docker", os.X_OK))
    return str(folder / "docker")


@once
def camel() -> str:
    """Return the Java class path of Apache Camel with its component for HEC."""
    return class_path(HERE / "camel" / "pom.xml", "hec-camel")


@once
def syslog_ng() -> str:
    """Return the folder that syslog-ng lies in as Debian packs it; nothing is installed, and no rights are needed.

    apt takes those packages too that it depends on and that this machine lacks.
    """

    def build(folder: Path) -> None:
        for name in ("lists/partial", "archives/partial"):
            (folder / name).mkdir(parents=True)
        options = {"Dir::State::lists": folder / "lists", "Dir::Cache": folder, "Debug::NoLocking": 1}
        flags = [f"-o{name}={value}" for name, value in {**options, "APT::Sandbox::User": "root"}.items()]
        run(program("apt-get"), "update", "-qq", *flags)
        wanted = ("install", "-y", "-qq", "--download-only", "--no-install-recommends", "--reinstall")
        run(program("apt-get"), *wanted, *flags, *_SYSLOG_NG)
        for package in sorted((folder / "archives").glob("*.deb")):
            run(program("dpkg-deb"), "--extract", package, folder / "root")
        for name in ("lists", "archives"):
            shutil.rmtree(folder / name)

    return str(kept("hec-syslog-ng-3", build, _runs_here) / "root")


def syslog_ng_command(root: str) -> tuple[list[str], dict[str, str]]:
    """Return the start of its command, and the environment that it takes."""
    [libraries] = Path(root).glob("usr/lib/*-linux-gnu")
    places = [libraries, Path(root) / "lib" / libraries.name, Path(root) / "usr/lib/syslog-ng"]
    [modules] = [path.parent for path in Path(root).glob("usr/lib/syslog-ng/*/libhttp.so")]
    command = [f"{root}/usr/sbin/syslog-ng", "--foreground", "--no-caps", f"--module-path={modules}"]
    return command, {"LD_LIBRARY_PATH": os.pathsep.join(map(str, places))}


def _runs_here(folder: Path) -> bool:
    """Whether it still runs: the rest of its libraries are this machine's."""
    try:
        command, environment = syslog_ng_command(str(folder / "root"))
        done = subprocess.run([command[0], "--version"], env=os.environ | environment, capture_output=True, check=False)
    except (OSError, ValueError):
        return False
    return done.returncode == 0
