"""The fields of the form: those of a job's specification, as its model has them, each with what was typed into it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import orjson
from pydantic import BaseModel
from pydantic.alias_generators import to_snake
from pydantic.fields import FieldInfo

from pipelines.documents import JsonObject
from pipelines.jobs.job_files.flag_fields import merge_fields
from pipelines.jobs.specification import JobSpecification
from transforms.core.errors import ConfigurationError

Kind = Literal["text", "number", "globs", "choice", "tick", "part", "document"]
FORMAT = "formatOptions"
_FIRST = ("bucket", "pattern", "exclude", "region", "modifiedAfter", "modifiedBefore", f"{FORMAT}.format")
"""What stands before the folded options, in this order."""
_GROUPS = {
    FORMAT: "How objects are read",
    "watch": "Going on with what arrives",
    "sources": "Several kinds of objects in one job",
    "": "Events and errors",
}
"""The folded options by what they are part of."""
_LABELS = {
    "bucket": "Bucket",
    "pattern": "Patterns",
    "modifiedAfter": "Modified after (UTC)",
    "modifiedBefore": "Modified before (UTC)",
    f"{FORMAT}.keepMessage": "Attributes alone, without messages",
    "sourcetype": "Source type",
    "watch": "Watch: go on with what arrives",
}
_EXAMPLES = {
    "bucket": "my-bucket",
    "pattern": "logs/**/*.gz",
    "exclude": "**/tmp/**",
    "region": "eu-west-1",
    "modifiedAfter": "2025-08-11T00:00Z",
    "modifiedBefore": "2025-08-12T00:00Z",
    "sources": '[{"name": "web", "pattern": "web/**"}, {"name": "db", "pattern": "db/**"}]',
}
_NUMBER = re.compile(r"-?[0-9]{1,18}")
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, kw_only=True)
class JobField:
    """A field of the form.

    Attributes:
        name: As errors name it: that of a job file, its parts joined by dots.
        kind: How it is typed; `globs` are lines, a `document` is JSON, a `part` has fields of its own.
        help: What it is for.
        default: What holds where nothing is typed, as text.
        choices: What may be chosen.
        ticked: The value of a tick.
    """

    name: str
    kind: Kind
    help: str
    default: str = ""
    choices: tuple[str, ...] = ()
    ticked: str = "true"

    @property
    def id(self) -> str:
        """By what it is found on the page; htmx takes a dot for the beginning of a class."""
        return self.name.replace(".", "-")

    @property
    def label(self) -> str:
        """What stands above it."""
        return _LABELS.get(self.name) or _WORD.sub(" ", self.name.rpartition(".")[2]).capitalize()

    @property
    def group(self) -> str:
        """The heading of its group, empty where it is none of the folded ones."""
        return "" if self.name in _FIRST else _GROUPS.get(self.name.partition(".")[0], _GROUPS[""])

    @property
    def example(self) -> str:
        """What may be typed."""
        return _EXAMPLES.get(self.name, self.default)


@cache
def job_fields() -> dict[str, JobField]:
    """Return all fields by their names: those that stand first, then the others as the model has them."""
    found = {field.name: field for field in _fields_of(JobSpecification, "")}
    return {name: found[name] for name in (*_FIRST, *(name for name in found if name not in _FIRST))}


def grouped_fields() -> dict[str, list[JobField]]:
    """Return the fields by the headings of their groups; those that stand first have none."""
    groups: dict[str, list[JobField]] = {heading: [] for heading in ("", *_GROUPS.values())}
    for field in job_fields().values():
        groups[field.group].append(field)
    return groups


def _fields_of(model: type[BaseModel], above: str) -> Iterator[JobField]:
    for name, info in model.model_fields.items():
        full = f"{above}{info.alias or name}"
        part = _model_in(info.annotation)
        if part is None:
            yield _field(full, info)
            continue
        if not info.is_required() and info.default is None:
            yield JobField(name=full, kind="part", help=info.description or "")
        yield from _fields_of(part, f"{full}.")


def _field(name: str, info: FieldInfo) -> JobField:
    help_text = " ".join((info.description or "").split())
    annotation, default = info.annotation, info.default
    if annotation is bool:
        ticked = "false" if default else "true"
        return JobField(name=name, kind="tick", help=help_text, ticked=ticked)
    if get_origin(annotation) is Literal:
        choices = tuple(map(str, get_args(annotation)))
        return JobField(name=name, kind="choice", help=help_text, default=str(default), choices=choices)
    if any(_is_model(kind) for kind in get_args(annotation)):
        return JobField(name=name, kind="document", help=help_text)
    if name.rpartition(".")[2] in ("pattern", "exclude"):
        return JobField(name=name, kind="globs", help=help_text, default="\n".join(default))
    shown = "" if info.is_required() or default is None else str(default)
    kind: Kind = "number" if annotation in (int, int | None) else "text"
    return JobField(name=name, kind=kind, help=help_text, default=shown)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model of a field that is one object; a list of them is typed as a document."""
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return next((kind for kind in kinds if kind is not NoneType and _is_model(kind)), None)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def typed_of(values: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed, by the names of the fields, without what was left empty."""
    return {name: values[name].replace("\r\n", "\n") for name in job_fields() if values.get(name, "").strip()}


def document_of(typed: Mapping[str, str]) -> JsonObject:
    """Return the specification as a job file has it, unchecked; options of one format alone imply it, as flags do.

    Raises:
        ConfigurationError: a document is no JSON.
    """
    document: JsonObject = {}
    options: JsonObject = {}
    for name, text in typed.items():
        field = job_fields()[name]
        first, _, last = name.partition(".")
        if first == FORMAT:
            options[to_snake(last)] = _value(field, text)
        elif last:
            document.setdefault(first, {})[last] = _value(field, text)
        elif field.kind == "part":
            document.setdefault(first, {})
        else:
            document[first] = _value(field, text)
    return merge_fields(document, options)


def _value(field: JobField, text: str) -> Any:
    """Return the value of a field; a text that is none stays one, for the check that names it."""
    if field.kind == "globs":
        globs = [line.strip() for line in text.split("\n") if line.strip()]
        return globs[0] if len(globs) == 1 else globs
    if field.kind == "document":
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise ConfigurationError(f"{field.name}: is no JSON: {error}", field=field.name) from None
    if field.kind == "tick":
        return orjson.loads(field.ticked)
    if field.kind == "number" and _NUMBER.fullmatch(text.strip()):
        return int(text)
    return text.strip() if field.name != f"{FORMAT}.delimiter" else text
