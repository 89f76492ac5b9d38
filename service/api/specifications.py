"""Specifications that come by the API: the check of the command line, and what a caller may read here."""

from __future__ import annotations

import os
from http import HTTPStatus

import anyio
import anyio.to_thread

from pipelines.documents import JsonObject
from pipelines.jobs.context import JobContext
from pipelines.jobs.discover import prove_access
from pipelines.jobs.settings import RunSettings
from pipelines.jobs.specification import JobSpecification, check_specification
from pipelines.keys import MISSING_S3_PULL
from service.api.callers import Caller
from service.errors import ApiError
from service.settings import ServiceSettings
from transforms.core.errors import ConfigurationError
from transforms.hot_tier.table import location

_PROOF_SECONDS = 5.0
_FILE = "file://"


def check_job(document: JsonObject, caller: Caller, service: ServiceSettings) -> tuple[JobSpecification, RunSettings]:
    """Return a job that a caller may start, and how it runs; nothing is asked but the tier.

    Raises:
        ApiError: 403, the key may not read from S3.
        RekindleError: the specification, or what it names, is wrong.
    """
    specification = check_specification(document)
    if caller.key is not None and caller.key.s3_pull is None:
        raise ApiError(HTTPStatus.FORBIDDEN, MISSING_S3_PULL, field="key")
    _check_folder(specification.bucket, service.allow_dirs)
    if specification.watch is not None and specification.watch.queue is not None and not caller.has("admin"):
        text = "watch.queue: what does not match is deleted from a queue, so that it takes a key of the role admin"
        raise ApiError(HTTPStatus.FORBIDDEN, text, field="watch.queue")
    settings = service.run_settings(specification, key=caller.key_id)
    check_context(specification, settings)
    return specification, settings


def check_context(specification: JobSpecification, settings: RunSettings) -> None:
    """Check what a job needs beside its specification: its key, and what the tier has for all jobs.

    Raises:
        RekindleError: something of it is wrong.
    """
    context = JobContext.open("check", specification, settings)
    context.open_queue()
    location.check_is_tier_or_empty(context.tier)


async def prove_job(specification: JobSpecification, settings: RunSettings) -> None:
    """List the job's objects and read the first bytes of one; a store that takes long is left to the worker.

    Raises:
        AccessError: the store refuses that.
    """

    def prove() -> None:
        context = JobContext.open("check", specification, settings)
        prove_access(context.store, context.filter)
        if (queue := context.open_queue()) is not None:
            queue.state()

    with anyio.move_on_after(_PROOF_SECONDS):
        await anyio.to_thread.run_sync(prove, abandon_on_cancel=True)


def _check_folder(bucket: str, allowed: tuple[str, ...]) -> None:
    """Refuse a folder of this machine that lies in none of those that are allowed, links followed."""
    if not bucket.startswith(_FILE):
        return
    try:
        folder = os.path.realpath(bucket.removeprefix(_FILE))
        inside = any(os.path.commonpath([folder, os.path.realpath(one)]) == os.path.realpath(one) for one in allowed)
    except ValueError:  # a NUL
        inside = False
    if not inside:
        cure = f"allowed are {', '.join(allowed)}" if allowed else "`rekindle serve --allow-dir DIR` allows one"
        text = f"bucket: {bucket!r} is a folder of the service's machine, which it may not read: {cure}"
        raise ConfigurationError(text, field="bucket")
