"""The promoted attributes' columns: which get one, and the commit that adds them (decisions 6 and 22)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transforms.core import schema
from transforms.hot_tier.table.commit import Attempts, commit
from transforms.hot_tier.table.delta import flush_log
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore


@dataclass(frozen=True)
class ColumnChoice:
    """Which attributes have a column, and which have none though they could.

    Attributes:
        columns: All that have one now, in the table's order.
        added: Those that got it.
        in_maps: Those that stay in the map, because files keep them there.
        no_room: Those for which the table had no room.
    """

    columns: tuple[str, ...]
    added: tuple[str, ...] = ()
    in_maps: tuple[str, ...] = ()
    no_room: tuple[str, ...] = ()


def promote_new(
    tier: TierStore,
    names: Iterable[str],
    *,
    limit: int | None = schema.PROMOTED_LIMIT,
    known: Snapshot | None = None,
) -> ColumnChoice:
    """Add columns for attributes that no file keeps in its map, in this order, until the table has `limit` of them.

    Names that can't be columns, that exist, or that differ from one only in case are left out. Other processes may do
    the same at the same time.

    Args:
        tier: The hot tier.
        names: The attributes.
        limit: How many columns the table may have for attributes; None for as many as are named.
        known: A snapshot of the table, on which the first attempt is made; none is loaded where that is enough.
    """
    requested = list(names)
    added: set[str] = set()
    first = [known] if known is not None else []
    attempts = Attempts(tier, "its columns can't be added", lambda tier: first.pop() if first else Snapshot.load(tier))
    for snapshot in attempts:
        choice = choose_columns(snapshot, requested, limit)
        if not choice.added:
            break
        added.update(choice.added)
        with attempts.unless_refused():
            commit(snapshot, transactions=(), columns=choice.added)
            flush_log(tier, snapshot.version + 1)
    there = tuple(name for name in choice.columns if name in added)
    return ColumnChoice(choice.columns, there, choice.in_maps, choice.no_room)


def choose_columns(snapshot: Snapshot, names: Iterable[str], limit: int | None = schema.PROMOTED_LIMIT) -> ColumnChoice:
    """Return which attributes would get a column, and which would not."""
    missing = missing_columns(names, snapshot.columns)
    in_maps = [name for name in missing if snapshot.is_in_maps(name)]
    new = [name for name in missing if name not in in_maps]
    room = len(new) if limit is None else max(0, limit - len(snapshot.columns))
    return ColumnChoice(tuple(snapshot.columns), tuple(new[:room]), tuple(in_maps), tuple(new[room:]))


def missing_columns(names: Iterable[str], there: Sequence[str], limit: int | None = None) -> list[str]:
    """Return which attributes could get a column beside the existing ones, up to a limit of all."""
    taken = {
        name.lower() for name in (*there, *schema.SYSTEM_COLUMNS, *schema.PARTITION_COLUMNS, schema.ATTRIBUTES_COLUMN)
    }
    missing: list[str] = []
    for name in names:
        if limit is not None and len(there) + len(missing) >= limit:
            break
        if schema.can_be_column(name) and name.lower() not in taken:
            taken.add(name.lower())
            missing.append(name)
    return missing
