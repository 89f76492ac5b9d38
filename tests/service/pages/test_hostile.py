"""Absurd parameters and hostile names on every page that takes or lists them: an answer, and never another's markup."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import pytest

from service.pages.explore.question import term
from service.pages.rendering import UNSEEN
from tests.service.conftest import Api, make_api
from tests.service.pages.conftest import DAY, HOSTILE, browser, read
from tests.service.pages.test_doors import CLOSED, address_of
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.core.errors import ConfigurationError
from transforms.hot_tier.configuration.holds import add_hold
from transforms.hot_tier.configuration.pipelines import set_pipelines
from transforms.hot_tier.configuration.rules import set_rules
from transforms.hot_tier.configuration.searches import load_searches, save_search
from transforms.hot_tier.configuration.store import load_configuration
from transforms.query.syntax import Field
from transforms.storage import TierStore

LOOKS = [path for method, path in CLOSED if method == "GET"]
MANY = ",".join(f"n{number}" for number in range(6_000))
TYPED = re.compile(r' (?:value|data-text)="[^"]*"|<textarea.*?</textarea>', re.DOTALL)
"""What was typed, and what is to be, stays as it is."""
ABSURD = [
    {"columns": MANY},
    {"facets": MANY},
    {"columns": "`", "facets": "`a", "query": "a"},
    {"cursor": "x"},
    {"cursor": "eyJ0IjoxfQ"},
    {"cursor": "\x00", "query": "\x00"},
    {"from": "yesterday", "to": "-"},
    {"from": "9999-12-31T23:59:59.999999Z", "query": "a"},
    {"from": "0001-01-01T00:00:00+14:00", "to": "9999-12-31T23:59:59-14:00"},
    {"last": "99999999999999999d"},
    {"last": "0s", "tier": "none"},
    {"query": "(" * 5_000},
    {"query": "NOT " * 5_000 + "a"},
    {"query": 'a="'},
    {"query": "/(a+)+$/", "by": "`"},
    {"by": "x" * 10_000, "query": "*"},
    {"id": "x", "time": "2025-01-01T00:00:00Z"},
    {"id": "../../etc/passwd", "time": "0001-01-01T00:00:00+14:00", "scope": "all", "before": "٣"},
    {"id": "\x00", "time": "9999-12-31T23:59:59.999999-14:00", "before": "-1"},
    {"name": "#nothing", "prefix": "\x00", "before": "`" * 3_000},
    {"name": HOSTILE, "prefix": HOSTILE, "before": HOSTILE, "query": HOSTILE, "by": HOSTILE, "columns": HOSTILE},
    {"filter": HOSTILE, "part": "٣", "format": HOSTILE, "saved": HOSTILE, "deleted": HOSTILE},
    {"version": HOSTILE, "status": HOSTILE, "sort": HOSTILE, "search": HOSTILE, "key": HOSTILE, "next": HOSTILE},
    {"version": "999999999999999", "saved": "9" * 400, "part": "99999999"},
    {"version": "-1", "key": "x" * 5_000, "search": "\ud800".encode("utf-16", "surrogatepass").decode("latin-1")},
    {"bucket": HOSTILE, "pattern": HOSTILE, "show": "1", "exclude": "[", "source": HOSTILE},
    {"bucket": "b", "pattern": "{" * 200, "format": "x", "timezone": HOSTILE},
]


def check_markup(answer: Any, path: str, *, is_part: bool = True) -> None:
    """Check that a page has nobody else's markup, and no character that is not seen."""
    if "text/html" in answer.headers.get("Content-Type", ""):
        assert "<script>alert" not in answer.text, path
        assert not [one for one in UNSEEN.findall(TYPED.sub("", answer.text)) if one != "\r"], path
        if not is_part:
            read(answer.text)


@pytest.mark.parametrize("number", range(len(ABSURD)))
def test_absurd_parameters_are_answered(filled: Api, number: int) -> None:
    asked = ABSURD[number]
    with browser(filled) as client:
        for path in LOOKS:
            for headers in ({}, {"HX-Request": "true"}):
                answer = client.get(address_of(path), params=asked, headers=headers)
                assert answer.status_code in (200, 303, 400, 403, 404, 413, 414), (path, answer.status_code)
                check_markup(answer, path, is_part=bool(headers))


NAMES = [
    HOSTILE,
    "<script>alert(1)<b>",
    "../../etc/passwd",
    "x" * 300,
    "a\x00b",
    "'; DROP --",
    "=cmd|' /C calc'!A1",
    "\u2028\u202e\ufeff",
]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Api:
    """A service whose searches, holds, rules, pipelines, keys, jobs and events have names that mean harm."""
    api = make_api(tmp_path_factory.mktemp("named"))
    tier = api.service.tier
    Tier(tier).add([event(DAY, name, host=name, level=name, **{name.replace("\x00", "0"): name}) for name in NAMES])
    for name in NAMES:
        with suppress(ConfigurationError):
            save_search(tier, name, {"query": term("host", name), "by": str(Field(name))}, expected=None)
        api.ask("POST", "/upload", files={"file": (name, b"2025-01-01 00:00:00 x\n")})
        with suppress(ConfigurationError):
            add_hold(tier, name=name, when=term("host", name), description=name)
        with suppress(ConfigurationError):
            make_hostile_rules(tier, name)
        api.ask("POST", "/ingest", json={"bucket": "file:///" + name, "pattern": name, "source": name})
    with suppress(ConfigurationError):
        set_pipelines(tier, "pipelines: []\n# " + HOSTILE.replace("\x1b", ""), file="pipelines.yaml")
    return api


def make_hostile_rules(tier: TierStore, text: str) -> None:
    """Set a rule whose description and query are a text; its name may not be one."""
    rule = {"name": "a", "retention": "1d", "when": term("host", text), "description": text}
    set_rules(tier, json.dumps({"rules": [rule]}), file="rules.yaml")


def test_hostile_names_stay_texts_wherever_they_are_listed(named: Api) -> None:
    tier = named.service.tier
    assert len(load_searches(tier).searches) >= 2
    assert len(load_configuration(tier).holds) >= 3
    jobs = named.ask("GET", "/jobs").json()["jobs"]
    assert jobs
    asked: list[tuple[str, dict[str, str]]] = [(address_of(path), {}) for path in LOOKS]
    asked += [(f"/pages/jobs/{job['taskId']}", {}) for job in jobs]
    asked += [("/explore", {"query": "*", "columns": "host,level"}), ("/explore/facets", {"facets": "host,level"})]
    asked += [("/explore/field", {"name": "host"}), ("/explore/fields", {}), ("/pages/pipelines", {"query": "*"})]
    asked += [("/explore/complete", {"before": "host="}), ("/explore/histogram", {"by": "host"})]
    with browser(named) as client:
        for path, parameters in asked:
            for headers in ({}, {"HX-Request": "true"}):
                answer = client.get(path, params=parameters, headers=headers)
                assert answer.status_code in (200, 303, 400, 404), (path, answer.text)
                check_markup(answer, path, is_part=bool(headers))
