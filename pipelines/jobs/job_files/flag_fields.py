"""The fields of a job as flags of the command line, or of an HTML form: each by itself, without nesting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from pipelines.documents import JsonObject

_JOB_FIELDS = (
    "bucket", "pattern", "exclude", "region", "modified_after", "modified_before",
    "index", "source", "sourcetype", "host", "on_changed", "on_error",
)  # fmt: skip
FORMAT_FIELDS = (
    "format", "delimiter", "skip_rows", "headers", "records_path", "multiline_start", "join_partial", "timestamp",
    "timezone", "time_field", "year", "day_first", "keep_message", "encoding",
)  # fmt: skip
_IMPLIED = {
    "delimiter": "csv", "skip_rows": "csv", "headers": "csv", "records_path": "json", "multiline_start": "text",
}  # fmt: skip
"""The format that a flag means, where nothing names one: who gives it knows what the objects are."""


def merge_fields(given: JsonObject, flags: Mapping[str, Any]) -> JsonObject:
    """Return the job's fields with the flags that were given over them; a flag wins over the file.

    A flag of one format alone (`--skip-rows 3`) is that format's name too, where neither flag nor file has one.

    Args:
        given: The fields of the job file, camelCase.
        flags: Values by flag, snake_case, None where the flag was not given.
    """
    merged = given | _job_fields(flags, _JOB_FIELDS)
    formats = _job_fields(flags, FORMAT_FIELDS)
    if formats:
        options = merged.get("formatOptions") or {}
        if isinstance(options, dict):
            implied = [name for flag, name in _IMPLIED.items() if flags.get(flag) is not None]
            if implied and {**options, **formats}.get("format", "auto") == "auto" and flags.get("format") is None:
                formats["format"] = implied[0]
            options = {**options, **formats}
        merged["formatOptions"] = options
    return merged


def _job_fields(flags: Mapping[str, Any], names: tuple[str, ...]) -> JsonObject:
    """Return the flags that were given, by the names of a job file's fields; one that may be repeated is a list."""
    return {to_camel(name): flags[name] for name in names if flags.get(name) not in (None, ())}
