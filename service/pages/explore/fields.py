"""Statistics of attributes: how many events have each, and the frequent and rare values of one."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipelines.documents import JsonObject
from service.api.search.contents import FieldParameters, FieldsParameters, field_query, fields_query
from service.api.search.counts import FacetParameters, facet_query
from service.api.search.parameters import SearchQuery, read_parameter
from service.pages.explore.parts import show_part, shown_values
from service.pages.explore.question import Question
from service.pages.rendering import PageRoute
from service.pages.sessions import Visitor
from transforms.hot_tier.search import rows
from transforms.hot_tier.search.aggregates.fields import MOST_LISTED
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_NAMES = 200
_VALUES = 50


@router.get("/explore/fields")
async def show_fields(request: Request, visitor: Visitor, prefix: str = "") -> Response:
    """Show which attributes events have, and how many events have each."""
    del visitor

    def query_of(question: Question, cache: FileCache) -> SearchQuery:
        return _fields(question, prefix.strip(), cache)

    return await show_part(request, "fields", "Attributes", query_of, prefix=prefix.strip())


@router.get("/explore/field")
async def show_field(request: Request, visitor: Visitor, name: str = "") -> Response:
    """Show how many events have an attribute, how many values it has, and which are frequent and rare."""
    del visitor

    def query_of(question: Question, cache: FileCache) -> SearchQuery:
        return _field(question, name, cache)

    return await show_part(request, "field", f"Attribute {name:.60}", query_of, name=name)


def _fields(question: Question, prefix: str, cache: FileCache) -> SearchQuery:
    names = fields_query(question.checked(FieldsParameters, prefix=prefix), cache)
    total = _total(question, cache)

    def find(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        found, count = names(snapshot, stop), total(snapshot, stop)["count"]
        is_complete = found["isComplete"] and len(found["fields"]) < MOST_LISTED
        shown = [one | {"share": _share(one["events"], count)} for one in found["fields"][:_NAMES]]
        return {"fields": shown, "count": count, "known": len(found["fields"]), "is_complete": is_complete}

    return find


def _field(question: Question, name: str, cache: FileCache) -> SearchQuery:
    field = str(read_parameter("name", name, rows.row_field))
    describe = field_query(name, question.checked(FieldParameters, limit=_VALUES), cache)
    total = _total(question, cache)

    def find(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        found, count = describe(snapshot, stop), total(snapshot, stop)["count"]
        most = max((one["count"] for one in found["values"]), default=0)
        frequent = {one["value"] for one in found["values"]}
        rare = [one for one in found["rare"] if one["value"] not in frequent]
        return {
            "statistics": found | {"share": _share(found["events"], count)},
            "count": count,
            "field": field,
            "top": shown_values(field, found["values"], question),
            "rare": shown_values(field, rare, question, most=most),
        }

    return find


def _total(question: Question, cache: FileCache) -> SearchQuery:
    """Return the query of how many events match: of one field always, whose counts are kept."""
    return facet_query(question.checked(FacetParameters, fields=["#format"], limit=1), cache)


def _share(events: int | None, count: int) -> str:
    """Return which part of all events has an attribute; 0 and 100 stand for none and all alone."""
    share = 100 * (events or 0) / max(count, 1)
    if events and share < 0.1:
        return "< 0.1"
    return "> 99.9" if 99.9 < share < 100 else f"{share:.1f}"
