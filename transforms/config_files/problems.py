"""The mistakes of a configuration file, collected so that they are all reported at once."""

from __future__ import annotations

from dataclasses import dataclass, field


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
