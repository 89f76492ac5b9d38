"""The columns that make events of an object's records: ids, system columns, defaults."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timezone

import polars as pl
import pyarrow as pa

from transforms.arrow.arrays import constant
from transforms.core import schema
from transforms.storage import ObjectInfo

_FEW = 64
"""So few ids are quicker made one by one (5 µs against 24 for six)."""


def event_id_prefix(info: ObjectInfo) -> str:
    """Return what the ids of an object's events begin with.

    `e_`, 26 characters (Base32 of a 128-bit BLAKE2b hash of the object's identity), and `-`; a record's ordinal
    follows.
    """
    return id_prefix(*info.identity)


def id_prefix(*identity: object) -> str:
    """Return what the ids of events begin with, by the identity of what they are read from."""
    digest = hashlib.blake2b("\0".join(map(str, identity)).encode("utf-8", "surrogateescape"), digest_size=16).digest()
    return "e_" + base64.b32encode(digest).decode().rstrip("=") + "-"


class EventColumns:
    """Stamps the records of one object, block after block; ids go on counting over them.

    Attributes:
        next: The ordinal of the record that comes next.
    """

    def __init__(
        self,
        info: ObjectInfo,
        *,
        format_name: str,
        task_id: str,
        receiver: str,
        defaults: Mapping[str, str],
        system: Mapping[str, str],
        first: int = 0,
        day_first: bool = False,
    ) -> None:
        """Prepare for an object.

        Args:
            info: The object.
            format_name: What it is read as.
            task_id: The job, for `_correlation_id`.
            receiver: How it came, for `_receiver`.
            defaults: Attributes for events that don't carry their own.
            system: Further system columns, those of the IAM key.
            first: The ordinal of the first record that comes.
            day_first: Whether its lines have the day before the month.
        """
        self._info = info
        self._prefix = event_id_prefix(info)
        self.next = first
        self._day_first = day_first
        self._constants = {
            "_receiver": receiver,
            "_collector": schema.PRODUCT,
            "_processor": schema.PRODUCT,
            "_correlation_id": task_id,
            "_object": info.uri,
            "_format": format_name,
            **system,
            "filename": info.key,
            **defaults,
        }

    def stamp(self, records: pa.RecordBatch) -> schema.EventBatch:
        """Add ids, system columns and defaults to a block of records."""
        rows = records.num_rows
        columns = dict(zip(records.schema.names, records.columns, strict=True))
        columns["_event_id"] = _event_ids(self._prefix, self.next, rows)
        columns["_observed_at"] = pa.repeat(pa.scalar(datetime.now(timezone.utc), schema.TIME), rows)
        self.next += rows
        events = fill_defaults(columns, self._constants, rows)
        return schema.EventBatch(events, self._info.modified, self._day_first, source=self._info.source)


def fill_defaults(columns: Mapping[str, pa.Array], defaults: Mapping[str, str], rows: int) -> pa.RecordBatch:
    """Return columns as a batch, with a value by default for each row that lacks one."""
    filled = dict(columns)
    for name, value in defaults.items():
        if name not in filled:
            filled[name] = constant(value, rows)
        elif filled[name].null_count:
            filled[name] = _fill(filled[name], value)
    return pa.RecordBatch.from_arrays(list(filled.values()), names=list(filled))


def _event_ids(prefix: str, first: int, rows: int) -> pa.Array:
    if rows <= _FEW:
        return pa.array([f"{prefix}{number}" for number in range(first, first + rows)], schema.TEXT)
    numbers = pl.int_range(first, first + rows, eager=True).cast(pl.String)
    return (pl.Series("", [prefix]) + numbers).to_arrow(compat_level=pl.CompatLevel.newest())


def _fill(column: pa.Array, value: str) -> pa.Array:
    return pl.from_arrow(column).fill_null(value).to_arrow(compat_level=pl.CompatLevel.newest())
