"""Rows of events: what a list shows of each, with columns of one's choice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pipelines.documents import JsonObject
from service.pages.explore.levels import meaning_of
from service.pages.explore.texts import marked
from transforms.hot_tier.search.rows import field_value
from transforms.query.instants import format_instant
from transforms.query.syntax import Field


def shown_row(row: JsonObject, columns: Sequence[Field], words: re.Pattern[str] | None = None) -> JsonObject:
    """Return what a row of the list shows, its message with words marked, and by what its event is found."""
    level, status = str(row.get("level", "")), str(row.get("status", ""))
    kinds = {meaning_of(level), meaning_of(status), "error" if row.get("_error") is not None else ""}
    text = row.get("_message") or row.get("_error") or ""
    return {
        "time": row["_time"],
        "event": {"id": row.get("_event_id", ""), "time": format_instant(row["_time"])},
        "cells": [shown_value(field_value(row, field)) for field in columns],
        "text": text,
        "parts": marked(text, words),
        "kind": next((kind for kind in ("error", "warning") if kind in kinds), ""),
    }


def shown_value(value: Any) -> str:
    """Return a value as text; empty where there is none."""
    if isinstance(value, datetime):
        return format_instant(value)
    return "" if value is None else str(value)
