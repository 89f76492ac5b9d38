"""The tools: one table of what each takes, asks and answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import mcp.types as protocol
import orjson
from pydantic import BaseModel, TypeAdapter

from pipelines.documents import JsonObject
from service.api.engine import SearchEngine
from service.api.search import answers, contents, counts, pages, statements
from service.api.search.parameters import SearchQuery
from service.mcp import arguments, texts
from service.mcp.shortening import MOST_CHARACTERS, fit_lists, fit_rows
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot

_MOST_VALUE_CHARACTERS = 500
_NOTES = {
    "type": "array",
    "items": {"type": "string"},
    "description": "What was cut, and how to see the rest; and what not to trust.",
}
_CUT = f"Lists were cut, so that the answer is no longer than {MOST_CHARACTERS:,} characters: "
MakeQuery: TypeAlias = Callable[[Any, SearchEngine], SearchQuery]


@dataclass(frozen=True, kw_only=True)
class ReadingTool:
    """A tool.

    Attributes:
        name: As clients call it.
        title: As people see it.
        description: As models see it.
        arguments: The model of what it takes.
        answer: The model of what it answers, but for `notes`.
        make_query: Returns the query; its answer has `notes`.
        examples: Arguments of calls.
    """

    name: str
    title: str
    description: str
    arguments: type[BaseModel]
    answer: type[BaseModel]
    make_query: MakeQuery
    examples: list[JsonObject]

    def describe(self) -> protocol.Tool:
        """Return the tool as clients list it."""
        return protocol.Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=arguments.input_schema(self.arguments, self.examples),
            output_schema=_output_schema(self.answer),
            annotations=protocol.ToolAnnotations(
                title=self.title,
                read_only_hint=True,
                destructive_hint=False,
                idempotent_hint=True,
                open_world_hint=True,  # what it answers with was written by strangers
            ),
        )


def _output_schema(model: type[BaseModel]) -> JsonObject:
    schema = TypeAdapter(model).json_schema(mode="serialization", by_alias=True)
    schema["properties"] = {**schema["properties"], "notes": _NOTES}
    schema["required"] = [*schema.get("required", ()), "notes"]
    return schema


def _as_json(document: JsonObject) -> JsonObject:
    """Return a document as clients get it, with times as text."""
    plain: JsonObject = orjson.loads(orjson.dumps(document, option=orjson.OPT_UTC_Z))
    return plain


def _search(asked: arguments.SearchArguments, engine: SearchEngine) -> SearchQuery:
    del engine
    query = pages.page_query(asked)

    def found(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        page = _as_json(query(snapshot, stop))
        notes = [texts.UNTRUSTED]
        rows, shown = page["rows"], fit_rows(page["rows"], asked.max_characters)
        if len(shown) < len(rows):  # the next page begins behind the last row that is shown
            shorter = asked.model_copy(update={"limit": len(shown)})
            page = _as_json(pages.page_query(shorter)(snapshot, stop))
            notes.append(
                f"{len(shown)} of {len(rows)} events are shown, so that the answer is no longer than "
                f"{MOST_CHARACTERS:,} characters: go on with `next` as cursor, or name fewer fields."
            )
            shown = fit_rows(page["rows"], asked.max_characters)
        return page | {"rows": shown, "notes": notes}

    return found


def _sql(asked: arguments.SqlArguments, engine: SearchEngine) -> SearchQuery:
    query = statements.statement_query(asked, engine.sql_bytes)

    def found(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        answer = _as_json(query(snapshot, stop))
        notes = [texts.UNTRUSTED]
        rows, shown = answer["rows"], fit_rows(answer["rows"], asked.max_characters)
        if len(shown) < len(rows):
            notes.append(
                f"{len(shown)} rows are shown, so that the answer is no longer than {MOST_CHARACTERS:,} characters: "
                "aggregate, select fewer columns, or use LIMIT and OFFSET."
            )
        elif not answer["isComplete"]:
            notes.append(f"There are more rows than the {len(rows)} that are shown: aggregate, or raise `limit`.")
        return answer | {"rows": shown, "isComplete": answer["isComplete"] and len(shown) == len(rows), "notes": notes}

    return found


def _cutting(query: SearchQuery, find_lists: Callable[[JsonObject], Sequence[tuple[JsonObject, str]]]) -> SearchQuery:
    """Return a query whose answer's lists are cut where they are too long."""

    def found(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        answer = _as_json(query(snapshot, stop))
        is_cut = fit_lists(answer, find_lists(answer), _MOST_VALUE_CHARACTERS)
        note = f"{_CUT}narrow the query or the range, ask for fewer fields, or lower `limit`."
        return answer | {"notes": [texts.UNTRUSTED, *([note] if is_cut else [])]}

    return found


def _facet_lists(answer: JsonObject) -> list[tuple[JsonObject, str]]:
    return [(facet, "values") for facet in answer["facets"]]


def _own_lists(*names: str) -> Callable[[JsonObject], list[tuple[JsonObject, str]]]:
    return lambda answer: [(answer, name) for name in names]


TOOLS = {
    tool.name: tool
    for tool in (
        ReadingTool(
            name="search",
            title="Search events",
            description=texts.SEARCH,
            arguments=arguments.SearchArguments,
            answer=pages.EventPage,
            make_query=_search,
            examples=[
                {"query": "status=404 login", "last": "24h"},
                {"query": "level=error", "from": "2025-08-11", "to": "2025-08-12", "fields": ["host", "_message"]},
            ],
        ),
        ReadingTool(
            name="histogram",
            title="Count events over time",
            description=texts.HISTOGRAM,
            arguments=arguments.HistogramArguments,
            answer=answers.HistogramAnswer,
            make_query=lambda asked, engine: _cutting(
                counts.histogram_query(asked, engine.cache), lambda answer: [*_facet_lists(answer), (answer, "bars")]
            ),
            examples=[{"query": "status>=500", "last": "7d", "span": "1h"}, {"last": "24h", "by": "level"}],
        ),
        ReadingTool(
            name="facets",
            title="Count events by values",
            description=texts.FACETS,
            arguments=arguments.FacetArguments,
            answer=answers.FacetList,
            make_query=lambda asked, engine: _cutting(counts.facet_query(asked, engine.cache), _facet_lists),
            examples=[{"fields": ["host", "status"], "query": "level=error", "last": "24h"}],
        ),
        ReadingTool(
            name="fields",
            title="List fields",
            description=texts.FIELDS,
            arguments=arguments.FieldsArguments,
            answer=answers.FieldsAnswer,
            make_query=lambda asked, engine: _cutting(contents.fields_query(asked, engine.cache), _own_lists("fields")),
            examples=[{}, {"query": "service=payment", "prefix": "trace"}],
        ),
        ReadingTool(
            name="field",
            title="Describe a field",
            description=texts.FIELD,
            arguments=arguments.FieldArguments,
            answer=answers.FieldAnswer,
            make_query=lambda asked, engine: _cutting(
                contents.field_query(asked.name, asked, engine.cache), _own_lists("values", "rare")
            ),
            examples=[{"name": "status", "last": "24h"}],
        ),
        ReadingTool(
            name="patterns",
            title="Group messages",
            description=texts.PATTERNS,
            arguments=arguments.PatternArguments,
            answer=answers.PatternAnswer,
            make_query=lambda asked, _: _cutting(counts.pattern_query(asked), _own_lists("patterns")),
            examples=[{"query": "level=error", "last": "24h"}],
        ),
        ReadingTool(
            name="usage",
            title="Show what there is",
            description=texts.USAGE,
            arguments=arguments.UsageArguments,
            answer=answers.UsageAnswer,
            make_query=lambda asked, engine: _cutting(contents.usage_query(asked.by, engine.cache), _own_lists("rows")),
            examples=[{}, {"by": "sourcetype"}],
        ),
        ReadingTool(
            name="sql",
            title="Run SQL",
            description=texts.SQL,
            arguments=arguments.SqlArguments,
            answer=statements.SqlAnswer,
            make_query=_sql,
            examples=[
                {"sql": "SELECT host, count(*) AS events FROM events GROUP BY host ORDER BY events DESC", "limit": 20}
            ],
        ),
    )
}
"""The tools by name, in the order in which they are listed."""
