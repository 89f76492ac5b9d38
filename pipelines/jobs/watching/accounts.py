"""What a watch has done so far: the totals of its report, and how it stands, which its status shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.documents import JsonObject
from pipelines.jobs.report import WatchCounts, WatchReport
from pipelines.jobs.reporting import sources_of_entries
from pipelines.jobs.specification import JobSpecification
from pipelines.jobs.totals.job_totals import JobTotals
from pipelines.jobs.watching.last_hour import LastHour
from pipelines.status import BROKEN, StatusFile
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.storage.job_folder import JobFolder


@dataclass
class WatchAccounts:
    """The counts of a watch, taken up where an earlier run of the job has left them.

    Attributes:
        task_id: The job.
        specification: What it is to do.
        folder: Where its totals are kept.
        status: Its status.
        counts: What has come, by the fields of `WatchCounts`.
        unread: Objects that were not read, by why.
    """

    task_id: str
    specification: JobSpecification
    folder: JobFolder
    status: StatusFile
    counts: Counter[str] = field(init=False)
    unread: Counter[str] = field(init=False)
    _recent: LastHour = field(default_factory=LastHour)

    def __post_init__(self) -> None:
        """Take up what an earlier run of the job has counted."""
        self._report = WatchReport.model_validate(self.status.current.watch or {})
        self.counts = Counter(self._report.counts.model_dump())
        self.unread = Counter(self._report.unread)
        self._totals = JobTotals.load(self.folder) or JobTotals()

    def save_totals(self) -> None:
        """Write the totals: the folder of a job that has some is a watch's."""
        self._totals.save(self.folder)

    def count_evaluated(self, objects: int) -> None:
        """Count objects that were looked at."""
        self.status.update(evaluated=(self.status.current.evaluated or 0) + objects)

    def count_unread(self, kinds: Mapping[str, int]) -> None:
        """Count the objects of a plan that are not read, by what it does with them."""
        self.unread.update({kind: number for kind, number in kinds.items() if kind != "work"})

    def note(self, **fields: object) -> None:
        """Set fields of the report."""
        self._report = self._report.model_copy(update=fields)

    def forget_error(self) -> None:
        """Let the report have no error: it went on."""
        if self._report.last_error is not None:
            self.note(last_error=None)

    def sum_up(self, ledger: Ledger) -> None:
        """Add what the ledger has of the job since the last time."""
        entries = ledger.of_job_after(self.task_id, self._totals.k)
        names = [source.name for source in sources_of_entries(self.specification, entries)]
        self._totals = self._totals.plus(list(zip(entries, names, strict=True)), k=ledger.k).newest()
        self.save_totals()
        published = [entry for entry in entries if entry.is_published]
        self._recent.add(
            objects=len(published),
            events=sum(entry.events for entry in published),
            failed=sum(entry.status in BROKEN for entry in entries),
            bytes_read=sum(entry.bytes_read for entry in entries),
            waves=len({entry.wave for entry in entries}),
        )

    def show(self, *, waiting: int, queued: int | None) -> None:
        """Let the job's status show how the watch stands; it is written every few seconds."""
        self.note(
            waiting=waiting,
            queued=queued,
            last_hour=self._recent.work(),
            counts=WatchCounts(**self.counts),
            unread={name: number for name, number in self.unread.items() if number},
        )
        document: JsonObject = self._report.as_document()
        self.status.update(watch=document)
