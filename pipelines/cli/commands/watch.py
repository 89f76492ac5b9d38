"""`rekindle watch`."""

from __future__ import annotations

from dataclasses import replace

import click

from pipelines.cli.common import Common, common_flags, use_one_polars_thread
from pipelines.cli.flags import Command, job_option
from pipelines.cli.job_flags import JobFlags
from pipelines.cli.job_options import job_flags
from pipelines.cli.output.console import JobConsole
from pipelines.cli.output.report import show_report

EXAMPLES = (
    "rekindle watch --bucket my-bucket --pattern 'logs/**/*.gz' --every 5m --hot-tier s3://my-tier/hot",
    "rekindle watch --bucket my-bucket --queue https://sqs.eu-west-1.amazonaws.com/123456789012/new-logs",
)


@click.command(cls=Command, examples=EXAMPLES)
@job_option(
    "--every",
    metavar="DURATION",
    show_default="5m without --queue",
    help="List the bucket again so often, such as 30s, 5m or 1h.",
)
@job_option("--queue", metavar="URL", help="Take the bucket's notifications from this SQS queue.")
@job_option(
    "--max-wait",
    metavar="DURATION",
    show_default="10s",
    help="Ingest what has arrived after DURATION at the latest, however little it is.",
)
@job_flags
@common_flags
def watch(flags: JobFlags, common: Common, every: str | None, queue: str | None, max_wait: str | None) -> int:
    """Ingest the objects of a bucket, and go on with those that arrive.

    Takes the flags of backfill, which it does first. Then it lists again, or takes S3's notifications from a queue.
    SIGTERM or Ctrl-C ends it; `rekindle jobs resume ID` continues it.
    """
    use_one_polars_thread()
    from pipelines.jobs.job import run_job  # imports Beam

    given = {"every": every, "queue": queue, "maxWait": max_wait}
    watching = replace(flags, watch={name: value for name, value in given.items() if value is not None})
    specification, settings = watching.job_and_settings(common)
    with JobConsole(quiet=common.quiet) as console:
        result = run_job(specification, settings, console)
    return show_report(result.report, as_json=common.as_json, code=result.exit_code)
