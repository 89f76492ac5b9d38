"""The processors that copy, set, remove: `map`, `set`, `remove`, and `message` (docs/pipelines.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import polars as pl

from transforms.arrow import Flags
from transforms.core.schema import attribute_name
from transforms.processors.kernels.events import Events
from transforms.processors.parameters import (
    MESSAGE,
    Parameters,
    output_column,
    source_column,
    why_not_an_attribute,
    why_not_written,
)
from transforms.processors.processor import Processor

_TEMPLATE = re.compile(r"((?:[^$]|\$(?!\$?\{))+)|(\$\$\{)|\$\{([^{}]+)\}|(\$\{)")


@dataclass(frozen=True, slots=True)
class Map(Processor):
    """Copy an attribute, or the message.

    Attributes:
        source: Column in flight that is copied.
        output: Attribute that it becomes.
        override: Whether it replaces a value that is there.
    """

    name: ClassVar[str] = "map"

    source: str
    output: str
    override: bool

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `source`, `output` and `override`."""
        parameters.allow("source", "output", "override")
        return cls(parameters.source(), parameters.output_name(), parameters.flag("override"))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The copy."""
        return (self.output,)

    def apply(self, events: Events) -> Flags | None:
        """Copy what is there."""
        values = events.column(self.source)
        if values is not None:
            events.put(output_column(self.output), values, override=self.override)
        return None


class _Part(NamedTuple):
    """A part of a template: a text, or the column in flight whose value stands there."""

    text: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Set(Processor):
    """Set an attribute to a constant, or to a template in which `${host}` stands for the value of `host`.

    Attributes:
        output: The attribute.
        parts: What its text is made of.
        override: Whether it replaces a value that is there.
    """

    name: ClassVar[str] = "set"

    output: str
    parts: tuple[_Part, ...]
    override: bool

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `output`, `value` and `override`."""
        parameters.allow("output", "value", "override")
        output, value = parameters.output_name(), parameters.text("value", empty=True)
        return cls(output, tuple(_parts(value, parameters)), parameters.flag("override"))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The attribute."""
        return (self.output,)

    def apply(self, events: Events) -> Flags | None:
        """Set it; a part that is absent fails."""
        output = output_column(self.output)
        if not any(part.column for part in self.parts):
            events.put_constant(output, "".join(part.text for part in self.parts), override=self.override)
            return None
        open_ones = np.ones(len(events), np.bool_) if self.override else ~events.has(output)
        chunks: list[pl.Expr] = []
        for text, column in self.parts:
            values = events.texts(column) if column else None
            if column and values is None:
                return open_ones
            chunks.append(pl.lit(text if values is None else values))
        made = pl.select(pl.concat_str(chunks)).to_series()
        events.put(output, made, override=self.override)
        failed: Flags = open_ones & made.is_null().to_numpy()
        return failed


def _parts(value: str, parameters: Parameters) -> Iterator[_Part]:
    """Yield the parts of a template; `$${` is `${` itself."""
    for text, escaped, name, lone in _TEMPLATE.findall(value):
        if lone:
            parameters.problem("value", f"'${{' without a name and '}}' in {value!r}; write $${{ for the text itself")
        elif name and (reason := why_not_an_attribute(name)):
            parameters.problem("value", reason)
        yield _Part(column=source_column(name)) if name else _Part(text or escaped[1:])


@dataclass(frozen=True, slots=True)
class Remove(Processor):
    """Take attributes away; one that is missing is no error."""

    name: ClassVar[str] = "remove"

    attributes: tuple[str, ...]

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `attributes`."""
        parameters.allow("attributes")
        attributes = parameters.texts("attributes")
        if not attributes and parameters.is_fine("attributes"):
            parameters.problem("attributes", "must name at least one attribute")
        for at, name in enumerate(attributes):
            if reason := why_not_written(name):
                parameters.problem(f"attributes[{at}]", reason)
        return cls(attributes)

    def apply(self, events: Events) -> Flags | None:
        """Remove them."""
        for name in self.attributes:
            events.remove(output_column(name))
        return None


@dataclass(frozen=True, slots=True)
class Message(Processor):
    """Make an attribute's value the text of the event; `source` is its column in flight."""

    name: ClassVar[str] = "message"

    source: str

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `source`."""
        parameters.allow("source")
        source = parameters.source()
        if attribute_name(source) is None:
            parameters.problem("source", f"must be an attribute; {MESSAGE!r} is the event's text already")
        return cls(source)

    def apply(self, events: Events) -> Flags | None:
        """Set the message of the events that have the attribute."""
        values = events.texts(self.source)
        if values is not None:
            events.put("_message", values)
        return None
