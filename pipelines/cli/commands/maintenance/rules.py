"""`rekindle rules …`: show and set the hot tier's own rules of deletion and tiering."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.common import Common, common_flags
from pipelines.cli.flags import FILE, Group
from pipelines.cli.output.kept_file import read_text, report_set, show_kept


@click.group(cls=Group, default="show")
def rules() -> None:
    """Show and set the rules of the hot tier, by which events are deleted and moved.

    `rekindle delete` and `rekindle tier` go by them where no --rules names a file, and jobs warn by them. Without a
    command, the rules are shown.
    """


@rules.command("set", examples=("rekindle rules set rules.yaml",))
@click.argument("file", type=FILE, help="The rules, YAML or JSON: `rules:`, `tiers:` or both.")
@common_flags
def set_rules(file: Path, common: Common) -> int:
    """Set the rules of the hot tier.

    Nothing is deleted or moved by this: the next run of `rekindle delete` or `rekindle tier` goes by them. Holds are
    kept apart: `rekindle holds add`.
    """
    from transforms.hot_tier.configuration import rules as kept_rules
    from transforms.hot_tier.maintenance.audit import audit_configuration

    tier = common.open_tier()
    configuration = kept_rules.set_rules(tier, read_text(file, "rules"), file=str(file))
    audit_configuration(tier)
    report_set(configuration.rules, configuration.version, "rules", common)
    return 0


@rules.command(examples=("rekindle rules show > rules.yaml",))
@common_flags
def show(common: Common) -> int:
    """Print the rules of the hot tier, as they were written."""
    from transforms.hot_tier.configuration.store import load_configuration

    configuration = load_configuration(common.open_tier())
    show_kept(configuration.rules, configuration.version, "rules", common)
    return 0
