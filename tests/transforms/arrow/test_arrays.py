"""Rows of views, dictionaries and maps are taken as pyarrow would take them, if it could."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from transforms.arrow.arrays import MAP, as_constant, as_view, constant, own_memory, plain, take, take_rows
from transforms.core import schema

LONG = "a value that is longer than the twelve bytes a view holds itself"
TEXTS = ["short", None, LONG, "", LONG + "2", None, "é"]
MAPS = [[("a", LONG), ("b", "")], None, [], [("c", None)], [(LONG, "x")], None, [("a", "1"), ("b", "2"), ("c", "3")]]


def texts(kind: pa.DataType) -> pa.Array:
    array = pa.array(TEXTS, pa.string())
    return array.dictionary_encode() if pa.types.is_dictionary(kind) else array.cast(kind)


KINDS = [pa.string(), pa.large_string(), schema.TEXT, schema.CONSTANT]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_text_of_any_type_becomes_views_or_a_dictionary(kind: pa.DataType) -> None:
    array = texts(kind)
    assert as_view(array).type == schema.TEXT
    assert as_view(array).to_pylist() == TEXTS
    assert as_view(array[2:5]).to_pylist() == TEXTS[2:5]
    assert as_constant(array).type == schema.CONSTANT
    assert as_constant(array).to_pylist() == TEXTS
    assert as_constant(array[2:5]).to_pylist() == TEXTS[2:5]


def test_dictionary_of_views_and_small_indices() -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.int8()), pa.array(["a", LONG], schema.TEXT))
    assert as_constant(array).type == schema.CONSTANT
    assert as_constant(array).to_pylist() == [LONG, None, "a"]


def test_null_constant() -> None:
    assert constant(None, 3).to_pylist() == [None] * 3
    assert as_view(constant(None, 3)).to_pylist() == [None] * 3


@pytest.mark.parametrize("indices", [[], [0], [6, 5, 4, 3, 2, 1, 0], [2, 2, 2], [1, 5]], ids=str)
@pytest.mark.parametrize("start", [0, 2], ids=["whole", "slice"])
def test_take(indices: list[int], start: int) -> None:
    chosen = np.asarray([i - start for i in indices if i >= start], np.int64)
    for kind in (schema.TEXT, schema.CONSTANT):
        taken = take(texts(kind)[start:], chosen)
        taken.validate(full=True)
        assert taken.to_pylist() == [TEXTS[start:][i] for i in chosen]
    taken = take(pa.array(MAPS, MAP)[start:], chosen)
    taken.validate(full=True)
    assert taken.to_pylist() == [MAPS[start:][i] for i in chosen]


def test_take_rows_of_a_table_in_chunks() -> None:
    halves = [
        pa.table(
            {"t": texts(schema.TEXT), "c": as_constant(texts(schema.TEXT)), "m": pa.array(MAPS, MAP), "n": range(7)}
        )
        for _ in range(2)
    ]
    table = pa.concat_tables(halves).unify_dictionaries()
    taken = take_rows(table, np.asarray([13, 0, 7, 6]))
    assert taken.schema == table.schema
    assert taken.to_pylist() == [table.to_pylist()[i] for i in (13, 0, 7, 6)]


@pytest.mark.parametrize("start", [0, 3], ids=["whole", "slice"])
def test_copies_have_the_same_values_and_their_own_memory(start: int) -> None:
    for array in (
        pa.array(TEXTS * 1000, schema.TEXT)[start : start + 4],
        pa.array(MAPS * 1000, MAP)[start : start + 4],
        pa.array(range(9000))[:4],
    ):
        copy = own_memory(array)
        copy.validate(full=True)
        assert copy.type == array.type
        assert copy.to_pylist() == array.to_pylist()
        assert copy.get_total_buffer_size() < 2000 < array.get_total_buffer_size()
    assert plain(pa.array(TEXTS, schema.TEXT)).type == pa.string()
    assert plain(pa.array(MAPS, MAP)[start:]).to_pylist() == MAPS[start:]
