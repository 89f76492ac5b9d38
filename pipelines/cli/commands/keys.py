"""`rekindle keys …`: create, list and revoke IAM keys."""

from __future__ import annotations

import click

from pipelines.cli.common import Common, common_flags
from pipelines.cli.flags import Group, OneOf, option
from pipelines.cli.output.console import MESSAGES, RESULTS, print_message
from pipelines.cli.output.rows import print_json, print_rows_json
from pipelines.cli.output.tables import print_table
from transforms.core.errors import ConfigurationError
from transforms.formats import FORMATS

S3_FIELDS = ("format", "index", "source", "sourcetype", "host", "role_arn")


@click.group(cls=Group)
def keys() -> None:
    """Create, list and revoke IAM keys.

    Events that are ingested by a key get its env, its team and its defaults.
    """


@keys.command
@option("--name", metavar="NAME", default="key", help="Display name.")
@option("--role", type=OneOf(["ingest", "read", "admin"]), default="ingest", help="What the key may be used for.")
@option("--env", metavar="NAME", help="Set `_env` of the events that are ingested by the key.")
@option("--team", metavar="NAME", help="Set `_team` of the events that are ingested by the key.")
@option("--s3-pull/--no-s3-pull", is_flag=True, default=True, help="Whether the key may ingest from S3.")
@option("--format", type=OneOf(list(FORMATS)), help="Format of the objects, if the job names none.")
@option("--index", metavar="NAME", help="Set `index` of events that have none.")
@option("--source", metavar="NAME", help="Set `source` of events that have none.")
@option("--sourcetype", metavar="NAME", help="Set `sourcetype` of events that have none.")
@option("--host", metavar="NAME", help="Set `host` of events that have none.")
@option("--hec", is_flag=True, help="Give the key a GUID token too, for clients of Splunk's HTTP Event Collector.")
@option("--role-arn", metavar="ARN", help="Read the bucket with this AWS role.")
@common_flags
def create(
    common: Common,
    name: str,
    role: str,
    env: str | None,
    team: str | None,
    s3_pull: bool,
    hec: bool,
    **s3_fields: str | None,
) -> int:
    """Create a key.

    Its token is shown only once.
    """
    from pipelines.keys import create_key

    pull = {field: value for field in S3_FIELDS if (value := s3_fields[field]) is not None}
    if pull and not s3_pull:
        flag = _flag(next(iter(pull)))
        raise ConfigurationError(
            f"{flag}: is for objects from S3: it can't be given with --no-s3-pull", field=flag.removeprefix("--")
        )
    try:
        created = create_key(
            common.open_tier(), name=name, role=role, env=env, team=team, s3_pull=pull if s3_pull else None, hec=hec
        )
    except ConfigurationError as error:
        if error.field is None or not str(error).startswith(f"{error.field}:"):
            raise
        flag = _flag(error.field)
        raise ConfigurationError(flag + str(error).removeprefix(error.field), field=flag.removeprefix("--")) from error
    if common.as_json:
        print_json(created.shown())
    else:
        guid = f"\nHEC token: {created.hec_token}" if created.hec_token else ""
        RESULTS.print(f"id:    {created.key.id}\ntoken: {created.token}{guid}", highlight=False)
        may_pull = s3_pull and role != "read"
        use = " Ingest by the key: rekindle backfill --key ID …" if may_pull else ""
        MESSAGES.print(f"The token is shown only once.{use}")
    return 0


def _flag(field: str) -> str:
    return f"--{field.replace('_', '-')}"


@keys.command("list")
@common_flags
def show_keys(common: Common) -> int:
    """List all keys, including the revoked ones."""
    from pipelines.keys import list_keys_with_use

    found = list_keys_with_use(common.open_tier())
    if common.as_json:
        print_rows_json(found)
        return 0
    names = ("id", "name", "role", "env", "team", "createdAt", "lastUsedAt", "revokedAt")
    print_table(
        ("Key", "Name", "Role", "Env", "Team", "Created", "Last used", "Revoked"),
        [[key.get(name, "") for name in names] for key in found],
    )
    return 0


@keys.command
@click.argument("key_id", metavar="ID", help="The id of the key.")
@common_flags
def revoke(key_id: str, common: Common) -> int:
    """Revoke a key.

    Nothing can be ingested by it any more. The events that were keep its id.
    """
    from pipelines.keys import revoke_key

    key = revoke_key(common.open_tier(), key_id)
    if common.as_json:
        print_json(key.shown())
    elif not common.quiet:
        print_message(f"Key {key.id} ({key.name}) is revoked; the events that were ingested by it keep its id.")
    return 0
