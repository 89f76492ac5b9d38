"""The tier's own event pipelines: they run on all that comes in, unless a job brings others."""

from __future__ import annotations

from dataclasses import replace

from transforms.event_pipelines.definition import load_pipelines
from transforms.hot_tier.configuration.store import (
    PIPELINES_SET,
    Configuration,
    ConfigurationChange,
    KeptFile,
    change_configuration,
)
from transforms.storage import TierStore


def set_pipelines(tier: TierStore, text: str, *, file: str, expected: int | None = None) -> Configuration:
    """Keep the text of a pipelines file, for what comes in from now on; the same again is no change.

    Args:
        tier: The hot tier.
        text: YAML or JSON.
        file: Its name, for messages.
        expected: The version of the configuration that may be changed; None is any.

    Raises:
        ConfigurationError: something in it is wrong; all mistakes with their places.
        ConflictError: another has changed the version that was expected.
        TierError: the store refuses.
    """
    names = [pipeline.name for pipeline in load_pipelines(text, source=file)]
    kept = KeptFile(file=file, text=text)

    def edit(current: Configuration) -> tuple[Configuration, ConfigurationChange] | None:
        if current.pipelines == kept:
            return None
        change = ConfigurationChange(kind=PIPELINES_SET, detail={"pipelines": names})
        return replace(current, pipelines=kept), change

    return change_configuration(tier, edit, expected=expected)
