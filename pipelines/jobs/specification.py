"""The job's specification: the fields of a job file (docs/job.schema.json), of the command line and of an API body.

It is checked before anything is requested.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationError
from pydantic.alias_generators import to_camel

from pipelines.documents import JsonModel, JsonObject
from pipelines.jobs.job_files.mistakes import NO_TIME, check_bucket, mistakes_of, naming_source
from pipelines.jobs.job_files.watch_options import WatchSpecification, check_watch
from transforms.core.errors import ConfigurationError
from transforms.event_pipelines.ready_made import ready_made_names
from transforms.formats import FORMAT_NAMES, check_options
from transforms.formats.options import FormatOptions
from transforms.objects.discovery.key_globs import KeyGlobs
from transforms.objects.discovery.object_filter import KeyPatterns, ObjectFilter

if TYPE_CHECKING:
    FormatName = str
else:
    FormatName = Literal[FORMAT_NAMES]  # pydantic checks it; the names are those of the table of formats
_DEFAULTS = ("host", "source", "sourcetype", "index")
_OF_A_SOURCE = ("pattern", "format_options", "index", "source", "sourcetype", "host")
"""The fields of a job that its sources have instead."""
_LONGEST_NAME = 64


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


def _no_number(value: object) -> object:
    if isinstance(value, (int, float)):
        raise ValueError(NO_TIME)
    return value


def _comma_list(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _tidy_folder(bucket: str) -> str:
    """Give a local folder one spelling: the ledger knows objects by it."""
    return "file://" + os.path.normpath(bucket.removeprefix("file://")) if bucket.startswith("file:///") else bucket


def _tab(delimiter: str) -> str:
    return "\t" if delimiter == r"\t" else delimiter


def _globs(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, (list, tuple)):
        raise ValueError("must be a glob, or a list of globs")
    return value


def _some_globs(value: object) -> object:
    if _globs(value) in ([], ()):
        raise ValueError("must name at least one glob; leave it out to match all objects")
    return _globs(value)


def _one_or_list(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _source_name(name: str) -> str:
    if not name.strip() or name != name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise ValueError(f"must have 1 to {_LONGEST_NAME} printable characters, and no blank at its ends")
    return name


def _source_pipelines(value: object) -> object:
    """Return a list for the name of a ready-made pipeline, and check lists, so that one message fits them."""
    if value is None or isinstance(value, str) and value and value not in ready_made_names():
        return value
    entries = [value] if isinstance(value, str) and value else value
    if not isinstance(entries, (list, tuple)):
        raise ValueError("must be the name of a pipelines file, or a list of ready-made pipelines")
    for entry in entries:
        name, when, others = _included(entry)
        if others or not isinstance(when, str | None):
            raise ValueError(f"has {entry!r}: an entry is a name, or a name and the condition `when`, a text")
        if name not in ready_made_names():
            known = ", ".join(ready_made_names())
            raise ValueError(f"has {name!r}, which is no ready-made pipeline; there are {known}")
    return entries


def _included(entry: object) -> tuple[object, object, object]:
    """Return the name, the condition and all else of an entry of `pipelines`."""
    if isinstance(entry, IncludedPipelines):
        return entry.name, entry.when, None
    if isinstance(entry, dict):
        return entry.get("name"), entry.get("when"), entry.keys() - {"name", "when"}
    return entry, None, None


Globs = Annotated[
    tuple[str, ...],
    BeforeValidator(_globs, json_schema_input_type=str | tuple[str, ...]),
    PlainSerializer(_one_or_list, return_type=str | list[str]),
]
SomeGlobs = Annotated[
    tuple[str, ...],
    BeforeValidator(_some_globs, json_schema_input_type=str | tuple[str, ...]),
    PlainSerializer(_one_or_list, return_type=str | list[str]),
]
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
    timestamp: Literal["auto", "object", "received"] = "auto"
    """`auto` looks for a time in plain text; `object` gives it the object's, `received` that of its receipt."""
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
    keep_message: bool = Field(default=True, strict=True)
    """Keeps records as messages; else events of CSV, JSON, `w3c` and `zeek` without error have attributes alone."""
    encoding: str = "auto"
    """The objects' encoding: `auto`, or a text codec of Python's, such as `windows-1252`, `utf-16-le`, `shift_jis`."""


class IncludedPipelines(JsonModel):
    """Ready-made pipelines with another condition than their own."""

    name: str
    """What `include` of a pipelines file takes."""
    when: str | None = None
    """The condition that holds instead of theirs, in the query language."""


_Pipelines: TypeAlias = str | tuple[str | IncludedPipelines, ...] | None


class SourceSpecification(JsonModel):
    """Some of a job's objects, and how they are read."""

    name: Annotated[str, AfterValidator(_source_name)]
    """What the report and the preview call it; no two have the same."""
    pattern: SomeGlobs = ("**",)
    """A glob over the whole key, or a list: an object is in if any matches, and no source before has taken it."""
    exclude: Globs = ()
    """A glob or a list: the source does not take what any matches."""
    format_options: FormatSpecification = FormatSpecification()
    """How its objects are read."""
    index: str | None = None
    """The index of its events without their own."""
    source: str | None = None
    """The source of its events without their own."""
    sourcetype: str | None = None
    """The source type of its events without their own."""
    host: str | None = None
    """The host of its events without their own."""
    pipelines: Annotated[_Pipelines, BeforeValidator(_source_pipelines, json_schema_input_type=_Pipelines)] = None
    """What runs on its events alone, before the job's pipelines: a pipelines file, its path from the job file's folder;
    or a list of ready-made pipelines, as `include` of a pipelines file takes it."""

    @property
    def defaults(self) -> tuple[tuple[str, str], ...]:
        """Attributes for events that don't carry their own."""
        return tuple((name, value) for name in _DEFAULTS if (value := getattr(self, name)) is not None)

    def format_settings(self, *, max_record: int, key_format: str | None = None) -> FormatOptions:
        """Return the format's options as the readers take them; `key_format` holds where none is named."""
        options = self.format_options.model_dump()
        if key_format and "format" not in self.format_options.model_fields_set:
            options["format"] = key_format
        return FormatOptions(max_record=max_record, **options)

    def as_document(self) -> JsonObject:
        """Return it as a job file has it, without what is None or empty."""
        return _without_empty(self.model_dump(mode="json", by_alias=True, exclude_none=True))


class JobSpecification(JsonModel):
    """What a backfill job is about."""

    bucket: Annotated[str, AfterValidator(_tidy_folder)]
    """The bucket's name, or `file:///folder`."""
    pattern: SomeGlobs = ("**",)
    """A glob over the whole key, such as `logs/**/*.gz`, or a list: an object is in if any matches."""
    exclude: Globs = ()
    """A glob or a list: what any matches is left out, of each source."""
    sources: tuple[SourceSpecification, ...] = ()
    """Instead of `pattern`, `formatOptions` and the defaults: several of each. An object belongs to the first source
    that takes it."""
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
    watch: WatchSpecification | None = None
    """Makes it a watch: the job goes on with what arrives (docs/watch.md)."""

    @property
    def all_sources(self) -> tuple[SourceSpecification, ...]:
        """The sources, or one without a name that is made of the job's own fields."""
        if self.sources:
            return self.sources
        own = {name: getattr(self, name) for name in _OF_A_SOURCE}
        return (SourceSpecification.model_construct(_fields_set=set(own), name="", **own),)

    @property
    def shown_pattern(self) -> str:
        """What is taken, in few words."""
        if self.sources:
            return f"({', '.join(source.name for source in self.sources)})"
        return self.pattern[0] if len(self.pattern) == 1 else f"({', '.join(self.pattern)})"

    def object_filter(self, *, tier_prefix: str | None) -> ObjectFilter:
        """Return which objects are meant, and which source each belongs to."""
        return ObjectFilter(
            sources=tuple(
                KeyPatterns(include=source.pattern, exclude=(*self.exclude, *source.exclude))
                for source in self.all_sources
            ),
            modified_after=self.modified_after,
            modified_before=self.modified_before,
            tier_prefix=tier_prefix,
        )

    def as_document(self) -> JsonObject:
        """Return the specification as a job file has it, without what is None, empty, or in its sources."""
        unused = set(_OF_A_SOURCE) if self.sources else set()
        document = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"sources", *unused})
        if self.sources:
            document["sources"] = [source.as_document() for source in self.sources]
        return _without_empty(document)

    def as_stored(self) -> JsonObject:
        """Return it as a resumed job takes it: a format that is not named stays so, as a key's may hold."""
        document = self.as_document()
        for part, source in zip(document.get("sources", [document]), self.all_sources, strict=True):
            if "format" not in source.format_options.model_fields_set:
                del part["formatOptions"]["format"]
        return document


def _without_empty(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if value != []}


def check_specification(fields: Mapping[str, object], *, is_upload: bool = False) -> JobSpecification:
    """Return the checked specification.

    Args:
        fields: As a job file has them, in camelCase.
        is_upload: Whether its objects were uploaded: then they are in no bucket.

    Raises:
        ConfigurationError: a field is unknown, missing or wrong; every mistake is named.
    """
    try:
        specification = JobSpecification.model_validate(fields)
    except ValidationError as error:
        raise mistakes_of(error, fields, JobSpecification) from None
    if not is_upload:
        check_bucket(specification.bucket)
    if "sources" in specification.model_fields_set:
        _check_sources(specification)
    KeyGlobs(specification.exclude, "exclude")
    for number, source in enumerate(specification.all_sources):
        with naming_source(number, source.name):
            KeyGlobs(source.pattern)
            KeyGlobs(source.exclude, "exclude")
            check_options(source.format_settings(max_record=1))
    if specification.watch is not None:
        check_watch(specification.watch, specification.bucket, specification.on_error)
    after, before = specification.modified_after, specification.modified_before
    if after and before and after >= before:
        raise ConfigurationError(
            f"modifiedAfter ({after.isoformat()}) must be earlier than modifiedBefore ({before.isoformat()}): "
            "both are exclusive, so nothing lies between",
            field="modifiedAfter",
        )
    return specification


def _check_sources(specification: JobSpecification) -> None:
    beside = [name for name in _OF_A_SOURCE if name in specification.model_fields_set]
    if beside:
        names = ", ".join(map(to_camel, beside))
        raise ConfigurationError(
            f"sources: {names} {'stands' if len(beside) == 1 else 'stand'} beside it, as a flag or in the job file: "
            "a job has either sources, or one pattern, format options and defaults for all objects; "
            "give each source its own",
            field="sources",
        )
    given = [source.name for source in specification.sources]
    if not given:
        raise ConfigurationError("sources: it names none; leave it out to take all objects", field="sources")
    for number, name in enumerate(given):
        if name in given[:number]:
            raise ConfigurationError(
                f"sources[{number}].name: {name!r} is the name of sources[{given.index(name)}] too: "
                "the report counts by name",
                field=f"sources.{number}.name",
            )
