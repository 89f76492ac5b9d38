"""`rekindle holds`: what the tier keeps survives every deletion and move, by any file, until it is lifted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import THOROUGH
from tests.pipelines import processes
from tests.pipelines.conftest import Ended
from tests.pipelines.reading import NOW, audit_rows, everything_in, made_tier, read_live
from transforms.hot_tier.configuration.holds import add_hold
from transforms.storage import StorageOptions, TierStore, open_tier

Rekindle = Callable[..., Ended]
ALL = "rules: [{name: all, retention: 1d}]\ntiers: [{name: all, retention: 1d}]\n"
FILES = (
    ALL,
    "rules: [{name: r, retention: 10d}]",
    "rules: [{name: s, retention: 2d, when: service=db}]\nholds: [{name: h0, when: service=none}]",
)
ANN = {"db 20.002", "web 3.01"}
"""The messages of the events that `user=ann` finds."""


@pytest.fixture
def store(tmp_path: Path) -> TierStore:
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    return store


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(ALL)
    return path


def messages(store: TierStore, tier: str | None = None) -> set[str]:
    return {dict(row)["_message"] for row in read_live(store).rows(tier)}


def ruled(command: str, rules: Path, store: TierStore) -> tuple[object, ...]:
    at = ("--rules", rules, "--now", NOW.isoformat(), "--hot-tier", store.uri)
    return (command, *at, "--execute", "--yes", "--json")


def holds(rekindle: Rekindle, store: TierStore, *flags: object) -> Ended:
    ended = rekindle("holds", *flags, "--hot-tier", store.uri)
    assert ended.code == 0, ended.err
    return ended


def test_a_hold_survives_deletions_by_any_file_until_it_is_lifted(
    store: TierStore, rules: Path, rekindle: Rekindle
) -> None:
    added = holds(rekindle, store, "add", "case 17", "--when", "user=ann", "--description", "legal", "--json").json
    assert (added["name"], added["when"], added["description"], added["version"]) == ("case 17", "user=ann", "legal", 1)
    (listed,) = holds(rekindle, store, "list", "--json").rows
    assert listed == {name: value for name, value in added.items() if name != "version"}
    assert holds(rekindle, store).out.splitlines()[2].startswith(f"case 17   user=ann   {added['at'][:19]}   ")

    for text in (ALL, ALL + "holds: [{name: case 17, when: user=bob}]", "rules: [{name: r, retention: 1m}]"):
        rules.write_text(text)
        done = rekindle(*ruled("delete", rules, store))
        assert done.code == 0, done.err
        assert done.json["holds"][0] == {"name": "case 17", "events": 2}
        assert messages(store) == ANN

    lifted = holds(rekindle, store, "lift", "case 17")
    assert lifted.err == "Hold 'case 17' is lifted: what user=ann finds can be deleted.\n"
    assert holds(rekindle, store, "list", "--json").rows == []
    assert rekindle(*ruled("delete", rules, store)).json["events"] == 2
    assert messages(store) == set()


def test_what_is_held_is_not_moved(store: TierStore, rules: Path, rekindle: Rekindle) -> None:
    holds(rekindle, store, "add", "case", "--when", "user=ann")
    assert rekindle(*ruled("tier", rules, store)).json["held"] == 2
    assert messages(store, "hot") == ANN


def test_a_dry_run_counts_what_is_held(store: TierStore, rules: Path, rekindle: Rekindle) -> None:
    holds(rekindle, store, "add", "case", "--when", "user=ann")
    before = everything_in(store)
    dry = rekindle("delete", "--rules", rules, "--now", NOW.isoformat(), "--hot-tier", store.uri)
    assert [line.split() for line in dry.out.splitlines() if line.startswith("case")] == [["case", "2"]]
    assert everything_in(store) == before


def test_a_restore_names_the_command_and_respects_it(store: TierStore, rules: Path, rekindle: Rekindle) -> None:
    rules.write_text("rules: [{name: web, retention: 30d, when: service=web}]")
    deleted = rekindle(*ruled("delete", rules, store)).json
    command = ("restore", "--run", deleted["runId"][:-3], "--hot-tier", store.uri)
    dry = rekindle(*command)
    (line,) = [line.strip() for line in dry.err.splitlines() if "rekindle holds add" in line]
    when = f"((service=web) #time<{deleted['rules'][0]['cutoff']})"
    assert line == f"rekindle holds add 'restored {deleted['runId']}' --when '{when}'"
    holds(rekindle, store, "add", "all", "--when", when)
    again = rekindle(*command, "--json").json
    assert (again["events"], again["deletedAgain"], again["hold"]) == (deleted["events"], {}, None)


def test_the_audit_shows_who_did_what(store: TierStore, rules: Path, rekindle: Rekindle) -> None:
    holds(rekindle, store, "add", "case", "--when", "user=ann")
    deleted = rekindle(*ruled("delete", rules, store)).json
    holds(rekindle, store, "lift", "case")
    shown = rekindle("audit", "--json", "--hot-tier", store.uri).rows
    assert [(row["kind"], row["rule"], row["runId"]) for row in shown] == [
        ("hold_lifted", "case", "config-00000002"),
        *([("remove", None, shown[1]["runId"])] if shown[1]["kind"] == "remove" else []),
        ("hold", "case", deleted["runId"]),
        ("delete", "all", deleted["runId"]),
        ("hold_set", "case", "config-00000001"),
    ]
    assert {row["who"] for row in shown} == {shown[0]["who"]}
    assert (shown[-2]["events"], shown[-2]["versionAfter"]) == (deleted["events"], deleted["versionAfter"])
    assert shown[-3]["detail"] == {"when": "user=ann", "kept": 2}
    table = rekindle("audit", "--limit", 1, "--hot-tier", store.uri).out.splitlines()
    assert len(table) == 3
    assert "hold_lifted   case" in table[2]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        pytest.param(("add", "a", "--when", "a=("), "Error: --when:", id="condition"),
        pytest.param(("add", " a", "--when", "a=b"), "Error: name: ' a' has a blank at its end", id="name"),
        pytest.param(("add", "a"), "Missing option '--when'", id="no condition"),
        pytest.param(("lift", "a"), "there is no hold 'a' at", id="lift of none"),
    ],
)
def test_mistakes(store: TierStore, rekindle: Rekindle, flags: tuple[str, ...], message: str) -> None:
    before = everything_in(store)
    ended = rekindle("holds", *flags, "--hot-tier", store.uri)
    assert (ended.code, message in ended.err) == (2, True), ended.err
    assert everything_in(store) == before


@pytest.mark.parametrize("command", ["holds", "audit"])
def test_a_location_without_a_tier(tmp_path: Path, rekindle: Rekindle, command: str) -> None:
    ended = rekindle(command, "--hot-tier", tmp_path / "none")
    assert (ended.code, "there is no hot tier at" in ended.err) == (1, True)


def test_a_hold_that_is_set_while_a_deletion_is_at_work(
    store: TierStore, rules: Path, rekindle: Rekindle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its new files already; it writes others, by the hold too."""
    from pipelines.maintenance.rewriter import Rewriter

    rewrite = Rewriter.rewrite
    rewritten: list[int] = []

    def and_then_hold(self: Rewriter, *args: Any) -> Any:
        results = rewrite(self, *args)
        rewritten.append(len(results))
        add_hold(store, name="case", when="user=ann")
        return results

    monkeypatch.setattr(Rewriter, "rewrite", and_then_hold)
    done = rekindle(*ruled("delete", rules, store)).json
    assert len(rewritten) == 2
    assert (done["holds"], messages(store)) == ([{"name": "case", "events": 2}], ANN)
    assert rekindle("audit", "--json", "--hot-tier", store.uri).rows[-1]["kind"] == "hold_set"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12 if THOROUGH else 3))
def test_at_random_with_two_deletions_at_once(tmp_path: Path, seed: int) -> None:
    """Holds come while two deletions by files that know none are at work: what was there then stays until `lift`."""
    rng = random.Random(seed)
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    everything = messages(store)
    db = {message for message in everything if message.startswith("db")}
    conditions: list[tuple[str, set[str]]] = [("user=ann", ANN), ('"no such"', set()), ("service=db", db)]
    held: dict[str, set[str]] = {}
    for number in range(3):
        when, found = rng.choice(conditions)
        files = [tmp_path / f"{number}-{one}.yaml" for one in range(2)]
        for file in files:
            file.write_text(rng.choice(FILES))
        running = [processes.start(tmp_path, *ruled("delete", file, store)) for file in files]
        added = processes.start(tmp_path, "holds", "add", f"h{number}", "--when", when, "--hot-tier", store.uri).wait()
        assert added.code == 0, added.err
        then = messages(store)
        held[f"h{number}"] = found & then
        ended = [one.wait() for one in running]
        assert [one.code for one in ended] == [0, 0], ended
        assert set().union(*held.values()) <= messages(store)
        if rng.random() < 0.4:
            name = rng.choice(sorted(held))
            lifted = processes.start(tmp_path, "holds", "lift", name, "--hot-tier", store.uri).wait()
            assert lifted.code == 0, lifted.err
            del held[name]
    rows = audit_rows(store)
    assert Counter(row["kind"] for row in rows)["hold_set"] == 3
    assert sum(row["events"] for row in rows if row["kind"] == "delete") == len(everything) - len(messages(store))
