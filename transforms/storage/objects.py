"""What every object store gives: objects by key, listed in pages and read in chunks (docs/jobs.md)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

CHUNK_BYTES = 2 << 20
"""About what one chunk of an object holds."""
PAGE_OBJECTS = 1000
FILE_SCHEME = "file://"
UPLOADED = "upload://"
"""The bucket of files that were uploaded (`transforms.storage.uploads`)."""


@dataclass(frozen=True, kw_only=True)
class StorageOptions:
    """How a store is reached, sent to workers without credentials: each takes its own from the chain.

    Attributes:
        endpoint_url: Another endpoint than AWS's, or None for the environment's.
        region: The bucket's region, or None for the environment's.
        profile: A profile of the AWS configuration files.
        no_sign_request: Ask without credentials (public buckets).
        request_payer: Pay for the requests (requester-pays buckets).
        ca_bundle: Path of a PEM file of the certificates to trust.
        role_arn: An AWS role to assume with the credentials of the chain.
        inside: Folders of this machine in which the files of a `file://` bucket must lie, links followed; None is all.
    """

    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    no_sign_request: bool = False
    request_payer: bool = False
    ca_bundle: str | None = None
    role_arn: str | None = None
    inside: tuple[str, ...] | None = None


ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes whose objects are read only after a restore; Glacier Instant Retrieval is none of them."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object as it was listed.

    Attributes:
        bucket: `my-bucket`, `file:///folder` for local files, or `upload://` for uploaded ones.
        key: The whole key; of a local file its path below the folder, with `/`.
        etag: Without quotes; of a local file `SIZE-MTIME_NS`.
        size: In bytes.
        modified: LastModified, in UTC.
        storage_class: As the store names it, or None.
        restored: Whether an archived object has a restored copy now.
        source: The number of the job's source that it belongs to.
    """

    bucket: str
    key: str
    etag: str
    size: int
    modified: datetime
    storage_class: str | None = None
    restored: bool = False
    source: int = 0

    @property
    def uri(self) -> str:
        """The object's name: `s3://bucket/key`, `file:///folder/key` or `upload://key`, the key as it is."""
        return object_uri(self.bucket, self.key)

    @property
    def identity(self) -> tuple[str, str, str, int]:
        """What the ledger knows it by: bucket, key, ETag and size."""
        return (self.bucket, self.key, self.etag, self.size)

    def with_source(self, source: int) -> ObjectInfo:
        """Return it as an object of a source; twice as fast as `dataclasses.replace`, for millions of them."""
        return ObjectInfo(
            self.bucket, self.key, self.etag, self.size, self.modified, self.storage_class, self.restored, source
        )

    @property
    def is_empty(self) -> bool:
        """Whether it holds no bytes, or only marks a folder."""
        return self.size == 0 or self.key.endswith("/")

    @property
    def is_archived(self) -> bool:
        """Whether it lies in an archive without a finished restore: the store would refuse to read it."""
        return self.storage_class in ARCHIVES and not self.restored


def object_uri(bucket: str, key: str) -> str:
    """Return the name of an object, its key as it is, not escaped."""
    if bucket == UPLOADED:
        return bucket + key
    if not bucket.startswith(FILE_SCHEME):
        return f"s3://{bucket}/{key}"
    return bucket + key if bucket.endswith("/") else f"{bucket}/{key}"


class ObjectStore(ABC):
    """One bucket, or local folder, of objects that are only ever read.

    Attributes:
        bucket: Its name as `ObjectInfo.bucket` has it.
    """

    bucket: str

    @abstractmethod
    def list_pages(self, prefix: str, *, delimiter: str | None = None) -> Iterator[list[ObjectInfo]]:
        """Yield the objects whose keys begin with the prefix, some at a time, in no order that all stores share.

        Args:
            prefix: Any text; not only whole segments.
            delimiter: Leave out keys that have it behind the prefix.

        Raises:
            AccessError: the bucket can't be listed.
        """

    @abstractmethod
    def look_up(self, key: str) -> ObjectInfo:
        """Return an object as it is now.

        Raises:
            VanishedError: there is none of this key.
            DeniedError: this object may not be read.
            AccessError: nothing here can be read as things stand (endpoint, credentials, region).
            ObjectError: the store does not answer, also after retries.
        """

    @abstractmethod
    def read(self, info: ObjectInfo, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of an object from `start` up to `end`, in chunks of at most 4 MiB, read ahead within bounds.

        Exactly these bytes of exactly this content come, or an error. Close the iterator to let go of an object before
        its end.

        Raises:
            VanishedError: it is gone, or has other content than when it was listed.
            ArchivedError: the store refuses it because it is archived.
            DeniedError: this object may not be read.
            AccessError: nothing here can be read as things stand (endpoint, credentials, region).
            ObjectError: it can't be read, also after retries.
        """
