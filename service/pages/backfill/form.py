"""What was typed into the form of a job, what is wrong about it, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from pipelines.documents import JsonObject
from pipelines.keys import MISSING_S3_PULL
from service.api.callers import Caller
from service.api.specifications import check_job
from service.api.state import service_of
from service.errors import ApiError
from service.pages.backfill.commands import command_of, curl_of
from service.pages.backfill.fields import document_of, grouped_fields, job_fields, typed_of
from service.pages.backfill.mistakes import mistakes_of
from transforms.core.errors import ConfigurationError, RekindleError
from transforms.objects.discovery.glob_words import explain_glob

PATH = "/pages/backfill"


@dataclass(frozen=True, kw_only=True)
class JobForm:
    """What was typed into the form, and what is to be shown beside it.

    Attributes:
        typed: By the names of the fields.
        document: The specification that it makes, unchecked.
        mistakes: Messages by the fields that they stand beside.
    """

    typed: dict[str, str]
    document: JsonObject = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, str]) -> JobForm:
        """Take what was typed."""
        typed = typed_of(values)
        try:
            return cls(typed=typed, document=document_of(typed))
        except ConfigurationError as error:
            return cls(typed=typed, mistakes=mistakes_of(error))

    def with_error(self, error: ApiError | RekindleError) -> JobForm:
        """Return the form with what is wrong about it."""
        return replace(self, mistakes=self.mistakes | mistakes_of(error))

    @property
    def is_begun(self) -> bool:
        """Whether there is a bucket, so that the rest can be checked."""
        return "bucket" in self.typed

    @property
    def opens_more(self) -> bool:
        """Whether one of the folded options was typed, or is wrong."""
        return any(job_fields()[name].group for name in (*self.typed, *self.mistakes) if name)

    @property
    def address(self) -> str:
        """The address of the page that has what was typed."""
        return f"{PATH}?{urlencode(self.typed)}" if self.typed else PATH

    @property
    def words(self) -> dict[str, list[str]]:
        """The globs in words, by their field; a malformed one has none."""
        found: dict[str, list[str]] = {"pattern": [], "exclude": []}
        for name, glob in self._globs(default="**"):
            with suppress(ConfigurationError):
                found[name].append(explain_glob(glob))
        return found

    def with_malformed(self) -> JobForm:
        """Return the form with what is wrong about its globs, whatever else is."""
        found = {}
        for name, glob in self._globs():
            try:
                explain_glob(glob)
            except ConfigurationError as error:
                found[name] = str(error).replace("pattern", name, 1)
        return replace(self, mistakes=found | self.mistakes)

    def _globs(self, default: str | None = None) -> Iterator[tuple[str, str]]:
        for name in ("pattern", "exclude"):
            globs = self.document.get(name, default if name == "pattern" else None) or []
            yield from ((name, glob) for glob in (globs if isinstance(globs, list) else [globs]))


async def checked(request: Request, visitor: Caller, form: JobForm) -> JobForm:
    """Return a form with the mistakes that the full check finds in it; nothing but the tier is asked."""
    if form.is_begun and not form.mistakes:
        try:
            await run_in_threadpool(check_job, form.document, visitor, service_of(request).settings)
        except (ApiError, RekindleError) as error:
            form = form.with_error(error)
    return form.with_malformed()


def shown_form(request: Request, visitor: Caller, form: JobForm) -> dict[str, Any]:
    """Return what templates show of a form."""
    settings, key = service_of(request).settings, visitor.key_id
    lines = None
    if form.is_begun and form.document:
        address = str(request.base_url).rstrip("/")
        curl = curl_of(form.document, address, takes_key=visitor.key is not None)
        lines = {"HTTP": curl, "Command line": command_of(form.document, settings, key=key)}
    return {
        "form": form,
        "fields": job_fields(),
        "groups": grouped_fields(),
        "lines": lines,
        "refusal": refusal_of(visitor),
        "endpoint": settings.source_options.endpoint_url,
    }


def refusal_of(visitor: Caller) -> str:
    """Return why a visitor may not start jobs, empty where that is allowed."""
    if not visitor.has("ingest"):
        return "Your key may only read: sign out, and in with one of the role admin, to preview and start jobs here."
    if visitor.key is not None and visitor.key.s3_pull is None:
        return f"{MISSING_S3_PULL}: your key starts no job but uploads. `rekindle keys create` makes one that does."
    return ""
