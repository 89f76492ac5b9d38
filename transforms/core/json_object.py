"""A JSON object, for modules that a command imports at its start: `pipelines.documents` imports pydantic too."""

from __future__ import annotations

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object as the standard library and orjson take it."""
