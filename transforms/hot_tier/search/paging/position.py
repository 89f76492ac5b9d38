"""Where an event stands among all events of a tier: by its time, its object and record, and at last its row.

The ids of one object's events begin alike and end with the record's number (docs/events.md), so events of one time come
in the order in which their object has them. Events that were ingested twice (`--force`) have one id; their file and row
tell them apart.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import orjson
import polars as pl

from transforms.core.errors import ConfigurationError

TIME = "_time"
ID = "__id"
FILE = "__file"
ROW = "__row"
_OBJECT, _LENGTH = "__object", "__length"
_ORDER = (TIME, _OBJECT, _LENGTH, ID, FILE, ROW)
KEY_COLUMNS = _ORDER[1:]
"""What `with_keys` adds to a frame."""
_NUMBER = re.compile(r"-[0-9]+\Z")
_MOST_MICROSECONDS = 1 << 62


@dataclass(frozen=True, kw_only=True)
class EventPosition:
    """An event's place.

    Attributes:
        time: Its `_time`, in microseconds since 1970 UTC.
        event_id: Its `_event_id`; empty where another writer's file has none.
        file: The number of its file (`file_number`).
        row: Its row in the file.
    """

    time: int
    event_id: str
    file: int
    row: int


@dataclass(frozen=True)
class PageCursor:
    """Between which two events a page begins: behind an event in the order of the page, or, backwards, before it."""

    position: EventPosition
    backwards: bool = False

    @property
    def token(self) -> str:
        """The cursor as text that may stand in a URL."""
        place = self.position
        parts = [int(self.backwards), place.time, place.event_id, place.file, place.row]
        return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")

    @classmethod
    def parse(cls, token: str) -> PageCursor:
        """Return the cursor that a token was made of.

        Raises:
            ConfigurationError: it is no such token.
        """
        try:
            parts = orjson.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        except (binascii.Error, ValueError) as error:
            raise _refused(token) from error
        if not isinstance(parts, list) or [type(part) for part in parts] != [int, int, str, int, int]:
            raise _refused(token)
        backwards, time, event_id, file, row = parts
        if backwards not in (0, 1) or max(map(abs, (time, file, row))) >= _MOST_MICROSECONDS:
            raise _refused(token)
        return cls(EventPosition(time=time, event_id=event_id, file=file, row=row), backwards=bool(backwards))


def file_number(path: str) -> int:
    """Return a number by which files are ordered: the same at any time, whatever other files there are."""
    return int.from_bytes(blake2b(path.encode(), digest_size=6).digest(), "big")


def with_keys(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame that has TIME, ID, FILE and ROW with the other columns by which it is ordered."""
    return frame.with_columns(
        pl.col(ID).str.replace(r"-[0-9]+$", "").alias(_OBJECT), pl.col(ID).str.len_bytes().cast(pl.Int64).alias(_LENGTH)
    )


def in_order(frame: pl.DataFrame, *, oldest_first: bool) -> pl.DataFrame:
    """Return a frame with keys in the order of time, or against it."""
    return frame.sort(list(_ORDER), descending=not oldest_first)


def behind(position: EventPosition, *, oldest_first: bool) -> pl.Expr:
    """Return the condition that a row with keys comes after a position."""
    found = pl.lit(value=False)
    for column, value in reversed(list(zip(_ORDER, _values(position), strict=True))):
        key = pl.col(column).to_physical() if column == TIME else pl.col(column)
        found = (key > value if oldest_first else key < value) | ((key == value) & found)
    return found


def position_of(frame: pl.DataFrame, row: int) -> EventPosition:
    """Return the position of a row of a frame with keys."""
    time = frame.get_column(TIME).to_physical()[row]
    event_id, file, number = (frame.get_column(name)[row] for name in (ID, FILE, ROW))
    return EventPosition(time=time, event_id=event_id, file=file, row=number)


def _values(position: EventPosition) -> Sequence[int | str]:
    event_id = position.event_id
    return (
        position.time,
        _NUMBER.sub("", event_id),
        len(event_id.encode()),
        event_id,
        position.file,
        position.row,
    )


def _refused(token: str) -> ConfigurationError:
    shown = token if len(token) <= 80 else token[:80] + "…"
    return ConfigurationError(
        f'"{shown}" is not a cursor that a search has returned: begin without one', field="cursor"
    )
