"""The JSON Schemas in `docs/`: they are those of the models, and fit real job files and reports."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.jobs.job_files.job_file import load_job_file
from pipelines.jobs.report import JobReport
from pipelines.jobs.schemas import as_text, schemas
from pipelines.jobs.specification import JobSpecification, check_specification
from tests.pipelines.conftest import ROOT, Ended

TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
    "boolean": bool,
}
JOB_FILES = (
    "bucket: my-bucket\n",
    "bucket: file:///var/log\npattern: '**/*.gz'\nmodifiedAfter: 2025-01-02T00:00:00Z\nonError: fail\n",
    '{"bucket": "b-1", "formatOptions": {"format": "csv", "headers": ["a", "b"], "skipRows": 1}, "host": "h"}',
    '{"bucket": "b-1", "formatOptions": {"format": "csv", "headers": "a,b"}, "region": null}',
    "bucket: b-1\npattern: [a/**, b/*]\nexclude: ['**/*.tmp', '**/*.bak']\n",
    "bucket: b-1\nexclude: '**/*.tmp'\nsources:\n- {name: web, pattern: web/**, pipelines: [access_combined]}\n"
    "- {name: db, pattern: [db/*, pg/*], exclude: db/x, formatOptions: {format: text}, pipelines: db.yaml}\n"
    "- {name: rest, pipelines: [{name: syslog, when: a=b}]}\n",
)


def mistakes(document: Any, schema: Any, root: Any, at: str = "$") -> Iterator[str]:
    """Yield what of a document breaks a schema, as far as those in `docs/` go."""
    if "$ref" in schema:
        yield from mistakes(document, root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
    elif "anyOf" in schema:
        found = [list(mistakes(document, one, root, at)) for one in schema["anyOf"]]
        yield from [] if [] in found else [f"{at}: {document!r} fits none of {schema['anyOf']}"]
    elif schema["type"] == "null":
        yield from [] if document is None else [f"{at}: {document!r} is not null"]
    elif not isinstance(document, TYPES[schema["type"]]):
        yield f"{at}: {document!r} is no {schema['type']}"
    elif "enum" in schema:
        yield from [] if document in schema["enum"] else [f"{at}: {document!r} is none of {schema['enum']}"]
    elif isinstance(document, list):
        for number, item in enumerate(document):
            kind = schema["items"] if "items" in schema else schema["prefixItems"][number]
            yield from mistakes(item, kind, root, f"{at}[{number}]")
    elif isinstance(document, dict):
        yield from (f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in document)
        for name, value in document.items():
            kind = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            yield from mistakes(value, kind, root, f"{at}.{name}") if kind else [f"{at}.{name}: unknown"]


@pytest.mark.parametrize("name", schemas())
def test_the_files_are_those_of_the_models(name: str) -> None:
    """`python -m pipelines.jobs.schemas docs` writes them."""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == as_text(schemas()[name])


@pytest.mark.parametrize("text", JOB_FILES)
def test_job_files_fit(tmp_path: Path, text: str) -> None:
    path = tmp_path / "job"
    path.write_text(text)
    fields, schema = load_job_file(str(path)), schemas()["job.schema.json"]
    assert list(mistakes(fields, schema, schema)) == []
    stored = check_specification(fields).as_document()
    assert list(mistakes(stored, schema, schema)) == []
    assert JobSpecification.model_validate(stored).as_document() == stored


@pytest.mark.parametrize("fields", [{}, {"bucket": 1}, {"bucket": "b-1", "onError": "x"}, {"bucket": "b-1", "a": 1}])
def test_wrong_job_files_do_not_fit(fields: dict[str, object]) -> None:
    schema = schemas()["job.schema.json"]
    assert list(mistakes(fields, schema, schema))


def test_reports_fit(tmp_path: Path, rekindle: Callable[..., Ended]) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_text("2025-01-01T00:00:00Z one\nno time\n")
    (logs / "b.json").write_text('{"time": "2025-01-02T00:00:00Z", "text": "two"}\n')
    (logs / "c.log.gz").write_bytes(b"\x1f\x8b\x08 is no gzip")
    where = ("--bucket", f"file://{logs}", "--hot-tier", tmp_path / "hot", "--json")
    schema = schemas()["report.schema.json"]
    documents = [rekindle("backfill", *where, "--pattern", "none").json]  # leaves no job that could be shown
    for flags in ((), ("--on-error", "fail", "--force")):
        printed = rekindle("backfill", *where, *flags).json
        shown = rekindle("jobs", "show", printed["taskId"], *where[2:]).json
        documents += [printed, shown, json.loads(_report_file(tmp_path, printed["taskId"]))]
    for document in documents:
        assert list(mistakes(document, schema, schema)) == []
        report = JobReport.model_validate(document)
        assert list(report.as_document().items()) == list(document.items())


def _report_file(folder: Path, task_id: str) -> str:
    return (folder / "hot" / "_rekindle" / "jobs" / task_id / "report.json").read_text(encoding="utf-8")
