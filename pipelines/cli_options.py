"""Flags that several commands share, and how their text becomes values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import typer

from transforms.errors import ConfigurationError

HotTier = Annotated[
    str,
    typer.Option("--hot-tier", envvar="REKINDLE_HOT_TIER", help="The hot tier: a folder, or s3://bucket/prefix.", rich_help_panel="Where"),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document (or a line a row) on standard output.", rich_help_panel="Output")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no messages but errors.", rich_help_panel="Output")]
EndpointUrl = Annotated[
    str | None, typer.Option("--endpoint-url", envvar="AWS_ENDPOINT_URL", help="S3 endpoint, of source and tier.", rich_help_panel="S3")
]
TierEndpointUrl = Annotated[
    str | None, typer.Option("--tier-endpoint-url", help="S3 endpoint of the tier, where it is another.", rich_help_panel="S3")
]
Profile = Annotated[str | None, typer.Option("--profile", help="AWS profile.", rich_help_panel="S3")]
Region = Annotated[str | None, typer.Option("--region", help="AWS region of the bucket.", rich_help_panel="S3")]
NoSignRequest = Annotated[bool, typer.Option("--no-sign-request", help="Read a public bucket without credentials.", rich_help_panel="S3")]
RequestPayer = Annotated[bool, typer.Option("--request-payer", help="Pay for requests to a requester-pays bucket.", rich_help_panel="S3")]
CaBundle = Annotated[str | None, typer.Option("--ca-bundle", help="File of CA certificates for the endpoint.", rich_help_panel="S3")]

JOB_FIELDS = {
    "bucket": "bucket", "pattern": "pattern", "region": "region", "modified_after": "modifiedAfter", "modified_before": "modifiedBefore",
    "index": "index", "source": "source", "sourcetype": "sourcetype", "host": "host", "on_changed": "onChanged", "on_error": "onError",
}  # fmt: skip
FORMAT_FIELDS = {
    "format": "format", "delimiter": "delimiter", "skip_rows": "skipRows", "headers": "headers", "records_path": "recordsPath",
    "multiline_start": "multilineStart", "timestamp": "timestamp", "timezone": "timezone",
}  # fmt: skip


def merge_fields(fields: dict[str, Any], flags: dict[str, Any]) -> dict[str, Any]:
    """Return the job's fields with the flags that were given over them; a flag wins over the file.

    Args:
        fields: What the job file says, camelCase.
        flags: Values by flag, snake_case, None where the flag was not given.
    """
    merged = dict(fields)
    merged |= {JOB_FIELDS[name]: value for name, value in flags.items() if name in JOB_FIELDS and value is not None}
    formats = {FORMAT_FIELDS[name]: value for name, value in flags.items() if name in FORMAT_FIELDS and value is not None}
    if formats:
        given = merged.get("formatOptions") or {}
        merged["formatOptions"] = {**given, **formats} if isinstance(given, dict) else given
    return merged


def split_lists(values: Iterable[str]) -> tuple[str, ...]:
    """Return the parts of flags that take commas and repetition."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def parse_time(text: str) -> datetime:
    """Return a time from ISO 8601 text, in UTC unless it says otherwise.

    Raises:
        ConfigurationError: the text is none.
    """
    from transforms.query.instants import parse_instant  # brings Polars

    value = parse_instant(text.strip())
    if value is None:
        raise ConfigurationError(f"{text!r} is not a time: give ISO 8601, such as 2025-08-11 or 2025-08-11T22:00:00Z")
    return value
