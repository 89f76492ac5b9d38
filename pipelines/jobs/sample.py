"""Which objects are looked into before a job, for the columns that it promotes and for the preview alike."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice, zip_longest
from typing import TypeVar

from transforms.objects.event_shaping import ShapingSettings, shape_events
from transforms.objects.reading import ReadSettings
from transforms.objects.sampling.sample_object import Sample, count_attributes, sample_object
from transforms.storage import ObjectInfo, ObjectStore

_SAMPLED_OBJECTS, _OF_EACH = 32, 3
SAMPLE_BYTES = 256 << 10
"""Enough for the first block of any codec but raw Snappy; of an object no more is read."""
_READ_AT_ONCE = 8
_T = TypeVar("_T")
_NOTHING = object()
_KIND = re.compile(r"(?:\.[A-Za-z][A-Za-z0-9]*){0,2}\Z")


def choose_samples(infos: Iterable[ObjectInfo], count: int, *, of_each: int | None = None) -> list[ObjectInfo]:
    """Return some objects, of each folder and kind of name (`.log.gz`, `.json`) one before a second of any.

    Of each folder and kind they are spread from the first to the last.

    Args:
        infos: The objects, in the order of their keys.
        count: How many.
        of_each: How many of each folder and kind at most; None for no limit.
    """
    kinds: dict[str, dict[str, list[ObjectInfo]]] = defaultdict(lambda: defaultdict(list))
    for info in infos:
        kinds[_kind(info.key)][info.key.rpartition("/")[0]].append(info)
    folders = _round_robin([_spread(list(of_kind.values()), count) for of_kind in kinds.values()])
    return list(islice(_round_robin([objects[:of_each] for objects in folders]), count))


def _round_robin(sequences: Sequence[Sequence[_T]]) -> Iterator[_T]:
    """Yield the first element of each sequence, then the second of each."""
    return (item for row in zip_longest(*sequences, fillvalue=_NOTHING) for item in row if item is not _NOTHING)  # type: ignore[misc]


def _spread(items: Sequence[_T], count: int) -> list[_T]:
    """Return at most so many items, from the first to the last at equal distances."""
    return [items[len(items) * number // count] for number in range(count)] if len(items) > count else list(items)


def promoting_samples(work: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """Return the objects whose attributes a job gives columns, a few of each folder and kind: they may differ."""
    return choose_samples(work, _SAMPLED_OBJECTS, of_each=_OF_EACH)


def read_samples(infos: Sequence[ObjectInfo], store: ObjectStore, settings: Sequence[ReadSettings]) -> list[Sample]:
    """Return the beginnings of some objects, read side by side, each as its source's settings have it."""
    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        return list(pool.map(lambda info: sample_object(info, store, settings[info.source], size=SAMPLE_BYTES), infos))


def attributes_of(samples: Iterable[Sample], shaping: Sequence[ShapingSettings] = (ShapingSettings(),)) -> list[str]:
    """Return the names of the attributes that events of some samples are stored with, those of most events first."""
    seen: Counter[str] = Counter()
    for batch in chain.from_iterable(sample.batches for sample in samples):
        settings = shaping[batch.source]
        seen += count_attributes(shape_events(batch, settings).events if settings.pipelines else batch.events)
    return [name for name, _ in seen.most_common()]


def _kind(key: str) -> str:
    match = _KIND.search(key)
    return match[0].lower() if match else ""
