"""Old entries and checkpoints of the log go, and what is left is readable."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from tests.transforms.hot_tier.samples import expected_ids, ids, publish
from transforms.hot_tier.table import commit as commits
from transforms.hot_tier.table import log_entries
from transforms.hot_tier.table.log_entries import LOG, LogFile, clean_log, removable
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierFile, TierStore

NOW = datetime(2025, 1, 10, tzinfo=timezone.utc)


def log_file(version: int, kind: str, days: float) -> LogFile:
    path = f"events/_delta_log/{version:020d}.{kind}"
    return LogFile(version, kind, TierFile(path, 1, NOW - timedelta(days=days)))


def log(last: int, *, days: float, interval: int = 10) -> list[LogFile]:
    """Return a log whose last file is of now, and all others older by so many days."""
    entries = [log_file(version, "json", days) for version in range(last)]
    checkpoints = [log_file(version, "checkpoint.parquet", days) for version in range(interval, last, interval)]
    return [*entries, *checkpoints, log_file(last, "json", 0)]


def left(last: int, *, days: float) -> tuple[list[int], list[int]]:
    """Return the versions of the entries and of the checkpoints that are left."""
    files = log(last, days=days)
    gone = {file.path for file in removable(files)}
    kept = [one for one in files if one.file.path not in gone]
    return tuple(sorted(one.version for one in kept if one.kind == kind) for kind in ("json", "checkpoint.parquet"))  # type: ignore[return-value]


def test_young_files_stay() -> None:
    assert removable(log(5000, days=0.04)) == []
    assert removable([]) == []


@pytest.mark.parametrize(
    ("last", "first_entry", "checkpoints"),
    [
        (5, 0, []),
        (15, 0, [10]),
        (95, 0, [50, 80, 90]),
        (205, 100, [100, 150, 190, 200]),
        (995, 890, [890, 900, 950, 980, 990]),
        (9995, 9890, [9890, 9900, 9950, 9980, 9990]),
    ],
)
def test_what_stays(last: int, first_entry: int, checkpoints: list[int]) -> None:
    entries, kept = left(last, days=2)
    assert entries == list(range(first_entry, last + 1))
    assert kept == sorted(checkpoints)


def test_other_files_stay(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_entries, "KEPT_FOR", timedelta(0))
    publish(local_tier, ["a"], rows=1)
    names = ["_last_checkpoint", "00000000000000000000.00000000000000000001.compacted.json", "notes.txt"]
    for name in names:
        local_tier.put(f"events/_delta_log/{name}", b"{}")
    assert clean_log(local_tier) == 0


def test_table_is_the_same_after_it(tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("KEPT_FOR", timedelta(0)), ("KEPT_VERSIONS", 4), ("CLEANUP_INTERVAL", 4)):
        monkeypatch.setattr(log_entries, name, value)
    monkeypatch.setattr(commits, "CHECKPOINT_INTERVAL", 2)
    keys = [f"k{number}" for number in range(12)]
    for number, key in enumerate(keys):
        assert publish(tier, [key], wave=number, rows=1).warnings == ()

    last = Snapshot.load(tier).version
    assert ids(tier) == expected_ids(keys, rows=1)
    assert len(list(tier.list("events/_delta_log/"))) < last
    for version in range(last - 4, last + 1):
        table = DeltaTable(tier.table_uri("events"), version=version, storage_options=tier.delta_options())
        assert len(table.file_uris()) == len(keys) - (last - version)


class KilledError(BaseException):
    """The process ends here."""


def names_of_log(tier: TierStore) -> list[str]:
    return sorted(file.path for file in tier.list(LOG) if not file.path.endswith("_last_checkpoint"))


def check_newest(tier: TierStore, versions: int) -> None:
    """Check that the newest versions can be read, each with one object more than the one before it."""
    last = Snapshot.load(tier).version
    for version in range(last - versions, last + 1):
        table = DeltaTable(tier.table_uri("events"), version=version, storage_options=tier.delta_options())
        assert len(table.file_uris()) == version


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_each_removal(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    monkeypatch.setattr(commits, "CHECKPOINT_INTERVAL", 2)
    for number in range(9):
        publish(local_tier, [f"k{number}"], wave=number, rows=1)
    for name, value in (("KEPT_FOR", timedelta(0)), ("KEPT_VERSIONS", 3), ("CLEANUP_INTERVAL", 4), ("_DELETERS", 1)):
        monkeypatch.setattr(log_entries, name, value)
    whole = {path: local_tier.get(path) for path in names_of_log(local_tier)}
    original = type(local_tier).delete
    clean_log(local_tier)
    cleaned = names_of_log(local_tier)
    gone = sorted(whole.keys() - cleaned)
    assert {path.partition(".")[2] for path in gone} == {"json", "checkpoint.parquet"}

    for killed_at in gone:
        for path, data in whole.items():
            local_tier.put(path, data)

        def delete(self: TierStore, path: str, *, killed_at: str = killed_at) -> None:
            if path != killed_at or moment == "after":
                original(self, path)
            if path == killed_at:
                raise KilledError

        with monkeypatch.context() as patched:
            patched.setattr(type(local_tier), "delete", delete)
            with pytest.raises(KilledError):
                clean_log(local_tier)
        check_newest(local_tier, 3)
        assert clean_log(local_tier) >= (moment == "before")
        assert names_of_log(local_tier) == cleaned
        check_newest(local_tier, 3)


def test_what_was_asked_for_is_known_when_the_log_is_cleaned(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run plans for hours on one snapshot."""
    publish(local_tier, ["a"], rows=1)
    snapshot = Snapshot.load(local_tier)
    known = snapshot.transaction_version("ledger")
    for name, value in (("KEPT_FOR", timedelta(0)), ("KEPT_VERSIONS", 1), ("CLEANUP_INTERVAL", 2)):
        monkeypatch.setattr(log_entries, name, value)
    monkeypatch.setattr(commits, "CHECKPOINT_INTERVAL", 2)
    for number in range(6):
        publish(local_tier, [f"k{number}"], wave=number, rows=1)
    with pytest.raises((DeltaError, OSError)):
        Snapshot(local_tier, snapshot.events).transaction_version("ledger")
    assert snapshot.transaction_version("ledger") == known is not None


def test_failure_is_a_warning(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(commits, "clean_log", fail)
    monkeypatch.setattr(log_entries, "CLEANUP_INTERVAL", 1)
    (warning,) = publish(local_tier, ["a"], rows=1).warnings
    assert "disk full" in warning
