"""The pipelines that ship with the product, each a file of its own with sample events beside it (docs/pipelines.md)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_FOLDER = "transforms.event_pipelines.library"
_SUFFIX = ".yaml"


@cache
def ready_made_names() -> tuple[str, ...]:
    """Return what `include` takes."""
    names = (entry.name for entry in files(_FOLDER).iterdir())
    return tuple(
        sorted(
            name.removesuffix(_SUFFIX)
            for name in names
            if name.endswith(_SUFFIX) and "." not in name.removesuffix(_SUFFIX)
        )
    )


def read_ready_made(name: str) -> str:
    """Return the text of a ready-made pipelines file."""
    return (files(_FOLDER) / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def read_samples(name: str) -> list[dict[str, Any]]:
    """Return the sample events of a ready-made pipeline, with what becomes of each."""
    samples: list[dict[str, Any]] = yaml.safe_load(
        (files(_FOLDER) / f"{name}.samples{_SUFFIX}").read_text(encoding="utf-8")
    )
    return samples
