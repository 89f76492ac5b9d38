"""The files that a question about the table needs, by the log alone; without Polars, which takes 0.1 s to import."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from transforms.core.errors import TierError
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_names import layout_of
from transforms.hot_tier.table.live_files import files_for, load_events
from transforms.hot_tier.table.snapshot import LiveFile
from transforms.query.bounds import TimeBounds
from transforms.query.instants import microseconds
from transforms.query.syntax import Everything
from transforms.storage import TierStore


@dataclass(frozen=True)
class Selection:
    """The files that may hold what is wanted."""

    tier: TierStore
    wanted: SearchRequest
    files: Sequence[LiveFile]
    promoted: Sequence[str]

    @classmethod
    def of(cls, tier: TierStore, wanted: SearchRequest) -> Selection:
        """Open the table and leave out the files that can't hold any."""
        snapshot = load_events(tier)
        return cls(tier, wanted, files_for(snapshot, wanted.expr, wanted.bounds, wanted.tier_name), snapshot.columns)

    @property
    def is_everything(self) -> bool:
        """Whether nothing but the time is asked for."""
        return self.wanted.expr is None or isinstance(self.wanted.expr, Everything)

    def times(self) -> tuple[int, int] | None:
        """Return the range of time that is asked for, in microseconds, both ends inclusive; where it is open, that of
        the files.

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

    def without(self, files: Collection[LiveFile]) -> Selection:
        """Return the selection of all other files."""
        done = {file.path for file in files}
        return replace(self, files=[file for file in self.files if file.path not in done])

    def lies_whole_in(self, file: LiveFile, bounds: TimeBounds) -> bool:
        """Whether the log proves that all events of a file lie in a range; another writer's bounds are too coarse for
        that.
        """
        return layout_of(file.path) > 0 and bounds.holds(file.min_time, file.max_time)

    @contextmanager
    def errors(self, *kinds: type[Exception]) -> Iterator[None]:
        """Turn what reading files raises into a TierError."""
        expected: tuple[type[Exception], ...] = (OSError, *kinds)
        where = f"hot tier {self.tier.uri}: {EVENTS}"
        try:
            yield
        except FileNotFoundError as error:
            raise TierError(
                f"{where}: a file is gone; if it was removed while the search ran, search again: {error}"
            ) from error
        except expected as error:
            raise TierError(f"{where}: it can't be read: {error}") from error
