"""The processors that copy, set, remove: `map`, `set`, `remove`, and `message` (docs/pipelines.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from transforms.arrow import Flags
from transforms.core.schema import attribute_name
from transforms.processors.kernels.events import Events
from transforms.processors.parameters import MESSAGE, Parameters, output_column, why_not_written
from transforms.processors.processor import Processor


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


@dataclass(frozen=True, slots=True)
class Set(Processor):
    """Set an attribute to a constant.

    Attributes:
        output: The attribute.
        value: Its text, which may be empty.
        override: Whether it replaces a value that is there.
    """

    name: ClassVar[str] = "set"

    output: str
    value: str
    override: bool

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `output`, `value` and `override`."""
        parameters.allow("output", "value", "override")
        return cls(parameters.output_name(), parameters.text("value", empty=True), parameters.flag("override"))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The attribute."""
        return (self.output,)

    def apply(self, events: Events) -> Flags | None:
        """Set it."""
        events.put_constant(output_column(self.output), self.value, override=self.override)
        return None


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
