"""JSON Schemas of the documents that others write or read: the job file and the report of a job.

python -m pipelines.jobs.schemas docs    writes them as files
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic.json_schema import GenerateJsonSchema

from pipelines.documents import JsonModel, JsonObject
from pipelines.jobs.report import JobReport
from pipelines.jobs.specification import JobSpecification

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _WithoutTitles(GenerateJsonSchema):
    """Leave out what pydantic makes of the fields' names, such as `Skiprows`."""

    def field_title_should_be_set(self, schema: object) -> bool:  # pydantic's core schemas
        """Return that no field gets a title."""
        del schema
        return False


def schemas() -> dict[str, JsonObject]:
    """Return the schemas by their file names in `docs/`."""
    models: dict[str, type[JsonModel]] = {"job.schema.json": JobSpecification, "report.schema.json": JobReport}
    return {
        name: {"$schema": _DIALECT, **model.model_json_schema(schema_generator=_WithoutTitles)}
        for name, model in models.items()
    }


def as_text(schema: JsonObject) -> str:
    """Return a schema as its file has it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> None:
    """Write the files."""
    for name, schema in schemas().items():
        (folder / name).write_text(as_text(schema), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
