"""What the address of a page of Explore asks for, and conditions that its links add."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from fastapi import Request
from pydantic import ValidationError

from pipelines.documents import JsonObject
from service.api.search.pages import PageParameters, page_query
from service.api.search.parameters import EventParameters, SearchQuery, fields_of
from service.errors import ApiError
from transforms.core.errors import ConfigurationError, QueryError
from transforms.core.names import ATTRIBUTES_COLUMN
from transforms.query.syntax import Field

EVENT_ID = "_event_id"
SHOWN = ("query", "from", "to", "last", "tier", "by", "columns", "facets")
_DISPLAYED = {"by", "columns", "facets"}
"""How events are shown, not which."""
_ROWS = 50
_OR = re.compile(r"\bor\b", re.IGNORECASE)
_T = TypeVar("_T", bound=EventParameters)


@dataclass(frozen=True)
class Question:
    """What the address of a page asks for.

    Attributes:
        values: The parameters that stay from page to page, as they were typed.
        cursor: Where the page of rows begins; empty for the first.
    """

    values: dict[str, str]
    cursor: str = ""

    @classmethod
    def of(cls, request: Request) -> Question:
        """Return what a request asks for."""
        given = request.query_params
        return cls({name: given.get(name, "").strip() for name in SHOWN}, given.get("cursor", ""))

    @classmethod
    def of_values(cls, given: Mapping[str, str]) -> Question:
        """Return what the fields of a form ask for."""
        return cls({name: given.get(name, "").strip() for name in SHOWN})

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for: the page shows what there is."""
        return not any(value for name, value in self.values.items() if name not in _DISPLAYED) and not self.cursor

    def with_values(self, **values: str) -> dict[str, str]:
        """Return the parameters with others."""
        return self.values | values

    @property
    def columns(self) -> tuple[Field, ...]:
        """The columns between time and message: the host where none were picked.

        Raises:
            ConfigurationError: there is no such field, or there are too many.
        """
        return fields_of("columns", [self.values["columns"]]) or (Field("host"),)

    def names(self, parameter: str) -> tuple[str, ...]:
        """Return the names of fields that a parameter lists, as queries have them.

        Raises:
            ConfigurationError: there is no such field, or there are too many.
        """
        return tuple(map(str, fields_of(parameter, [self.values[parameter]])))

    def with_name(self, parameter: str, name: str) -> dict[str, str]:
        """Return the parameters with one more name in a list of fields, at its end; columns begin with the host."""
        known = self.names(parameter) or (("host",) if parameter == "columns" else ())
        listed = [one for one in known if one != name]
        return self.with_values(**{parameter: ",".join([*listed, name])})

    def without_name(self, parameter: str, name: str) -> dict[str, str]:
        """Return the parameters without a name in a list of fields."""
        return self.with_values(**{parameter: ",".join(one for one in self.names(parameter) if one != name)})

    def refined(self, condition: str) -> dict[str, str]:
        """Return the queries of the events that meet a condition too, and of those that don't."""
        query = self.values["query"]
        before = f"({query})" if _OR.search(query) else query
        return {"only": f"{before} {condition}".strip(), "without": f"{before} NOT {condition}".strip()}

    def checked(self, kind: type[_T], **more: object) -> _T:
        """Return the parameters of a call.

        Raises:
            ConfigurationError: one is wrong.
        """
        given = {name: value for name, value in self.values.items() if value and name not in _DISPLAYED}
        try:
            return kind.model_validate(given | more)
        except ValidationError as error:
            detail = error.errors()[0]
            field = str(detail["loc"][-1])
            raise ConfigurationError(f"{field}: {detail['msg']}, not {detail['input']!r:.80}", field=field) from error

    def rows_query(self) -> SearchQuery:
        """Return the query of the rows.

        Raises:
            ConfigurationError: a parameter is wrong.
        """
        place = {"cursor": self.cursor} if self.cursor else {}
        return page_query(self.checked(PageParameters, limit=_ROWS, **place))


def failure_of(error: Exception, message: str) -> JsonObject:
    """Return what the page shows of an error, beside the field that is wrong."""
    position = error.position if isinstance(error, QueryError) else None
    field = getattr(error, "field", None)
    is_empty = isinstance(error, ApiError) and error.status == HTTPStatus.NOT_FOUND
    return {"field": field, "message": message.partition("\n")[0], "position": position, "is_empty": is_empty}


def term(name: str, value: str | None) -> str:
    """Return the condition that a field, named as rows do, is exactly a text; None stands for having none."""
    field = "#eventId" if name == EVENT_ID else str(Field(name.removeprefix(f"{ATTRIBUTES_COLUMN}.")))
    return condition(field, value)


def condition(field: str, value: str | None) -> str:
    """Return the condition that a field, named as queries do, is exactly a text; None stands for having none."""
    if value is None:
        return f"NOT {field}=*"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("*", "\\*")
    return f'{field}="{escaped}"'
