"""Whether a hot tier is at a place, or may be made there (spec §8); what every command asks first, so it imports
little.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator

import orjson
from deltalake import DeltaTable

from transforms.core.errors import AccessError, TierError
from transforms.hot_tier.table.delta import EVENTS
from transforms.storage import StorageOptions, TierStore, open_tier

MARKER = "_rekindle/tier.json"
PRODUCT = "rekindle"
FORMAT = 1
"""Raised when an older version could no longer read or write the tier rightly."""

_LEFT_ALONE = ("_rekindle", "lost+found")


def exists(tier: TierStore) -> bool:
    """Whether a hot tier is here, complete: its marker and its table."""
    return tier.exists(MARKER) and bool(
        DeltaTable.is_deltatable(tier.table_uri(EVENTS), storage_options=tier.delta_options())
    )


def check_is_tier_or_empty(tier: TierStore) -> None:
    """Check that a hot tier is here, or may be made here.

    Raises:
        TierError: the place is a file, holds other things, or a tier of another product or of a newer version.
    """
    if tier.local_path is not None and tier.local_path.exists() and not tier.local_path.is_dir():
        raise TierError(f"hot tier {tier.uri}: this is a file; name a folder that is empty or does not exist yet")
    try:
        check_marker(tier, tier.get(MARKER))
    except FileNotFoundError:
        _check_vacant(tier)


def open_existing_tier(uri: str, options: StorageOptions) -> TierStore:
    """Return the place of a hot tier that a launcher has prepared, as its workers open it, perhaps on another machine.

    Raises:
        TierError: there is none here; else a worker would write where nobody looks.
    """
    tier = open_tier(uri, options)
    worker = f"the worker on {socket.gethostname()}"
    try:
        there = tier.exists(MARKER)
    except (AccessError, TierError) as error:
        raise type(error)(
            f"{error} (so says {worker}; a worker's credentials and profiles are its own machine's)"
        ) from error
    if not there:
        raise TierError(
            f"hot tier {uri}: {worker} does not find it. Workers of a cluster take a hot tier on S3, or a "
            "folder that is mounted on every machine"
        )
    return tier


def check_marker(tier: TierStore, text: bytes) -> None:
    """Check what a tier's marker says.

    Raises:
        TierError: it is another product's, or a newer version's.
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
            f"hot tier {tier.uri}: it was made by a newer version ({marker.get('version', 'unknown')}, format {number}); this one, "
            f"{schema.VERSION}, knows format {FORMAT}: install the newer version, or name another folder"
        )


def _check_vacant(tier: TierStore) -> None:
    """Refuse a place that holds anything: a tier's marker is written before all else."""
    for name in _top_names(tier):
        if name in _LEFT_ALONE or name.startswith("."):
            continue
        found = (
            "there is a table of another product"
            if name in ("_delta_log", EVENTS, "audit")
            else "it holds other things"
        )
        raise TierError(f"hot tier {tier.uri}: {found} ({name}); name a folder that is empty or does not exist yet")


def _top_names(tier: TierStore) -> Iterator[str]:
    if tier.local_path is not None:
        yield from sorted(path.name for path in tier.local_path.iterdir()) if tier.local_path.is_dir() else ()
    else:
        yield from (file.path.partition("/")[0] for file in itertools.islice(tier.list(""), 1000))
