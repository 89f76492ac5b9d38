"""A digest of what an object's events depend on beside its bytes: format options, defaults and pipelines.

The ledger keeps it of each object, so that a later job can tell which objects it would read otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from transforms.formats.options import FormatOptions
from transforms.objects.reading import ReadSettings

_FORM = 1
"""How the digest is made: one of another form says nothing of this one."""
_DIGITS = 32
_OF_WHOEVER_READS = ("_iam_key_id",)


def reading_digest(settings: ReadSettings, pipelines: Sequence[dict[str, Any]]) -> str:
    """Return the digest of how the objects of a source are read.

    An option that has its default is left out, so that an option that comes later changes no digest. Which key lets
    events in does not count; what it gives them does.

    Args:
        settings: Their format options and defaults.
        pipelines: What runs on their events, as `event_pipelines.content` returns it.
    """
    plain, formats = FormatOptions(), settings.formats
    content = {
        "formats": {
            option.name: getattr(formats, option.name)
            for option in fields(FormatOptions)
            if getattr(formats, option.name) != getattr(plain, option.name)
        },
        "defaults": dict(settings.defaults),
        "columns": {name: value for name, value in settings.columns if name not in _OF_WHOEVER_READS},
        "pipelines": pipelines,
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return f"{_FORM}:{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}"


def differs(stored: str | None, digest: str) -> bool:
    """Whether an object was surely read otherwise: nothing is known of one without a digest, or with another form's."""
    return stored is not None and stored.startswith(f"{_FORM}:") and stored != digest
