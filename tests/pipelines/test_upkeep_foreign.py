"""Rows that another program has appended to the table: rules hold for them too, wherever it keeps attributes, sorted or not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pytest

from tests.pipelines.conftest import Ended
from tests.pipelines.reading import DAY, NOW, made_tier, read_live
from transforms.storage import StorageOptions, TierStore, open_tier

Rekindle = Callable[..., Ended]
RULES = """
rules: [{name: some, retention: 1d, when: service=db OR more=x}, {name: all, retention: 90d}]
tiers: [{name: cold, retention: 1d, when: service=web}]
"""


def append(store: TierStore, **columns: list[Any]) -> None:
    """Append rows by deltalake's own writer."""
    rows = len(columns["_time"])
    filled = {"tier": ["hot"] * rows, "date": [time.date() for time in columns["_time"]], **columns}
    types = {"attributes": pa.map_(pa.string(), pa.string()), "date": pa.date32()}
    table = pa.table({name: pa.array(values, types[name]) if name in types else pa.array(values) for name, values in filled.items()})
    deltalake.write_deltalake(store.table_uri("events"), table, mode="append", schema_mode="merge")


@pytest.mark.parametrize("with_objects", [True, False], ids=["objects", "no objects"])
def test_rows_of_deltalake(tmp_path: Path, rekindle: Rekindle, with_objects: bool) -> None:
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    times = [NOW - 10 * DAY + timedelta(hours=hour) for hour in (9, 3, 7, 5, 1)]
    append(
        store,
        _time=times,
        _message=[f"foreign {number}" for number in range(5)],
        _event_id=[f"f{number}" for number in range(5)],
        service=["db", None, "web", "web", "db"],
        attributes=[None, [("service", "db"), ("more", "y")], [("more", "x")], [("more", "z")], []],
        **({"_object": ["s3://foreign/a"] * 5} if with_objects else {}),
    )
    flags = ("--rules", rules, "--hot-tier", store.uri, "--now", NOW.isoformat(), "--execute", "--yes", "--json")
    deleted = rekindle("delete", *flags)
    assert deleted.code == 0, deleted.err
    left = {row["_message"]: row for row in map(dict, read_live(store).rows()) if row["_message"].startswith("foreign")}
    assert left.keys() == {"foreign 3"}
    assert (left["foreign 3"]["service"], left["foreign 3"]["more"]) == ("web", "z")
    assert rekindle("delete", *flags).json["events"] == 0
    moved = rekindle("tier", *flags)
    assert moved.code == 0, moved.err
    assert "foreign 3" in {dict(row)["_message"] for row in read_live(store).rows("cold")}
    back = rekindle("restore", "--run", deleted.json["runId"], "--hot-tier", store.uri, "--execute", "--json")
    assert back.code == 0, back.err
    messages = [dict(row)["_message"] for row in read_live(store).rows()]
    assert sorted(message for message in messages if message.startswith("foreign")) == [f"foreign {number}" for number in range(5)]
    assert rekindle("search", "foreign", "--hot-tier", store.uri, "--count", "--json").json == {"count": 5}
