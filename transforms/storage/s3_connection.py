"""Connect to S3 with one credential chain, boto3's, for all libraries, and explain S3's errors to a user."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.exceptions as sdk
from botocore import UNSIGNED
from botocore.config import Config
from obstore.store import S3Store as FastStore

from transforms.core.errors import (
    AccessError,
    ArchivedError,
    ConfigurationError,
    DeniedError,
    ObjectError,
    RekindleError,
    VanishedError,
)
from transforms.storage.assumed_role import assume_role
from transforms.storage.objects import StorageOptions, object_uri

if TYPE_CHECKING:
    from obstore.store import S3Credential

READ_TIMEOUT = timedelta(seconds=30)
_CREDENTIALS_LAST = timedelta(minutes=5)
"""How long obstore keeps credentials before it asks boto3's chain again, which renews them in time by itself."""
_WRONG_REGION = frozenset(
    {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
_BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "RequestTimeTooSkewed",
    }
)
_GONE = frozenset({"NoSuchKey", "404"})
_CHANGED = frozenset({"PreconditionFailed", "412", "InvalidRange", "416"})
_TRANSIENT_CODES = frozenset(
    {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException"}
)
_NO_CREDENTIALS = (
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.CredentialRetrievalError,
    sdk.SSOError,
    sdk.TokenRetrievalError,
    sdk.ConfigNotFound,
)
_UNREACHABLE = (sdk.EndpointConnectionError, sdk.ConnectTimeoutError, sdk.ProxyConnectionError)
RIGHTS = {
    "list": "s3:ListBucket on the bucket",
    "read": "s3:GetObject on the object, and kms:Decrypt on its key if it has one",
    "write": "s3:PutObject, s3:GetObject and s3:DeleteObject on the objects of the hot tier",
}
_BROKEN = (sdk.HTTPClientError, sdk.IncompleteReadError, sdk.ResponseStreamingError)


class S3Connection:
    """The clients of one bucket, made when they are first used.

    Attributes:
        bucket: The bucket's name.
        options: How it is reached.
    """

    def __init__(self, bucket: str, options: StorageOptions) -> None:
        """Ask for nothing yet."""
        self.bucket = bucket
        self.options = options
        self._making = threading.Lock()

    @cached_property
    def session(self) -> Any:  # noqa: ANN401 - boto3 has no types
        """The boto3 session, and with it the credential chain."""
        try:
            session = boto3.Session(profile_name=self.options.profile, region_name=self.options.region)
            return (
                session
                if self.options.role_arn is None
                else assume_role(session, self.options.role_arn, self.options.endpoint_url)
            )
        except sdk.ProfileNotFound as error:
            raise ConfigurationError(
                f"profile {self.options.profile!r}: {error}; see ~/.aws/config", field="profile"
            ) from error

    @cached_property
    def region(self) -> str:
        """The region that is asked: the option's, else the environment's, else us-east-1."""
        return self.session.region_name or "us-east-1"

    @cached_property
    def client(self) -> Any:  # noqa: ANN401
        """A boto3 client that tries a request again."""
        return self._client(attempts=5)

    @cached_property
    def plain_client(self) -> Any:  # noqa: ANN401
        """A boto3 client that tries once: who reads an object decides himself."""
        return self._client(attempts=1)

    @cached_property
    def endpoint_url(self) -> str:
        """The endpoint, as boto3 resolves it from option, environment, profile and region."""
        return str(self.client.meta.endpoint_url)

    @property
    def ca_bundle(self) -> str | None:
        """The file of the certificates to trust, where it is not the system's."""
        return self.options.ca_bundle or os.environ.get("AWS_CA_BUNDLE")

    @property
    def payer(self) -> dict[str, str]:
        """Parameters for boto3 by which the requester pays, where he does."""
        return {"RequestPayer": "requester"} if self.options.request_payer else {}

    def fast_store(self, *, retries: int) -> FastStore:
        """Return an obstore client of the bucket that tries a request `retries` times again."""
        client: dict[str, Any] = {
            "allow_http": self.endpoint_url.startswith("http://"),
            "connect_timeout": "10s",
            "read_timeout": READ_TIMEOUT,
            "timeout": "1day",
        }
        if self.ca_bundle:
            client["root_certificate"] = _read_certificates(self.ca_bundle)
        return FastStore(
            self.bucket,
            endpoint=self.endpoint_url,
            aws_endpoint_url_s3=self.endpoint_url,  # else the environment's AWS_ENDPOINT_URL_S3 would win
            region=self.region,
            virtual_hosted_style_request=False,
            skip_signature=self.options.no_sign_request,
            request_payer=self.options.request_payer,
            client_options=client,  # type: ignore[arg-type]
            retry_config={"max_retries": retries, "retry_timeout": timedelta(minutes=3)},
            credential_provider=None if self.options.no_sign_request else self._provide,
        )

    def sdk_options(self) -> dict[str, str]:
        """Return the options by which deltalake and Polars reach the bucket, with the credentials of this moment.

        Raises:
            AccessError: the chain gives no credentials, or a CA bundle is given in a way that they don't know.
        """
        if self.ca_bundle and not os.environ.get("SSL_CERT_FILE"):
            raise AccessError(
                f"CA bundle {self.ca_bundle}: the writers and readers of the table take further authorities "
                f"from the environment only: export SSL_CERT_FILE={self.ca_bundle} as well"
            )
        options = {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,  # else the environment's would win
            "AWS_REGION": self.region,
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
            "AWS_ALLOW_HTTP": str(self.endpoint_url.startswith("http://")).lower(),
        }
        if self.options.request_payer:
            options["AWS_REQUEST_PAYER"] = "true"
        if self.options.no_sign_request:
            return {**options, "AWS_SKIP_SIGNATURE": "true"}
        credentials = self._provide()
        options |= {
            "AWS_ACCESS_KEY_ID": credentials["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": credentials["secret_access_key"],
        }
        token = credentials.get("token")
        return {**options, "AWS_SESSION_TOKEN": token} if token else options

    def explain(self, error: Exception, *, doing: str, key: str | None = None) -> RekindleError:
        """Return what an error of boto3 means: what failed, where, and what to do.

        Args:
            error: What boto3 raised.
            doing: `list`, `read` or `write`.
            key: The object, or the prefix that was listed.
        """
        where = object_uri(self.bucket, key or "")
        if isinstance(error, sdk.ClientError):
            return self._explain_answer(error, doing, where)
        if isinstance(error, _NO_CREDENTIALS):
            return AccessError(
                f"{where}: no credentials: {error}; set AWS_PROFILE or AWS_ACCESS_KEY_ID, or give --profile, "
                "or --no-sign-request for a public bucket"
            )
        if isinstance(error, sdk.SSLError):
            return AccessError(
                f"{where}: {self.endpoint_url} has a certificate that is not trusted: {error}; "
                "--ca-bundle FILE names the authority"
            )
        if isinstance(error, _UNREACHABLE):
            return AccessError(
                f"{where}: {self.endpoint_url} can't be reached: {error}; check --endpoint-url, and that the store runs"
            )
        if isinstance(error, sdk.ParamValidationError):
            return ConfigurationError(f"bucket {self.bucket!r}: {error}", field="bucket")
        kind = ObjectError if doing == "read" else AccessError
        return kind(f"{where}: {self.endpoint_url} failed to {doing} it: {error}")

    def _explain_answer(self, error: sdk.ClientError, doing: str, where: str) -> RekindleError:
        code, status, headers = _answer(error)
        message = f"{code}: {error.response.get('Error', {}).get('Message', '')}".rstrip(": ")
        region = headers.get("x-amz-bucket-region") or error.response.get("Error", {}).get("Region")
        if code in _WRONG_REGION or status in (301, 307) or (status == 400 and region not in (None, self.region)):
            advice = (
                f"is in {region}: use --region {region}"
                if region
                else f"is not in {self.region}: use --region with the right one ({message})"
            )
            return AccessError(f"bucket {self.bucket} {advice}")
        if code in _BAD_CREDENTIALS:
            return AccessError(
                f"{where}: the credentials are refused ({message}): renew them, or choose others with --profile"
            )
        if code in ("NoSuchBucket", "InvalidBucketName"):
            return AccessError(
                f"there is no bucket {self.bucket} at {self.endpoint_url}: check its name, "
                f"and --endpoint-url ({message})"
            )
        if code == "InvalidObjectState":
            return ArchivedError(f"{where}: archived, and not restored ({message})")
        if status in (401, 403):
            return self._explain_denial(message, doing, where)
        if doing == "read" and (code in _GONE or status == 404):
            return VanishedError(f"{where}: it was there when it was listed, and is gone ({message})")
        if doing == "read" and (code in _CHANGED or status in (412, 416)):
            return VanishedError(f"{where}: it changed since it was listed ({message})")
        kind = ObjectError if doing == "read" else AccessError
        return kind(f"{where}: {self.endpoint_url} answered {status} to an attempt to {doing} it ({message})")

    def _explain_denial(self, message: str, doing: str, where: str) -> RekindleError:
        advice = (
            "it is not public: leave out --no-sign-request"
            if self.options.no_sign_request
            else f"the credentials need {RIGHTS[doing]}"
        )
        kind = DeniedError if doing == "read" else AccessError
        return kind(f"{where}: no permission to {doing} it ({message}): {advice}; --profile chooses others")

    def _client(self, *, attempts: int) -> Any:  # noqa: ANN401
        if "@" in urlsplit(self.options.endpoint_url or "").netloc:
            raise ConfigurationError(
                f"endpoint {self.options.endpoint_url!r}: a URL is shown and logged, so that no credentials may stand "
                "in it: give them by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by --profile",
                field="endpointUrl",
            )
        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=10,
            read_timeout=READ_TIMEOUT.total_seconds(),
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            signature_version=UNSIGNED if self.options.no_sign_request else None,
        )
        try:
            with self._making:  # boto3's sessions can't make two clients at once
                client = self.session.client(
                    "s3",
                    region_name=self.region,
                    endpoint_url=self.options.endpoint_url,
                    verify=self.ca_bundle,
                    config=config,
                )
        except ValueError as error:
            raise ConfigurationError(
                f"endpoint {self.options.endpoint_url!r}: {error}; it is a URL like https://host:port",
                field="endpointUrl",
            ) from error
        client.meta.events.register_last("before-parameter-build.s3", _stay_in_region)
        return client

    def _provide(self) -> S3Credential:
        try:
            credentials = self.session.get_credentials()
            if credentials is None:
                raise sdk.NoCredentialsError
            frozen = credentials.get_frozen_credentials()
        except sdk.BotoCoreError as error:
            raise self.explain(error, doing="read") from error
        expires = datetime.now(timezone.utc) + _CREDENTIALS_LAST
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": expires,
        }


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, sdk.ClientError):
        code, status, _ = _answer(error)
        return code in _TRANSIENT_CODES or status >= 500 or status in (408, 429)
    return isinstance(error, _BROKEN) and not isinstance(error, sdk.SSLError)


def _answer(error: sdk.ClientError) -> tuple[str, int, Mapping[str, str]]:
    metadata = error.response.get("ResponseMetadata", {})
    return (
        str(error.response.get("Error", {}).get("Code", "")),
        int(metadata.get("HTTPStatusCode", 0)),
        metadata.get("HTTPHeaders", {}),
    )


def _stay_in_region(context: dict[str, Any], **_: object) -> None:
    """Keep boto3 from following a bucket to another region: the user is told instead, as the transfer costs money."""
    context.setdefault("s3_redirect", {})["redirected"] = True


def _read_certificates(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"CA bundle {path}: {error.strerror}", field="caBundle") from error
