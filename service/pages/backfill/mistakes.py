"""Which field of the form an error is about: the full check names all mistakes at once, a line each."""

from __future__ import annotations

import re
from http import HTTPStatus

from service.errors import ApiError, reply_of
from service.pages.backfill.fields import FORMAT, job_fields
from service.wording import in_words_of_http
from transforms.core.errors import AccessError, RekindleError

ABOVE = ""
"""The place of what is about no field."""
_NUMBER = re.compile(r"\[\d+\]|\.\d+(?=\.|$)")
_BEGINS = re.compile(r"(?:source (?P<source>[^:]+): )?(?P<field>[A-Za-z][\w.]*)(?:\[\d+\])*(?:\.\w+)*(?:[:,]| is )")


def mistakes_of(error: ApiError | RekindleError) -> dict[str, str]:
    """Return the messages of an error by the fields of the form that they stand beside."""
    message = reply_of(error).message
    field = getattr(error, "field", None)
    if isinstance(error, AccessError):
        field = "bucket"
    found: dict[str, list[str]] = {}
    place = _known(field)
    for number, line in enumerate(message.split("\n")):
        begins = _BEGINS.match(line)
        if number and begins:
            place = "sources" if begins["source"] else _known(begins["field"]) or place
        found.setdefault(place, []).append(line)
    return {place: in_words_of_http("\n".join(lines)) for place, lines in found.items()}


def status_of(error: ApiError | RekindleError) -> int:
    """Return the status of the page that shows an error; one of the source is no error of the service."""
    return HTTPStatus.BAD_REQUEST if isinstance(error, AccessError) else reply_of(error).status


def _known(field: str | None) -> str:
    """Return the field of the form that a field of the specification belongs to."""
    name = _NUMBER.sub("", field or "").partition("[")[0]
    for one in (name, f"{FORMAT}.{name}", name.partition(".")[0]):
        if one in job_fields():
            return one
    return ABOVE
