"""Read tokens on demand: what one is depends on its context.

`a=b` is a name, an operator and a value; `a b` is two words.

So the parser asks for what may come next, and this module reads that, or raises an error with the position.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from transforms.core.errors import QueryError
from transforms.query.syntax import Operator, Pattern, ends_bare_text, is_plain_name

MAX_LENGTH = 65_536
_OPERATORS = sorted(Operator, key=lambda o: -len(o.value))
_ESCAPABLE = frozenset('\\*"')
_WINDOW = 60
_WORD_OR_CHARACTER = re.compile(r"\w{1,20}|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Run:
    """Characters outside quotes: a word, a keyword, a name or a value, as the parser decides."""

    text: str
    pattern: Pattern
    start: int


def query_error(text: str, position: int, message: str) -> QueryError:
    """Return an error that shows the place.

    Args:
        text: the whole query.
        position: the character it is about, counted from 0; `len(text)` is the end.
        message: what was expected there, and what was found.
    """
    start = max(0, position - _WINDOW // 2)
    end = min(len(text), start + _WINDOW)
    shown = "".join(c if c.isprintable() else " " for c in text[start:end])
    before = "…" if start else ""
    after = "…" if end < len(text) else ""
    pointer = " " * (position - start + len(before)) + "^"
    return QueryError(
        f"query, character {position + 1}: {message}\n  {before}{shown}{after}\n  {pointer}", position=position
    )


class Lexer:
    """A place in a query, and what can be read from there."""

    def __init__(self, text: str) -> None:
        """Begin at the first character."""
        self.text = text
        self.position = 0
        if len(text) > MAX_LENGTH:
            self.fail(f"a query has at most {MAX_LENGTH:,} characters, this one has {len(text):,}", at=MAX_LENGTH)

    def fail(self, message: str, *, at: int | None = None) -> NoReturn:
        """Raise an error that points at a character, the next one unless told."""
        raise query_error(self.text, self.position if at is None else at, message)

    def fail_expecting(self, expected: str, *, at: int | None = None) -> NoReturn:
        """Raise an error: what was expected at a character, and what is there."""
        position = self.position if at is None else at
        found = _WORD_OR_CHARACTER.match(self.text, position)
        shown = f'"{found[0]}"' if found else "the end"
        self.fail(f"expected {expected}, found {shown}", at=position)

    def peek(self) -> str:
        """Return the next character, or `""` at the end."""
        return self.text[self.position : self.position + 1]

    def skip_blanks(self) -> None:
        """Go on to the next character that is not white space."""
        while self.peek().isspace():
            self.position += 1

    def take(self, token: str) -> bool:
        """Go over the token if it is next."""
        if not self.text.startswith(token, self.position):
            return False
        self.position += len(token)
        return True

    def take_keyword(self, keyword: str) -> bool:
        """Go over the keyword if it is next, as a word of its own."""
        end = self.position + len(keyword)
        if not self.text.startswith(keyword, self.position) or not self._ends_word(end):
            return False
        self.position = end
        return True

    def next_operator(self) -> Operator | None:
        """Return the operator that comes next, blanks passed over, and leave the place as it is."""
        position = self.position
        while self.text[position : position + 1].isspace():
            position += 1
        return next((o for o in _OPERATORS if self.text.startswith(o.value, position)), None)

    def take_operator(self) -> Operator | None:
        """Go over the operator that comes next, if one does."""
        operator = self.next_operator()
        if operator is not None:
            self.skip_blanks()
            self.position += len(operator.value)
        return operator

    def run(self, *, as_value: bool) -> Run:
        r"""Read characters outside quotes; as a word or name they end at an operator, as a value they don't.

        `\` takes the special meaning from `*`, `"` and itself, and is a character of its own before any other.
        """
        start, parts, part = self.position, list[str](), list[str]()
        while (character := self.peek()) and not ends_bare_text(character):
            if not as_value and any(self.text.startswith(o.value, self.position) for o in _OPERATORS):
                break
            self._read_character(character, parts, part)
        return Run(self.text[start : self.position], Pattern((*parts, "".join(part))), start)

    def quoted(self) -> Pattern:
        """Read text in double quotes; wildcards and escapes hold as outside."""
        start, parts, part = self.position, list[str](), list[str]()
        self.position += 1
        while (character := self.peek()) != '"':
            if not character:
                self.fail('this quote is never closed (in a quote, `\\"` is a quote and `\\\\` a backslash)', at=start)
            self._read_character(character, parts, part)
        self.position += 1
        return Pattern((*parts, "".join(part)))

    def back_quoted(self) -> str:
        """Read a name in back-quotes; two of them in a row are one of its characters."""
        start = self.position
        name = ""
        while True:
            end = self.text.find("`", self.position + 1)
            if end < 0:
                self.fail("this back-quote is never closed", at=start)
            name += self.text[self.position + 1 : end]
            self.position = end + 1
            if self.peek() != "`":
                return name
            name += "`"

    def check_name(self, run: Run) -> str:
        """Return a run as an attribute's name; other characters need back-quotes."""
        for offset, character in enumerate(run.text):
            if not is_plain_name(character):
                self.fail(
                    f'a name with "{character}" in it is written in back-quotes: `{run.text}`', at=run.start + offset
                )
        return run.text

    def _read_character(self, character: str, parts: list[str], part: list[str]) -> None:
        escaped = self.text[self.position + 1 : self.position + 2]
        if character == "\\" and escaped in _ESCAPABLE and escaped:
            part.append(escaped)
            self.position += 1
        elif character == "*":
            parts.append("".join(part))
            part.clear()
        else:
            part.append(character)
        self.position += 1

    def _ends_word(self, position: int) -> bool:
        following = self.text[position : position + 1]
        return following == "" or ends_bare_text(following)
