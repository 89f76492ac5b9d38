"""Pipelines, rules and holds of the tier, deletions and restores by the API."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.keys import list_keys
from tests.service.conftest import Api
from tests.service.test_jobs import run_here
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.hot_tier.configuration.holds import add_hold
from transforms.hot_tier.configuration.store import Configuration, load_configuration
from transforms.storage import TierStore

PIPELINES = "pipelines:\n  - name: {name}\n    steps: [{{set: {{output: team, value: web}}}}]\n"
RULES = "rules:\n  - {{name: {name}, retention: 1d, when: 'host=h'}}\n"
FILES = {"pipelines": PIPELINES, "rules": RULES}


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.api.administration.deletions.run_in_process", run_here)


def actor(api: Api, role: str) -> str:
    """Return what the audit calls the key of a role."""
    return f"{role} (key {next(key.id for key in list_keys(api.service.tier) if key.role == role)})"


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_kept_in_versions(api: Api, kind: str) -> None:
    admin, reader = api.key("admin"), api.key("read")
    nothing = api.ask("GET", f"/{kind}", token=reader)
    assert nothing.json() == {"version": 0, "file": None, "text": None, "sha256": None, "setAt": None, "who": None}
    texts = [FILES[kind].format(name=name) for name in ("first", "second")]
    for number, text in enumerate(texts, 1):
        answer = api.ask("PUT", f"/{kind}", token=admin, json={"text": text, "file": "f.yaml"})
        assert (answer.status_code, answer.headers["ETag"]) == (200, f'"{number}"'), answer.text
        assert (answer.json()["version"], answer.json()["who"]) == (number, actor(api, "admin"))
    api.ask("PUT", "/holds", token=admin, json={"holds": [{"name": "h", "when": "user=ann"}]})
    shown = api.ask("GET", f"/{kind}", token=reader)
    assert (shown.headers["ETag"], shown.json()["text"], shown.json()["file"]) == ('"3"', texts[1], "f.yaml")
    assert shown.json()["who"] == actor(api, "admin")
    first = api.ask("GET", f"/{kind}?version=1", token=reader).json()
    assert (first["version"], first["text"]) == (1, texts[0])
    versions = api.ask("GET", f"/{kind}/versions", token=reader).json()["versions"]
    assert [(one["version"], one["kind"], one["who"]) for one in versions] == [
        (2, f"{kind}_set", actor(api, "admin")),
        (1, f"{kind}_set", actor(api, "admin")),
    ]
    assert len(api.ask("GET", f"/{kind}/versions?limit=1", token=reader).json()["versions"]) == 1


@pytest.mark.parametrize("kind", FILES)
def test_of_two_who_change_one_version_one_succeeds(api: Api, kind: str) -> None:
    def put(name: str, match: str) -> Any:
        return api.ask("PUT", f"/{kind}", headers={"If-Match": match}, json={"text": FILES[kind].format(name=name)})

    assert put("a", '"0"').status_code == 200
    late = put("b", '"0"')
    assert (late.status_code, late.json()["error"]["field"]) == (412, "If-Match")
    assert "is at version 1" in late.text
    assert [put("b", '"1"').status_code, put("c", "*").status_code, put("d", 'W/"3"').status_code] == [200, 200, 200]


def test_holds_are_set_and_lifted(api: Api) -> None:
    tier = Tier(api.service.tier)
    tier.add([event("2025-01-01T00:00:00", "m")])
    admin = api.key("admin")

    def put(*names: str, when: str = "user=ann", **headers: str) -> Any:
        holds = [{"name": name, "when": when, "description": "why"} for name in names]
        return api.ask("PUT", "/holds", token=admin, json={"holds": holds}, headers=headers)

    first = put("a", "b")
    assert [(hold["name"], hold["when"], hold["description"]) for hold in first.json()["holds"]] == [
        ("a", "user=ann", "why"),
        ("b", "user=ann", "why"),
    ]
    assert {hold["who"] for hold in first.json()["holds"]} == {actor(api, "admin")}
    refused = put("b", "c")
    assert (refused.status_code, refused.json()["error"]["field"]) == (428, "If-Match")
    assert put("b", "c", **{"If-Match": '"1"'}).status_code == 412
    other = put("a", "b", when="user=bob")
    assert (other.status_code, "there is a hold 'a' already, when user=ann" in other.text) == (400, True)
    done = put("b", "c", **{"If-Match": first.headers["ETag"]})
    assert ([hold["name"] for hold in done.json()["holds"]], done.headers["ETag"]) == (["b", "c"], '"4"')
    assert api.ask("GET", "/holds?version=2", token=admin).json() == first.json()
    changes = api.ask("GET", "/holds/versions", token=admin).json()["versions"]
    assert [(one["kind"], one["name"]) for one in changes] == [
        ("hold_lifted", "a"),
        ("hold_set", "c"),
        ("hold_set", "b"),
        ("hold_set", "a"),
    ]
    audited = api.ask("GET", "/audit", token=admin).json()["rows"]
    assert [(row["kind"], row["rule"], row["who"]) for row in audited] == [
        (one["kind"], one["name"], actor(api, "admin")) for one in changes
    ]


def test_a_hold_that_came_meanwhile_is_not_lifted(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def set_between(tier: TierStore) -> Configuration:
        found = load_configuration(tier)
        add_hold(tier, name="other", when="user=bob")
        return found

    monkeypatch.setattr("service.api.administration.holds.load_configuration", set_between)
    answer = api.ask("PUT", "/holds", json={"holds": [{"name": "mine", "when": "user=ann"}]})
    assert (answer.status_code, answer.json()["error"]["field"]) == (412, "If-Match")
    assert [hold["name"] for hold in api.ask("GET", "/holds").json()["holds"]] == ["other"]


def test_a_deletion_and_its_restore(api: Api) -> None:
    Tier(api.service.tier).add(
        [event("2025-01-01T00:00:00", f"m{number}", host="h" if number < 3 else "g") for number in range(4)]
    )
    admin = api.key("admin")

    def ask(path: str, **document: Any) -> Any:
        return api.ask("POST", path, token=admin, json=document)

    none = ask("/deletions")
    assert (none.status_code, none.json()["error"]["field"]) == (400, "rules")
    api.ask("PUT", "/rules", token=admin, json={"text": RULES.format(name="short")})
    dry = ask("/deletions").json()
    assert (dry["executed"], dry["events"], dry["versionAfter"], dry["rulesVersion"]) == (False, 3, None, 1)
    early = ask("/deletions", now="2025-01-01T12:00:00Z").json()
    assert early["events"] == 0
    refused = ask("/deletions", execute=True)
    assert (refused.status_code, refused.json()["error"]["field"]) == (409, "yes")
    assert "3 of 4 events (75%) would be deleted: nothing was done" in refused.text
    done = ask("/deletions", execute=True, yes=True).json()
    assert (done["executed"], done["events"]) == (True, 3)
    back = ask("/restores", run=done["runId"]).json()
    assert (back["executed"], back["events"], back["deletedAgain"]) == (False, 3, {"short": 3})
    assert ask("/restores", to=done["versionBefore"], execute=True).json()["events"] == 3
    assert ask("/deletions").json()["events"] == 3
    other = ask("/deletions", rules=RULES.format(name="other").replace("host=h", "host=g"), execute=True).json()
    assert (other["events"], other["rulesVersion"]) == (1, None)
    rows = api.ask("GET", "/audit", token=admin).json()["rows"]
    kinds = [(row["kind"], row["who"]) for row in rows if row["kind"] in ("delete", "restore")]
    assert kinds == [(kind, actor(api, "admin")) for kind in ("delete", "restore", "delete")]
    assert api.ask("GET", "/audit?kind=restore", token=admin).json()["rows"] == [
        row for row in rows if row["kind"] == "restore"
    ]


def test_pipelines_are_tried(api: Api) -> None:
    text = "pipelines: [{name: p, when: 'host=h', steps: [{regex: {source: message, pattern: '(?P<user>[a-z]+) in'}}]}]"
    sample = "2025-01-01T10:00:00Z ann in\n2025-01-01T10:00:01Z\n"
    asked = {"text": text, "sample": sample, "host": "h", "key": "a.log", "formatOptions": {"format": "text"}}
    found = api.ask("POST", "/pipelines/test", json=asked)
    assert found.status_code == 200, found.text
    before, after = (found.json()["events"][0][name] for name in ("before", "after"))
    assert ("user" in before, after["user"], after["filename"], after["_time"][:19]) == (
        False,
        "ann",
        "a.log",
        "2025-01-01T10:00:00",
    )
    assert found.json()["byPipeline"] == {"p": {"matched": 1, "tried": 2}}
    assert len(api.ask("POST", "/pipelines/test", json=asked | {"events": 1}).json()["events"]) == 1
    none = api.ask("POST", "/pipelines/test", json={"sample": sample})
    assert (none.status_code, none.json()["error"]["field"]) == (400, "text")
    api.ask("PUT", "/pipelines", json={"text": text})
    assert api.ask("POST", "/pipelines/test", json={"sample": ""}).json()["events"] == []
    assert api.ask("GET", "/pipelines").json()["version"] == 1


HOLD = {"name": "h", "when": "a=b"}
REFUSED: list[Any] = [
    pytest.param("PUT", "/pipelines", {}, {}, 400, "text", id="no-text"),
    pytest.param("PUT", "/pipelines", {"text": "pipelines: [{}]"}, {}, 400, "text", id="pipelines"),
    pytest.param("PUT", "/pipelines", {"text": "{"}, {}, 400, "text", id="yaml"),
    pytest.param("PUT", "/pipelines", {"text": "pipelines: []", "x": 1}, {}, 400, "x", id="field"),
    pytest.param("PUT", "/pipelines", {"text": "pipelines: []"}, {"If-Match": "x"}, 400, "If-Match", id="match"),
    pytest.param("PUT", "/rules", {"text": "rules: []", "file": "a\nb"}, {}, 400, "file", id="file-name"),
    pytest.param("PUT", "/rules", {"text": "rules: [{name: a, retention: 0d}]"}, {}, 400, "text", id="retention"),
    pytest.param("PUT", "/rules", {"text": "holds: [{name: a, when: a=b}]"}, {}, 400, "text", id="holds-in-rules"),
    pytest.param("PUT", "/holds", {"holds": [{"name": "a"}]}, {}, 400, "holds.0.when", id="no-when"),
    pytest.param("PUT", "/holds", {"holds": [HOLD, {"name": "b", "when": "a="}]}, {}, 400, "holds.1.when", id="when"),
    pytest.param("PUT", "/holds", {"holds": [{"name": "", "when": "a=b"}]}, {}, 400, "holds.0.name", id="name"),
    pytest.param("PUT", "/holds", {"holds": [HOLD, HOLD]}, {}, 400, "holds.1.name", id="twice"),
    pytest.param("PUT", "/holds", {"holds": 1}, {}, 400, "holds", id="list"),
    pytest.param("GET", "/holds?version=9", None, {}, 404, "version", id="version"),
    pytest.param("GET", "/rules?version=x", None, {}, 400, "version", id="no-version"),
    pytest.param("GET", "/pipelines/versions?limit=0", None, {}, 400, "limit", id="limit"),
    pytest.param("POST", "/pipelines/test", {"text": "{", "sample": ""}, {}, 400, "text", id="test-yaml"),
    pytest.param("POST", "/pipelines/test", {"text": "pipelines: []"}, {}, 400, "sample", id="no-sample"),
    pytest.param(
        "POST",
        "/pipelines/test",
        {"text": "pipelines: []", "sample": "", "formatOptions": {"format": "text", "skipRows": 1}},
        {},
        400,
        "formatOptions.skipRows",
        id="options",
    ),
    pytest.param("POST", "/deletions", {"grace": "soon"}, {}, 400, "grace", id="grace"),
    pytest.param("POST", "/deletions", {"now": "soon"}, {}, 400, "now", id="now"),
    pytest.param("POST", "/deletions", {"rules": "rules: 1"}, {}, 400, "rules", id="rules"),
    pytest.param("POST", "/deletions", {"execute": "perhaps"}, {}, 400, "execute", id="execute"),
    pytest.param("POST", "/deletions", {}, {}, 404, None, id="no-events"),
    pytest.param("POST", "/restores", {}, {}, 400, "run", id="neither"),
    pytest.param("POST", "/restores", {"run": "a", "to": 1}, {}, 400, "run", id="both"),
    pytest.param("POST", "/restores", {"to": "soon"}, {}, 400, "to", id="time"),
    pytest.param("POST", "/restores", {"to": -1}, {}, 400, "to", id="negative"),
]


@pytest.mark.parametrize(("method", "path", "document", "headers", "status", "field"), REFUSED)
def test_refused(
    api: Api, method: str, path: str, document: Any, headers: dict[str, str], status: int, field: str | None
) -> None:
    answer = api.ask(method, path, json=document, headers=headers)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field), answer.text
    assert api.ask("GET", "/holds").json() == {"version": 0, "holds": []}


def test_a_restore_of_nothing(api: Api) -> None:
    Tier(api.service.tier).add([event("2025-01-01T00:00:00", "m")])
    for document, field in (({"run": "../../x"}, "run"), ({"run": "none"}, "run"), ({"to": 99}, "to")):
        answer = api.ask("POST", "/restores", json=document)
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field), answer.text


@pytest.mark.slow
def test_a_deletion_in_a_process_of_its_own(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    Tier(api.service.tier).add([event("2025-01-01T00:00:00", "m", host="h")])
    admin = api.key("admin")
    asked = {"rules": RULES.format(name="a"), "execute": True, "yes": True}
    answer = api.ask("POST", "/deletions", token=admin, json=asked)
    assert (answer.status_code, answer.json()["events"]) == (200, 1), answer.text
    assert api.ask("GET", "/audit", token=admin).json()["rows"][0]["who"] == actor(api, "admin")
