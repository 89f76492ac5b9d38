"""`rekindle rules`: deletions and moves go by the rules that the tier keeps, unless a run brings a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipelines.conftest import Ended
from tests.pipelines.reading import GONE, NOW, ROWS, everything_in, made_tier, read_live
from transforms.core.errors import ConflictError
from transforms.hot_tier.configuration.rules import set_rules
from transforms.hot_tier.configuration.store import KeptFile, load_configuration
from transforms.storage import StorageOptions, TierStore, open_tier

pytestmark = pytest.mark.usefixtures("in_this_process")

Rekindle = Callable[..., Ended]
RULES = """# asked for by ops
rules:
  - {name: old, retention: 30d}
  - {name: short, retention: 14d, when: service=db NOT user=ann}
tiers:
  - {name: cold, retention: 5d}
"""
OTHER = "rules: [{name: other, retention: 1000d}]\n"


@pytest.fixture
def store(tmp_path: Path) -> TierStore:
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    return store


def set_file(rekindle: Rekindle, folder: Path, text: str, *flags: str) -> Ended:
    (folder / "rules.yaml").write_text(text)
    return rekindle("rules", "set", folder / "rules.yaml", "--hot-tier", folder / "hot", *flags)


def run(rekindle: Rekindle, store: TierStore, command: str, *flags: object) -> Ended:
    ended = rekindle(command, *flags, "--now", NOW.isoformat(), "--hot-tier", store.uri)
    assert ended.code == 0, ended.err
    return ended


def test_set_and_show(tmp_path: Path, rekindle: Rekindle) -> None:
    at = ("--hot-tier", tmp_path / "hot")
    nothing = rekindle("rules", *at)
    assert (nothing.code, nothing.out, "has no rules of its own; `rekindle rules set FILE`" in nothing.err) == (
        0,
        "",
        True,
    )
    assert rekindle("rules", "show", *at, "--json").json == {"version": 0, "file": None, "sha256": None, "text": None}
    for number, text in ((1, RULES), (2, OTHER), (2, OTHER)):
        done = set_file(rekindle, tmp_path, text, "--json").json
        assert (done["version"], done["text"], done["file"]) == (number, text, f"{tmp_path}/rules.yaml")
        assert rekindle("rules", "show", *at).out == text
    assert f"are those of {tmp_path}/rules.yaml (version 2)." in set_file(rekindle, tmp_path, OTHER).err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("rules:\n- {name: a}\n", "rules.yaml:2:3: rules[0].retention: is required", id="mistake"),
        pytest.param("rules: []\ntiers: [{name: a, retention: 0d}]", "tiers[0].retention", id="mistake of tiers"),
        pytest.param("- a", "the file must be a mapping", id="no mapping"),
        pytest.param(
            f"{OTHER}holds: [{{name: case 17, when: user=ann}}]",
            "  rekindle holds add 'case 17' --when user=ann\n",
            id="holds",
        ),
    ],
)
def test_what_is_refused_is_not_kept(tmp_path: Path, rekindle: Rekindle, text: str, message: str) -> None:
    refused = set_file(rekindle, tmp_path, text)
    assert (refused.code, message in refused.err) == (2, True), refused.err
    assert not (tmp_path / "hot").exists()
    missing = rekindle("rules", "set", tmp_path / "none.yaml", "--hot-tier", tmp_path / "hot")
    assert (missing.code, "can't be read" in missing.err) == (2, True)


def test_deletions_and_moves_go_by_them(store: TierStore, tmp_path: Path, rekindle: Rekindle) -> None:
    set_file(rekindle, tmp_path, OTHER)
    kept = set_file(rekindle, tmp_path, RULES, "--json").json
    before = everything_in(store)
    dry = run(rekindle, store, "delete")
    assert dry.out.startswith(f"Rules: {tmp_path}/rules.yaml, as the tier keeps it (version 2)\n")
    assert everything_in(store) == before
    moved = run(rekindle, store, "tier", "--execute", "--json").json
    assert (moved["rulesVersion"], moved["rules"][0]["name"], moved["events"] > 0) == (2, "cold", True)
    deleted = run(rekindle, store, "delete", "--execute", "--json").json
    assert (deleted["rulesFile"], deleted["rulesVersion"], deleted["rulesSha256"]) == (
        f"{tmp_path}/rules.yaml", 2, kept["sha256"],
    )  # fmt: skip
    live = read_live(store).rows()
    assert GONE.isdisjoint(dict(row)["_message"] for row in live)
    assert live.total() == ROWS - deleted["events"]
    rows = rekindle("audit", "--json", "--hot-tier", store.uri).rows
    of_run = [row for row in rows if row["runId"] == deleted["runId"]]
    assert [(row["rule"], row["detail"]["rulesVersion"], row["rulesSha256"]) for row in of_run[::-1]] == [
        ("old", 2, kept["sha256"]), ("short", 2, kept["sha256"]),
    ]  # fmt: skip
    set_rows = [row for row in rows if row["kind"] == "rules_set"]
    assert [(row["detail"], row["rulesSha256"]) for row in set_rows] == [
        ({"version": 2, "rules": ["old", "short"], "tiers": ["cold"]}, kept["sha256"]),
        ({"version": 1, "rules": ["other"], "tiers": []}, KeptFile(file="", text=OTHER).sha256),
    ]


def test_a_file_is_instead_of_them(store: TierStore, tmp_path: Path, rekindle: Rekindle) -> None:
    set_file(rekindle, tmp_path, RULES)
    (tmp_path / "other.yaml").write_text(OTHER)
    given = run(rekindle, store, "delete", "--rules", tmp_path / "other.yaml", "--json").json
    assert ([rule["name"] for rule in given["rules"]], given["rulesVersion"]) == (["other"], None)
    assert "as the tier keeps it" not in run(rekindle, store, "delete", "--rules", tmp_path / "other.yaml").out


def test_holds_of_the_tier_hold(store: TierStore, tmp_path: Path, rekindle: Rekindle) -> None:
    set_file(rekindle, tmp_path, "rules: [{name: all, retention: 1d}]")
    assert rekindle("holds", "add", "case", "--when", "user=ann", "--hot-tier", store.uri).code == 0
    deleted = run(rekindle, store, "delete", "--execute", "--yes", "--json").json
    assert (deleted["held"], read_live(store).rows().total()) == (2, 2)
    assert load_configuration(store).rules is not None, "a new hold leaves them"


def test_a_restore_goes_by_the_rules_of_its_run(store: TierStore, tmp_path: Path, rekindle: Rekindle) -> None:
    set_file(rekindle, tmp_path, RULES)
    deleted = run(rekindle, store, "delete", "--execute", "--json").json
    set_file(rekindle, tmp_path, OTHER)
    dry = rekindle("restore", "--run", deleted["runId"], "--hot-tier", store.uri, "--json").json
    assert dry["deletedAgain"].keys() == {"old", "short"}


@pytest.mark.parametrize("command", ["delete", "tier"])
def test_a_tier_without_rules(store: TierStore, rekindle: Rekindle, command: str) -> None:
    before = everything_in(store)
    ended = rekindle(command, "--execute", "--hot-tier", store.uri)
    assert (ended.code, everything_in(store)) == (2, before)
    assert "has no rules of its own: give --rules FILE, or set them for all runs with `rekindle rules set" in ended.err


def test_kept_rules_that_are_not_valid_any_more_name_their_version(store: TierStore, rekindle: Rekindle) -> None:
    set_rules(store, OTHER, file="rules.yaml")
    path = "_rekindle/config/00000001.json"
    store.put(path, store.get(path).replace(b"1000d", b"1000x"))
    ended = rekindle("delete", "--execute", "--hot-tier", store.uri)
    assert (ended.code, "rules.yaml (as the tier keeps it, version 1):1:" in ended.err) == (2, True), ended.err


def test_who_has_looked_at_another_version_is_refused(store: TierStore) -> None:
    set_rules(store, OTHER, file="a", expected=0)
    with pytest.raises(ConflictError, match="is at version 1"):
        set_rules(store, RULES, file="b", expected=0)
