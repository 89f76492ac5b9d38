"""Files that were uploaded to a hot tier, kept there until the job that reads them has ended.

An upload lies flat in `_rekindle/uploads/`: `TASK_ID-N` for each file, and `TASK_ID.json`, which names them, is written
last. Any worker on any machine may read them, because they are in the tier. To a job they are the objects of the bucket
`upload://`: the name that a file came under is its key, and a digest of its content its ETag, so that the ledger knows
the same file again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property

import orjson

from transforms.core.errors import AccessError, VanishedError
from transforms.storage.objects import PAGE_OBJECTS, UPLOADED, ObjectInfo, ObjectStore, object_uri
from transforms.storage.tier import TierFile, TierOutput, TierStore

ROOT = "_rekindle/uploads/"
_DIGEST_BYTES = 16
_AT_ONCE = 16
_ID = slice(0, 36)
"""Where the id of the job stands in the name of a file."""


@dataclass(frozen=True)
class UploadedFile:
    """One uploaded file.

    Attributes:
        name: What its sender calls it.
        path: Where it lies in the tier.
        etag: The digest of its content.
        size: In bytes.
        modified: When it was last modified, as its sender has it, else when it came; ISO 8601.
    """

    name: str
    path: str
    etag: str
    size: int
    modified: str

    @property
    def info(self) -> ObjectInfo:
        """The object that it is to a job."""
        return ObjectInfo(UPLOADED, self.name, self.etag, self.size, datetime.fromisoformat(self.modified))


class UploadOutput:
    """A file that comes in: it is in the tier, whole, once `close` returns, and never after `abort`.

    Attributes:
        size: How many bytes have come.
    """

    def __init__(self, name: str, path: str, output: TierOutput) -> None:
        """Take where it is written."""
        self._name, self._path, self._output = name, path, output
        self._digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._digest.update(data)
        self._output.write(data)
        self.size += len(data)

    def close(self, modified: datetime) -> UploadedFile:
        """Finish the file, and return what it is."""
        self._output.close()
        return UploadedFile(self._name, self._path, self._digest.hexdigest(), self.size, modified.isoformat())

    def abort(self) -> None:
        """Leave nothing of it."""
        self._output.abort()


class UploadFolder:
    """The uploaded files of one job."""

    def __init__(self, tier: TierStore, task_id: str) -> None:
        """Name the job; nothing is read or written yet."""
        self._tier = tier
        self.task_id = task_id

    def begin_file(self, number: int, name: str) -> UploadOutput:
        """Begin a file under a number that no other of the upload has."""
        path = f"{ROOT}{self.task_id}-{number}"
        return UploadOutput(name, path, self._tier.open_output(path))

    def finish(self, files: Sequence[UploadedFile]) -> None:
        """Name all files: from now on a job can read them."""
        self._tier.put(self._list, orjson.dumps(list(map(asdict, files))))

    def files(self) -> list[UploadedFile] | None:
        """Return the files, None where they are not, or no longer, there."""
        try:
            return [UploadedFile(**one) for one in orjson.loads(self._tier.get(self._list))]
        except FileNotFoundError:
            return None

    def remove(self) -> None:
        """Remove the files, whether the upload was finished or not: first the list, so that none is looked for."""
        self._tier.delete(self._list)
        paths = [file.path for file in self._tier.list(f"{ROOT}{self.task_id}")]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._tier.delete, paths))

    @property
    def _list(self) -> str:
        return f"{ROOT}{self.task_id}.json"


def list_uploads(tier: TierStore) -> dict[str, datetime]:
    """Return when a file of each upload that is there was last written, by the job's id."""
    newest: dict[str, datetime] = {}
    for file in tier.list(ROOT):
        task_id = _task_of(file)
        newest[task_id] = max(file.modified, newest.get(task_id, file.modified))
    return newest


def _task_of(file: TierFile) -> str:
    return file.path.removeprefix(ROOT)[_ID]


class UploadStore(ObjectStore):
    """The uploaded files of one job as the objects of a bucket."""

    def __init__(self, tier: TierStore, task_id: str) -> None:
        """Ask for nothing yet."""
        self.bucket = UPLOADED
        self._folder = UploadFolder(tier, task_id)
        self._store, self._prefix = tier.as_source()

    def list_pages(self, prefix: str, *, delimiter: str | None = None) -> Iterator[list[ObjectInfo]]:
        """Yield the files whose names begin with the prefix."""
        found = [
            file.info
            for file in self._files
            if file.name.startswith(prefix) and (delimiter is None or delimiter not in file.name[len(prefix) :])
        ]
        for first in range(0, len(found), PAGE_OBJECTS):
            yield found[first : first + PAGE_OBJECTS]

    def look_up(self, key: str) -> ObjectInfo:
        """Return a file by its name."""
        found = next((one.info for one in self._files if one.name == key), None)
        if found is None:
            raise VanishedError(f"{object_uri(self.bucket, key)}: there is no uploaded file of this name")
        return found

    def read(self, info: ObjectInfo, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file, by the store in which the tier lies."""
        path = next((one.path for one in self._files if (one.name, one.etag) == (info.key, info.etag)), None)
        stored = self._stored.get(path) if path else None
        if stored is None or stored.size != info.size:
            raise VanishedError(f"{info.uri}: the uploaded file is no longer kept in the hot tier")
        return self._store.read(replace(stored, bucket=self._store.bucket), start=start, end=end)

    @cached_property
    def _files(self) -> list[UploadedFile]:
        files = self._folder.files()
        if files is None:
            raise AccessError(gone(self._folder.task_id))
        return files

    @cached_property
    def _stored(self) -> dict[str, ObjectInfo]:
        """What the tier's store knows of the files, by their paths."""
        pages = self._store.list_pages(f"{self._prefix}{ROOT}{self._folder.task_id}")
        return {info.key.removeprefix(self._prefix): info for page in pages for info in page}


def gone(task_id: str) -> str:
    """Return the message of a job whose files are no longer there."""
    return f"the uploaded files of job {task_id} are no longer kept: upload them again, as a new job"
