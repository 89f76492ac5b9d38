"""What a processor is, and how its parameters are read from a pipelines file with every mistake collected."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from transforms.schema import attribute_column, is_system

MESSAGE = "message"
_ATTRIBUTES = "attributes."


class Processor(ABC):
    """One step of a pipeline: a column operation on a batch of events of one object. Frozen, picklable, linear in time."""

    @classmethod
    @abstractmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Make the processor from what the file says; mistakes are noted in `parameters`, which then refuses the file."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the attributes that it may write."""
        return ()

    @abstractmethod
    def apply(self, batch: pa.RecordBatch, *, modified: datetime, received: datetime) -> pa.RecordBatch:
        """Return the batch with the same events, in the same order; an event that the processor fails on is left as it is."""


@dataclass(slots=True)
class Problems:
    """The mistakes of a file, each with its path, so that they are all told at once."""

    found: list[str] = field(default_factory=list)

    def add(self, path: str, text: str) -> None:
        """Note a mistake at a path like `pipelines[2].steps[0].pattern`."""
        self.found.append(f"{path}: {text}")


@dataclass(slots=True)
class Parameters:
    """The parameters of one step, read one by one.

    Attributes:
        values: As the file has them.
        path: Where they stand.
        problems: Where mistakes are noted.
    """

    values: Mapping[str, Any]
    path: str
    problems: Problems

    def problem(self, name: str, text: str) -> None:
        """Note a mistake of one parameter."""
        self.problems.add(f"{self.path}.{name}", text)

    def allow(self, *names: str) -> None:
        """Refuse parameters of other names."""
        for name in self.values:
            if name not in names:
                self.problem(str(name), f"unknown parameter; this processor takes {', '.join(names)}")

    def text(self, name: str, *, default: str | None = None) -> str:
        """Read a text; without a default it is required."""
        value = self.values.get(name, default)
        if isinstance(value, str) and value:
            return value
        if value is None:
            self.problem(name, "is required")
        elif value == "":
            self.problem(name, "must not be empty")
        else:
            self.problem(name, f"must be a text, not {value!r}; put it in quotes")
        return ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Read a list of texts, empty if it is left out."""
        value = self.values.get(name, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.problem(name, f"must be a list of texts, not {value!r}")
        return ()

    def source(self) -> str:
        """Read `source`, and return the name of its column in flight."""
        name = self.text("source")
        if reason := why_not_an_attribute(name):
            self.problem("source", reason)
        return source_column(name)

    def output(self, name: str, *, at: str) -> None:
        """Check the name of an attribute that is written; `at` is the parameter that gives it."""
        if reason := why_not_an_attribute(name) or ("an attribute's name is not empty" if not name else None):
            self.problem(at, reason)


def why_not_an_attribute(name: str) -> str | None:
    """Say why a pipeline may not read or write this name, or None if it may."""
    if name.startswith(("#", "_")):
        return f"{name!r} is a system attribute (they begin with '_' or '#'); a processor reads and writes user attributes and 'message'"
    return None


def source_column(name: str) -> str:
    """Return the column in flight of what a processor's `source` names; `message` is always the event's text."""
    if name == MESSAGE:
        return "_message"
    if name.startswith(_ATTRIBUTES) and (is_system(own := name.removeprefix(_ATTRIBUTES)) or own == MESSAGE):
        name = own
    return attribute_column(name)


def column_of(batch: pa.RecordBatch, name: str) -> pa.Array | None:
    """Return a column in flight, or None where no event has it."""
    at = batch.schema.get_field_index(name)
    if at < 0 or batch.column(at).null_count == batch.num_rows:
        return None
    return batch.column(at)
