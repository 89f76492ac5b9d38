"""`POST /pipelines/test`: what pipelines do to a sample."""

from __future__ import annotations

import tempfile
from http import HTTPStatus
from pathlib import Path

import orjson
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from pipelines.documents import JsonModel, JsonObject
from pipelines.jobs.specification import FormatSpecification, check_specification
from service.api.administration.kept_files import Here, checked
from service.api.callers import Caller, Reader
from service.api.documents import Document
from service.api.openapi import body_of
from service.api.previews import SAMPLING
from service.api.state import Service
from service.errors import ApiError
from transforms.config_files.documents import read_document
from transforms.core.errors import ConfigurationError
from transforms.event_pipelines import Pipeline
from transforms.event_pipelines.definition import load_pipelines
from transforms.formats.options import FormatOptions
from transforms.hot_tier.configuration.store import load_configuration
from transforms.objects.reading import ReadSettings
from transforms.objects.sampling.sample_object import Sample, sample_object
from transforms.objects.sampling.try_sample import SAMPLE_BYTES, try_on_sample
from transforms.storage import UPLOADED, StorageOptions, TierStore, open_store

_SECRETS = {"hash", "hash_key_file"}
router = APIRouter(tags=["configuration"])
_EXAMPLE = {
    "text": "pipelines: [{name: p, steps: [{regex: {source: message, pattern: '(?P<user>[a-z]+) logged in'}}]}]",
    "sample": "2025-01-01T10:00:00Z ann logged in\n",
}


class TrialRequest(JsonModel):
    """Pipelines, and events for them to be tried on."""

    text: str | None = None
    """A file of pipelines, YAML or JSON; else those of the tier."""
    sample: str
    """Events, in any format, as an object would have them."""
    key: str = Field("sample", min_length=1, max_length=1024)
    """The key of that object, for `filename` and the format."""
    format_options: FormatSpecification = FormatSpecification()
    """How it is read."""
    index: str | None = None
    source: str | None = None
    sourcetype: str | None = None
    host: str | None = None
    events: int = Field(20, ge=1, le=100)
    """The most events."""


class TrialAnswer(JsonModel):
    """What pipelines do to the events of a sample."""

    format: JsonObject | None
    """The format that was found, and the rule by which."""
    failure: str | None
    """Why no more of it could be read."""
    steps: list[JsonObject]
    """How many events each step has changed, skipped, dropped, or failed on."""
    events: list[JsonObject]
    """Each event before and after, and what each step made of it."""
    by_pipeline: dict[str, JsonObject]
    """On how many events each pipeline was tried, and how many of them matched."""


@router.post("/pipelines/test", response_model=TrialAnswer, openapi_extra=body_of(TrialRequest, _EXAMPLE))
def test_pipelines(document: Document, service: Here, caller: Reader) -> Response:
    """Show what pipelines would do to the events of a sample: nothing is kept.

    Steps that hash by the secret key (`redact` with `hash: true`) are tested by an administrator's key alone.
    """
    found = try_out(document, service, caller)
    return Response(orjson.dumps(found, default=str, option=orjson.OPT_UTC_Z), media_type="application/json")


def try_out(document: JsonObject, service: Service, caller: Caller) -> JsonObject:
    """Return what pipelines do to the events of a sample, by the body of a request.

    Raises:
        ApiError: 403, the caller may not have values hashed.
        ConfigurationError: a field is wrong, or something in the pipelines is.
    """
    asked = checked(document, TrialRequest)
    pipelines = check_pipelines(*_text_of(asked, service.tier), caller)
    settings = _settings_of(document)
    with SAMPLING:
        return try_on_sample(_read(asked, settings), pipelines, events=asked.events)


def check_pipelines(text: str, source: str, caller: Caller) -> tuple[Pipeline, ...]:
    """Read a text of pipelines that nobody has vouched for yet.

    Raises:
        ApiError: 403, it names a secret key of hashes, by which a reader could look for what was masked.
        ConfigurationError: something in it is wrong; all mistakes with their places.
    """
    try:
        if not caller.has("admin") and _names_secret(read_document(text, source=source, field="text").value):
            message = "a step with hash takes a secret key, which only a key of the role admin may use for tests"
            raise ApiError(HTTPStatus.FORBIDDEN, message, field="text")
        return load_pipelines(text, source=source)
    except ConfigurationError as error:
        raise ConfigurationError(str(error), field="text") from error


def _names_secret(value: object) -> bool:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if _SECRETS & one.keys():
                return True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False


def _text_of(asked: TrialRequest, tier: TierStore) -> tuple[str, str]:
    """Return the text of the pipelines that are to be tried, and what messages call it."""
    if asked.text is not None:
        return asked.text, "pipelines"
    kept = load_configuration(tier).pipelines
    if kept is None:
        raise ConfigurationError("text: the tier has no pipelines of its own: give some", field="text")
    return kept.text, kept.file


def _settings_of(document: JsonObject) -> ReadSettings:
    names = ("formatOptions", "index", "source", "sourcetype", "host")
    fields = {name: document[name] for name in names if name in document}
    [source] = check_specification({"bucket": UPLOADED} | fields, is_upload=True).all_sources
    formats = source.format_settings(max_record=FormatOptions().max_record)
    return ReadSettings(task_id="test", formats=formats, defaults=source.defaults)


def _read(asked: TrialRequest, settings: ReadSettings) -> Sample:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sample").write_bytes(asked.sample.encode(errors="replace"))
        store = open_store(f"file://{folder}", StorageOptions())
        (info,) = next(store.list_pages(""))
        return sample_object(info, store, settings, size=SAMPLE_BYTES, key=asked.key)
