"""Backfill: the form of a job, checked while it is typed, and its start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from pipelines.documents import JsonObject
from pipelines.keys import MISSING_S3_PULL
from service.api.callers import Caller
from service.api.jobs import ingest
from service.api.specifications import check_job
from service.api.state import service_of
from service.errors import ApiError
from service.pages.backfill.commands import command_of, curl_of
from service.pages.backfill.fields import document_of, grouped_fields, job_fields, typed_of
from service.pages.backfill.mistakes import mistakes_of, status_of
from service.pages.rendering import PageRoute, render
from service.pages.sessions import ProvedForm, Visitor
from transforms.core.errors import ConfigurationError, RekindleError
from transforms.objects.discovery.glob_words import explain_glob

router = APIRouter(prefix="/pages/backfill", include_in_schema=False, route_class=PageRoute)
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


@router.get("")
async def show_backfill(request: Request, visitor: Visitor) -> Response:
    """Show the form, with what its address has."""
    form = await checked(request, visitor, JobForm.of(request.query_params))
    return render(request, "backfill/page.html", page="Backfill", **shown_form(request, visitor, form))


@router.get("/checked")
async def check_typed(request: Request, visitor: Visitor) -> Response:
    """Answer what was typed so far with what is wrong about it, its globs in words, and its command lines."""
    form = await checked(request, visitor, JobForm.of(request.query_params))
    answer = render(request, "backfill/checked.html", **shown_form(request, visitor, form))
    answer.headers["HX-Replace-Url"] = request.scope.get("root_path", "") + form.address
    return answer


@router.post("")
async def start_job(request: Request, visitor: Visitor, values: ProvedForm) -> Response:
    """Start the job, and lead to its page; where it is refused, the form has everything that was typed."""
    form = JobForm.of(values)
    status: int = HTTPStatus.BAD_REQUEST
    if not form.mistakes:
        try:
            if not visitor.has("ingest"):
                raise ApiError(HTTPStatus.FORBIDDEN, refusal_of(visitor))
            started = await ingest(request, form.document, visitor)
            root = request.scope.get("root_path", "")
            return RedirectResponse(f"{root}/pages/jobs/{started.task_id}", HTTPStatus.SEE_OTHER)
        except (ApiError, RekindleError) as error:
            form, status = form.with_error(error).with_malformed(), status_of(error)
    return render(request, "backfill/page.html", status=status, page="Backfill", **shown_form(request, visitor, form))
