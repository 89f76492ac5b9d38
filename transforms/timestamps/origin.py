"""Where a time was found: for the preview, which shows it to people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

import polars as pl
import pyarrow as pa

from transforms.timestamps.detection import first_stamps, without_colours
from transforms.timestamps.fields.known_fields import COMMON, ZONES, plain_name
from transforms.timestamps.records import record_times


def first_stamp(message: str) -> str | None:
    """Return the text of a line's first stamp."""
    stamp: str | None = first_stamps(without_colours(pl.Series([message]))).item()
    return stamp


def time_field(
    attributes: Mapping[str, pa.Array], time: pa.Array, *, timezone: str, modified: datetime, received: datetime
) -> str | None:
    """Return which attribute of one event its time comes from.

    Args:
        attributes: Name -> the one value, in the order of the record.
        time: The event's time, one value.
        timezone: IANA name that holds where a value has no zone.
        modified: When the object was last modified.
        received: When Rekindle read it.

    Returns:
        The first name by the order of the common names, then from the left, whose value alone gives that time;
        `date time` if these two do together, and so for a day and the time of day right of it; None if none does.
    """
    ranked = sorted(attributes, key=_rank)
    pairs: list[tuple[str, ...]] = [(name,) for name in ranked]
    zones = {name: attributes[name] for name in ranked if plain_name(name) in ZONES}
    lower = {name.lower(): name for name in reversed(ranked)}
    if {"date", "time"} <= lower.keys():
        pairs.insert(0, (lower["date"], lower["time"]))
    pairs.extend(pairwise(attributes))
    for names in pairs:
        columns = {name: attributes[name] for name in names} | zones
        found = record_times(columns, timezone=timezone, modified=modified, received=received, csv=True)
        if found is not None and found.equals(time):
            return " ".join(names)
    return None


def _rank(name: str) -> int:
    plain = plain_name(name)
    return COMMON.index(plain) if plain in COMMON else len(COMMON)
