"""Rewriting a wave's and the table's files without the rows that must not be published."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass

from transforms.core.errors import TierError
from transforms.hot_tier.data.file_objects import ObjectBounds, objects_in
from transforms.hot_tier.data.rewrite import every_row, rewrite_file, without_contents
from transforms.hot_tier.ledger.dispositions import Wave
from transforms.hot_tier.ledger.ledger import Published
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot


@dataclass(frozen=True)
class Replaced:
    """The events of one object to remove.

    Attributes:
        jobs: The jobs whose events of it are removed; None for all events.
        min_time: The least `_time` of these events, in microseconds since 1970 UTC.
        max_time: The greatest, less than `min_time` where there are none.
    """

    jobs: frozenset[str] | None
    min_time: int
    max_time: int

    @classmethod
    def of(cls, contents: Sequence[Published], published: Sequence[Published]) -> Replaced:
        """Return what to remove when these of an object's published contents are replaced.

        A job publishes one content of an object.
        """
        jobs = None if len(contents) == len(published) else frozenset(content.job for content in contents)
        lows = [content.min_time for content in contents if content.min_time is not None]
        highs = [content.max_time for content in contents if content.max_time is not None]
        return cls(jobs, min(lows, default=1), max(highs, default=0))


class WaveFiles:
    """Rewrites files without the rows that must not be published, each once over several attempts."""

    def __init__(self, wave: Wave) -> None:
        self._wave = wave
        self._written: dict[tuple[Hashable, ...], FileDescription | None] = {}
        self._objects: dict[str, set[str]] = {}

    def without(
        self, files: Sequence[FileDescription], uris: set[str], promoted: Sequence[str]
    ) -> list[FileDescription]:
        """Return new files that hold rows of these objects and of no others, with columns for what is promoted.

        Raises:
            TierError: a rewritten file does not have as many rows as it should.
        """
        kept: list[FileDescription] = []
        for file in files:
            gone = file.objects.keys() - uris
            misplaced = file.misplaced(promoted)
            if not gone and not misplaced:
                kept.append(file)
            elif len(gone) < len(file.objects):
                written = self._rewritten(file, dict.fromkeys(gone), promoted, anew=bool(misplaced))
                _check_rows(file, gone, written)
                kept += written
        return kept

    def replacements(
        self, snapshot: Snapshot, replaced: Mapping[str, Replaced]
    ) -> tuple[tuple[str, ...], list[FileDescription]]:
        """Return the live files that hold rows of replaced content, and the files that replace them."""
        removed: list[str] = []
        rewritten: list[FileDescription] = []
        bounds = ObjectBounds({uri: (gone.min_time, gone.max_time) for uri, gone in replaced.items()})
        for file in snapshot.files.values() if replaced else ():
            suspects = bounds.may_be_in(file)
            gone = self._objects_in(file).intersection(suspects) if suspects else set()
            if gone:
                removed.append(file.path)
                rewritten += self._rewritten(file, {uri: replaced[uri].jobs for uri in sorted(gone)}, snapshot.columns)
        return tuple(removed), rewritten

    def _objects_in(self, file: LiveFile) -> set[str]:
        if file.path not in self._objects:
            self._objects[file.path] = objects_in(self._wave.tier, file.path)
        return self._objects[file.path]

    def _rewritten(
        self,
        file: FileDescription | LiveFile,
        gone: Mapping[str, frozenset[str] | None],
        promoted: Sequence[str],
        *,
        anew: bool = False,
    ) -> list[FileDescription]:
        key = (file.path, frozenset(gone.items()), tuple(promoted))
        if key not in self._written:
            keep = without_contents(gone) if gone else every_row
            self._written[key] = rewrite_file(
                self._wave.tier,
                file.path,
                keep,
                tier_name=file.tier,
                date=file.date,
                promoted=promoted,
                job=self._wave.job,
                anew=anew,
            )
        written = self._written[key]
        return [] if written is None else [written]


def _check_rows(file: FileDescription, gone: Set[str], written: Sequence[FileDescription]) -> None:
    rows, expected = sum(one.rows for one in written), file.rows - sum(file.objects[uri].rows for uri in gone)
    if rows != expected:
        raise TierError(f"{file.path}: {rows:,} rows were written where {expected:,} were counted")
