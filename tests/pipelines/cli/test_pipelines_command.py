"""`rekindle pipelines test` and `rekindle pipelines list`."""

from __future__ import annotations

import gzip
import json
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli.commands import pipelines as cli_pipelines
from tests.pipelines.conftest import Ended
from transforms.core.errors import ConfigurationError
from transforms.objects.sampling import try_sample

LINE = '1.2.3.4 - ann [11/Aug/2025:22:24:37 +0000] "GET /x?y=1 HTTP/1.1" 200 1987 "-" "curl/8"'
PIPELINES = """
include: [access_combined]
pipelines:
  - name: large
    when: bytes>1000
    steps:
      - arithmetic: {output: kb, formula: bytes / 1000}
      - remove: {attributes: [ident, nothing]}
      - map: {source: nothing, output: more}
"""
Call = Callable[..., tuple[int, str]]


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    """Run one of the two commands in this process; return its exit code and its standard output."""
    app = cli_pipelines.pipelines

    def run(*argv: object) -> tuple[int, str]:
        code = app([str(argument) for argument in argv], standalone_mode=False)
        return int(code or 0), capfd.readouterr().out

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pipelines.yaml"
    path.write_text(PIPELINES)
    return path


def steps(event: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(step["pipeline"], step["step"], step["outcome"]) for step in event["steps"]]


def test_before_after_and_every_step(call: Call, file: Path, tmp_path: Path) -> None:
    (tmp_path / "sample.log.gz").write_bytes(gzip.compress(f"{LINE}\nno access line\n".encode()))
    code, out = call("test", file, "--sample", tmp_path / "sample.log.gz", "--json")
    document = json.loads(out)
    first, second = document["events"]
    assert (code, document["format"]["name"], document["failure"]) == (0, "text", None)
    assert steps(first) == [
        ("access_combined", "steps[0].regex", "changed"),
        ("access_combined_odd", "when", "not matched"),
        ("access_combined", "steps[2].timestamp", "changed"),
        ("access_combined", "steps[3].map", "changed"),
        ("access_combined", "steps[4].remove", "changed"),
        ("large", "steps[0].arithmetic", "changed"),
        ("large", "steps[1].remove", "changed"),
        ("large", "steps[2].map", "skipped"),
    ]
    assert first["steps"][5]["changes"] == {"kb": "1.987"}
    assert first["steps"][6]["changes"] == {"ident": None}
    assert "clientip" not in first["before"]
    assert (first["after"]["clientip"], first["after"]["kb"], first["after"]["_time"]) == (
        "1.2.3.4",
        "1.987",
        "2025-08-11T22:24:37Z",
    )
    assert (first["before"]["_time_source"], first["after"]["_time_source"]) == ("detected", "pipeline")
    assert first["after"]["_pipelines"] == "access_combined,large"
    assert steps(second) == [
        ("access_combined", "steps[0].regex", "skipped"),
        ("access_combined_odd", "steps[0].grok", "failed"),
        ("access_combined", "steps[2].timestamp", "skipped"),
        ("access_combined", "steps[3].map", "skipped"),
        ("access_combined", "steps[4].remove", "skipped"),
        ("large", "when", "not matched"),
    ]
    assert document["steps"][0] == {"pipeline": "access_combined", "step": "steps[0].regex", "changed": 1, "skipped": 1}


def test_times_are_inherited_as_in_a_backfill(call: Call, file: Path, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("2025-08-11 01:02:03 ERROR broke\n  at x\n2025-08-12 01:02:03 INFO\n  at y\n")
    _, out = call("test", file, "--sample", tmp_path / "a.log", "--json")
    times = [
        (event[when]["_time"], event[when]["_time_source"])
        for event in json.loads(out)["events"]
        for when in event
        if when in ("before", "after")
    ]
    assert times == [
        (f"2025-08-{day}T01:02:03Z", source)
        for day, source in ((11, "detected"), (11, "inherited"), (12, "detected"), (12, "inherited"))
        for _ in ("before", "after")
    ]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.json", '{"bytes":2000}\n{"bytes":1}\n', "json"),
        ("a.csv", "bytes,b\n2000,x\n", "csv"),
    ],
)
def test_a_sample_is_read_like_an_object(
    call: Call, file: Path, tmp_path: Path, name: str, text: str, found: str
) -> None:
    (tmp_path / name).write_text(text)
    _, out = call("test", file, "--sample", tmp_path / name, "--json")
    document = json.loads(out)
    assert document["format"]["name"] == found
    assert document["events"][0]["after"]["kb"] == "2"


def test_the_page(call: Call, file: Path, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(f"{LINE}\nx\x1b[2Jy\n")
    code, out = call("test", file, "--sample", tmp_path / "a.log")
    assert code == 0
    assert "large steps[0].arithmetic: changed  kb=1.987" in out
    assert "access_combined_odd steps[0].grok: failed" in out
    assert "access_combined steps[0].regex: 1 changed, 1 skipped" in out
    assert "\x1b" not in out


def test_a_broken_sample_is_said(call: Call, file: Path, tmp_path: Path) -> None:
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(f"{LINE}\n".encode() * 5)[:-4])
    code, out = call("test", file, "--sample", tmp_path / "a.log.gz", "--json")
    assert code == 1
    assert "gzip" in json.loads(out)["failure"]


@pytest.mark.parametrize(("pipelines", "sample"), [("none.yaml", "pipelines.yaml"), ("pipelines.yaml", "none.log")])
def test_files_that_are_not_there(call: Call, file: Path, tmp_path: Path, pipelines: str, sample: str) -> None:
    with pytest.raises(ConfigurationError, match=r"none\."):
        call("test", tmp_path / pipelines, "--sample", tmp_path / sample)


def test_all_mistakes_with_their_places(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("pipelines:\n- name: p\n  when: a=b # c\n  steps:\n  - regex: {source: _x, pattern: '('}\n")
    with pytest.raises(ConfigurationError) as error:
        call("test", path, "--sample", path)
    assert [line.removeprefix(str(path)).split(": ")[0] for line in str(error.value).splitlines()] == [
        ":3:9",
        ":5:21",
        ":5:34",
    ]


def test_every_line_of_mistakes_begins_with_its_place(rekindle: Callable[..., Ended], tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("pipelines:\n- name: 1\n  steps: 2\n")
    ended = rekindle("pipelines", "list", path)
    assert ended.code == 2
    assert [line.split(": ")[0] for line in ended.err.splitlines()] == ["Error:", f"{path}:2:9", f"{path}:3:10"]


def test_half_a_character_is_refused(rekindle: Callable[..., Ended], tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text('pipelines:\n- name: p\n  steps:\n  - set: {output: x, value: "\\ud800"}\n')
    ended = rekindle("pipelines", "list", path)
    assert ended.code == 2
    assert f"{path}:4:29: pipelines[0].steps[0].value: '\\ud800' has half of a character" in ended.err


def test_list_names_what_ships(call: Call) -> None:
    code, out = call("list", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {"access_combined", "syslog", "kubernetes"} <= {row["name"] for row in rows}
    assert "clientip" in rows[0]["outputs"]
    assert "access_combined" in call("list")[1]


def test_list_of_a_file(call: Call, file: Path) -> None:
    _, out = call("list", file, "--json")
    assert [json.loads(line)["name"] for line in out.splitlines()] == ["access_combined", "large"]


def test_show_prints_a_file_that_loads(call: Call, tmp_path: Path) -> None:
    code, out = call("show", "aws_alb")
    (tmp_path / "p.yaml").write_text(out)
    assert code == 0
    assert "steps:" in out
    assert call("list", tmp_path / "p.yaml", "--json")[1] == next(
        f"{line}\n" for line in call("list", "--json")[1].splitlines() if '"aws_alb"' in line
    )


def test_show_names_what_there_is(call: Call) -> None:
    with pytest.raises(ConfigurationError, match="'alb' is no ready-made pipeline; there are access_combined, aws_alb"):
        call("show", "alb")


def test_no_beam_is_imported() -> None:
    code = (
        "import sys; from pipelines.cli.commands import pipelines; "
        "import transforms.event_pipelines.trial, transforms.objects.sampling.sample_object; "
        "from transforms.event_pipelines.definition import load_ready_made; load_ready_made('syslog'); "
        "sys.exit('apache_beam' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False).returncode == 0


def test_the_sample_is_read_with_the_flags_of_a_backfill(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("pipelines: [{name: ours, when: sourcetype=app, steps: [{set: {output: team, value: shop}}]}]")
    (tmp_path / "sample").write_text('{"a": 1}\n2025-08-11 22:24:37 noon in Chicago\n')
    flags = ("--format", "text", "--timezone", "America/Chicago", "--sourcetype", "app", "--json")
    code, out = call("test", file, "--sample", tmp_path / "sample", *flags)
    first, second = [event["after"] for event in json.loads(out)["events"]]
    assert code == 0
    assert (first["_message"], first["team"], first["_format"]) == ('{"a": 1}', "shop", "text")
    assert second["_time"] == "2025-08-12T03:24:37Z"


@pytest.mark.parametrize(
    ("flags", "filename", "team", "format_name"),
    [
        ((), "sample", None, "text"),
        (("--object-key", "payments/2025/app.json"), "payments/2025/app.json", "payments", "json"),
    ],
    ids=["its name", "a key"],
)
def test_the_key_of_the_sample(
    call: Call, tmp_path: Path, flags: tuple[str, ...], filename: str, team: str | None, format_name: str
) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("pipelines: [{name: ours, steps: [{regex: {source: filename, pattern: '^(?<team>[a-z]+)/'}}]}]")
    (tmp_path / "sample").write_text("hello\n")
    code, out = call("test", file, "--sample", tmp_path / "sample", *flags, "--json")
    document = json.loads(out)
    after = document["events"][0]["after"]
    assert (code, after["filename"], after.get("team"), document["format"]["name"]) == (0, filename, team, format_name)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_record_longer_than_the_sample_is_said(
    rekindle: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, file: Path, *, packed: bool
) -> None:
    monkeypatch.setattr(try_sample, "SAMPLE_BYTES", 1 << 20)
    text = b"{" + secrets.token_hex(3 << 20).encode() + b"}\n" + b"short\n" * 1000
    sample = file.with_name("long.log")
    sample.write_bytes(gzip.compress(text, 1) if packed else text)
    ended = rekindle("pipelines", "test", file, "--sample", sample, "--format", "text", "--json")
    assert ended.code == 1
    assert (
        ended.json["failure"] == f"no record ends in the first 1.0 MiB of {sample}: the first is too long for a sample"
    )
    assert (
        "no record ends in the first 1.0 MiB"
        in rekindle("pipelines", "test", file, "--sample", sample, "--format", "text").err
    )
