"""`rekindle tier`: events move to the cold tier by rules, and stay one table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.pipelines.conftest import Ended
from tests.pipelines.reading import GONE, NOW, ROWS, RULES, audit_rows, everything_in, made_tier, read_live
from transforms.storage import StorageOptions, TierStore, open_tier

Rekindle = Callable[..., Ended]
COLD = {
    "db 40",
    "web 40",
    "web 40.01",
    "db 20",
    "web 20.001",
    "db 20.1",
    "web 20.2",
    "db 3",
    *(f"web {6 + n / 100}" for n in range(8)),
}
"""The messages of the events that the rules move: of all but those that a hold keeps."""


@pytest.fixture
def store(tmp_path: Path) -> TierStore:
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    return store


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def messages(store: TierStore, tier: str) -> set[str]:
    return {dict(row)["_message"] for row in read_live(store).rows(tier)}


def test_events_move_in_one_commit(store: TierStore, rules: Path, rekindle: Rekindle) -> None:
    flags = ("tier", "--rules", rules, "--hot-tier", store.uri, "--now", NOW.isoformat(), "--json")
    before, files = read_live(store), everything_in(store)
    dry = rekindle(*flags)
    assert (dry.code, dry.json["executed"], dry.json["versionAfter"]) == (0, False, None)
    assert everything_in(store) == files
    done = rekindle(*flags, "--execute")
    assert done.code == 0, done.err
    assert [(rule["name"], rule["events"]) for rule in done.json["rules"]] == [("cold at once", 4), ("cold", 12)]
    assert (done.json["events"], done.json["held"]) == (16, 1)
    after = read_live(store)
    assert (after.version, after.rows()) == (before.version + 1, before.rows())
    assert messages(store, "cold") == COLD
    assert not messages(store, "hot") & COLD
    assert {(row["kind"], row["rule"], row["events"]) for row in audit_rows(store)} >= {
        ("tier", "cold", 12),
        ("tier", "cold at once", 4),
    }
    again = rekindle(*flags, "--execute").json
    assert (again["events"], again["versionAfter"]) == (0, after.version)


def test_searches_see_the_tiers_they_ask_for(store: TierStore, rules: Path, rekindle: Rekindle) -> None:
    assert rekindle("tier", "--rules", rules, "--hot-tier", store.uri, "--now", NOW.isoformat(), "--execute").code == 0
    found = {
        tier: {
            row["_message"] for row in rekindle("search", "", "--tier", tier, "--hot-tier", store.uri, "--json").rows
        }
        for tier in ("hot", "cold", "all")
    }
    assert found["cold"] == COLD
    assert found["hot"] | COLD == found["all"]
    assert not found["hot"] & COLD
    assert rekindle("search", "", "--hot-tier", store.uri, "--count", "--json").json == {"count": ROWS}


def test_deletion_holds_in_both_tiers(store: TierStore, rules: Path, rekindle: Rekindle) -> None:
    flags = ("--rules", rules, "--hot-tier", store.uri, "--now", NOW.isoformat(), "--execute", "--json")
    everything = messages(store, "hot")
    assert rekindle("tier", *flags).code == 0
    done = rekindle("delete", *flags, "--yes")
    assert (done.code, done.json["events"]) == (0, len(GONE))
    assert messages(store, "cold") == COLD - GONE
    assert messages(store, "cold") | messages(store, "hot") == everything - GONE


def test_cold_files_are_compressed_more_strongly(
    store: TierStore, rules: Path, rekindle: Rekindle, tmp_path: Path
) -> None:
    assert rekindle("tier", "--rules", rules, "--hot-tier", store.uri, "--now", NOW.isoformat(), "--execute").code == 0
    cold = [path for path in read_live(store).files if path.startswith("tier=cold")]
    metadata = pq.read_metadata(tmp_path / "hot" / "events" / cold[0])
    assert metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_removed_event_is_in_no_file_of_the_store(store: TierStore, rules: Path, rekindle: Rekindle) -> None:
    """After a compaction, a move and a deletion, once the grace is over: all that lies in the store is read."""
    flags = ("--rules", rules, "--hot-tier", store.uri, "--now", NOW.isoformat(), "--execute")
    assert rekindle("compact", "--hot-tier", store.uri).code == 0
    assert rekindle("tier", *flags).code == 0
    assert rekindle("delete", *flags, "--grace", "0", "--yes").code == 0
    left = [file.path for file in store.list("events/tier=")]
    assert left
    stored = {message for path in left for message in pq.read_table(tmp(store) / path)["_message"].to_pylist()}
    assert not stored & GONE
    assert len(stored) == ROWS - len(GONE)


def tmp(store: TierStore) -> Path:
    assert store.local_path is not None
    return store.local_path
