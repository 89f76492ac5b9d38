"""Pipelines files: YAML or JSON, read whole, with every mistake told at once and its place (docs/pipelines.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from transforms.config_files.documents import Document, read_document
from transforms.config_files.fields import Fields, raise_problems, read_condition, read_description, read_enabled
from transforms.config_files.problems import Problems
from transforms.event_pipelines.pipeline import Pipeline
from transforms.event_pipelines.ready_made import read_ready_made, ready_made_names
from transforms.processors import PROCESSORS
from transforms.processors.parameters import Parameters
from transforms.processors.processor import Processor

_FIELDS = ("name", "description", "when", "enabled", "steps")
_PIPELINE = "pipeline"
_DEEPEST = 3


def load_pipelines(text: str, *, source: str) -> tuple[Pipeline, ...]:
    """Read the pipelines of a file, those that it includes first.

    Args:
        text: YAML or JSON.
        source: The file's name, for messages.

    Returns:
        All pipelines in their order, those that are not enabled too.

    Raises:
        ConfigurationError: The file is no YAML, or has something that is not allowed; all mistakes, a line each, as
            `FILE:LINE:COLUMN: PATH: what is wrong`.
    """
    document = read_document(text, source=source, field="pipelines")
    problems = Problems()
    pipelines = _PipelinesReader(document, problems).pipelines()
    raise_problems(document, problems, source=source, field="pipelines")
    return pipelines


def load_ready_made(name: str) -> tuple[Pipeline, ...]:
    """Read the ready-made pipelines of a name."""
    loaded = load_pipelines(read_ready_made(name), source=f"{name} (ready-made)")
    return tuple(replace(pipeline, ready_made=True) for pipeline in loaded)


class _PipelinesReader:
    """One file while it is read."""

    def __init__(self, document: Document, problems: Problems) -> None:
        self._document = document
        self._problems = problems

    def pipelines(self) -> tuple[Pipeline, ...]:
        document, problems = self._document.value, self._problems
        if not isinstance(document, Mapping):
            problems.add("pipelines", "the file must be a mapping with the key pipelines, whose value is a list")
            return ()
        for key in document:
            if key not in ("include", "pipelines"):
                problems.add(str(key), "unknown field; allowed are pipelines and include", at_key=True)
        included = self._included(document.get("include", []))
        entries = document.get("pipelines", [] if "include" in document else None)
        if not isinstance(entries, list):
            problems.add("pipelines", f"must be a list of pipelines, not {entries!r}")
            return included
        pipelines = [self._pipeline(entry, f"pipelines[{at}]", depth=1) for at, entry in enumerate(entries)]
        self._refuse_same_names(included, pipelines)
        return (*included, *pipelines)

    def _included(self, entries: object) -> tuple[Pipeline, ...]:
        if not isinstance(entries, list):
            self._problems.add(
                "include", f"must be a list of ready-made pipelines ({', '.join(ready_made_names())}), not {entries!r}"
            )
            return ()
        included: list[Pipeline] = []
        seen: set[str] = set()
        for at, entry in enumerate(entries):
            included += self._include(entry, f"include[{at}]", seen)
        return tuple(included)

    def _include(self, entry: object, path: str, seen: set[str]) -> tuple[Pipeline, ...]:
        """Return the ready-made pipelines of one entry: a name, or a name and the condition that is to hold instead."""
        fields = Fields(entry, path, self._problems) if isinstance(entry, Mapping) else None
        name, place = (entry, path) if fields is None else (fields.values.get("name"), f"{path}.name")
        if fields is not None:
            for key in set(fields.values) - {"name", "when"}:
                self._problems.add(f"{path}.{key}", "unknown field; an include has name and when", at_key=True)
        if not isinstance(name, str) or name not in ready_made_names():
            known = ", ".join(ready_made_names())
            self._problems.add(place, f"{name!r} is no ready-made pipeline; there are {known}")
            return ()
        if name in seen:
            self._problems.add(place, f"{name!r} is included already")
            return ()
        seen.add(name)
        pipelines = load_ready_made(name)
        if fields is None or "when" not in fields.values:
            return pipelines
        condition = read_condition(fields, self._document)
        return tuple(replace(pipeline, when=condition) for pipeline in pipelines)

    def _refuse_same_names(self, included: tuple[Pipeline, ...], pipelines: list[Pipeline]) -> None:
        seen = dict.fromkeys((name for _, name in _names(included, "include")), "an included pipeline")
        for path, name in _names(pipelines, "pipelines"):
            if name and name in seen:
                self._problems.add(
                    f"{path}.name", f"{name!r} names {seen[name]} too; events record by name which pipelines ran"
                )
            seen.setdefault(name, path)

    def _pipeline(self, entry: object, path: str, *, depth: int) -> Pipeline:
        if not isinstance(entry, Mapping):
            self._problems.add(path, f"must be a mapping with {', '.join(_FIELDS)}, not {entry!r}")
            return Pipeline(name="", steps=())
        fields = Fields(entry, path, self._problems)
        for key in entry:
            if key not in _FIELDS:
                self._problems.add(f"{path}.{key}", f"unknown field; a pipeline has {', '.join(_FIELDS)}", at_key=True)
        return Pipeline(
            name=_name(fields),
            when=read_condition(fields, self._document),
            description=read_description(fields),
            enabled=read_enabled(fields),
            steps=self._steps(fields, depth),
        )

    def _steps(self, fields: Fields, depth: int) -> tuple[Processor | Pipeline, ...]:
        entries = fields.values.get("steps")
        if not isinstance(entries, list) or not entries:
            fields.problem("steps", f"must be a list with at least one processor, not {entries!r}")
            return ()
        steps = (self._step(entry, f"{fields.path}.steps[{at}]", depth) for at, entry in enumerate(entries))
        return tuple(step for step in steps if step is not None)

    def _step(self, entry: object, path: str, depth: int) -> Processor | Pipeline | None:
        allowed = ", ".join((*PROCESSORS, _PIPELINE))
        if not isinstance(entry, Mapping) or len(entry) != 1:
            text = "must be one processor with its parameters, like {regex: {source: …, pattern: …}}; processors are"
            self._problems.add(path, f"{text} {allowed}")
            return None
        name, parameters = next(iter(entry.items()))
        if name == _PIPELINE:
            if depth == _DEEPEST:
                self._problems.add(path, f"pipelines nest at most {_DEEPEST} levels deep", at_key=True)
                return None
            return self._pipeline(parameters, path, depth=depth + 1)
        if name not in PROCESSORS:
            self._problems.add(path, f"{name!r} is no processor; processors are {allowed}", at_key=True)
            return None
        if not isinstance(parameters, Mapping):
            self._problems.add(path, f"{name} must have a mapping of parameters, not {parameters!r}")
            return None
        return PROCESSORS[name].from_parameters(Parameters(parameters, path, self._problems, self._document))


def _names(pipelines: tuple[Pipeline, ...] | list[Pipeline], path: str) -> Iterator[tuple[str, str]]:
    """Yield path and name of all pipelines, nested ones too."""
    for at, pipeline in enumerate(pipelines):
        yield from _names_within(pipeline, f"{path}[{at}]")


def _names_within(pipeline: Pipeline, path: str) -> Iterator[tuple[str, str]]:
    yield path, pipeline.name
    for at, step in enumerate(pipeline.steps):
        if isinstance(step, Pipeline):
            yield from _names_within(step, f"{path}.steps[{at}]")


def _name(fields: Fields) -> str:
    name = fields.text("name")
    if "," in name or name != name.strip():
        fields.problem(
            "name", f"{name!r} has a comma, or a blank at its end; names are listed with commas between them"
        )
    return name
