"""What is wrong with a job's specification, as messages that name the field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from transforms.core.errors import ConfigurationError

NO_TIME = "must be an ISO 8601 time, such as 2025-08-11 or 2025-08-11T22:00:00Z"
_BUCKET = re.compile(r"(?!\.)[A-Za-z0-9._-]{3,255}|arn:[^\s/]+")


def mistakes_of(error: ValidationError, fields: Mapping[str, object], model: type[BaseModel]) -> ConfigurationError:
    """Return the error with all that is wrong, a line each.

    Args:
        error: What pydantic found.
        fields: What it looked at.
        model: What it expected.
    """
    problems = [_problem(detail, fields, model) for detail in error.errors()]
    return ConfigurationError("\n".join(message for _, message in problems), field=problems[0][0])


@contextmanager
def naming_source(number: int, name: str) -> Iterator[None]:
    """Let errors name the source that they are about; one without a name is the job itself."""
    try:
        yield
    except ConfigurationError as error:
        if not name:
            raise
        raise ConfigurationError(f"source {name}: {error}", field=f"sources.{number}.{error.field}") from error


def _problem(detail: Any, fields: Mapping[str, object], model: type[BaseModel]) -> tuple[str, str]:
    """Return the field of a mistake, and the message; details are pydantic's dictionaries."""
    place = list(detail["loc"])
    field = ".".join(map(str, place))
    where = _shown_place(place, fields)
    if detail["type"] == "extra_forbidden":
        known = _model_at(model, place[:-1]).model_fields.items()
        allowed = ", ".join(sorted(info.alias or name for name, info in known))
        return field, f"{where}: unknown field; allowed are {allowed}"
    if detail["type"] == "missing":
        cure = f": give --{field}, or the field {field} of the job file" if len(place) == 1 else ""
        return field, f"{where}: is required{cure}"
    if detail["type"].startswith("datetime"):
        return field, f"{where}: {NO_TIME}, not {detail['input']!r}"
    return field, f"{where}: {detail['msg'].removeprefix('Value error, ')}, not {detail['input']!r}"


def _shown_place(place: list[Any], fields: Mapping[str, object]) -> str:
    """Return the path of a field as people write it, its source by its name if that has one."""
    sources = fields.get("sources")
    if place[0] == "sources" and len(place) > 2 and isinstance(sources, list) and isinstance(sources[place[1]], dict):
        name = sources[place[1]].get("name")
        if isinstance(name, str) and name and place[2] != "name":
            return f"source {name}: {_path(place[2:])}"
    return _path(place)


def _path(place: list[Any]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")


def _model_at(model: type[BaseModel], place: list[Any]) -> type[BaseModel]:
    """Return the model of a nested object."""
    for part in place:
        if isinstance(part, int):
            continue
        annotation = next(info.annotation for name, info in model.model_fields.items() if part in (name, info.alias))
        model = next(kind for kind in (annotation, *get_args(annotation)) if _is_model(kind))
    return model


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def check_bucket(bucket: str) -> None:
    """Refuse what is neither a bucket's name nor a local folder."""
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
