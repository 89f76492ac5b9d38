"""What pipelines files come to: their pipelines as JSON has them, without what makes no difference to an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from transforms.config_files.documents import read_document
from transforms.event_pipelines.ready_made import read_ready_made

_NOTHING_TO_EVENTS = ("description", "enabled")


def pipelines_content(text: str) -> list[dict[str, Any]]:
    """Return the enabled pipelines of a file, those first that it includes, each whole.

    Args:
        text: A file that `load_pipelines` has read without a mistake.
    """
    document: Any = read_document(text, source="pipelines", field="pipelines").value
    included = (pipeline for entry in document.get("include", ()) for pipeline in _included(entry))
    return _enabled([*included, *document.get("pipelines", ())])


def _included(entry: str | Mapping[str, Any]) -> list[dict[str, Any]]:
    if isinstance(entry, str):
        return pipelines_content(read_ready_made(entry))
    condition = {"when": entry["when"]} if "when" in entry else {}
    return [pipeline | condition for pipeline in pipelines_content(read_ready_made(entry["name"]))]


def _enabled(pipelines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in pipeline.items() if name not in _NOTHING_TO_EVENTS}
        | {"steps": [step for entry in pipeline["steps"] for step in _step(entry)]}
        for pipeline in pipelines
        if pipeline.get("enabled", True)
    ]


def _step(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a step, or nothing for a nested pipeline that is not enabled."""
    if "pipeline" not in entry:
        return [entry]
    return [{"pipeline": nested} for nested in _enabled([entry["pipeline"]])]
