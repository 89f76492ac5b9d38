"""The ledger's files, and which of them count as of one version of the table (docs/decisions/0023-folded-ledger.md).

`_rekindle/ledger/commits/K-TOKEN.parquet` is the *sidecar* of an attempt to make commit K, written before the commit.
The table has number and token of the last commit, each sidecar the token of the commit before its own: so each K has
exactly one valid sidecar. `_rekindle/ledger/folded/FROM-TO.parquet` has the rows of all valid sidecars of a range,
which are removed once it is there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow.compute as pc

from transforms.core.errors import TierError
from transforms.hot_tier.ledger.sidecar import RECORD_SCHEMA, read_rows, records_in
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierFile, TierStore

APP_ID = "ledger"
"""Its version is number and token of the last commit."""
FOLDER = "_rekindle/ledger"
TOKEN_BITS = 32
_COMMITS, _FOLDED = f"{FOLDER}/commits/", f"{FOLDER}/folded/"
_SIDECAR = re.compile(rf"{_COMMITS}(?P<k>\d+)-(?P<token>[0-9a-f]{{8}})\.parquet")
_FOLD = re.compile(rf"{_FOLDED}(?P<first>\d+)-(?P<last>\d+)\.parquet")


class LastCommit(NamedTuple):
    """The last commit that the ledger has: its number, 0 where there is none, and its token."""

    k: int
    token: int

    @classmethod
    def of(cls, snapshot: Snapshot) -> LastCommit:
        """Return the last commit of a snapshot."""
        return cls(*divmod(snapshot.transaction_version(APP_ID) or 0, 1 << TOKEN_BITS))

    @property
    def transaction(self) -> tuple[str, int]:
        """The app id and version that tell it."""
        return APP_ID, self.k << TOKEN_BITS | self.token


NO_COMMIT = LastCommit(0, 0)


@dataclass(frozen=True)
class LedgerFile:
    """A file of the ledger.

    Attributes:
        path: Its path in the tier.
        first: The number of its first commit.
        last: That of its last.
        size: Its bytes.
        token: The token of a sidecar's attempt; None of a folded file.
    """

    path: str
    first: int
    last: int
    size: int
    token: int | None = None

    def has_all_of(self, other: LedgerFile) -> bool:
        """Whether it is a folded file that has the commits of another file."""
        return self.token is None and self.first <= other.first and other.last <= self.last

    @classmethod
    def parse(cls, file: TierFile) -> LedgerFile | None:
        """Return what a file of the ledger is, by its name; None where it is another."""
        if match := _SIDECAR.fullmatch(file.path):
            return cls(file.path, int(match["k"]), int(match["k"]), file.size, int(match["token"], 16))
        if match := _FOLD.fullmatch(file.path):
            return cls(file.path, int(match["first"]), int(match["last"]), file.size)
        return None


def sidecar_path(k: int, token: int) -> str:
    """Return the path of a new sidecar."""
    return f"{_COMMITS}{k:020d}-{token:08x}.parquet"


def folded_path(first: int, last: int) -> str:
    """Return the path of the file that has the commits of a range."""
    return f"{_FOLDED}{first:020d}-{last:020d}.parquet"


class MissingCommitError(TierError):
    """No file has a commit: it was folded while the files were listed, or is gone."""


@dataclass(frozen=True)
class ChosenFiles:
    """The files that count.

    Attributes:
        files: In the order of their commits; a folded one may also have commits that come after the last, or that were
            not asked for.
        others: The other files: of attempts that failed or are under way, and what killed processes have left.
    """

    files: tuple[LedgerFile, ...]
    others: tuple[LedgerFile, ...]


def choose_files(tier: TierStore, last: LastCommit, *, after: int = 0) -> ChosenFiles:
    """List the ledger's files, and choose those that have its commits.

    Sidecars are listed before folded files: one that another process has removed by then is in a folded file that was
    there before, so that no orphan is taken for the valid one.

    Args:
        tier: The tier.
        last: The last commit.
        after: Only commits after this one are asked for.

    Raises:
        MissingCommitError: no file has one of them.
        FileNotFoundError: a file has been removed meanwhile.
    """
    listed = [LedgerFile.parse(file) for folder in (_COMMITS, _FOLDED) for file in list(tier.list(folder))]
    known = [file for file in listed if file is not None]
    folded = sorted((file for file in known if file.token is None), key=lambda file: (file.last, -file.first))
    sidecars: defaultdict[int, list[LedgerFile]] = defaultdict(list)
    for file in known:
        if file.token is not None:
            sidecars[file.first].append(file)
    chosen = _choose(tier, last, after, folded, sidecars)
    return ChosenFiles(chosen, tuple(file for file in known if file not in chosen))


def _choose(
    tier: TierStore,
    last: LastCommit,
    after: int,
    folded: Sequence[LedgerFile],
    sidecars: dict[int, list[LedgerFile]],
) -> tuple[LedgerFile, ...]:
    """Choose from the last commit back, because each file tells which one comes before it."""
    chosen: list[LedgerFile] = []
    k = last.k
    while k > after:
        # the largest: of two that have a commit, one has all of the other's
        fold = min((file for file in folded if file.first <= k <= file.last), key=lambda file: file.first, default=None)
        if fold is None:
            newer = chosen[-1] if chosen else None
            fold = _choose_sidecar(tier, last, k, sidecars.get(k, ()), newer)
        chosen.append(fold)
        k = fold.first - 1
    return tuple(reversed(chosen))


def _choose_sidecar(
    tier: TierStore, last: LastCommit, k: int, candidates: Sequence[LedgerFile], newer: LedgerFile | None
) -> LedgerFile:
    if len(candidates) > 1 or newer is None:
        token = last.token if newer is None else _token_before(tier, newer)
        candidates = [file for file in candidates if file.token == token]
    if len(candidates) != 1:
        raise MissingCommitError(
            f"hot tier {tier.uri}: the ledger's file of commit {k} is gone from {FOLDER}/; restore it from a copy"
        )
    return candidates[0]


def _token_before(tier: TierStore, file: LedgerFile) -> int:
    """Return the token of the commit before a file's first."""
    records = records_in(read_rows(tier.get(file.path), ["bucket", *RECORD_SCHEMA.names]))
    return int(records.filter(pc.equal(records["k"], file.first))["previous"][0].as_py())
