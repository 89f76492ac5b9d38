"""`rekindle backfill`."""

from __future__ import annotations

import click

from pipelines.cli.common import Common, common_flags, use_one_polars_thread
from pipelines.cli.flags import Command
from pipelines.cli.job_flags import JobFlags
from pipelines.cli.job_options import job_flags
from pipelines.cli.output.console import JobConsole
from pipelines.cli.output.report import show_report
from transforms.core.errors import ConfigurationError

EXAMPLES = (
    "rekindle backfill --bucket my-bucket --pattern 'logs/**/*.gz' --hot-tier s3://my-tier/hot",
    "rekindle backfill --bucket file:///var/log --pattern '**/*.log' --format text",
    "rekindle backfill --job job.yaml -- --runner=FlinkRunner",
)


@click.command(cls=Command, examples=EXAMPLES)
@job_flags
@common_flags
def backfill(flags: JobFlags, common: Common) -> int:
    """Ingest the objects of a bucket that match a pattern.

    Objects that are in the hot tier already are skipped. Flags of Apache Beam go after --.
    """
    use_one_polars_thread()
    from pipelines.jobs.job import run_job  # imports Beam

    specification, settings = flags.job_and_settings(common)
    if specification.watch is not None:
        text = f"watch: the job goes on with what arrives: run `rekindle watch --job {flags.job}`"
        raise ConfigurationError(text, field="watch")
    with JobConsole(quiet=common.quiet) as console:
        result = run_job(specification, settings, console)
    return show_report(result.report, as_json=common.as_json, code=result.exit_code)
