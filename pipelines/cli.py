"""`rekindle …`: the command line (spec §13). Standard output carries results only; everything else goes to standard error.

Beam takes more than a second to import, so only the commands that run a pipeline import it, when they are called.
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from pipelines import cli_output as output
from pipelines.cli_options import (
    CaBundle,
    EndpointUrl,
    HotTier,
    Json,
    NoSignRequest,
    Profile,
    Quiet,
    Region,
    RequestPayer,
    TierEndpointUrl,
    merge_fields,
    parse_time,
    split_lists,
)
from transforms.errors import ConfigurationError, RekindleError, TierError
from transforms.schema import PRODUCT, can_be_column
from transforms.storage import StorageOptions, TierStore, open_tier

app = typer.Typer(name="rekindle", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
_UsageError: Any = typer.BadParameter.__mro__[2]
"""Click's `ClickException`, wherever this version of typer keeps it."""
jobs_app = typer.Typer(no_args_is_help=True, help="List, show, cancel and resume jobs.")
app.add_typer(jobs_app, name="jobs")


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with the code of spec §3.3."""
    code = run(sys.argv[1:] if argv is None else argv)
    sys.exit(code)


def run(argv: list[str]) -> int:
    """Run one command and return its exit code."""
    logging.basicConfig(level=logging.ERROR)  # Beam warns of every optional library that is not installed
    if not argv:
        argv = ["--help"]
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
    except BrokenPipeError:
        return _stop_writing()
    return int(result or 0)


def _stop_writing() -> int:
    """The reader of our output has had enough (`| head`): no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", help="Say which version this is, and end.", is_eager=True)] = False) -> None:
    """Rekindle: make cold logs in S3 a hot tier of partitioned Parquet that any SQL engine reads, exactly once."""
    if version:
        output.RESULTS.print(PRODUCT)
        raise typer.Exit


@app.command(help="Ingest the objects of a bucket that match a pattern. Beam's own flags go after --.")
def backfill(
    ctx: typer.Context,
    job: Annotated[Path | None, typer.Option("--job", help="Job file, JSON or YAML; flags win over it.")] = None,
    bucket: Annotated[str | None, typer.Option("--bucket", help="The bucket, or file:///folder.")] = None,
    pattern: Annotated[str | None, typer.Option("--pattern", help="Glob over the whole key: logs/**/*.gz")] = None,
    region: Region = None,
    modified_after: Annotated[str | None, typer.Option("--modified-after", help="Only objects modified later (ISO 8601).")] = None,
    modified_before: Annotated[str | None, typer.Option("--modified-before", help="Only objects modified earlier (ISO 8601).")] = None,
    format: Annotated[str | None, typer.Option("--format", help="auto, csv, json or text.")] = None,
    delimiter: Annotated[str | None, typer.Option("--delimiter", help="CSV: one character, or \\t.")] = None,
    skip_rows: Annotated[int | None, typer.Option("--skip-rows", help="CSV: lines before the header or data.")] = None,
    headers: Annotated[str | None, typer.Option("--headers", help="CSV: names, by commas; then every line is data.")] = None,
    records_path: Annotated[str | None, typer.Option("--records-path", help="JSON: where the records are, by dots.")] = None,
    multiline_start: Annotated[str | None, typer.Option("--multiline-start", help="Text: what the first line of an event matches.")] = None,
    timestamp: Annotated[str | None, typer.Option("--timestamp", help="auto, or received for plain text.")] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help="For times that name no zone (UTC).")] = None,
    index: Annotated[str | None, typer.Option("--index", help="For events without their own.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="For events without their own.")] = None,
    sourcetype: Annotated[str | None, typer.Option("--sourcetype", help="For events without their own.")] = None,
    host: Annotated[str | None, typer.Option("--host", help="For events without their own.")] = None,
    on_changed: Annotated[str | None, typer.Option("--on-changed", help="Known object, other content: replace, append or skip.")] = None,
    on_error: Annotated[str | None, typer.Option("--on-error", help="Object that breaks half-way: salvage, quarantine or fail.")] = None,
    pipelines: Annotated[Path | None, typer.Option("--pipelines", help="Pipelines file, YAML or JSON.")] = None,
    promote: Annotated[list[str] | None, typer.Option("--promote", help="Attributes that get a column, by commas.")] = None,
    max_objects: Annotated[int, typer.Option("--max-objects", min=1, help="Stop where more objects would be evaluated.")] = 1_000_000,
    wave_bytes: Annotated[str, typer.Option("--wave-bytes", help="Largest wave, compressed.")] = "1GiB",
    max_expansion: Annotated[float, typer.Option("--max-expansion", min=1, help="Largest output for an input, beyond 4 GiB.")] = 200.0,
    max_record: Annotated[str, typer.Option("--max-record", help="Longest record; longer ones are cut and marked.")] = "10MiB",
    memory: Annotated[str | None, typer.Option("--memory", help="Memory that the job may take for buffers.")] = None,
    require_match: Annotated[bool, typer.Option("--require-match", help="Exit with 1 where nothing matches.")] = False,
    try_archived: Annotated[bool, typer.Option("--try-archived", help="Try objects in Glacier and Deep Archive.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Read salvaged objects again, and replace them.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Ingest known objects again: their events are then there twice.")] = False,
    hot_tier: HotTier = "hot-tier",
    as_json: Json = False,
    quiet: Quiet = False,
    endpoint_url: EndpointUrl = None,
    tier_endpoint_url: TierEndpointUrl = None,
    profile: Profile = None,
    no_sign_request: NoSignRequest = False,
    request_payer: RequestPayer = False,
    ca_bundle: CaBundle = None,
    beam_flags: Annotated[
        list[str] | None, typer.Argument(metavar="-- BEAM FLAGS", help="Flags for Apache Beam.", show_default=False)
    ] = None,
) -> int:
    """Run a backfill job."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # Beam's workers are the threads: twice as many made a job 1.2 times as long
    from pipelines.job import run_job  # imports Beam
    from pipelines.settings import RunSettings
    from pipelines.specification import check_specification, load_job_file, parse_size

    specification = check_specification(merge_fields(load_job_file(str(job)) if job else {}, ctx.params))
    source_options, tier_options = _stores(
        endpoint_url=endpoint_url, tier_endpoint_url=tier_endpoint_url, profile=profile, region=specification.region,
        no_sign_request=no_sign_request, request_payer=request_payer, ca_bundle=ca_bundle,
    )  # fmt: skip
    settings = RunSettings(
        hot_tier=hot_tier,
        source_options=source_options,
        tier_options=tier_options,
        pipelines=_read_text(pipelines, "--pipelines") if pipelines else None,
        pipelines_file=str(pipelines) if pipelines else "pipelines",
        promote=_columns(split_lists(promote or ())),
        max_objects=max_objects,
        wave_bytes=_at_least_one(parse_size(wave_bytes), "--wave-bytes"),
        max_expansion=max_expansion,
        max_record=_at_least_one(parse_size(max_record), "--max-record"),
        memory=parse_size(memory) if memory else None,
        require_match=require_match,
        try_archived=try_archived,
        retry_failed=retry_failed,
        force=force,
        beam_flags=tuple(beam_flags or ()),
    )
    with output.JobConsole(quiet=quiet) as console:
        result = run_job(specification, settings, console)
    return _show_report(result.report, as_json=as_json, code=result.exit_code)


def _show_report(report: dict[str, Any], *, as_json: bool, code: int) -> int:
    if as_json:
        output.print_json(report)
        output.print_warnings(report["warnings"])
        if code and report.get("reason"):
            output.print_error(report["reason"], field=None)
    else:
        output.print_report(report)
    return code


def _stores(
    *,
    endpoint_url: str | None = None,
    tier_endpoint_url: str | None = None,
    profile: str | None = None,
    region: str | None = None,
    no_sign_request: bool = False,
    request_payer: bool = False,
    ca_bundle: str | None = None,
) -> tuple[StorageOptions, StorageOptions]:
    """Return how the source is reached, and how the tier is."""
    shared: dict[str, Any] = {
        "profile": profile,
        "region": region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
        "ca_bundle": ca_bundle,
    }
    source = StorageOptions(endpoint_url=endpoint_url, no_sign_request=no_sign_request, request_payer=request_payer, **shared)
    return source, StorageOptions(endpoint_url=tier_endpoint_url or endpoint_url, **shared)


def _at_least_one(size: int, flag: str) -> int:
    if size < 1:
        raise ConfigurationError(f"{flag} must be at least one byte", field=flag.lstrip("-"))
    return size


def _columns(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not can_be_column(name):
            raise ConfigurationError(
                f"--promote {name}: can't be a column (no names that begin with _, no date, tier, attributes, none of ' ,;{{}}()='); "
                "as an attribute it is in the map `attributes` all the same",
                field="promote",
            )
    return names


def _read_text(path: Path, flag: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{flag} {path}: {error}", field=flag.lstrip("-")) from error


def _no_tier(hot_tier: str) -> str:
    return f"there is no hot tier at {hot_tier}: `rekindle backfill` makes one, --hot-tier or $REKINDLE_HOT_TIER names another"


def _open_tier(hot_tier: str, options: StorageOptions, *, must_hold_events: bool = True) -> TierStore:
    """Return the hot tier, which must be one of ours."""
    from transforms.hot_tier import table

    tier = open_tier(hot_tier, options)
    table.check_place(tier)
    if must_hold_events and not table.exists(tier):
        raise TierError(_no_tier(hot_tier))
    return tier


@jobs_app.command("list", help="The jobs of a hot tier, newest first.")
def jobs_list(
    hot_tier: HotTier = "hot-tier",
    as_json: Json = False,
    quiet: Quiet = False,  # taken by every command
    endpoint_url: EndpointUrl = None,
    tier_endpoint_url: TierEndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
    ca_bundle: CaBundle = None,
) -> int:
    """List jobs."""
    from pipelines.report import read_status
    from transforms.hot_tier import table
    from transforms.job_folder import list_jobs

    tier = _tier(hot_tier, endpoint_url, tier_endpoint_url, profile, region, ca_bundle, must_hold_events=False)
    found = []
    for folder in list_jobs(tier):
        job, status = folder.read_json("job.json"), read_status(folder)
        if job:
            found.append(
                {
                    "taskId": folder.task_id,
                    **{name: status.get(name) for name in ("status", "stage", "startedAt", "finishedAt")},
                    "job": job["job"],
                }
            )
    if not found and not table.exists(tier):
        raise TierError(_no_tier(hot_tier))
    found.sort(key=lambda one: one["startedAt"] or "", reverse=True)
    if as_json:
        output.print_rows_json(found)
    else:
        output.print_table(
            ("Job", "Status", "Started", "Bucket", "Pattern"),
            [
                (one["taskId"], one["status"], (one["startedAt"] or "")[:19], one["job"]["bucket"], one["job"].get("pattern", "**"))
                for one in found
            ],
        )
    return 0


@jobs_app.command("show", help="The report of a job, as it stands.")
def jobs_show(
    task_id: Annotated[str, typer.Argument(metavar="ID")],
    hot_tier: HotTier = "hot-tier",
    as_json: Json = False,
    quiet: Quiet = False,
    endpoint_url: EndpointUrl = None,
    tier_endpoint_url: TierEndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
    ca_bundle: CaBundle = None,
) -> int:
    """Show a job."""
    from pipelines.report import load_report

    tier = _tier(hot_tier, endpoint_url, tier_endpoint_url, profile, region, ca_bundle, must_hold_events=False)
    return _show_report(load_report(tier, task_id), as_json=as_json, code=0)


@jobs_app.command("cancel", help="Stop a job at its next safe point; what it published stays.")
def jobs_cancel(
    task_id: Annotated[str, typer.Argument(metavar="ID")],
    hot_tier: HotTier = "hot-tier",
    as_json: Json = False,
    quiet: Quiet = False,
    endpoint_url: EndpointUrl = None,
    tier_endpoint_url: TierEndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
    ca_bundle: CaBundle = None,
) -> int:
    """Cancel a job."""
    from pipelines.report import find_job, read_status

    tier = _tier(hot_tier, endpoint_url, tier_endpoint_url, profile, region, ca_bundle, must_hold_events=False)
    folder = find_job(tier, task_id)
    status = read_status(folder).get("status")
    ended = status in ("Succeeded", "Failed", "Canceled")
    if not ended:
        folder.request_cancel()
    message = f"job {task_id} has ended already: {status}" if ended else f"job {task_id} stops at its next safe point"
    if as_json:
        output.print_json({"taskId": task_id, "status": status, "cancelRequested": not ended})
    elif not quiet:
        output.MESSAGES.print(message)
    return 0


@jobs_app.command("resume", help="Go on with a job that was killed, canceled or failed: its id, its plan, its waves.")
def jobs_resume(
    task_id: Annotated[str, typer.Argument(metavar="ID")],
    hot_tier: HotTier = "hot-tier",
    as_json: Json = False,
    quiet: Quiet = False,
    endpoint_url: EndpointUrl = None,
    tier_endpoint_url: TierEndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
    no_sign_request: NoSignRequest = False,
    request_payer: RequestPayer = False,
    ca_bundle: CaBundle = None,
    beam_flags: Annotated[
        list[str] | None, typer.Argument(metavar="-- BEAM FLAGS", help="Flags for Apache Beam.", show_default=False)
    ] = None,
) -> int:
    """Resume a job."""
    from pipelines.job import resume_job
    from pipelines.settings import RunSettings

    source_options, tier_options = _stores(
        endpoint_url=endpoint_url, tier_endpoint_url=tier_endpoint_url, profile=profile, region=region,
        no_sign_request=no_sign_request, request_payer=request_payer, ca_bundle=ca_bundle,
    )  # fmt: skip
    given = RunSettings(hot_tier=hot_tier, source_options=source_options, tier_options=tier_options, beam_flags=tuple(beam_flags or ()))
    with output.JobConsole(quiet=quiet) as console:
        result = resume_job(task_id, given, console)
    return _show_report(result.report, as_json=as_json, code=result.exit_code)


@app.command(help="Find events, newest first: rekindle search 'status=404 login' --last 7d")
def search(
    query: Annotated[str, typer.Argument(help='attribute=value, words, "phrases"; empty for all.')] = "",
    last: Annotated[str | None, typer.Option("--last", help="Only the last 90m, 12h, 7d.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="From this time on (ISO 8601, UTC).")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Before this time (ISO 8601, UTC).")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many events.")] = 100,
    fields: Annotated[list[str] | None, typer.Option("--fields", help="Only these columns and attributes, by commas.")] = None,
    hot_tier: HotTier = "hot-tier",
    as_json: Json = False,
    quiet: Quiet = False,
    endpoint_url: EndpointUrl = None,
    tier_endpoint_url: TierEndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
    ca_bundle: CaBundle = None,
) -> int:
    """Search the hot tier."""
    from transforms.hot_tier.search import search as find
    from transforms.query import parse
    from transforms.query.instants import parse_span

    if last and (start or end):
        raise ConfigurationError("--last goes without --from and --to")
    begin = datetime.now(timezone.utc) - parse_span(last) if last else parse_time(start) if start else None
    expression = parse(query) if query.strip() else None
    tier = _tier(hot_tier, endpoint_url, tier_endpoint_url, profile, region, ca_bundle)
    names = split_lists(fields or ())
    rows = find(tier, expression, start=begin, end=parse_time(end) if end else None, limit=limit, fields=names)
    if as_json:
        output.print_rows_json(rows)
    else:
        found = output.print_events(rows, names)
        if not found and not quiet:
            output.MESSAGES.print("No event matches.")
    return 0


@app.command(help='Run one SELECT over the view `events`: rekindle sql "SELECT host, count(*) FROM events GROUP BY host"')
def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT in DuckDB's dialect.")],
    hot_tier: HotTier = "hot-tier",
    as_json: Json = False,
    quiet: Quiet = False,
    endpoint_url: EndpointUrl = None,
    tier_endpoint_url: TierEndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
    ca_bundle: CaBundle = None,
) -> int:
    """Query the hot tier by SQL."""
    from transforms.hot_tier.sql import run_sql

    result = run_sql(_tier(hot_tier, endpoint_url, tier_endpoint_url, profile, region, ca_bundle), statement)
    if as_json:
        output.print_rows_json(dict(zip(result.column_names, row, strict=True)) for row in result.rows())
    else:
        output.print_table(result.column_names, result.rows())
    return 0


@app.command(
    help="The live files of the table, one a line, for tools that know no Delta Lake. Never glob the folder: replaced files lie there too."
)
def files(
    hot_tier: HotTier = "hot-tier",
    as_json: Json = False,
    quiet: Quiet = False,
    endpoint_url: EndpointUrl = None,
    tier_endpoint_url: TierEndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
    ca_bundle: CaBundle = None,
) -> int:
    """List the live files."""
    from transforms.hot_tier.files import live_files

    paths = live_files(_tier(hot_tier, endpoint_url, tier_endpoint_url, profile, region, ca_bundle))
    if as_json:
        output.print_rows_json({"path": path} for path in paths)
    else:
        sys.stdout.writelines(path + "\n" for path in paths)
    return 0


def _tier(
    hot_tier: str,
    endpoint_url: str | None,
    tier_endpoint_url: str | None,
    profile: str | None,
    region: str | None,
    ca_bundle: str | None,
    *,
    must_hold_events: bool = True,
) -> TierStore:
    _, options = _stores(
        endpoint_url=endpoint_url, tier_endpoint_url=tier_endpoint_url, profile=profile, region=region, ca_bundle=ca_bundle
    )
    return _open_tier(hot_tier, options, must_hold_events=must_hold_events)


if __name__ == "__main__":
    main()
