"""The reports of `rekindle delete`, `tier`, `restore`, `compact`, `promote`, `jobs undo`, as `--json` prints them."""

from __future__ import annotations

from pipelines.documents import JsonModel, JsonObject


class RuleCounts(JsonModel):
    """What one rule takes; `share` is of all events of the tier, 0 to 1."""

    name: str
    cutoff: str | None
    events: int
    files: int
    files_whole: int
    bytes: int
    share: float


class HoldCounts(JsonModel):
    """The events that one hold keeps from the rules."""

    name: str
    events: int


class RunCounts(JsonModel):
    """What a run of rules takes, by rule and in all (`transforms.hot_tier.maintenance.accounting.account`)."""

    rules: list[RuleCounts]
    holds: list[HoldCounts]
    held: int
    events: int
    bytes: int
    share: float


class RemovedFiles(JsonModel):
    """Files whose grace is over, and which were removed from the store."""

    files: int
    bytes: int


class RulesReport(JsonModel):
    """The report of a deletion or a tiering.

    Attributes:
        run_id: The run.
        executed: Whether it was done; else the numbers are of what would be.
        now: The time by which retention was reckoned.
        rules: What each rule takes.
        rules_file, rules_sha256: The rules file's name and hash.
        rules_version: The version of the tier's configuration that it is from; None where a file was given.
        holds, held: The events that each hold keeps, and all of them.
        events, bytes, share: What is taken in all.
        version_before, version_after: Versions of the table; the second is None in a dry run.
        warnings: What the rules could not be applied to, which match nothing, and what failed after the commit.
        removed: Files whose grace is over; None where nothing is removed.
    """

    run_id: str
    executed: bool
    now: str
    rules: list[RuleCounts]
    rules_file: str | None
    rules_sha256: str | None
    rules_version: int | None
    holds: list[HoldCounts]
    held: int
    events: int
    bytes: int
    share: float
    version_before: int
    version_after: int | None
    warnings: list[str]
    removed: RemovedFiles | None = None

    def as_document(self) -> JsonObject:
        """Return it as JSON takes it."""
        return self.model_dump(mode="json", by_alias=True, exclude={"removed"} if self.removed is None else None)


class UndoReport(JsonModel):
    """The report of undoing a job.

    Attributes:
        run_id: The run.
        executed: Whether it was done; else the numbers are of what would be.
        task_id: The job.
        undone_by: The run that had undone the job before, None where there was none.
        events, share, bytes: What was taken away; the share is of all events of the tier, 0 to 1.
        files, files_whole: Of how many files, and how many of them went whole.
        objects: How many objects are no longer known.
        replaced: How many of these had replaced older content, which does not come back.
        holds, held: The events that each hold keeps, and their sum.
        objects_held: How many objects stay known, because events of them stay.
        version_before, version_after: Versions of the table, the same where there was nothing to do; the second is None
            in a dry run.
        warnings: Files that had to be left as they are, and what failed after the commit.
    """

    run_id: str
    executed: bool
    task_id: str
    undone_by: str | None
    events: int
    files: int
    files_whole: int
    bytes: int
    share: float
    objects: int
    replaced: int
    holds: list[HoldCounts]
    held: int
    objects_held: int
    version_before: int
    version_after: int | None
    warnings: list[str]


class RestoreReport(JsonModel):
    """The report of a restore.

    Attributes:
        run_id: The restore itself.
        executed: Whether it was done; else the numbers are of what would be.
        runs: The deletions and undone jobs that are taken back.
        already_restored: Those that were taken back before.
        events: How many events come back.
        newer: How many stay away, because their objects were replaced, undone or ingested again since.
        files: How many files come back.
        objects: How many objects of undone jobs are known again.
        deleted_again: By rule, the events that the next deletion would take.
        hold: YAML of a hold that keeps them, None where nothing is to be kept.
        version_before, version_after: Versions of the table; the second is None in a dry run.
        warnings: What failed after the commit.
    """

    run_id: str
    executed: bool
    runs: list[str]
    already_restored: list[str]
    events: int
    newer: int
    files: int
    objects: int
    deleted_again: dict[str, int]
    hold: str | None
    version_before: int
    version_after: int | None
    warnings: list[str]


class CompactReport(JsonModel):
    """The report of a compaction.

    Attributes:
        run_id: The compaction.
        files_before, files_after: How many live files there are.
        merged, written: How many files were merged, into how many.
        events, bytes: What is in the new files.
        version_before, version_after: Versions of the table, the same where there was nothing to merge.
        removed: The old files that were removed from the store.
        warnings: What failed after the commit.
    """

    run_id: str
    files_before: int
    files_after: int
    merged: int
    written: int
    events: int
    bytes: int
    version_before: int
    version_after: int
    removed: RemovedFiles
    warnings: list[str]


class PromoteReport(JsonModel):
    """The report of a promotion.

    Attributes:
        run_id: The promotion.
        columns_added: The attributes that got a column.
        already_columns: Those that had one.
        files_examined: How many files were looked into.
        files_rewritten: How many of them kept one of the attributes in their maps.
        events, bytes: What is in the files written in their place.
        version_before, version_after: Versions of the table, the same where there was nothing to do.
        warnings: Files that had to be left as they are, and what failed after the commit.
    """

    run_id: str
    columns_added: list[str]
    already_columns: list[str]
    files_examined: int
    files_rewritten: int
    events: int
    bytes: int
    version_before: int
    version_after: int
    warnings: list[str]
