"""The files of the table as one lazy Polars query, for what looks at every event: counts, histograms, top values (spec §11).

Files whose attributes lie in the same places are read together; only the columns that a question needs are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

import polars as pl

from transforms.errors import TierError
from transforms.hot_tier.file_names import layout_of
from transforms.hot_tier.files import file_uri, files_for, load_events
from transforms.hot_tier.opening import EVENTS
from transforms.hot_tier.snapshot import LiveFile
from transforms.hot_tier.wanted import Wanted
from transforms.query.bounds import TimeBounds
from transforms.query.compiler import compile_query, exact_column, field_column
from transforms.query.instants import microseconds
from transforms.query.syntax import Everything, Field
from transforms.schema import ATTRIBUTES_COLUMN, SYSTEM_COLUMNS, TIME
from transforms.storage import TierStore

_TYPES = {name: pl.Datetime("us", "UTC") if kind == TIME else pl.String for name, kind in SYSTEM_COLUMNS.items()}
_MAP = pl.Map(pl.String, pl.String)


@dataclass(frozen=True)
class Scan:
    """The files that may hold what is wanted, as the log says."""

    tier: TierStore
    wanted: Wanted
    files: Sequence[LiveFile]
    promoted: Sequence[str]

    @classmethod
    def begin(cls, tier: TierStore, wanted: Wanted) -> Scan:
        """Open the table and leave out the files that can't hold any."""
        snapshot = load_events(tier)
        return cls(tier, wanted, files_for(snapshot, wanted.expr, wanted.bounds, wanted.tier_name), snapshot.columns)

    @property
    def is_everything(self) -> bool:
        """Whether nothing but the time is asked for."""
        return self.wanted.expr is None or isinstance(self.wanted.expr, Everything)

    def times(self) -> tuple[int, int] | None:
        """Return the range of time that is asked for, in microseconds, both ends inclusive; where it is open, that of the files.

        None where there is nothing.
        """
        if not self.files:
            return None
        wanted, bounds = self.wanted, self.wanted.bounds
        first, last = min(file.min_time for file in self.files), max(file.max_time for file in self.files)
        first = first if bounds.low is None else max(first, bounds.low)
        last = last if bounds.high is None else min(last, bounds.high - 1)
        return (
            first if wanted.start is None else microseconds(wanted.start),
            last if wanted.end is None else microseconds(wanted.end) - 1,
        )

    def without(self, files: Sequence[LiveFile]) -> Scan:
        """Return the scan of all other files."""
        done = {file.path for file in files}
        return Scan(self.tier, self.wanted, [file for file in self.files if file.path not in done], self.promoted)

    def lies_whole_in(self, file: LiveFile, bounds: TimeBounds) -> bool:
        """Whether the log proves that all events of a file lie in a range; another writer's bounds are too coarse for that."""
        return (
            layout_of(file.path) > 0
            and (bounds.low is None or file.min_time >= bounds.low)
            and (bounds.high is None or file.max_time < bounds.high)
        )

    def select(self, **outputs: Field) -> pl.LazyFrame:
        """Return fields of the events that are wanted, under the names that are given."""
        by_layout = sorted(self.files, key=lambda file: layout_of(file.path))
        frames = [self._select(list(files), layout, outputs) for layout, files in groupby(by_layout, lambda file: layout_of(file.path))]
        return pl.concat(frames) if frames else pl.LazyFrame(schema=dict.fromkeys(outputs, pl.String))

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """Read the files and return the answer.

        Raises:
            TierError: a file can't be read.
        """
        with self._errors():
            return frame.collect(engine="streaming")

    def _select(self, files: Sequence[LiveFile], layout: int, outputs: dict[str, Field]) -> pl.LazyFrame:
        """Return the fields of files of one layout: `Snapshot.columns[:layout]` are never in their map, all others may be."""
        columns = {**_TYPES, **dict.fromkeys(self.promoted, pl.String), ATTRIBUTES_COLUMN: _MAP}
        frame = pl.scan_parquet(
            [file_uri(self.tier, file.path) for file in files],
            schema=columns,
            missing_columns="insert",
            extra_columns="ignore",
            storage_options=self.tier.polars_options() or None,
            credential_provider=None,
            glob=False,
            hive_partitioning=False,
        )
        later = self.promoted[layout:]
        entries = pl.col(ATTRIBUTES_COLUMN).map
        frame = frame.with_columns(pl.coalesce(exact_column(name), entries.get(pl.lit(name))).alias(name) for name in later)
        for condition in self.wanted.conditions:
            frame = frame.filter(condition)
        if not self.is_everything and self.wanted.expr is not None:
            frame = frame.filter(compile_query(self.wanted.expr, columns))
        return frame.select(value.alias(name) for name, field in outputs.items() if (value := field_column(field, columns)) is not None)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        where = f"hot tier {self.tier.uri}: {EVENTS}"
        try:
            yield
        except FileNotFoundError as error:
            raise TierError(f"{where}: a file is gone; if it was removed while the search ran, search again: {error}") from error
        except (OSError, pl.exceptions.PolarsError) as error:
            raise TierError(f"{where}: it can't be read: {error}") from error
