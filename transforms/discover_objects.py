"""`DiscoverObjects`: which objects a job is about."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.elements import Listing
from transforms.job_folder import JobFolder
from transforms.key_glob import KeyGlob
from transforms.storage import ObjectInfo, ObjectStore, StorageOptions, open_store, open_tier

HEAVIEST = 10
MANIFEST = pa.schema(
    {
        "key": pa.string(),
        "etag": pa.string(),
        "size": pa.int64(),
        "modified": pa.timestamp("us", "UTC"),
        "storage_class": pa.string(),
        "restored": pa.bool_(),
    }
)


@dataclass(frozen=True, kw_only=True)
class ObjectFilter:
    """What a job asks of an object (spec §3.1, §3.2).

    Attributes:
        pattern: Glob over the whole key.
        modified_after: LastModified must be later, where given.
        modified_before: LastModified must be earlier, where given.
        excluded_prefix: Keys under it are the hot tier's own, and never a source; None where the tier lies elsewhere.
    """

    pattern: str = "**"
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    excluded_prefix: str | None = None


@dataclass
class DiscoverObjects(beam.PTransform):
    """List literal prefixes side by side, and keep what the filter lets through.

    Input: `PCollection[str]` of literal prefixes, none under another. Output: `PCollection[Listing]`, one for each; the matched objects
    themselves are written to the job's folder, a Parquet file a prefix.

    Guarantees: each key is listed once; a prefix that is listed again overwrites its own file.

    Attributes:
        bucket: The bucket, or `file:///folder`.
        store_options: How it is reached.
        filter: What is kept.
        max_objects: Listing stops where a prefix holds more.
        tier_uri, tier_options, task_id: Where the job's folder is.
    """

    bucket: str
    store_options: StorageOptions
    filter: ObjectFilter
    max_objects: int
    tier_uri: str
    tier_options: StorageOptions
    task_id: str

    def expand(self, prefixes: beam.PCollection[str]) -> beam.PCollection[Listing]:
        """List each prefix in a worker of its own."""
        return prefixes | "Spread" >> beam.Reshuffle() | "List" >> beam.ParDo(_DiscoverObjectsFn(self)).with_output_types(Listing)


def discover_objects(store: ObjectStore, prefix: str, filter: ObjectFilter, *, max_objects: int, folder: JobFolder) -> Listing:
    """List one prefix, write what the filter lets through into the job's folder, and return the numbers."""
    glob = KeyGlob(filter.pattern)
    kept: list[ObjectInfo] = []
    evaluated = excluded = 0
    below: Counter[str] = Counter()
    for page in store.list_pages(prefix):
        evaluated += len(page)
        below.update(_sub_prefix(info.key, prefix) for info in page)
        for info, matches in zip(page, glob.matches_all([info.key for info in page]), strict=True):
            if filter.excluded_prefix is not None and info.key.startswith(filter.excluded_prefix):
                excluded += 1
            elif matches and _within_dates(info, filter):
                kept.append(info)
        if evaluated - excluded > max_objects:
            break
    complete = evaluated - excluded <= max_objects
    part = _write_part(folder, prefix, kept) if kept and complete else None
    heaviest = tuple(heapq.nlargest(HEAVIEST, below.items(), key=lambda item: item[1]))
    listing = Listing(prefix, evaluated - excluded, len(kept), part, heaviest, excluded, complete)
    folder.write_json(_part_name(prefix, "json"), asdict(listing))
    return listing


def read_listings(folder: JobFolder, prefixes: list[str]) -> list[Listing]:
    """Return what was found under each prefix, as it was written to the job's folder."""
    documents = [folder.read_json(_part_name(prefix, "json")) for prefix in prefixes]
    return [Listing(**{**document, "heaviest": tuple(map(tuple, document["heaviest"]))}) for document in documents]


def read_manifest(folder: JobFolder, listings: list[Listing]) -> pa.Table:
    """Return the matched objects of all listings, in the order of their keys: columns as in `MANIFEST`."""
    tables = []
    for listing in listings:
        if listing.part:
            with folder.tier.open_input(listing.part) as source:
                tables.append(pq.read_table(source, schema=MANIFEST))
    return pa.concat_tables([MANIFEST.empty_table(), *tables]).sort_by("key")


def _write_part(folder: JobFolder, prefix: str, kept: list[ObjectInfo]) -> str:
    columns = [[getattr(info, name) for info in kept] for name in MANIFEST.names]
    path = folder.path(_part_name(prefix, "parquet"))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays([pa.array(c, t) for c, t in zip(columns, MANIFEST.types, strict=True)], schema=MANIFEST), sink)
    folder.tier.put(path, sink.getvalue().to_pybytes())
    return path


def _part_name(prefix: str, ending: str) -> str:
    return f"listing/{hashlib.blake2b(prefix.encode('utf-8', 'surrogateescape'), digest_size=16).hexdigest()}.{ending}"


def _sub_prefix(key: str, prefix: str) -> str:
    head, slash, _ = key[len(prefix) :].partition("/")
    return prefix + head + slash if slash else prefix


def _within_dates(info: ObjectInfo, filter: ObjectFilter) -> bool:
    return (filter.modified_after is None or info.modified > filter.modified_after) and (
        filter.modified_before is None or info.modified < filter.modified_before
    )


class _DiscoverObjectsFn(beam.DoFn):
    def __init__(self, config: DiscoverObjects) -> None:
        self._config = dict(config.__dict__)

    def process(self, prefix: str) -> Iterator[Listing]:
        config = self._config
        yield discover_objects(
            open_store(config["bucket"], config["store_options"]),
            prefix,
            config["filter"],
            max_objects=config["max_objects"],
            folder=JobFolder(open_tier(config["tier_uri"], config["tier_options"]), config["task_id"]),
        )
