"""Messages of the product in the words of HTTP: fields and calls instead of flags and commands.

The product's messages name the flags of its command line, most of which are fields of a job too. Who calls the API has
the fields.
"""

from __future__ import annotations

import re
from functools import cache

from pydantic.alias_generators import to_camel

from pipelines.jobs.specification import FormatSpecification, JobSpecification

_TEXTS = {
    "`rekindle jobs list`": "`GET /jobs`",
    "`rekindle search QUERY --top NAME`": "`GET /facets`",
    "`--histogram 1h`": "`GET /histogram`",
    "`--fields A,B`": "`fields`",
    "`rekindle sql`": "`POST /sql`",
    "--no-message": "`keepMessage: false`",
    "raise --memory": "raise `rekindle serve --memory`",
    "--yes": "`yes`",
}
_REQUIRED = re.compile(r"give --[\w-]+, or the field (\w+) of the job file")
_JOB_COMMAND = re.compile(r"`rekindle jobs (cancel|resume|undo|show) ([^` ]+)`")
_COMMAND = re.compile(r"`rekindle [^`]*`")
_FLAG = re.compile(r"(?<![\w'\"=/-])--([a-z]+(?:-[a-z]+)*)")
"""A flag, but not one in what the caller wrote: that stands in quotes."""
_OF_SERVICE = frozenset(
    {"endpoint-url", "tier-endpoint-url", "profile", "no-sign-request", "request-payer", "ca-bundle"}
)


def in_words_of_http(message: str) -> str:
    """Return a message with fields and calls where it has flags and commands; whole commands of others stay."""
    for text, other in _TEXTS.items():
        message = message.replace(text, other)
    message = _REQUIRED.sub(r"give the field \1", message)
    message = _JOB_COMMAND.sub(_call_of, message)
    done, at = "", 0
    for command in _COMMAND.finditer(message):
        done += _FLAG.sub(_field_of, message[at : command.start()]) + command[0]
        at = command.end()
    return done + _FLAG.sub(_field_of, message[at:])


def _call_of(command: re.Match[str]) -> str:
    name, task_id = command.groups()
    return f"`GET /jobs/{task_id}`" if name == "show" else f"`POST /jobs/{task_id}/{name}`"


def _field_of(flag: re.Match[str]) -> str:
    """Return the field of a job that a flag sets, or say whose flag it is."""
    field = to_camel(flag[1].replace("-", "_"))
    if field in _fields():
        return f"`{field}`"
    return f"{flag[0]} of `rekindle {'serve' if flag[1] in _OF_SERVICE else 'backfill'}`"


@cache
def _fields() -> frozenset[str]:
    models = (JobSpecification, FormatSpecification)
    return frozenset(info.alias or name for model in models for name, info in model.model_fields.items())
