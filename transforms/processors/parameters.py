"""How the parameters of a processor are read from a pipelines file, every mistake noted with its path."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.config_files.documents import Document
from transforms.config_files.fields import Fields, read_condition
from transforms.core.schema import attribute_column, is_system
from transforms.query import Expr

MESSAGE = "message"
_ATTRIBUTES = "attributes."
_SYSTEM = "a processor reads and writes user attributes and 'message'"


@dataclass(slots=True)
class Parameters(Fields):
    """The parameters of one processor, read one by one.

    Attributes:
        document: The file that they stand in.
    """

    document: Document

    def allow(self, *names: str) -> None:
        """Refuse parameters of other names."""
        for name in self.values:
            if name not in names:
                text = f"unknown parameter; this processor takes {', '.join(names)}"
                self.problems.add(f"{self.path}.{name}", text, at_key=True)

    def source(self, at: str = "source") -> str:
        """Read `source`, or another parameter like it, and return the name of its column in flight."""
        name = self.text(at)
        if reason := why_not_an_attribute(name):
            self.problem(at, reason)
        return source_column(name)

    def condition(self) -> Expr | None:
        """Read `when`, None where it is left out."""
        return read_condition(self, self.document)

    def share(self, name: str) -> float:
        """Read a number from 0 to 1."""
        value = self.values.get(name)
        if value is None:
            self.problem(name, "is required")
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            self.problem(name, f"must be a number from 0 to 1, not {value!r}")
        else:
            return float(value)
        return 0.0

    def output(self, name: str, *, at: str) -> None:
        """Check the name of an attribute that is written; `at` is the parameter that gives it."""
        if reason := why_not_written(name):
            self.problem(at, reason)

    def output_name(self) -> str:
        """Read `output`, the name of an attribute."""
        name = self.text("output")
        if name:
            self.output(name, at="output")
        return name

    def prefix(self) -> str:
        """Read `prefix`, which the names of attributes begin with."""
        prefix = self.text("prefix", default="", empty=True)
        if reason := why_not_an_attribute(prefix):
            self.problem("prefix", reason)
        return prefix


def why_not_an_attribute(name: str) -> str | None:
    """Say why a pipeline may not read or write this name, or None if it may."""
    if name.startswith(("#", "_")):
        return f"{name!r} is a system attribute (they begin with '_' or '#'); {_SYSTEM}"
    return None


def why_not_written(name: str) -> str | None:
    """Say why a pipeline may not write an attribute of this name, or None if it may."""
    return why_not_an_attribute(name) or (None if name else "an attribute's name is not empty")


def source_column(name: str) -> str:
    """Return the column in flight of what a processor's `source` names; `message` is always the event's text."""
    return "_message" if name == MESSAGE else output_column(name)


def output_column(name: str) -> str:
    """Return the column in flight of an attribute that is written or removed, which may be called `message`."""
    if name.startswith(_ATTRIBUTES) and (is_system(own := name.removeprefix(_ATTRIBUTES)) or own == MESSAGE):
        name = own
    return attribute_column(name)
