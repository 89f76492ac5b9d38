"""Runs as deletion, compaction and tiering make them, without their planning, for tests of what follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.core import schema
from transforms.hot_tier.data.rewrite import rewrite_file
from transforms.hot_tier.maintenance.commit_run import Change, CommittedRun, commit_run
from transforms.hot_tier.maintenance.finish import finish
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.runs import COMPACT, DELETE, TIER, MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.storage import TierStore

Chosen = Callable[[pa.Table], pa.ChunkedArray]

RULES = """
rules:
  - {name: short, retention: 14d, when: filename=a}
  - {name: none, retention: 30d, when: filename=zzz}
holds:
  - {name: case 17, when: host=ann}
"""


def with_filename(*names: str) -> Chosen:
    """Return what chooses the events of some objects."""
    return lambda table: pc.is_in(pc.cast(table["filename"], pa.string()), pa.array(names))


def ending(*digits: str) -> Chosen:
    """Return what chooses the events whose ids end so."""
    return lambda table: pc.is_in(pc.utf8_slice_codeunits(table["_event_id"], -1), pa.array(digits))


def everything(table: pa.Table) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([True] * table.num_rows)])


@dataclass
class Made:
    """A run that is made by hand, its files written again by the product's own code."""

    tier: TierStore
    chosen: Chosen
    kind: str = DELETE
    destination: str | None = None
    run: MaintenanceRun = field(
        default_factory=lambda: MaintenanceRun.new(DELETE, rules=RULES, rules_file="rules.yaml", rules_sha256="ab")
    )

    def change(self, snapshot: Snapshot) -> Change | None:
        """Take the chosen rows of every file out of it; of a move write them where they go."""
        added, removed, moved = [], [], []
        files: list[dict[str, Any]] = []
        for file in snapshot.files.values():
            rest = self._written(snapshot, file, lambda table: pc.invert(self.chosen(table)), file.tier)
            if rest is not None and rest.rows == file.rows:
                self.tier.delete(f"events/{rest.path}")
                continue
            if self.destination is not None:
                new = self._written(snapshot, file, self.chosen, self.destination)
                assert new is not None
                moved.append(new)
            added += [rest] if rest else []
            removed.append(file.path)
            files.append(
                {
                    "old": file.path,
                    "new": rest.path if rest else None,
                    "tier": file.tier,
                    "date": file.date,
                    "rows": file.rows,
                    "taken": file.rows - (rest.rows if rest else 0),
                }
            )
        events = sum(file["taken"] for file in files)
        rules = [
            {
                "name": "short",
                "cutoff": "2026-01-01T00:00:00Z",
                "events": events,
                "files": len(files),
                "filesWhole": 0,
                "bytes": 7,
                "share": 1,
            },
            {
                "name": "none",
                "cutoff": "2026-01-01T00:00:00Z",
                "events": 0,
                "files": 0,
                "filesWhole": 0,
                "bytes": 0,
                "share": 0,
            },
        ]
        document = {
            "files": files,
            "moved": [file.path for file in moved],
            "rules": rules,
            "held": 0,
            "events": events,
            "bytes": 7,
        }
        return Change([*added, *moved], removed, document) if files else None

    def _written(self, snapshot: Snapshot, file: LiveFile, keep: Chosen, tier_name: str) -> FileDescription | None:
        return rewrite_file(
            self.tier, file.path, keep, tier_name=tier_name, date=file.date, promoted=snapshot.columns, job=self.run.id
        )


def delete_events(
    tier: TierStore, chosen: Chosen, *, now: datetime | None = None, rules: str = RULES, done: bool = True
) -> tuple[MaintenanceRun, CommittedRun]:
    """Delete events as `rekindle delete` does."""
    run = MaintenanceRun.new(DELETE, now=now, rules=rules, rules_file="rules.yaml", rules_sha256="ab")
    return _made(Made(tier, chosen, run=run), done=done)


def compact_events(tier: TierStore, *, now: datetime | None = None) -> tuple[MaintenanceRun, CommittedRun]:
    """Write every file again, as a compaction does."""
    return _made(Made(tier, everything, COMPACT, "hot", MaintenanceRun.new(COMPACT, now=now)), done=True)


def move_events(tier: TierStore, chosen: Chosen, *, now: datetime | None = None) -> tuple[MaintenanceRun, CommittedRun]:
    """Move events to the cold tier."""
    return _made(Made(tier, chosen, TIER, "cold", MaintenanceRun.new(TIER, now=now)), done=True)


def _made(made: Made, *, done: bool) -> tuple[MaintenanceRun, CommittedRun]:
    folder = RunFolder.begin(made.tier, made.run)
    committed = commit_run(folder, made.run, made.change)
    assert committed is not None
    if done:
        finish(folder, made.run, committed)
    return made.run, committed


def rows_by_id(table: Any) -> dict[str, Mapping[str, Any]]:
    """Return the events of a polars frame, all columns, by id and job."""
    names = [*schema.SYSTEM_COLUMNS, *(name for name in table.columns if name not in schema.SYSTEM_COLUMNS)]
    return {row["_event_id"] + "|" + (row["_correlation_id"] or ""): row for row in table.select(names).to_dicts()}
