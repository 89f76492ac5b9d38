"""A session with the rights of an AWS role, renewed before they end."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

_NAME = "rekindle"
_AWS = ".amazonaws.com"


def assume_role(session: Any, role_arn: str, endpoint_url: str | None) -> Any:  # noqa: ANN401 - boto3 has no types
    """Return a boto3 session that has a role's credentials, asked for by those of another when they are first needed.

    Args:
        session: Whose credentials may assume the role.
        role_arn: The role.
        endpoint_url: The endpoint of S3; one that is not AWS's own answers for STS too (MinIO, LocalStack).
    """
    own = endpoint_url if endpoint_url and not (urlsplit(endpoint_url).hostname or "").endswith(_AWS) else None
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=partial(
            session._session.create_client, region_name=session.region_name or "us-east-1", endpoint_url=own
        ),
        source_credentials=session.get_credentials(),
        role_arn=role_arn,
        extra_args={"RoleSessionName": _NAME},
    )
    core = botocore.session.get_session()
    core._credentials = DeferredRefreshableCredentials(refresh_using=fetcher.fetch_credentials, method="assume-role")
    return boto3.Session(botocore_session=core, region_name=session.region_name)
