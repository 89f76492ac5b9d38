"""`rekindle holds …`: list, add and lift the hot tier's own holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.common import Common, common_flags
from pipelines.cli.flags import Group, option
from pipelines.cli.output.console import print_message
from pipelines.cli.output.rows import print_json, print_rows_json
from pipelines.cli.output.tables import print_table
from transforms.core.errors import ConfigurationError

if TYPE_CHECKING:
    from transforms.hot_tier.configuration.store import Configuration, KeptHold

_name_argument = click.argument("name", metavar="NAME", help="The name of the hold.")


@click.group(cls=Group, default="list")
def holds() -> None:
    """List, add and lift holds, which keep events from every deletion.

    A hold of the hot tier is respected by every deletion and move, whichever rules file it uses. Without a command,
    the holds are listed.
    """


@holds.command("list")
@common_flags
def list_holds(common: Common) -> int:
    """List the holds that are in force."""
    from transforms.hot_tier.configuration.store import load_configuration

    found = load_configuration(common.open_events()).holds
    if common.as_json:
        print_rows_json(map(asdict, found))
    else:
        rows = [(hold.name, hold.when, hold.at[:19], hold.who, hold.description) for hold in found]
        print_table(("Hold", "When", "Since", "By", "Description"), rows)
    return 0


@holds.command(examples=("rekindle holds add 'case 17' --when 'user=ann'",))
@_name_argument
@option("--when", metavar="QUERY", required=True, help="Keep the events that QUERY finds.")
@option("--description", metavar="WORDS", help="Why, for those who list the holds.")
@common_flags
def add(name: str, when: str, description: str | None, common: Common) -> int:
    """Add a hold.

    When the command has ended, no deletion or move takes an event that QUERY finds until the hold is lifted.
    """
    from transforms.hot_tier.configuration.holds import add_hold

    try:
        configuration, is_new = add_hold(common.open_events(), name=name, when=when, description=description or "")
    except ConfigurationError as error:
        if error.field == "name":
            raise
        raise ConfigurationError(f"--when: {error}", field="when") from error
    _audit(common)
    kept = next(hold for hold in configuration.holds if hold.name == name)
    verb = "is in force" if is_new else "is in force already"
    return _show(common, kept, configuration, f"Hold {name!r} {verb}: it keeps what {when} finds.")


@holds.command(examples=("rekindle holds lift 'case 17'",))
@_name_argument
@common_flags
def lift(name: str, common: Common) -> int:
    """Lift a hold: its events can be deleted again."""
    from transforms.hot_tier.configuration.holds import lift_hold

    lifted, configuration = lift_hold(common.open_events(), name)
    _audit(common)
    return _show(common, lifted, configuration, f"Hold {name!r} is lifted: what {lifted.when} finds can be deleted.")


def _audit(common: Common) -> None:
    from transforms.hot_tier.maintenance.audit import audit_configuration

    audit_configuration(common.open_events())


def _show(common: Common, hold: KeptHold, configuration: Configuration, message: str) -> int:
    if common.as_json:
        print_json({**asdict(hold), "version": configuration.version})
    elif not common.quiet:
        print_message(message)
    return 0
