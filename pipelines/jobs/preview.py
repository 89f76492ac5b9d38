"""The preview of a job (docs/jobs.md): what it would ingest, and how it would read it.

Reads little, writes nothing, needs no Beam.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any

from pipelines.jobs import discover as discovery
from pipelines.jobs.context import JobContext
from pipelines.jobs.plan import WORK, Choice, disposition
from pipelines.jobs.report import load_ledger
from pipelines.jobs.sample import attributes_of, choose_samples, promoting_samples, read_samples
from pipelines.jobs.settings import RunSettings
from pipelines.jobs.specification import JobSpecification
from transforms import event_pipelines
from transforms.core import schema
from transforms.hot_tier.table import prepare as table
from transforms.hot_tier.table.promoted_columns import missing_columns
from transforms.objects.key_glob import KeyGlob
from transforms.objects.listing import list_objects
from transforms.objects.preview_object import preview_object
from transforms.objects.sample_object import Sample
from transforms.storage import ObjectInfo

_LISTED_AT_ONCE = 16
_DISPOSITIONS = (WORK, "known", "skipped", "archived", "empty")


def run_preview(
    specification: JobSpecification, settings: RunSettings, *, objects: int = 5, events: int = 5
) -> dict[str, Any]:
    """Look at what a job would do.

    Args:
        specification: The job.
        settings: How it would run.
        objects: How many of the matched objects are looked into, one of each kind of name first.
        events: How many events of each are shown.

    Returns:
        The document of `rekindle preview --json`: `job`, `hotTier`, `objects` (evaluated, matched, and how many of them
        are work, known, skipped, archived, empty), `bytes` (matched, work), `columns` (the table's, once the job has
        run), `samples` and `warnings`.

    Raises:
        RekindleError: the source can't be read, or the pattern makes too much to evaluate.
    """
    context = JobContext.open("preview", specification, settings)
    table.check_is_tier_or_empty(context.tier)
    discovery.prove_access(context.store, context.filter)
    evaluated, excluded, matched = _list(context)
    ledger = load_ledger(context.tier)
    choice = Choice.of(specification, settings)
    kinds = {info.key: disposition(info, ledger, choice) for info in matched}
    of_kind = {kind: [info for info in matched if kinds[info.key] == kind] for kind in _DISPOSITIONS}
    readable = of_kind[WORK] or of_kind["known"] or of_kind["skipped"]
    shown = choose_samples(readable, objects)
    sampled = promoting_samples(of_kind[WORK])
    read = list({info.key: info for info in (*shown, *sampled)}.values())
    found = dict(zip((info.key for info in read), read_samples(read, context.store, context.reading), strict=True))
    columns = _columns(context, attributes_of(found[info.key] for info in sampled))
    samples = [_show(context, found[info.key], kinds[info.key], columns, events) for info in shown]
    return {
        "job": specification.as_document(),
        "hotTier": context.settings.hot_tier,
        "objects": {
            "evaluated": evaluated,
            "matched": len(matched),
            **{kind: len(infos) for kind, infos in of_kind.items()},
        },
        "bytes": {
            "matched": sum(info.size for info in matched),
            "work": sum(info.size for info in of_kind[WORK]),
        },
        "columns": columns,
        "samples": samples,
        "warnings": [
            *([context.left_out(excluded)] if excluded else ()),
            *([] if matched else [context.nothing_matched(evaluated)]),
            *context.without_rules(),
        ],
    }


def _list(context: JobContext) -> tuple[int, int, list[ObjectInfo]]:
    """Return how many objects are evaluated, how many are the tier's own, and those that match, by their keys."""
    one = partial(list_objects, context.store, filter=context.filter, max_objects=context.settings.max_objects)
    with ThreadPoolExecutor(_LISTED_AT_ONCE) as pool:
        found = list(pool.map(one, KeyGlob(context.filter.pattern).prefixes))
    listings = [listing for listing, _ in found]
    discovery.guard(listings, max_objects=context.settings.max_objects)
    matched = sorted(chain.from_iterable(infos for _, infos in found), key=lambda info: info.key)
    return sum(one.evaluated for one in listings), sum(one.excluded for one in listings), matched


def _columns(context: JobContext, sampled: Sequence[str]) -> list[str]:
    """Return which attributes will have a column of their own, by the names that the job would sample."""
    there = table.promoted_columns(context.tier) if table.exists(context.tier) else list(schema.BASE_ATTRIBUTES)
    return [
        *there,
        *missing_columns([*event_pipelines.outputs(context.pipelines), *context.settings.promote, *sampled], there),
    ]


def _show(context: JobContext, sample: Sample, disposition: str, columns: Sequence[str], events: int) -> dict[str, Any]:
    """Return an object's document, with which of the shown attributes fill a column and which go into the map."""
    document = preview_object(sample, context.reading, context.pipelines, context.rules_by_section, events=events)
    names = {schema.attribute_name(key): None for event in document["events"] for key in event["after"]}
    return document | {
        "disposition": disposition,
        "columns": [name for name in names if name in columns],
        "map": [name for name in names if name is not None and name not in columns],
    }
