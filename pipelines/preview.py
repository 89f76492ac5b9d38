"""The preview of a job (spec §3.4): what it would ingest, and how it would read it. Reads little, writes nothing, needs no Beam."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, islice, zip_longest
from typing import Any

from pipelines import discovery
from pipelines.context import JobContext
from pipelines.plan import WORK, Choice, disposition
from pipelines.report import load_ledger
from pipelines.settings import RunSettings
from pipelines.specification import JobSpecification
from transforms import processors, schema
from transforms.hot_tier import table
from transforms.hot_tier.columns import missing_columns
from transforms.key_glob import KeyGlob
from transforms.object_listing import list_objects
from transforms.preview_object import preview_object
from transforms.storage import ObjectInfo

SAMPLE_BYTES = 1 << 20
_LISTED_AT_ONCE, _READ_AT_ONCE = 16, 4
_KIND = re.compile(r"(?:\.[A-Za-z][A-Za-z0-9]*){0,2}\Z")
_DISPOSITIONS = (WORK, "known", "skipped", "archived", "empty")


def run_preview(specification: JobSpecification, settings: RunSettings, *, objects: int = 5, events: int = 5) -> dict[str, Any]:
    """Look at what a job would do.

    Args:
        specification: The job.
        settings: How it would run.
        objects: How many of the matched objects are looked into, one of each kind of name first.
        events: How many events of each are shown.

    Returns:
        The document of `rekindle preview --json`: `job`, `hotTier`, `objects` (evaluated, matched, and how many of them are work, known,
        skipped, archived, empty), `bytes` (matched, work), `columns` (the table's, once the job has run), `samples` and `warnings`.

    Raises:
        RekindleError: the source can't be read, or the pattern makes too much to evaluate.
    """
    context = JobContext.open("preview", specification, settings)
    table.check_place(context.tier)
    discovery.prove_access(context.store, context.filter)
    evaluated, excluded, matched = _list(context)
    ledger = load_ledger(context.tier)
    choice = Choice.of(specification, settings)
    kinds = [disposition(info, ledger, choice) for info in matched]
    chosen = choose_samples([info for info, kind in zip(matched, kinds, strict=True) if kind not in ("archived", "empty")], objects)
    samples, seen = _look_into(context, chosen, events)
    counts = Counter(kinds)
    columns = _columns(context, seen)
    for sample in samples:
        _sort_attributes(sample, columns)
    return {
        "job": specification.as_document(),
        "hotTier": context.settings.hot_tier,
        "objects": {"evaluated": evaluated, "matched": len(matched), **{kind: counts[kind] for kind in _DISPOSITIONS}},
        "bytes": {
            "matched": sum(info.size for info in matched),
            "work": sum(info.size for info, kind in zip(matched, kinds, strict=True) if kind == WORK),
        },
        "columns": columns,
        "samples": samples,
        "warnings": [
            *([context.left_out(excluded)] if excluded else ()),
            *([] if matched else [context.nothing_matched(evaluated)]),
        ],
    }


def choose_samples(infos: Sequence[ObjectInfo], count: int) -> list[ObjectInfo]:
    """Return some objects, of each kind of name (`.log.gz`, `.json`) one before a second of any."""
    kinds: dict[str, list[ObjectInfo]] = defaultdict(list)
    for info in infos:
        match = _KIND.search(info.key)
        kinds[match[0].lower() if match else ""].append(info)
    in_turn = chain.from_iterable(zip_longest(*kinds.values()))
    return list(islice((info for info in in_turn if info is not None), count))


def _list(context: JobContext) -> tuple[int, int, list[ObjectInfo]]:
    """Return how many objects are evaluated, how many are the tier's own, and those that match, by their keys."""
    one = partial(list_objects, context.store, filter=context.filter, max_objects=context.settings.max_objects)
    with ThreadPoolExecutor(_LISTED_AT_ONCE) as pool:
        found = list(pool.map(one, KeyGlob(context.filter.pattern).prefixes))
    listings = [listing for listing, _ in found]
    discovery.guard(listings, max_objects=context.settings.max_objects)
    matched = sorted(chain.from_iterable(infos for _, infos in found), key=lambda info: info.key)
    return sum(one.evaluated for one in listings), sum(one.excluded for one in listings), matched


def _look_into(context: JobContext, infos: Sequence[ObjectInfo], events: int) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Return the documents of some objects, and how many of their events have each attribute."""

    def look(info: ObjectInfo) -> tuple[dict[str, Any], Counter[str]]:
        return preview_object(info, context.store, context.reading, context.pipelines, size=SAMPLE_BYTES, events=events)

    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        found = list(pool.map(look, infos))
    return [document for document, _ in found], sum((seen for _, seen in found), Counter[str]())


def _columns(context: JobContext, seen: Counter[str]) -> list[str]:
    """Return which attributes would have a column of their own."""
    there = table.promoted_columns(context.tier) if table.exists(context.tier) else list(schema.BASE_ATTRIBUTES)
    wanted = [*processors.outputs(context.pipelines), *context.settings.promote, *(name for name, _ in seen.most_common())]
    return [*there, *missing_columns(wanted, there)]


def _sort_attributes(sample: dict[str, Any], columns: Sequence[str]) -> None:
    """Say of an object's shown attributes which fill a column and which go into the map."""
    names = {schema.attribute_name(key): None for event in sample["events"] for key in event["after"]}
    sample["columns"] = [name for name in names if name in columns]
    sample["map"] = [name for name in names if name is not None and name not in columns]
