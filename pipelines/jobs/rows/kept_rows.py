"""Rows that are kept, so that a list of jobs takes few requests however many jobs there were.

The entry of a job that has ended holds its row (`transforms.storage.job_folder`). On S3, where each entry is a
request, `_rekindle/jobs-list.json` has the newest rows together, each with the ETag of the entry that it was read from:
a listing tells which of them still hold. It may be behind, overwritten by another job that ends, or missing; then more
entries are read, and nothing wrong is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import orjson

from pipelines.jobs.rows.row import JobRow, newest_first, row_of
from transforms.core.errors import DamagedFileError, TierError
from transforms.core.json_object import JsonObject
from transforms.storage import TierStore
from transforms.storage.job_folder import STATUS_FILE, JobFolder, ListedJob, newest_jobs, read_row

ROWS_FILE = "_rekindle/jobs-list.json"
NEWEST = 50
"""So many rows the file has: as many as a list shows where nobody asks for more."""
_LONGEST = 16 << 10
"""A longer row stays out of the file: its job names very many sources."""
_READERS = 32


def list_job_rows(tier: TierStore, limit: int | None = None) -> list[JobRow]:
    """Return the jobs of a tier, or as many of the newest, the last one first."""
    return newest_first(load_job_rows(tier, newest_jobs(tier, limit)))


def load_job_rows(tier: TierStore, listed: Iterable[ListedJob]) -> list[JobRow]:
    """Return the rows of listed jobs, but for those that were never begun; they are read side by side."""
    kept = _kept_rows(tier)

    def load(one: ListedJob) -> JobRow | None:
        row = kept.get(one.etag) or read_row(tier, one.path) if one.has_row else None
        return _from_document(row) or _readable_row(JobFolder(tier, one.task_id))

    with ThreadPoolExecutor(_READERS) as pool:
        return [row for row in pool.map(load, listed) if row is not None]


def read_job_rows(tier: TierStore, task_ids: Iterable[str]) -> list[JobRow]:
    """Return the rows of jobs as they are in their folders, but for those that are not there, read side by side."""
    with ThreadPoolExecutor(_READERS) as pool:
        rows = pool.map(lambda task_id: _readable_row(JobFolder(tier, task_id)), task_ids)
        return [row for row in rows if row is not None]


def keep_ended_row(folder: JobFolder) -> None:
    """Keep the row of a job that has ended; where that fails, the list reads its folder."""
    with suppress(TierError, OSError):
        status = folder.read_json(STATUS_FILE) or {}
        row, entry = row_of(folder), status.get("listed")
        if row is None or not row.has_ended:
            return
        folder.keep_row(entry, row.as_document())
        if folder.read_json(STATUS_FILE) != status:  # another launcher of this job has just ended it too
            folder.keep_row(entry, None)
        else:
            keep_newest_rows(folder.tier)


def keep_newest_rows(tier: TierStore) -> None:
    """Bring the file of the newest rows up to date; a tier on disk has none."""
    if tier.local_path is not None:
        return
    listed = [one for one in newest_jobs(tier, NEWEST) if one.has_row]
    kept = _kept_rows(tier)
    with ThreadPoolExecutor(_READERS) as pool:
        rows = pool.map(lambda one: kept.get(one.etag) or read_row(tier, one.path), listed)
        found = {one.etag: row for one, row in zip(listed, rows, strict=True) if row is not None}
    short = {etag: row for etag, row in found.items() if len(orjson.dumps(row)) <= _LONGEST}
    tier.put(ROWS_FILE, orjson.dumps(short))


def _kept_rows(tier: TierStore) -> dict[str, JsonObject]:
    """Return the rows of the file by the ETags of their entries."""
    if tier.local_path is not None:
        return {}
    try:
        found = orjson.loads(tier.get(ROWS_FILE))
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _readable_row(folder: JobFolder) -> JobRow | None:
    """Return the row of a job, None where there is no job, or its files are damaged: the others are listed."""
    try:
        return row_of(folder)
    except (DamagedFileError, KeyError, TypeError, AttributeError):
        return None


def _from_document(document: JsonObject | None) -> JobRow | None:
    """Return a row that was kept; None where there is none, or another version of Rekindle has kept it otherwise."""
    try:
        return None if document is None else JobRow.from_document(document)
    except TypeError:
        return None
