"""Pipelines files: YAML or JSON, read whole, with every mistake told at once and its path (spec §6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from transforms.errors import ConfigurationError
from transforms.processors import PROCESSORS
from transforms.processors.pipeline import Pipeline
from transforms.processors.processor import Parameters, Problems, Processor

_FIELDS = ("name", "description", "when", "enabled", "steps")
_LATER = ("grok", "map", "set", "remove", "arithmetic", "message", "redact", "json", "key_value", "pipeline")


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, which silently lets the last of two equal keys win, made to refuse them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  PyYAML's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for at, key in enumerate(keys):
            if key in keys[:at]:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice in one place", node.value[at][0].start_mark)
        return super().construct_mapping(node, deep=deep)


def load_pipelines(text: str, *, source: str) -> tuple[Pipeline, ...]:
    """Read the pipelines of a file.

    Args:
        text: YAML or JSON.
        source: The file's name, for messages.

    Returns:
        All pipelines in their order, those that are not enabled too.

    Raises:
        ConfigurationError: The file is no YAML, or says something that is not allowed; all mistakes, a line each.
    """
    problems = Problems()
    pipelines = _pipelines(_parse(text, source), problems)
    if problems.found:
        raise ConfigurationError("\n".join(f"{source}: {problem}" for problem in problems.found), field="pipelines")
    return pipelines


def _parse(text: str, source: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except ValueError:
        pass  # not JSON, whose tabs and escapes YAML does not all take
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  a safe loader
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise ConfigurationError(f"{source}: is neither YAML nor JSON: {' '.join(str(error).split())}", field="pipelines") from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of JSON, unless a key stands in it twice: then YAML says where."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError
    return dict(pairs)


def _pipelines(document: object, problems: Problems) -> tuple[Pipeline, ...]:
    if not isinstance(document, Mapping):
        problems.add("pipelines", "the file must be a mapping with the key pipelines, whose value is a list")
        return ()
    for key in document:
        if key == "include":
            problems.add("include", "ready-made pipelines come with a later version; write out their steps")
        elif key != "pipelines":
            problems.add(str(key), "unknown field; allowed is pipelines")
    entries = document.get("pipelines")
    if not isinstance(entries, list):
        problems.add("pipelines", f"must be a list of pipelines, not {entries!r}")
        return ()
    pipelines = [_pipeline(entry, f"pipelines[{at}]", problems) for at, entry in enumerate(entries)]
    _refuse_same_names(pipelines, problems)
    return tuple(pipelines)


def _refuse_same_names(pipelines: list[Pipeline], problems: Problems) -> None:
    names = [pipeline.name for pipeline in pipelines]
    for at, name in enumerate(names):
        if name and name in names[:at]:
            problems.add(f"pipelines[{at}].name", f"{name!r} names pipelines[{names.index(name)}] too; an event tells by it what ran")


def _pipeline(entry: object, path: str, problems: Problems) -> Pipeline:
    if not isinstance(entry, Mapping):
        problems.add(path, f"must be a mapping with {', '.join(_FIELDS)}, not {entry!r}")
        return Pipeline(name="", steps=())
    fields = Parameters(entry, path, problems)
    for key in entry:
        if key not in _FIELDS:
            fields.problem(str(key), f"unknown field; a pipeline has {', '.join(_FIELDS)}")
    if "when" in entry:
        fields.problem("when", "conditions come with a later version; without when a pipeline runs on all events")
    return Pipeline(name=_name(fields), steps=_steps(fields), description=_description(fields), enabled=_enabled(fields))


def _name(fields: Parameters) -> str:
    name = fields.text("name")
    if "," in name or name != name.strip():
        fields.problem("name", f"{name!r} has a comma, or a blank at its end; names are listed with commas between them")
    return name


def _description(fields: Parameters) -> str:
    description = fields.values.get("description", "")
    if not isinstance(description, str):
        fields.problem("description", f"must be a text, not {description!r}; put it in quotes")
        return ""
    return description


def _enabled(fields: Parameters) -> bool:
    enabled = fields.values.get("enabled", True)
    if not isinstance(enabled, bool):
        fields.problem("enabled", f"must be true or false, not {enabled!r}")
        return False
    return enabled


def _steps(fields: Parameters) -> tuple[Processor, ...]:
    entries = fields.values.get("steps")
    if not isinstance(entries, list) or not entries:
        fields.problem("steps", f"must be a list with at least one processor, not {entries!r}")
        return ()
    steps = (_step(entry, f"{fields.path}.steps[{at}]", fields.problems) for at, entry in enumerate(entries))
    return tuple(step for step in steps if step is not None)


def _step(entry: object, path: str, problems: Problems) -> Processor | None:
    allowed = ", ".join(PROCESSORS)
    if not isinstance(entry, Mapping) or len(entry) != 1:
        problems.add(
            path, f"must be one processor with its parameters, like {{regex: {{source: …, pattern: …}}}}; processors are {allowed}"
        )
        return None
    name, parameters = next(iter(entry.items()))
    if name not in PROCESSORS:
        later = " (it comes with a later version)" if name in _LATER else ""
        problems.add(path, f"{name!r} is no processor of this version{later}; processors are {allowed}")
        return None
    if not isinstance(parameters, Mapping):
        problems.add(path, f"{name} must have a mapping of parameters, not {parameters!r}")
        return None
    return PROCESSORS[name].from_parameters(Parameters(parameters, path, problems))
