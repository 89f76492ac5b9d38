"""The digest changes with all that changes events, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from transforms.formats.options import FormatOptions
from transforms.objects.reading import ReadSettings
from transforms.objects.reading_digest import differs, reading_digest

PLAIN = ReadSettings(task_id="one", formats=FormatOptions(), defaults=(("host", "a"), ("index", "b")))
PIPELINES: list[dict[str, Any]] = [{"name": "a", "steps": [{"set": {"output": "x", "value": "1"}}]}]
SAME = {
    "job": replace(PLAIN, task_id="two"),
    "on-error": replace(PLAIN, on_error="quarantine"),
    "max-expansion": replace(PLAIN, max_expansion=7.0),
    "order-of-defaults": replace(PLAIN, defaults=PLAIN.defaults[::-1]),
    "key": replace(PLAIN, columns=(("_iam_key_id", "k"),)),
}
OTHER = {
    "format": replace(PLAIN, formats=FormatOptions(format="json")),
    "time-field": replace(PLAIN, formats=FormatOptions(time_field=("a", "b"))),
    "order-of-time-fields": replace(PLAIN, formats=FormatOptions(time_field=("b", "a"))),
    "max-record": replace(PLAIN, formats=FormatOptions(max_record=7)),
    "default": replace(PLAIN, defaults=(("host", "a"),)),
    "key's-team": replace(PLAIN, columns=(("_iam_key_id", "k"), ("_team", "t"))),
}


@pytest.mark.parametrize("settings", SAME.values(), ids=SAME)
def test_same(settings: ReadSettings) -> None:
    assert reading_digest(settings, PIPELINES) == reading_digest(PLAIN, PIPELINES)


def test_other() -> None:
    digests = {name: reading_digest(settings, PIPELINES) for name, settings in ({"plain": PLAIN} | OTHER).items()}
    digests["pipelines"] = reading_digest(PLAIN, [])
    assert len(set(digests.values())) == len(digests), digests


def test_it_is_the_same_in_every_process() -> None:
    assert reading_digest(ReadSettings(task_id="x"), []) == "1:2b2f1c7d8c494ff2dc30421bd795a9cd"


@pytest.mark.parametrize(
    ("stored", "expected"),
    [("1:a", False), ("1:b", True), (None, False), ("0:b", False), ("12:b", False)],
    ids=["same", "other", "older-version", "older-form", "newer-form"],
)
def test_only_what_is_known_differs(stored: str | None, expected: bool) -> None:
    assert differs(stored, "1:a") is expected
