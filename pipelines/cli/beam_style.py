"""The flags of `rekindle backfill` beside Beam's, for `python -m pipelines.backfill` and `run(argv)`.

They are no `PipelineOptions` group: Beam registers all groups in one parser, and its own `--region` is already there.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from pipelines.cli.commands.backfill import backfill
from pipelines.cli.common import Common
from pipelines.cli.flags import take_flags
from pipelines.cli.job_flags import JobFlags
from pipelines.jobs.settings import RunSettings
from pipelines.jobs.specification import JobSpecification
from transforms.core.errors import ConfigurationError


def parse_backfill(argv: Sequence[str]) -> tuple[JobSpecification, RunSettings]:
    """Return a job's specification and settings from the flags of `rekindle backfill`, with `_` or `-` in their names.

    Flags that the backfill does not have are Beam's.

    Raises:
        ConfigurationError: a flag is wrong.
    """
    try:
        with backfill.make_context(
            "python -m pipelines.backfill",
            list(argv),
            ignore_unknown_options=True,
            token_normalize_func=lambda name: name.replace("_", "-"),
        ) as context:
            values = dict(context.params)
    except click.UsageError as error:
        raise ConfigurationError(error.format_message()) from error
    except click.exceptions.Exit as end:  # of --help
        sys.exit(end.exit_code)
    common, flags = take_flags(Common, values), take_flags(JobFlags, values)
    return flags.job_and_settings(common)
