"""What the ledger keeps of a job that is undone, or restored after that (docs/decisions/0024-undoing-a-job.md).

Both are commits of the ledger like that of a wave, in the name of the run: with a row for each content that is no
longer in the table, or is there again, and one for the job. So what is known has one order for all, and no wave of an
undone job can be published after it (`ledger.publish`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from transforms.hot_tier.ledger.contents import ContentHistory
from transforms.hot_tier.ledger.ledger import Ledger, WaveRecord
from transforms.hot_tier.ledger.ledger_files import TOKEN_BITS, LastCommit, sidecar_path
from transforms.hot_tier.ledger.published_index import Published
from transforms.hot_tier.ledger.sidecar import ENTRY_SCHEMA, OF_JOB, UNDONE, write_rows
from transforms.objects.outcomes import PUBLISHED
from transforms.storage import object_uri

_COPIED = ("bucket", "key", "etag", "size", "job", "wave", "status")


@dataclass(frozen=True)
class LedgerChange:
    """A commit of the ledger that is about to be made.

    Attributes:
        path: Its sidecar.
        data: The sidecar's content.
        transaction: App id and version of the commit that makes it count.
        objects: How many objects it is about.
        jobs: The jobs.
    """

    path: str
    data: bytes
    transaction: tuple[str, int]
    objects: int
    jobs: tuple[str, ...]


@dataclass(frozen=True)
class JobContents:
    """Contents that a job has published.

    Attributes:
        job: The job.
        rows: A table of `ENTRY_SCHEMA`.
    """

    job: str
    rows: pa.Table

    @classmethod
    def in_table(cls, ledger: Ledger, job: str) -> JobContents:
        """Return the contents of a job that are in the table."""
        return cls._chosen(ledger, job, lambda history: history.contents)

    @classmethod
    def restorable(cls, ledger: Ledger, job: str, k: int, *, restoring: Collection[int]) -> JobContents:
        """Return the contents of a job that commit `k` has undone, and that come back when that is restored.

        Args:
            ledger: The ledger.
            job: The job.
            k: The commit.
            restoring: All such commits that are restored together.
        """
        return cls._chosen(
            ledger, job, lambda history: [one.content for one in history.restorable(restoring) if one.undone == k]
        )

    @classmethod
    def _chosen(cls, ledger: Ledger, job: str, choose: Callable[[ContentHistory], Iterable[Published]]) -> JobContents:
        rows = ledger.table_of_job(job)
        rows = rows.filter(pc.is_in(rows["status"], pa.array(PUBLISHED)))
        identities = zip(*(rows[name].to_pylist() for name in ("bucket", "key", "etag", "size")), strict=True)
        mask = [
            any((one.job, one.etag, one.size) == (job, etag, size) for one in choose(ledger.history(bucket, key)))
            for bucket, key, etag, size in identities
        ]
        return cls(job, rows.filter(pa.array(mask, pa.bool_())))

    @property
    def uris(self) -> list[str]:
        """The objects."""
        names = zip(self.rows["bucket"].to_pylist(), self.rows["key"].to_pylist(), strict=True)
        return [object_uri(bucket, key) for bucket, key in names]

    @property
    def replaced(self) -> int:
        """How many of them replaced older content."""
        return pc.sum(self.rows["replaced"]).as_py() or 0

    @property
    def times(self) -> dict[str, tuple[int, int]]:
        """The least and greatest `_time` of each object's events, microseconds; (1, 0) where it has none."""
        low, high = (self.rows[name].cast(pa.int64()).to_pylist() for name in ("min_time", "max_time"))
        return {
            uri: (1, 0) if least is None else (least, most)
            for uri, least, most in zip(self.uris, low, high, strict=True)
        }

    def without(self, uris: Collection[str]) -> JobContents:
        """Return those of other objects."""
        if not uris:
            return self
        return JobContents(self.job, self.rows.filter(pa.array([uri not in uris for uri in self.uris], pa.bool_())))


def undo_in_ledger(ledger: Ledger, contents: JobContents, *, run_id: str, version: int) -> LedgerChange:
    """Return the commit by which contents of a job are no longer known, and the job is undone.

    Args:
        ledger: The ledger as of the snapshot that the commit is tried on.
        contents: The contents of which nothing is left in the table.
        run_id: The run.
        version: The table's version that the commit makes.
    """
    rows = _with(_rows({run_id: contents}), "status", UNDONE)
    return _change(ledger, rows, (contents.job,), run_id=run_id, version=version)


def restore_in_ledger(
    ledger: Ledger, contents: Mapping[str, JobContents], *, run_id: str, version: int
) -> LedgerChange:
    """Return the commit by which contents are known again, by the runs that have undone their jobs.

    Args:
        ledger: The ledger as of the snapshot that the commit is tried on.
        contents: The contents that come back, by the ids of the runs that are restored.
        run_id: The run that restores them.
        version: The table's version that the commit makes.
    """
    jobs = tuple(dict.fromkeys(one.job for one in contents.values()))
    return _change(ledger, _rows(contents), jobs, run_id=run_id, version=version)


def _rows(contents: Mapping[str, JobContents]) -> pa.Table:
    """Return rows for contents, and for each run that undoes them one for the job."""
    jobs = [one.job for one in contents.values()]
    texts = {
        "bucket": [OF_JOB] * len(jobs),
        "key": jobs,
        "etag": list(contents),
        "job": jobs,
        "status": [PUBLISHED[0]] * len(jobs),
    }
    of_jobs = pa.table({name: pa.array(values, pa.string()) for name, values in texts.items()})
    return pa.concat_tables(
        [of_jobs, *(one.rows.select(_COPIED) for one in contents.values())], promote_options="default"
    )


def _change(ledger: Ledger, rows: pa.Table, jobs: tuple[str, ...], *, run_id: str, version: int) -> LedgerChange:
    last = LastCommit(ledger.k + 1, secrets.randbits(TOKEN_BITS))
    record = WaveRecord(
        job=run_id,
        wave=0,
        k=last.k,
        version=version,
        files=0,
        bytes=0,
        token=last.token,
        previous=ledger.last.token,
    )
    data = write_rows(record, _with(_with(rows, "k", last.k), "replaced", value=False))
    objects = pc.sum(pc.not_equal(rows["bucket"], OF_JOB)).as_py()
    return LedgerChange(sidecar_path(last.k, last.token), data, last.transaction, objects, jobs)


def _with(table: pa.Table, name: str, value: object) -> pa.Table:
    """Return a table with one value in all rows of a column of `ENTRY_SCHEMA`."""
    field = ENTRY_SCHEMA.field(name)
    values = pa.repeat(pa.scalar(value, field.type), table.num_rows)
    position = table.schema.get_field_index(name)
    return table.append_column(field, values) if position < 0 else table.set_column(position, field, values)
