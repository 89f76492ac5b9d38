"""Formulas: columns of doubles and single decimals come to the same text."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from transforms.processors.kernels import computing
from transforms.processors.kernels.computing import compute
from transforms.processors.kernels.formula import Formula, Name, Number, Operation

NUMBERS = st.one_of(st.integers(-50, 50), st.integers(-(10**16), 10**16)).map(str)
LEAVES = st.one_of(
    st.sampled_from("ab").map(Name), st.integers(0, 1000).map(Decimal).map(Number), st.just(Number(Decimal("0.25")))
)
FORMULAS: st.SearchStrategy[Formula] = st.recursive(
    LEAVES, lambda inner: st.builds(Operation, st.sampled_from("+-*/%"), inner, inner), max_leaves=5
)


@example(Operation("*", Number(Decimal("0.25")), Operation("*", Name("a"), Name("a"))), [("6324557", "0")])
@example(Operation("/", Name("b"), Operation("/", Number(Decimal("0.25")), Name("b"))), [("0", "24696058")])
@given(FORMULAS, st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8))
def test_both_ways_agree(formula: Formula, rows: list[tuple[str, str]]) -> None:
    columns = {"a": pl.Series([a for a, _ in rows]), "b": pl.Series([b for _, b in rows])}
    quick = compute(formula, columns).to_list()
    slow = [computing._decimal_text(formula, {"a": a, "b": b}) for a, b in rows]  # noqa: SLF001
    for one, other in zip(quick, slow, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None and one != other:
            assert not computing._is_whole(formula)  # noqa: SLF001  which is exact
            # one of the last of 15 digits
            assert abs(Decimal(one) - Decimal(other)) <= abs(Decimal(other)) * Decimal("1.01e-14")
