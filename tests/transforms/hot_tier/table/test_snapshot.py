"""Names of live files as the log has them, and as deltalake's actions write them."""

from __future__ import annotations

import json
from pathlib import Path

import deltalake
import pyarrow as pa
from deltalake.transaction import AddAction

from transforms.hot_tier.table.log_entries import encoded_path


def test_how_deltalake_encodes_paths(tmp_path: Path) -> None:
    """A file is taken out of the table only if the log has the form that deltalake gives its name."""
    names = [f"a{chr(code)}b" for code in range(32, 127)] + [
        "ü",
        "a%20b",
        "日本",
        "tier=hot/date=2025-01-01/part-1.parquet",
    ]
    deltalake.write_deltalake(tmp_path, pa.table({"a": [1]}))
    table = deltalake.DeltaTable(tmp_path)
    table.create_write_transaction(
        [AddAction(name, 1, {}, 0, True, "{}") for name in names], "append", table.schema(), []
    )
    entry = (tmp_path / "_delta_log" / f"{1:020}.json").read_text()
    written = [action["add"]["path"] for action in map(json.loads, entry.splitlines()) if "add" in action]
    assert written == [encoded_path(name) for name in names]
