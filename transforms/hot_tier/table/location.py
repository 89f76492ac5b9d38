"""Whether a location holds a hot tier, or may; every command checks it first, so this imports little."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator

import orjson
from deltalake import DeltaTable

from transforms.core.errors import AccessError, TierError
from transforms.hot_tier.table.delta import EVENTS
from transforms.storage import TierLocation, TierStore

MARKER = "_rekindle/tier.json"
PRODUCT = "rekindle"
FORMAT = 2
"""Raised when older versions can no longer read or write the tier correctly, or this one an older tier.

2: an attribute has one place in the whole table, and what files keep in their maps is known (decision 22); the ledger
is a chain of commits, and folded (decision 23).
"""

_LEFT_ALONE = ("_rekindle", "lost+found")


def exists(tier: TierStore) -> bool:
    """Whether a complete hot tier is here: its marker and its table."""
    return tier.exists(MARKER) and bool(
        DeltaTable.is_deltatable(tier.table_uri(EVENTS), storage_options=tier.delta_options())
    )


def check_is_tier_or_empty(tier: TierStore) -> None:
    """Check that the location holds a hot tier, or is empty so that one can be created.

    Raises:
        TierError: it is a file, or holds other things, a tier of another product or of a newer version.
    """
    if tier.local_path is not None and tier.local_path.exists() and not tier.local_path.is_dir():
        raise TierError(f"hot tier {tier.uri}: this is a file; name a folder that is empty or does not exist yet")
    try:
        check_marker(tier, tier.get(MARKER))
    except FileNotFoundError:
        try:
            _check_empty(tier)
        except TierError:
            if not tier.exists(MARKER):
                raise
            check_marker(tier, tier.get(MARKER))  # another process has made the tier meanwhile


def open_existing_tier(location: TierLocation) -> TierStore:
    """Open a hot tier that a launcher has prepared, as its workers do, perhaps on another machine.

    Raises:
        TierError: there is none here; a worker must not write where nobody looks.
    """
    tier = location.open()
    worker = f"the worker on {socket.gethostname()}"
    try:
        is_there = tier.exists(MARKER)
    except (AccessError, TierError) as error:
        raise type(error)(
            f"{error} (on {worker}, which takes credentials and profiles from its own machine)"
        ) from error
    if not is_there:
        raise TierError(
            f"hot tier {location.uri}: {worker} does not find it. For workers of a cluster name a hot tier on S3, "
            "or a folder that is mounted on every machine"
        )
    return tier


def check_marker(tier: TierStore, text: bytes) -> None:
    """Check that a tier's marker is Rekindle's, and of the format that this version writes.

    Raises:
        TierError: it is another product's, or of another format.
    """
    try:
        marker = orjson.loads(text)
        product, number = marker["product"], int(marker["format"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise TierError(
            f"hot tier {tier.uri}: {MARKER} is not what Rekindle writes ({error}); name another folder"
        ) from error
    if product != PRODUCT:
        raise TierError(f"hot tier {tier.uri}: this is a table of another product ({product}); name another folder")
    if number > FORMAT:
        from transforms.core import schema

        raise TierError(
            f"hot tier {tier.uri}: it was made by a newer version ({marker.get('version', 'unknown')}, format "
            f"{number}); this one, {schema.VERSION}, knows format {FORMAT}: install the newer version, or name another "
            "folder"
        )
    if number < FORMAT:
        raise TierError(
            f"hot tier {tier.uri}: it was made by an older version ({marker.get('version', 'unknown')}, format "
            f"{number}), which may keep an attribute in a column here and in a map there: ingest the objects again "
            "into another folder, and remove this one"
        )


def _check_empty(tier: TierStore) -> None:
    """Refuse a location that holds anything: a tier's marker is written first."""
    for name in _top_names(tier):
        if name in _LEFT_ALONE or name.startswith("."):
            continue
        is_table = name in ("_delta_log", EVENTS, "audit")
        found = "there is a table of another product" if is_table else "it holds other things"
        raise TierError(f"hot tier {tier.uri}: {found} ({name}); name a folder that is empty or does not exist yet")


def _top_names(tier: TierStore) -> Iterator[str]:
    if tier.local_path is not None:
        yield from sorted(path.name for path in tier.local_path.iterdir()) if tier.local_path.is_dir() else ()
    else:
        yield from (file.path.partition("/")[0] for file in itertools.islice(tier.list(""), 1000))
