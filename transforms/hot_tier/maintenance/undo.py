"""What undoing a job takes from the table and from the ledger (docs/decisions/0024-undoing-a-job.md).

The log has no statistics of jobs: of the files that may hold events of the job's objects, by times and names, the
column `_correlation_id` is read, a few bytes where it has one value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.core.errors import GoneError, TierError
from transforms.hot_tier.data.file_objects import ObjectBounds, objects_of_job, rows_of_job
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.ledger.undone import JobContents
from transforms.hot_tier.maintenance.accounting import Outcome
from transforms.hot_tier.maintenance.classify_files import ActionKind, classify_files
from transforms.hot_tier.maintenance.plan import MaintenancePlan, decided_result, left_alone
from transforms.hot_tier.maintenance.tasks import SourceResult, Task
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import in_both, layout_of
from transforms.hot_tier.table.runs import begun_at
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.query import Expr
from transforms.query.instants import format_instant
from transforms.query.parser import parse
from transforms.retention.compiled_rules import STAYS, CompiledRule, CompiledRules
from transforms.storage import TierStore

_READERS = 8
_NEVER = (1 << 63) - 1
"""As a cut-off: any event is older."""


def condition_of(job: str) -> str:
    """Return the query for the events that a job has brought."""
    return f'#correlationId=CASE("{job}")'


def describe_undoing(ledger: Ledger, job: str) -> dict[str, str] | None:
    """Return the run by which a job was undone, `runId`, and when that began, `at`; None where it is not undone."""
    run_id = ledger.undone_by(job)
    return None if run_id is None else {"runId": run_id, "at": format_instant(begun_at(run_id))}


class JobUndoing:
    """Plans on each snapshot how a job is undone.

    Attributes:
        job: Its task id.
        rules: What is taken: all events of the job.
    """

    def __init__(self, tier: TierStore, job: str) -> None:
        """Prepare; nothing is read yet."""
        self.job = job
        self.rules = _all_events(f"job {job}", parse(condition_of(job)))
        self._tier = tier
        self._ledger: Ledger | None = None
        self._contents: tuple[Ledger | None, JobContents | None] = (None, None)
        self._rows: dict[str, int] = {}

    def ledger(self, snapshot: Snapshot) -> Ledger:
        """Return the ledger as of a snapshot."""
        self._ledger = Ledger.load(self._tier, snapshot, self._ledger)
        return self._ledger

    @property
    def undone_by(self) -> str | None:
        """The run that has undone the job before, by the newest snapshot that was planned on."""
        return None if self._ledger is None else self._ledger.undone_by(self.job)

    def contents(self, snapshot: Snapshot) -> JobContents:
        """Return the contents of the job that are in the table."""
        ledger = self.ledger(snapshot)
        known, contents = self._contents
        if contents is None or known is not ledger:
            contents = JobContents.in_table(ledger, self.job)
            self._contents = ledger, contents
        return contents

    def plan(self, snapshot: Snapshot, rules: CompiledRules) -> MaintenancePlan:
        """Plan which files go whole, and which are written again.

        Args:
            snapshot: The table.
            rules: `rules`, and the holds that are in force.

        Raises:
            GoneError: a file is gone.
        """
        self._count_rows(snapshot)
        decided: list[tuple[LiveFile, SourceResult]] = []
        tasks: list[Task] = []
        every = _all_events(rules.rules[0].name, None)
        for file, action in classify_files(snapshot, CompiledRules(every.rules, rules.holds)):
            if not (rows := self._rows.get(file.path)):
                continue
            if not snapshot.can_be_named(file.path):
                decided.append((file, left_alone(file, rules)))
            elif rows == file.rows and action.kind is not ActionKind.OPEN and layout_of(file.path):
                decided.append((file, decided_result(file, action, rules)))
            else:
                tasks.append(Task((file,), rules, None))
        return MaintenancePlan(tuple(decided), tuple(tasks))

    def objects_left(self, outcomes: Iterable[Outcome], rules: CompiledRules) -> set[str]:
        """Return the objects of which events that the job has brought stay in the table: holds keep these.

        Args:
            outcomes: What was taken of each file, or only counted.
            rules: By which that was.
        """
        left: set[str] = set()
        with self._reading():
            for file, result in outcomes:
                if sum(result.taken) == self._rows[file.path]:
                    continue
                if result.rest is None and any(result.taken):  # only counted
                    left |= self._objects_held(file.path, rules)
                else:
                    left |= objects_of_job(self._tier, result.rest.path if result.rest else file.path, self.job)
        return left

    def _objects_held(self, path: str, rules: CompiledRules) -> set[str]:
        """Return the objects of the job of which rows of a file are held."""
        left: set[str] = set()
        with self._tier.open_input(f"{EVENTS}/{path}") as opened:
            parquet = pq.ParquetFile(opened)
            names = parquet.schema_arrow.names
            both = in_both(path, names)
            columns = [*{*rules.columns_needed(names, in_both=both), "_object", "_correlation_id"}]
            for number in range(parquet.num_row_groups):
                table = parquet.read_row_group(number, columns=columns)
                stays = pa.array(rules.evaluate(table, in_both=both).rule == STAYS)
                held = pc.and_(stays, pc.equal(table["_correlation_id"].cast(pa.string()), self.job))
                left.update(pc.unique(table["_object"].filter(held).cast(pa.string())).to_pylist())
        return left

    def _count_rows(self, snapshot: Snapshot) -> None:
        """Count the job's events in each live file that may have any."""
        bounds = ObjectBounds(self.contents(snapshot).times)
        files = snapshot.files.values()
        paths = [file.path for file in files if file.path not in self._rows and bounds.any_may_be_in(file)]
        with self._reading(), ThreadPoolExecutor(_READERS) as pool:
            counts = list(pool.map(lambda path: rows_of_job(self._tier, path, self.job), paths))
        self._rows |= dict(zip(paths, counts, strict=True))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise GoneError(
                f"hot tier {self._tier.uri}: a file is gone from the store ({error}): another command has removed it "
                "meanwhile; run it again"
            ) from error
        except pa.ArrowInvalid as error:
            raise TierError(
                f"hot tier {self._tier.uri}: a file is damaged, and can't be read as Parquet ({error}); "
                "`rekindle files` lists them; nothing was changed"
            ) from error


def _all_events(name: str, when: Expr | None) -> CompiledRules:
    return CompiledRules((CompiledRule(name, _NEVER, when, timedelta(0)),))
