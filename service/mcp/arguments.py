"""What the tools take: the parameters of the calls of the HTTP API, with lower defaults, since a model reads it all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from pipelines.documents import JsonModel, JsonObject
from service.api.search import contents, counts, pages, statements
from transforms.core.errors import ConfigurationError
from transforms.hot_tier.search.aggregates.fields import MOST_LISTED
from transforms.hot_tier.search.aggregates.patterns import MOST_PATTERNS

_MOST_CHARACTERS = 20_000
_VALUES: dict[str, list[Any]] = {
    "query": ["status=404 login", "level=error AND service IN (cart, pay*)", '"out of memory"'],
    "from": ["2025-08-11", "2025-08-11T22:00:00Z"],
    "to": ["2025-08-12"],
    "last": ["90m", "24h", "7d"],
    "fields": [["host", "status"]],
    "facets": [["host", "status"]],
    "by": ["level"],
    "span": ["5m", "1h", "1d"],
    "name": ["status"],
    "sql": ["SELECT host, count(*) AS events FROM events GROUP BY host ORDER BY events DESC"],
}
"""Values of arguments, by name, as examples."""


class SearchArguments(pages.PageParameters):
    """Which events, and which page of them."""

    limit: int = Field(20, ge=1, le=pages.MOST_ROWS)
    """The most events."""
    max_characters: int = Field(1000, ge=20, le=_MOST_CHARACTERS)
    """The most characters of a value; of a longer one its beginning is shown, and how many follow."""


class HistogramArguments(counts.HistogramParameters):
    """Which events, and how their bars are made."""

    bars: int = Field(30, ge=2, le=200)
    """The most bars, where no span is given."""
    groups: int = Field(5, ge=1, le=20)
    """The most values by which they are divided."""


class FacetArguments(counts.FacetParameters):
    """Which events, and which fields of them."""


class FieldsArguments(contents.FieldsParameters):
    """Which events, and which of their attributes."""

    limit: int = Field(100, ge=1, le=MOST_LISTED)
    """The most names."""


class FieldArguments(contents.FieldParameters):
    """Which field, of which events."""

    name: str
    """The field: an attribute, such as `status`, or a system attribute, such as `#format`."""


class PatternArguments(counts.PatternParameters):
    """Which events."""

    limit: int = Field(20, ge=1, le=MOST_PATTERNS)
    """The most shapes."""


class UsageArguments(JsonModel):
    """By what the tier is divided."""

    by: contents.UsageGroup = "day"
    """By which the events are counted."""


class SqlArguments(statements.SqlStatement):
    """A SELECT in DuckDB's dialect over the view `events`."""

    limit: int = Field(100, ge=1, le=statements.MOST_ROWS)
    """The most rows."""
    max_characters: int = Field(1000, ge=20, le=_MOST_CHARACTERS)
    """The most characters of a value; of a longer one its beginning is shown, and how many follow."""


def read_arguments(model: type[BaseModel], given: Mapping[str, Any]) -> Any:
    """Return the arguments of a call as its model has them.

    A null stands for an argument that is left out, and one text for a list of one: models write both.

    Raises:
        ConfigurationError: one is unknown, missing or wrong; the error names all of them.
    """
    lists = {name for name, one in model.model_json_schema()["properties"].items() if one.get("type") == "array"}
    known = {
        name: [value] if name in lists and isinstance(value, str) else value
        for name, value in given.items()
        if value is not None
    }
    try:
        return model.model_validate(known)
    except ValidationError as error:
        names = ", ".join(model.model_json_schema()["properties"])
        problems = [_problem(one, names) for one in error.errors()]
        field = str(error.errors()[0]["loc"][0])
        raise ConfigurationError("\n".join(problems), field=field) from error


def _problem(detail: Any, names: str) -> str:
    name = ".".join(map(str, detail["loc"]))
    if detail["type"] == "extra_forbidden":
        return f"{name}: there is no such argument; there are {names}"
    if detail["type"] == "missing":
        return f"{name}: is required"
    return f"{name}: {detail['msg']}, not {detail['input']!r:.200}"


def input_schema(model: type[BaseModel], examples: list[JsonObject]) -> JsonObject:
    """Return the JSON schema of arguments, with examples of each and of whole calls.

    Clients differ in what they take of JSON Schema: there are no references, no unions with null, and no titles.
    """
    schema = model.model_json_schema()
    for name, one in schema["properties"].items():
        choices = [choice for choice in one.pop("anyOf", []) if choice.get("type") != "null"]
        for key, value in (choices[0] if choices else {}).items():
            one.setdefault(key, value)
        one.pop("title", None)
        if one.get("default", "") is None:
            del one["default"]
        if name in _VALUES and "enum" not in one:
            one["examples"] = _VALUES[name]
    schema.pop("title", None)
    return {**schema, "examples": examples}
