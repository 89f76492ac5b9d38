"""All that a server asks, in a folder and on S3 alike."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from tests.transforms.hot_tier.tiers import Tier, event
from transforms.hot_tier.search.aggregates.fields import list_fields
from transforms.hot_tier.search.aggregates.overview import OverviewRequest, overview
from transforms.hot_tier.search.aggregates.patterns import message_patterns
from transforms.hot_tier.search.aggregates.usage import usage
from transforms.hot_tier.search.export import ExportForm, export_events
from transforms.hot_tier.search.paging.pages import read_page
from transforms.hot_tier.search.paging.surroundings import surroundings
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.serving.snapshots import Snapshots
from transforms.query import parse
from transforms.query.syntax import Field
from transforms.storage import TierStore

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)


def test_on_s3_as_in_a_folder(empty_store: TierStore) -> None:
    events = [event(DAY + timedelta(hours=n), f"took {n} ms", host=f"h{n % 2}", own=str(n)) for n in range(30)]
    Tier(empty_store).add(events, [event(DAY, "started", source="a")])
    snapshot = Snapshots(empty_store).newest()
    request = SearchRequest(parse("host=h1"))
    page = read_page(snapshot, request, limit=2, cursor=read_page(snapshot, request, limit=10).next)
    assert page.events["_message"].to_list() == ["took 9 ms", "took 7 ms"]
    around = surroundings(snapshot, page.events["_event_id"][0], page.events["_time"][0], before=1, after=1)
    assert around is not None
    assert [frame["_message"].to_list() for frame in (around.before, around.after)] == [["took 8 ms"], ["took 10 ms"]]
    found = overview(snapshot, OverviewRequest(search=SearchRequest(), facets=(Field("host"), Field("own"))))
    assert (found.count, found.facets[0].values, found.facets[1].distinct) == (31, (("h0", 15), ("h1", 15)), 30)
    counts = {one.field.name: one.events for one in list_fields(snapshot, SearchRequest()).fields}
    assert counts == {"host": 30, "own": 30, "source": 1}
    assert [one.shape for one in message_patterns(snapshot, SearchRequest()).patterns] == ["took * ms", "started"]
    assert {row.value: row.events for row in usage(snapshot, "source").rows} == {None: 30, "a": 1}
    exported = b"".join(export_events(snapshot, request, ExportForm.NDJSON))
    assert exported.count(b"\n") == 15
