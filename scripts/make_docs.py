"""Write the pages of docs/ that are generated from the code: `make docs`.

python -m scripts.make_docs
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from pipelines.cli.flags import Command, option_groups
from pipelines.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
SHARED_GROUPS = ("Store options", "Common options")
"""Groups that every command has: they are described once."""


def commands_page() -> str:
    """Return the reference of the command line, as Markdown."""
    parts = [
        "# Commands",
        "Generated from the code by `make docs`; `rekindle COMMAND --help` shows the same.",
        "\n".join(
            f"- [`{context.command_path}`](#{context.command_path.replace(' ', '-')}): {summary(context.command)}"
            for context in walk_commands()
            if context.parent is not None
        ),
        *(_section(context) for context in walk_commands()),
        _shared_options(next(one for one in walk_commands() if isinstance(one.command, Command))),
    ]
    return "\n\n".join(parts) + "\n"


def walk_commands(command: click.Command = app, parent: click.Context | None = None) -> Iterator[click.Context]:
    """Yield the context of a command, then those of its subcommands."""
    context = click.Context(command, parent=parent, info_name=command.name, auto_envvar_prefix=None)
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from walk_commands(child, context)


def summary(command: click.Command) -> str:
    """Return the first sentence of a command's help."""
    return description(command).partition("\n")[0]


def description(command: click.Command) -> str:
    """Return a command's help without examples and flags."""
    return inspect.cleandoc(command.help or "")


def _section(context: click.Context) -> str:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"## {context.command_path}", description(command), f"```\n{usage}\n```"]
    if isinstance(command, Command) and command.examples:
        parts.append("\n".join(["```sh", *command.examples, "```"]))
    arguments = [one for one in command.get_params(context) if isinstance(one, click.Argument)]
    if arguments:
        parts.append(_table("Argument", arguments, context))
    groups = option_groups(command, context)
    is_leaf = isinstance(command, Command)
    parts += [_table(title, groups[title], context) for title in groups if not (is_leaf and title in SHARED_GROUPS)]
    if is_leaf:
        parts.append("And the [options of every command](#options-of-every-command).")
    return "\n\n".join(parts)


def _shared_options(context: click.Context) -> str:
    groups = option_groups(context.command, context)
    return "\n\n".join(
        ["## Options of every command", *(_table(title, groups[title], context) for title in SHARED_GROUPS)]
    )


def _table(title: str, parameters: list[click.Argument] | list[click.Option], context: click.Context) -> str:
    records = [record for one in parameters if (record := one.get_help_record(context)) is not None]
    rows = [f"| `{_cell(names)}` | {_escape(_cell(text))} |" for names, text in records]
    return "\n".join([f"| {title} | |", "|---|---|", *rows])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _escape(text: str) -> str:
    """Return a text with Markdown's marks escaped, but those of code."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([*_\[\]])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


GENERATORS: dict[str, Callable[[], str]] = {
    "docs/commands.md": commands_page,
}
"""Each generated file, and what returns its text."""


def main() -> int:
    """Write the files that are not up to date, and name them."""
    for name, generate in GENERATORS.items():
        path, text = ROOT / name, generate()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
