"""The processor `grok`: `%{IPORHOST:client} %{NUMBER:bytes}`, with the library that everybody knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import ClassVar

import yaml

from transforms.arrow import Flags
from transforms.core.errors import ConfigurationError
from transforms.processors.kernels.events import Events
from transforms.processors.kernels.searching import groups_of, matched, put_groups
from transforms.processors.parameters import Parameters
from transforms.processors.processor import Processor

_REFERENCE = re.compile(r"%\{(?P<pattern>\w+)(?::(?P<name>[^:{}]+))?(?::(?P<type>\w+))?\}")
_NAME = re.compile(r"\w+\Z")
_GROUP = re.compile(
    r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\(\?P?<(?P<name>[^=!>][^>]*)>|(?P<bare>\((?!\?))", re.DOTALL
)
_LONGEST = 100_000  # characters of a pattern with its definitions put in
_TYPES = ("int", "float", "long", "double", "boolean", "string")


@cache
def library() -> Mapping[str, str]:
    """Return the standard patterns by name."""
    text = (files("transforms.processors.kernels") / "grok.patterns.yaml").read_text(encoding="utf-8")
    patterns: dict[str, str] = yaml.safe_load(text)
    return patterns


@dataclass(frozen=True, slots=True)
class Grok(Processor):
    """Cut attributes out of a text by named patterns.

    Attributes:
        source: Column in flight that is searched.
        pattern: Regular expression, the definitions put in.
        names: The attribute of each capture group, in their order.
        required: Whether the pipeline ends here for an event that does not match.
    """

    name: ClassVar[str] = "grok"

    source: str
    pattern: str
    names: tuple[str, ...]
    required: bool = False

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `source`, `pattern`, `definitions` and `required`, and try the pattern."""
        parameters.allow("source", "pattern", "definitions", "required")
        source, text = parameters.source(), parameters.text("pattern")
        definitions = _definitions(parameters)
        if not text:
            return cls(source, "", ())
        try:
            pattern, names = expand(text, {**library(), **definitions})
        except ConfigurationError as error:
            parameters.problem("pattern", str(error))
            return cls(source, "", ())
        if not names:
            parameters.problem(
                "pattern", f"names no attribute, so nothing would be written; write %{{PATTERN:name}} in '{text}'"
            )
        elif groups_of(pattern, parameters, shown=text):
            for name in dict.fromkeys(names):
                parameters.output(name, at="pattern")
        return cls(source, pattern, names, parameters.flag("required"))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names in the pattern."""
        return tuple(dict.fromkeys(self.names))

    def apply(self, events: Events) -> Flags | None:
        """Search every event's source; each named group that took part replaces the attribute of its name."""
        return put_groups(events, self.source, self.pattern, self.names)

    def going_on(self, events: Events, failed: Flags | None) -> Flags | None:
        """Go on for all events, or for those that match."""
        return matched(events, self.source, failed) if self.required else None


def _definitions(parameters: Parameters) -> dict[str, str]:
    given = parameters.values.get("definitions", {})
    if not isinstance(given, Mapping):
        parameters.problem("definitions", f"must be a mapping of names to patterns, not {given!r}")
        return {}
    for name, pattern in given.items():
        if not isinstance(name, str) or not _NAME.match(name):
            parameters.problem(f"definitions.{name}", "a pattern's name is letters, digits and _")
        elif not isinstance(pattern, str) or not pattern:
            parameters.problem(f"definitions.{name}", f"must be a pattern, not {pattern!r}")
    return {name: pattern for name, pattern in given.items() if isinstance(name, str) and isinstance(pattern, str)}


def expand(text: str, patterns: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Put definitions in for their names.

    Args:
        text: A grok pattern.
        patterns: Definitions by name.

    Returns:
        A regular expression whose capture groups are those with a name, and these names in their order.

    Raises:
        ConfigurationError: A name has no definition, is defined by itself, or all together is too long; with the
            character.
    """
    expanded = _put_in(text, patterns, ())
    names: list[str] = []

    def uncover(match: re.Match[str]) -> str:
        if match["name"]:
            names.append(match["name"])
            return "("
        return "(?:" if match["bare"] else match[0]

    return _GROUP.sub(uncover, expanded), tuple(names)


def _put_in(text: str, patterns: Mapping[str, str], within: tuple[str, ...]) -> str:
    parts: list[str] = []
    end = length = 0
    for match in _REFERENCE.finditer(text):
        name = match["pattern"]
        if name in within:
            raise ConfigurationError(f"{name} is defined by itself: {' → '.join((*within, name))}")
        if name not in patterns:
            where = f"in the definition of {within[-1]}" if within else f"character {match.start() + 1}"
            raise ConfigurationError(f"{where}, '{match[0]}': no pattern is called {name}; define it under definitions")
        if match["type"] and match["type"] not in _TYPES:
            raise ConfigurationError(
                f"character {match.start() + 1}, '{match[0]}': {match['type']} is none of {', '.join(_TYPES)}"
            )
        expanded_definition = _put_in(patterns[name], patterns, (*within, name))
        parts += (
            text[end : match.start()],
            f"(?P<{match['name']}>{expanded_definition})" if match["name"] else f"(?:{expanded_definition})",
        )
        length += len(expanded_definition)
        if length > _LONGEST:
            raise ConfigurationError(f"with its definitions put in, the pattern has more than {_LONGEST:,} characters")
        end = match.end()
    return "".join((*parts, text[end:]))
