"""Query text to syntax tree: a table of trees, a table of errors, and every tree written and read again."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.core.errors import ConfigurationError, QueryError
from transforms.query.parser import MAX_DEPTH, parse
from transforms.query.syntax import (
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
    fields,
)

EQUAL = Operator.EQUAL


def text(*parts: str, exact_case: bool = False) -> Pattern:
    return Pattern(parts, exact_case)


def equal(name: str, *parts: str) -> Comparison:
    return Comparison(Field(name), EQUAL, Pattern(parts))


def system(name: str) -> Field:
    return Field(name, system=True)


TREES: dict[str, tuple[str, Expr]] = {
    "equality": ("a=b", equal("a", "b")),
    "blanks around the operator": ("a = b", equal("a", "b")),
    "inequality": ("a!=b", Comparison(Field("a"), Operator.NOT_EQUAL, text("b"))),
    "orders": (
        "a>1 a>=1 a<1 a<=-1.5",
        And(
            (
                Comparison(Field("a"), Operator.GREATER, text("1")),
                Comparison(Field("a"), Operator.GREATER_OR_EQUAL, text("1")),
                Comparison(Field("a"), Operator.LESS, text("1")),
                Comparison(Field("a"), Operator.LESS_OR_EQUAL, text("-1.5")),
            )
        ),
    ),
    "AND binds tighter than OR": ("a=1 OR b=2 AND c=3", Or((equal("a", "1"), And((equal("b", "2"), equal("c", "3")))))),
    "a space is AND": ("a=1 b=2 OR c=3", Or((And((equal("a", "1"), equal("b", "2"))), equal("c", "3")))),
    "NOT binds tighter than AND": ("NOT a=1 b=2", And((Not(equal("a", "1")), equal("b", "2")))),
    "NOT twice": ("NOT NOT a=1", Not(Not(equal("a", "1")))),
    "NOT with a bracket": ("NOT(a=1 OR b=2)", Not(Or((equal("a", "1"), equal("b", "2"))))),
    "brackets": ("(a=1 OR b=2) c=3", And((Or((equal("a", "1"), equal("b", "2"))), equal("c", "3")))),
    "brackets without blanks": ("(a=1)OR(b=2)", Or((equal("a", "1"), equal("b", "2")))),
    "is set": ("a=*", equal("a", "", "")),
    "is set, in quotes": ('a="*"', equal("a", "", "")),
    "wildcards": ("a=x*y*", equal("a", "x", "y", "")),
    "wildcards in quotes": ('useragent="*Windows NT*"', equal("useragent", "", "Windows NT", "")),
    "escaped wildcard": (r"a=x\*y", equal("a", "x*y")),
    "escaped quote": (r'a="say \"hi\""', equal("a", 'say "hi"')),
    "escaped quote outside quotes": (r"a=5\"", equal("a", '5"')),
    "escaped backslash before a wildcard": (r"a=C:\\*", equal("a", "C:\\", "")),
    "a backslash is itself before others": (r"a=C:\Windows", equal("a", r"C:\Windows")),
    "a backslash at the end": ("a=b\\", equal("a", "b\\")),
    "empty value": ('a=""', equal("a", "")),
    "operators inside a value": ("url=/x?a=b&c>=d", equal("url", "/x?a=b&c>=d")),
    "a time as value": ("t=2025-08-11T22:24:37Z", equal("t", "2025-08-11T22:24:37Z")),
    "names with marks": ("k8s.pod-name_1@x=y", equal("k8s.pod-name_1@x", "y")),
    "names in other scripts": ("größe=1", equal("größe", "1")),
    "back-quoted name": ("`User Agent`=x", equal("User Agent", "x")),
    "back-quoted keyword": ("`AND`=x", equal("AND", "x")),
    "back-quote in a name": ("`a``b`=x", equal("a`b", "x")),
    "a back-quote as name": ("````=x", equal("`", "x")),
    "the empty name": ("``=x", equal("", "x")),
    "IN": ('a IN (x, "y z",CASE(Q))', Membership(Field("a"), (text("x"), text("y z"), text("Q", exact_case=True)))),
    "IN without blanks": ("a IN(x)", Membership(Field("a"), (text("x"),))),
    "IN with wildcards": ("a IN (5*, *x)", Membership(Field("a"), (text("5", ""), text("", "x")))),
    "IN as a word": ("failed IN progress", And((Word(text("failed")), Word(text("IN")), Word(text("progress"))))),
    "CASE value": ("a=CASE(Foo)", Comparison(Field("a"), EQUAL, text("Foo", exact_case=True))),
    "CASE phrase": ('a=CASE("Foo *")', Comparison(Field("a"), EQUAL, text("Foo ", "", exact_case=True))),
    "CASE word": ("CASE(Error) x", And((Word(text("Error", exact_case=True)), Word(text("x"))))),
    "CASE apart from its bracket is a word": ("CASE (x)", And((Word(text("CASE")), Word(text("x"))))),
    "word": ("timeout", Word(text("timeout"))),
    "words": ("don't stop", And((Word(text("don't")), Word(text("stop"))))),
    "small letters are words": ("a and b", And((Word(text("a")), Word(text("and")), Word(text("b"))))),
    "phrase": ('"out of memory"', Word(text("out of memory"))),
    "phrase with a wildcard": ('"out of * memory"', Word(text("out of ", " memory"))),
    "everything": ("*", Everything()),
    "system attribute": ("#eventId=e_*", Comparison(system("_event_id"), EQUAL, text("e_", ""))),
    "system time": ("#time>=2025-08-11", Comparison(system("_time"), Operator.GREATER_OR_EQUAL, text("2025-08-11"))),
    "message": ("message=x", Comparison(system("_message"), EQUAL, text("x"))),
    "a record's own message": ("attributes.message=x", equal("message", "x")),
    "an attribute by its long name": ("attributes.status=x", equal("status", "x")),
    "an attribute called as a system column": ("_time=x", equal("_time", "x")),
    "white space of all kinds": ("a=1\n\tb=2\u00a0c=3", And((equal("a", "1"), equal("b", "2"), equal("c", "3")))),
}


@pytest.mark.parametrize(("query", "tree"), TREES.values(), ids=TREES.keys())
def test_query_has_its_tree(query: str, tree: Expr) -> None:
    assert parse(query) == tree


@pytest.mark.parametrize(("query", "tree"), TREES.values(), ids=TREES.keys())
def test_tree_written_and_read_again_is_the_same(query: str, tree: Expr) -> None:
    assert parse(str(tree)) == tree
    assert pickle.loads(pickle.dumps(tree)) == tree


# query, character that is pointed at (from 0), what the message says
ERRORS: dict[str, tuple[str, int, str]] = {
    "empty": ("", 0, "expected a condition"),
    "blank": ("  ", 2, "found the end"),
    "no value": ("a=", 2, 'expected a value after "=", found the end'),
    "no value before a bracket": ("(a>= )", 5, 'expected a value after ">=", found ")"'),
    "keyword for a value": ("a= OR b=1", 3, "before OR"),
    "two equals signs": ("a==b", 2, 'expected a value after "="'),
    "value with a comma": ("a=b,c", 3, 'found ","'),
    "value with a bracket": ("a=f(x)", 3, 'found "("'),
    "text after a quote": ('a="b"c', 5, "expected a space"),
    "bracket never closed": ("x (a=b", 6, 'expected AND, OR or the ")" of the "(" at character 3, found the end'),
    "bracket never opened": ("a=b) c", 3, "expected AND, OR or the end"),
    "empty brackets": ("()", 1, "expected a condition"),
    "AND first": ("AND a=b", 0, "before AND"),
    "AND last": ("a=b AND", 7, "found the end"),
    "OR twice": ("a OR OR b", 5, "before OR"),
    "NOT alone": ("NOT", 3, "found the end"),
    "IN without values": ("a IN ()", 6, "expected a value"),
    "IN with a comma too many": ("a IN (x,)", 8, 'found ")"'),
    "IN without comma": ("a IN (x y)", 8, 'expected "," or ")"'),
    "IN never closed": ("a IN (x", 7, 'expected "," or ")" in the list, found the end'),
    "in": ("a in (x, y)", 2, "capitals"),
    "quote never closed": ('a=1 "abc', 4, "never closed"),
    "quote closed by an escaped quote": (r'a="C:\"', 2, "never closed"),
    "back-quote never closed": ("`a=1", 0, "never closed"),
    "quoted name": ('"a b"=1', 0, "back-quotes"),
    "name alone in back-quotes": ("`a` b", 4, "expected one of ="),
    "name with other characters": ("a/b=1", 1, "back-quotes: `a/b`"),
    "unknown system attribute": ("a=1 #nothing=1", 4, "#eventId"),
    "mistyped system attribute": ("#eventID=1", 0, "did you mean #eventId?"),
    "system attribute alone": ("#time", 5, "expected one of ="),
    "no time": ("#time>yesterday", 6, "2025-08-11T22:24:37Z"),
    "no date": ("#observedAt<2025-02-30", 12, "2025-08-11T22:24:37Z"),
    "CASE with nothing": ("a=CASE()", 7, "expected a value in CASE"),
    "CASE never closed": ("a=CASE(b c)", 9, 'expected the ")" of the CASE('),
    "operator first": ("=b", 0, "expected a condition"),
    "inequality first": ("!=b", 0, "expected a condition"),
    "too deep": ("(" * (MAX_DEPTH + 1) + "a", MAX_DEPTH, "at most 100 deep"),
    "too many NOTs": ("NOT " * (MAX_DEPTH + 1) + "a", 4 * MAX_DEPTH, "at most 100 deep"),
    "too long": ("x" * 65_537, 65_536, "at most 65,536"),
}


@pytest.mark.parametrize(("query", "position", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_error_points_at_the_character(query: str, position: int, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert caught.value.position == position
    assert isinstance(caught.value, ConfigurationError)
    first, shown, pointer = str(caught.value).split("\n")
    assert message in first
    assert first.startswith(f"query, character {position + 1}: ")
    column = pointer.index("^") - 2
    if position < len(query):
        assert shown[2:][column] == query[position]
    else:
        assert len(shown) - 2 == column


def test_long_queries_are_shown_in_part() -> None:
    with pytest.raises(QueryError) as caught:
        parse("ok=1 " * 1000 + "bad= ) " + "ok=1 " * 1000)
    _, shown, pointer = str(caught.value).split("\n")
    assert shown.startswith("  …")
    assert shown.endswith("…")
    assert len(shown) < 80
    assert shown[pointer.index("^")] == ")"


@pytest.mark.parametrize("query", ["a=1 b=2 OR c=3", "a=1 OR b=2 AND c=3", "x OR (a AND b OR c)", "NOT a b OR c"])
def test_rules_refuse_and_beside_or_without_brackets(query: str) -> None:
    parse(query)
    with pytest.raises(QueryError, match="needs brackets") as caught:
        parse(query, brackets_required=True)
    assert query[caught.value.position :].startswith("OR")


@pytest.mark.parametrize(
    "query", ["(a=1 b=2) OR c=3", "a=1 OR b=2 OR c=3", "a=1 AND b=2 c=3", "NOT (a b) OR c", "(a OR b) c"]
)
def test_rules_take_what_cannot_be_misread(query: str) -> None:
    assert parse(query, brackets_required=True) == parse(query)


def test_fields_are_named_with_their_places() -> None:
    named = list(fields(parse("a=1 NOT (#time>2025-01-01 OR word) `b c` IN (x)")))
    assert [(field.name, field.system, field.position) for field in named if field.name != "_message"] == [
        ("a", False, 0),
        ("_time", True, 9),
        ("b c", False, 35),
    ]


def test_every_system_column_has_its_name() -> None:
    assert SYSTEM_ATTRIBUTES["correlationId"] == "_correlation_id"
    assert SYSTEM_ATTRIBUTES["iamKeyId"] == "_iam_key_id"
    for name, column in SYSTEM_ATTRIBUTES.items():
        assert parse(f"#{name}=*") == Comparison(system(column), EQUAL, text("", ""))


_CHARACTERS = st.text(st.sampled_from("aB9 *\\\"`(),=!<>#'-_.@é\n\u00a0"), max_size=6)
_PATTERNS = st.builds(Pattern, st.lists(_CHARACTERS, min_size=1, max_size=3).map(tuple), st.booleans())
_FIELDS = st.one_of(
    st.builds(Field, _CHARACTERS.filter(lambda name: not name.startswith("attributes."))),
    st.sampled_from(["message", "attributes.x", "AND", "IN", "_time"]).map(Field),
    st.sampled_from([column for column in SYSTEM_ATTRIBUTES.values() if column not in ("_time", "_observed_at")]).map(
        system
    ),
)
_LEAVES = st.one_of(
    st.just(Everything()),
    st.builds(Word, _PATTERNS.filter(lambda pattern: not pattern.is_any)),
    st.builds(Comparison, _FIELDS, st.sampled_from(list(Operator)), _PATTERNS),
    st.builds(Membership, _FIELDS, st.lists(_PATTERNS, min_size=1, max_size=3).map(tuple)),
)


def _join(children: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(children, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, children))


@given(st.recursive(_LEAVES, _join, max_leaves=6))
def test_any_tree_can_be_written_and_read(tree: Expr) -> None:
    assert parse(str(tree)) == tree


@given(st.text(st.sampled_from("ab=!<>() ,\"'`#*\\ANDORNOTINCASE\n"), max_size=30))
def test_any_text_is_a_query_or_an_error_with_a_place(query: str) -> None:
    try:
        tree = parse(query)
    except QueryError as error:
        assert 0 <= error.position <= len(query)
        return
    assert parse(str(tree)) == tree
