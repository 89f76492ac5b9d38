"""The undoing of a job, with the flags of `rekindle jobs undo`, to launch it as a module.

python -m pipelines.undo ID --hot-tier ./hot-tier [-- --runner=FlinkRunner …]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pipelines.cli.main import run as run_command


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command with flags, by default those of this process, and return its exit code."""
    return run_command(["jobs", "undo", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    sys.exit(run())
