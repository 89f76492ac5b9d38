"""The compiler: a table of meanings, and random queries over random events compared with the row-by-row reference."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from tests.conftest import many
from tests.transforms.query.reference import holds
from transforms.core import schema
from transforms.query.compiler import columns_read, compile_query
from transforms.query.parser import parse
from transforms.query.syntax import (
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

TIME = datetime(2025, 8, 11, 22, 24, 37, tzinfo=timezone.utc)
MAP = pl.Map(pl.String, pl.String)

Event = tuple[dict[str, Any], dict[str, str]]
JUNCTIONS: list[type[And] | type[Or]] = [And, Or]


def as_file(events: list[Event], promoted: tuple[str, ...]) -> pl.DataFrame:
    """Return events as a file of the hot tier holds them: promoted attributes in columns, the others in the map."""
    system = {
        column: [event[0].get(column) for event in events] for column in ("_time", "_message", "_event_id", "_error")
    }
    columns = {name: pl.Series([event[1].get(name) for event in events], dtype=pl.String) for name in promoted}
    rest = [{name: value for name, value in event[1].items() if name not in promoted} or None for event in events]
    types: dict[str, Any] = {
        "_time": pl.Datetime("us", "UTC"),
        "_message": pl.String,
        "_event_id": pl.String,
        "_error": pl.String,
    }
    return pl.DataFrame(system, schema=types).with_columns(**columns, attributes=pl.Series(rest, dtype=MAP))


def as_batch(events: list[Event]) -> pl.DataFrame:
    """Return events as they are in flight: an attribute a column, constants as dictionaries; no map."""
    names = {name for event in events for name in event[1]}
    columns: dict[str, pa.Array] = {}
    for name in sorted(names):
        values = [event[1].get(name) for event in events]
        columns[schema.attribute_column(name)] = pa.array(
            values, schema.CONSTANT if len(set(values)) == 1 else schema.TEXT
        )
    for name in ("_time", "_message", "_event_id", "_error"):
        values = [event[0].get(name) for event in events]
        if any(value is not None for value in values):
            columns[name] = pa.array(values, schema.TIME if name == "_time" else schema.TEXT)
    # from_arrow of the batch renames ""
    return pl.DataFrame({name: pl.from_arrow(column) for name, column in columns.items()})


def selected(query: str | Expr, frame: pl.DataFrame, distinct: Mapping[str, pl.Series] | None = None) -> list[bool]:
    expr = compile_query(parse(query) if isinstance(query, str) else query, frame.columns, distinct)
    found = frame.with_columns(__found=expr)["__found"]
    assert found.null_count() == 0
    return found.to_list()


def kept(query: str | Expr, frame: pl.DataFrame, distinct: Mapping[str, pl.Series]) -> list[bool]:
    """Return which rows a filter keeps, where rows that do not satisfy the query may be null."""
    expr = parse(query) if isinstance(query, str) else query
    rows = frame.with_row_index("__row").filter(compile_query(expr, frame.columns, distinct, nulls_are_false=True))
    found = set(rows["__row"].to_list())
    return [row in found for row in range(frame.height)]


def event(message: str = "", at: datetime = TIME, /, *, error: str | None = None, **attributes: str) -> Event:
    return {"_time": at, "_message": message, "_event_id": "e_A-1"} | ({"_error": error} if error else {}), attributes


# query, event, whether it holds
MEANINGS: dict[str, tuple[str, Event, bool]] = {
    "without case": ("host=WEB-1", event(host="web-1"), True),
    "without case beyond ASCII": ("host=MÜNCHEN", event(host="München"), True),
    "with case": ("host=CASE(WEB-1)", event(host="web-1"), False),
    "with case, the same": ("host=CASE(web-1)", event(host="web-1"), True),
    "names have case": ("Host=web-1", event(host="web-1"), False),
    "the whole value": ("host=web", event(host="web-1"), False),
    "a newline ends no value": ("host=web", event(host="web\n"), False),
    "wildcard": ("host=W*1", event(host="web-1"), True),
    "wildcard of nothing": ("host=web*-1", event(host="web-1"), True),
    "wildcard over a newline": ("host=a*b", event(host="a\nb"), True),
    "wildcard with case": ("host=CASE(W*)", event(host="web-1"), False),
    "a star of its own": (r"host=a\*c", event(host="abc"), False),
    "no other wildcards": ("host=a.c", event(host="abc"), False),
    "different": ("host!=web-2", event(host="web-1"), True),
    "different needs a value": ("host!=web-2", event(), False),
    "not the same": ("NOT host=web-2", event(), True),
    "different from anything": ("host!=*", event(host="x"), False),
    "set": ("host=*", event(host="x"), True),
    "set though empty": ("host=*", event(host=""), True),
    "not set": ("NOT host=*", event(), True),
    "empty": ('host=""', event(host=""), True),
    "empty is not missing": ('host=""', event(), False),
    "text, not numbers": ("status=200", event(status="200.0"), False),
    "numbers": ("status>=200", event(status="200.0"), True),
    "numbers by value": ("status>9", event(status="10"), True),
    "numbers beyond 2^53": ("n>9007199254740992", event(n="9007199254740993"), True),
    "numbers with many digits": ("n<0.1000000000000000000002", event(n="0.1000000000000000000001"), True),
    "numbers beyond doubles": ("n>1e400", event(n="1e401"), True),
    "equal beyond doubles": ("n>=1e400", event(n="10e399"), True),
    "numbers too small for doubles": ("n>0", event(n="1e-400"), True),
    "an exponent": ("n<=1e3", event(n="1000"), True),
    "a word is no number": ("status>200", event(status="ok"), False),
    "inf is a word": ("status>200", event(status="inf"), False),
    "nan is a word": ("status<=200", event(status="NaN"), False),
    "a number is no word": ("status>a", event(status="b"), False),
    "blanks make no number": ("status>1", event(status=" 5"), False),
    "NOT beside an order": ("NOT status>200", event(status="ok"), True),
    "IN": ("status IN (404, 5*)", event(status="503"), True),
    "not IN": ("status IN (404, 5*)", event(status="200"), False),
    "IN without case": ("level IN (Warn, ERROR)", event(level="error"), True),
    "IN with case": ("level IN (CASE(Warn), CASE(ERROR))", event(level="error"), False),
    "one of several": ("tags=b", event(tags='["a","B"]'), True),
    "none of several": ("tags=c", event(tags='["a","B"]'), False),
    "any other of several": ("tags!=a", event(tags='["a","b"]'), True),
    "no other of several": ("tags!=a", event(tags='["a","A"]'), False),
    "not any of several": ("NOT tags=a", event(tags='["a","b"]'), False),
    "a number among several": ("tags>5", event(tags='["x",7,true]'), True),
    "source text of a number": ("tags=1.50", event(tags="[1.50]"), True),
    "a boolean among several": ("tags=true", event(tags='["x",7,true]'), True),
    "null is no value": ("tags=null", event(tags="[null]"), False),
    "a text null is": ("tags=null", event(tags='["null"]'), True),
    "escapes in several": ('tags="a\\"b"', event(tags='["a\\"b","c"]'), True),
    "a list among several": ('tags="[1,2]"', event(tags='[[1,2],"x"]'), True),
    "no values": ("tags!=a", event(tags="[]"), False),
    "no values are set": ("tags=*", event(tags="[]"), True),
    "brackets that are no list": ('tags="[a]"', event(tags="[a]"), True),
    "wildcards over brackets that are no list": ("tags=[*", event(tags="[error] x]"), True),
    "messages are one value": ('"[1,2]"', event("[1,2]"), True),
    "word": ("TIMEOUT", event("a timeout."), True),
    "part of a word": ("time", event("a timeout."), True),
    "phrase": ('"a TIME"', event("a timeout."), True),
    "phrase elsewhere": ('"timeout a"', event("a timeout."), False),
    "words": ("timeout a", event("a timeout."), True),
    "phrase with wildcard": ('"a*."', event("b a timeout\nx. y"), True),
    "word with case": ("CASE(Timeout)", event("a timeout"), False),
    "word with case, the same": ("CASE(timeout)", event("a timeout"), True),
    "the whole message": ("message=timeout", event("a timeout"), False),
    "a record's message": ("attributes.message=x", event("y", message="x"), True),
    "everything": ("*", event(), True),
    "system attribute": ("#eventId=E_a-*", event(), True),
    "no error": ("#error=*", event(), False),
    "an error": ("#error=invalid_json*", event(error="invalid_json: x"), True),
    "a column that no frame has": ("NOT #team=*", event(), True),
    "after": ("#time>=2025-08-11T22:24:37Z", event(), True),
    "before": ("#time<2025-08-11T22:24:37Z", event(), False),
    "on another clock": ("#time=*22:24:37Z #time<=2025-08-12T00:24:37+02:00", event(), True),
    "the text of a time": ("#time=2025-08-11T22:24:37Z", event(), True),
    "a fraction": ("#time=*37.000120Z", event("", TIME + timedelta(microseconds=120)), True),
    "an attribute called as a system column": ("_time=x", event(_time="x"), True),
    "an attribute called as a partition": ("date=2025*", event(date="2025-01-01"), True),
    "a member": ("http.status=503", event(http='{"status":503,"x":1}'), True),
    "another member": ("http.status=503", event(http='{"code":503}'), False),
    "a member of another value": ("http.status!=503", event(http='{"status":"504"}'), True),
    "members compare as numbers": ("http.status>=500", event(http='{"status":503.0}'), True),
    "a member's source text": ("http.ms=1.50", event(http='{"ms":1.50}'), True),
    "a member of a member": ("http.request.method=get", event(http='{"request": {"method": "GET"}}'), True),
    "a member of an attribute with a dot": (
        "http.request.method=get",
        event(**{"http.request": '{"method":"GET"}'}),
        True,
    ),
    "the attribute of that name comes first": ("http.a=1", event(http='{"a":2}', **{"http.a": "1"}), True),
    "a member is not its list's": ("http.a=1", event(http='{"a":[1,2]}'), True),
    "a member is set": ("http.a=*", event(http='{"a":""}'), True),
    "a member that is null": ("http.a=*", event(http='{"a":null}'), False),
    "of a doubled member the first": ("http.a=1", event(http='{"a":1,"a":2}'), True),
    "a member without JSON": ("http.a=*", event(http="a"), False),
    "a member of a list": ("http.a=*", event(http='[{"a":1}]'), False),
    "a member's object": ('http.a="{\\"b\\":1.0}"', event(http='{"a": {"b": 1.0}}'), True),
    "a member with an escaped name": ("http.é=1", event(http='{"\\u00e9":1}'), True),
    "no member": ("NOT http.a=1", event(), True),
    "a name with anything in it": ("`a b=(c)`=1", event(**{"a b=(c)": "1"}), True),
    "a name that Polars takes for all": ("`*`=1", event(**{"*": "1"}), True),
    "a name that Polars takes for a pattern": ("`^h.*$`=1", event(**{"^h.*$": "1"}), True),
    "the empty name": ("``=1", event(**{"": "1"}), True),
}


@pytest.mark.parametrize(("query", "one", "expected"), MEANINGS.values(), ids=MEANINGS.keys())
def test_meaning(query: str, one: Event, expected: bool) -> None:
    others = [event("other", host="h", status="1", tags="t"), event("")]
    promotable = tuple(name for name in one[1] if schema.can_be_column(name))
    for frame in (
        as_file([one, *others], promotable),
        as_file([one, *others], ()),
        as_batch([one, *others]),
        as_batch([one]),
    ):
        assert selected(query, frame)[0] is expected
    assert holds(parse(query), *one) is expected


def test_long_conditions_do_not_go_deep() -> None:
    frame = as_file([event(host="h4999"), event(host="x")], ("host",))
    assert selected(" OR ".join(f"host=h{i}" for i in range(4000, 5000)), frame) == [True, False]
    assert selected(f"host IN ({','.join(f'h{i}' for i in range(5000))})", frame) == [True, False]


def test_only_the_columns_of_the_query_are_read() -> None:
    columns = ["_time", "_message", "host", "attributes"]
    assert columns_read(parse("host=x #error=*"), columns) == {"host"}
    assert columns_read(parse("other=x word"), columns) == {"attributes", "_message"}
    assert columns_read(parse("host.name=x"), columns) == {"attributes", "host"}
    assert columns_read(parse("host.name=x"), ["host", "host.name", "status"]) == {"host.name", "host"}


def test_a_frame_without_rows() -> None:
    frame = as_file([], ("host",))
    for query in ("host=a", "other=a", "other>5", "word", "#time=*x", "#time>2025-01-01", "*", "NOT zz=1"):
        assert selected(query, frame) == []


TEXTS = [
    *(
        "",
        "a",
        "A",
        "ab",
        "aB*",
        "b\n",
        "É",
        "é",
        "k",
        "\u212a",
        "s",
        "ſ",
        "ß",
        "ẞ",
        "\\",
        '"',
        "*",
        "a.b",
        "(a|b)",
        "^$",
    ),
    *(
        "0",
        "-0",
        "1",
        "1.0",
        "1e0",
        "01",
        "+1",
        "1.",
        ".5",
        "10",
        "9",
        "9007199254740992",
        "9007199254740993",
        "1e400",
        "inf",
        "nan",
        "-1e-400",
    ),
    *(
        "[]",
        "[",
        "[]]",
        '["a"]',
        '["A","b"]',
        "[1,2.50]",
        "[1.0, 2]",
        "[null]",
        '[null,"null",true]',
        '["a\\"b","\\u00e9"]',
        "[a]",
    ),
    *('{"a":1.0}', '{"a":{"b":"é"},"c":[1,2.50]}', '{"a":null}', ' {"a":"1","a":"2"} ', '{"a":"\\u00e9"}', '{"a":1'),
    *('["1","x"]', '[["a"],"b"]', '[{"a":"b"}]', '["]",","]', "[1,]", '["a\\\\"]'),
]
_NAMES = ["host", "status", "tags", "message", "_time", "x y", "Host", "host.a"]
_MISSING = ["missing", "host.a.b", "tags.c", "status.a", "Host.a"]
_WORDS = ["a", "A", "b", "É", "k", "1", "[", '"', "\\", "*", "", "ab", ".", "\n"]


def random_event(rng: random.Random) -> Event:
    system: dict[str, Any] = {
        "_time": TIME + timedelta(seconds=rng.choice([0, 0, 1, 60]), microseconds=rng.choice([0, 0, 5]))
    }
    system["_message"] = "".join(rng.choices(_WORDS, k=rng.randrange(4)))
    system |= {name: rng.choice(TEXTS) for name in ("_event_id", "_error") if rng.random() < 0.5}
    return system, {name: rng.choice(TEXTS) for name in _NAMES if rng.random() < 0.7}


def random_pattern(rng: random.Random) -> Pattern:
    if rng.random() < 0.5:
        return Pattern((rng.choice(TEXTS),), rng.random() < 0.2)
    return Pattern(tuple(rng.choice(_WORDS) for _ in range(rng.choice([1, 2, 2, 3]))), rng.random() < 0.2)


def random_field(rng: random.Random) -> Field:
    columns = ["_time", "_message", "_event_id", "_error", "_env"]
    return Field(rng.choice(columns), system=True) if rng.random() < 0.3 else Field(rng.choice([*_NAMES, *_MISSING]))


def random_query(rng: random.Random, depth: int = 3) -> Expr:
    kind = rng.random()
    if depth and kind < 0.4:
        terms = tuple(random_query(rng, depth - 1) for _ in range(rng.choice([2, 2, 3])))
        return rng.choice(JUNCTIONS)(terms)
    if depth and kind < 0.5:
        return Not(random_query(rng, depth - 1))
    if kind < 0.6:
        pattern = random_pattern(rng)
        return Everything() if pattern.is_any else Word(pattern)
    if kind < 0.7:
        return Membership(random_field(rng), tuple(random_pattern(rng) for _ in range(rng.randrange(1, 4))))
    field, operator = random_field(rng), rng.choice(list(Operator))
    if field.name == "_time" and field.system and operator not in (Operator.EQUAL, Operator.NOT_EQUAL):
        moment = TIME + timedelta(seconds=rng.choice([0, 1, 60]))
        return Comparison(field, operator, Pattern((moment.isoformat(),)))
    return Comparison(field, operator, random_pattern(rng))


def compare(seed: int, queries: int) -> int:
    """Compare queries over one set of events in all shapes; return how many distinguished the events."""
    rng = random.Random(seed)
    events = [random_event(rng) for _ in range(30)]
    promotable = [name for name in _NAMES if schema.can_be_column(name)]
    promoted = tuple(rng.sample(promotable, 2))
    frames = [as_file(events, promoted), as_file(events, ()), as_batch(events)]
    distinct = {name: frames[0].get_column(name).unique().drop_nulls() for name in promoted[:1]}
    telling = 0
    for _ in range(queries):
        query = random_query(rng)
        expected = [holds(query, *one) for one in events]
        for frame in frames:
            assert selected(query, frame) == expected, (seed, str(query))
        assert selected(query, frames[0], distinct) == expected, (seed, str(query))
        assert kept(query, frames[0], distinct) == expected, (seed, str(query))
        assert parse(str(query)) == query
        telling += 0 < sum(expected) < len(events)
    return telling


@pytest.mark.parametrize(
    "query",
    ["red", "NOT red", "NOT (red OR blue)", "NOT NOT red", "red OR status=1", "NOT (red status=1)", "NOT red status=1"],
)
def test_filter_of_missing_messages(query: str) -> None:
    frame = pl.DataFrame({"_message": ["red", "blue", None, None, "Red"], "status": ["1", None, "1", "2", None]})
    texts = {"status": pl.Series(["1", "2"])}
    assert kept(query, frame, texts) == selected(query, frame, texts) == selected(query, frame)


@pytest.mark.parametrize("seed", range(8))
def test_random_queries_agree_with_the_reference(seed: int) -> None:
    assert compare(seed, 125) > 15


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 100 + many(40)))
def test_many_random_queries_agree_with_the_reference(seed: int) -> None:
    assert compare(seed, 500) > 80
