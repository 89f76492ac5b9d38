"""Runs that another command takes for dead, or whose files another has taken.

They report it, or begin again; none trips over what is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.maintenance.rewriter import Rewriter
from tests.pipelines.conftest import Ended
from tests.pipelines.reading import NOW, RULES, made_tier, read_live
from transforms.hot_tier.maintenance.finish import finish_interrupted
from transforms.hot_tier.maintenance.tasks import remove_left_results
from transforms.storage import StorageOptions, TierStore, open_tier

Rekindle = Callable[..., Ended]


@pytest.fixture
def store(tmp_path: Path) -> TierStore:
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    made_tier(store)
    (tmp_path / "rules.yaml").write_text(RULES)
    return store


def command(store: TierStore, tmp_path: Path, name: str, *more: str) -> tuple[object, ...]:
    rules = (
        ()
        if name == "compact"
        else ("--rules", tmp_path / "rules.yaml", "--now", NOW.isoformat(), "--execute", "--yes", *more)
    )
    return (name, *rules, "--hot-tier", store.uri, "--json")


def first(
    monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[TierStore], object], *, after: bool = False
) -> None:
    """Let something be done before or after the workers of a run are called for the first time."""
    real: Callable[..., Any] = getattr(Rewriter, name)
    calls = []

    def called(self: Rewriter, *arguments: Any) -> Any:
        calls.append(name)
        if len(calls) > 1:
            return real(self, *arguments)
        if after:
            found = real(self, *arguments)
            act(self.tier)
            return found
        act(self.tier)
        return real(self, *arguments)

    monkeypatch.setattr(Rewriter, name, called)


def give_up(store: TierStore) -> None:
    remove_left_results(store, finish_interrupted(store, lambda _: False))


def lose_sources(store: TierStore) -> None:
    give_up(store)
    for path in read_live(store).files:
        store.delete(f"events/{path}")


@pytest.mark.parametrize("lost", ["sources", "results", "nothing"])
@pytest.mark.parametrize("name", ["delete", "tier", "compact"])
def test_given_up(
    store: TierStore, tmp_path: Path, rekindle: Rekindle, monkeypatch: pytest.MonkeyPatch, name: str, lost: str
) -> None:
    if lost == "results":
        import transforms.rewrite_files as rewriting

        real = rewriting.read_results

        def read_results(folder: Any, tasks: Any) -> Any:
            give_up(store)
            return real(folder, tasks)

        monkeypatch.setattr(rewriting, "read_results", read_results)
    else:
        first(monkeypatch, "rewrite", lose_sources if lost == "sources" else give_up, after=lost == "nothing")
    version = read_live(store).version
    ended = rekindle(*command(store, tmp_path, name))
    assert ended.code == 1
    assert "was silent for so long that another command (" in ended.err
    assert "took it for dead and gave it up; nothing was changed: run it again" in ended.err
    assert "Traceback" not in ended.err and "Errno" not in ended.err
    if lost != "sources":
        assert read_live(store).version == version + 1, "the commit that gives it up"
        monkeypatch.undo()
        assert rekindle(*command(store, tmp_path, name)).code == 0


@pytest.mark.parametrize("name", ["delete", "tier", "compact"])
def test_files_that_another_run_has_taken(
    store: TierStore, tmp_path: Path, rekindle: Rekindle, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The table is another by then: the run is planned anew."""
    others: list[Ended] = []

    def delete(_: TierStore) -> None:
        others.append(rekindle(*command(store, tmp_path, "delete", "--grace", "0")))

    first(monkeypatch, "rewrite", delete)
    ended = rekindle(*command(store, tmp_path, name))
    assert ended.code == 0, ended.err
    assert others[0].json["removed"]["files"] > 0
    assert ended.json["versionBefore"] >= others[0].json["versionAfter"]
    assert sum(table.num_rows for table in read_live(store).files.values()) == 14


def test_files_that_are_simply_gone(store: TierStore, tmp_path: Path, rekindle: Rekindle) -> None:
    for path in read_live(store).files:
        store.delete(f"events/{path}")
    ended = rekindle(*command(store, tmp_path, "delete"))
    assert (ended.code, "a file is gone from the store" in ended.err) == (1, True), ended.err
