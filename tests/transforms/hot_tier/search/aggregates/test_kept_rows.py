"""Rows that a scan keeps: later ranges, fields and queries find by them what they find without."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.transforms.hot_tier.tiers import Tier, event
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.aggregates.scan import RowsOfFile, event_file
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query import parse
from transforms.query.instants import parse_time
from transforms.query.syntax import Field
from transforms.storage import StorageOptions, open_tier

BEGIN = parse_time("2025-01-01")
QUERIES = ["failed", " failed", "NOT failed", "failed NOT n=7", "CASE(Failed)", "nothing", "n=*3 OR failed"]
NAMED = {"n": Field("n"), "time": Field("_time", system=True), "absent": Field("absent")}
RANGES = [(None, None), (100, None), (None, 150), (33, 167), (0, 200)]


@pytest.mark.parametrize("promoted", [[], ["n"]])
def test_kept_rows_are_those_of_each_query_and_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promoted: list[str]
) -> None:
    monkeypatch.setattr("transforms.hot_tier.data.data_file.ROW_GROUP_ROWS", 40)
    texts = ["login failed", "GET /", "Failed"]
    events = [event(BEGIN + timedelta(seconds=at), texts[at * at % 3], n=str(at % 50)) for at in range(200)]
    tier = open_tier(str(tmp_path / "hot"), StorageOptions())
    Tier(tier).add(events, promote=promoted)
    snapshot, cache, groups = Snapshot.load(tier), FileCache(), set()
    for start, end in RANGES * 2:
        first, last = (None if at is None else BEGIN + timedelta(seconds=at) for at in (start, end))
        for query in QUERIES:
            selection = Selection.of(snapshot, SearchRequest(parse(query), first, last))
            for live in selection.files:
                keeping, plain = event_file(selection, live), event_file(selection, live)
                keeping.set_kept_rows(RowsOfFile(cache, live.path, repr(selection.request.expr)))
                for group in plain.row_groups(selection.request):
                    groups.add(group.number)
                    found = keeping.values(group, selection.request, NAMED)
                    assert found.equals(plain.values(group, selection.request, NAMED))
    assert len(groups) == 5
    assert cache.bytes > 0
