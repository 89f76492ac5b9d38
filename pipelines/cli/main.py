"""The command line `rekindle` (docs/jobs.md): results go to standard output, everything else to standard error.

Beam takes more than a second to import, Polars and pyarrow as long as many an answer: only the module of the command
that is called is imported, and that imports what it needs when it needs it.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import click

from pipelines.cli.flags import LazyGroup
from pipelines.cli.streams import INTERRUPTED, OutputError, end_process, stop_writing, take_streams
from transforms.core.errors import ConfigurationError, RekindleError

COMMANDS = {
    "backfill": (
        "pipelines.cli.commands.backfill:backfill",
        "Ingest the objects of a bucket that match a pattern.",
    ),
    "watch": (
        "pipelines.cli.commands.watch:watch",
        "Ingest the objects of a bucket, and go on with those that arrive.",
    ),
    "preview": (
        "pipelines.cli.commands.preview:preview",
        "Show what a backfill with the same flags would ingest.",
    ),
    "search": ("pipelines.cli.commands.search:search", "Find events, newest first unless --oldest-first."),
    "sql": ("pipelines.cli.commands.sql:sql", "Run a SELECT statement over the events."),
    "files": ("pipelines.cli.commands.files:files", "List the live data files of the hot tier."),
    "usage": ("pipelines.cli.commands.usage:usage", "Show how many events, files and bytes the hot tier has."),
    "delete": (
        "pipelines.cli.commands.maintenance.delete:delete",
        "Delete events by rules, those of the hot tier or those of a file.",
    ),
    "restore": (
        "pipelines.cli.commands.maintenance.restore:restore",
        "Bring back deleted events and undone jobs.",
    ),
    "tier": (
        "pipelines.cli.commands.maintenance.tier:tier",
        "Move events to the cold tier by rules, those of the hot tier or those of a file.",
    ),
    "compact": ("pipelines.cli.commands.maintenance.compact:compact", "Merge the small data files of each date."),
    "rules": (
        "pipelines.cli.commands.maintenance.rules:rules",
        "Show and set the rules of the hot tier, by which events are deleted and moved.",
    ),
    "holds": (
        "pipelines.cli.commands.maintenance.holds:holds",
        "List, add and lift holds, which keep events from every deletion.",
    ),
    "audit": ("pipelines.cli.commands.maintenance.audit:audit", "Show who did what to the hot tier, newest first."),
    "promote": (
        "pipelines.cli.commands.maintenance.promote:promote",
        "Give attributes columns of their own, for all events.",
    ),
    "jobs": ("pipelines.cli.commands.jobs:jobs", "List, show, cancel, resume and undo jobs."),
    "pipelines": (
        "pipelines.cli.commands.pipelines:pipelines",
        "Test and list event pipelines, and set those of the hot tier.",
    ),
    "keys": ("pipelines.cli.commands.keys:keys", "Create, list and revoke IAM keys."),
    "serve": ("pipelines.cli.commands.serve:serve", "Serve the hot tier over HTTP, and run the jobs of its queue."),
    "mcp": (
        "pipelines.cli.commands.mcp:mcp",
        "Let a language model search the hot tier, by the Model Context Protocol.",
    ),
}
"""Where each command is, and its summary: the first sentence of its help."""


def _show_version(context: click.Context, parameter: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's
    del parameter
    if asked:
        from transforms.core.schema import PRODUCT

        click.echo(PRODUCT)
        context.exit()


@click.group("rekindle", cls=LazyGroup, targets=COMMANDS)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def app() -> None:
    """Turn cold logs in S3 into a hot tier of partitioned Parquet.

    Any SQL engine can read the tier. Each event is in it exactly once.
    """


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with the code of docs/jobs.md."""
    if argv is not None:
        sys.exit(run(argv))
    code = run(sys.argv[1:]) if take_streams() else _refuse("standard output is closed", code=1)
    if code == INTERRUPTED:
        stop_writing()  # whoever reads it may never read on
    end_process(code)


def run(argv: list[str]) -> int:
    """Run one command and return its exit code."""
    return report_errors(lambda: _checked_call(argv))


def report_errors(work: Callable[[], int]) -> int:
    """Do some work and return its exit code; of an error, print one line and return the error's."""
    logging.basicConfig(level=logging.ERROR)  # Beam warns of every optional library that is not installed
    try:
        code = work()
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
        is_file = error.filename is not None and error.strerror is not None
        return _refuse(f"{error.filename}: {error.strerror}" if is_file else str(error), code=1)
    return code


def _checked_call(argv: list[str]) -> int:
    _check_encoding(argv)
    return _call(argv)


def _call(argv: list[str]) -> int:
    """Run a command; not by `main` of click, which writes a line where Ctrl-C ends it."""
    try:
        with app.make_context("rekindle", list(argv)) as context:
            return int(app.invoke(context) or 0)
    except click.exceptions.Exit as end:
        return int(end.exit_code)


def _refuse(text: str, *, field: str | None = None, code: int) -> int:
    from pipelines.cli.output.console import print_error  # imports rich

    with suppress(OSError):  # standard error is closed
        print_error(text, field=field)
    return code


def _check_encoding(argv: list[str]) -> None:
    for argument in argv:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise ConfigurationError(
                f"an argument is not UTF-8: {os.fsencode(argument).decode(errors='backslashreplace')}"
            ) from error
