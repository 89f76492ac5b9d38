"""`rekindle keys …`: create, list and revoke IAM keys."""

from __future__ import annotations

from typing import Annotated

from pipelines.cli.common import Common, with_flags
from pipelines.cli.flags import Argument, Option
from pipelines.cli.output import console as output
from transforms.core.errors import ConfigurationError

S3_FIELDS = ("format", "index", "source", "sourcetype", "host", "role_arn")


@with_flags(common=Common)
def create(
    common: Common,
    name: Annotated[str, Option("--name", help="What people call it.")] = "key",
    role: Annotated[str, Option("--role", help="ingest, read or admin.")] = "ingest",
    env: Annotated[str | None, Option("--env", help="Stands in _env of what comes in by it.")] = None,
    team: Annotated[str | None, Option("--team", help="Stands in _team.")] = None,
    s3_pull: Annotated[bool, Option("--s3-pull/--no-s3-pull", help="Whether it may pull from S3.")] = True,
    format: Annotated[str | None, Option("--format", help="Format of its objects, where the job names none.")] = None,
    index: Annotated[str | None, Option("--index", help="For events without their own.")] = None,
    source: Annotated[str | None, Option("--source", help="For events without their own.")] = None,
    sourcetype: Annotated[str | None, Option("--sourcetype", help="For events without their own.")] = None,
    host: Annotated[str | None, Option("--host", help="For events without their own.")] = None,
    role_arn: Annotated[str | None, Option("--role-arn", help="AWS role that reads the source.")] = None,
) -> int:
    """Make a key."""
    from pipelines.keys import create_key

    given = dict(zip(S3_FIELDS, (format, index, source, sourcetype, host, role_arn), strict=True))
    pull = {field: value for field, value in given.items() if value is not None}
    if pull and not s3_pull:
        flag = _flag(next(iter(pull)))
        raise ConfigurationError(f"{flag}: says what comes from S3, from which --no-s3-pull keeps the key", field=flag)
    try:
        key, token = create_key(
            common.open_tier(), name=name, role=role, env=env, team=team, s3_pull=pull if s3_pull else None
        )
    except ConfigurationError as error:
        if error.field is None or not str(error).startswith(f"{error.field}:"):
            raise
        flag = _flag(error.field)
        raise ConfigurationError(flag + str(error).removeprefix(error.field), field=flag) from error
    if common.as_json:
        output.print_json(key.shown() | {"token": token})
    else:
        output.RESULTS.print(f"id:    {key.id}\ntoken: {token}", highlight=False)
        output.MESSAGES.print("The token is shown this once only. Backfill with the key: rekindle backfill --key ID …")
    return 0


def _flag(field: str) -> str:
    return f"--{field.replace('_', '-')}"


@with_flags(common=Common)
def list_keys(common: Common) -> int:
    """List keys."""
    from pipelines import keys

    found = [key.shown() for key in keys.list_keys(common.open_tier())]
    if common.as_json:
        output.print_rows_json(found)
        return 0
    names = ("id", "name", "role", "env", "team", "createdAt", "revokedAt")
    output.print_table(
        ("Key", "Name", "Role", "Env", "Team", "Created", "Revoked"),
        [[key.get(name, "") for name in names] for key in found],
    )
    return 0


@with_flags(common=Common)
def revoke(key_id: Annotated[str, Argument(metavar="ID")], *, common: Common) -> int:
    """Take a key out of force."""
    from pipelines.keys import revoke_key

    key = revoke_key(common.open_tier(), key_id)
    if common.as_json:
        output.print_json(key.shown())
    elif not common.quiet:
        output.MESSAGES.print(f"Key {key.id} ({key.name}) is revoked; events that came in by it keep its id.")
    return 0
