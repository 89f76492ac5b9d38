"""Searches that the tier keeps: shown, saved and deleted by whoever may read it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from pipelines.documents import JsonModel, JsonObject
from service.api.administration.kept_files import MATCH, Here, checked, expected_version, tagged
from service.api.callers import Caller, Reader
from service.api.documents import Document
from service.api.openapi import body_of
from service.api.search.parameters import EventParameters, fields_of, read_parameter
from service.api.state import Service
from service.errors import ApiError
from service.logs import log
from transforms.core.errors import ConflictError
from transforms.hot_tier.configuration.searches import (
    MOST_NAME,
    KeptSearch,
    delete_search,
    load_searches,
    save_search,
)
from transforms.hot_tier.search import rows
from transforms.hot_tier.table.runs import acting_for

router = APIRouter(tags=["configuration"])
Name = Annotated[str, Path(min_length=1, max_length=MOST_NAME, description="The name of the search.")]
_EXAMPLE = {"query": "status=5* NOT path=/health", "last": "24h", "columns": ["host", "status"]}


class SearchToKeep(EventParameters):
    """Which events, and how they are shown."""

    columns: list[str] = []
    """The attributes that are shown as columns."""
    by: str | None = None
    """The attribute by which the histogram is coloured."""


class SearchSummary(SearchToKeep):
    """A search that the tier keeps."""

    name: str
    version: int
    """The change that has saved it, which is its ETag."""
    at: str
    """When it was saved."""
    who: str
    """Who saved it."""


class SearchList(JsonModel):
    """The searches that the tier keeps."""

    version: int
    """How many times one was saved or deleted."""
    searches: list[SearchSummary]
    """By name."""


@router.get("/searches")
def show_searches(service: Here, caller: Reader) -> SearchList:
    """List the searches that the tier keeps."""
    del caller
    found = load_searches(service.tier)
    return SearchList(version=found.version, searches=list(map(_summary, found.searches)))


@router.get("/searches/{name}", response_model=SearchSummary)
def show_search(name: Name, service: Here, caller: Reader) -> JSONResponse:
    """Show one of them; `ETag` is its version."""
    del caller
    found = load_searches(service.tier).find(name)
    if found is None:
        raise _missing(name)
    return _answer(found)


@router.put("/searches/{name}", response_model=SearchSummary, openapi_extra=body_of(SearchToKeep, _EXAMPLE))
def put_search(request: Request, name: Name, document: Document, service: Here, caller: Reader) -> JSONResponse:
    """Keep a search under a name, for all who may read the tier. The same again is no change.

    To replace another of this name takes `If-Match: "VERSION"`, so that none is lost unseen.
    """
    asked = checked(document, SearchToKeep)
    return _answer(keep(service, caller, name, asked, expected=expected_version(request)))


@router.delete("/searches/{name}", response_model=SearchSummary)
def end_search(request: Request, name: Name, service: Here, caller: Reader) -> JSONResponse:
    """Delete a search, and show what it was; with `If-Match: "VERSION"` only that version of it."""
    return _answer(forget(service, caller, name, expected=expected_version(request)))


def keep(service: Service, caller: Caller, name: str, asked: SearchToKeep, *, expected: int | None) -> KeptSearch:
    """Keep a search as a caller.

    Args:
        service: The service.
        caller: Who saves it.
        name: Its name.
        asked: What it asks for.
        expected: The version of the search that it replaces; None where it is to be new.

    Raises:
        ApiError: 428, there is another of this name; 412, it is not the one that was expected.
        ConfigurationError: a field is wrong.
    """
    asked.check()
    fields_of("columns", asked.columns)
    if asked.by is not None:
        read_parameter("by", asked.by, rows.row_field)
    parameters: dict[str, Any] = asked.model_dump(by_alias=True, exclude_defaults=True)
    try:
        with acting_for(caller.actor):
            kept = save_search(service.tier, name, parameters, expected=expected)
    except ConflictError as error:
        if expected is not None:
            raise ApiError(HTTPStatus.PRECONDITION_FAILED, str(error), field=MATCH) from error
        text = f"{MATCH}: {error}: name its version to replace it, or choose another name"
        raise ApiError(HTTPStatus.PRECONDITION_REQUIRED, text, field=MATCH) from error
    log(f"A search is saved (version {kept.version})", key=caller.key_id)
    return kept


def forget(service: Service, caller: Caller, name: str, *, expected: int | None) -> KeptSearch:
    """Delete a search as a caller, and return it.

    Raises:
        ApiError: 404, there is none of this name; 412, it is not the one that was expected.
    """
    try:
        with acting_for(caller.actor):
            gone = delete_search(service.tier, name, expected=expected)
    except KeyError:
        raise _missing(name) from None
    except ConflictError as error:
        raise ApiError(HTTPStatus.PRECONDITION_FAILED, str(error), field=MATCH) from error
    log(f"A search is deleted, which was of version {gone.version}", key=caller.key_id)
    return gone


def _missing(name: str) -> ApiError:
    return ApiError(HTTPStatus.NOT_FOUND, f"there is no search {name!r:.120}", field="name")


def _summary(kept: KeptSearch) -> SearchSummary:
    known: JsonObject = {"name": kept.name, "version": kept.version, "at": kept.at, "who": kept.who}
    return SearchSummary.model_validate(kept.parameters | known)


def _answer(kept: KeptSearch) -> JSONResponse:
    return tagged(_summary(kept).as_document(), kept.version)
