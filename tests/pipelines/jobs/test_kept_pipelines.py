"""`rekindle pipelines set`: the tier's pipelines run on all that comes in, unless a job brings a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.jobs.context import JobContext
from pipelines.jobs.settings import RunSettings
from pipelines.jobs.specification import check_specification
from tests.pipelines.conftest import Ended
from transforms.core.errors import ConfigurationError

Rekindle = Callable[..., Ended]


def setting(value: str, name: str = "kept") -> str:
    return f"pipelines: [{{name: {name}, steps: [{{set: {{output: team, value: {value}}}}}]}}]\n"


@pytest.fixture
def bucket(tmp_path: Path) -> str:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/a.log").write_text("2026-01-01T00:00:00Z one\n")
    return f"file://{tmp_path}/source"


def set_pipelines(rekindle: Rekindle, folder: Path, text: str) -> Ended:
    (folder / "kept.yaml").write_text(text)
    return rekindle("pipelines", "set", folder / "kept.yaml", "--hot-tier", folder / "hot", "--json")


@pytest.mark.slow
def test_they_run_unless_a_job_brings_others(tmp_path: Path, bucket: str, rekindle: Rekindle) -> None:
    kept = set_pipelines(rekindle, tmp_path, setting("shop")).json
    assert (kept["version"], kept["text"]) == (1, setting("shop"))
    (tmp_path / "other.yaml").write_text(setting("other", name="mine"))
    job = ("--bucket", bucket, "--hot-tier", tmp_path / "hot", "--force", "--json")
    teams = []
    for more in ((), ("--pipelines", tmp_path / "other.yaml"), ()):
        assert rekindle("preview", *job, *more).json["samples"][0]["events"][0]["after"]["team"]
        done = rekindle("backfill", *job, *more)
        assert done.code == 0, done.err
        teams.append(done.json["pipelines"])
    assert [(one["file"], one["version"]) for one in teams] == [
        (str(tmp_path / "kept.yaml"), 1), (str(tmp_path / "other.yaml"), None), (str(tmp_path / "kept.yaml"), 1),
    ]  # fmt: skip
    assert (teams[0]["sha256"], teams[0] == teams[2]) == (kept["sha256"], True)
    found = rekindle("search", "", "--hot-tier", tmp_path / "hot", "--json").rows
    assert sorted((row["team"], row["_pipelines"]) for row in found) == [
        ("other", "mine"), ("shop", "kept"), ("shop", "kept"),
    ]  # fmt: skip
    shown = rekindle("audit", "--json", "--hot-tier", tmp_path / "hot").rows
    assert [(row["kind"], row["rulesFile"], row["detail"]["pipelines"]) for row in shown] == [
        ("pipelines_set", str(tmp_path / "kept.yaml"), ["kept"])
    ]


def test_set_and_show(tmp_path: Path, rekindle: Rekindle) -> None:
    at = ("--hot-tier", tmp_path / "hot")
    nothing = rekindle("pipelines", "show", *at)
    assert (nothing.code, nothing.out, "has no pipelines of its own" in nothing.err) == (0, "", True)
    assert rekindle("pipelines", "show", *at, "--json").json["text"] is None
    for number, text in ((1, setting("a")), (2, setting("b")), (2, setting("b"))):
        assert set_pipelines(rekindle, tmp_path, text).json["version"] == number
        assert rekindle("pipelines", "show", *at).out == text
    assert rekindle("pipelines", "show", "access_combined", *at).out.startswith("#")


def test_mistakes_are_told_with_their_places_and_nothing_is_kept(tmp_path: Path, rekindle: Rekindle) -> None:
    refused = set_pipelines(rekindle, tmp_path, "pipelines:\n- {name: a, steps: [{bad: {}}]}\n")
    assert refused.code == 2
    assert f"{tmp_path}/kept.yaml:2:22: pipelines[0].steps[0]: 'bad' is no processor" in refused.err
    assert not (tmp_path / "hot").exists()


def test_a_job_goes_on_with_those_that_it_has_begun_with(tmp_path: Path, bucket: str, rekindle: Rekindle) -> None:
    job, given = check_specification({"bucket": bucket}), RunSettings(hot_tier=str(tmp_path / "hot"))
    without = JobContext.open("job", job, given).settings
    assert (without.pipelines, without.pipelines_version) == (None, 0)
    set_pipelines(rekindle, tmp_path, setting("a"))
    first = JobContext.open("job", job, given)
    set_pipelines(rekindle, tmp_path, setting("b"))
    assert JobContext.open("job", job, first.settings).settings.pipelines == setting("a")
    assert JobContext.open("job", job, without).pipelines == ()
    assert JobContext.open("job", job, given).settings.pipelines == setting("b")


def test_kept_text_that_is_not_valid_any_more_names_its_version(tmp_path: Path, bucket: str) -> None:
    settings = replace(RunSettings(hot_tier=str(tmp_path / "hot")), pipelines="what: 1", pipelines_version=3)
    with pytest.raises(ConfigurationError, match=r"pipelines \(as the tier keeps it, version 3\):1:1: what"):
        JobContext.open("job", check_specification({"bucket": bucket}), settings)
