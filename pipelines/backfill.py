"""A backfill job from Beam-style flags, to launch it as a module; else as `rekindle backfill`.

python -m pipelines.backfill --bucket my-bucket --pattern 'logs/**' --hot_tier ./hot-tier [--runner FlinkRunner …]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pipelines.cli.beam_style import parse_backfill
from pipelines.cli.main import report_errors
from pipelines.cli.streams import end_process


def run(argv: Sequence[str] | None = None) -> int:
    """Run a job from flags, by default those of this process, and return its exit code.

    Raises:
        RekindleError: a flag is wrong, or the job was refused; as a module it is one line and an exit code.
    """
    specification, settings = parse_backfill(sys.argv[1:] if argv is None else argv)
    from pipelines.jobs.job import run_job  # imports Beam, which warns of what is not installed

    return run_job(specification, settings).exit_code


if __name__ == "__main__":
    end_process(report_errors(run))
