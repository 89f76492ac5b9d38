"""The launcher's part of discovery: prove that the source can be read, and refuse a job that is too much."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from transforms.core.errors import ArchivedError, RekindleError, VanishedError
from transforms.objects.discovery.listing import Listing
from transforms.objects.discovery.object_filter import ObjectFilter
from transforms.storage import ObjectStore

PROOF_PAGES = 20


def prove_access(store: ObjectStore, filter: ObjectFilter) -> None:
    """List, then read the first bytes of one match that is neither empty nor archived.

    Looks through the first 20 pages of each prefix at most; where no match is among them, reading is not proved.

    Raises:
        AccessError: the bucket can't be listed, or the match not be read; the message says why and what to do.
    """
    matcher = replace(filter, modified_after=None, modified_before=None).compile()
    for prefix in matcher.prefixes:
        for page in itertools.islice(store.list_pages(prefix), PROOF_PAGES):
            for info, number in zip(page, matcher.sources_of(page), strict=True):
                if number < 0 or info.is_empty or info.is_archived:
                    continue
                try:
                    next(store.read(info, start=0, end=1), b"")
                except (ArchivedError, VanishedError):  # the others may be readable
                    continue
                return


def guard(listings: Sequence[Listing], *, max_objects: int) -> None:
    """Refuse a job that evaluates too much.

    Raises:
        RekindleError: with the prefixes that hold the most, and a proposal.
    """
    evaluated = sum(listing.evaluated for listing in listings)
    if evaluated <= max_objects:
        return
    heaviest = sorted(
        itertools.chain.from_iterable(listing.heaviest for listing in listings), key=lambda item: -item[1]
    )[:5]
    most = ", ".join(
        f"{prefix or '(top)'} ({number:,}{'' if all(one.complete for one in listings) else '+'})"
        for prefix, number in heaviest
    )
    proposal = heaviest[0][0] if heaviest and heaviest[0][0] else "a/"
    raise RekindleError(
        f"the pattern makes more than {max_objects:,} objects to evaluate ({evaluated:,} were listed before it "
        f"stopped); the most lie under {most}. "
        f"Nothing was ingested: run a job for each part, such as --pattern '{proposal}**', or raise --max-objects"
    )
