"""What restoring would bring back, counted without writing, and which rules would delete it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from transforms.hot_tier.configuration.holds import load_holds, with_holds
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.maintenance.accounting import kept_rules
from transforms.hot_tier.maintenance.restore.removed_rows import Pair, RemovedRows, Superseded, removed_rows
from transforms.hot_tier.maintenance.restore.restorable import Deleted, reading, with_superseded
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import in_both
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.retention.compiled_rules import CompiledRules, counts
from transforms.retention.rules import RulesFile
from transforms.storage import TierStore


@dataclass(frozen=True)
class RestorePlan:
    """What restoring would do.

    Attributes:
        runs: The deletions and undone jobs to restore.
        events: How many events would come back.
        newer: How many would not, because their objects were replaced or ingested again since.
        files: How many files would be written.
        objects: How many objects of undone jobs would be known again.
        rules: How many of the events each rule would delete again, by its name.
    """

    runs: tuple[str, ...]
    events: int
    newer: int
    files: int
    objects: int
    rules: dict[str, int]


def plan_restore(
    tier: TierStore,
    snapshot: Snapshot,
    runs: Sequence[Deleted],
    *,
    rules: RulesFile | None = None,
    now: datetime | None = None,
) -> RestorePlan:
    """Count what restoring would bring back; nothing is written.

    Args:
        tier: The hot tier.
        snapshot: The table.
        runs: The deletions and undone jobs.
        rules: The rules that may delete the events again; None are those that each deletion kept. The tier's
            holds count beside theirs.
        now: The time that their retention counts from; None is the clock's.

    Raises:
        TierError: it is too late, or a file can't be read.
    """
    moment = now or datetime.now(timezone.utc)
    found: list[_Count] = []
    kept = load_holds(tier)
    restorable = with_superseded(tier, Ledger.load(tier, snapshot), snapshot, runs)
    for one in restorable:
        compiled = with_holds(CompiledRules.of(rules or kept_rules(one.deleted.run), moment), kept)
        with reading(tier, one.deleted):
            found += [_count_pair(tier, pair, one.superseded, compiled) for pair in one.deleted.pairs]
    by_rule: Counter[str] = Counter()
    for count in found:
        by_rule.update(count.rules)
    return RestorePlan(
        runs=tuple(one.run.id for one in runs),
        events=sum(count.events for count in found),
        newer=sum(count.newer for count in found),
        files=sum(count.events > 0 for count in found),
        objects=sum(one.contents.rows.num_rows for one in restorable if one.contents is not None),
        rules=dict(by_rule),
    )


@dataclass(frozen=True)
class _Count:
    events: int
    newer: int
    rules: dict[str, int]


def _count_pair(tier: TierStore, pair: Pair, superseded: Superseded, compiled: CompiledRules) -> _Count:
    events = newer = 0
    taken = np.zeros(len(compiled.rules), np.int64)
    with tier.open_input(f"{EVENTS}/{pair.old}") as source:
        parquet = pq.ParquetFile(source)
        for rows in removed_rows(tier, pair, superseded):
            events += int(rows.restorable.sum())
            newer += rows.newer
            if compiled.rules and rows.restorable.any():
                taken += _count_evaluated(parquet, rows, pair, compiled)
    return _Count(
        events, newer, {rule.name: int(count) for rule, count in zip(compiled.rules, taken, strict=True) if count}
    )


def _count_evaluated(
    parquet: pq.ParquetFile, rows: RemovedRows, pair: Pair, compiled: CompiledRules
) -> npt.NDArray[np.int64]:
    """Return how many of a row group's rows to restore each rule takes."""
    names = parquet.schema_arrow.names
    both = in_both(pair.old, names)
    table = parquet.read_row_group(rows.group, columns=compiled.columns_needed(names, in_both=both))
    return counts(compiled.evaluate(table, in_both=both).rule[rows.restorable], len(compiled.rules))
