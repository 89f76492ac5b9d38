"""Compile a syntax tree to Polars, for conditions on batches, search and deletion (decision 13)."""

from __future__ import annotations

import functools
import operator
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import polars as pl
import polars.selectors as cs

from transforms.core.names import ATTRIBUTES_COLUMN, TIME_NAMES, attribute_column
from transforms.query.alternatives import with_memberships
from transforms.query.instants import parse_instant
from transforms.query.matching import ORDERINGS, Compares, Contains, Differs, Matches, TextTest, is_number
from transforms.query.members import member_texts
from transforms.query.multiple import AnyValue
from transforms.query.syntax import (
    MESSAGE_COLUMN,
    And,
    Comparison,
    Everything,
    Expr,
    Field,
    Membership,
    Not,
    Operator,
    Or,
    Word,
    fields,
    leads_into_json,
    member_paths,
)


def compile_query(
    expr: Expr,
    columns: Collection[str],
    distinct: Mapping[str, pl.Series] | None = None,
    *,
    nulls_are_false: bool = False,
) -> pl.Expr:
    """Return an expression that is true for the rows that satisfy a query, and false, never null, for all others.

    Args:
        expr: what to look for.
        columns: the columns of the frame. A system attribute is the column of its name. An attribute is its own column
            (`attribute_column`), else it is looked up in the map `attributes`, if that is among the columns, else it is
            missing from every row. The frame is thus a batch, or one file of the hot tier: in one file an attribute is
            in one place.
        distinct: of a file of the product's own, whose text is plain: all values of some columns. They are tested
            instead of the rows', and Polars decodes only the rows that it keeps, which it does not behind a test in
            Python: 61 ms instead of 126 for nine columns of 1.4 million rows, one in a hundred kept.
        nulls_are_false: for a filter: a row that does not satisfy the query may be null too. Polars then looks for a
            word while it decodes messages, page by page: a quarter less time than with `fill_null` behind it.
    """
    nested = partial(compile_query, columns=columns, distinct=distinct, nulls_are_false=nulls_are_false)
    match expr:
        case Everything():
            return pl.lit(value=True)
        case And(terms):
            return _balanced([nested(term) for term in terms], all_of=True)
        case Or(terms):
            return _balanced([nested(term) for term in with_memberships(terms)], all_of=False)
        case Not(term):
            return ~nested(term, nulls_are_false=False)
        case Word(pattern):
            return _word(Contains(pattern), columns, is_plain=distinct is not None, has_nulls=nulls_are_false)
        case Membership(field, values):
            if any(value.is_any for value in values):
                return _is_set(field, columns)
            return _text(field, Matches(values), columns, distinct)
        case Comparison(field, Operator.EQUAL, value):
            return _is_set(field, columns) if value.is_any else _text(field, Matches((value,)), columns, distinct)
        case Comparison(field, Operator.NOT_EQUAL, value):
            return _text(field, Differs(value), columns, distinct)
        case _:
            return _ordered(expr, columns, distinct)


def time_conditions(start: datetime | None, end: datetime | None) -> list[pl.Expr]:
    """Return the conditions on `_time` of a range, from `start` on and before `end`."""
    first = [] if start is None else [pl.col("_time") >= start]
    return first if end is None else [*first, pl.col("_time") < end]


def columns_read(expr: Expr, columns: Collection[str]) -> set[str]:
    """Return which of a frame's columns a query looks at; takes what `compile_query` does."""
    return {column for field in fields(expr) for column in columns_of(field, columns)}


def columns_of(field: Field, columns: Collection[str]) -> list[str]:
    """Return which of a frame's columns may hold a field, or the JSON whose member it is."""
    prefixes = [] if field.system else [Field(prefix) for prefix, _ in member_paths(field.name)]
    return [column for one in (field, *prefixes) if (column := _column(one, columns)) is not None]


def exact_column(name: str) -> pl.Expr:
    """Return the column of that very name, `*` and `^…$` too, which `pl.col` takes for patterns."""
    return cs.by_name(name).as_expr() if name == "*" or (name.startswith("^") and name.endswith("$")) else pl.col(name)


def unified_attributes(names: Iterable[str]) -> list[pl.Expr]:
    """Return attributes that some rows have in their column and others in the map, each as one column."""
    entries = pl.col(ATTRIBUTES_COLUMN).map
    return [pl.coalesce(exact_column(name).cast(pl.String), entries.get(pl.lit(name))).alias(name) for name in names]


@dataclass(frozen=True)
class _OnText:
    """A test of text, applied to a column of any type: times as text, constants once a value."""

    test: TextTest

    def __call__(self, values: pl.Series) -> pl.Series:
        values = values.alias("value")  # a series' own methods look it up by name, and take some names for patterns
        if isinstance(values.dtype, pl.Categorical | pl.Enum):
            distinct = values.unique().drop_nulls()
            satisfied = distinct.filter(self.test(distinct.cast(pl.String)).fill_null(value=False))
            return values.is_in(satisfied.implode()).fill_null(value=False)
        return self.test(time_text(values) if values.dtype.is_temporal() else values).fill_null(value=False)


def _word(test: Contains, columns: Collection[str], *, is_plain: bool, has_nulls: bool) -> pl.Expr:
    field = Field(MESSAGE_COLUMN, system=True)
    values = field_column(field, columns)
    if values is None or not is_plain:
        return _text(field, test, columns, None)
    found = test.expression(values)
    return found if has_nulls else found.fill_null(value=False)


def _text(field: Field, test: TextTest, columns: Collection[str], distinct: Mapping[str, pl.Series] | None) -> pl.Expr:
    values = field_column(field, columns)
    if values is None:
        return pl.lit(value=False)
    whole = _OnText(test if field.system else AnyValue(test))
    texts = None if field.system or leads_into_json(field.name) else (distinct or {}).get(attribute_column(field.name))
    if texts is not None:
        satisfied = texts.filter(whole(texts))
        found = values == satisfied[0] if len(satisfied) == 1 else values.is_in(satisfied.implode())
        return found.fill_null(value=False)
    return values.map_batches(whole, return_dtype=pl.Boolean, is_elementwise=True)


def _is_set(field: Field, columns: Collection[str]) -> pl.Expr:
    values = field_column(field, columns)
    return pl.lit(value=False) if values is None else values.is_not_null()


def _ordered(comparison: Comparison, columns: Collection[str], distinct: Mapping[str, pl.Series] | None) -> pl.Expr:
    """Compile `<` and its kin: times for times, numbers where both sides are numbers, and nothing else holds."""
    literal = comparison.value.literal
    if comparison.field.system and comparison.field.name in TIME_NAMES:
        moment, values = parse_instant(literal or ""), field_column(comparison.field, columns)
        if moment is None or values is None:
            return pl.lit(value=False)
        found: pl.Expr = ORDERINGS[comparison.operator](values, pl.lit(moment, pl.Datetime("us", "UTC")))
        return found.fill_null(value=False)
    if literal is None or not is_number(literal):
        return pl.lit(value=False)
    return _text(comparison.field, Compares(comparison.operator, literal), columns, distinct)


def field_column(field: Field, columns: Collection[str]) -> pl.Expr | None:
    """Return a field's values, None where no row has it; `columns` are as `compile_query` takes them.

    Where an event has no attribute of a dotted name, it is the member of the JSON in another (`members`).
    """
    own = own_column(field, columns)
    if field.system or not leads_into_json(field.name):
        return own
    members = [
        values.map_batches(partial(member_texts, path=path), return_dtype=pl.String, is_elementwise=True)
        for prefix, path in member_paths(field.name)
        if (values := own_column(Field(prefix), columns)) is not None
    ]
    if not members:
        return own
    return pl.coalesce(*([] if own is None else [own.cast(pl.String)]), *members)


def own_column(field: Field, columns: Collection[str]) -> pl.Expr | None:
    """Return the values of the attribute of that very name."""
    column = _column(field, columns)
    if column is None:
        return None
    if column == ATTRIBUTES_COLUMN:
        return pl.col(ATTRIBUTES_COLUMN).map.get(pl.lit(field.name))
    return exact_column(column)


def _column(field: Field, columns: Collection[str]) -> str | None:
    own = field.name if field.system else attribute_column(field.name)
    if own in columns:
        return own
    return ATTRIBUTES_COLUMN if not field.system and ATTRIBUTES_COLUMN in columns else None


def _balanced(terms: Sequence[pl.Expr], *, all_of: bool) -> pl.Expr:
    """Combine terms as a balanced tree: a chain of thousands would go as deep as it is long."""
    if len(terms) > 2:
        half = len(terms) // 2
        terms = [_balanced(terms[:half], all_of=all_of), _balanced(terms[half:], all_of=all_of)]
    return functools.reduce(operator.and_ if all_of else operator.or_, terms)


def time_text(times: pl.Series) -> pl.Series:
    """Return times as `format_instant` writes them: a fraction only where there is one."""
    name = times.name
    whole, fraction = times.dt.strftime("%Y-%m-%dT%H:%M:%SZ"), times.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return pl.select(pl.when(times.dt.microsecond() == 0).then(whole).otherwise(fraction).alias(name)).to_series()
