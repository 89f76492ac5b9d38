"""A move to the cold tier by rules, with the flags of `rekindle tier`, to launch it as a module.

python -m pipelines.tier --hot-tier ./hot-tier --rules rules.yaml --execute [-- --runner=FlinkRunner …]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pipelines.cli.main import run as run_command
from pipelines.cli.streams import end_process


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command with flags, by default those of this process, and return its exit code."""
    return run_command(["tier", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    end_process(run())
