"""Executing a task: count rows by rule, rewrite files without the taken rows, and write these to their destination."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.core.errors import GoneError, TierError
from transforms.hot_tier.data.merge import MergeInput, merge_files
from transforms.hot_tier.data.rewrite import Keep, rewrite_file
from transforms.hot_tier.data.row_groups import map_names_without
from transforms.hot_tier.data.small_files import grouped, read_small_files
from transforms.hot_tier.maintenance.tasks import SourceResult, Task, TaskResult
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import in_both
from transforms.hot_tier.table.snapshot import LiveFile
from transforms.retention.compiled_rules import STAYS, CompiledRules, counts
from transforms.storage import TierStore


def count_rows(store: TierStore, task: Task) -> TaskResult:
    """Count the rows that each rule takes, reading only the columns of its conditions; nothing is written.

    Raises:
        GoneError: a file is gone.
        TierError: a file can't be read.
    """
    return TaskResult(tuple(one for group in grouped(task.sources) for one in _count_group(store, group, task.rules)))


def execute_task(store: TierStore, task: Task, *, promoted: Sequence[str], run_id: str) -> TaskResult:
    """Rewrite a task's files; no commit names the new ones yet.

    Args:
        store: The tier.
        task: What to do.
        promoted: The table's promoted attributes.
        run_id: For the footers of new files.

    Raises:
        GoneError: a file is gone.
        TierError: a file can't be read or written.
    """
    with _sources(store, task.paths):
        return _execute_task(store, task, promoted, run_id)


@contextmanager
def _sources(store: TierStore, paths: Sequence[str]) -> Iterator[None]:
    """Raise GoneError, which workers pass on, where a file is gone, and TierError where one is damaged."""
    try:
        yield
    except FileNotFoundError as error:
        raise GoneError(
            f"hot tier {store.uri}: a file is gone from the store ({error}): another command has removed it meanwhile; "
            "run it again"
        ) from error
    except pa.ArrowInvalid as error:
        raise TierError(
            f"hot tier {store.uri}: {' or '.join(paths)} is damaged, and can't be read as Parquet ({error}); "
            "nothing was changed"
        ) from error


def _execute_task(store: TierStore, task: Task, promoted: Sequence[str], run_id: str) -> TaskResult:
    if task.promoting and (unchanged := _without_names(store, task)) is not None:
        return unchanged
    counted = count_rows(store, task)
    sources = tuple(
        _without_taken(store, source, result, task.rules, promoted, run_id)
        for source, result in zip(task.sources, counted.sources, strict=True)
    )
    if task.destination is None:
        return TaskResult(sources)
    inputs = [
        MergeInput(one.path, None if task.rules is None else _rows(one.path, task.rules, taken=True))
        for one, result in zip(task.sources, sources, strict=True)
        if any(result.taken)
    ]
    moved = merge_files(
        store,
        inputs,
        tier_name=task.destination.tier,
        date=task.sources[0].date,
        promoted=promoted,
        target_bytes=task.destination.target_bytes,
        level=task.destination.level,
        job=run_id,
    )
    _check(sum(file.rows for file in moved), sum(sum(result.taken) for result in sources), task.paths)
    return TaskResult(sources, tuple(moved))


def _without_names(store: TierStore, task: Task) -> TaskResult | None:
    """Return the result of sources none of which has a promoted name in its map, None where one has."""
    results = []
    for source in task.sources:
        names = map_names_without(store, source.path, task.promoting)
        if names is None:
            return None
        results.append(SourceResult(source.path, (0,), map_names=names.text))
    return TaskResult(tuple(results))


def _count_group(
    store: TierStore, sources: Sequence[LiveFile], compiled: CompiledRules | None
) -> Sequence[SourceResult]:
    """Count rows of a file, or of small files together (`small_files.grouped`)."""
    if compiled is not None and len(sources) > 1:
        try:
            return _count_small(store, sources, compiled)
        except (FileNotFoundError, pa.ArrowInvalid):
            pass  # one by one it shows which of them it is
    results = []
    for source in sources:
        with _sources(store, (source.path,)):
            results.append(_count(store, source, compiled))
    return results


def _count_small(store: TierStore, sources: Sequence[LiveFile], compiled: CompiledRules) -> list[SourceResult]:
    taken = np.zeros((len(sources), len(compiled.rules)), np.int64)
    held = np.zeros((len(sources), len(compiled.holds)), np.int64)
    for some in read_small_files(store, sources, compiled.columns_needed):
        evaluated = compiled.evaluate(some.table)
        for numbers, found in ((evaluated.rule, taken), (evaluated.hold, held)):
            rows = np.flatnonzero(numbers != STAYS)
            np.add.at(found, (some.file_of_row[rows], numbers[rows]), 1)
    return [
        SourceResult(source.path, tuple(by_rule), tuple(by_hold))
        for source, by_rule, by_hold in zip(sources, taken.tolist(), held.tolist(), strict=True)
    ]


def _count(store: TierStore, source: LiveFile, compiled: CompiledRules | None) -> SourceResult:
    if compiled is None:
        return SourceResult(source.path, (source.rows,))
    taken = np.zeros(len(compiled.rules), np.int64)
    held = np.zeros(len(compiled.holds), np.int64)
    with store.open_input(f"{EVENTS}/{source.path}") as opened:
        parquet = pq.ParquetFile(opened)
        names = parquet.schema_arrow.names
        both = in_both(source.path, names)
        columns = compiled.columns_needed(names, in_both=both)
        for number in range(parquet.num_row_groups):
            table = parquet.read_row_group(number, columns=columns)
            if table["_time"].null_count:  # only another writer's; it could not be rewritten
                warning = f"{EVENTS}/{source.path}: another program wrote this file, with events that have no _time"
                return SourceResult(source.path, (0,) * len(compiled.rules), warning=f"{warning}: it is left as it is")
            evaluated = compiled.evaluate(table, in_both=both)
            taken += counts(evaluated.rule, len(taken))
            held += counts(evaluated.hold, len(held))
    return SourceResult(source.path, tuple(taken.tolist()), tuple(held.tolist()))


def _without_taken(
    store: TierStore,
    source: LiveFile,
    result: SourceResult,
    compiled: CompiledRules | None,
    promoted: Sequence[str],
    run_id: str,
) -> SourceResult:
    """Rewrite a source without its taken rows, where these are neither all nor none."""
    taken = sum(result.taken)
    if compiled is None or taken in (0, source.rows):
        return result
    rest = rewrite_file(
        store,
        source.path,
        _rows(source.path, compiled, taken=False),
        tier_name=source.tier,
        date=source.date,
        promoted=promoted,
        job=run_id,
    )
    _check(rest.rows if rest else 0, source.rows - taken, (source.path,))
    return replace(result, rest=rest)


def _rows(path: str, compiled: CompiledRules, *, taken: bool) -> Keep:
    """Return a mask function that chooses the rows that the rules take, or leave."""

    def choose(table: pa.Table) -> pa.Array:
        rule = compiled.evaluate(table, in_both=in_both(path, table.schema.names)).rule
        return pa.array((rule != STAYS) == taken)

    return choose


def _check(rows: int, expected: int, paths: Sequence[str]) -> None:
    """Check that new files hold exactly the rows that were counted."""
    if rows != expected:
        raise TierError(
            f"{', '.join(paths)}: {rows:,} rows were written where {expected:,} were counted; nothing was changed"
        )
