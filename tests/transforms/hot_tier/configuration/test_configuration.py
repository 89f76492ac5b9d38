"""The tier's configuration: numbered versions, none lost where several write at once; holds that running work sees."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest

from tests.conftest import REGION, S3
from tests.fault_proxy import Fault, FaultProxy
from tests.transforms.hot_tier.maintenance.making import Made, with_filename
from tests.transforms.hot_tier.samples import publish
from transforms.core.errors import ConfigurationError, ConflictError, TierError
from transforms.hot_tier.configuration.holds import add_hold, lift_hold, load_holds, with_holds
from transforms.hot_tier.configuration.store import (
    Configuration,
    ConfigurationChange,
    KeptFile,
    change_configuration,
    load_configuration,
    load_history,
)
from transforms.hot_tier.maintenance.audit import audit_configuration, read_audit
from transforms.hot_tier.maintenance.commit_run import Change, commit_run
from transforms.hot_tier.table.runs import RunFolder, who
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query import parse
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.rules import Hold
from transforms.storage import StorageOptions, TierStore, open_tier


def set_pipelines(text: str) -> Callable[[Configuration], tuple[Configuration, ConfigurationChange]]:
    def edit(current: Configuration) -> tuple[Configuration, ConfigurationChange]:
        kept = KeptFile(file="p.yaml", text=text)
        return replace(current, pipelines=kept), ConfigurationChange(kind="pipelines_set", name=text)

    return edit


def names(configuration: Configuration) -> list[str]:
    return [hold.name for hold in configuration.holds]


def at_once(calls: list[Callable[[], object]]) -> None:
    """Call all at the same moment, each in a thread of its own."""
    start = threading.Barrier(len(calls))
    failed: list[BaseException] = []

    def called(call: Callable[[], object]) -> None:
        start.wait()
        try:
            call()
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=called, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_nothing_was_set(empty_store: TierStore) -> None:
    assert load_configuration(empty_store) == Configuration()
    assert list(load_history(empty_store)) == []
    assert load_holds(empty_store) == ()
    audit_configuration(empty_store)
    assert read_audit(empty_store) == []


def test_each_change_is_a_version_and_all_are_kept(tier: TierStore) -> None:
    first, is_new = add_hold(tier, name="case 17", when="user=ann", description="legal")
    second = change_configuration(tier, set_pipelines("a"))
    assert (first.version, second.version, is_new) == (1, 2, True)
    assert load_configuration(tier) == second
    assert (second.who, names(second), second.pipelines) == (who(), ["case 17"], KeptFile(file="p.yaml", text="a"))
    lifted, third = lift_hold(tier, "case 17")
    assert (lifted.description, names(third), third.pipelines) == ("legal", [], second.pipelines)
    assert list(load_history(tier)) == [first, second, third]
    assert list(load_history(tier, after=2)) == [third]
    assert sorted(file.path for file in tier.list("_rekindle/config/")) == [
        f"_rekindle/config/0000000{number}.json" for number in (1, 2, 3)
    ]


def test_a_change_of_a_version_that_is_no_longer_the_newest(tier: TierStore) -> None:
    change_configuration(tier, set_pipelines("a"), expected=0)
    with pytest.raises(ConflictError, match=f"is at version 1, which {who()} made at .*, not at 0: look at it again"):
        change_configuration(tier, set_pipelines("b"), expected=0)
    assert load_configuration(tier).version == 1


def test_many_at_once_lose_nothing(tier: TierStore) -> None:
    at_once([partial(add_hold, tier, name=f"hold {number}", when=f"n={number}") for number in range(5)])
    history = list(load_history(tier))
    assert [one.version for one in history] == [1, 2, 3, 4, 5]
    assert sorted(names(history[-1])) == [f"hold {number}" for number in range(5)]
    at_once([partial(audit_configuration, tier) for _ in range(3)])
    rows = read_audit(tier)
    assert [(row["run_id"], row["kind"], row["rule"]) for row in rows] == [
        (f"config-0000000{one.version}", "hold_set", one.change and one.change.name) for one in history
    ]


def test_the_audit_has_each_change_once_in_order(tier: TierStore) -> None:
    first, _ = add_hold(tier, name="case", when="user=ann")
    audit_configuration(tier)
    change_configuration(tier, set_pipelines("a"))  # its process ends here: the next writes both
    lift_hold(tier, "case")
    for _ in range(2):
        audit_configuration(tier)
    rows = read_audit(tier)
    assert [(row["kind"], row["rule"], row["who"]) for row in rows] == [
        ("hold_set", "case", who()), ("pipelines_set", "a", who()), ("hold_lifted", "case", who()),
    ]  # fmt: skip
    assert orjson.loads(rows[2]["detail"]) == {
        "version": 3, "when": "user=ann", "setAt": first.holds[0].at, "setBy": who()
    }  # fmt: skip
    assert (rows[1]["rules_file"], rows[1]["rules_sha256"]) == ("p.yaml", KeptFile(file="", text="a").sha256)
    assert [row["kind"] for row in read_audit(tier, limit=2)] == ["pipelines_set", "hold_lifted"]


@pytest.mark.parametrize("fault", [{"lose_answer": True}, {"status": 503}], ids=["answer-lost", "503"])
def test_answers_that_are_lost(s3: S3, fault_proxy: FaultProxy, fault: dict[str, Any]) -> None:
    straight = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    tier = open_tier(straight.uri, StorageOptions(endpoint_url=fault_proxy.endpoint_url, region=REGION))
    fault_proxy.add(Fault("hot/_rekindle/config/00000001.json", method="PUT", count=1, **fault))
    assert add_hold(tier, name="a", when="x=1")[0].version == 1
    assert [names(one) for one in load_history(straight)] == [["a"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(b"{", "can't be read", id="damaged"),
        pytest.param(b'{"version": 1}', "can't be read .*format", id="of another kind"),
        pytest.param(b'{"format": 3}', "newer version of Rekindle", id="newer"),
    ],
)
def test_what_cannot_be_read_is_no_empty_configuration(local_tier: TierStore, text: bytes, message: str) -> None:
    local_tier.put("_rekindle/config/00000001.json", text)
    with pytest.raises(TierError, match=message):
        load_holds(local_tier)


def test_what_was_written_before_there_were_rules_is_read(local_tier: TierStore) -> None:
    change_configuration(local_tier, set_pipelines("a"))
    path = "_rekindle/config/00000001.json"
    document = orjson.loads(local_tier.get(path))
    assert document.pop("rules") is None
    local_tier.put(path, orjson.dumps(document | {"format": 1}))
    configuration = load_configuration(local_tier)
    assert (configuration.pipelines, configuration.rules) == (KeptFile(file="p.yaml", text="a"), None)


def test_a_kept_hold_that_cannot_be_parsed_any_more_stops_deletions(local_tier: TierStore) -> None:
    add_hold(local_tier, name="a", when="x=1")
    path = "_rekindle/config/00000001.json"
    local_tier.put(path, local_tier.get(path).replace(b"x=1", b"x=("))
    with pytest.raises(TierError, match="a hold of its own can't be read"):
        load_holds(local_tier)


@pytest.mark.parametrize(
    ("name", "when", "field", "message"),
    [
        pytest.param("", "a=b", "name", "the name is empty", id="no name"),
        pytest.param(" a", "a=b", "name", "has a blank at its end", id="blank"),
        pytest.param("a", " ", "when", "the condition is empty", id="no condition"),
        pytest.param("a", "a=b OR c=d e=f", "query", "brackets", id="ambiguous"),
        pytest.param("a", "_object=x", "query", "the column is written #object", id="a column's name"),
        pytest.param("there", "a=c", "name", "there is a hold 'there' already, when a=b: lift it first", id="taken"),
    ],
)
def test_holds_that_are_refused(local_tier: TierStore, name: str, when: str, field: str, message: str) -> None:
    add_hold(local_tier, name="there", when="a=b")
    with pytest.raises(ConfigurationError, match=message) as refused:
        add_hold(local_tier, name=name, when=when)
    assert refused.value.field == field
    assert load_configuration(local_tier).version == 1


def test_the_same_hold_again_is_no_change(local_tier: TierStore) -> None:
    add_hold(local_tier, name="a", when="x=1")
    configuration, is_new = add_hold(local_tier, name="a", when="x=1")
    assert (configuration.version, is_new) == (1, False)
    with pytest.raises(ConfigurationError, match=r"there is no hold 'b' at .*; there are: 'a'"):
        lift_hold(local_tier, "b")


def test_holds_of_the_tier_and_of_a_file() -> None:
    def hold(name: str, when: str) -> Hold:
        return Hold(name=name, when=parse(when))

    rules = CompiledRules((), (hold("same", "a=b"), hold("other", "a=c"), hold("clash", "a=d")))
    kept = (hold("kept", "x=y"), hold("same", "a=b"), hold("clash", "a=e"))
    assert with_holds(rules, kept).holds == (*kept, hold("other", "a=c"), hold("clash (file)", "a=d"))


def test_a_run_at_work_is_planned_again_once_a_hold_is_set(tier: TierStore) -> None:
    """It has read the holds before: what it then commits would take events that are held by now."""
    publish(tier, ["a", "b"])
    made = Made(tier, with_filename("a"))
    folder = RunFolder.begin(tier, made.run)
    seen: list[int] = []

    def plan(snapshot: Snapshot) -> Change | None:
        seen.append(len(load_holds(tier)))
        change = made.change(snapshot)
        if not seen[-1]:
            add_hold(tier, name="a", when="x=1")
        return change

    assert commit_run(folder, made.run, plan) is not None
    assert seen == [0, 1]


def test_setting_the_same_hold_again_commits_nothing(tier: TierStore) -> None:
    publish(tier, ["a"])
    add_hold(tier, name="a", when="x=1")
    version = Snapshot.load(tier).version
    add_hold(tier, name="a", when="x=1")
    assert Snapshot.load(tier).version == version
