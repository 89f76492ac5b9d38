"""The job's specification: the fields of a job file, of the command line and of an API body (docs/jobs.md).

It is checked before anything is requested.
"""

from __future__ import annotations

import os
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from transforms.core.errors import ConfigurationError
from transforms.formats import FORMAT_NAMES, check_options
from transforms.formats.options import FormatOptions
from transforms.objects.key_glob import KeyGlob
from transforms.objects.listing import ObjectFilter

if TYPE_CHECKING:
    FormatName = str
else:
    FormatName = Literal[FORMAT_NAMES]  # pydantic checks it; the names are those of the table of formats
_BUCKET = re.compile(r"(?!\.)[A-Za-z0-9._-]{3,255}|arn:[^\s/]+")


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


def _no_number(value: object) -> object:
    if isinstance(value, (int, float)):
        raise ValueError("must be an ISO 8601 time, such as 2025-08-11T00:00:00Z")
    return value


def _comma_list(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _tidy_folder(bucket: str) -> str:
    """Give a local folder one spelling: the ledger knows objects by it."""
    return "file://" + os.path.normpath(bucket.removeprefix("file://")) if bucket.startswith("file:///") else bucket


def _tab(delimiter: str) -> str:
    return "\t" if delimiter == r"\t" else delimiter


Time = Annotated[datetime, BeforeValidator(_no_number), AfterValidator(_utc)]


class _Strict(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
        strict=False,
    )


class FormatSpecification(_Strict):
    """`formatOptions`: see `transforms.formats`, which checks how they go together."""

    format: FormatName = "auto"
    delimiter: Annotated[str, AfterValidator(_tab)] = ","
    skip_rows: int = Field(default=0, ge=0, strict=True)
    headers: Annotated[tuple[str, ...] | None, BeforeValidator(_comma_list)] = None
    records_path: str | None = None
    multiline_start: str | None = None
    timestamp: Literal["auto", "received"] = "auto"
    timezone: str = "UTC"
    time_field: Annotated[tuple[str, ...] | None, BeforeValidator(_comma_list)] = None
    year: int | None = Field(default=None, strict=True)
    day_first: bool = Field(default=False, strict=True)


class JobSpecification(_Strict):
    """What a backfill job is about."""

    bucket: Annotated[str, AfterValidator(_tidy_folder)]
    pattern: str = "**"
    region: str | None = None
    modified_after: Time | None = None
    modified_before: Time | None = None
    format_options: FormatSpecification = FormatSpecification()
    index: str | None = None
    source: str | None = None
    sourcetype: str | None = None
    host: str | None = None
    on_changed: Literal["replace", "append", "skip"] = "replace"
    on_error: Literal["salvage", "quarantine", "fail"] = "salvage"

    @property
    def defaults(self) -> tuple[tuple[str, str], ...]:
        """Attributes for events that don't carry their own."""
        return tuple(
            (name, value)
            for name in ("host", "source", "sourcetype", "index")
            if (value := getattr(self, name)) is not None
        )

    def format_settings(self, *, max_record: int, usual: str | None = None) -> FormatOptions:
        """Return the format's options as the readers take them; `usual` is the format where the job names none (the
        key's).
        """
        options = self.format_options.model_dump()
        if usual and "format" not in self.format_options.model_fields_set:
            options["format"] = usual
        return FormatOptions(max_record=max_record, **options)

    def object_filter(self, *, excluded_prefix: str | None) -> ObjectFilter:
        """Return what is asked of an object."""
        return ObjectFilter(
            pattern=self.pattern,
            modified_after=self.modified_after,
            modified_before=self.modified_before,
            excluded_prefix=excluded_prefix,
        )

    def as_document(self) -> dict[str, Any]:
        """Return the specification as JSON takes it, in the names of docs/jobs.md, without fields that are unset."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def load_job_file(path: str) -> dict[str, Any]:
    """Return the fields of a JSON or YAML job file, unchecked.

    Raises:
        ConfigurationError: the file is not there, or holds no mapping.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--job {path}: {error}", field="job") from error
    try:
        document = yaml.load(text, Loader=_TimesAsText)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"--job {path} is not right as JSON or YAML: {error}", field="job") from error
    if not isinstance(document, dict):
        raise ConfigurationError(
            f"--job {path} must hold one mapping of fields (bucket, pattern, …), not {type(document).__name__}",
            field="job",
        )
    return document


class _TimesAsText(yaml.SafeLoader):
    """YAML 1.1 makes dates of times: here they stay text, and are read as a JSON file's are.

    A field that stands twice is an error.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the field {key!r} stands here twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_TimesAsText.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def check_specification(fields: dict[str, Any]) -> JobSpecification:
    """Return the checked specification.

    Args:
        fields: Names as in docs/jobs.md (camelCase).

    Raises:
        ConfigurationError: a field is unknown, missing or wrong; every mistake is named.
    """
    try:
        specification = JobSpecification.model_validate(fields)
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors()]
        raise ConfigurationError("\n".join(message for _, message in problems), field=problems[0][0]) from None
    _check_bucket(specification.bucket)
    KeyGlob(specification.pattern)
    after, before = specification.modified_after, specification.modified_before
    if after and before and after >= before:
        raise ConfigurationError(
            f"modifiedAfter ({after.isoformat()}) must be earlier than modifiedBefore ({before.isoformat()}): "
            "both are exclusive, so nothing lies between",
            field="modifiedAfter",
        )
    check_options(specification.format_settings(max_record=1))
    return specification


def _problem(detail: Any) -> tuple[str, str]:  # pydantic's dictionaries
    field = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        model = FormatSpecification if field.startswith("formatOptions.") else JobSpecification
        allowed = ", ".join(sorted(info.alias or name for name, info in model.model_fields.items()))
        return field, f"{field}: there is no such field; allowed are {allowed}"
    if detail["type"] == "missing":
        return field, f"{field}: is required"
    return field, f"{field}: {detail['msg'].removeprefix('Value error, ')}, not {detail['input']!r}"


def _check_bucket(bucket: str) -> None:
    if bucket.startswith("file://"):
        if not bucket.startswith("file:///"):
            raise ConfigurationError(
                f"bucket: {bucket!r} must name an absolute folder, such as file:///var/log", field="bucket"
            )
        return
    if bucket.startswith("s3://"):
        raise ConfigurationError(
            f"bucket: give the bucket's name alone ({bucket.removeprefix('s3://').split('/')[0]}); the rest goes into --pattern",
            field="bucket",
        )
    if bucket.startswith(("/", "./", "../", "~")):
        raise ConfigurationError(
            f"bucket: {bucket!r} is a path: a folder of this machine is file:///folder, from its root", field="bucket"
        )
    if not _BUCKET.fullmatch(bucket):
        raise ConfigurationError(
            f"bucket: {bucket!r} is not a bucket's name (letters, digits, '.', '-'), nor file:///folder", field="bucket"
        )
