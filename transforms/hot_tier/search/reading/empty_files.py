"""Small files in which nothing matches, found many at once, so that they need not be opened one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from transforms.hot_tier.data.small_files import GROUP_FILES, SmallFiles, read_small_files
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.table.snapshot import LiveFile
from transforms.query.compiler import columns_read, compile_query
from transforms.query.syntax import Everything, Expr
from transforms.storage import TierStore

_FIRST_FILES = 8
"""So many files are opened one by one before: the newest events of a common query lie in the first of them."""
_FIRST_GROUP = 8


@dataclass
class EmptyFileFinder:
    """Finds files without a match, where there are any: it stops looking for a while where most files have one.

    Attributes:
        tier: The hot tier.
        request: The request; its range of time is not looked at.
    """

    tier: TierStore
    request: SearchRequest
    _opened: int = field(default=0, init=False)
    _wait: int = field(default_factory=lambda: _FIRST_FILES, init=False)
    _size: int = field(default=_FIRST_GROUP, init=False)

    @property
    def group_size(self) -> int:
        """How many files to look into together now; none where they are better opened one by one."""
        if self.request.expr is None or isinstance(self.request.expr, Everything) or self._opened < self._wait:
            return 0
        return self._size

    def count_opened(self) -> None:
        """Note that a file was opened by itself."""
        self._opened += 1

    def matching(self, files: Sequence[LiveFile]) -> list[bool]:
        """Return which of some small files may have an event that matches the query, at whatever time.

        All of them where one can't be read: whoever opens it reports that.

        Raises:
            TierError: the store fails.
        """
        expr = self.request.expr or Everything()
        found = np.zeros(len(files), np.bool_)
        try:
            for some in read_small_files(self.tier, files, lambda names: sorted(columns_read(expr, names))):
                found[some.file_of_row[_matches(some, expr)]] = True
        except (OSError, pa.ArrowException, pl.exceptions.PolarsError):
            found[:] = True
        self._size = min(2 * self._size, GROUP_FILES)
        self._opened, self._wait = 0, (GROUP_FILES if 2 * int(found.sum()) > len(files) else 0)
        return [bool(one) for one in found]


def _matches(some: SmallFiles, expr: Expr) -> npt.NDArray[np.bool_]:
    frame = pl.DataFrame(pl.from_arrow(some.table))
    condition = compile_query(expr, frame.columns, {}, nulls_are_false=True)
    met = frame.select(condition.alias("met").fill_null(value=False)).to_series()
    return np.full(frame.height, bool(met[0])) if len(met) < frame.height else met.to_numpy()
