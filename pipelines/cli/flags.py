"""What click lacks for this command line: types that refuse empty text, groups of options in `--help`, a lazy group.

Commands are declared with click's own decorators:

    @click.command(cls=Command)
    @option("--limit", type=click.IntRange(min=0), help="Show at most N events.")
    @common_flags
    def search(limit: int, common: Common) -> int: ...
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

_LARGEST = 2**63 - 1
_T = TypeVar("_T")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Text(click.ParamType[str]):
    """Text that is neither empty nor, as the environment may have it, in another encoding than UTF-8."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the text."""
        _check_text(self, value, param, ctx)
        return value


class FilePath(click.Path):
    """A path that is not empty."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        _check_text(self, str(value), param, ctx)
        return super().convert(value, param, ctx)


class OneOf(click.Choice[str]):
    """One of a few names."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name."""
        _check_text(self, str(value), param, ctx)
        return super().convert(value, param, ctx)

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return the message for another value."""
        *others, last = self.choices
        return f"must be {', '.join(others)} or {last}, not {value!r}."


FILE = FilePath(path_type=Path)


def _check_text(
    kind: click.ParamType[Any], text: str, param: click.Parameter | None, ctx: click.Context | None
) -> None:
    if not text:
        kind.fail("it is empty.", param, ctx)
    try:
        text.encode()
    except UnicodeEncodeError:  # of the environment: main checks the arguments
        kind.fail("it is not UTF-8.", param, ctx)


class Option(click.Option):
    """An option in a group of `--help`, with its default shown, that takes no empty text.

    Attributes:
        group: The title of its group.
    """

    def __init__(self, declarations: list[str], *, group: str = "Options", **settings: Any) -> None:
        """Take the group, and click's settings."""
        if not settings.get("is_flag"):
            settings.setdefault("type", Text())
        super().__init__(declarations, **{"show_default": True, "show_envvar": True, **settings})
        self.group = group

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Return what `--help` shows in brackets: a default in words as it is, where click has parentheses."""
        extra = super().get_help_extra(ctx)
        if isinstance(self.show_default, str):
            extra["default"] = self.show_default
        return extra


option = functools.partial(click.option, cls=Option)
common_option = functools.partial(click.option, cls=Option, group="Common options")
store_option = functools.partial(click.option, cls=Option, group="Store options")
output_option = functools.partial(click.option, cls=Option, group="Output options")
object_option = functools.partial(click.option, cls=Option, group="Object options")
format_option = functools.partial(click.option, cls=Option, group="Format options")
event_option = functools.partial(click.option, cls=Option, group="Event options")
job_option = functools.partial(click.option, cls=Option, group="Job options")


def pass_flags(parameter: str, kind: type[Any], *decorators: Decorator) -> Decorator:
    """Return a decorator that gives a command several flags, which it gets as one dataclass.

    Args:
        parameter: The name of the command's parameter.
        kind: The dataclass; each field has the name of a flag's value.
        *decorators: click's decorators of the flags, in the order of `--help`.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(**values: Any) -> Any:
            flags = take_flags(kind, values)
            return function(**values, **{parameter: flags})

        for one in reversed(decorators):
            one(call)
        return call

    return decorate


def take_flags(kind: type[_T], values: dict[str, Any]) -> _T:
    """Take the values of a dataclass's fields out of a dictionary, and return them as that dataclass."""
    return kind(**{one.name: values.pop(one.name) for one in fields(kind) if one.name in values})  # type: ignore[arg-type]


class Command(click.Command):
    """A command with examples and groups of options in `--help`, whose numbers fit into 64 bits.

    Attributes:
        examples: Command lines.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        """Take the examples, and click's settings."""
        super().__init__(*args, **settings)
        self.examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments.

        Raises:
            UsageError: a number is not finite, or beyond 64 bits.
        """
        rest = super().parse_args(ctx, args)
        for one in self.params:
            value = ctx.params.get(one.name or "")
            if isinstance(value, int | float) and not -_LARGEST <= value <= _LARGEST:  # NaN is not either
                raise click.BadParameter(f"{value} is out of range.", ctx, param=one)
        return rest

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the description and the examples."""
        super().format_help_text(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups of options, each under its title."""
        for title, options in option_groups(self, ctx).items():
            with formatter.section(title):
                formatter.write_dl([one.get_help_record(ctx) or ("", "") for one in options])


def option_groups(command: click.Command, ctx: click.Context) -> dict[str, list[click.Option]]:
    """Return the options of a command by the titles of their groups, in the order of `--help`."""
    groups: dict[str, list[click.Option]] = {}
    default = "Common options" if isinstance(command, Command) else "Options"
    for one in command.get_params(ctx):
        if isinstance(one, click.Option) and not one.hidden:
            groups.setdefault(one.group if isinstance(one, Option) else default, []).append(one)
    return groups


class Group(click.Group):
    """A group that runs a default command, or shows its help, where no command is named.

    Attributes:
        default: The name of the command to run where no command is named, or None for `--help`.
    """

    command_class = Command

    def __init__(self, *args: Any, default: str | None = None, **settings: Any) -> None:
        """Take the default command, and click's settings."""
        super().__init__(*args, **settings)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, with the default command before them if they name none."""
        is_named = bool(args) and (self.default is None or not args[0].startswith("-") or args[0] == "--help")
        return super().parse_args(ctx, args if is_named else [self.default or "--help", *args])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names.

        Raises:
            UsageError: there is none; the message names one of a similar name, or where they are listed.
        """
        names = self.list_commands(ctx)
        if args[0] not in names:
            similar = get_close_matches(args[0], names, n=1)
            hint = f"Did you mean {similar[0]!r}?" if similar else f"`{ctx.command_path} --help` lists the commands."
            ctx.fail(f"No such command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of definition."""
        del ctx
        return list(self.commands)


class LazyGroup(Group):
    """A group whose commands are imported when they are called, and not for its own `--help`.

    Attributes:
        targets: Where each command is, as `module:name`, and its summary.
    """

    def __init__(self, *args: Any, targets: Mapping[str, tuple[str, str]], **settings: Any) -> None:
        """Take the commands, and click's settings."""
        super().__init__(*args, **settings)
        self.targets = targets

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        del ctx
        return list(self.targets)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in self.targets:
            return None
        module, _, name = self.targets[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands' summaries."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.targets.items()])
