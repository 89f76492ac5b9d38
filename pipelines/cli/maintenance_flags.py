"""Flags that `rekindle delete`, `restore`, `tier`, `compact` and `promote` share."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.cli.common import Common, check_beam_flags, read_flag, use_one_polars_thread
from pipelines.cli.flags import FILE, option
from pipelines.cli.output.console import JobConsole
from transforms.query.instants import parse_time

if TYPE_CHECKING:
    from pipelines.maintenance.rewriter import MaintenanceSettings

rules_option = option(
    "--rules",
    type=FILE,
    metavar="FILE",
    help="Read the rules from FILE, YAML or JSON, instead of going by those of the hot tier.",
)
execute_option = option("--execute", is_flag=True, help="Apply the changes; without it nothing is changed.")
now_option = option(
    "--now", metavar="TIME", help="Compute the ages of events as of TIME (ISO 8601), to rehearse a later run."
)


def maintenance_settings(common: Common, beam_flags: tuple[str, ...], console: JobConsole) -> MaintenanceSettings:
    """Return how to run over the hot tier, which must have events."""
    use_one_polars_thread()
    from pipelines.maintenance.rewriter import MaintenanceSettings

    tier = common.open_events()
    return MaintenanceSettings(
        hot_tier=tier.uri, tier_options=common.stores()[1], beam_flags=check_beam_flags(beam_flags), console=console
    )


def read_time(text: str | None, flag: str) -> datetime | None:
    """Return the time that a flag names, or None where it is not given."""
    return None if text is None else read_flag(flag, text, parse_time)
