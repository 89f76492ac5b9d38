"""Files that would take long to read are refused at once: by their length, and where they are nested too deep."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.jobs.job_files.job_file import load_job_file
from transforms.config_files.bounds import DEEPEST, LONGEST
from transforms.core.errors import ConfigurationError
from transforms.event_pipelines.definition import load_pipelines
from transforms.retention.rules_file import load_rules

MANY = 200_000
DEEP = {
    "brackets": ("a: " + "[" * MANY, "1:104"),
    "closed": ("[" * (MANY // 2) + "]" * (MANY // 2), "1:101"),
    "braces": ("{a: " * (MANY // 4), "1:401"),
    "json": ('{"a":' * 900 + "1" + "}" * 900, "1:501"),
    "dashes": ("- " * (MANY // 2), "1:201"),
    "questions": ("? " * (MANY // 2), "1:201"),
    "indented": ("\n".join(" " * level + "a:" for level in range(600)), "101:102"),
}


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("load", [load_pipelines, load_rules], ids=["pipelines", "rules"])
def test_what_is_nested_too_deep_is_refused_at_its_place(load: type, name: str) -> None:
    text, place = DEEP[name]
    with pytest.raises(ConfigurationError) as caught:
        load(text, source="f.yaml")
    assert str(caught.value) == f"f.yaml:{place}: values lie more than {DEEPEST} deep in each other"


@pytest.mark.parametrize("name", DEEP)
def test_job_files_too(tmp_path: Path, name: str) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(DEEP[name][0])
    with pytest.raises(ConfigurationError, match=f"more than {DEEPEST} deep"):
        load_job_file(str(file))


def test_as_deep_as_may_be() -> None:
    with pytest.raises(ConfigurationError, match="must be a mapping"):
        load_pipelines("[" * DEEPEST + "]" * DEEPEST, source="f")


def test_what_is_too_long_is_refused(tmp_path: Path) -> None:
    text = "#" * (LONGEST + 1)
    file = tmp_path / "job.yaml"
    file.write_text(text)
    for load in (lambda: load_pipelines(text, source="f"), lambda: load_job_file(str(file))):
        with pytest.raises(ConfigurationError, match="has 262,145 characters; a file may have 262,144"):
            load()


def test_thousands_of_mistakes_are_counted() -> None:
    text = "".join(f"k{number}: 1\n" for number in range(1_000)) + "pipelines: []\n"
    with pytest.raises(ConfigurationError) as caught:
        load_pipelines(text, source="f")
    lines = str(caught.value).split("\n")
    assert (len(lines), lines[-1]) == (201, "f: and 800 mistakes more")
