"""Flags from annotated functions: a command is a function whose parameters say what they are on the command line.

    def show(task_id: Annotated[str, Argument(metavar="ID")], most: Annotated[int, Option("--most", min=1, help="…")] =
    20) -> int: ...

Typer does the same by a Pydantic validator for each flag, which took 0.15 s of every command; this takes what click
itself has.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import click

_MOST = 2**63 - 1


class Option:
    """A flag: its names, and what of click's options its parameter does not say; `min` is the least number."""

    def __init__(self, *names: str, **more: Any) -> None:
        """Take names and settings."""
        self.names = names
        self.more = more


class Argument:
    """What stands without a flag; a list takes all that does."""

    def __init__(self, **more: Any) -> None:
        """Take click's settings."""
        self.more = more


class _Command(click.Command):
    """A command whose numbers are such that everything takes them.

    Of a flag that is given twice the last holds, as in scripts.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments.

        Raises:
            UsageError: a number is not finite, or beyond 64 bits.
        """
        rest = super().parse_args(ctx, args)
        for one in self.params:
            value = ctx.params.get(one.name or "")
            if isinstance(value, int | float) and not -_MOST <= value <= _MOST:  # so it is with NaN
                raise click.BadParameter(f"{value} is out of range.", ctx, param=one)
        return rest


class _Text(click.ParamType[str]):
    """Text; as an option's value it says something."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the text."""
        if isinstance(param, click.Option):
            _check_text(self, value, param, ctx)
        return value


class _File(click.Path):
    """A path that says something."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        _check_text(self, str(value), param, ctx)
        return super().convert(value, param, ctx)


def _check_text(
    kind: click.ParamType[Any], text: str, param: click.Parameter | None, ctx: click.Context | None
) -> None:
    if not text:
        kind.fail("it is empty.", param, ctx)
    try:
        text.encode()
    except UnicodeEncodeError:  # the environment's: arguments are looked at before
        kind.fail("it is not UTF-8.", param, ctx)


def make_command(name: str, function: Callable[..., int], text: str) -> click.Command:
    """Return the command that a function is."""
    parameters = [_make_parameter(one) for one in inspect.signature(function).parameters.values()]
    return _Command(name, callback=function, params=parameters, help=text)


def _make_parameter(parameter: inspect.Parameter) -> click.Parameter:
    kind, declared = parameter.annotation.__origin__, parameter.annotation.__metadata__[0]
    kind = (
        next(one for one in get_args(kind) if one is not types.NoneType)
        if get_origin(kind) in (types.UnionType, Union)
        else kind
    )
    several = get_origin(kind) is list
    required = parameter.default is inspect.Parameter.empty
    settings = {"required": required, **declared.more}
    if not required and parameter.default is not None:
        settings["default"] = parameter.default
    least = settings.pop("min", None)
    settings["type"] = _value_type(get_args(kind)[0] if several else kind, least)
    if isinstance(declared, Argument):
        return click.Argument([parameter.name], nargs=-1 if several else 1, **settings)
    settings = {"show_default": True, **settings}
    if kind is bool:
        settings["is_flag"] = True
    return click.Option([parameter.name, *declared.names], multiple=several, **settings)


def _value_type(kind: Any, least: float | None) -> Any:
    if kind is Path:
        return _File(path_type=Path)
    if least is not None:
        return click.IntRange(min=int(least)) if kind is int else click.FloatRange(min=least)
    return _Text() if kind is str else kind
