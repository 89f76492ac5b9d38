"""Completion of a query while it is typed: names of attributes, and after `=` their values."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.api.search.contents import FieldsParameters, ValuesParameters, fields_query, values_query
from service.api.search.parameters import engine_of
from service.pages.explore.question import condition
from service.pages.rendering import PageRoute, render
from service.pages.sessions import Visitor
from transforms.hot_tier.search.rows import row_field

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_OPTIONS = 12
_MOST_VALUE = 200
_BEGIN = r"(?:^|(?<=[\s(]))"
_VALUE = re.compile(_BEGIN + r"(?P<name>`(?:[^`]|``)+`|#?[\w.@-]+)(?P<operator>!?=)(?P<value>\"[^\"]*|[^\s\"(),]*)\Z")
_NAME = re.compile(_BEGIN + r"(?P<name>`[^`]*|#?[\w.@-]*)\Z")
_QUOTE = re.compile(r"(?<!\\)\"")


@dataclass(frozen=True)
class Unfinished:
    """What is being typed at the end of a text.

    Attributes:
        kept: The text before it.
        prefix: The begin of a name or of a value.
        name: The field whose value it is; None where it is a name itself.
    """

    kept: str
    prefix: str
    name: str | None = None


@router.get("/explore/complete")
async def complete(request: Request, visitor: Visitor, before: str = "") -> Response:
    """Show how the text before the cursor may go on: each option has the whole of it."""
    del visitor
    unfinished, engine = unfinished_of(before), engine_of(request)
    options: list[tuple[str, str, int | None]] = []
    if unfinished is not None and unfinished.name is None:
        names = fields_query(FieldsParameters(prefix=unfinished.prefix, limit=_OPTIONS), engine.cache)
        found = await engine.run(request, names)
        options = [(f"{one['name']}=", one["name"], one["events"]) for one in found["fields"]]
    elif unfinished is not None and unfinished.name is not None:
        values = values_query(unfinished.name, ValuesParameters(prefix=unfinished.prefix, limit=_OPTIONS), engine.cache)
        found = await engine.run(request, values)
        field, known = str(row_field(unfinished.name)), found["values"]
        options = [
            (condition(field, one["value"]).removeprefix(f"{field}=") + " ", one["value"], one["count"])
            for one in known
            if len(one["value"]) <= _MOST_VALUE
        ]
    return render(
        request, "explore/completion.html", kept="" if unfinished is None else unfinished.kept, options=options
    )


def unfinished_of(text: str) -> Unfinished | None:
    """Return what is being typed at the end of a text; None where it is neither a name nor a value."""
    if found := _VALUE.search(text):
        is_quoted = len(_QUOTE.findall(text[: found.start()])) % 2 == 1
        value = found["value"]
        return None if is_quoted else Unfinished(text[: found.start("value")], value.removeprefix('"'), found["name"])
    found = _NAME.search(text)
    if found is None or len(_QUOTE.findall(text)) % 2 == 1:
        return None
    return Unfinished(text[: found.start("name")], found["name"])
