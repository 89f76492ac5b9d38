"""`http.status` in every engine: an attribute of that name, in a column or the map, else the member of JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.transforms.hot_tier.tiers import Tier, event
from transforms.hot_tier.search.counts import count
from transforms.hot_tier.search.events import Search, search
from transforms.hot_tier.search.export import event_tables
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.rows import row_field
from transforms.hot_tier.search.top import top
from transforms.query import parse
from transforms.query.instants import parse_time
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.rules_file import load_rules
from transforms.storage import TierStore

DAY = parse_time("2026-01-01")
PROMOTED = [["http.status"], ["http"], ["http.status", "http"], []]


def made(store: TierStore, promoted: list[str]) -> Tier:
    """Two files: none or all of the events of the first have an attribute `http.status`."""

    def at(minutes: int, name: str, **attributes: str) -> Any:
        return event(DAY + timedelta(minutes=minutes), name, **attributes)

    tier = Tier(store).add(
        [at(1, "member", http='{"status":503}'), at(2, "other", http='{"status":200}'), at(3, "none", http="x")],
        promote=promoted,
    )
    return tier.add(
        [at(4, "own", **{"http.status": "503"}), at(5, "first", http='{"status":503}', **{"http.status": "404"})],
    )


@pytest.mark.parametrize("promoted", PROMOTED, ids=",".join)
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("http.status=503", ["own", "member"]),
        ("http.status>=400", ["first", "own", "member"]),
        ("http.status=*", ["first", "own", "other", "member"]),
        ("NOT http.status=*", ["none"]),
        ("http.status IN (200, 404)", ["first", "other"]),
        ("http.code=503", []),
    ],
)
def test_all_find_the_same(local_tier: TierStore, promoted: list[str], query: str, found: list[str]) -> None:
    tier = made(local_tier, promoted).store
    assert [row["_message"] for row in search(tier, parse(query))] == found
    assert count(tier, SearchRequest(parse(query))) == len(found)
    rules = load_rules(f"rules: [{{name: r, retention: 1d, when: '{query}'}}]", source="r")
    compiled = CompiledRules.of(rules, DAY + timedelta(days=9))
    files = [file._lazy.collect().to_arrow() for file in Search.begin(tier, SearchRequest()).files]  # noqa: SLF001
    assert sum(number for table in files for _, number in compiled.count(table)) == len(found)


@pytest.mark.parametrize("promoted", PROMOTED, ids=",".join)
def test_values_are_shown(local_tier: TierStore, promoted: list[str]) -> None:
    tier = made(local_tier, promoted).store
    field = row_field("http.status")
    assert top(tier, SearchRequest(), field) == [("503", 2), ("200", 1), ("404", 1)]
    rows = search(tier, None, fields=["_message", "http.status"])
    assert [row.get("http.status") for row in rows] == ["404", "503", None, "200", "503"]
    asked = Search.begin(tier, SearchRequest(fields=(field,)))
    tables = event_tables(asked.frames(), asked.promoted, (field,))
    assert [value for table in tables for value in table["http.status"]] == ["404", "503", None, "200", "503"]
