"""What `rekindle delete`, `restore`, `tier` and `compact` say beside doing it: warnings, holds, what is asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.maintenance import delete as deletion
from tests.pipelines.conftest import Ended
from tests.pipelines.reading import everything_in, made_deletion
from transforms.hot_tier.maintenance.vacuum.removal import Removal
from transforms.storage import StorageOptions, TierStore, open_tier

Rekindle = Callable[..., Ended]


@pytest.fixture
def store(tmp_path: Path) -> TierStore:
    return open_tier(str(tmp_path / "hot"), StorageOptions())


@pytest.fixture
def flags(tmp_path: Path, store: TierStore) -> tuple[object, ...]:
    """A tier with events for the rules, and the flags of a deletion."""
    return made_deletion(store, tmp_path)


@pytest.mark.parametrize(
    ("more", "in_report", "warned"),
    [(("--json",), True, True), (("--json", "--quiet"), True, False), ((), False, True), (("--quiet",), False, True)],
    ids=["json", "quiet json", "text", "quiet text"],
)
def test_warnings_of_the_removal(
    flags: tuple[object, ...],
    rekindle: Rekindle,
    monkeypatch: pytest.MonkeyPatch,
    more: tuple[str, ...],
    in_report: bool,
    warned: bool,
) -> None:
    monkeypatch.setattr(deletion, "remove_old_files", lambda *_, **__: Removal(2, 3, "run", ("the checkpoint failed",)))
    done = rekindle(*flags, "--execute", *more)
    assert done.code == 0, done.err
    assert ("Warning: the checkpoint failed" in done.err) is warned
    if in_report:
        assert (done.json["warnings"], done.json["removed"]) == (["the checkpoint failed"], {"files": 2, "bytes": 3})


def test_files_are_announced_once_and_cut_offs_are_whole_seconds(
    tmp_path: Path, store: TierStore, rekindle: Rekindle
) -> None:
    flags = made_deletion(store, tmp_path)
    (tmp_path / "most.yaml").write_text("rules: [{name: most, retention: 1h, when: 'NOT service=web'}]")
    done = rekindle("delete", "--rules", tmp_path / "most.yaml", *flags[3:5], "--execute", "--yes")
    assert done.code == 0, done.err
    assert done.err.count("Looking into") == 1
    (row,) = [line for line in done.out.splitlines() if line.startswith("most")]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row.split()[1])


HOLDS = """
rules:
  - {name: old, retention: 10d}
  - {name: mistyped, retention: 1d, when: service=bd}
holds:
  - {name: mistyped, when: user=aan}
  - {name: by two, when: user=ann}
  - {name: not yet, when: nowhere=y}
  - {name: web, when: service=web}
tiers:
  - {name: cold, retention: 10d}
"""


def test_what_each_hold_keeps(flags: tuple[object, ...], tmp_path: Path, rekindle: Rekindle) -> None:
    """The log can tell that no value of a column lies where it should; of the map it knows nothing."""
    (tmp_path / "rules.yaml").write_text(HOLDS)
    holds = [
        {"name": "mistyped", "events": 0},
        {"name": "by two", "events": 1},
        {"name": "not yet", "events": 0},
        {"name": "web", "events": 4},
    ]
    warnings = [f"{what} mistyped: no event of the tier meets its condition" for what in ("rule", "hold")]
    moved = rekindle("tier", *flags[1:], "--json").json
    assert (moved["held"], moved["holds"], moved["warnings"]) == (5, holds, warnings[1:])
    dry = rekindle(*flags)
    assert [line.split() for line in dry.out.splitlines() if line.startswith(("by two", "web", "Hold"))] == [
        ["Hold", "Keeps"], ["by", "two", "1"], ["web", "4"],
    ]  # fmt: skip
    assert "holds keep 5" in dry.out
    assert dry.err.splitlines()[1:3] == [f"Warning: {warning}" for warning in warnings]
    done = rekindle(*flags, "--execute", "--json").json
    assert (done["events"], done["held"], done["holds"], done["warnings"]) == (3, 5, holds, warnings)


def test_too_little_disk_for_a_restore(
    flags: tuple[object, ...], store: TierStore, rekindle: Rekindle, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted = rekindle(*flags, "--execute", "--json").json
    command = ("restore", "--run", deleted["runId"], "--hot-tier", store.uri, "--json")
    monkeypatch.setattr(type(store), "free_bytes", lambda _: deleted["bytes"] - 1)
    before = everything_in(store)
    refused = rekindle(*command, "--execute")
    assert (refused.code, "would come back, and its disk has" in refused.err) == (1, True), refused.err
    assert everything_in(store) == before
    assert rekindle(*command).json["events"] == deleted["events"], "a dry run writes nothing"
    monkeypatch.setattr(type(store), "free_bytes", lambda _: deleted["bytes"])
    assert rekindle(*command, "--execute").json["events"] == deleted["events"]
