"""The fields of an upload, in its query or its form: those of a job, each by itself, and text as forms have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from pydantic.alias_generators import to_camel

from pipelines.documents import JsonObject
from pipelines.jobs.job_files.flag_fields import FORMAT_FIELDS, merge_fields
from pipelines.jobs.specification import FormatSpecification, JobSpecification, check_specification
from transforms.core.errors import ConfigurationError
from transforms.objects.discovery.key_glob import literal_glob
from transforms.query.instants import parse_time
from transforms.storage import UPLOADED
from transforms.storage.uploads import UploadedFile

_EVENT_FIELDS = ("index", "source", "sourcetype", "host")
_POLICIES = ("on_changed", "on_error")
NAME, MODIFIED, FORMAT_OPTIONS = "name", "modified", "formatOptions"
_OWN = {
    NAME: "The file's name, where the body is one file: its extension helps to read it.",
    FORMAT_OPTIONS: "How files are read, as in a job file: a JSON object. Each option may also stand by itself.",
    MODIFIED: "When the files were last modified: for times without a year, and events without a time; else now.",
}
_NAMES = {to_camel(name): name for name in (*_EVENT_FIELDS, *_POLICIES, *FORMAT_FIELDS)}
_PLAIN = frozenset(
    to_camel(name)
    for name, info in FormatSpecification.model_fields.items()
    if info.annotation in (int, bool, int | None)
)
"""Fields whose text is a number, or `true` or `false`."""
_MOST_NAMED = 20
LONGEST_NAME = 1024


def check_name(name: str) -> str:
    """Return the name of a field.

    Raises:
        ConfigurationError: an upload has no such field.
    """
    if name not in _NAMES and name not in _OWN:
        allowed = ", ".join(sorted([*_NAMES, *_OWN]))
        raise ConfigurationError(f"{name:.80}: unknown field; allowed are {allowed}", field=name[:80])
    return name


def check_file_name(name: str) -> str:
    """Return the name of a file, which is a key: it leads nowhere.

    Raises:
        ConfigurationError: it can't be one.
    """
    key = name.lstrip("/")
    fits = 0 < len(key.encode(errors="replace")) <= LONGEST_NAME and not key.endswith("/")
    if not fits or any(character < " " or "\x7f" <= character <= "\x9f" for character in key):
        text = f"{NAME}: a file is called {name!r:.80}: its name must have 1 to {LONGEST_NAME} bytes, no control "
        raise ConfigurationError(f"{text}characters, and no slash at its end", field=NAME)
    return key


def modified_of(texts: Mapping[str, str], now: datetime) -> datetime:
    """Return when the files were last modified.

    Raises:
        ConfigurationError: it is no time, or in the future.
    """
    if not texts.get(MODIFIED):
        return now
    try:
        time = parse_time(texts[MODIFIED])
    except ConfigurationError as error:
        raise ConfigurationError(f"{MODIFIED}: {error}", field=MODIFIED) from error
    if time > now:
        raise ConfigurationError(f"{MODIFIED}: {texts[MODIFIED]} is in the future", field=MODIFIED)
    return time


def specify(texts: Mapping[str, str], files: Sequence[UploadedFile]) -> JobSpecification:
    """Return the job that reads uploaded files.

    An empty text is a field of a form that was not filled in. Another file of a known name is another object: its
    events stay beside those of the first, because many machines have an `app.log`.

    Args:
        texts: Fields by their names.
        files: The files; none where only the fields are to be checked.

    Raises:
        ConfigurationError: a field is wrong.
    """
    given = {name: text for name, text in texts.items() if text}
    flags = {_NAMES[name]: _value(name, text) for name, text in given.items() if name in _NAMES}
    document: JsonObject = {"bucket": UPLOADED, "onChanged": "append"}
    if 0 < len(files) <= _MOST_NAMED:
        document["pattern"] = [literal_glob(file.name) for file in files]
    if FORMAT_OPTIONS in given:
        document[FORMAT_OPTIONS] = _parse_options(given[FORMAT_OPTIONS])
    return check_specification(merge_fields(document, flags), is_upload=True)


def _value(name: str, text: str) -> Any:
    """Return the value of a field; a text that is none stays one, for the check that names it."""
    if name not in _PLAIN:
        return text
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, int) else text


def _parse_options(text: str) -> JsonObject:
    try:
        options = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{FORMAT_OPTIONS}: is no JSON: {error}", field=FORMAT_OPTIONS) from None
    if not isinstance(options, dict):
        raise ConfigurationError(f"{FORMAT_OPTIONS}: must be a JSON object, not {text!r:.80}", field=FORMAT_OPTIONS)
    return options


def described_fields() -> JsonObject:
    """Return the fields as JSON Schema describes them, by their names."""
    job = JobSpecification.model_json_schema()["properties"]
    formats = FormatSpecification.model_json_schema()["properties"]
    found: JsonObject = {name: {"type": "string", "description": text} for name, text in _OWN.items()}
    for name in _NAMES:
        schema = dict(formats[name] if name in formats else job[name])
        kinds = [one for one in schema.pop("anyOf", [{}]) if one.get("type") not in ("null", "array")]
        found[name] = kinds[0] | {key: value for key, value in schema.items() if key != "title" and value is not None}
    found["onChanged"]["default"] = "append"
    return found
