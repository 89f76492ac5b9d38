"""The reference workloads, small: deterministic, packed as their names say, and counted right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from isal import igzip

from benchmarks.make_workload import make_workload

ROOT = Path(__file__).resolve().parent.parent.parent


def lines_of(path: Path) -> list[str]:
    packed = path.read_bytes()
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().decompressobj().decompress(packed).decode().splitlines()
    return (igzip.decompress(packed) if path.suffix == ".gz" else packed).decode().splitlines()


@pytest.mark.parametrize(("kind", "headers"), [("access", 0), ("ndjson", 0), ("csv", 2), ("plain", 0), ("tiny", 0)])
def test_workload(kind: str, headers: int, tmp_path: Path) -> None:
    first = make_workload(kind, tmp_path / "first", mib=0.2, files=2)
    second = make_workload(kind, tmp_path / "second", mib=0.2, files=2)
    paths = sorted((tmp_path / "first").iterdir())
    lines = [line for path in paths for line in lines_of(path)]
    assert first == second == json.loads((tmp_path / "first.json").read_text())
    assert [path.read_bytes() for path in paths] == [
        path.read_bytes() for path in sorted((tmp_path / "second").iterdir())
    ]
    assert len(paths) == 2
    assert len(lines) == first["events"] + headers  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["access", "ndjson", "csv"])
@pytest.mark.parametrize("program", [("hot_path",), ("peers", "polars"), ("peers", "duckdb")], ids=" ".join)
def test_the_loop_and_the_peers_convert_every_event(kind: str, program: tuple[str, ...], tmp_path: Path) -> None:
    script, *arguments = program
    summary = make_workload(kind, tmp_path / "workload", mib=0.2, files=2)
    command = [
        sys.executable,
        "-m",
        f"benchmarks.{script}",
        *arguments,
        kind,
        str(tmp_path / "workload"),
        str(tmp_path / "out"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["events"] == summary["events"]
