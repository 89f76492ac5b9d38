"""The deletions of a table that were not restored, and which of them may have taken events of an object.

An object that is read again gets its events anew; those that rules have deleted stay away (docs/jobs.md).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.ledger.ledger import Published
from transforms.hot_tier.maintenance.accounting import kept_rules
from transforms.hot_tier.maintenance.commit_run import CommittedRun, find_committed
from transforms.hot_tier.table.runs import DELETE, DONE, RESTORE, MaintenanceRun, RunFolder, list_runs
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.parser import parse
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.past_rules import PastRules
from transforms.retention.rules import Hold
from transforms.storage import TierStore

_READERS = 8


@dataclass(frozen=True)
class PastRule:
    """A rule by which a deletion has taken events.

    Attributes:
        k: How many commits of the ledger that deletion has seen.
        rules: The rule, and the holds that were in force.
    """

    k: int
    rules: CompiledRules

    @property
    def cutoff(self) -> int:
        """Events before it were deleted, in microseconds since 1970 UTC."""
        return self.rules.rules[0].cutoff

    def is_covered_by(self, later: PastRule) -> bool:
        """Whether a later deletion went by the same rule, and so has taken what this one did."""
        mine, theirs = self.rules.rules[0], later.rules.rules[0]
        return (mine.when, self.rules.holds) == (theirs.when, later.rules.holds) and mine.cutoff <= theirs.cutoff


@dataclass(frozen=True)
class PastDeletions:
    """The deletions as of one snapshot.

    Attributes:
        rules: By which they went, in the order of the deletions, without those that a later one covers.
        seen: The ids of the deletions and restores that this is made from, and of those that have changed nothing.
    """

    rules: tuple[PastRule, ...]
    seen: frozenset[str]

    @classmethod
    def load(cls, tier: TierStore) -> PastDeletions:
        """Read the deletions and restores of a tier: some small files for each."""
        folders = list(_folders(tier))
        snapshot = Snapshot.load(tier)
        with ThreadPoolExecutor(_READERS) as pool:
            committed = list(pool.map(lambda folder: find_committed(snapshot, folder), folders))
            pairs = [(folder, one) for folder, one in zip(folders, committed, strict=True) if one is not None]
            restored = {run for folder, one in pairs if folder.kind == RESTORE for run in one.document["runs"]}
            left = [pair for pair in pairs if pair[0].kind == DELETE and pair[0].run_id not in restored]
            rules = [rule for found in pool.map(lambda pair: list(_rules_of(*pair)), left) for rule in found]
        ended = {folder.run_id for folder, one in zip(folders, committed, strict=True) if one or _was_idle(folder)}
        return cls(uncovered(rules), frozenset(ended))

    def is_current(self, tier: TierStore, snapshot: Snapshot) -> bool:
        """Whether no deletion or restore has been committed since."""
        newer = (folder for folder in _folders(tier) if folder.run_id not in self.seen)
        return all(find_committed(snapshot, folder) is None for folder in newer)

    def of_objects(self, lineages: Iterable[tuple[str, Sequence[Published]]]) -> PastRules:
        """Return which rules hold for which objects.

        Args:
            lineages: The objects' URIs, and the contents that each has had, one in place of the other
                (`Ledger.lineage`).
        """
        found = ((uri, self._first(contents)) for uri, contents in lineages) if self.rules else ()
        first = {uri: number for uri, number in found if number is not None}
        return PastRules(tuple(one.rules for one in self.rules), first)

    def _first(self, contents: Sequence[Published]) -> int | None:
        """Return the number of the first rule that may have taken events of one of these, None where none may."""
        first = bisect_left([one.k for one in self.rules], contents[0].k) if contents else len(self.rules)
        lows = [content.min_time for content in contents if content.min_time is not None]
        is_old = bool(lows) and any(min(lows) < one.cutoff for one in self.rules[first:])
        return first if is_old else None


def _folders(tier: TierStore) -> Iterator[RunFolder]:
    return (folder for folder in list_runs(tier) if folder.kind in (DELETE, RESTORE))


def _was_idle(folder: RunFolder) -> bool:
    """Whether a run has ended, and committed nothing."""
    done = folder.read_json(DONE)
    return done is not None and done["version"] is None


def _rules_of(folder: RunFolder, committed: CommittedRun) -> Iterator[PastRule]:
    """Yield the rules that took events in a deletion."""
    run, took = folder.run(), {rule["name"] for rule in committed.document["rules"] if rule["events"]}
    compiled = CompiledRules.of(kept_rules(run), run.now)
    for rule in compiled.rules:
        if rule.name in took:
            yield PastRule(committed.document["k"], replace(compiled, rules=(rule,), holds=_holds_of(run, compiled)))


def _holds_of(run: MaintenanceRun, compiled: CompiledRules) -> tuple[Hold, ...]:
    """Return the holds that were in force, the tier's too."""
    if run.holds is None:
        return compiled.holds
    try:
        return tuple(Hold(name=name, when=None if when is None else parse(when), text=when) for name, when in run.holds)
    except ConfigurationError:  # valid for another version only
        return compiled.holds


def uncovered(rules: Iterable[PastRule]) -> tuple[PastRule, ...]:
    """Return rules in the order of their deletions, without those that a later deletion went by again."""
    left: list[PastRule] = []
    for rule in sorted(rules, key=lambda one: one.k):
        left = [one for one in left if not one.is_covered_by(rule)]
        left.append(rule)
    return tuple(left)
