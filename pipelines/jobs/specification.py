"""The job's specification: the fields of a job file (docs/job.schema.json), of the command line and of an API body.

It is checked before anything is requested.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from pipelines.documents import JsonModel, JsonObject
from transforms.core.errors import ConfigurationError, reason_of
from transforms.formats import FORMAT_NAMES, check_options
from transforms.formats.options import FormatOptions
from transforms.objects.key_glob import KeyGlob
from transforms.objects.listing import ObjectFilter

if TYPE_CHECKING:
    FormatName = str
else:
    FormatName = Literal[FORMAT_NAMES]  # pydantic checks it; the names are those of the table of formats
_BUCKET = re.compile(r"(?!\.)[A-Za-z0-9._-]{3,255}|arn:[^\s/]+")
_NO_TIME = "must be an ISO 8601 time, such as 2025-08-11 or 2025-08-11T22:00:00Z"


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


def _no_number(value: object) -> object:
    if isinstance(value, (int, float)):
        raise ValueError(_NO_TIME)
    return value


def _comma_list(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _tidy_folder(bucket: str) -> str:
    """Give a local folder one spelling: the ledger knows objects by it."""
    return "file://" + os.path.normpath(bucket.removeprefix("file://")) if bucket.startswith("file:///") else bucket


def _tab(delimiter: str) -> str:
    return "\t" if delimiter == r"\t" else delimiter


Time = Annotated[datetime, BeforeValidator(_no_number), AfterValidator(_utc)]


class FormatSpecification(JsonModel):
    """How objects are read; `transforms.formats.options` checks how the options go together."""

    format: FormatName = "auto"
    """How objects are read; `auto` finds out for each."""
    delimiter: Annotated[str, AfterValidator(_tab)] = ","
    """CSV: one character, or `\\t`."""
    skip_rows: int = Field(default=0, ge=0, strict=True)
    """CSV: lines before the header or data."""
    headers: Annotated[
        tuple[str, ...] | None, BeforeValidator(_comma_list, json_schema_input_type=tuple[str, ...] | str | None)
    ] = None
    """CSV: the names of the columns; then every line is data."""
    records_path: str | None = None
    """JSON: where the records are, names joined by dots."""
    multiline_start: str | None = None
    """Text: a regular expression that an event's first line matches, or `java`, `python`, `postgresql`, `dated`."""
    join_partial: bool = Field(default=False, strict=True)
    """Joins the lines that a container's runtime has cut: CRI's in text, those of Docker's json-file in JSON."""
    timestamp: Literal["auto", "received"] = "auto"
    """`received` gives plain text the time of its receipt; `auto` looks for one in it."""
    timezone: str = "UTC"
    """The zone of times that name none."""
    time_field: Annotated[
        tuple[str, ...] | None, BeforeValidator(_comma_list, json_schema_input_type=tuple[str, ...] | str | None)
    ] = None
    """Fields that are asked for the time before all others; dots lead into nested objects."""
    year: int | None = Field(default=None, strict=True)
    """The year of times that name none; otherwise the object's date decides."""
    day_first: bool = Field(default=False, strict=True)
    """Reads `04/08/2025` as 4 August."""
    encoding: str = "auto"
    """The objects' encoding: `auto`, or a text codec of Python's, such as `windows-1252`, `utf-16-le`, `shift_jis`."""


class JobSpecification(JsonModel):
    """What a backfill job is about."""

    bucket: Annotated[str, AfterValidator(_tidy_folder)]
    """The bucket's name, or `file:///folder`."""
    pattern: str = "**"
    """A glob over the whole key, such as `logs/**/*.gz`."""
    region: str | None = None
    """The bucket's AWS region."""
    modified_after: Time | None = None
    """Only objects modified later, in ISO 8601; UTC where no zone is named."""
    modified_before: Time | None = None
    """Only objects modified earlier, in ISO 8601; UTC where no zone is named."""
    format_options: FormatSpecification = FormatSpecification()
    """How objects are read."""
    index: str | None = None
    """The index of events without their own."""
    source: str | None = None
    """The source of events without their own."""
    sourcetype: str | None = None
    """The source type of events without their own."""
    host: str | None = None
    """The host of events without their own."""
    on_changed: Literal["replace", "append", "skip"] = "replace"
    """What becomes of a known object with new content."""
    on_error: Literal["salvage", "quarantine", "fail"] = "salvage"
    """What becomes of an object that breaks half-way."""

    @property
    def defaults(self) -> tuple[tuple[str, str], ...]:
        """Attributes for events that don't carry their own."""
        return tuple(
            (name, value)
            for name in ("host", "source", "sourcetype", "index")
            if (value := getattr(self, name)) is not None
        )

    def format_settings(self, *, max_record: int, key_format: str | None = None) -> FormatOptions:
        """Return the format's options as the readers take them; `key_format` holds where the job names no format."""
        options = self.format_options.model_dump()
        if key_format and "format" not in self.format_options.model_fields_set:
            options["format"] = key_format
        return FormatOptions(max_record=max_record, **options)

    def object_filter(self, *, excluded_prefix: str | None) -> ObjectFilter:
        """Return which objects are meant."""
        return ObjectFilter(
            pattern=self.pattern,
            modified_after=self.modified_after,
            modified_before=self.modified_before,
            excluded_prefix=excluded_prefix,
        )

    def as_document(self) -> JsonObject:
        """Return the specification as a job file has it, without what is None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def load_job_file(path: str) -> dict[str, object]:
    """Return the fields of a JSON or YAML job file, unchecked.

    Raises:
        ConfigurationError: the file is not there, or holds no mapping.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--job {path} can't be read: {reason_of(error)}", field="job") from error
    try:
        document = yaml.load(text, Loader=_TimesAsText)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"--job {path} is neither JSON nor YAML: {error}", field="job") from error
    if not isinstance(document, dict):
        raise ConfigurationError(
            f"--job {path} must hold one mapping of fields (bucket, pattern, …), not {type(document).__name__}",
            field="job",
        )
    return document


class _TimesAsText(yaml.SafeLoader):
    """YAML that refuses repeated fields, and whose times stay text, as in a JSON file; YAML 1.1 makes dates of them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the field {key!r} is here twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_TimesAsText.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def check_specification(fields: Mapping[str, object]) -> JobSpecification:
    """Return the checked specification.

    Args:
        fields: As a job file has them, in camelCase.

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
        return field, f"{field}: unknown field; allowed are {allowed}"
    if detail["type"] == "missing":
        return field, f"{field}: is required: give --{field}, or the field {field} of the job file"
    if detail["type"].startswith("datetime"):
        return field, f"{field}: {_NO_TIME}, not {detail['input']!r}"
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
            f"bucket: give the bucket's name alone ({bucket.removeprefix('s3://').split('/')[0]}); "
            "the rest goes into --pattern",
            field="bucket",
        )
    if bucket.startswith(("/", "./", "../", "~")):
        raise ConfigurationError(
            f"bucket: {bucket!r} is a path: name a folder of this machine from its root, as file:///folder",
            field="bucket",
        )
    if not _BUCKET.fullmatch(bucket):
        raise ConfigurationError(
            f"bucket: {bucket!r} is not a bucket's name (letters, digits, '.', '-'), nor file:///folder", field="bucket"
        )
