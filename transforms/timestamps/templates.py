"""How ISO 8601 text is put together from the bytes of a time that is written otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Template:
    """ISO text in the making: for each of its bytes where it comes from, or what it is."""

    sources: list[int] = field(default_factory=list)
    constants: dict[int, int] = field(default_factory=dict)

    def copy(self, start: int, end: int) -> None:
        """Add bytes of the row's own text."""
        self.sources.extend(range(start, end))

    def write(self, text: str) -> None:
        """Add a text that is the same in all rows."""
        for character in text:
            self.constants[len(self.sources)] = ord(character)
            self.sources.append(0)

    def two_digits(self, span: tuple[int, int]) -> None:
        """Add a number of the row's text, with a zero before it if it has one digit."""
        if span[1] - span[0] == 1:
            self.write("0")
        self.copy(*span)
