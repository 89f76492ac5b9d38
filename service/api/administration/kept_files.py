"""The files of pipelines and rules that the tier keeps: shown, with their versions, and set."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field, ValidationError

from pipelines.documents import JsonModel, JsonObject
from pipelines.jobs.job_files.mistakes import mistakes_of
from service.api.callers import Administrator, Caller, Reader
from service.api.documents import Document
from service.api.openapi import body_of, example_of
from service.api.state import Service, service_of
from service.errors import ApiError
from service.logs import log
from transforms.core.errors import ConfigurationError, ConflictError
from transforms.hot_tier.configuration.pipelines import set_pipelines
from transforms.hot_tier.configuration.rules import set_rules
from transforms.hot_tier.configuration.store import (
    PIPELINES_SET,
    RULES_SET,
    Configuration,
    load_changes,
    load_configuration,
    load_version,
)
from transforms.hot_tier.maintenance.audit import audit_configuration
from transforms.hot_tier.table.runs import acting_for

router = APIRouter(tags=["configuration"])
Here = Annotated[Service, Depends(service_of)]
Version = Annotated[int | None, Query(ge=0, description="That of the configuration; else the newest.")]
Limit = Annotated[int, Query(ge=1, le=500)]
Kind = Literal["pipelines", "rules"]
MATCH = "If-Match"
_CHANGES = {"pipelines": PIPELINES_SET, "rules": RULES_SET}
_TAG = re.compile(r'(?:W/)?"?(\d{1,15})"?')
_Model = TypeVar("_Model", bound=JsonModel)
_PIPELINES = "pipelines:\n  - name: errors\n    when: level=error\n    steps: [{set: {output: team, value: web}}]\n"
_RULES = "rules:\n  - {name: short, retention: 14d, when: service=postgresql}\n"


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("must have printable characters only")
    return name


class FileText(JsonModel):
    """The text of a file that the tier is to keep."""

    text: str
    """YAML or JSON."""
    file: Annotated[str, AfterValidator(_printable)] = Field("", max_length=200)
    """What messages call it."""


class FileVersion(JsonModel):
    """A file that the tier keeps, or none."""

    version: int
    """The version of the tier's configuration, which is its ETag too: each change of pipelines, rules or holds has one.
    """
    file: str | None
    """What messages call it; null, as all that follows, where the tier keeps none."""
    text: str | None
    sha256: str | None
    """Of the text."""
    set_at: str | None
    """When it was set."""
    who: str | None
    """Who set it: a key, or the user of a command."""


class ChangeSummary(JsonModel):
    """A change of the tier's configuration."""

    version: int
    """The version that it has made."""
    at: str
    who: str
    kind: str
    """Such as `pipelines_set` or `hold_lifted`."""
    name: str | None
    """The hold that it is about."""
    detail: JsonObject
    """More about it, such as the names of pipelines."""


class ChangeList(JsonModel):
    """Changes, the newest first."""

    versions: list[ChangeSummary]


@router.get("/pipelines", response_model=FileVersion, openapi_extra=example_of(version="3"))
def show_pipelines(service: Here, caller: Reader, *, version: Version = None) -> JSONResponse:
    """Show the pipelines that run on all that comes in; `ETag` is the version."""
    del caller
    return _show(service, "pipelines", version)


@router.get("/rules", response_model=FileVersion, openapi_extra=example_of(version="3"))
def show_rules(service: Here, caller: Reader, *, version: Version = None) -> JSONResponse:
    """Show the rules by which events are deleted and moved; `ETag` is the version."""
    del caller
    return _show(service, "rules", version)


@router.get("/pipelines/versions", response_model=ChangeList, openapi_extra=example_of(limit="10"))
def list_pipelines_versions(service: Here, caller: Reader, *, limit: Limit = 50) -> JSONResponse:
    """List when pipelines were set, and by whom; `GET /pipelines?version=` shows each."""
    del caller
    return changes_of(service, PIPELINES_SET, limit=limit)


@router.get("/rules/versions", response_model=ChangeList, openapi_extra=example_of(limit="10"))
def list_rules_versions(service: Here, caller: Reader, *, limit: Limit = 50) -> JSONResponse:
    """List when rules were set, and by whom; `GET /rules?version=` shows each."""
    del caller
    return changes_of(service, RULES_SET, limit=limit)


@router.put("/pipelines", response_model=FileVersion, openapi_extra=body_of(FileText, {"text": _PIPELINES}))
def put_pipelines(request: Request, document: Document, service: Here, caller: Administrator) -> JSONResponse:
    """Set the pipelines that run on all that comes in from now on, if nothing in them is wrong.

    With `If-Match: "VERSION"` only where that is still the version of the configuration.
    """
    return _set(request, document, service, caller, "pipelines")


@router.put("/rules", response_model=FileVersion, openapi_extra=body_of(FileText, {"text": _RULES}))
def put_rules(request: Request, document: Document, service: Here, caller: Administrator) -> JSONResponse:
    """Set the rules that deletions and moves go by from now on, if nothing in them is wrong. Nothing is deleted yet.

    With `If-Match: "VERSION"` only where that is still the version of the configuration.
    """
    return _set(request, document, service, caller, "rules")


def checked(document: JsonObject, model: type[_Model]) -> _Model:
    """Return a body as its model.

    Raises:
        ConfigurationError: a field is wrong.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise mistakes_of(error, document, model) from None


def expected_version(request: Request) -> int | None:
    """Return the version that `If-Match` names, None where any may be changed.

    Raises:
        ApiError: it names none.
    """
    text = request.headers.get(MATCH, "*").strip()
    if text == "*":
        return None
    found = _TAG.fullmatch(text)
    if found is None:
        text = f'{MATCH}: {text!r:.80} is no version: send the ETag of the answer to GET, such as "7"'
        raise ApiError(HTTPStatus.BAD_REQUEST, text, field=MATCH)
    return int(found[1])


def change_as(caller: Caller, change: Callable[[], Configuration]) -> Configuration:
    """Make a change as a caller.

    Raises:
        ApiError: 412, another has changed the version that was expected.
    """
    try:
        with acting_for(caller.actor):
            return change()
    except ConflictError as error:
        raise ApiError(HTTPStatus.PRECONDITION_FAILED, str(error), field=MATCH) from error


def changes_of(service: Service, *kinds: str, limit: int) -> JSONResponse:
    """Return the newest changes of some kinds."""
    found = []
    for one in load_changes(service.tier, kinds, limit=limit):
        assert one.change is not None
        change = {"kind": one.change.kind, "name": one.change.name, "detail": one.change.detail}
        found.append({"version": one.version, "at": one.at, "who": one.who} | change)
    return JSONResponse({"versions": found})


def tagged(document: JsonObject, version: int) -> JSONResponse:
    """Return an answer with its version as ETag."""
    return JSONResponse(document, headers={"ETag": f'"{version}"'})


def load_asked(service: Service, version: int | None) -> Configuration:
    """Return the version of the configuration that is asked for, the newest without one.

    Raises:
        ApiError: there is none.
    """
    found = load_configuration(service.tier) if version is None else load_version(service.tier, version)
    if found is None:
        raise ApiError(HTTPStatus.NOT_FOUND, f"there is no version {version} of the configuration", field="version")
    return found


def _show(service: Service, kind: Kind, version: int | None) -> JSONResponse:
    return _answer(service, kind, load_asked(service, version))


def _answer(service: Service, kind: Kind, configuration: Configuration) -> JSONResponse:
    kept = configuration.pipelines if kind == "pipelines" else configuration.rules
    document: JsonObject = dict.fromkeys(("file", "text", "sha256", "setAt", "who"))
    if kept is not None:
        changes = load_changes(service.tier, {_CHANGES[kind]}, limit=1, until=configuration.version)
        by = {"setAt": changes[0].at, "who": changes[0].who} if changes else {}
        document |= {"file": kept.file, "text": kept.text, "sha256": kept.sha256} | by
    return tagged({"version": configuration.version} | document, configuration.version)


def _set(request: Request, document: JsonObject, service: Service, caller: Caller, kind: Kind) -> JSONResponse:
    return set_kept(service, caller, kind, checked(document, FileText), expected=expected_version(request))


def set_kept(service: Service, caller: Caller, kind: Kind, asked: FileText, *, expected: int | None) -> JSONResponse:
    """Keep a text from now on, and answer with its version.

    Args:
        service: The service.
        caller: Who does it.
        kind: What the text is.
        asked: The text.
        expected: The only version that may be changed; None is any.

    Raises:
        ApiError: 412, another has changed the version that was expected.
        ConfigurationError: something in the text is wrong; all mistakes with their places.
    """
    set_file = set_pipelines if kind == "pipelines" else set_rules
    change = partial(set_file, service.tier, asked.text, file=asked.file or f"{kind}.yaml", expected=expected)
    try:
        configuration = change_as(caller, change)
    except ConfigurationError as error:
        raise ConfigurationError(str(error), field="text") from error
    audit_configuration(service.tier)
    log(f"The {kind} of the tier are set (version {configuration.version})", key=caller.key_id)
    return _answer(service, kind, configuration)
