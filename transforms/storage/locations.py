"""Where a job's objects and its hot tier are, and how they are opened: what travels to workers.

A location holds no connection and no credentials: each worker opens its own, by its own chain of credentials.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from transforms.core.errors import ConfigurationError
from transforms.storage.objects import FILE_SCHEME, ObjectStore, StorageOptions
from transforms.storage.tier import TierStore

_S3_SCHEME = "s3://"


@dataclass(frozen=True)
class SourceLocation:
    """A bucket or folder of objects.

    Attributes:
        bucket: `my-bucket`, also `s3://my-bucket`, or `file:///folder`.
        options: How it is reached.
        upload: Where the objects are instead, if they were uploaded.
    """

    bucket: str
    options: StorageOptions = field(default_factory=StorageOptions)
    upload: UploadLocation | None = None

    def open(self) -> ObjectStore:
        """Return the store; nothing is requested yet.

        Raises:
            ConfigurationError: the name is neither a bucket nor a folder.
        """
        if self.upload is not None:
            from transforms.storage.uploads import UploadStore

            return UploadStore(self.upload.tier.open(), self.upload.task_id)
        return open_store(self.bucket, self.options)


@dataclass(frozen=True)
class TierLocation:
    """A hot tier.

    Attributes:
        uri: A folder (a path, or `file:///folder`), or `s3://bucket/prefix`.
        options: How it is reached.
    """

    uri: str
    options: StorageOptions = field(default_factory=StorageOptions)

    def open(self) -> TierStore:
        """Return the store; nothing is requested or made yet.

        Raises:
            ConfigurationError: the name is neither a folder nor a bucket.
        """
        return open_tier(self.uri, self.options)


@dataclass(frozen=True)
class UploadLocation:
    """The files that were uploaded for a job."""

    tier: TierLocation
    task_id: str


def open_store(bucket: str, options: StorageOptions) -> ObjectStore:
    """Return the store of a `SourceLocation`."""
    if bucket.startswith(FILE_SCHEME):
        from transforms.storage.local import LocalStore

        return LocalStore(bucket, inside=options.inside)
    from transforms.storage.s3 import S3Store

    return S3Store(_bucket_name(bucket), options)


def open_tier(uri: str, options: StorageOptions) -> TierStore:
    """Return the store of a `TierLocation`."""
    if not uri.startswith(_S3_SCHEME):
        from transforms.storage.local_tier import LocalTier

        return LocalTier(_folder(uri))
    from transforms.storage.s3_tier import S3Tier

    bucket, _, prefix = uri.removeprefix(_S3_SCHEME).partition("/")
    return S3Tier(_bucket_name(bucket), prefix, options)


def _bucket_name(bucket: str) -> str:
    name, slash, rest = bucket.removeprefix(_S3_SCHEME).partition("/")
    if not name:
        raise ConfigurationError(
            f"bucket {bucket!r}: it has no name; say my-bucket, or file:///folder for local files", field="bucket"
        )
    if "://" in bucket.removeprefix(_S3_SCHEME):
        raise ConfigurationError(
            f"bucket {bucket!r}: only S3 (my-bucket) and local folders (file:///folder) are read", field="bucket"
        )
    if rest:
        raise ConfigurationError(
            f"bucket {bucket!r}: what follows the name belongs in the pattern: --bucket {name} --pattern '{rest}/**'",
            field="bucket",
        )
    return name


def _folder(uri: str) -> str:
    if not uri:
        raise ConfigurationError("the hot tier has no name; say a folder, or s3://bucket/prefix", field="hotTier")
    path = uri.removeprefix(FILE_SCHEME)
    if "://" in path or (uri != path and not path.startswith("/")):
        raise ConfigurationError(
            f"hot tier {uri!r}: it is a folder (also file:///folder) or s3://bucket/prefix", field="hotTier"
        )
    return path
