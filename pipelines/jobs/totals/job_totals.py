"""What a job has done in all, as numbers: of a watch they are kept beside its folder's other files.

A watch goes on for years, so its report can't be made from all its entries of the ledger each time. What its waves have
done up to commit `k` of the ledger is summed up in `totals.json`; a report adds the entries after that commit. Like the
report it decides nothing: who has lost it would add all entries again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.documents import JsonModel
from pipelines.status import BROKEN
from transforms.hot_tier.ledger.event_times import count_time_sources
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.storage.job_folder import JobFolder

TOTALS_FILE = "totals.json"
MOST_FAILURES, MOST_WARNINGS = 1000, 100
"""So many of the newest are kept by name."""
SUMS = (
    "bytes_read", "bytes_decoded", "records_in", "blank", "header", "events", "events_with_error", "dropped",
    "rejected",
)  # fmt: skip


class FailedObject(JsonModel):
    """An object that could not be read, or not wholly."""

    object: str
    etag: str
    status: str
    reason: str | None


class JobTotals(JsonModel):
    """What entries of the ledger come to.

    Attributes:
        k: The number of the last commit that is in it.
        statuses: How many objects have which status; `replaced` are among the ingested.
        sums: Their numbers, by the fields of `LedgerEntry`.
        counts: Events by what happened to them, as the ledger names it.
        time_sources: Events by where their times are from.
        formats, codecs, sources: Objects, and events or bytes, by name.
        first, last: The range of the events' times, ISO 8601.
        failures: The newest objects that could not be read, or not wholly.
        warnings: The newest warnings about objects.
    """

    k: int = 0
    statuses: dict[str, int] = {}
    sums: dict[str, int] = {}
    counts: dict[str, int] = {}
    time_sources: dict[str, int] = {}
    formats: dict[str, tuple[int, int]] = {}
    codecs: dict[str, tuple[int, int]] = {}
    sources: dict[str, tuple[int, int]] = {}
    first: str | None = None
    last: str | None = None
    failures: tuple[FailedObject, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def load(cls, folder: JobFolder) -> JobTotals | None:
        """Return what the folder of a watch has; None of another job."""
        document = folder.read_json(TOTALS_FILE)
        return None if document is None else cls.model_validate(document)

    def newest(self) -> JobTotals:
        """Return it with no more than the newest failures and warnings by name."""
        lists = {"failures": self.failures[-MOST_FAILURES:], "warnings": self.warnings[-MOST_WARNINGS:]}
        return self.model_copy(update=lists)

    def save(self, folder: JobFolder) -> None:
        """Keep it in a watch's folder."""
        folder.write_json(TOTALS_FILE, self.as_document())

    def plus(self, entries: Sequence[tuple[LedgerEntry, str]], *, k: int | None = None) -> JobTotals:
        """Return this with what further entries come to.

        Args:
            entries: Each with the name of its source.
            k: The number of the last commit that they are of; by default the greatest of them.
        """
        adding = _Adding(self)
        for entry, source in entries:
            adding.add(entry, source)
        return adding.totals(max([self.k, *(entry.k for entry, _ in entries)]) if k is None else k)


@dataclass
class _Adding:
    """Adds entries one by one; an object that fails once more counts once."""

    before: JobTotals
    statuses: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    time_sources: Counter[str] = field(default_factory=Counter)
    formats: dict[str, tuple[int, int]] = field(default_factory=dict)
    codecs: dict[str, tuple[int, int]] = field(default_factory=dict)
    sources: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        before = self.before
        self.statuses.update(before.statuses)
        self.sums.update(before.sums)
        self.counts.update(before.counts)
        self.time_sources.update(before.time_sources)
        self.formats, self.codecs, self.sources = dict(before.formats), dict(before.codecs), dict(before.sources)
        self.first, self.last = before.first, before.last
        self.failures = {(one.object, one.etag): one for one in before.failures}
        self.warnings = list(before.warnings)

    def add(self, entry: LedgerEntry, source: str) -> None:
        identity = (entry.uri, entry.etag)
        if (known := self.failures.pop(identity, None)) is not None:
            self.statuses[known.status] -= 1
        self.statuses[entry.status] += 1
        self.statuses["replaced"] += entry.replaced and entry.status == "ingested"
        if entry.status in BROKEN:
            self.failures[identity] = FailedObject(
                object=entry.uri, etag=entry.etag, status=entry.status, reason=entry.reason
            )
        if known is not None and not entry.is_published:
            return
        self.sums.update({name: getattr(entry, name) for name in SUMS})
        self.counts.update(dict(entry.counts))
        self.time_sources.update(count_time_sources([entry]))
        _count(self.formats, entry.format, entry.events)
        _count(self.codecs, entry.codec, entry.bytes_read)
        _count(self.sources, source, entry.events)
        if entry.min_time and entry.max_time:
            low, high = entry.min_time.isoformat(), entry.max_time.isoformat()
            self.first, self.last = min(self.first or low, low), max(self.last or high, high)
        self.warnings += [f"{entry.uri}: {text}" for text in entry.warnings]

    def totals(self, k: int) -> JobTotals:
        return JobTotals(
            k=k,
            statuses=dict(+self.statuses),
            sums=dict(self.sums),
            counts=dict(self.counts),
            time_sources=dict(sorted(self.time_sources.items())),
            formats=_sorted(self.formats),
            codecs=_sorted(self.codecs),
            sources=self.sources,
            first=self.first,
            last=self.last,
            failures=tuple(self.failures.values()),
            warnings=tuple(self.warnings),
        )


def _count(counts: dict[str, tuple[int, int]], name: str | None, number: int) -> None:
    if name is not None:
        objects, before = counts.get(name, (0, 0))
        counts[name] = (objects + 1, before + number)


def _sorted(counts: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    return dict(sorted(counts.items()))
