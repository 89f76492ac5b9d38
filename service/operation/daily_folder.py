"""The folder of a day's run in the tier: in it services claim the run."""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

from transforms.storage import TierStore
from transforms.storage.json_folder import JsonFolder

ROOT = "_rekindle/daily"
DailyKind = Literal["delete", "tier"]
KINDS: tuple[DailyKind, ...] = get_args(DailyKind)
"""In this order: what is deleted need not be moved."""


def folder_of(tier: TierStore, day: date, kind: DailyKind) -> JsonFolder:
    """Return the folder of a day's run."""
    return JsonFolder(tier, f"{ROOT}/{day.isoformat()}/{kind}")
