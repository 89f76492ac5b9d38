"""SQL (decision 13): one SELECT by DuckDB over the live files, as the flat view `events`.

The database lives in memory and may open exactly the live files: before the statement runs, all other access is off and
the configuration locked. Only one SELECT is accepted, since these settings alone would let CREATE and DROP pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import duckdb
import orjson
import pyarrow as pa

from transforms.core.errors import ConfigurationError, RekindleError, ResourceLimitError, TierError
from transforms.hot_tier.search import events_view as view
from transforms.hot_tier.search.duckdb_session import Database, can_read
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.search.sql_text import Form
from transforms.hot_tier.table.live_files import as_snapshot, file_uri, never_in_map
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

_BATCH_ROWS = 100_000
_SURROUNDINGS = ("IO Error", "INTERNAL Error", "HTTP Error")
_LIMITS = "Out of Memory Error"
"""DuckDB says it of memory and of the disk alike."""
_FROM_DATASET = ("registered as '_events'", "arrow_scan: get_next")
_T = TypeVar("_T")


_ON_TEXT = re.compile(
    r"No function matches [^\n]*\bVARCHAR\b|Cannot (?:compare|mix) values of type [^\n]*\bVARCHAR\b"
    r"|Could not convert string .* to (?:U?INT|DOUBLE|FLOAT|DECIMAL)"
)
_NO_COLUMN = re.compile(r'Referenced column "(?P<name>[^"]+)" not found')


class SqlResult:
    """What a SELECT returned, row by row as it comes; a context manager that also closes itself after the last row.

    Attributes:
        schema: The columns and their types.
        column_names: The columns as the statement names them; the second of one name gets `_1`, as in DuckDB's
            subqueries.
    """

    def __init__(self, database: _SqlDatabase, reader: pa.RecordBatchReader) -> None:
        """Take over a database that runs a statement."""
        self._database = database
        self._reader = reader
        self.schema: pa.Schema = reader.schema
        self.column_names: list[str] = reader.schema.names

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows as batches, once."""
        with self._database:
            while (batch := self._database.wait(lambda: next(self._reader, None))) is not None:
                yield batch

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows as Python values, maps as dicts, once."""
        for batch in self.batches():
            yield from zip(*(column.to_pylist(maps_as_pydicts="lossy") for column in batch.columns), strict=True)

    def to_pylist(self) -> list[dict[str, Any]]:
        """Return all rows as dicts."""
        return [dict(zip(self.column_names, row, strict=True)) for row in self.rows()]

    def read_all(self) -> pa.Table:
        """Return all rows as a table."""
        return pa.Table.from_batches(list(self.batches()), self._reader.schema)

    def close(self) -> None:
        """End the statement, whether or not all rows were read."""
        self._database.close()

    def __enter__(self) -> SqlResult:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the statement."""
        self.close()


def run_sql(
    events: TierStore | Snapshot,
    text: str,
    form: Form | None = None,
    *,
    stop: StopSignal | None = None,
    memory: int | None = None,
) -> SqlResult:
    """Run one SELECT over the view `events`.

    Args:
        events: The hot tier, or a version of its table.
        text: The statement, in DuckDB's dialect; times are in UTC.
        form: How values are shown (`sql_text`); None leaves them as they are.
        stop: What ends it early, also while rows are read.
        memory: How many bytes it may use before it spills to the disk; None is DuckDB's own limit.

    Raises:
        ConfigurationError: it is not one SELECT, or DuckDB refuses it, with DuckDB's message. Reading rows may raise it
            too (a cast that fails).
        TierError: the table can't be read.
        ResourceLimitError: it needs more memory or disk than it may take; reading rows may raise it too.
        CanceledError: it was canceled.
        TimeLimitError: its time is over.
    """
    statement = check_statement(text)
    snapshot = as_snapshot(events)
    database = _SqlDatabase(stop, memory=memory)
    try:
        database.show(snapshot, statement)
        database.lock()
        return SqlResult(database, database.run(statement, form))
    except BaseException:
        database.close()
        raise


def check_statement(text: str) -> str:
    """Check that a text is one SELECT, and return it.

    Raises:
        ConfigurationError: it is another statement, several or none.
    """
    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise _explained(str(error)) from error
    if len(statements) != 1:
        raise ConfigurationError(
            f"expected one SELECT over events, found {len(statements) or 'no'} statements", field="sql"
        )
    statement = statements[0]
    if statement.type != duckdb.StatementType.SELECT:
        raise ConfigurationError(
            f"expected one SELECT over events, found {statement.type.name}: sql only reads the hot tier", field="sql"
        )
    return str(statement.query)


class _SqlDatabase(Database):
    """The database that a statement sees."""

    def __init__(self, stop: StopSignal | None = None, *, memory: int | None = None) -> None:
        super().__init__(stop, memory=memory)
        self.connection.execute("SET parquet_metadata_cache = true")  # the files' footers are needed three times

    def show(self, snapshot: Snapshot, statement: str) -> None:
        """Make the view, with what a statement needs of it."""
        entries = self._entries_of(statement)
        if not snapshot.files:
            select = view.select_nothing(snapshot.columns)
        elif can_read(snapshot.tier, snapshot.files):
            select = self._select_files(snapshot, entries)
        else:
            select = self._select_dataset(snapshot, entries)
        self.wait(lambda: self.connection.execute(f"CREATE VIEW events AS {select}"))

    def _entries_of(self, statement: str) -> frozenset[str] | None:
        select = "SELECT json_serialize_sql(CAST(? AS VARCHAR))"
        ((tree,),) = self.wait(lambda: self.connection.execute(select, [statement]).fetchall())
        return view.entries_asked_for(orjson.loads(tree))

    def lock(self) -> None:
        """Close all ways out of the database but to the live files."""
        settings = {
            "TimeZone": "'UTC'",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "enable_external_access": "false",
            "lock_configuration": "true",
        }
        for name, value in settings.items():
            self.connection.execute(f"SET {name} = {value}")

    def run(self, statement: str, form: Form | None) -> pa.RecordBatchReader:
        """Begin a statement, with names that are all different."""
        return self.wait(lambda: self._shaped(statement, form).to_arrow_reader(_BATCH_ROWS))

    def _shaped(self, statement: str, form: Form | None) -> duckdb.DuckDBPyRelation:
        found = self.connection.sql(statement)
        columns = found.project("*")  # as a subquery, DuckDB makes their names different
        if form is None:
            return columns
        named = zip(columns.columns, columns.types, strict=True)
        shown = (
            f"{form(f'#{number}', kind)} AS {view.identifier(name)}" for number, (name, kind) in enumerate(named, 1)
        )
        return columns.project(", ".join(shown))

    def wait(self, work: Callable[[], _T]) -> _T:
        """Let the thread work; raise DuckDB's errors as the statement's or the tier's."""
        try:
            return super().wait(work)
        # in the middle of the rows DuckDB's errors come as Arrow's
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            raise _explained(str(error)) from error

    def _select_files(self, snapshot: Snapshot, entries: frozenset[str] | None) -> str:
        paths = {file_uri(snapshot.tier, path): path for path in snapshot.files}
        self.connection.execute(f"SET allowed_paths = [{', '.join(map(view.literal, paths))}]")
        groups = self.wait(lambda: self.connection.sql(view.select_groups(list(paths))).fetchall())
        selects = []
        for elements, uris in groups:
            known = never_in_map(snapshot, [paths[uri] for uri in uris])
            selects.append(
                view.select_files(
                    uris,
                    view.root_columns(elements),
                    promoted=snapshot.columns,
                    never_in_map=known,
                    entries=entries,
                )
            )
        return " UNION ALL ".join(selects)

    def _select_dataset(self, snapshot: Snapshot, entries: frozenset[str] | None) -> str:
        """Return the SELECT of files that DuckDB can't read by itself (`can_read`): pyarrow reads them."""
        self.connection.register("_events", snapshot.events.to_pyarrow_dataset())
        return view.select_table(
            "_events",
            promoted=snapshot.columns,
            never_in_map=never_in_map(snapshot, snapshot.files),
            entries=entries,
        )


def _explained(message: str) -> RekindleError:
    if message.startswith(_LIMITS):
        return ResourceLimitError(
            "the statement needs more memory, and more of the disk for what it spills, than it may take"
            f" ({message.partition(chr(10))[0].partition(': ')[2]}):"
            " read a shorter range of time or fewer columns, sort fewer rows (LIMIT), or raise --memory"
        )
    if message.startswith(_SURROUNDINGS) or any(sign in message for sign in _FROM_DATASET):
        return TierError(f"the statement could not be run: {message}")
    hint = ""
    if missing := _NO_COLUMN.search(message):
        hint = f"\nAn attribute without a column is in the map: attributes['{missing['name']}']"
    elif _ON_TEXT.search(message):
        hint = "\nAttributes are text: write name::DOUBLE for a number, TRY_CAST(name AS DOUBLE) where some are none"
    return ConfigurationError(message + hint, field="sql")
