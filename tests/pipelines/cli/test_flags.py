"""click's options, arguments and groups as this command line has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import click
import pytest

from pipelines.cli.flags import FILE, Command, Group, OneOf, common_option, option, pass_flags
from pipelines.jobs.job_files.flag_fields import merge_fields
from pipelines.jobs.specification import FormatSpecification
from pipelines.keys import S3Pull
from transforms.formats import FORMATS


@dataclass(frozen=True)
class Switches:
    """Flags that come as one."""

    loud: bool
    kept: bool


@click.command("example", cls=Command, help="Does nothing.", examples=["example ann"])
@click.argument("name", help="Who.")
@click.argument("rest", nargs=-1, help="What else.")
@option("--most", "-m", type=click.IntRange(min=1), default=20, help="How many.")
@option("--share", type=click.FloatRange(min=0))
@option("--path", type=FILE, envvar="EXAMPLE_PATH")
@option("--word", "words", multiple=True)
@option("--side", type=OneOf(["left", "right", "both"]))
@pass_flags(
    "switches",
    Switches,
    common_option("--loud", is_flag=True, help="Shout."),
    common_option("--kept/--not-kept", is_flag=True, default=True),
)
def command(switches: Switches, **values: Any) -> dict[str, Any]:
    """Return what came."""
    return {key: value for key, value in {**values, **vars(switches)}.items() if value}


GIVEN: dict[str, tuple[list[str], dict[str, Any]]] = {
    "as little as possible": (["ann"], {"most": 20, "kept": True}),
    "arguments": (["ann", "b", "c"], {"rest": ("b", "c"), "most": 20, "kept": True}),
    "flags between them": (["ann", "--loud", "b", "-m", "3"], {"rest": ("b",), "most": 3, "loud": True, "kept": True}),
    "repeated": (["ann", "--word", "a", "--word=b"], {"words": ("a", "b"), "most": 20, "kept": True}),
    "twice": (["ann", "-m", "3", "--most", "4"], {"most": 4, "kept": True}),
    "types": (
        ["ann", "--share", "0.5", "--path", "x/y"],
        {"share": 0.5, "path": Path("x/y"), "most": 20, "kept": True},
    ),
    "switched off": (["ann", "--not-kept"], {"most": 20}),
    "flags twice": (["ann", "--loud", "--loud"], {"most": 20, "loud": True, "kept": True}),
    "blanks": (["ann", "--word", " "], {"words": (" ",), "most": 20, "kept": True}),
    "a choice": (["ann", "--side", "both"], {"side": "both", "most": 20, "kept": True}),
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
    "empty path": (["ann", "--path", ""], "Invalid value for '--path' (env var: 'EXAMPLE_PATH'): it is empty"),
    "no choice": (["ann", "--side", "up"], "Invalid value for '--side': must be left, right or both, not 'up'."),
    "empty choice": (["ann", "--side="], "Invalid value for '--side': it is empty"),
    "unknown": (["ann", "--lowd"], "No such option '--lowd'"),
}


@pytest.mark.parametrize(("argv", "values"), GIVEN.values(), ids=GIVEN.keys())
def test_values(argv: list[str], values: dict[str, Any]) -> None:
    with command.make_context("example", list(argv)) as context:
        assert command.invoke(context) == {"name": "ann"} | values


@pytest.mark.parametrize(
    ("flags", "options", "expected"),
    [
        ({"skip_rows": 3}, {}, "csv"),
        ({"delimiter": ";"}, {}, "csv"),
        ({"headers": "a,b"}, {"format": "auto"}, "csv"),
        ({"records_path": "log.entries"}, {}, "json"),
        ({"multiline_start": "java"}, {}, "text"),
        ({"multiline_start": "java", "format": "auto"}, {}, "auto"),
        ({"skip_rows": 3, "format": "splunk_csv"}, {}, "splunk_csv"),
        ({"skip_rows": 3}, {"format": "splunk_csv"}, "splunk_csv"),
        ({"year": 2024}, {}, None),
        ({}, {"skipRows": 3}, None),
    ],
    ids=str,
)
def test_a_flag_of_one_format_is_its_name(flags: dict[str, Any], options: dict[str, Any], expected: str | None) -> None:
    merged = merge_fields({"bucket": "b", "formatOptions": options}, flags)
    assert merged["formatOptions"].get("format") == expected


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_PATH", "from/there")
    with command.make_context("example", ["ann"]) as context:
        assert command.invoke(context)["path"] == Path("from/there")


def test_environment_that_is_not_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_PATH", "a\udcff")
    with pytest.raises(click.UsageError, match="it is not UTF-8"):
        command.make_context("example", ["ann"])


@pytest.mark.parametrize(("argv", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(argv: list[str], message: str) -> None:
    with pytest.raises(click.UsageError) as error:
        command.make_context("example", list(argv))
    assert message in error.value.format_message()


def test_help_says_what_holds_without_a_flag() -> None:
    shown = command.get_help(click.Context(command))
    assert "Does nothing." in shown
    assert "[default: 20" in " ".join(shown.split())
    assert "default: False" not in shown
    assert "Who." in shown


def test_help_has_groups_and_examples() -> None:
    lines = command.get_help(click.Context(command, info_name="example")).splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "Usage: example [OPTIONS] NAME [REST]...",
        "Examples:",
        "Positional arguments:",
        "Options:",
        "Common options:",
    ]
    assert "  example ann" in lines


@pytest.mark.parametrize(
    ("argv", "called"),
    [([], ["list"]), (["--all"], ["list", "--all"]), (["list"], ["list"]), (["show"], ["show"])],
    ids=" ".join,
)
def test_a_group_has_a_default_command(argv: list[str], called: list[str]) -> None:
    @click.group(cls=Group, default="list")
    def group() -> None: ...

    for name in ("list", "show"):
        group.command(name)(
            option("--all", "every", is_flag=True)(lambda *, every, name=name: [name, *["--all"] * every])
        )
    with group.make_context("group", list(argv)) as context:
        assert group.invoke(context) == called


@pytest.mark.parametrize(
    ("name", "hint"),
    [("lst", "Did you mean 'list'?"), ("nothing-like-it", "`group --help` lists the commands.")],
    ids=["similar", "none"],
)
def test_an_unknown_command_gets_a_hint(name: str, hint: str) -> None:
    @click.group(cls=Group)
    def group() -> None: ...

    group.command("list")(lambda: None)
    with group.make_context("group", [name]) as context, pytest.raises(click.UsageError) as refused:
        group.invoke(context)
    assert refused.value.format_message() == f"No such command {name!r}. {hint}"


def test_formats_are_those_of_the_specification() -> None:
    assert ("auto", *FORMATS) == get_args(FormatSpecification.model_fields["format"].annotation)
    assert get_args(get_args(S3Pull.model_fields["format"].annotation)[0]) == tuple(FORMATS)
