"""Flags from annotated functions: a command is a function whose parameters say what they are on the command line.

    def show(task_id: Annotated[str, Argument(metavar="ID")], most: Annotated[int, Option("--most", min=1, help="…")] = 20) -> int: ...

Typer does the same by a Pydantic validator for each flag, which took 0.15 s of every command; this takes what click itself has.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import click


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


def make_command(name: str, function: Callable[..., int], text: str) -> click.Command:
    """Return the command that a function is."""
    parameters = [_make_parameter(one) for one in inspect.signature(function).parameters.values()]
    return click.Command(name, callback=function, params=parameters, help=text)


def _make_parameter(parameter: inspect.Parameter) -> click.Parameter:
    kind, declared = parameter.annotation.__origin__, parameter.annotation.__metadata__[0]
    kind = next(one for one in get_args(kind) if one is not types.NoneType) if get_origin(kind) in (types.UnionType, Union) else kind
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
        return click.Path(path_type=Path)
    if least is not None:
        return click.IntRange(min=int(least)) if kind is int else click.FloatRange(min=least)
    return kind
