"""What the sampler of the interpreter's lock counts."""

from __future__ import annotations

from benchmarks.interpreter_lock import held_functions

READ = "process (transforms/read_events.py:58)"


def test_workers_are_counted_by_the_function_that_held_the_lock() -> None:
    samples = (
        f"main (cli.py:1);{READ};lines (json/framer.py:10) 3\n"
        f"{READ};lines (json/framer.py:12) 2\n"
        f"{READ};A.<lambda> (x.py:1) 1\n"
        "main (cli.py:1);lines (json/framer.py:10) 7\n"
    )
    assert held_functions(samples) == {"lines (json/framer.py)": 5, "A.<lambda> (x.py)": 1}
