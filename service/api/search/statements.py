"""`POST /sql`: one SELECT, within limits of time, memory and rows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field, ValidationError

from pipelines.documents import JsonModel, JsonObject
from pipelines.jobs.job_files.mistakes import mistakes_of
from service.api.callers import Reader
from service.api.documents import Document
from service.api.openapi import body_of
from service.api.search.parameters import SearchQuery, answer_query, engine_of
from transforms.hot_tier.search import sql_text
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.search.sql import SqlResult, check_statement, run_sql
from transforms.hot_tier.table.snapshot import Snapshot

router = APIRouter(tags=["search"])
MOST_ROWS = 10_000
MOST_BYTES = 32 << 20
_ROWS_AT_ONCE = 500
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC
_EXAMPLE = {"sql": "SELECT host, count(*) AS events FROM events GROUP BY host ORDER BY events DESC", "limit": 100}


class SqlStatement(JsonModel):
    """A SELECT in DuckDB's dialect over the view `events`."""

    sql: str
    """The statement; times are in UTC."""
    limit: int = Field(1000, ge=1, le=MOST_ROWS)
    """The most rows."""


class SqlAnswer(JsonModel):
    """What a SELECT returned."""

    version: int
    """The version of the table."""
    columns: list[str]
    """As the statement names them, in its order; the second of one name gets `_1`."""
    rows: list[JsonObject]
    is_complete: bool
    """Whether these are all rows; if not, there are more than the limit, or than 32 MiB."""


@router.post("/sql", response_model=SqlAnswer, openapi_extra=body_of(SqlStatement, _EXAMPLE))
async def run_statement(request: Request, document: Document, caller: Reader) -> Response:
    """Run one SELECT in DuckDB's dialect over the view `events`, which has the columns of `rekindle sql`.

    It only reads, ends after 30 s, and spills to the disk what takes more than 512 MiB.
    """
    del caller
    try:
        asked = SqlStatement.model_validate(document)
    except ValidationError as error:
        raise mistakes_of(error, document, SqlStatement) from None
    return await answer_query(request, statement_query(asked, engine_of(request).sql_bytes))


def statement_query(asked: SqlStatement, memory: int) -> SearchQuery:
    """Return the query of a statement, which spills to the disk what takes more than so many bytes of memory.

    Raises:
        ConfigurationError: it is not one SELECT.
    """
    statement = check_statement(asked.sql)

    def run(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        with run_sql(snapshot, statement, sql_text.for_json, stop=stop, memory=memory) as result:
            rows, is_complete = _first_rows(result, asked.limit)
            known = {"version": snapshot.version, "columns": result.column_names}
        return known | {"rows": rows, "isComplete": is_complete}

    return run


def _first_rows(result: SqlResult, limit: int) -> tuple[list[orjson.Fragment], bool]:
    """Return so many rows as JSON, and whether there are no more."""
    rows: list[orjson.Fragment] = []
    size = 0
    for row in _rows(result):
        if len(rows) == limit or size > MOST_BYTES:
            return rows, False
        line = orjson.dumps(dict(zip(result.column_names, row, strict=True)), default=_json_value, option=_OPTIONS)
        size += len(line)
        rows.append(orjson.Fragment(line))
    return rows, True


def _rows(result: SqlResult) -> Iterator[tuple[Any, ...]]:
    """Yield rows as Python values, a few of a batch at a time."""
    for batch in result.batches():
        for first in range(0, batch.num_rows, _ROWS_AT_ONCE):
            part = batch.slice(first, _ROWS_AT_ONCE)
            yield from zip(*(column.to_pylist(maps_as_pydicts="lossy") for column in part.columns), strict=True)


def _json_value(value: object) -> object:
    """Return what orjson does not know: decimals as numbers with all their digits, all else as text."""
    return orjson.Fragment(f"{value:f}") if isinstance(value, Decimal) else str(value)
