"""Promotion: attributes that files keep in their maps get columns, for all events at once (decision 22)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import reduce
from operator import or_

from pipelines.liveness import is_live, showing_life
from pipelines.maintenance.reports import PromoteReport
from pipelines.maintenance.rewriter import MaintenanceSettings, Rewriter
from transforms.core.errors import ConfigurationError
from transforms.core.names import can_be_column
from transforms.hot_tier.maintenance.accounting import file_changes, outcomes_of
from transforms.hot_tier.maintenance.commit_run import Change, commit_run
from transforms.hot_tier.maintenance.finish import finish, finish_interrupted
from transforms.hot_tier.maintenance.plan import plan_promotion
from transforms.hot_tier.maintenance.tasks import TaskResult, remove_left_results
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.live_files import load_events
from transforms.hot_tier.table.map_names import MapNames
from transforms.hot_tier.table.promoted_columns import missing_columns
from transforms.hot_tier.table.runs import PROMOTE, MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import Snapshot


def promote(settings: MaintenanceSettings, names: Sequence[str]) -> PromoteReport:
    """Give attributes columns, and write the files anew that keep them in their maps, in one commit.

    Args:
        settings: Where the tier is.
        names: The attributes; what has a column is left out. There is no limit.

    Raises:
        ConfigurationError: a name can't be a column's.
        TierError: the tier can't be read or written; nothing was changed, as far as can be told.
    """
    names = tuple(dict.fromkeys(names))
    check_names(names)
    run = MaintenanceRun.new(PROMOTE, parameters={"columns": list(names)})
    with closing(Rewriter(settings, run.id)) as rewriter:
        tier = rewriter.tier
        before = load_events(tier)
        check_no_twin(names, before.columns)
        remove_left_results(tier, finish_interrupted(tier, lambda other: is_live(tier, other.id)))
        committed = None
        if missing_columns(names, before.columns):
            folder = RunFolder.begin(tier, run)
            with showing_life(folder):
                committed = commit_run(folder, run, lambda snapshot: _change(snapshot, rewriter, names))
                finish(folder, run, committed)
    document = committed.document if committed else {}
    added = document.get("columns", [])
    return PromoteReport(
        run_id=run.id,
        columns_added=added,
        already_columns=[name for name in names if name not in added],
        files_examined=document.get("examined", 0),
        files_rewritten=len(document.get("files", ())),
        events=document.get("events", 0),
        bytes=document.get("bytes", 0),
        version_before=document.get("versionBefore", before.version),
        version_after=committed.version if committed else before.version,
        warnings=[*document.get("warnings", ()), *(committed.warnings if committed else ())],
    )


def check_names(names: Sequence[str]) -> None:
    """Check that attributes can have columns, and that no two of them differ only in case.

    Raises:
        ConfigurationError: one can't.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not can_be_column(name):
            raise ConfigurationError(
                f"'{name}' can't be a column: a column's name is not empty, not date, tier or attributes, does not "
                "begin with _, and has no blank, no control character and none of ,;{}()=",
                field="promote",
            )
        if (other := seen.setdefault(name.lower(), name)) != name:
            raise ConfigurationError(f"'{name}' and '{other}' differ only in case: choose one", field="promote")


def check_no_twin(names: Sequence[str], columns: Sequence[str]) -> None:
    """Check that no attribute differs from a column's name only in case: few readers could tell them apart.

    Raises:
        ConfigurationError: one does.
    """
    there = {name.lower(): name for name in columns}
    for name in names:
        if (column := there.get(name.lower(), name)) != name:
            raise ConfigurationError(f"'{name}' differs from the column {column} only in case: it stays in the map")


def _change(snapshot: Snapshot, rewriter: Rewriter, names: Sequence[str]) -> Change | None:
    """Have the files written that keep the names in their maps, and return what to commit; None if all are columns."""
    missing = missing_columns(names, snapshot.columns)
    if not missing:
        return None
    plan = plan_promotion(snapshot, missing)
    results = rewriter.rewrite(plan.tasks, [*snapshot.columns, *missing])
    moved = [file for result in results for file in result.moved]
    outcomes = outcomes_of(plan.tasks, results)
    changes = file_changes(outcomes)
    document = {
        "columns": missing,
        "examined": len(plan.tasks),
        "files": changes,
        "moved": [file.path for file in moved],
        "rules": [],
        "held": 0,
        "events": sum(file.rows for file in moved),
        "bytes": sum(file.size for file in moved),
        "warnings": [result.warning for _, result in plan.decided],
    }
    return Change(
        moved,
        [change["old"] for change in changes],
        document,
        columns=missing,
        map_names=_names_of_kept(results) if plan.tasks and not plan.decided else None,
    )


def _names_of_kept(results: Sequence[TaskResult]) -> MapNames:
    """Return the names in the maps of the product's files that were looked into and stay."""
    kept = (source for result in results for source in result.sources if not any(source.taken))
    own = (MapNames.parse(source.map_names) for source in kept if layout_of(source.path))
    return reduce(or_, own, MapNames())
