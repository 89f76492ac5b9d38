"""`PublishWave`: make the files of a wave part of the table, with the ledger, in one atomic commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import apache_beam as beam

from transforms.core.errors import ObjectError
from transforms.hot_tier.ledger.entries import entry_of
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.hot_tier.ledger.publish import OvertakenError, PublishResult, publish_wave
from transforms.hot_tier.maintenance.past_deletions import PastDeletions
from transforms.hot_tier.table.location import open_existing_tier
from transforms.objects.event_counts import EventCounts
from transforms.objects.outcomes import ObjectOutcome, merge_outcomes, with_counts
from transforms.storage import TierLocation
from transforms.storage.job_folder import JobFolder


@dataclass
class PublishWave(beam.PTransform):
    """Publish a wave, once, however often it is tried.

    Input: a dictionary of `files` (`PCollection[FileDescription]`), `outcomes` (`PCollection[ObjectOutcome]`) and
        `counts` (`PCollection[EventCounts]`), all of one wave.
    Output: `PCollection[PublishResult]` of one element.
    Metrics: none.
    Guarantees: readers see the wave whole or not at all; each object of the wave is in the table once (`publish_wave`).

    Attributes:
        tier: The hot tier.
        job: The job's task id.
        wave: The wave's number.
        on_changed: `replace`, `append` or `skip`.
        on_error: With `fail`, nothing is published when an object of the wave failed.
        force: Publish objects that other jobs have published already.
        retry_failed: Replace objects that were salvaged.
        reprocess: Replace known objects.
        digests: Of the options and pipelines of each of the job's sources.
        deletions: By which what was replaced was read; if there are others by the time of the commit, nothing is
            published. None where nothing is to be looked at.
    """

    tier: TierLocation
    job: str
    wave: int
    on_changed: str
    on_error: str
    force: bool
    retry_failed: bool
    reprocess: bool
    digests: tuple[str, ...]
    deletions: PastDeletions | None = None

    def expand(self, inputs: dict[str, beam.PCollection[Any]]) -> beam.PCollection[PublishResult]:
        """Gather the wave's descriptions in one worker, which publishes them."""
        keyed = {name: values | f"Key{name.title()}" >> beam.Map(_with_one_key) for name, values in inputs.items()}
        return (
            keyed
            | "Gather" >> beam.CoGroupByKey()
            | "Publish" >> beam.ParDo(_PublishWaveFn(self)).with_output_types(PublishResult)
        )


def _with_one_key(value: Any) -> tuple[int, Any]:  # any element
    return 0, value


def wave_entries(
    outcomes: Iterable[ObjectOutcome], counts: Iterable[EventCounts], *, job: str, wave: int, digests: Sequence[str]
) -> list[LedgerEntry]:
    """Return the ledger's entries of a wave, one for each object, by the outcomes of its parts.

    Args:
        outcomes: What became of each object, or of each part of one.
        counts: What happened to its events.
        job: The job's task id.
        wave: The wave's number.
        digests: Of the options and pipelines of each of the job's sources.
    """
    merged = with_counts(merge_outcomes(outcomes), counts)
    return [entry_of(outcome, job=job, wave=wave, digest=digests[outcome.info.source]) for outcome in merged]


def refuse_failures(folder: JobFolder, entries: Iterable[LedgerEntry]) -> None:
    """Stop the job where an object of the wave failed; the job's report finds the reasons in its folder.

    Raises:
        ObjectError: there is such an object; nothing of the wave is published.
    """
    entries = list(entries)
    first = next((entry for entry in entries if entry.status == "failed"), None)
    if first is not None:
        folder.write_json("failures.json", [_unpublished(entry) for entry in entries])
        raise ObjectError(f"{first.uri}: {first.reason} (onError is fail: nothing of its wave was published)")


def _unpublished(entry: LedgerEntry) -> dict[str, object]:
    """Return the report's row for an object of a wave that is not published: the records read are rejected."""
    counted = {
        "bytesRead": entry.bytes_read,
        "bytesDecoded": entry.bytes_decoded,
        "recordsIn": entry.records_in,
        "blank": entry.blank,
    }
    status = "quarantined" if entry.is_published else entry.status
    return {**entry.as_failure(), "status": status, **counted, "header": entry.header, "rejected": entry.records_in}


class _PublishWaveFn(beam.DoFn):
    def __init__(self, config: PublishWave) -> None:
        self._config = config

    def process(self, gathered: tuple[int, dict[str, Iterable[Any]]]) -> Iterator[PublishResult]:
        wave, inputs = self._config, gathered[1]
        entries = wave_entries(inputs["outcomes"], inputs["counts"], job=wave.job, wave=wave.wave, digests=wave.digests)
        tier = open_existing_tier(wave.tier)
        if wave.on_error == "fail":
            refuse_failures(JobFolder(tier, wave.job), entries)
        with suppress(OvertakenError):  # the job reads the wave again
            yield publish_wave(
                tier,
                job=wave.job,
                wave=wave.wave,
                files=list(inputs["files"]),
                entries=entries,
                on_changed=wave.on_changed,
                force=wave.force,
                retry_failed=wave.retry_failed,
                reprocess=wave.reprocess,
                is_current=None if wave.deletions is None else partial(wave.deletions.is_current, tier),
            )
