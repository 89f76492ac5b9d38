"""`rekindle …`: the command line (spec §13). Standard output carries results only; everything else goes to standard error.

Beam takes more than a second to import, so only the commands that run a pipeline import it, when they are called.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from itertools import chain
from typing import Annotated, Any, NoReturn

import typer

from transforms.errors import RekindleError

# The functions of each command, `module:function`, and what --help says of it. The modules are imported one at a time, on demand.
_COMMANDS = {
    "backfill": ("cli_backfill:backfill", "Ingest the objects of a bucket that match a pattern. Beam's own flags go after --."),
    "preview": ("cli_preview:preview", "Show what a backfill with the same flags would ingest, and how it would read it. Writes nothing."),
    "search": ("cli_query:search", "Find events, newest first: rekindle search 'status=404 login' --last 7d"),
    "sql": (
        "cli_query:sql",
        'Run one SELECT over the view `events`: rekindle sql "SELECT host, count(*) FROM events GROUP BY host"',
    ),
    "files": (
        "cli_query:files",
        "The live files of the table, one a line, for tools that know no Delta Lake. Never glob the folder: replaced files lie there too.",
    ),
}
_GROUPS = {
    "jobs": (
        "List, show, cancel and resume jobs.",
        {
            "list": ("cli_jobs:list_jobs", "The jobs of a hot tier, newest first."),
            "show": ("cli_jobs:show", "The report of a job, as it stands."),
            "cancel": ("cli_jobs:cancel", "Stop a job at its next safe point; what it published stays."),
            "resume": ("cli_jobs:resume", "Go on with a job that was killed, canceled or failed: its id, its plan, its waves."),
        },
    ),
    "pipelines": (
        "Try pipelines on sample events; list those that ship.",
        {
            "test": ("cli_pipelines:test", "What pipelines do to sample events: rekindle pipelines test FILE --sample EVENTS"),
            "list": ("cli_pipelines:list_pipelines", "The ready-made pipelines, or those of a file."),
        },
    ),
    "keys": (
        "Create, list and revoke IAM keys: what comes in by one gets its env, team and defaults.",
        {
            "create": ("cli_keys:create", "Make a key; its token is shown once."),
            "list": ("cli_keys:list_keys", "All keys, the revoked too."),
            "revoke": ("cli_keys:revoke", "Take a key out of force; events keep its id."),
        },
    ),
}

_UsageError: Any = typer.BadParameter.__mro__[2]
"""Click's `ClickException`, wherever this version of typer keeps it."""


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with the code of spec §3.3."""
    code = run(sys.argv[1:] if argv is None else argv)
    if argv is not None:
        sys.exit(code)
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # all is closed and said: to take the idle threads of Beam and Arrow down took another 0.5 s


def run(argv: list[str]) -> int:
    """Run one command and return its exit code."""
    logging.basicConfig(level=logging.ERROR)  # Beam warns of every optional library that is not installed
    if not argv:
        argv = ["--help"]
    if argv[:1] == ["search"]:  # an option whose value may be left out is none to typer: the span is an argument
        argv = list(chain.from_iterable(word.split("=", 1) if word.startswith("--histogram=") else [word] for word in argv))
    if argv[:1] == ["jobs"] and (len(argv) == 1 or argv[1].startswith("-") and argv[1] != "--help"):
        argv = ["jobs", "list", *argv[1:]]
    try:
        result = _app(next((word for word in argv if not word.startswith("-")), None))(argv, standalone_mode=False)
        sys.stdout.flush()
    except typer.Exit as end:
        return int(end.exit_code)
    except typer.Abort:
        return 130
    except _UsageError as error:
        return _refuse(error.format_message(), code=2)
    except RekindleError as error:
        return _refuse(str(error), field=getattr(error, "field", None), code=error.exit_code)
    except KeyboardInterrupt:
        return 130
    except (BrokenPipeError, SystemExit):  # the latter is what typer makes of a broken pipe, and of nothing else
        return _stop_writing()
    return int(result or 0)


def _refuse(text: str, *, field: str | None = None, code: int) -> int:
    from pipelines.cli_output import print_error  # brings rich

    print_error(text, field=field)
    return code


def _stop_writing() -> int:
    """The reader of our output has had enough (`| head`): no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _app(name: str | None) -> typer.Typer:
    """Return the command line; of all commands but the one of this name only what --help says, without their modules."""
    app = typer.Typer(name="rekindle", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.callback()(_root)
    for command, (place, text) in _COMMANDS.items():
        app.command(command, help=text)(_function(place) if command == name else _nothing)
    for group, (text, commands) in _GROUPS.items():
        part = typer.Typer(no_args_is_help=True, help=text)
        for command, (place, said) in commands.items() if group == name else ():
            part.command(command, help=said)(_function(place))
        app.add_typer(part, name=group)
    return app


def _function(place: str) -> Callable[..., int]:
    """Import a command's module, and return its function."""
    module, _, function = place.partition(":")
    found: Callable[..., int] = getattr(import_module(f"pipelines.{module}"), function)
    return found


def _nothing() -> None:
    """Stand for a command that is not wanted."""


def _say_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if asked:
        from transforms.schema import PRODUCT

        sys.stdout.write(f"{PRODUCT}\n")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", help="Say which version this is, and end.", is_eager=True, callback=_say_version)]


def _root(version: Version = False) -> None:
    """Rekindle: make cold logs in S3 a hot tier of partitioned Parquet that any SQL engine reads, exactly once."""
    del version


if __name__ == "__main__":
    main()
