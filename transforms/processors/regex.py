"""The processor `regex`: capture groups become attributes (docs/pipelines.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from transforms.arrow import Flags
from transforms.processors.kernels.events import Events
from transforms.processors.kernels.searching import groups_of, matched, put_groups
from transforms.processors.parameters import Parameters
from transforms.processors.processor import Processor


@dataclass(frozen=True, slots=True)
class Regex(Processor):
    """Cut attributes out of a text.

    Attributes:
        source: Column in flight that is searched.
        pattern: Regular expression.
        names: The attribute of each capture group, in their order.
        required: Whether the pipeline ends here for an event that does not match.
    """

    name: ClassVar[str] = "regex"

    source: str
    pattern: str
    names: tuple[str, ...]
    required: bool = False

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `source`, `pattern`, `outputs` and `required`, and try the pattern."""
        parameters.allow("source", "pattern", "outputs", "required")
        source, pattern = parameters.source(), parameters.text("pattern")
        outputs = parameters.texts("outputs")
        groups = groups_of(pattern, parameters) if pattern else ()
        names = _names(groups, outputs, parameters) if groups else ()
        return cls(source, pattern, names, parameters.flag("required"))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The groups' attributes."""
        return self.names

    def apply(self, events: Events) -> Flags | None:
        """Search every event's source; a group that took part becomes an attribute, and replaces what is there."""
        return put_groups(events, self.source, self.pattern, self.names)

    def going_on(self, events: Events, failed: Flags | None) -> Flags | None:
        """Go on for all events, or for those that match."""
        return matched(events, self.source, failed) if self.required else None


def _names(groups: tuple[str, ...], outputs: tuple[str, ...], parameters: Parameters) -> tuple[str, ...]:
    """Match groups and `outputs`: either all groups have names, or `outputs` has one for each."""
    unnamed = [group for group in groups if group.isdecimal()]
    at = "outputs" if outputs else "pattern"
    if not outputs and unnamed:
        parameters.problem(
            "pattern",
            f"group {unnamed[0]} has no name; write (?P<name>…), (?:…) to keep nothing of it, or name all in outputs",
        )
    elif outputs and len(unnamed) < len(groups):
        parameters.problem("outputs", "the pattern's groups have names of their own; leave outputs out, or the names")
    elif outputs and len(outputs) != len(groups):
        parameters.problem(
            "outputs", f"names {len(outputs)} attributes, but the pattern has {len(groups)} capture groups"
        )
    elif len(set(outputs)) < len(outputs):
        parameters.problem("outputs", "names an attribute twice")
    names = outputs or tuple(group for group in groups if not group.isdecimal())
    for name in names:
        parameters.output(name, at=at)
    return names
