"""The preview beside the form: what its job would ingest, and how, over what `POST /preview` has."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipelines.documents import JsonObject
from pipelines.jobs.costs.expected import ExpectedCost
from pipelines.jobs.preview import JobPreview, PreviewSample
from service.api.callers import Caller
from service.api.previews import look_at_job
from service.errors import ApiError
from service.pages.backfill.form import PATH, JobForm, refusal_of, shown_form
from service.pages.backfill.mistakes import status_of
from service.pages.rendering import PageRoute, render, size
from service.pages.sessions import Visitor
from service.wording import in_words_of_http
from transforms.core.errors import RekindleError

router = APIRouter(prefix=PATH, include_in_schema=False, route_class=PageRoute)
_OBJECTS, _EVENTS = 12, 3
_SHOWN_SAMPLES = 4
_FAMILIES = 32
_OTHERS = ("known", "deleted", "skipped", "archived", "empty")
_ATTRIBUTES = 12


@router.get("/preview")
async def show_preview(request: Request, visitor: Visitor) -> Response:
    """Answer with the preview of what was typed so far, and with a *Start* that names its count."""
    form, found, status = await previewed(request, visitor, JobForm.of(request.query_params))
    context = shown_form(request, visitor, form) | found
    return render(request, "backfill/previewed.html", status=status, **context)


async def previewed(request: Request, visitor: Caller, form: JobForm) -> tuple[JobForm, dict[str, Any], int]:
    """Return the form, with what is wrong about it, what templates show of its preview, and the status."""
    nothing: dict[str, Any] = {"preview": None, "starts": ""}
    if refusal_of(visitor) or not form.is_begun or form.mistakes:
        return form.with_malformed(), nothing, HTTPStatus.OK
    try:
        found = await look_at_job(request, form.document, visitor, objects=_OBJECTS, events=_EVENTS)
    except (ApiError, RekindleError) as error:
        return form.with_error(error).with_malformed(), nothing, status_of(error)
    return form, {"preview": _shown(found), "starts": _starts(found)}, HTTPStatus.OK


def _starts(found: JobPreview) -> str:
    objects = found.objects.work
    return f"{objects:,} object{'s' * (objects != 1)}, {size(found.bytes.work)}" if objects else "nothing new"


def _shown(found: JobPreview) -> dict[str, Any]:
    rules = {sample.object: sample for sample in found.samples}
    families = [
        family.as_document() | {"rules": _rules_of(rules.get(family.sampled or ""))}
        for family in found.families[:_FAMILIES]
    ]
    return {
        "objects": found.objects,
        "bytes": found.bytes,
        "others": [(name, count) for name in _OTHERS if (count := getattr(found.objects, name))],
        "families": families,
        "more_families": len(found.families) - len(families),
        "samples": [_sample(sample) for sample in found.samples[:_SHOWN_SAMPLES] if sample.events or sample.failure],
        "too_old": _too_old(found.samples),
        "warnings": [in_words_of_http(warning) for warning in found.warnings],
        "cost": _cost(found.expected),
        "unmatched": found.unmatched[:8] if not found.objects.matched or found.by_source else [],
    }


def _rules_of(sample: PreviewSample | None) -> list[str]:
    """Return by which rules codec and format of an object were found."""
    return [chosen.rule for chosen in (sample.codec, sample.format) if chosen] if sample else []


def _too_old(samples: list[PreviewSample]) -> dict[str, Any] | None:
    """Return how many of the sampled events each rule would take at once; None where there are no rules."""
    counted = [sample.too_old for sample in samples if sample.too_old is not None]
    if not counted:
        return None
    rules: dict[tuple[str, str], int] = {}
    for one in counted:
        for section, names in one.items():
            for name, count in names.items() if isinstance(names, dict) else ():
                rules[section, name] = rules.get((section, name), 0) + count
    sampled = sum(found for one in counted if isinstance(found := one["sampled"], int))
    return {"sampled": sampled, "rules": [(section, name, count) for (section, name), count in rules.items() if count]}


def _sample(sample: PreviewSample) -> dict[str, Any]:
    warnings = [in_words_of_http(warning) for warning in sample.warnings]
    failure = in_words_of_http(sample.failure.reason) if sample.failure else ""
    events = [
        {
            "time_origin": event.time_origin,
            "before": _event(event.before),
            "after": None if event.after is None else _event(event.after),
            "is_changed": event.after is None or _event(event.before) != _event(event.after),
        }
        for event in sample.events
    ]
    is_changed = any(event["is_changed"] for event in events)
    known = {"object": sample.object, "warnings": warnings, "failure": failure}
    return known | {"events": events, "is_changed": is_changed}


def _event(row: JsonObject) -> dict[str, Any]:
    attributes = [(name, str(value)) for name, value in row.items() if not name.startswith("_")]
    return {
        "time": str(row.get("_time") or ""),
        "message": str(row.get("_message") or ""),
        "error": str(row.get("_error") or ""),
        "attributes": attributes[:_ATTRIBUTES],
        "more": max(0, len(attributes) - _ATTRIBUTES),
    }


def _cost(cost: ExpectedCost) -> dict[str, Any]:
    is_short = cost.free is not None and cost.free < cost.disk
    return {"time": duration(cost.seconds), "known": cost.seconds_known, "disk": cost.disk,
            "disk_known": cost.disk_known, "free": cost.free, "is_short": is_short}  # fmt: skip


def duration(seconds: float) -> str:
    """Return a length of time that is guessed, in words."""
    if seconds < 60:
        return "under a minute"
    minutes = math.ceil(seconds / 60)
    if minutes < 120:
        return f"about {minutes} minute{'s' * (minutes != 1)}"
    hours = math.ceil(minutes / 60)
    return f"about {hours} hours" if hours < 48 else f"about {math.ceil(hours / 24)} days"
