"""The fields that pipelines and rules have in common, and how the mistakes of their files are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.config_files.documents import Document
from transforms.config_files.problems import Problems
from transforms.core.errors import ConfigurationError, QueryError
from transforms.query import Expr, parse

_MOST = 200
"""More mistakes than that are counted."""


@dataclass(slots=True)
class Fields:
    """The fields of one part of a file, read one by one.

    Attributes:
        values: As the file has them.
        path: Where they stand.
        problems: Where mistakes are noted.
    """

    values: Mapping[str, Any]
    path: str
    problems: Problems

    def problem(self, name: str, text: str) -> None:
        """Note a mistake of one field."""
        self.problems.add(f"{self.path}.{name}", text)

    def is_fine(self, name: str) -> bool:
        """Whether no mistake of a field was noted."""
        return all(problem.path != f"{self.path}.{name}" for problem in self.problems.found)

    def text(self, name: str, *, default: str | None = None, empty: bool = False) -> str:
        """Read a text; without a default it is required; `empty` allows an empty one."""
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


def raise_problems(document: Document, problems: Problems, *, source: str, field: str) -> None:
    """Tell all mistakes of a file, if there are any.

    Args:
        document: The file.
        problems: What is wrong with it.
        source: Its name.
        field: What kind of file it is, by its flag.

    Raises:
        ConfigurationError: A line for each mistake, as `FILE:LINE:COLUMN: PATH: what is wrong`.
    """
    lines: list[str] = []
    for problem in problems.found[:_MOST]:
        position = document.position(problem.path, at_key=problem.at_key)
        lines.append(f"{source}:{position.line}:{position.column}: {problem.path}: {problem.text}")
    if more := len(problems.found[_MOST:]):
        lines.append(f"{source}: and {more:,} mistakes more")
    if lines:
        raise ConfigurationError("\n".join(lines), field=field)


def read_condition(fields: Fields, document: Document, parse: Callable[[str], Expr] = parse) -> Expr | None:
    """Read `when`, a condition in the query language; None where it is missing, or wrong, which is noted."""
    if "when" not in fields.values:
        return None
    condition, comment = fields.values["when"], document.comments.get(f"{fields.path}.when")
    if comment is not None:
        fields.problem(
            "when", f"YAML takes {comment!r} for a comment; put the whole condition in single quotes: when: '…'"
        )
    elif condition is None or (isinstance(condition, str) and not condition.strip()):
        fields.problem("when", "is empty; leave it out for all events")
    elif not isinstance(condition, str):
        fields.problem("when", f"must be a text in the query language, not {condition!r}; put it in quotes: when: '…'")
    else:
        try:
            return parse(condition)
        except QueryError as error:
            fields.problem("when", str(error))
    return None


def read_description(fields: Fields) -> str:
    """Read `description`, empty if it is left out."""
    description = fields.values.get("description", "")
    if not isinstance(description, str):
        fields.problem("description", f"must be a text, not {description!r}; put it in quotes")
        return ""
    return description


def read_enabled(fields: Fields) -> bool:
    """Read `enabled`, true if it is left out."""
    enabled = fields.values.get("enabled", True)
    if not isinstance(enabled, bool):
        fields.problem("enabled", f"must be true or false, not {enabled!r}")
        return False
    return enabled
