"""The processors that leave events out: `drop` and `sample` (docs/pipelines.md)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from transforms.arrow import Flags
from transforms.arrow.arrays import as_flags
from transforms.processors.kernels.events import Events
from transforms.processors.parameters import Parameters
from transforms.processors.processor import Processor
from transforms.query import Expr

_EVENT_ID = "_event_id"
_HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Drop(Processor):
    """Leave out the events that satisfy a condition, or all."""

    name: ClassVar[str] = "drop"

    when: Expr | None = None

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `when`."""
        parameters.allow("when")
        return cls(parameters.condition())

    def apply(self, events: Events) -> Flags | None:
        """Drop them all: they are those that satisfy the condition."""
        events.drop(np.ones(len(events), np.bool_))
        return None


@dataclass(frozen=True, slots=True)
class SampleByHash(Processor):
    """Keep a share of the events, the same ones at every run and on every machine, and drop the rest.

    Attributes:
        keep: The share, 0 to 1.
        by: Column in flight; events with the same value stay or go together. None is each by its own id, as it is for
            events without a value.
    """

    name: ClassVar[str] = "sample"

    keep: float
    by: str | None = None

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `keep` and `by`."""
        parameters.allow("keep", "by")
        return cls(parameters.share("keep"), parameters.source("by") if "by" in parameters.values else None)

    def apply(self, events: Events) -> Flags | None:
        """Drop the events whose hash is not below the share."""
        keys = _keys(events, self.by)
        if keys is not None:
            distinct = keys.unique()
            kept = pl.Series([share_of(key) < self.keep * 256**_HASH_BYTES for key in distinct], dtype=pl.Boolean)
            events.drop(~as_flags(keys.replace_strict(distinct, kept, return_dtype=pl.Boolean)))
        return None


def _keys(events: Events, by: str | None) -> pl.Series | None:
    """Return what decides about each event: its value, or else its id."""
    ids = events.texts(_EVENT_ID)
    values = None if by is None else events.texts(by)
    if values is None or ids is None:
        return ids if values is None else values
    keys: pl.Series = values.zip_with(values.is_not_null(), ids)
    return keys


def share_of(key: str) -> int:
    """Return the first eight bytes of BLAKE2b (RFC 7693, with a digest of eight bytes), as a number."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=_HASH_BYTES).digest(), "big")
