"""Merging the audit's files: each run adds one, and the log has a line for each that is live.

The rows stay, in their order: a merged file has the name of its last one's version. Its commit is a compare-and-swap on
the snapshot that it was made from, and changes no data by Delta's terms, which an append-only table allows. What was
replaced is removed by a merging that comes a day later, when nobody reads it any more. Nor will anybody commit such an
old file that no commit has named: who wrote it tried that on a version before this one's.
"""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.exceptions import DeltaError
from deltalake.transaction import RemoveAction

from transforms.core.errors import TierError
from transforms.hot_tier.maintenance.audit import AUDIT, AuditLog, add_action
from transforms.hot_tier.table.commit import commit_actions, finish_commit
from transforms.storage import TierStore

FILES = 64
"""So many are merged into one,"""
LARGE = 1 << 20
"""unless they are so large: bytes."""
KEPT_FOR = timedelta(days=1)
_VERSION_DIGITS = 20


def merge_audit(tier: TierStore) -> None:
    """Merge the audit's small files where there are many; several processes may do so at once.

    Where that fails, it stays as it is, and a later run tries it again.
    """
    with suppress(TierError, OSError, DeltaError, pa.ArrowException):
        log = AuditLog.load(tier)
        sizes = log.sizes()
        names = sorted(sizes)
        last_large = max((number for number, name in enumerate(names) if sizes[name] >= LARGE), default=-1)
        small = names[last_large + 1 :]
        if len(small) >= FILES:
            _merge(tier, log, small, sizes)


def _merge(tier: TierStore, log: AuditLog, names: Sequence[str], sizes: dict[str, int]) -> None:
    tables = [pq.ParquetFile(io.BytesIO(tier.get(f"{AUDIT}/{name}"))).read(use_threads=False) for name in names]
    table = pa.concat_tables(tables, promote_options="default")
    written = io.BytesIO()
    pq.write_table(table, written, compression="zstd")
    path = f"{names[-1][:_VERSION_DIGITS]}-{uuid.uuid4()}.parquet"
    tier.put_new(f"{AUDIT}/{path}", written.getvalue())
    now = time.time_ns() // 1_000_000
    removed = [RemoveAction(name, False, now, sizes[name], {}) for name in names]
    added = add_action(path, written.tell(), table["kind"].to_pylist(), data_change=False)
    with suppress(DeltaError, OSError):  # only a new handle shows whether it was committed
        commit_actions(log.table, [added, *removed], transactions=[])
    newest = AuditLog.load(tier)
    if path in newest.sizes():
        finish_commit(tier, log.version + 1, AUDIT)
        _remove_old(tier, log, newest, replaced=names[0])
    elif newest.version > log.version:
        tier.delete(f"{AUDIT}/{path}")


def _remove_old(tier: TierStore, before: AuditLog, newest: AuditLog, *, replaced: str) -> None:
    """Remove the files that were not live before this merging, if the one before it was long ago.

    That one has made the first file that was replaced now, or the large one before it.
    """
    files = {file.path.removeprefix(f"{AUDIT}/"): file for file in tier.list(f"{AUDIT}/")}
    oldest = datetime.now(timezone.utc) - KEPT_FOR
    live = {*before.sizes(), *newest.sizes()}
    if any(files[name].modified >= oldest for name in live & files.keys() if name <= replaced):
        return
    dead = (file for name, file in files.items() if "/" not in name and name.endswith(".parquet") and name not in live)
    for file in dead:
        if file.modified < oldest:
            tier.delete(file.path)
