"""A hot tier under a prefix of an S3 bucket."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, cast

import botocore.exceptions as sdk
import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError

from transforms.core.errors import AccessError, ConfigurationError, TierError
from transforms.storage.objects import ObjectStore, StorageOptions, object_uri
from transforms.storage.s3 import S3Store, is_plain
from transforms.storage.s3_connection import RIGHTS
from transforms.storage.tier import CONDITIONAL_WRITES, TierFile, TierOutput, TierStore, check_path

if TYPE_CHECKING:
    from obstore import WritableFile
    from obstore.store import S3Store as FastStore

_RETRIES = 8
_PART_BYTES = 8 << 20
_PARTS_AT_ONCE = 3


class S3Tier(TierStore):
    """The files of a hot tier below a prefix."""

    def __init__(self, bucket: str, prefix: str, options: StorageOptions) -> None:
        """Ask for nothing yet.

        Raises:
            ConfigurationError: the prefix is one that tools for Delta tables can't name.
        """
        prefix = prefix.strip("/")
        self.uri = object_uri(bucket, prefix).rstrip("/")
        if prefix and (not is_plain(prefix) or set(prefix) & set("%?#*[]{}\\")):
            raise ConfigurationError(
                f"hot tier {self.uri!r}: the prefix holds characters that not every tool can name; "
                "use letters, digits, - _ . and /"
            )
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._objects = S3Store(bucket, options)
        self._connection = self._objects.connection

    @property
    def local_path(self) -> None:
        """None: it is not local."""
        return

    def put(self, path: str, data: bytes) -> None:
        """Write an object."""
        with self._writing_errors(path):
            obstore.put(self._store, self._key(path), data)

    def put_new(self, path: str, data: bytes) -> None:
        """Write an object that is not there yet, by `If-None-Match: *`."""
        with self._writing_errors(path):
            try:
                obstore.put(self._store, self._key(path), data, mode="create")
            except AlreadyExistsError as error:
                raise FileExistsError(f"{self.uri}/{path}") from error

    def get(self, path: str) -> bytes:
        """Return an object's bytes."""
        with self._tier_errors(path):
            return obstore.get(self._store, self._key(path)).bytes().to_bytes()

    def exists(self, path: str) -> bool:
        """Whether the object is there."""
        with self._tier_errors(path):
            try:
                obstore.head(self._store, self._key(path))
            except FileNotFoundError:
                return False
            return True

    def list(self, prefix: str) -> Iterator[TierFile]:
        """Yield the objects whose paths begin with the prefix."""
        try:
            for page in self._objects.list_pages(self._prefix + prefix):
                for info in page:
                    yield TierFile(info.key[len(self._prefix) :], info.size, info.modified, info.etag)
        except AccessError as error:
            raise TierError(f"hot tier {self.uri}: {error}") from error

    def delete(self, path: str) -> None:
        """Remove an object."""
        with self._tier_errors(path):
            self._connection.client.delete_object(Bucket=self._bucket, Key=self._key(path), **self._connection.payer)

    def open_output(self, path: str) -> TierOutput:
        """Begin a new object: parts of 8 MiB go up while it is written."""
        with self._tier_errors(path):
            writer = obstore.open_writer(
                self._store, self._key(path), buffer_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE
            )
        return _S3Output(self, path, writer)

    def open_input(self, path: str) -> BinaryIO:
        """Open an object; each read is a request of its own."""
        with self._tier_errors(path):
            size = obstore.head(self._store, self._key(path))["size"]
        return cast("BinaryIO", _S3Input(self, path, size))

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """Return some bytes of an object."""
        with self._tier_errors(path):
            return obstore.get_range(self._store, self._key(path), start=start, end=end).to_bytes()

    def delta_options(self) -> dict[str, str]:
        """Return the options of the object store that deltalake uses; it creates a version by conditional put."""
        with self._tier_errors("."):
            return {**self._connection.sdk_options(), "AWS_CONDITIONAL_PUT": "etag"}

    def polars_options(self) -> dict[str, str]:
        """Return the options of the object store that Polars uses."""
        with self._tier_errors("."):
            return self._connection.sdk_options()

    def as_source(self) -> tuple[ObjectStore, str]:
        """Return the bucket."""
        return self._objects, self._prefix

    def key_prefix_in(self, bucket: str) -> str | None:
        """Return the tier's prefix in its own bucket; another endpoint's bucket of that name is taken for it too."""
        return self._prefix if bucket == self._bucket else None

    def drop_parts(self, path: str) -> None:
        """Drop the parts of an object that was never finished: they lie unseen and cost money."""
        key = self._key(path)
        with self._tier_errors(path):
            found = self._connection.client.list_multipart_uploads(Bucket=self._bucket, Prefix=key)
            for upload in found.get("Uploads", []):
                if upload["Key"] == key:
                    self._connection.client.abort_multipart_upload(
                        Bucket=self._bucket, Key=key, UploadId=upload["UploadId"]
                    )

    def remove_leftovers(self, age: timedelta) -> int:
        """Abort old multipart uploads; where credentials or the store do not allow it, they stay."""
        oldest = datetime.now(timezone.utc) - age
        removed = 0
        with suppress(sdk.ClientError):
            for page in self._connection.client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            ):
                for upload in page.get("Uploads", []):
                    if upload["Initiated"] < oldest:
                        self._connection.client.abort_multipart_upload(
                            Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        removed += 1
        return removed

    def errors(self, path: str) -> AbstractContextManager[None]:
        """Turn the clients' errors while an object is written into `TierError`."""
        return self._writing_errors(path)

    @cached_property
    def _store(self) -> FastStore:
        return self._connection.fast_store(retries=_RETRIES)

    def _key(self, path: str) -> str:
        return self._prefix + check_path(path)

    @contextmanager
    def _tier_errors(self, path: str) -> Iterator[None]:
        """Raise the clients' errors as TierErrors; whether an object may exist or not is up to the caller."""
        try:
            yield
        except AccessError as error:
            raise TierError(f"hot tier {self.uri}: {error}") from error
        except (sdk.ClientError, sdk.BotoCoreError) as error:
            raise TierError(
                f"hot tier {self.uri}: {self._connection.explain(error, doing='write', key=self._prefix + path)}"
            ) from error
        except BaseError as error:
            raise TierError(f"hot tier {self.uri}: {self._diagnose(path, error)}") from error

    @contextmanager
    def _writing_errors(self, path: str) -> Iterator[None]:
        with self._tier_errors(path):
            try:
                yield
            except FileNotFoundError as error:  # obstore's error for a bucket that does not exist
                raise TierError(f"hot tier {self.uri}: {self._diagnose(path, error)}") from error

    def _diagnose(self, path: str, error: Exception) -> str:
        """Explain an error: obstore reports little, so boto3 asks too, whose errors have codes."""
        try:
            self._connection.plain_client.list_objects_v2(
                Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1, **self._connection.payer
            )
        except (sdk.ClientError, sdk.BotoCoreError) as cause:
            return str(self._connection.explain(cause, doing="list", key=self._prefix))
        where = object_uri(self._bucket, self._prefix + path)
        if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
            return f"{where}: no permission to read or write it: the credentials need {RIGHTS['write']}"
        if "<Code>NotImplemented</Code>" in str(error):
            problem = "this store does not know a request that a hot tier needs (NotImplemented)"
            return f"{where}: {problem}. {CONDITIONAL_WRITES}"
        return f"{where}: {_first_line(error)}"


class _S3Output(TierOutput):
    def __init__(self, tier: S3Tier, path: str, writer: WritableFile) -> None:
        self._tier = tier
        self._path = path
        self._writer: WritableFile | None = writer
        self._written = 0

    def write(self, data: bytes, /) -> int:
        if self._writer is None:  # aborted; what Arrow still had in its buffer when it let go of the file is not wanted
            return len(data)
        with self._tier.errors(self._path):
            self._writer.write(data)
        self._written += len(data)
        return len(data)

    def close(self) -> None:
        if self._writer is None:
            return
        writer, self._writer, self.closed = self._writer, None, True
        with self._tier.errors(self._path):
            writer.close()

    def abort(self) -> None:
        if self._writer is None:
            return
        self._writer, self.closed = None, True
        if self._written >= _PART_BYTES:
            self._tier.drop_parts(self._path)


class _S3Input(io.RawIOBase):
    def __init__(self, tier: S3Tier, path: str, size: int) -> None:
        self._tier = tier
        self._path = path
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        end = self._size if size is None or size < 0 else min(self._position + size, self._size)
        if end <= self._position:
            return b""
        data = self._tier.read_range(self._path, self._position, end)
        self._position += len(data)
        return data

    def readall(self) -> bytes:
        return self.read()


def _first_line(error: Exception) -> str:
    """Return obstore's message without the tree of causes it adds."""
    return str(error).split("\n\nDebug source", 1)[0].strip()
