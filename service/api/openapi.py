"""The description of the API: bodies that the product checks itself, and the answers of refused calls."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pipelines.documents import JsonObject
from service.errors import ErrorAnswer
from transforms.core.schema import PRODUCT

_REFERENCE = "#/components/schemas/{model}"
_REFUSALS = {
    "400": "The call is wrong: the answer names the field.",
    "401": "`Token is required`, or `Invalid token`.",
    "403": "The key may not do this.",
    "404": "There is no such thing.",
    "405": "The method is not allowed at this address.",
    "408": "The body came too slowly.",
    "409": "It is at work already.",
    "412": "It was changed since the version that `If-Match` names.",
    "413": "The body is too large.",
    "415": "The body is encoded.",
    "428": "This takes `If-Match`.",
    "429": "Too many calls, or too many wrong tokens: `Retry-After` says when to try again.",
    "500": "An error of the service.",
    "503": "The hot tier can't be reached now, or too many queries wait: `Retry-After`.",
    "504": "The query took too long and was ended.",
}
_OF_TAG = {"504": "search", "412": "configuration", "428": "configuration"}
_PUBLIC = {"429", "500", "503", "405"}
EXAMPLE = "x-codeSamples"
BODIES: list[type[BaseModel]] = []
"""The models that `body_of` names."""


def body_of(model: type[BaseModel], example: JsonObject) -> JsonObject:
    """Return the description of a body that a route reads itself."""
    if model not in BODIES:
        BODIES.append(model)
    content = {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}, "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def example_of(**parameters: str) -> JsonObject:
    """Return the description of a call with some parameters, as Redoc and others show it."""
    values = {name.rstrip("_"): value for name, value in parameters.items()}
    return {EXAMPLE: [{"lang": "URL", "source": urlencode(values, safe=",")}]}


def describe(app: FastAPI) -> JsonObject:
    """Return the app's OpenAPI document, made once."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(title="Rekindle", version=PRODUCT.rpartition(" ")[2], routes=app.routes)
    components = document.setdefault("components", {})
    schemas: JsonObject = components.setdefault("schemas", {})
    models = [*((model, "validation") for model in BODIES), (ErrorAnswer, "serialization")]
    _, made = models_json_schema(models, ref_template=_REFERENCE)  # type: ignore[arg-type]
    schemas.update(made["$defs"])
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "urlUser": {"type": "http", "scheme": "basic", "description": "The token as the user, as in http://TOKEN@host"},
    }
    for path in document["paths"].values():
        for operation in path.values():
            _describe_refusals(operation)
    app.openapi_schema = document
    return document


def _describe_refusals(operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    answers.pop("422", None)
    tag = next(iter(operation.get("tags", ())), "")
    is_public = tag == "public"
    for status, text in _REFUSALS.items():
        if _OF_TAG.get(status, tag) != tag:
            continue
        if not is_public or status in _PUBLIC:
            schema = {"$ref": _REFERENCE.format(model=ErrorAnswer.__name__)}
            answers.setdefault(status, {"description": text, "content": {"application/json": {"schema": schema}}})
    if not is_public:
        operation["security"] = [{"bearer": []}, {"urlUser": []}]
