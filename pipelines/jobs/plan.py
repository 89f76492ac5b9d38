"""The plan of a job: what of the matched objects is work, cut into waves and splits (docs/decisions/0002-waves.md).

Plain functions over the manifest; the plan is kept in the job's folder, so that a resumed job goes on with the same
waves.
"""

from __future__ import annotations

import heapq
import io
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.jobs.settings import FIRST_WAVE_BYTES, RunSettings
from pipelines.jobs.specification import JobSpecification
from transforms.hot_tier.configuration.holds import load_holds
from transforms.hot_tier.ledger.ledger import Ledger, Published
from transforms.hot_tier.maintenance.deleted_objects import Deletions
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.objects.reading_digest import differs
from transforms.storage import ObjectInfo, TierStore
from transforms.storage.job_folder import JobFolder

PLAN_FILE = "plan.parquet"
WORK, KNOWN, DELETED = "work", "known", "deleted"
OBJECT_OVERHEAD = 64 << 10
"""What an object costs beyond its bytes (requests, detection), in bytes that take as long."""
ALIKE = 1.1
"""Objects of one kind are of nearly one size: a split may be so much longer than the longest before it is worth another
wave.
"""


@dataclass(frozen=True, kw_only=True)
class WorkPolicy:
    """Which matched objects are work."""

    on_changed: str = "replace"
    force: bool = False
    retry_failed: bool = False
    reprocess: bool = False
    try_archived: bool = False

    @classmethod
    def of(cls, specification: JobSpecification, settings: RunSettings) -> WorkPolicy:
        """Return the policy of a job's specification and flags."""
        return cls(
            on_changed=specification.on_changed,
            force=settings.force,
            retry_failed=settings.retry_failed,
            reprocess=settings.reprocess,
            try_archived=settings.try_archived,
        )


class Decisions:
    """What becomes of each matched object, and what was seen on the way.

    Attributes:
        replaced: How many known objects are work: their events are to be replaced.
        outdated: How many are known that were read with other options or pipelines.
    """

    def __init__(self, tier: TierStore, ledger: Ledger, policy: WorkPolicy, digests: Sequence[str]) -> None:
        """Prepare for a job.

        Args:
            tier: The hot tier.
            ledger: What is in it.
            policy: Which objects are work.
            digests: Of the options and pipelines of each of the job's sources.
        """
        self.replaced = self.outdated = 0
        self._tier, self._ledger, self._policy, self._digests = tier, ledger, policy, digests
        self._deleted: Collection[str] = ()
        self._coming_back = 0

    def look_for_deleted(self, objects: Iterable[ObjectInfo], snapshot: Snapshot | None = None) -> None:
        """Find out of which known objects rules have left no event, and, with `--force`, of which some come back.

        Args:
            objects: The matched objects.
            snapshot: The table as it is; None loads it where there were deletions.
        """
        deletions = Deletions.load(self._tier, snapshot) if self._ledger.k else None
        if deletions is None:
            return
        published = ((info, self._ledger.published(info.bucket, info.key)) for info in objects)
        known = {info.uri: contents for info, contents in published if _same_content(info, contents)}
        if self._policy.force:
            self._coming_back = len(deletions.may_have_lost(known))
        else:
            self._deleted = deletions.have_lost_all(known)

    def decide(self, info: ObjectInfo) -> str:
        """Return `work`, or why an object is none: `empty`, `archived`, `known`, `deleted`, `skipped`."""
        policy = self._policy
        if info.is_empty:
            return "empty"
        if info.is_archived and not policy.try_archived:
            return "archived"
        if policy.force:
            return WORK
        published = self._ledger.published(info.bucket, info.key)
        same = _same_content(info, published)
        if same:
            return self._decide_known(info, same[-1])
        return "skipped" if published and policy.on_changed == "skip" else WORK

    def _decide_known(self, info: ObjectInfo, content: Published) -> str:
        if self._deleted and info.uri in self._deleted:
            return DELETED
        if self._policy.reprocess or (self._policy.retry_failed and content.status == "salvaged"):
            self.replaced += 1
            return WORK
        self.outdated += differs(content.digest, self._digests[info.source])
        return KNOWN

    def warnings(self) -> list[str]:
        """Return what the job's user should know."""
        found = []
        if self._coming_back:
            found.append(
                f"--force: events of {_objects(self._coming_back)} that deletion rules have removed come back; the "
                "next `rekindle delete` removes again what is too old"
            )
        if self.outdated:
            are, them = ("was", "it") if self.outdated == 1 else ("were", "them")
            found.append(
                f"{_objects(self.outdated, 'known ')} {are} read with other options or pipelines; add --reprocess to "
                f"read {them} again"
            )
        if self.replaced and (holds := load_holds(self._tier)):
            names = ", ".join(hold.name for hold in holds)
            found.append(
                f"the tier's holds ({names}) keep events from deletion, and not from being replaced: what pipelines "
                "drop or change now is no longer as it was"
            )
        return found


def _objects(number: int, kind: str = "") -> str:
    return f"{number:,} {kind}object{'s' * (number != 1)}"


def _same_content(info: ObjectInfo, published: Sequence[Published]) -> list[Published]:
    return [content for content in published if (content.etag, content.size) == (info.etag, info.size)]


def cut_waves(
    sizes: Sequence[int], *, wave_bytes: int, workers: int, split_bytes: int | None = None
) -> list[tuple[int, int]]:
    """Cut objects, in their order, into waves, and each wave into splits of about the same weight.

    The first wave holds 64 MiB, each next twice as much up to `wave_bytes`; an object that fits beside the fullest
    split of a wave without making the wave longer joins it, because its time is free.

    Args:
        sizes: The objects' sizes in bytes.
        wave_bytes: The largest wave.
        workers: How many splits run at once.
        split_bytes: Cut a wave into more splits than workers, so that each is about so large; None for one split a
            worker.

    Returns:
        For each object its wave and its split in the wave.
    """
    placed: list[tuple[int, int]] = []
    wave, start, limit = 0, 0, min(FIRST_WAVE_BYTES, wave_bytes)
    while start < len(sizes):
        objects = _objects_of_wave(sizes, start, limit, workers)
        weight = sum(sizes[i] + OBJECT_OVERHEAD for i in objects)
        bins = max(workers, -(-weight // split_bytes)) if split_bytes else workers
        splits = balance([sizes[i] + OBJECT_OVERHEAD for i in objects], bins)
        placed += [(wave, split) for split in splits]
        start, wave, limit = objects.stop, wave + 1, min(limit * 2, wave_bytes)
    return placed


def _objects_of_wave(sizes: Sequence[int], start: int, limit: int, workers: int) -> range:
    weight, stop = 0, start
    while stop < len(sizes) and (stop == start or weight + sizes[stop] + OBJECT_OVERHEAD <= limit):
        weight += sizes[stop] + OBJECT_OVERHEAD
        stop += 1
    loads = [0] * workers
    for size, split in zip(sizes[start:stop], balance(sizes[start:stop], workers), strict=True):
        loads[split] += size + OBJECT_OVERHEAD
    longest = ALIKE * max(loads)
    while stop < len(sizes) and min(loads) + sizes[stop] + OBJECT_OVERHEAD <= longest:
        loads[loads.index(min(loads))] += sizes[stop] + OBJECT_OVERHEAD
        stop += 1
    return range(start, stop)


def balance(weights: Sequence[int], bins: int) -> list[int]:
    """Return a bin for each weight: the heaviest first, each into the lightest bin (Graham's LPT rule)."""
    heap = [(0, number) for number in range(bins)]
    chosen = [0] * len(weights)
    for i in sorted(range(len(weights)), key=lambda i: -weights[i]):
        load, number = heapq.heappop(heap)
        chosen[i] = number
        heapq.heappush(heap, (load + weights[i], number))
    return chosen


@dataclass
class JobPlan:
    """The matched objects, each with its disposition, and for work its wave and split.

    Attributes:
        bucket: Where they lie.
        table: Columns of `transforms.discover_objects.MANIFEST`, `disposition` (string), `wave` and `split` (int32,
            null but for work).
    """

    bucket: str
    table: pa.Table

    @classmethod
    def make(
        cls,
        bucket: str,
        manifest: pa.Table,
        decide: Callable[[ObjectInfo], str],
        cut: Callable[[list[int]], list[tuple[int, int]]],
        *,
        first_wave: int = 0,
    ) -> JobPlan:
        """Plan the manifest: `decide` gives dispositions, `cut` the waves of the sizes of what is work.

        Waves are numbered from `first_wave` on: a watch has had others.
        """
        dispositions = [decide(info) for info in objects_of(bucket, manifest)]
        sizes = [size for size, kind in zip(manifest["size"].to_pylist(), dispositions, strict=True) if kind == WORK]
        cuts = iter([(first_wave + wave, split) for wave, split in cut(sizes)])
        positions = [next(cuts) if kind == WORK else (None, None) for kind in dispositions]
        table = manifest.append_column("disposition", pa.array(dispositions, pa.string()))
        for number, name in enumerate(("wave", "split")):
            table = table.append_column(name, pa.array([position[number] for position in positions], pa.int32()))
        return cls(bucket, table)

    @classmethod
    def load(cls, bucket: str, folder: JobFolder) -> JobPlan | None:
        """Return the plan in a job's folder, or None where the job did not come so far."""
        try:
            data = folder.tier.get(folder.path(PLAN_FILE))
        except FileNotFoundError:
            return None
        return cls(bucket, pq.read_table(io.BytesIO(data)))

    def save(self, folder: JobFolder) -> None:
        """Keep the plan in the job's folder."""
        sink = io.BytesIO()
        pq.write_table(self.table, sink, compression="zstd")
        folder.tier.put(folder.path(PLAN_FILE), sink.getvalue())

    @staticmethod
    def forget(folder: JobFolder) -> None:
        """Remove the plan of a job that has succeeded, whose report has all that it told."""
        folder.tier.delete(folder.path(PLAN_FILE))

    def counts(self) -> Counter[str]:
        """Return how many objects have each disposition."""
        return Counter(self.table["disposition"].to_pylist())

    @property
    def waves(self) -> int:
        """How many waves there are."""
        return len(self.wave_numbers)

    @property
    def wave_numbers(self) -> range:
        """The numbers of the waves."""
        bounds = pc.min_max(self.table["wave"]).as_py()
        return range(0) if bounds["max"] is None else range(bounds["min"], bounds["max"] + 1)

    @property
    def work_bytes(self) -> int:
        """How many bytes are work."""
        return pc.sum(self._work()["size"]).as_py() or 0

    def work(self) -> Iterator[ObjectInfo]:
        """Yield the objects that are work, in the order of their keys."""
        return objects_of(self.bucket, self._work())

    def objects(self, wave: int) -> Iterator[ObjectInfo]:
        """Yield the objects of a wave, in the order of their keys."""
        return objects_of(self.bucket, self.table.filter(pc.equal(self.table["wave"], wave)))

    def splits(self, wave: int) -> list[tuple[ObjectInfo, ...]]:
        """Return the objects of each split of a wave, in the order of their keys."""
        table = self.table.filter(pc.equal(self.table["wave"], wave))
        grouped: dict[int, list[ObjectInfo]] = {}
        for info, split in zip(objects_of(self.bucket, table), table["split"].to_pylist(), strict=True):
            grouped.setdefault(split, []).append(info)
        return [tuple(objects) for _, objects in sorted(grouped.items())]

    def _work(self) -> pa.Table:
        return self.table.filter(pc.equal(self.table["disposition"], WORK))


def objects_of(bucket: str, table: pa.Table) -> Iterator[ObjectInfo]:
    """Yield the objects of a manifest or plan."""
    for batch in table.select(["key", "etag", "size", "modified", "storage_class", "restored", "source"]).to_batches(
        max_chunksize=10_000
    ):
        for row in batch.to_pylist():
            yield ObjectInfo(bucket=bucket, **row)
