"""`CutObjects`: where large objects can be cut, and how many records lie before each cut."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone

import apache_beam as beam

from transforms.formats.options import FormatOptions
from transforms.hot_tier.table.location import open_existing_tier
from transforms.objects.measure_range import measure_range
from transforms.objects.parts import ObjectPart
from transforms.objects.reading import ReadSettings
from transforms.objects.yearless_stamps import years_of
from transforms.storage import ObjectInfo, ObjectStore, SourceLocation, TierLocation
from transforms.storage.job_folder import JobFolder
from transforms.timestamps.years.stretches import Stretch, join_ranges


@dataclass(frozen=True)
class RoughRange:
    """A range of an object as it is proposed: it begins and ends anywhere."""

    info: ObjectInfo
    start: int
    end: int


@dataclass
class CutObjects(beam.PTransform):
    """Move the ends of proposed ranges to the ends of records, and count the records between them.

    Input: `PCollection[RoughRange]`.
    Output: `PCollection[str]`, the object's name for each; what was found is written to the job's folder
        (`read_parts`).
    Metrics: none.
    Guarantees: neighbours agree on the cut between them, because it follows from the offset that was proposed.

    Attributes:
        source: Where the objects are.
        settings: How those of each of the job's sources are read.
        tier: The hot tier, where the job's folder is.
    """

    source: SourceLocation
    settings: tuple[ReadSettings, ...]
    tier: TierLocation

    def expand(self, ranges: beam.PCollection[RoughRange]) -> beam.PCollection[str]:
        """Look at each range in a worker of its own."""
        return ranges | "Spread" >> beam.Reshuffle() | "Cut" >> beam.ParDo(_CutObjectsFn(self)).with_output_types(str)


def propose_ranges(info: ObjectInfo, part_bytes: int) -> list[RoughRange]:
    """Return ranges of about equal size."""
    count = max(2, round(info.size / part_bytes))
    cuts = [info.size * number // count for number in range(count + 1)]
    return [RoughRange(info, start, end) for start, end in zip(cuts, cuts[1:], strict=False)]


def read_parts(
    folder: JobFolder, ranges: Sequence[RoughRange], options: FormatOptions | None = None
) -> list[ObjectPart] | None:
    """Return the parts of one object, or None if it must be read in one piece.

    Args:
        folder: The job's folder, where `CutObjects` has written what it found.
        ranges: The object's proposed ranges, in their order.
        options: How it is read; the default if None.
    """
    found = [folder.read_json(_name(one)) for one in ranges]
    if not all(found):
        return None
    parts: list[ObjectPart] = []
    stretches: list[tuple[int, list[Stretch]]] = []
    first = 0
    for rough, document in zip(ranges, found, strict=True):
        if document["end"] > document["start"]:
            end = document["end"] if document["end"] < rough.info.size else None
            parts.append(ObjectPart(rough.info, document["start"], end, first, document["bytes_read"]))
        stretches.append((first, [Stretch(**one) for one in document.get("stretches", ())]))
        first += document["records"]
    received = datetime.now(timezone.utc)
    years = years_of(join_ranges(stretches), ranges[0].info, options or FormatOptions(), received=received)
    return parts if years is None else [replace(part, years=years) for part in parts]


def cut_objects(store: ObjectStore, rough: RoughRange, settings: ReadSettings, folder: JobFolder) -> None:
    """Look at one range and write what was found (`MeasuredRange`), or that the object can't be cut there."""
    if folder.read_json(_refusal(rough)) is not None:  # another range of it can't be cut, so it is read in one piece
        return
    found = measure_range(rough.info, store, settings, start=rough.start, end=rough.end)
    if found is None:
        folder.write_json(_refusal(rough), {})
    else:
        folder.write_json(_name(rough), asdict(found))


def _name(rough: RoughRange) -> str:
    return f"{_folder(rough)}/{rough.start}-{rough.end}.json"


def _refusal(rough: RoughRange) -> str:
    return f"{_folder(rough)}/refused.json"


def _folder(rough: RoughRange) -> str:
    identity = "\0".join(map(str, rough.info.identity)).encode("utf-8", "surrogateescape")
    return f"parts/{hashlib.blake2b(identity, digest_size=16).hexdigest()}"


class _CutObjectsFn(beam.DoFn):
    def __init__(self, config: CutObjects) -> None:
        self._config = config

    def process(self, rough: RoughRange) -> Iterator[str]:
        config, settings = self._config, self._config.settings[rough.info.source]
        folder = JobFolder(open_existing_tier(config.tier), settings.task_id)
        cut_objects(config.source.open(), rough, settings, folder)
        yield rough.info.uri
