"""The job's specification: what is taken, and what each mistake is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.jobs.job_files.job_file import load_job_file
from pipelines.jobs.specification import check_specification
from pipelines.units import parse_size
from transforms.core.errors import ConfigurationError
from transforms.formats import FORMAT_NAMES


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("17", 17),
        ("64K", 65536),
        ("64KiB", 65536),
        ("1.5G", 1610612736),
        ("1 MiB", 1048576),
        ("2m", 2097152),
        ("3MB", 3145728),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text, "--wave-bytes") == size


@pytest.mark.parametrize("text", ["", "x", "0", "0K", "9" * 30, "-1", "1Q", "1 2", "KiB"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a size"):
        parse_size(text, "--wave-bytes")


def test_defaults() -> None:
    specification = check_specification({"bucket": "my-logs"})
    assert (specification.pattern, specification.on_changed, specification.on_error) == (("**",), "replace", "salvage")
    assert specification.format_options.format == "auto"


def sources(*sources: dict[str, object]) -> dict[str, object]:
    return {"bucket": "b-1", "sources": list(sources)}


@pytest.mark.parametrize(
    ("fields", "field", "expected"),
    [
        pytest.param({}, "bucket", "bucket: is required: give --bucket, or", id="missing"),
        pytest.param(
            {"bucket": "b-1", "patern": "x"},
            "patern",
            "patern: unknown field; allowed are bucket",
            id="unknown",
        ),
        pytest.param(
            {"bucket": "b-1", "formatOptions": {"delimeter": ";"}},
            "formatOptions.delimeter",
            "allowed are dayFirst, delimiter",
            id="unknown nested",
        ),
        pytest.param(
            {"bucket": "b-1", "onError": "ignore"}, "onError", "'salvage', 'quarantine' or 'fail'", id="enumeration"
        ),
        pytest.param(
            {"bucket": "b-1", "modifiedAfter": "yesterday"}, "modifiedAfter", "22:00:00Z, not 'yesterday'", id="time"
        ),
        pytest.param({"bucket": "b-1", "modifiedAfter": 12345}, "modifiedAfter", "ISO 8601", id="number as time"),
        pytest.param(
            {"bucket": "b-1", "formatOptions": {"skipRows": -1}},
            "formatOptions.skipRows",
            "greater than or equal to 0",
            id="negative",
        ),
        pytest.param(
            {"bucket": "b-1", "modifiedAfter": "2025-01-02T00:00:00Z", "modifiedBefore": "2025-01-02T01:00:00+01:00"},
            "modifiedAfter",
            "must be earlier than modifiedBefore",
            id="after = before",
        ),
        pytest.param({"bucket": "s3://b-1/logs"}, "bucket", "give the bucket's name alone", id="url"),
        pytest.param({"bucket": "file://logs"}, "bucket", "absolute folder", id="relative folder"),
        pytest.param({"bucket": "a b"}, "bucket", "is not a bucket's name", id="bucket name"),
        pytest.param({"bucket": "b-1", "pattern": "logs/[a"}, "pattern", "", id="glob"),
        pytest.param({"bucket": "b-1", "pattern": []}, "pattern", "at least one glob", id="no glob"),
        pytest.param({"bucket": "b-1", "pattern": {"a": 1}}, "pattern", "a glob, or a list of globs", id="glob as map"),
        pytest.param(
            {"bucket": "b-1", "pattern": ["a/**", "logs/[a"]},
            "pattern[1]",
            "pattern[1], character 6: this bracket is never closed by ']'; write \\[ for the character itself\n"
            "  logs/[a\n       ^",
            id="second glob",
        ),
        pytest.param({"bucket": "b-1", "exclude": "a**"}, "exclude", "exclude, character 2: ** must be", id="exclude"),
        pytest.param({"bucket": "b-1", "exclude": ["*", ""]}, "exclude[1]", "exclude[1]: it is empty", id="excludes"),
        pytest.param(sources(), "sources", "sources: it names none; leave it out", id="no source"),
        pytest.param(
            sources({"name": "a"}) | {"pattern": "x", "formatOptions": {"format": "csv"}, "host": "h"},
            "sources",
            "sources: pattern, formatOptions, host stand beside it, as a flag or in the job file: a job has either",
            id="sources and pattern",
        ),
        pytest.param(
            sources({"name": "a"}, {"name": "b"}, {"name": "a"}),
            "sources.2.name",
            "sources[2].name: 'a' is the name of sources[0] too",
            id="name twice",
        ),
        pytest.param(sources({"name": ""}), "sources.0.name", "sources[0].name: must have 1 to 64", id="no name"),
        pytest.param(sources({}), "sources.0.name", "sources[0].name: is required", id="name is missing"),
        pytest.param(
            sources({"name": "a"}, {"name": "web", "patern": "x"}),
            "sources.1.patern",
            "source web: patern: unknown field; allowed are exclude, formatOptions, host",
            id="unknown field of a source",
        ),
        pytest.param(
            sources({"name": "web", "formatOptions": {"delimeter": ";"}}),
            "sources.0.formatOptions.delimeter",
            "source web: formatOptions.delimeter: unknown field; allowed are dayFirst, delimiter",
            id="unknown option of a source",
        ),
        pytest.param(
            sources({"name": "a"}, {"name": "web", "pattern": ["x", "y/{"]}),
            "sources.1.pattern[1]",
            "source web: pattern[1], character 3: this brace is never closed",
            id="glob of a source",
        ),
        pytest.param(
            sources({"name": "web", "exclude": "[]"}),
            "sources.0.exclude",
            "source web: exclude, character 1: this bracket",
            id="exclude of a source",
        ),
        pytest.param(
            sources({"name": "web", "formatOptions": {"delimiter": ";"}}),
            "sources.0.formatOptions.delimiter",
            "source web: formatOptions.delimiter is ;: it needs format csv",
            id="option of another format in a source",
        ),
        pytest.param(
            sources({"name": "web", "pipelines": ["acces"]}),
            "sources.0.pipelines",
            "source web: pipelines: has 'acces', which is no ready-made pipeline; there are access_combined, aws_alb",
            id="no such pipeline",
        ),
        pytest.param(
            sources({"name": "web", "pipelines": [{"name": "aws_alb", "if": "x"}]}),
            "sources.0.pipelines",
            "an entry is a name, or a name and the condition `when`",
            id="wrong include",
        ),
        pytest.param(
            sources({"name": "web", "pipelines": 7}),
            "sources.0.pipelines",
            "must be the name of a pipelines file, or a list of ready-made pipelines, not 7",
            id="pipelines are a number",
        ),
    ],
)
def test_mistakes_are_named(fields: dict[str, object], field: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_specification(fields)
    assert caught.value.field == field
    assert expected in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_every_format_of_the_table_is_taken(name: str) -> None:
    specification = check_specification({"bucket": "b-1", "formatOptions": {"format": name}})
    assert specification.format_options.format == name


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_specification({"pattern": 1, "nonsense": True})
    assert len(str(caught.value).splitlines()) == 3


def test_times_without_a_zone_are_utc() -> None:
    specification = check_specification(
        {"bucket": "b-1", "modifiedAfter": "2025-01-02", "modifiedBefore": "2025-01-02T01:30:00+01:00"}
    )
    assert specification.as_document()["modifiedAfter"] == "2025-01-02T00:00:00Z"
    assert specification.as_document()["modifiedBefore"] == "2025-01-02T00:30:00Z"


def test_a_document_makes_the_same_specification() -> None:
    fields = {
        "bucket": "b-1",
        "formatOptions": {"format": "csv", "headers": "a,b", "skipRows": 1},
        "host": "h",
        "onChanged": "append",
    }
    specification = check_specification(fields)
    assert specification.format_options.headers == ("a", "b")
    assert check_specification(specification.as_document()) == specification


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"pattern": ["a/**", "b/*"], "exclude": ["**/*.tmp", "x"]}, id="lists"),
        pytest.param({"pattern": "a/**", "exclude": "x"}, id="one of each"),
        pytest.param(
            {
                "exclude": "**/*.tmp",
                "sources": [
                    {"name": "web", "pattern": "a/**", "exclude": ["a/b", "a/c"], "index": "i", "pipelines": "p.yaml"},
                    {"name": "rest", "pipelines": ["syslog", {"name": "aws_alb", "when": "a=b"}]},
                ],
            },
            id="sources",
        ),
    ],
)
def test_what_is_given_stays_in_the_document(fields: dict[str, Any]) -> None:
    specification = check_specification({"bucket": "b-1", **fields})
    for document in (specification.as_document(), specification.as_stored()):
        kept = {name: document[name] for name in fields if name != "sources"}
        assert kept == {name: value for name, value in fields.items() if name != "sources"}
        for source, given in zip(document.get("sources", ()), fields.get("sources", ()), strict=True):
            assert {name: source[name] for name in given} == given
        assert check_specification(document) == specification


def test_a_ready_made_pipeline_may_stand_alone() -> None:
    [source] = check_specification(sources({"name": "web", "pipelines": "syslog"})).sources
    assert source.pipelines == ("syslog",)


def test_a_format_that_is_not_named_is_not_named_when_a_job_is_resumed() -> None:
    """A key's format holds only where the job names none."""
    for fields in ({}, {"sources": [{"name": "a"}, {"name": "b", "formatOptions": {"format": "text"}}]}):
        stored = check_specification(check_specification({"bucket": "b-1", **fields}).as_stored())
        formats = [one.format_settings(max_record=1, key_format="json").format for one in stored.all_sources]
        assert formats == (["json", "text"] if fields else ["json"])


@pytest.mark.parametrize(
    "text",
    [
        '{"bucket": "b-1", "modifiedAfter": "2025-01-02T00:00:00Z"}',
        "bucket: b-1\nmodifiedAfter: 2025-01-02T00:00:00Z\n",
    ],
)
def test_job_files_are_json_or_yaml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "job"
    path.write_text(text)
    assert load_job_file(str(path)) == {"bucket": "b-1", "modifiedAfter": "2025-01-02T00:00:00Z"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n", "one mapping"),
        ("{a: ", "neither JSON nor YAML"),
        ("bucket: a-1\nbucket: b-1\n", "is here twice"),
        (None, "can't be read: No such file or directory"),
    ],
)
def test_job_files_that_are_none(tmp_path: Path, text: str | None, expected: str) -> None:
    path = tmp_path / "job"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigurationError, match=expected):
        load_job_file(str(path))


def test_preset_keeps_its_name() -> None:
    document = {"bucket": "logs", "formatOptions": {"format": "text", "multilineStart": "java"}}
    options = check_specification(document).as_document()["formatOptions"]
    assert isinstance(options, dict)
    assert options["multilineStart"] == "java"
