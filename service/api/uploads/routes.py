"""`POST /upload`: files as a job."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from pipelines.documents import JsonObject
from pipelines.jobs.settings import RunSettings
from service.api.callers import Caller, Ingester
from service.api.jobs import StartedJob
from service.api.specifications import check_context
from service.api.state import service_of
from service.api.turns import turn_of
from service.api.uploads.fields import NAME, check_file_name, check_name, described_fields, modified_of, specify
from service.api.uploads.multipart import BodyReader, FileReader, FormReader, boundary_of, name_in
from service.api.uploads.receiving import Admission, Receipt
from service.errors import ApiError
from service.logs import log
from transforms.core.errors import ConfigurationError

router = APIRouter(tags=["jobs"])
_FILES = {"type": "array", "items": {"type": "string", "format": "binary"}, "description": "The files."}


def _described() -> JsonObject:
    """Return the description of query and body, whose fields are those of a job."""
    fields = described_fields()
    form = {name: schema for name, schema in fields.items() if name != NAME}
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema, "description": schema["description"]}
            for name, schema in fields.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {"type": "object", "properties": {"file": _FILES, **form}, "required": ["file"]},
                    "example": {"file": ["2025-01-01T10:00:00Z hello"], "sourcetype": "app"},
                },
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            },
        },
    }


@router.post("/upload", openapi_extra=_described())
async def upload(request: Request, caller: Ingester) -> StartedJob:
    """Start a job over files that are sent with it: a form of one or many, or one file as the body.

    `curl -F file=@app.log.gz -F sourcetype=app …/upload` or
    `curl --data-binary @app.log.gz '…/upload?name=app.log.gz&sourcetype=app'`. Codec and format are found as those of
    objects. A file is known by its name and content: sent again, it adds nothing.
    """
    return await start_upload(request, caller)


async def start_upload(request: Request, caller: Caller, admit: Admission | None = None) -> StartedJob:
    """Start a job over the files that a request has.

    Args:
        request: The call, whose body was not read.
        caller: Who may upload.
        admit: What the first parts of the body have to prove before a file is taken.

    Raises:
        ApiError: the body is not as it must be, or is not let in; then nothing of it stays.
        RekindleError: a field is wrong.
    """
    service = service_of(request)
    texts = _texts_of_query(request)
    reader = _reader_of(request, texts)
    task_id = str(uuid.uuid4())
    settings = service.settings.run_settings(key=caller.key_id, upload=task_id)
    await run_in_threadpool(_check, texts, settings)
    receipt = Receipt(service.tier, task_id, texts=texts, most_bytes=service.settings.upload_limit, admit=admit)
    async with turn_of(service.uploads, "too many uploads come in"):
        await receipt.receive(request, reader)
        specification = await receipt.specify()
    await run_in_threadpool(service.queue.submit, specification, settings)
    service.job_rows.forget()
    service.wake_workers()
    size = sum(file.size for file in receipt.files)
    log(f"Job {task_id} is in the queue", taskId=task_id, key=caller.key_id, files=len(receipt.files), bytes=size)
    return StartedJob(task_id=task_id)


def _texts_of_query(request: Request) -> dict[str, str]:
    """Return the fields that the query names.

    Raises:
        ConfigurationError: there is none of a name, or two are of one.
    """
    texts: dict[str, str] = {}
    for name, text in request.query_params.multi_items():
        if check_name(name) in texts:
            raise ConfigurationError(f"{name}: is given twice", field=name)
        texts[name] = text
    return texts


def _reader_of(request: Request, texts: dict[str, str]) -> BodyReader:
    """Return what reads the body: a form, or else one file, whose name stands in the query or the headers.

    Raises:
        ApiError: it is encoded, or the file has no name.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        text = "send the body without a Content-Encoding: a compressed file is read as it is"
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text)
    boundary = boundary_of(request.headers.get("content-type", ""))
    name = texts.pop(NAME, None)
    if boundary is not None:
        if name is not None:
            raise ConfigurationError(f"{NAME}: a form names each of its files by itself", field=NAME)
        return FormReader(boundary)
    name = name or name_in(request.headers.get("content-disposition", ""))
    if not name:
        text = f"{NAME}: name the file, as in /upload?{NAME}=app.log.gz, or send a form: curl -F file=@app.log.gz"
        raise ConfigurationError(text, field=NAME)
    return FileReader(check_file_name(name))


def _check(texts: dict[str, str], settings: RunSettings) -> None:
    """Check what is known before the body: the fields of the query, and what the tier has for all jobs."""
    modified_of(texts, datetime.now(timezone.utc))
    check_context(specify(texts, ()), settings)
