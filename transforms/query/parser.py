"""Query text to syntax tree (docs/query.md), by recursive descent.

    query      = or
    or         = and { "OR" and }
    and        = not { ["AND"] not }
    not        = { "NOT" } term
    term       = "(" or ")" | field operator value | field "IN" "(" value { "," value } ")" | text
    field      = name | "`" any characters "`" | "#" systemName
    operator   = "=" | "!=" | ">" | ">=" | "<" | "<="
    value,text = bare | '"' phrase '"' | "CASE(" bare or phrase ")"

Keywords are written in capitals: `and`, `or` and `not` are words to look for.
"""

from __future__ import annotations

import difflib

from transforms.core.names import ATTRIBUTES_COLUMN, TIME_NAMES
from transforms.query.instants import parse_instant
from transforms.query.lexer import Lexer
from transforms.query.syntax import (
    MESSAGE_COLUMN,
    SYSTEM_ATTRIBUTES,
    And,
    Comparison,
    Everything,
    Expr,
    Field,
    Membership,
    Not,
    Operator,
    Or,
    Pattern,
    Word,
)

MAX_DEPTH = 100
_KEYWORDS = ("AND", "OR", "NOT")
_CONDITION = 'a condition (name=value), a word or a "phrase"'
_PIPE = (
    "a query has no pipes: `rekindle search QUERY --top NAME` counts values, `--histogram 1h` counts over time, "
    "`--fields A,B` chooses what is shown, and `rekindle sql` does all else; the character itself is written in quotes"
)
_ORDERED = (Operator.GREATER, Operator.GREATER_OR_EQUAL, Operator.LESS, Operator.LESS_OR_EQUAL)


def parse(text: str, *, brackets_required: bool = False) -> Expr:
    """Return the syntax tree of a query.

    Args:
        text: the query; an empty one is an error, since only a missing condition means all.
        brackets_required: refuse AND (or a space) beside OR without brackets, as rules and holds do: a misread rule
            deletes data.

    Raises:
        QueryError: it is not a query; the message points at the character and has what was expected.
    """
    parser = _QueryParser(text, brackets_required=brackets_required)
    return parser.query()


def attribute_field(name: str, *, position: int = 0) -> Field:
    """Return the field of a name without `#`: `message` is the event's, `attributes.message` an attribute."""
    if name == "message":
        return Field(MESSAGE_COLUMN, system=True, position=position)
    return Field(name.removeprefix(ATTRIBUTES_COLUMN + "."), position=position)


class _QueryParser:
    """The state of one descent. Each method leaves the lexer behind what it read and the blanks after it."""

    def __init__(self, text: str, *, brackets_required: bool) -> None:
        self._lexer = Lexer(text)
        self._brackets_required = brackets_required
        self._depth = 0

    def query(self) -> Expr:
        self._lexer.skip_blanks()
        expr = self._or()
        if self._lexer.peek():
            self._lexer.fail_expecting("AND, OR or the end")
        return expr

    def _or(self) -> Expr:
        chains = [self._and()]
        first_or = self._lexer.position
        while self._keyword("OR"):
            chains.append(self._and())
        if self._brackets_required and len(chains) > 1 and any(len(chain) > 1 for chain in chains):
            self._lexer.fail("AND (or a space) beside OR needs brackets here: (a=b c=d) OR e=f", at=first_or)
        terms = tuple(chain[0] if len(chain) == 1 else And(chain) for chain in chains)
        return terms[0] if len(terms) == 1 else Or(terms)

    def _and(self) -> tuple[Expr, ...]:
        terms = [self._not()]
        while self._keyword("AND") or self._operand_follows():
            terms.append(self._not())
        return tuple(terms)

    def _operand_follows(self) -> bool:
        position = self._lexer.position
        is_or = self._lexer.take_keyword("OR")
        self._lexer.position = position
        return not is_or and self._lexer.peek() not in ("", ")")

    def _not(self) -> Expr:
        start = self._lexer.position
        if not self._keyword("NOT"):
            return self._term()
        self._descend(start)
        term = Not(self._not())
        self._depth -= 1
        return term

    def _term(self) -> Expr:
        lexer = self._lexer
        match lexer.peek():
            case "(":
                return self._group()
            case '"':
                return self._phrase()
            case "`":
                start = lexer.position
                return self._condition(attribute_field(lexer.back_quoted(), position=start))
            case "#":
                return self._condition(self._system_field())
            case "" | ")" | "," | "=" | "<" | ">":
                return lexer.fail_expecting(_CONDITION)
            case _:
                return self._bare()

    def _group(self) -> Expr:
        start = self._lexer.position
        self._descend(start)
        self._lexer.take("(")
        self._lexer.skip_blanks()
        expr = self._or()
        if not self._lexer.take(")"):
            self._lexer.fail_expecting(f'AND, OR or the ")" of the "(" at character {start + 1}')
        self._depth -= 1
        self._lexer.skip_blanks()
        return expr

    def _descend(self, start: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._lexer.fail(f"brackets and NOT go at most {MAX_DEPTH} deep", at=start)

    def _phrase(self) -> Expr:
        start = self._lexer.position
        pattern = self._lexer.quoted()
        if self._lexer.next_operator() is not None:
            self._lexer.fail("a name is written without quotes, or in back-quotes: `the name`", at=start)
        self._end_text()
        return _word(pattern)

    def _bare(self) -> Expr:
        lexer, start = self._lexer, self._lexer.position
        if lexer.take("CASE("):
            pattern = self._case(start)
            self._end_text()
            return _word(pattern)
        run = lexer.run(as_value=False)
        if run.text == "":
            lexer.fail_expecting(_CONDITION)
        if run.text.startswith("|"):
            lexer.fail(_PIPE, at=start)
        if lexer.next_operator() is not None or self._membership_follows():
            return self._condition(attribute_field(lexer.check_name(run), position=start))
        if run.text in _KEYWORDS:
            lexer.fail_expecting(f"{_CONDITION} before {run.text}", at=start)
        if run.text in ("in", "In") and lexer.text[lexer.position :].lstrip().startswith("("):
            lexer.fail("IN is written in capitals: name IN (x, y)", at=start)
        self._end_text()
        return _word(run.pattern)

    def _membership_follows(self) -> bool:
        """Whether `IN (` comes next: only then is IN a keyword, and the word before it a name."""
        lexer, position = self._lexer, self._lexer.position
        lexer.skip_blanks()
        found = lexer.position > position and lexer.take("IN")
        lexer.skip_blanks()
        found = found and lexer.peek() == "("
        lexer.position = position
        return found

    def _system_field(self) -> Field:
        lexer, start = self._lexer, self._lexer.position
        lexer.take("#")
        run = lexer.run(as_value=False)
        column = SYSTEM_ATTRIBUTES.get(run.text)
        if column is None:
            near = difflib.get_close_matches(run.text, SYSTEM_ATTRIBUTES, n=1)
            hint = (
                f"did you mean #{near[0]}?"
                if near
                else "there are " + ", ".join(f"#{name}" for name in SYSTEM_ATTRIBUTES)
            )
            lexer.fail(
                f'no system attribute is called "#{run.text}"; {hint} (text that begins with # is written in quotes)',
                at=start,
            )
        return Field(column, system=True, position=start)

    def _condition(self, field: Field) -> Expr:
        lexer = self._lexer
        if (operator := lexer.take_operator()) is not None:
            return self._comparison(field, operator)
        if not self._membership_follows():
            lexer.skip_blanks()
            lexer.fail_expecting("one of = != > >= < <= or IN (…) after the name")
        lexer.skip_blanks()
        lexer.take("IN")
        lexer.skip_blanks()
        lexer.take("(")
        values = [self._value("a value")]
        while not lexer.take(")"):
            if not lexer.take(","):
                lexer.fail_expecting('"," or ")" in the list')
            values.append(self._value("a value"))
        lexer.skip_blanks()
        return Membership(field, tuple(values))

    def _comparison(self, field: Field, operator: Operator) -> Expr:
        self._lexer.skip_blanks()
        start = self._lexer.position
        value = self._value(f'a value after "{operator.value}"')
        if (
            operator in _ORDERED
            and field.system
            and field.name in TIME_NAMES
            and parse_instant(value.literal or "") is None
        ):
            self._lexer.fail("expected a time such as 2025-08-11 or 2025-08-11T22:24:37Z", at=start)
        return Comparison(field, operator, value)

    def _value(self, expected: str) -> Pattern:
        lexer = self._lexer
        lexer.skip_blanks()
        start = lexer.position
        if lexer.take("CASE("):
            value = self._case(start)
        elif lexer.peek() == '"':
            value = lexer.quoted()
        else:
            value = self._bare_value(expected)
        self._end_text(in_list=expected == "a value")
        return value

    def _bare_value(self, expected: str) -> Pattern:
        if self._lexer.peek() in ("=", "<", ">"):
            self._lexer.fail_expecting(f"{expected} (one that begins so is written in quotes)")
        run = self._lexer.run(as_value=True)
        if run.text in _KEYWORDS:
            self._lexer.fail_expecting(
                f"{expected} before {run.text} (the word itself is written in quotes)", at=run.start
            )
        if run.text == "":
            self._lexer.fail_expecting(expected)
        return run.pattern

    def _case(self, start: int) -> Pattern:
        lexer = self._lexer
        lexer.skip_blanks()
        pattern = lexer.quoted() if lexer.peek() == '"' else lexer.run(as_value=True).pattern
        if pattern.parts == ("",) and lexer.text[lexer.position - 1] != '"':
            lexer.fail_expecting("a value in CASE(…)")
        lexer.skip_blanks()
        if not lexer.take(")"):
            lexer.fail_expecting(f'the ")" of the CASE( at character {start + 1}')
        return Pattern(pattern.parts, exact_case=True)

    def _end_text(self, *, in_list: bool = False) -> None:
        """Go over the blanks after a word or value; anything else that touches it was meant to be part of it."""
        touching = self._lexer.peek()
        if not (touching == "" or touching.isspace() or touching == ")" or (in_list and touching == ",")):
            self._lexer.fail_expecting("a space (text with brackets, commas or quotes in it is written in quotes)")
        self._lexer.skip_blanks()

    def _keyword(self, keyword: str) -> bool:
        found = self._lexer.take_keyword(keyword)
        if found:
            self._lexer.skip_blanks()
        return found


def _word(pattern: Pattern) -> Expr:
    return Everything() if pattern.is_any else Word(pattern)
