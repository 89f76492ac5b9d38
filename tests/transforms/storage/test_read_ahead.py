"""Reading ahead: how far, in what order errors come, and that nothing is left behind."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from transforms.storage.read_ahead import read_ahead


def numbers(
    count: int, drawn: list[int], closed: threading.Event, fail_at: int | None = None
) -> Generator[bytes, None, None]:
    try:
        for n in range(count):
            if n == fail_at:
                raise OSError(n)
            drawn.append(n)
            yield bytes([n])
    finally:
        closed.set()


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_order_and_depth(depth: int) -> None:
    drawn: list[int] = []
    closed = threading.Event()
    got: list[int] = []
    for chunk in read_ahead(numbers(50, drawn, closed), threading.Event(), depth=depth):
        got.append(chunk[0])
        assert len(drawn) - len(got) <= depth
    assert got == list(range(50))
    assert closed.is_set()


@pytest.mark.parametrize("fail_at", [0, 3])
def test_an_error_comes_after_the_chunks_before_it(fail_at: int) -> None:
    got: list[bytes] = []
    closed = threading.Event()
    with pytest.raises(OSError, match=str(fail_at)):
        got.extend(read_ahead(numbers(10, [], closed, fail_at), threading.Event()))
    assert got == [bytes([n]) for n in range(fail_at)]
    assert closed.is_set()


def test_closing_ends_the_thread_and_the_source() -> None:
    drawn: list[int] = []
    closed, stopped = threading.Event(), threading.Event()
    chunks = read_ahead(numbers(200, drawn, closed), stopped, depth=4)
    assert next(chunks) == b"\x00"
    chunks.close()
    assert closed.is_set()
    assert stopped.is_set()
    assert len(drawn) <= 6
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_closing_ends_a_pause_of_the_source() -> None:
    stopped = threading.Event()

    def pausing() -> Generator[bytes, None, None]:
        yield b"1"
        assert stopped.wait(60), "the pause was not cut short"

    chunks = read_ahead(pausing(), stopped)
    assert next(chunks) == b"1"
    chunks.close()


@pytest.mark.parametrize("weight", [1, 2, 3, 9], ids=lambda weight: f"weight {weight}")
def test_heavy_items_count_for_more(weight: int) -> None:
    """The last that is drawn may go beyond the depth, and one is always drawn."""
    drawn: list[int] = []
    closed = threading.Event()
    got: list[int] = []
    for chunk in read_ahead(numbers(20, drawn, closed), threading.Event(), depth=4, weight=lambda chunk: weight):
        got.append(chunk[0])
        assert (len(drawn) - len(got)) * weight <= 4 + weight
    assert got == list(range(20))


def test_closing_ends_a_wait_for_room() -> None:
    closed = threading.Event()
    chunks = read_ahead(numbers(20, [], closed), threading.Event(), depth=2, weight=lambda chunk: 9)
    assert next(chunks) == b"\x00"
    chunks.close()
    assert closed.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]
