"""Errors over HTTP name fields and calls, which their reader has, and no flags of the command line."""

from __future__ import annotations

import pytest

from service.wording import in_words_of_http
from tests.service.conftest import Api

UNDONE = "bring it back (`rekindle restore --run R --execute`)"
QUOTED = "pattern '--bucket' and \"--region\" a--b x/--key"
MESSAGES = [
    ("the rest goes into --pattern", "the rest goes into `pattern`"),
    ("`began` looks like one: --time-field began", "`began` looks like one: `timeField` began"),
    ("is required: give --bucket, or the field bucket of the job file", "is required: give the field bucket"),
    ("sql: is required: give --sql, or the field sql of the job file", "sql: is required: give the field sql"),
    ("or choose others with --profile", "or choose others with --profile of `rekindle serve`"),
    ("or raise --max-objects", "or raise --max-objects of `rekindle backfill`"),
    ("nothing was undone; add --yes to go on", "nothing was undone; add `yes` to go on"),
    ("cancel it first (`rekindle jobs cancel 1a2b`)", "cancel it first (`POST /jobs/1a2b/cancel`)"),
    ("`rekindle jobs show 1a2b` has it", "`GET /jobs/1a2b` has it"),
    ("`rekindle jobs list` shows all", "`GET /jobs` shows all"),
    (
        "`rekindle search QUERY --top NAME` counts values, `--histogram 1h` counts over time, `--fields A,B` chooses",
        "`GET /facets` counts values, `GET /histogram` counts over time, `fields` chooses",
    ),
    (UNDONE, UNDONE),
    (QUOTED, QUOTED),
    ("two -- dashes, -5 and --", "two -- dashes, -5 and --"),
    ("", ""),
]


@pytest.mark.parametrize(("message", "expected"), MESSAGES)
def test_messages(message: str, expected: str) -> None:
    assert in_words_of_http(message) == expected


REFUSED = [
    pytest.param("POST", "/ingest", {}, "bucket: is required: give the field bucket", id="required"),
    pytest.param("POST", "/ingest", {"bucket": "s3://b/logs"}, "the rest goes into `pattern`", id="uri"),
    pytest.param("POST", "/sql", {"query": "SELECT 1"}, "sql: is required: give the field sql", id="required of SQL"),
    pytest.param("POST", "/jobs/none/resume", None, "there is no job", id="job"),
]


@pytest.mark.parametrize(("method", "path", "body", "message"), REFUSED)
def test_what_the_service_answers(api: Api, method: str, path: str, body: dict[str, str] | None, message: str) -> None:
    answer = api.ask(method, path, json=body) if body is not None else api.ask(method, path)
    assert answer.status_code in (400, 404)
    text = answer.json()["error"]["message"]
    assert (message in text, "--" in text) == (True, False), text
