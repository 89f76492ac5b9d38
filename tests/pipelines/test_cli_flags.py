"""Functions as commands: what their parameters take on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import click
import pytest

from pipelines.cli_flags import Argument, Option, make_command
from pipelines.cli_options import with_flags


@with_flags()
def example(
    name: Annotated[str, Argument(metavar="NAME", help="Who.")],
    rest: Annotated[list[str] | None, Argument(help="What else.")] = None,
    most: Annotated[int, Option("--most", "-m", min=1, help="How many.")] = 20,
    share: Annotated[float | None, Option("--share", min=0)] = None,
    path: Annotated[Path | None, Option("--path", envvar="EXAMPLE_PATH")] = None,
    words: Annotated[list[str] | None, Option("--word")] = None,
    loud: Annotated[bool, Option("--loud", help="Shout.")] = False,
    kept: Annotated[bool, Option("--kept/--not-kept")] = True,
) -> Any:
    """Return what came."""
    return {key: value for key, value in locals().items() if value}


COMMAND = make_command("example", example, "Does nothing.")
GIVEN: dict[str, tuple[list[str], dict[str, Any]]] = {
    "as little as possible": (["ann"], {"most": 20, "kept": True}),
    "arguments": (["ann", "b", "c"], {"rest": ("b", "c"), "most": 20, "kept": True}),
    "flags between them": (["ann", "--loud", "b", "-m", "3"], {"rest": ("b",), "most": 3, "loud": True, "kept": True}),
    "repeated": (["ann", "--word", "a", "--word=b"], {"words": ("a", "b"), "most": 20, "kept": True}),
    "twice": (["ann", "-m", "3", "--most", "4"], {"most": 4, "kept": True}),
    "types": (["ann", "--share", "0.5", "--path", "x/y"], {"share": 0.5, "path": Path("x/y"), "most": 20, "kept": True}),
    "switched off": (["ann", "--not-kept"], {"most": 20}),
    "flags twice": (["ann", "--loud", "--loud"], {"most": 20, "loud": True, "kept": True}),
    "blanks": (["ann", "--word", " "], {"words": (" ",), "most": 20, "kept": True}),
    "what begins with a dash": (["ann", "--", "--loud"], {"rest": ("--loud",), "most": 20, "kept": True}),
}
REFUSED = {
    "nothing": ([], "Missing argument 'NAME'"),
    "too few": (["ann", "--most", "0"], "Invalid value for '--most'"),
    "negative": (["ann", "--share", "-1"], "Invalid value for '--share'"),
    "no number": (["ann", "--most", "x"], "Invalid value for '--most'"),
    "too many": (["ann", "--most", "9" * 20], "Invalid value for '--most'"),
    "not a number": (["ann", "--share", "nan"], "Invalid value for '--share'"),
    "empty text": (["ann", "--word="], "Invalid value for '--word': it is empty"),
    "empty path": (["ann", "--path", ""], "Invalid value for '--path': it is empty"),
    "unknown": (["ann", "--lowd"], "No such option '--lowd'"),
}


@pytest.mark.parametrize(("argv", "values"), GIVEN.values(), ids=GIVEN.keys())
def test_values(argv: list[str], values: dict[str, Any]) -> None:
    with COMMAND.make_context("example", list(argv)) as context:
        assert COMMAND.invoke(context) == {"name": "ann"} | values


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_PATH", "from/there")
    with COMMAND.make_context("example", ["ann"]) as context:
        assert COMMAND.invoke(context)["path"] == Path("from/there")


def test_environment_that_is_not_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_PATH", "a\udcff")
    with pytest.raises(click.UsageError, match="it is not UTF-8"):
        COMMAND.make_context("example", ["ann"])


@pytest.mark.parametrize(("argv", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(argv: list[str], message: str) -> None:
    with pytest.raises(click.UsageError) as error:
        COMMAND.make_context("example", list(argv))
    assert message in error.value.format_message()


def test_help_says_what_holds_without_a_flag() -> None:
    shown = COMMAND.get_help(click.Context(COMMAND))
    assert "Does nothing." in shown
    assert "[default: 20" in " ".join(shown.split())
    assert "default: False" not in shown
    assert "Who." in shown
