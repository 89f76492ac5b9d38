"""The job's specification: what is taken, and what each mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.jobs.specification import check_specification, load_job_file
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
    assert (specification.pattern, specification.on_changed, specification.on_error) == ("**", "replace", "salvage")
    assert specification.format_options.format == "auto"


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
