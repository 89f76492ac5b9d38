"""A part of Explore that is loaded on its own, with an error of its own; and values with links that refine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from pipelines.documents import JsonObject
from service.api.search.parameters import SearchQuery, engine_of
from service.errors import ApiError, reply_of
from service.pages.explore.levels import meaning_of
from service.pages.explore.question import Question, condition, failure_of
from service.pages.rendering import render
from transforms.core.errors import RekindleError
from transforms.hot_tier.search.aggregates.file_cache import FileCache

Part = Callable[[Question, FileCache], SearchQuery]
Find = Callable[[], Awaitable[JsonObject]]
_MOST_VALUE = 300
"""A longer value makes an address too long."""


async def show_part(request: Request, part: str, title: str, query_of: Part, **more: str) -> Response:
    """Answer with a part, or, where a browser without scripts asks for it, with a page of it.

    Args:
        request: The call.
        part: The name of its template and the end of its address.
        title: Its heading.
        query_of: Returns the query whose answer the template gets.
        more: Parameters of its own.
    """
    question, engine = Question.of(request), engine_of(request)

    async def find() -> JsonObject:
        return await engine.run(request, query_of(question, engine.cache))

    return await answer_part(request, question, part, title, find, more=more)


async def answer_part(
    request: Request, question: Question, part: str, title: str, find: Find, **known: Any
) -> Response:
    """Answer with a part out of what `find` returns, or with the error that it raises."""
    context: dict[str, Any] = {"page": "Explore", "question": question, "part": part, "title": title, **known}
    template = f"explore/{part}.html" if "HX-Request" in request.headers else "explore/part_page.html"
    try:
        found = await find()
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        return render(request, template, reply=reply, failure=failure_of(error, reply.message), **context)
    return render(request, template, failure=None, **context, **found)


def shown_values(
    field: str, values: Sequence[JsonObject], question: Question, *, most: int | None = None
) -> list[JsonObject]:
    """Return values of a field as the page shows them: their bars, as long as `most` allows, and what refines."""
    most = most or max((one["count"] for one in values), default=0)
    return [
        one
        | {"share": round(100 * one["count"] / most, 1), "kind": meaning_of(one["value"])}
        | (
            {"only": None, "without": None}
            if len(one["value"]) > _MOST_VALUE
            else question.refined(condition(field, one["value"]))
        )
        for one in values
    ]
