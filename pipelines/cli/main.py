"""`rekindle …`: the command line (spec §13). Standard output carries results only; everything else goes to standard
error.

Beam takes more than a second to import, Polars and pyarrow as long as many an answer: only the module of the command
that is called is imported, and that imports what it needs when it needs it.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import click

from pipelines.cli.flags import make_command
from pipelines.cli.streams import INTERRUPTED, OutputError, stop_writing, take_streams
from transforms.core.errors import ConfigurationError, RekindleError

_HELP = "Rekindle: make cold logs in S3 a hot tier of partitioned Parquet that any SQL engine reads, exactly once."
# The functions of each command, `module:function`, and what --help says of it. The modules are imported one at a time,
# on demand.
_COMMANDS = {
    "backfill": (
        "backfill:backfill",
        "Ingest the objects of a bucket that match a pattern. Beam's own flags go after --.",
    ),
    "preview": (
        "preview:preview",
        "Show what a backfill with the same flags would ingest, and how it would read it. Writes nothing.",
    ),
    "search": ("query:search", "Find events, newest first: rekindle search 'status=404 login' --last 7d"),
    "sql": (
        "query:sql",
        'Run one SELECT over the view `events`: rekindle sql "SELECT host, count(*) FROM events GROUP BY host"',
    ),
    "files": (
        "query:files",
        "The live files of the table, one a line, for tools that know no Delta Lake. Never glob the folder: replaced files lie there too.",
    ),
    "delete": ("maintenance:delete", "Delete events by rules. Without --execute it only says what would go."),
    "restore": ("maintenance:restore", "Bring back what deletion runs have removed, within their grace."),
    "tier": (
        "maintenance:tier",
        "Move events to the cold tier by rules. Without --execute it only says what would move.",
    ),
    "compact": ("maintenance:compact", "Merge the small files of each date."),
}
_GROUPS = {
    "jobs": (
        "List, show, cancel and resume jobs.",
        {
            "list": ("jobs:list_jobs", "The jobs of a hot tier, newest first."),
            "show": ("jobs:show", "The report of a job, as it stands."),
            "cancel": ("jobs:cancel", "Stop a job at its next safe point; what it published stays."),
            "resume": (
                "jobs:resume",
                "Go on with a job that was killed, canceled or failed: its id, its plan, its waves.",
            ),
        },
    ),
    "pipelines": (
        "Try pipelines on sample events; list those that ship.",
        {
            "test": (
                "pipelines:test",
                "What pipelines do to sample events: rekindle pipelines test FILE --sample EVENTS",
            ),
            "list": ("pipelines:list_pipelines", "The ready-made pipelines, or those of a file."),
        },
    ),
    "keys": (
        "Create, list and revoke IAM keys: what comes in by one gets its env, team and defaults.",
        {
            "create": ("keys:create", "Make a key; its token is shown once."),
            "list": ("keys:list_keys", "All keys, the revoked too."),
            "revoke": ("keys:revoke", "Take a key out of force; events keep its id."),
        },
    ),
}


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with the code of spec §3.3."""
    if argv is not None:
        sys.exit(run(argv))
    code = run(sys.argv[1:]) if take_streams() else _refuse("standard output is closed", code=1)
    if code == INTERRUPTED:
        stop_writing()  # whoever reads it may never read on
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)  # all is closed and said: to take the idle threads of Beam and Arrow down took another 0.5 s


def run(argv: list[str]) -> int:
    """Run one command and return its exit code."""
    logging.basicConfig(level=logging.ERROR)  # Beam warns of every optional library that is not installed
    if not argv:
        argv = ["--help"]
    if len(argv) == 1 and argv[0] in _GROUPS and argv[0] != "jobs":
        argv = [*argv, "--help"]
    if argv[:1] == ["jobs"] and (len(argv) == 1 or argv[1].startswith("-") and argv[1] != "--help"):
        argv = ["jobs", "list", *argv[1:]]
    try:
        _check_encoding(argv)
        if argv[:1] == ["search"]:
            from pipelines.cli.commands.query import split_histogram

            argv = split_histogram(argv)
        app = _app(next((word for word in argv if not word.startswith("-")), None))
        code = _call(app, argv)
        sys.stdout.flush()
    except click.ClickException as error:
        return _refuse(error.format_message(), code=2)
    except RekindleError as error:
        return _refuse(str(error), field=getattr(error, "field", None), code=error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        stop_writing()  # the reader has had enough (`| head`): no error
        return 0
    except OutputError as error:
        stop_writing()
        return _refuse(f"standard output can't be written: {error.strerror}", code=1)
    except OSError as error:
        return _refuse(str(error), code=1)
    return code


def _call(app: click.Group, argv: list[str]) -> int:
    """Do what the arguments say; not by `main` of click, which writes a line where Ctrl-C ends it."""
    try:
        with app.make_context("rekindle", list(argv)) as context:
            return int(app.invoke(context) or 0)
    except click.exceptions.Exit as end:
        return int(end.exit_code)


def _refuse(text: str, *, field: str | None = None, code: int) -> int:
    from pipelines.cli.output.console import print_error  # brings rich

    with suppress(OSError):  # nobody hears it
        print_error(text, field=field)
    return code


def _check_encoding(argv: list[str]) -> None:
    for word in argv:
        try:
            word.encode()
        except UnicodeEncodeError as error:
            raise ConfigurationError(
                f"an argument is not UTF-8: {os.fsencode(word).decode(errors='backslashreplace')}"
            ) from error


def _app(name: str | None) -> click.Group:
    """Return the command line; of all commands but the one of this name only what --help says, without their
    modules.
    """
    version = click.Option(
        ["--version"], is_flag=True, is_eager=True, callback=_say_version, help="Say which version this is, and end."
    )
    commands = [_command(command, place, text, wanted=command == name) for command, (place, text) in _COMMANDS.items()]
    for group, (text, parts) in _GROUPS.items():
        inside = (
            [_command(part, place, said, wanted=True) for part, (place, said) in parts.items()] if group == name else []
        )
        commands.append(_Commands(group, inside, help=text))
    return _Commands("rekindle", commands, params=[version], help=_HELP)


class _Commands(click.Group):
    """A group whose commands are listed in the order they were given in."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        del ctx
        return list(self.commands)


def _command(name: str, place: str, text: str, *, wanted: bool) -> click.Command:
    """Return a command; import its module only where it is wanted."""
    if not wanted:
        return click.Command(name, help=text)
    module, _, function = place.partition(":")
    return make_command(name, getattr(import_module(f"pipelines.cli.commands.{module}"), function), text)


def _say_version(context: click.Context, parameter: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click calls it so
    del parameter
    if asked:
        from transforms.core.schema import PRODUCT

        sys.stdout.write(f"{PRODUCT}\n")
        context.exit()
