"""JSON documents that people and programs read: job files, keys, reports. Each is a model with the fields in order."""

from __future__ import annotations

from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object as the standard library and orjson take it."""


class JsonModel(BaseModel):
    """A JSON object of known fields, which are in camelCase there."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    def as_document(self) -> JsonObject:
        """Return it as JSON takes it."""
        return self.model_dump(mode="json", by_alias=True)
