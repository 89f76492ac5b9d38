"""The fields that pipelines and rules have in common, and how the mistakes of their files are told."""

from __future__ import annotations

from collections.abc import Callable

from transforms.config_files.documents import Document
from transforms.core.errors import ConfigurationError, QueryError
from transforms.processors.parameters import Parameters, Problems
from transforms.query import Expr, parse


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
    for problem in problems.found:
        place = document.place(problem.path, at_key=problem.at_key)
        lines.append(f"{source}:{place.line}:{place.column}: {problem.path}: {problem.text}")
    if lines:
        raise ConfigurationError("\n".join(lines), field=field)


def read_condition(fields: Parameters, document: Document, parse: Callable[[str], Expr] = parse) -> Expr | None:
    """Read `when`, a condition in the query language; None where it is left out, and where it is wrong, which is
    noted.
    """
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


def read_description(fields: Parameters) -> str:
    """Read `description`, empty if it is left out."""
    description = fields.values.get("description", "")
    if not isinstance(description, str):
        fields.problem("description", f"must be a text, not {description!r}; put it in quotes")
        return ""
    return description


def read_enabled(fields: Parameters) -> bool:
    """Read `enabled`, true if it is left out."""
    enabled = fields.values.get("enabled", True)
    if not isinstance(enabled, bool):
        fields.problem("enabled", f"must be true or false, not {enabled!r}")
        return False
    return enabled
