"""Where objects come from, and where the hot tier lies: the only package that imports an object store's SDK.

A local folder and an S3 bucket go through the same two interfaces: `ObjectStore` for sources, which are only read, and
`TierStore` for the hot tier's own files.
"""

from __future__ import annotations

from transforms.core.errors import ConfigurationError
from transforms.storage.objects import CHUNK_BYTES, FILE_SCHEME, ObjectInfo, ObjectStore, StorageOptions, object_uri
from transforms.storage.tier import TierFile, TierOutput, TierStore

__all__ = [
    "CHUNK_BYTES",
    "ObjectInfo",
    "ObjectStore",
    "StorageOptions",
    "TierFile",
    "TierOutput",
    "TierStore",
    "object_uri",
    "open_store",
    "open_tier",
]

_S3_SCHEME = "s3://"


def open_store(bucket: str, options: StorageOptions) -> ObjectStore:
    """Return the store of `my-bucket`, `s3://my-bucket` or `file:///folder`; nothing is requested yet.

    Raises:
        ConfigurationError: the name is neither.
    """
    if bucket.startswith(FILE_SCHEME):
        from transforms.storage.local import LocalStore

        return LocalStore(bucket)
    from transforms.storage.s3 import S3Store

    return S3Store(_bucket_name(bucket), options)


def open_tier(uri: str, options: StorageOptions) -> TierStore:
    """Return a tier's store: a folder (a path or `file:///…`) or `s3://bucket/prefix`; nothing is requested yet.

    Raises:
        ConfigurationError: the name is neither.
    """
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
            f"bucket {bucket!r}: it has no name; use my-bucket, or file:///folder for local files", field="bucket"
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
        raise ConfigurationError("the hot tier has no name; give a folder, or s3://bucket/prefix", field="hotTier")
    path = uri.removeprefix(FILE_SCHEME)
    if "://" in path or (uri != path and not path.startswith("/")):
        raise ConfigurationError(
            f"hot tier {uri!r}: it is a folder (also file:///folder) or s3://bucket/prefix", field="hotTier"
        )
    return path
