"""`DiscoverObjects`: which objects a job is about."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.objects.discovery.listing import Listing, list_objects
from transforms.objects.discovery.object_filter import ObjectFilter
from transforms.storage import ObjectInfo, ObjectStore, SourceLocation, TierLocation
from transforms.storage.job_folder import JobFolder

MANIFEST = pa.schema(
    {
        "key": pa.string(),
        "etag": pa.string(),
        "size": pa.int64(),
        "modified": pa.timestamp("us", "UTC"),
        "storage_class": pa.string(),
        "restored": pa.bool_(),
        "source": pa.int32(),
    }
)


@dataclass
class DiscoverObjects(beam.PTransform):
    """List literal prefixes side by side, and keep what the filter lets through.

    Input: `PCollection[str]` of literal prefixes, none under another.
    Output: `PCollection[Listing]`, one for each; the matched objects themselves are written to the job's folder, a
        Parquet file for each prefix (`read_manifest`).
    Metrics: none.
    Guarantees: each key is listed once; a prefix that is listed again overwrites its own file.

    Attributes:
        source: Where the objects are.
        filter: What is kept.
        max_objects: Listing stops where a prefix holds more.
        tier: The hot tier, where the job's folder is; it need not exist yet.
        task_id: The job.
    """

    source: SourceLocation
    filter: ObjectFilter
    max_objects: int
    tier: TierLocation
    task_id: str

    def expand(self, prefixes: beam.PCollection[str]) -> beam.PCollection[Listing]:
        """List each prefix in a worker of its own."""
        return (
            prefixes
            | "Spread" >> beam.Reshuffle()
            | "List" >> beam.ParDo(_DiscoverObjectsFn(self)).with_output_types(Listing)
        )


def discover_objects(
    store: ObjectStore, prefix: str, filter: ObjectFilter, *, max_objects: int, folder: JobFolder
) -> Listing:
    """List one prefix, write what the filter lets through into the job's folder, and return the numbers."""
    listing, kept = list_objects(store, prefix, filter, max_objects=max_objects)
    if kept and listing.complete:
        listing = replace(listing, part=_write_part(folder, prefix, kept))
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
    pq.write_table(
        pa.Table.from_arrays([pa.array(c, t) for c, t in zip(columns, MANIFEST.types, strict=True)], schema=MANIFEST),
        sink,
    )
    folder.tier.put(path, sink.getvalue().to_pybytes())
    return path


def _part_name(prefix: str, ending: str) -> str:
    return f"listing/{hashlib.blake2b(prefix.encode('utf-8', 'surrogateescape'), digest_size=16).hexdigest()}.{ending}"


class _DiscoverObjectsFn(beam.DoFn):
    def __init__(self, config: DiscoverObjects) -> None:
        self._config = config

    def process(self, prefix: str) -> Iterator[Listing]:
        config = self._config
        folder = JobFolder(config.tier.open(), config.task_id)
        yield discover_objects(
            config.source.open(), prefix, config.filter, max_objects=config.max_objects, folder=folder
        )
