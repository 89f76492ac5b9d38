"""YAML that takes no long time to read: of a bounded length, and nested in a bounded depth.

PyYAML looks through all open brackets at every sign, and calls itself for each level.
"""

from __future__ import annotations

import yaml

from transforms.core.errors import ConfigurationError

LONGEST = 1 << 18
"""Characters: PyYAML reads some 50,000 a second."""
DEEPEST = 100


class TooDeepError(yaml.scanner.ScannerError):
    """Something is nested too deep, whatever else may be wrong."""


class BoundedLoader(yaml.SafeLoader):
    """YAML's safe loader, which stops at the first sign that is too deep."""

    def fetch_flow_collection_start(self, TokenClass: type[yaml.Token]) -> None:  # noqa: N803 - PyYAML's name
        """Read a bracket or brace."""
        self._check(self.flow_level)
        super().fetch_flow_collection_start(TokenClass)

    def add_indent(self, column: int) -> bool:
        """Begin a level of indented lines."""
        self._check(len(self.indents))
        return bool(super().add_indent(column))

    def _check(self, depth: int) -> None:
        if depth >= DEEPEST:
            raise TooDeepError(None, None, f"values lie more than {DEEPEST} deep in each other", self.get_mark())


def check_length(text: str, *, source: str, field: str) -> None:
    """Refuse a text that would take long to read.

    Args:
        text: The file.
        source: Its name, for messages.
        field: The field that errors name.

    Raises:
        ConfigurationError: it is too long.
    """
    if len(text) > LONGEST:
        message = f"{source}: has {len(text):,} characters; a file may have {LONGEST:,}"
        raise ConfigurationError(message, field=field)
