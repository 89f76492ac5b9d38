"""`PublishWave`: make the files of a wave part of the table, with the ledger, in one atomic commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from transforms.core.errors import ObjectError
from transforms.hot_tier.data.writer import FileDescription
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.hot_tier.ledger.publish import PublishResult, publish_wave
from transforms.hot_tier.table.location import open_existing_tier
from transforms.objects.outcomes import merge_entries, with_counts
from transforms.storage import StorageOptions
from transforms.storage.job_folder import JobFolder


@dataclass
class PublishWave(beam.PTransform):
    """Publish a wave, once, however often it is tried.

    Input: a dictionary of `files` (`PCollection[FileDescription]`), `outcomes` (`PCollection[LedgerEntry]`) and
        `counts`
    (`PCollection[EventCounts]`), all of one wave. Output: `PCollection[PublishResult]` of one element.

    Guarantees: readers see the wave whole or not at all; each object of the wave is in the table once (`publish_wave`).

    Attributes:
        tier_uri: The hot tier.
        tier_options: How it is reached.
        job: The job's task id.
        wave: The wave's number.
        on_changed: `replace`, `append` or `skip`.
        on_error: With `fail`, nothing is published when an object of the wave failed.
        force: Publish objects that other jobs have published already.
        retry_failed: Replace objects that were salvaged.
    """

    tier_uri: str
    tier_options: StorageOptions
    job: str
    wave: int
    on_changed: str
    on_error: str
    force: bool
    retry_failed: bool

    def expand(self, inputs: dict[str, beam.PCollection[Any]]) -> beam.PCollection[PublishResult]:
        """Bring the wave's descriptions together in one place and publish them there."""
        keyed = {name: values | f"Key{name.title()}" >> beam.Map(_with_one_key) for name, values in inputs.items()}
        return (
            keyed
            | "Gather" >> beam.CoGroupByKey()
            | "Publish" >> beam.ParDo(_PublishWaveFn(self)).with_output_types(PublishResult)
        )


def _with_one_key(value: Any) -> tuple[int, Any]:  # any element
    return 0, value


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
    """Return what the report says of an object of a wave that is not published: its records were read, and are
    rejected.
    """
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
        self._config = dict(config.__dict__)

    def process(self, gathered: tuple[int, dict[str, Iterable[Any]]]) -> Iterator[PublishResult]:
        wave = self._config
        files: list[FileDescription] = list(gathered[1]["files"])
        entries = with_counts(merge_entries(gathered[1]["outcomes"]), gathered[1]["counts"])
        tier = open_existing_tier(wave["tier_uri"], wave["tier_options"])
        if wave["on_error"] == "fail":
            refuse_failures(JobFolder(tier, wave["job"]), entries)
        yield publish_wave(
            tier,
            job=wave["job"],
            wave=wave["wave"],
            files=files,
            entries=entries,
            on_changed=wave["on_changed"],
            force=wave["force"],
            retry_failed=wave["retry_failed"],
        )
