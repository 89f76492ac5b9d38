"""How many events lie in each span of time, by the files' footers; times are read only of row groups that lie in two
spans.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.core import schema
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.search.spans import TimeBuckets
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.live_files import file_uri
from transforms.query.bounds import TimeBounds
from transforms.storage import TierStore

_TIME = "_time"


def count_times(selection: Selection, spans: TimeBuckets) -> Counter[int]:
    """Return how many events of the files lie in each span and in the range that is wanted, whatever else is wanted.

    Raises:
        TierError: a file can't be read.
    """
    counts: Counter[int] = Counter()
    for file in selection.files:
        with selection.errors(pa.ArrowException):
            counts.update(_count_in_file(selection.tier, file.path, spans, selection.wanted.bounds))
    return counts


def _count_in_file(tier: TierStore, path: str, spans: TimeBuckets, bounds: TimeBounds) -> Counter[int]:
    counts: Counter[int] = Counter()
    source = file_uri(tier, path) if tier.local_path is not None else tier.open_input(f"{EVENTS}/{path}")
    with pq.ParquetFile(source) as file:
        unsure = []
        position = file.metadata.schema.names.index(_TIME)
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            known = group.column(position).statistics
            if known is None or not known.has_min_max or file.schema_arrow.field(_TIME).type != schema.TIME:
                unsure.append(number)
                continue
            oldest, newest = int(known.min_raw), int(known.max_raw)
            if bounds.holds(oldest, newest) and spans.number(oldest) == spans.number(newest):
                counts[spans.number(oldest)] += group.num_rows
            elif bounds.overlaps(oldest, newest):
                unsure.append(number)
        for number in unsure:
            counts.update(_count_in_row_group(file.read_row_group(number, columns=[_TIME])[_TIME], spans, bounds))
    return counts


def _count_in_row_group(column: pa.ChunkedArray, spans: TimeBuckets, bounds: TimeBounds) -> dict[int, int]:
    column = column if column.type == schema.TIME else column.cast(schema.TIME)
    # pyarrow's own to_numpy() would import pandas, wherever it is installed: 0.3 s
    times = np.concatenate([np.from_dlpack(chunk.view(pa.int64())) for chunk in column.chunks])
    if bounds.low is not None:
        times = times[times >= bounds.low]
    if bounds.high is not None:
        times = times[times < bounds.high]
    numbers, counts = np.unique((times - spans.origin) // spans.width, return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))
