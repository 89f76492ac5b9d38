"""The files that a search request needs, by the log alone, and attributes that no event has.

Without Polars, which takes 0.1 s to import.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches

from transforms.core.errors import TierError
from transforms.core.names import ATTRIBUTES_COLUMN, BASE_ATTRIBUTES
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.live_files import as_snapshot, files_for
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.query.bounds import TimeBounds
from transforms.query.instants import microseconds
from transforms.query.syntax import Everything, Field, member_paths
from transforms.storage import TierStore

_MOST_FILES = 200
"""Of more files the maps are not looked through: that would take longer than the search did."""
_NEAREST, _LIKENESS = 3, 0.7


@dataclass(frozen=True)
class Selection:
    """The files that may hold matching events."""

    snapshot: Snapshot
    request: SearchRequest
    files: Sequence[LiveFile]

    @classmethod
    def of(cls, events: TierStore | Snapshot, request: SearchRequest) -> Selection:
        """Leave out the files that can't hold matching events; of a tier, its newest version is opened."""
        snapshot = as_snapshot(events)
        return cls(snapshot, request, files_for(snapshot, request.expr, request.bounds, request.tier_name))

    @property
    def tier(self) -> TierStore:
        """The hot tier."""
        return self.snapshot.tier

    @property
    def promoted(self) -> Sequence[str]:
        """The attributes that have a column of their own in that version."""
        return self.snapshot.columns

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

    def only(self, files: Sequence[LiveFile]) -> Selection:
        """Return the selection of some of the files."""
        return replace(self, files=files)

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


def unknown_attributes(events: TierStore | Snapshot, named: Iterable[Field]) -> dict[str, list[str]]:
    """Return those of some attributes that no event has, each with up to three names of attributes that are like it.

    Args:
        events: The hot tier, or a version of its table.
        named: Fields of a query; system attributes are left out, and dotted names whose JSON may have the member.

    Raises:
        TierError: the table can't be read.
    """
    names = [field.name for field in named if not field.system and field.name not in BASE_ATTRIBUTES]
    if not names:
        return {}
    snapshot = as_snapshot(events)
    columns = {*BASE_ATTRIBUTES, *_filled_columns(snapshot)}
    asked = [name for name in names if not _is_there(name, columns)]
    if not asked or len(snapshot.files) > _MOST_FILES:
        return {}
    known = columns.union(*(_names_in_map(snapshot.tier, path) for path in snapshot.files))
    by_folded = {name.casefold(): name for name in sorted(known)}
    return {
        name: [by_folded[near] for near in get_close_matches(name.casefold(), by_folded, n=_NEAREST, cutoff=_LIKENESS)]
        for name in dict.fromkeys(asked)
        if not _is_there(name, known)
    }


def _is_there(name: str, known: set[str]) -> bool:
    return name in known or any(prefix in known for prefix, _ in member_paths(name))


def _filled_columns(snapshot: Snapshot) -> Iterator[str]:
    """Yield the promoted attributes that an event may have, by the log."""
    for name in snapshot.columns:
        bounds = snapshot.text_bounds(name)
        if any(bounds[path][0] != file.rows for path, file in snapshot.files.items()):
            yield name


def _names_in_map(tier: TierStore, path: str) -> set[str]:
    """Return the names in the map of a file; none where it can't be read: the search has reported that."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    names: set[str] = set()
    try:
        with tier.open_input(f"{EVENTS}/{path}") as source:
            parquet = pq.ParquetFile(source)
            if ATTRIBUTES_COLUMN in parquet.schema_arrow.names:
                for batch in parquet.iter_batches(columns=[ATTRIBUTES_COLUMN]):
                    names.update(pc.unique(batch.column(0).keys).to_pylist())
    except (OSError, pa.ArrowException):
        return names
    return names
