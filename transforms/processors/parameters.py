"""How the parameters of a processor are read from a pipelines file, every mistake noted with its path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from transforms.core.schema import attribute_column, is_system

MESSAGE = "message"
_ATTRIBUTES = "attributes."
_SYSTEM = "a processor reads and writes user attributes and 'message'"


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake of a file.

    Attributes:
        path: Like `pipelines[2].steps[0].pattern`.
        text: What is wrong, and what is allowed.
        at_key: Whether the name itself is the mistake, not its value.
    """

    path: str
    text: str
    at_key: bool = False


@dataclass(slots=True)
class Problems:
    """The mistakes of a file, so that they are all told at once."""

    found: list[Problem] = field(default_factory=list)

    def add(self, path: str, text: str, *, at_key: bool = False) -> None:
        """Note a mistake at a path."""
        self.found.append(Problem(path, text, at_key))


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

    def is_fine(self, name: str) -> bool:
        """Whether no mistake of a parameter was noted."""
        return all(problem.path != f"{self.path}.{name}" for problem in self.problems.found)

    def allow(self, *names: str) -> None:
        """Refuse parameters of other names."""
        for name in self.values:
            if name not in names:
                text = f"unknown parameter; this processor takes {', '.join(names)}"
                self.problems.add(f"{self.path}.{name}", text, at_key=True)

    def text(self, name: str, *, default: str | None = None, empty: bool = False) -> str:
        """Read a text; without a default it is required, and only where it says so may it be empty."""
        value = self.values.get(name, default)
        if isinstance(value, str) and (value or empty):
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

    def flag(self, name: str) -> bool:
        """Read a truth value, false if it is left out."""
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            self.problem(name, f"must be true or false, not {value!r}")
        return value is True

    def source(self) -> str:
        """Read `source`, and return the name of its column in flight."""
        name = self.text("source")
        if reason := why_not_an_attribute(name):
            self.problem("source", reason)
        return source_column(name)

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
    """Return the column in flight of an attribute that is written, or removed: `message` is then an attribute of that
    name.
    """
    if name.startswith(_ATTRIBUTES) and (is_system(own := name.removeprefix(_ATTRIBUTES)) or own == MESSAGE):
        name = own
    return attribute_column(name)
