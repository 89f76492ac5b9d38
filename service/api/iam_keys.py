"""Keys, for administrators: list, create, revoke."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from pipelines.documents import JsonModel, JsonObject
from pipelines.jobs.job_files.mistakes import mistakes_of
from pipelines.keys import S3Pull, create_key, list_keys_with_use, revoke_key
from service.api.callers import Administrator
from service.api.documents import Document
from service.api.openapi import body_of
from service.api.state import Service, service_of
from service.errors import ApiError
from service.logs import log
from transforms.core.errors import ConfigurationError

router = APIRouter(prefix="/keys", tags=["keys"])
Here = Annotated[Service, Depends(service_of)]


class NewKey(JsonModel):
    """A key that is to be made."""

    name: str = "key"
    """Its display name."""
    role: Literal["ingest", "read", "admin"] = "ingest"
    """What it may be used for."""
    env: str | None = None
    """Sets `_env` of the events that are ingested by it."""
    team: str | None = None
    """Sets `_team` of them."""
    s3_pull: S3Pull | None = S3Pull()
    """Whether it may ingest from S3, and its defaults; null where it may not."""
    hec: bool = False
    """Gives it a GUID token too, for clients of Splunk's HTTP Event Collector."""


class KeySummary(JsonModel):
    """A key, without its tokens."""

    id: str
    name: str
    role: str
    env: str | None = None
    team: str | None = None
    s3_pull: S3Pull | None = None
    created_at: str
    revoked_at: str | None = None
    last_used_at: str | None = None


class KeyWithTokens(KeySummary):
    """A new key: its tokens are shown this once."""

    token: str
    hec_token: str | None = None


class KeyList(JsonModel):
    """All keys, the oldest first, the revoked too."""

    keys: list[KeySummary]


@router.get("", response_model=KeyList)
def show_keys(service: Here, caller: Administrator) -> JSONResponse:
    """List all keys, the revoked too, with when each was last used."""
    del caller
    return JSONResponse({"keys": list_keys_with_use(service.tier)})


@router.post("", response_model=KeyWithTokens, openapi_extra=body_of(NewKey, {"name": "forwarders", "role": "ingest"}))
def make_key(document: Document, service: Here, caller: Administrator) -> JSONResponse:
    """Create a key; its tokens are in this answer, and nowhere else."""
    new = _checked(document)
    pull = None if new.s3_pull is None else new.s3_pull.model_dump(exclude_none=True)
    created = create_key(
        service.tier, name=new.name, role=new.role, env=new.env, team=new.team, s3_pull=pull, hec=new.hec
    )
    service.keyring.forget()
    log(f"Key {created.key.id} was created", key=caller.key_id)
    return JSONResponse(created.shown())


@router.delete("/{key_id}", response_model=KeySummary)
def end_key(key_id: str, service: Here, caller: Administrator) -> JSONResponse:
    """Revoke a key: within ten seconds it opens nothing any more. Its events keep its id."""
    try:
        key = revoke_key(service.tier, key_id)
    except ConfigurationError as error:
        raise ApiError(HTTPStatus.NOT_FOUND, f"there is no key {key_id!r:.80}", field="id") from error
    service.keyring.forget()
    log(f"Key {key.id} was revoked", key=caller.key_id)
    return JSONResponse(key.shown())


def _checked(document: JsonObject) -> NewKey:
    try:
        return NewKey.model_validate(document)
    except ValidationError as error:
        raise mistakes_of(error, document, NewKey) from None
