"""Write the pages of docs/ that are generated from the code: `make docs`.

python -m scripts.make_docs
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import click

from pipelines.cli.flags import Command, option_groups
from pipelines.cli.main import app
from pipelines.jobs.schemas import as_text, schemas
from service.api.openapi import EXAMPLE
from service.api.state import Service
from service.app import create_app
from service.settings import ServiceSettings
from transforms.event_pipelines.definition import load_ready_made
from transforms.event_pipelines.ready_made import read_ready_made, read_samples, ready_made_names

ROOT = Path(__file__).resolve().parent.parent
_URL = re.compile(r"https://[^\s,;()]+[^\s,;().:]")
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


def ready_made_page() -> str:
    """Return the catalogue of the ready-made pipelines, as Markdown, with an example of each."""
    names = ready_made_names()
    parts = [
        "# Ready-made pipelines",
        "Generated from [the library](../transforms/event_pipelines/library) by `make docs`. "
        "`rekindle pipelines show NAME` prints one, to start from; [pipelines.md](pipelines.md) says how they run.",
        "```yaml\ninclude:\n  - access_combined\n"
        "  - {name: aws_alb, when: 'source=alb*'}   # instead of its own condition\n```",
        "A ready-made pipeline takes only lines that are wholly its kind: "
        "with a field more or fewer, a line stays as it is.",
        "| pipeline | for |\n|---|---|\n"
        + "\n".join(f"| [`{name}`](#{name}) | {load_ready_made(name)[0].description} |" for name in names),
        *(_ready_made(name) for name in names),
    ]
    return "\n\n".join(parts) + "\n"


def _ready_made(name: str) -> str:
    """Return the section of one pipeline: its comment, its condition, and the first of its samples that it changes."""
    (pipeline,) = load_ready_made(name)
    lines = read_ready_made(name).splitlines()
    comment = " ".join(line.removeprefix("# ") for line in takewhile(lambda line: line.startswith("# "), lines))
    sample = next(one for one in read_samples(name) if one.get("attributes") and one.get("ran", name))
    attributes = [
        f"{key.removeprefix('attributes.')} = {value}"
        for key, value in sample["attributes"].items()
        if value is not None
    ]
    before = [f"{key} = {value}" for key, value in sample.get("given", {}).items() if not key.startswith("_")]
    given = ["", *before] if before else []
    time = [f"_time = {sample['time'].isoformat()}"] if "time" in sample else []
    text = [f"_message = {sample['text']}"] if "text" in sample else []
    return "\n\n".join(
        [
            f"## {name}",
            _URL.sub(r"<\g<0>>", comment),
            f"Runs on: `{pipeline.when}`",
            "\n".join(["```", sample["message"], *given, "```"]),
            "\n".join(["```", *time, *text, *attributes, "```"]),
        ]
    )


def api_page() -> str:
    """Return the reference of the service's calls, as Markdown, from its OpenAPI document."""
    paths = create_api().openapi()["paths"]
    calls = [(path, method, call) for path, methods in paths.items() for method, call in methods.items()]
    parts = [
        "# HTTP API",
        "Generated from the code by `make docs`; `/openapi.json` of a service describes the same in full, with the "
        "schemas of bodies and answers. [service.md](service.md) says what keys, errors and the queue are.",
        *(_call(path, method, call) for path, method, call in calls),
    ]
    return "\n\n".join(parts) + "\n"


def create_api() -> Any:
    """Return the service's application, over no tier."""
    return create_app(Service(settings=ServiceSettings(hot_tier="hot-tier"), tier=None))  # type: ignore[arg-type]


def _call(path: str, method: str, call: dict[str, Any]) -> str:
    """Return the section of one call."""
    parts = [f"## {method.upper()} {path}", inspect.cleandoc(call["description"])]
    if rows := [
        f"| `{one['name']}` | {_values(one)} | {_default(one['schema'])} |"
        for one in call.get("parameters", ())
        if one["in"] == "query"
    ]:
        parts.append("\n".join(["| parameter | | default |", "|---|---|---|", *rows]))
    if example := call.get(EXAMPLE):
        parts.append(f"Such as `{path}?{example[0]['source']}`.")
    parts += [_body(kind, content) for kind, content in call.get("requestBody", {"content": {}})["content"].items()]
    answers = call["responses"]["200"]["content"]
    answer = answers.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    parts.append(f"Answer: {f'`{answer}`' if answer else ', '.join(f'`{kind}`' for kind in answers)}.")
    return "\n\n".join(parts)


def _body(kind: str, content: dict[str, Any]) -> str:
    """Return what a body of one kind is, and an example of it where it is JSON."""
    if "$ref" not in content["schema"]:
        return f"Body: `{kind}`."
    model = content["schema"]["$ref"].rpartition("/")[2]
    return f"Body: `{model}`, such as\n\n```json\n{json.dumps(content['example'])}\n```"


def _values(parameter: dict[str, Any]) -> str:
    """Return which values a parameter takes, and what it does."""
    text = parameter.get("description", "")
    return ". ".join(filter(None, (_kinds(parameter["schema"]), text)))


def _kinds(schema: dict[str, Any]) -> str:
    choices = [choice for choice in schema.get("anyOf", [schema]) if choice.get("type") != "null"]
    if names := [name for choice in choices for name in choice.get("enum", ())]:
        return ", ".join(f"`{name}`" for name in names)
    low, high = choices[0].get("minimum"), choices[0].get("maximum")
    kind = "names" if choices[0]["type"] == "array" else choices[0]["type"]
    return str(kind) if low is None else f"from {low}" if high is None else f"{low} to {high}"


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return "" if default in (None, "", []) else f"`{default if isinstance(default, str) else json.dumps(default)}`"


GENERATORS: dict[str, Callable[[], str]] = {
    "docs/api.md": api_page,
    "docs/commands.md": commands_page,
    "docs/ready-made-pipelines.md": ready_made_page,
    **{f"docs/{name}": partial(as_text, schema) for name, schema in schemas().items()},
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
