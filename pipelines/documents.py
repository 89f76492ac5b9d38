"""JSON documents that people and programs read: job files, keys, reports. Each is a model with the fields in order."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from transforms.core.json_object import JsonObject

__all__ = ["JsonModel", "JsonObject"]


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
