"""`--runner=FlinkRunner` and `--runner=SparkRunner`, where Beam starts the job server itself.

One for all of a command's pipelines.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

from tests.pipelines.conftest import start_rekindle
from tests.runners import tools
from tests.runners.conftest import or_skip
from tests.runners.story import wait

pytestmark = [pytest.mark.runner, pytest.mark.slow]


def jar(folder: Path, class_path: str, main: str) -> Path:
    """Return a jar that stands for Beam's own, which has all in it.

    Its manifest names the jars that make it up (JAR specification).
    """
    path = folder / f"{main.rpartition('.')[2]}.jar"
    lines = [
        "Manifest-Version: 1.0",
        f"Main-Class: {main}",
        f"Class-Path: {' '.join(Path(one).as_uri() for one in class_path.split(os.pathsep))}",
    ]
    folded = [line[:70] + "".join(f"\r\n {line[at : at + 69]}" for at in range(70, len(line), 69)) for line in lines]
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("META-INF/MANIFEST.MF", "\r\n".join([*folded, "", ""]))
    return path


def running(path: Path) -> list[str]:
    """Return the command lines of processes that name a file."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_text(errors="replace")
            except OSError:  # gone meanwhile
                continue
            if str(path) in command and int(entry.name) != os.getpid():
                found.append(command)
    return found


@pytest.mark.parametrize("engine", ["flink", "spark"])
def test_beam_starts_the_job_server(engine: str, tmp_path: Path) -> None:
    class_path = or_skip({"flink": tools.flink, "spark": tools.spark}[engine])
    name = engine.title()
    path = jar(tmp_path, class_path, f"org.apache.beam.runners.{engine}.{name}JobServerDriver")
    master = {"flink": "--flink_master=[local]", "spark": "--spark_master_url=local[2]"}[engine]
    logs = tmp_path / "logs"
    logs.mkdir()
    for number in range(4):
        lines = (
            json.dumps({"time": f"2025-08-11T00:{number:02}:00Z", "n": n, "noise": os.urandom(50).hex()})
            for n in range(300)
        )
        (logs / f"{number}.json").write_text("\n".join(lines))
    flags = ("--bucket", f"file://{logs}", "--hot-tier", tmp_path / "hot", "--wave-bytes", "100K", "--json")
    ended = wait(
        start_rekindle(
            "backfill",
            *flags,
            "--",
            f"--runner={name}Runner",
            master,
            f"--{engine}_job_server_jar={path}",
            "--parallelism=2",
        )
    )
    assert ended.code == 0, ended.err
    assert (ended.json["events"], ended.json["objects"]["ingested"]) == (1200, 4)
    assert ended.json["waves"] > 1
    assert "Traceback" not in ended.err
    assert not running(path)
