"""`rekindle …`: the command line (spec §13). Standard output carries results only; everything else goes to standard error.

Beam takes more than a second to import, so only the commands that run a pipeline import it, when they are called.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from itertools import chain
from typing import Annotated, Any, NoReturn

import typer

from pipelines import cli_backfill, cli_jobs, cli_keys, cli_pipelines, cli_preview, cli_query
from pipelines import cli_output as output
from transforms.errors import RekindleError
from transforms.schema import PRODUCT

app = typer.Typer(name="rekindle", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command(help="Ingest the objects of a bucket that match a pattern. Beam's own flags go after --.")(cli_backfill.backfill)
app.command(help="Show what a backfill with the same flags would ingest, and how it would read it. Writes nothing.")(cli_preview.preview)
app.command(help="Find events, newest first: rekindle search 'status=404 login' --last 7d")(cli_query.search)
app.command(help='Run one SELECT over the view `events`: rekindle sql "SELECT host, count(*) FROM events GROUP BY host"')(cli_query.sql)
app.command(
    help="The live files of the table, one a line, for tools that know no Delta Lake. Never glob the folder: replaced files lie there too."
)(cli_query.files)
jobs = typer.Typer(no_args_is_help=True, help="List, show, cancel and resume jobs.")
jobs.command("list", help="The jobs of a hot tier, newest first.")(cli_jobs.list_jobs)
jobs.command("show", help="The report of a job, as it stands.")(cli_jobs.show)
jobs.command("cancel", help="Stop a job at its next safe point; what it published stays.")(cli_jobs.cancel)
jobs.command("resume", help="Go on with a job that was killed, canceled or failed: its id, its plan, its waves.")(cli_jobs.resume)
app.add_typer(jobs, name="jobs")
pipelines = typer.Typer(no_args_is_help=True, help="Try pipelines on sample events; list those that ship.")
pipelines.command("test", help="What pipelines do to sample events: rekindle pipelines test FILE --sample EVENTS")(cli_pipelines.test)
pipelines.command("list", help="The ready-made pipelines, or those of a file.")(cli_pipelines.list_pipelines)
app.add_typer(pipelines, name="pipelines")
keys = typer.Typer(no_args_is_help=True, help="Create, list and revoke IAM keys: what comes in by one gets its env, team and defaults.")
keys.command("create", help="Make a key; its token is shown once.")(cli_keys.create)
keys.command("list", help="All keys, the revoked too.")(cli_keys.list_keys)
keys.command("revoke", help="Take a key out of force; events keep its id.")(cli_keys.revoke)
app.add_typer(keys, name="keys")

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
        result = app(argv, standalone_mode=False)
        sys.stdout.flush()
    except typer.Exit as end:
        return int(end.exit_code)
    except typer.Abort:
        return 130
    except _UsageError as error:
        output.print_error(error.format_message(), field=None)
        return 2
    except RekindleError as error:
        field = getattr(error, "field", None)
        output.print_error(str(error), field=field)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except (BrokenPipeError, SystemExit):  # the latter is what typer makes of a broken pipe, and of nothing else
        return _stop_writing()
    return int(result or 0)


def _stop_writing() -> int:
    """The reader of our output has had enough (`| head`): no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _say_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if asked:
        output.RESULTS.print(PRODUCT)
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", help="Say which version this is, and end.", is_eager=True, callback=_say_version)]


@app.callback()
def _root(version: Version = False) -> None:
    """Rekindle: make cold logs in S3 a hot tier of partitioned Parquet that any SQL engine reads, exactly once."""
    del version


if __name__ == "__main__":
    main()
