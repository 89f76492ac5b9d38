"""Files of the ledger are brought together: it stays the same, whoever is killed or late, and its files stay few."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.transforms.hot_tier.samples import entry, publish
from transforms.hot_tier.ledger import folding
from transforms.hot_tier.ledger import publish as publishing
from transforms.hot_tier.ledger.folding import fold_ledger
from transforms.hot_tier.ledger.ledger import Ledger, LedgerEntry, Published, WaveRecord
from transforms.hot_tier.ledger.ledger_files import LedgerFile, folded_path, sidecar_path
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.ledger.sidecar import read_whole, write_sidecar, write_tables
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierFile, TierStore

COMMITS = 9
"""With `SIDECARS` 2 and `FILES` 2: three sizes of folded files, and one sidecar."""
KEYS = [f"k{number}" for number in range(7)]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "SIDECARS", 2)
    monkeypatch.setattr(folding, "FILES", 2)
    monkeypatch.setattr(publishing, "FOLD_INTERVAL", 10**9)  # the tests fold


def commit(tier: TierStore, number: int) -> None:
    """Publish a wave without events: cheap, and all of it is in the ledger."""
    kinds = [("failed", 0), ("ingested", 0), ("ingested", 0)]
    made = [
        entry(KEYS[(number + place) % len(KEYS)], rows, job=f"job{number % 3}", wave=number, status=status,
              content=str(number))
        for place, (status, rows) in enumerate(kinds)
    ]  # fmt: skip
    publish_wave(tier, job=f"job{number % 3}", wave=number, files=[], entries=made)


def fill(tier: TierStore, commits: int = COMMITS) -> None:
    for number in range(commits):
        commit(tier, number)


def load(tier: TierStore, previous: Ledger | None = None) -> Ledger:
    return Ledger.load(tier, Snapshot.load(tier), previous)


Content = tuple[list[list[Published]], list[list[LedgerEntry]], list[list[WaveRecord]], dict[str, frozenset[str]]]


def content(ledger: Ledger) -> Content:
    """Return all that a ledger answers."""
    jobs = [f"job{number}" for number in range(3)]
    return (
        [ledger.published("bucket", key) for key in KEYS],
        [ledger.of_job(job) for job in jobs],
        [ledger.waves_of_job(job) for job in jobs],
        ledger.superseded_since(ledger.k // 2),
    )


def files(tier: TierStore) -> list[tuple[int, int]]:
    found = (LedgerFile.parse(file) for file in tier.list("_rekindle/ledger/"))
    return sorted((file.first, file.last) for file in found if file is not None)


def fold(tier: TierStore) -> list[str]:
    return fold_ledger(tier, Snapshot.load(tier))


def test_few_files_that_have_all(tier: TierStore) -> None:
    fill(tier)
    before = load(tier)
    answers = content(before)
    assert files(tier) == [(k, k) for k in range(1, COMMITS + 1)]

    assert fold(tier) == []
    assert files(tier) == [(1, 8), (9, 9)]
    assert content(load(tier)) == content(before) == answers

    for number in range(COMMITS, COMMITS + 5):
        commit(tier, number)
    later = load(tier, before)
    assert fold(tier) == []
    assert files(tier) == [(1, 8), (9, 12), (13, 14)]
    assert content(later) == content(load(tier)) == content(load(tier, before))


def test_published_waves_fold_by_themselves(tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "FOLD_INTERVAL", 2)
    for number in range(9):
        publish(tier, [f"k{number}"], job=f"job{number}", rows=1)
    assert files(tier) == [(1, 8), (9, 9)]
    ledger = load(tier)
    assert [len(ledger.published("bucket", f"k{number}")) for number in range(9)] == [1] * 9
    result = publish(tier, ["k0", "k8"], job="again", rows=1)
    assert {one.key: one.known_of for one in result.entries} == {"k0": "job0", "k8": "job8"}


def test_wave_that_is_published_again_when_its_commit_is_folded(tier: TierStore) -> None:
    first = publish(tier, ["a", "b"], rows=1)
    fill(tier, 4)
    fold(tier)
    assert files(tier) == [(1, 4), (5, 5)]
    again = publish(tier, ["a", "b"], rows=1)
    assert (again.entries, again.version, again.files) == (first.entries, first.version, first.files)


def test_failure_is_a_warning(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "FOLD_INTERVAL", 2)

    def put_new(self: TierStore, path: str, data: bytes) -> None:
        if "folded" in path:
            raise OSError("disk full")
        original(self, path, data)

    original = type(local_tier).put_new
    monkeypatch.setattr(type(local_tier), "put_new", put_new)
    assert publish(local_tier, ["a"], rows=1).warnings == ()
    (warning,) = publish(local_tier, ["b"], rows=1, wave=1).warnings
    assert "could not be brought together: disk full" in warning
    assert files(local_tier) == [(1, 1), (2, 2)]
    monkeypatch.undo()
    monkeypatch.setattr(publishing, "FOLD_INTERVAL", 2)
    assert fold(local_tier) == []


def test_large_files_stay_by_themselves(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(local_tier, 8)
    sizes = [file.size for file in local_tier.list("_rekindle/ledger/commits/")]
    monkeypatch.setattr(folding, "MOST_BYTES", max(sizes))
    answers = content(load(local_tier))
    fold(local_tier)
    assert files(local_tier) == [(k, k) for k in range(1, 9)]
    monkeypatch.setattr(folding, "MOST_BYTES", 2 * max(sizes))
    fold(local_tier)
    assert (1, 2) in files(local_tier)
    assert (1, 8) not in files(local_tier)
    assert content(load(local_tier)) == answers


def test_columns_of_a_newer_version_stay(local_tier: TierStore) -> None:
    fill(local_tier, 2)
    (path,) = (file.path for file in local_tier.list(sidecar_path(1, 0)[:-16]))
    table = read_whole(local_tier.get(path))
    local_tier.put(path, write_tables([table.append_column("newer", [list(range(table.num_rows))])]))
    fold(local_tier)
    assert read_whole(local_tier.get(folded_path(1, 2)))["newer"].null_count == 4


class KilledError(BaseException):
    """The process ends here."""


class Writes:
    """Counts the writes of a store, and can end the process before or after one of them."""

    def __init__(self, tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        self._kill: tuple[int, str] | None = None
        for method in ("put_new", "delete"):
            monkeypatch.setattr(type(tier), method, self._counted(method, getattr(type(tier), method)))

    def kill_at(self, number: int, moment: str) -> None:
        self.names, self._kill = [], (number, moment)

    def go_on(self) -> None:
        self.names, self._kill = [], None

    def _counted(self, method: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(tier: TierStore, path: str, *data: bytes) -> None:
            number = len(self.names)
            self.names.append(f"{method} {path}")
            if self._kill == (number, "before"):
                raise KilledError
            original(tier, path, *data)
            if self._kill == (number, "after"):
                raise KilledError

        return call


@pytest.fixture
def writes(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> Writes:
    monkeypatch.setattr(folding, "_WORKERS", 1)
    return Writes(local_tier, monkeypatch)


def stored(tier: TierStore) -> dict[str, bytes]:
    return {file.path: tier.get(file.path) for file in tier.list("_rekindle/ledger/")}


def restore(tier: TierStore, ledger_files: dict[str, bytes]) -> None:
    for path in stored(tier):
        tier.delete(path)
    for path, data in ledger_files.items():
        tier.put(path, data)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_every_write(local_tier: TierStore, writes: Writes, moment: str) -> None:
    fill(local_tier, 9)
    made, old = stored(local_tier), load(local_tier)
    answers = content(old)
    writes.go_on()
    fold(local_tier)
    moments = list(writes.names)
    assert len(moments) == 7 + 8 + 6, "folded files, removed sidecars, removed folded files"

    for number, name in enumerate(moments):
        writes.go_on()
        restore(local_tier, made)
        writes.kill_at(number, moment)
        with pytest.raises(KilledError):
            fold(local_tier)
        writes.go_on()
        assert content(load(local_tier)) == answers, name
        assert fold(local_tier) == [], name
        assert files(local_tier) == [(1, 8), (9, 9)], name
        assert content(load(local_tier)) == content(load(local_tier, old)) == answers, name


@pytest.mark.parametrize("seed", range(4))
def test_two_at_once(local_tier: TierStore, writes: Writes, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """While one folds, the other folds or reads, whole, between any two of its requests."""
    fill(local_tier, 9)
    answers = content(load(local_tier))
    chance = random.Random(seed)
    busy = False

    def interleave(method: str) -> None:
        original = getattr(type(local_tier), method)

        def call(tier: TierStore, path: str, *data: bytes) -> Any:
            nonlocal busy
            if not busy and path.startswith("_rekindle/ledger") and chance.random() < 0.3:
                busy = True
                assert fold(tier) == [] if chance.random() < 0.5 else content(load(tier)) == answers
                busy = False
            return original(tier, path, *data)

        monkeypatch.setattr(type(local_tier), method, call)

    for method in ("get", "put_new", "delete", "list"):
        interleave(method)
    assert fold(local_tier) == []
    assert content(load(local_tier)) == answers
    busy = True
    fold(local_tier)
    assert files(local_tier) == [(1, 8), (9, 9)]


def test_read_while_it_is_folded(tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader has listed sidecars that are gone when it reads them."""
    fill(tier, 4)
    snapshot = Snapshot.load(tier)
    answers = content(Ledger.load(tier, snapshot))
    original, folds = type(tier).get, iter([True])

    def get(self: TierStore, path: str) -> bytes:
        if next(folds, False):
            fold(self)
        return original(self, path)

    monkeypatch.setattr(type(tier), "get", get)
    assert content(Ledger.load(tier, snapshot)) == answers
    assert files(tier) == [(1, 4)]


def test_orphan_is_not_taken_for_the_sidecar_that_was_folded(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The valid one is removed between two listings, the orphan not yet: only the folded file counts."""
    fill(local_tier, 2)
    record = WaveRecord(job="stray", wave=0, k=1, version=1, files=0, bytes=0, token=5)
    data = write_sidecar(record, [entry("stray", 0, job="stray")])
    local_tier.put_new(sidecar_path(1, 5), data)
    answers = content(load(local_tier))
    original = type(local_tier).list
    folds = iter([True])

    def listed(self: TierStore, prefix: str) -> Iterator[TierFile]:
        if prefix.endswith("/commits/") and next(folds, False):
            fold(self)
            self.put(sidecar_path(1, 5), data)
        return original(self, prefix)

    monkeypatch.setattr(type(local_tier), "list", listed)
    ledger = load(local_tier)
    assert content(ledger) == answers
    assert ledger.of_job("stray") == []


@pytest.mark.parametrize("folded", [False, True], ids=["sidecars", "folded"])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6])
def test_late_sidecar_of_an_attempt_that_failed(local_tier: TierStore, k: int, folded: bool) -> None:
    fill(local_tier, 5)
    if folded:
        fold(local_tier)
    answers = content(load(local_tier))
    record = WaveRecord(job="job0", wave=9, k=k, version=1, files=0, bytes=0, token=5)
    local_tier.put_new(sidecar_path(k, 5), write_sidecar(record, [entry("k0", 0, job="job0", wave=9)]))
    assert content(load(local_tier)) == answers
    assert fold(local_tier) == []
    assert content(load(local_tier)) == answers
    assert files(local_tier) == sorted([(1, 4), (5, 5), *([(k, k)] if k > 4 else [])])


def test_late_folded_file(local_tier: TierStore) -> None:
    """A put that arrives when all is folded further brings nothing, and is removed."""
    fill(local_tier, 2)
    fold(local_tier)
    late = local_tier.get(folded_path(1, 2))
    fill_more(local_tier, 2, 4)
    fold(local_tier)
    local_tier.put_new(folded_path(1, 2), late)
    answers = content(load(local_tier))
    fill_more(local_tier, 4, 6)
    ledger = load(local_tier)
    assert ledger.k == 6
    assert [len(record) for record in answers[2]] == [2, 1, 1]
    fold(local_tier)
    assert files(local_tier) == [(1, 4), (5, 6)]


def fill_more(tier: TierStore, start: int, stop: int) -> None:
    for number in range(start, stop):
        commit(tier, number)


def test_snapshot_that_is_older_than_the_folded_file(local_tier: TierStore) -> None:
    fill(local_tier, 3)
    snapshot = Snapshot.load(local_tier)
    answers = content(Ledger.load(local_tier, snapshot))
    fill_more(local_tier, 3, 4)
    fold(local_tier)
    assert files(local_tier) == [(1, 4)]
    assert content(Ledger.load(local_tier, snapshot)) == answers
    assert load(local_tier).k == 4
