"""The tier's holds: shown, with their versions, and set."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from pipelines.documents import JsonModel
from service.api.administration.kept_files import (
    MATCH,
    ChangeList,
    Here,
    Limit,
    Version,
    change_as,
    changes_of,
    checked,
    expected_version,
    load_asked,
    tagged,
)
from service.api.callers import Administrator, Reader
from service.api.documents import Document
from service.api.openapi import body_of, example_of
from service.errors import ApiError
from service.logs import log
from transforms.core.errors import ConfigurationError
from transforms.hot_tier.configuration.holds import replace_holds
from transforms.hot_tier.configuration.store import HOLD_LIFTED, HOLD_SET, Configuration, load_configuration
from transforms.hot_tier.maintenance.audit import audit_configuration
from transforms.retention.rules import Hold
from transforms.retention.rules_file import make_hold

router = APIRouter(tags=["configuration"])
MOST_HOLDS = 1000


class NewHold(JsonModel):
    """A hold: its events stay, whatever the rules are."""

    name: str
    when: str
    """Which events it keeps, in the query language."""
    description: str = ""
    """Why."""


class NewHoldList(JsonModel):
    """All holds that are to be in force."""

    holds: list[NewHold]


class HoldSummary(NewHold):
    """A hold that is in force."""

    at: str
    """When it was set."""
    who: str
    """Who set it."""


class HoldList(JsonModel):
    """The holds that are in force."""

    version: int
    """The version of the tier's configuration, which is the ETag too."""
    holds: list[HoldSummary]


@router.get("/holds", response_model=HoldList, openapi_extra=example_of(version="3"))
def show_holds(service: Here, caller: Reader, *, version: Version = None) -> JSONResponse:
    """Show the holds that are in force; `ETag` is the version."""
    del caller
    return _answer(load_asked(service, version))


@router.get("/holds/versions", response_model=ChangeList, openapi_extra=example_of(limit="10"))
def list_hold_changes(service: Here, caller: Reader, *, limit: Limit = 50) -> JSONResponse:
    """List which holds were set and lifted, when, and by whom."""
    del caller
    return changes_of(service, HOLD_SET, HOLD_LIFTED, limit=limit)


@router.put(
    "/holds",
    response_model=HoldList,
    openapi_extra=body_of(NewHoldList, {"holds": [{"name": "case 17", "when": "user=ann"}]}),
)
def put_holds(request: Request, document: Document, service: Here, caller: Administrator) -> JSONResponse:
    """Let these holds be in force, and no others: new ones are set, and those that are left out are lifted.

    To lift any takes `If-Match: "VERSION"`, so that none is lifted unseen. Each change is audited.
    """
    asked = checked(document, NewHoldList)
    holds = _check(asked.holds)
    expected, current = expected_version(request), load_configuration(service.tier)
    gone = sorted({hold.name for hold in current.holds} - {hold.name for hold in holds})
    if gone and expected is None:
        text = f"{MATCH}: this lifts {gone[0]!r}: name the version that it is based on, the ETag of GET /holds"
        raise ApiError(HTTPStatus.PRECONDITION_REQUIRED, text, field=MATCH)

    def change() -> Configuration:
        try:
            # without If-Match on the version that was just looked at: another's new hold must not be lifted unseen
            seen = current.version if expected is None else expected
            configuration, added, lifted = replace_holds(service.tier, holds, expected=seen)
        finally:
            audit_configuration(service.tier)
        changes = f"{len(added)} set, {len(lifted)} lifted"
        log(f"Holds of the tier were changed: {changes} (version {configuration.version})", key=caller.key_id)
        return configuration

    return _answer(change_as(caller, change))


def _answer(configuration: Configuration) -> JSONResponse:
    holds = [asdict(hold) for hold in configuration.holds]
    return tagged({"version": configuration.version, "holds": holds}, configuration.version)


def _check(asked: list[NewHold]) -> list[Hold]:
    """Return the holds that are asked for.

    Raises:
        ConfigurationError: one is wrong, or two have one name.
    """
    if len(asked) > MOST_HOLDS:
        raise ConfigurationError(f"holds: at most {MOST_HOLDS:,}, not {len(asked):,}", field="holds")
    found: list[Hold] = []
    for number, one in enumerate(asked):
        try:
            found.append(make_hold(one.name, one.when, description=one.description))
        except ConfigurationError as error:
            field = f"holds.{number}.{error.field if error.field == 'name' else 'when'}"
            raise ConfigurationError(f"holds[{number}]: {error}", field=field) from error
        if any(other.name == one.name for other in found[:-1]):
            raise ConfigurationError(f"holds[{number}]: two are called {one.name!r}", field=f"holds.{number}.name")
    return found
