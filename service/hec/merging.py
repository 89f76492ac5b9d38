"""Merges the small files that frequent commits leave, in a process of its own.

    python -m service.hec.merging SETTINGS

The end of the service does not end it: it is one commit, which is there or is not. Two at once do no harm either: the
commit of one shows the other that its plan is stale.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable

from service.logs import LogConsole, log, set_up_logging
from service.settings import ServiceSettings
from transforms.core.errors import RekindleError

FILES = 64
"""After so many new files it looks whether there is something to merge."""


class Merging:
    """Begins a merge now and then, one at a time."""

    def __init__(self, settings: ServiceSettings, begin: Callable[[ServiceSettings], object] | None = None) -> None:
        """Begin nothing yet; `begin` runs a merge and returns when it has ended."""
        self._settings = settings
        self._begin = run_process if begin is None else begin
        self._added = 0
        self._running: threading.Thread | None = None

    def count(self, files: int) -> None:
        """Take note of new files."""
        self._added += files
        if self._added >= FILES and not (self._running is not None and self._running.is_alive()):
            self._added = 0
            self._running = threading.Thread(
                target=self._begin, args=(self._settings,), name="rekindle-hec-merging", daemon=True
            )
            self._running.start()


def run_process(settings: ServiceSettings) -> None:
    """Merge in a process of its own, and wait for its end."""
    command = [sys.executable, "-m", __name__, settings.model_dump_json(by_alias=True)]
    environment = {"POLARS_MAX_THREADS": "1", **os.environ, "PYTHONSAFEPATH": "1"}
    nothing = subprocess.DEVNULL
    code = subprocess.run(
        command, stdin=nothing, stdout=nothing, env=environment, start_new_session=True, check=False
    ).returncode
    if code:
        log(f"merging small files ended with {code}; it is tried again later", level=logging.WARNING)


def merge(settings: ServiceSettings) -> bool:
    """Merge the small files of the hot tier where there are many, and return whether there were.

    Raises:
        RekindleError: they can't be merged; they stay as they are.
    """
    from pipelines.jobs.watching.tidying import merge_small_files
    from pipelines.maintenance.rewriter import MaintenanceSettings
    from transforms.hot_tier.table.live_files import load_events

    where = MaintenanceSettings(
        hot_tier=settings.hot_tier, tier_options=settings.tier_options, console=LogConsole("hec")
    )
    return merge_small_files(load_events(where.open_tier()), where)


def main() -> int:
    """Merge once."""
    settings = ServiceSettings.model_validate_json(sys.argv[1])
    set_up_logging(settings.log_format)
    try:
        if merge(settings):
            log("Small files were merged")
    except RekindleError as error:
        log(f"small files can't be merged now: {error}", level=logging.WARNING)
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
