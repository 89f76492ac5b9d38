"""A job as `curl` and as a command line, quoted for a shell; the token is a placeholder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import orjson
from pydantic.alias_generators import to_snake

from pipelines.documents import JsonObject
from service.pages.backfill.fields import FORMAT
from service.pages.rendering import UNSEEN
from service.settings import ServiceSettings

TOKEN = "TOKEN"  # noqa: S105 - stands for one
_COMMAND = "rekindle"
_ESCAPED = re.compile(r"[\\']")
_ALONE = {
    ("joinPartial", True): "--join-partial",
    ("dayFirst", True): "--day-first",
    ("keepMessage", False): "--no-message",
}
_REACHED_BY = {
    "endpoint_url": "--endpoint-url",
    "profile": "--profile",
    "no_sign_request": "--no-sign-request",
    "request_payer": "--request-payer",
    "ca_bundle": "--ca-bundle",
}


def curl_of(document: JsonObject, address: str, *, takes_key: bool) -> str:
    """Return the call that starts a job."""
    body = orjson.dumps(document).decode()
    body = UNSEEN.sub(lambda found: "".join(f"\\u{unit:04x}" for unit in _units(found[0])), body)
    key = ["-H", f"Authorization: Bearer {TOKEN}"] if takes_key else []
    return _joined(["curl", *key, "-H", "Content-Type: application/json", "--data", body, f"{address}/ingest"])


def command_of(document: JsonObject, settings: ServiceSettings, *, key: str | None) -> str:
    """Return the command line that runs the same job; one with sources comes as a job file by its standard input."""
    reached = [*_reached_by(settings), *(("--key", key) if key else ())]
    name = "watch" if "watch" in document else "backfill"
    if "sources" in document:
        file = orjson.dumps(document).decode()
        return f"printf %s {quote(file)} | " + _joined([_COMMAND, name, "--job", "/dev/stdin", *reached])
    return _joined([_COMMAND, name, *_flags_of(document), *reached])


def quote(text: str) -> str:
    """Return a text as one word of a shell; characters that are not seen, or turn the direction, as bash's escapes."""
    if not UNSEEN.search(text):
        return shlex.quote(text)
    escaped = _ESCAPED.sub(r"\\\g<0>", text).replace("\n", "\\n").replace("\t", "\\t")
    return "$'" + UNSEEN.sub(lambda found: "".join(f"\\u{ord(one):04x}" for one in found[0]), escaped) + "'"


def _joined(words: list[str]) -> str:
    return " ".join(map(quote, words))


def _units(text: str) -> list[int]:
    data = text.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def _flags_of(document: JsonObject) -> Iterator[str]:
    for name, value in document.items():
        if name in (FORMAT, "watch") and isinstance(value, dict):
            yield from _flags_of(value)
        elif isinstance(value, bool):
            yield from filter(None, [_ALONE.get((name, value))])
        else:
            for one in value if isinstance(value, list) else [value]:
                yield from (f"--{to_snake(name).replace('_', '-')}", str(one))


def _reached_by(settings: ServiceSettings) -> Iterator[str]:
    yield from ("--hot-tier", settings.hot_tier)
    source, tier = settings.source_options, settings.tier_options
    for name, flag in _REACHED_BY.items():
        value = getattr(source, name)
        if value:
            yield flag
            yield from () if value is True else (value,)
    if tier.endpoint_url != source.endpoint_url and tier.endpoint_url:
        yield from ("--tier-endpoint-url", tier.endpoint_url)
