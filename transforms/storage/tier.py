"""The place of a hot tier: files by their path, written whole or not at all."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from transforms.core.errors import TierError
from transforms.storage.objects import ObjectStore

CONDITIONAL_WRITES = "Use a store with conditional writes: AWS S3, MinIO, Cloudflare R2 and others"


@dataclass(frozen=True, slots=True)
class TierFile:
    """One file of the tier.

    Attributes:
        path: Below the tier's root.
        size: In bytes.
        modified: When it was written (UTC).
        etag: As the store gives it; empty in a folder on disk.
    """

    path: str
    size: int
    modified: datetime
    etag: str = ""


class TierOutput(ABC):
    """A new file that is being written. It is there, whole, once `close` returns, and never after `abort`.

    As a context manager it is closed at the end, and aborted on an error. Arrow takes it for a binary file.
    """

    closed: bool = False

    @abstractmethod
    def write(self, data: bytes, /) -> int:
        """Append bytes."""

    @abstractmethod
    def close(self) -> None:
        """Publish the file; a second time does nothing."""

    @abstractmethod
    def abort(self) -> None:
        """Leave nothing behind; after `close` it does nothing."""

    def flush(self) -> None:  # noqa: B027 - nothing to override
        """Do nothing: what counts is `close`."""

    def writable(self) -> bool:
        """Whether it can be written."""
        return not self.closed

    def __enter__(self) -> TierOutput:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Publish, or on an error leave nothing."""
        if kind is None:
            self.close()
        else:
            self.abort()


class TierStore(ABC):
    """The files of one hot tier. Paths are relative to its root.

    Those of the product's own files have `A-Z a-z 0-9 . _ = - /`; other programs, which write to the table too, name
    files as they like.

    Every method raises `TierError` where the place fails (permission, disk, network).

    Attributes:
        uri: The root, by which any process on any machine opens the same tier: a whole local path, or `s3://bucket/prefix`.
    """

    uri: str

    @property
    @abstractmethod
    def local_path(self) -> Path | None:
        """The root folder, or None on S3."""

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return self.local_path is not None

    def table_uri(self, name: str) -> str:
        """Return what deltalake calls the table in the folder `name`."""
        return f"{self.uri.rstrip('/')}/{name}"

    @abstractmethod
    def put(self, path: str, data: bytes) -> None:
        """Write a file, in place of the one that is there."""

    @abstractmethod
    def put_new(self, path: str, data: bytes) -> None:
        """Write a file that is not there yet; of several who do so at once, one succeeds.

        On S3 an answer may be lost: then the file may be there although this raises.

        Raises:
            FileExistsError: it is there already.
        """

    @abstractmethod
    def get(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            FileNotFoundError: there is none.
        """

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether the file is there."""

    @abstractmethod
    def list(self, prefix: str) -> Iterator[TierFile]:
        """Yield the files whose paths begin with the prefix, in no order, without those being written."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""

    @abstractmethod
    def open_output(self, path: str) -> TierOutput:
        """Begin a new file."""

    @abstractmethod
    def open_input(self, path: str) -> BinaryIO:
        """Open a file for random access.

        Raises:
            FileNotFoundError: there is none.
        """

    @abstractmethod
    def delta_options(self) -> dict[str, str]:
        """Return deltalake's `storage_options`, with the credentials of this moment: ask again for each new handle."""

    @abstractmethod
    def polars_options(self) -> dict[str, str]:
        """Return Polars' `storage_options`, with the credentials of this moment."""

    def free_bytes(self) -> int | None:
        """Return the bytes that are free on the disk, or None on S3."""
        return None

    def remove_leftovers(self, age: timedelta) -> int:
        """Remove what killed processes left of unfinished files, if older than an age; return how many."""
        return 0

    @abstractmethod
    def as_source(self) -> tuple[ObjectStore, str]:
        """Return the store in which the tier lies, and what its keys begin with there."""

    @abstractmethod
    def key_prefix_in(self, bucket: str) -> str | None:
        """Return the prefix of the tier's files as keys of a bucket or folder; `""` where all are the tier's.

        None where none of them lies there.
        """

    def probe_conditional_put(self) -> None:
        """Prove that two can't create one file: the exactly-once commit stands on it (decision 4).

        Raises:
            TierError: the store lets the second overwrite the first, or does not know the request.
        """
        path = f"_rekindle/probe/{new_name()}"
        self.put_new(path, b"1")
        try:
            self.put_new(path, b"2")
        except FileExistsError:
            return
        finally:
            self.delete(path)
        raise TierError(
            f"hot tier {self.uri}: this store overwrites an object that was to be created only if it is not there "
            f"(If-None-Match: *); two jobs could lose each other's commits. {CONDITIONAL_WRITES}"
        )


def new_name() -> str:
    """Return a name that no other file has."""
    return uuid.uuid4().hex


def check_path(path: str) -> str:
    """Return a tier's path, or raise ValueError: it is a mistake in the program."""
    if "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise ValueError(f"{path!r} is no path in a hot tier")
    return path
