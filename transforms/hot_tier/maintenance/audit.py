"""The audit: the Delta table `audit` beside `events`, to which every run is written once (docs/retention.md).

It is append-only by a table property that every writer of Delta tables must respect. A run's rows come in one commit
with the app id `audit/RUN`, a compare-and-swap like those of `events` (decision 4): who finds the id is done.
Both `write_deltalake` on a handle and `create_write_transaction` refuse a stale handle when they may not retry
(measured with deltalake 1.6.6). The latter takes a file by its name, so a refused one can be removed, and keeps the
rows' order.
"""

from __future__ import annotations

import io
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timezone

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction

from transforms.core import schema
from transforms.core.errors import TierError
from transforms.hot_tier.configuration.store import load_configuration, load_history
from transforms.hot_tier.maintenance.audit_rows import Row, configuration_row, hold_rows, run_rows
from transforms.hot_tier.maintenance.commit_run import CommittedRun
from transforms.hot_tier.table import location
from transforms.hot_tier.table.commit import Attempts, commit_actions, finish_commit
from transforms.hot_tier.table.delta import create_table, open_table
from transforms.hot_tier.table.log_entries import commit_time
from transforms.hot_tier.table.runs import MaintenanceRun
from transforms.storage import TierStore

AUDIT = "audit"
COLUMNS = pa.schema(
    [
        *((name, pa.string()) for name in ("run_id", "kind", "rule")),
        ("done_at", schema.TIME),
        ("now", schema.TIME),
        ("who", pa.string()),
        *((name, pa.int64()) for name in ("events", "files", "bytes", "version_before", "version_after")),
        *((name, pa.string()) for name in ("rules_file", "rules_sha256", "detail")),
    ]
)
_PROPERTIES = {
    "delta.appendOnly": "true",
    "delta.dataSkippingStatsColumns": "kind",
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 3650 days",
}
_CONFIGURATION = "config"
"""The app id of the commits of the configuration's changes; its version is that of the last of them."""
_READERS = 8


class AuditLog:
    """The audit table at one version, by a handle of its own."""

    def __init__(self, table: DeltaTable) -> None:
        self.table = table
        self.version: int = table.version()

    @classmethod
    def load(cls, tier: TierStore) -> AuditLog:
        """Open the table as it is now, and create it where there is none."""
        try:
            return cls(open_table(tier, AUDIT))
        except TableNotFoundError:
            what = "What was done with the events of the hot tier"
            create_table(tier, AUDIT, COLUMNS, description=what, configuration=_PROPERTIES)
            return cls(open_table(tier, AUDIT))

    def has(self, run: MaintenanceRun) -> bool:
        """Whether it has the rows of a run."""
        return self.table.transaction_version(_app_id(run)) is not None

    @property
    def configuration(self) -> int:
        """The newest version of the tier's configuration that has its row."""
        return self.table.transaction_version(_CONFIGURATION) or 0

    def files(self) -> list[str]:
        """Return the live files in the order of their commits."""
        return sorted(self.sizes())

    def sizes(self) -> dict[str, int]:
        """Return the live files, and how many bytes each has."""
        actions = pa.RecordBatchReader.from_stream(self.table.get_add_actions(flatten=True)).read_all()
        return dict(zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True))


def write_audit(tier: TierStore, run: MaintenanceRun, committed: CommittedRun | None) -> None:
    """Write a run to the audit exactly once, however often and by however many processes this is called.

    Args:
        tier: The hot tier.
        run: The run, which is over.
        committed: What it changed; None where there was nothing to change.

    Raises:
        TierError: the store refuses.
    """
    at = (committed and commit_time(tier, committed.version)) or datetime.now(timezone.utc)
    attempts = Attempts(tier, f"run {run.id} can't be written to the audit", AuditLog.load)
    tried: dict[str, int] = {}
    for log in attempts:
        if log.has(run):
            break
        with attempts.unless_refused():
            rows = [*run_rows(run, committed, at), *hold_rows(run, committed, at)]
            path = _new_path(log)
            tried[path] = log.version + 1
            _append(tier, log, path, rows, (_app_id(run), 1))
    _clear(tier, log, tried)


def audit_configuration(tier: TierStore) -> None:
    """Write the changes of the tier's configuration to the audit, each exactly once; may be repeated.

    What a killed process has left, or was changed before there was a table, is written by the next change or run.

    Raises:
        TierError: the store refuses.
    """
    newest = load_configuration(tier).version
    if not newest or not location.exists(tier):
        return
    attempts = Attempts(tier, "the change of the configuration can't be written to the audit", AuditLog.load)
    tried: dict[str, int] = {}
    for log in attempts:
        if log.configuration >= newest:
            break
        with attempts.unless_refused():
            changes = list(load_history(tier, after=log.configuration))
            path = _new_path(log)
            tried[path] = log.version + 1
            _append(tier, log, path, list(map(configuration_row, changes)), (_CONFIGURATION, changes[-1].version))
    _clear(tier, log, tried)


def read_audit(tier: TierStore, *, limit: int | None = None) -> list[Row]:
    """Return the rows of the audit in the order of their commits, and those of changes that are not in it yet.

    Args:
        tier: The hot tier.
        limit: Only so many, the newest; None is all.

    Raises:
        TierError: it can't be read.
    """
    try:
        log = AuditLog(open_table(tier, AUDIT))
    except TableNotFoundError:
        files, audited = [], 0
    else:
        files, audited = log.files(), log.configuration
    not_audited = list(map(configuration_row, load_history(tier, after=audited)))
    if limit is None:
        return [*_read(tier, files), *not_audited]
    rows = [*_read_newest(tier, files, limit - len(not_audited)), *not_audited]
    return rows[max(0, len(rows) - limit) :]


def audit_document(row: Row) -> Row:
    """Return a row as JSON has it: names in camelCase, its detail as an object."""
    named = {_camel_case(name): value for name, value in row.items() if name != "detail"}
    return named | {"detail": orjson.loads(row["detail"] or "{}")}


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


def _new_path(log: AuditLog) -> str:
    return f"{log.version + 1:020d}-{uuid.uuid4()}.parquet"


def _append(tier: TierStore, log: AuditLog, path: str, rows: list[Row], transaction: tuple[str, int]) -> None:
    """Write the rows' file, and try once to commit it."""
    table = pa.Table.from_pylist(rows, COLUMNS)
    written = io.BytesIO()
    pq.write_table(table, written, compression="zstd")
    tier.put_new(f"{AUDIT}/{path}", written.getvalue())
    action = add_action(path, written.tell(), [row["kind"] for row in rows])
    commit_actions(log.table, [action], transactions=[transaction])


def add_action(path: str, size: int, kinds: list[str], *, data_change: bool = True) -> AddAction:
    """Return the action that adds a file with rows of these kinds."""
    stats = {
        "numRecords": len(kinds),
        "minValues": {"kind": min(kinds)},
        "maxValues": {"kind": max(kinds)},
        "nullCount": {"kind": 0},
    }
    return AddAction(path, size, {}, time.time_ns() // 1_000_000, data_change, orjson.dumps(stats).decode())


def _clear(tier: TierStore, log: AuditLog, tried: dict[str, int]) -> None:
    """Finish the commit that succeeded, and remove the files of refused attempts."""
    live = set(log.files()) if tried else set()
    for path, version in tried.items():
        if path in live:
            finish_commit(tier, version, AUDIT)
        elif version <= log.version:
            with suppress(TierError, OSError):  # no reader sees a file that no commit names
                tier.delete(f"{AUDIT}/{path}")


def _read_newest(tier: TierStore, paths: list[str], limit: int) -> list[Row]:
    rows: list[Row] = []
    while paths and len(rows) < limit:
        paths, newest = paths[:-_READERS], paths[-_READERS:]
        rows = [*_read(tier, newest), *rows]
    return rows


def _read(tier: TierStore, paths: list[str]) -> list[Row]:
    with ThreadPoolExecutor(_READERS) as pool:
        return [row for rows in pool.map(lambda path: _read_file(tier, path), paths) for row in rows]


def _read_file(tier: TierStore, path: str) -> list[Row]:
    # without Arrow's threads: 2 of 32 processes that ended right after this were aborted ("terminate called without an
    # active exception")
    rows: list[Row] = pq.ParquetFile(io.BytesIO(tier.get(f"{AUDIT}/{path}"))).read(use_threads=False).to_pylist()
    return rows


def _app_id(run: MaintenanceRun) -> str:
    return f"{AUDIT}/{run.id}"
