"""The files that a search request needs, by the log alone; without Polars, which takes 0.1 s to import."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from transforms.core.errors import TierError
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.live_files import files_for, load_events
from transforms.hot_tier.table.snapshot import LiveFile
from transforms.query.bounds import TimeBounds
from transforms.query.instants import microseconds
from transforms.query.syntax import Everything
from transforms.storage import TierStore


@dataclass(frozen=True)
class Selection:
    """The files that may hold matching events."""

    tier: TierStore
    request: SearchRequest
    files: Sequence[LiveFile]
    promoted: Sequence[str]

    @classmethod
    def of(cls, tier: TierStore, request: SearchRequest) -> Selection:
        """Open the table and leave out the files that can't hold matching events."""
        snapshot = load_events(tier)
        return cls(
            tier, request, files_for(snapshot, request.expr, request.bounds, request.tier_name), snapshot.columns
        )

    @property
    def is_everything(self) -> bool:
        """Whether the request restricts nothing but the time."""
        return self.request.expr is None or isinstance(self.request.expr, Everything)

    def times(self) -> tuple[int, int] | None:
        """Return the requested range of time, where it is open the files', or None without files.

        Returns:
            Microseconds since 1970 UTC, both ends inclusive.
        """
        if not self.files:
            return None
        request, bounds = self.request, self.request.bounds
        first, last = min(file.min_time for file in self.files), max(file.max_time for file in self.files)
        first = first if bounds.low is None else max(first, bounds.low)
        last = last if bounds.high is None else min(last, bounds.high - 1)
        return (
            first if request.start is None else microseconds(request.start),
            last if request.end is None else microseconds(request.end) - 1,
        )

    def without(self, files: Collection[LiveFile]) -> Selection:
        """Return the selection of all other files."""
        done = {file.path for file in files}
        return replace(self, files=[file for file in self.files if file.path not in done])

    def lies_whole_in(self, file: LiveFile, bounds: TimeBounds) -> bool:
        """Whether the log proves that all events of a file lie in a range; another writer's bounds are too coarse."""
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
                f"{where}: a file is gone. If it was removed during the search, search again: {error}"
            ) from error
        except expected as error:
            raise TierError(f"{where} can't be read: {error}") from error
