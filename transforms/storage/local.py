r"""A local folder as an object store: its files are the objects, their paths below it the keys.

Names that are not UTF-8 have keys too: a byte that can't be decoded is written `\xNN` in the key, and such a key is
found again. Links to files are read like files; links to folders are not followed (they could lead out, or in circles);
pipes, sockets and devices are no objects. A link to nothing is listed, and vanished when it is read.
"""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone

from transforms.core.errors import AccessError, ConfigurationError, DeniedError, ObjectError, VanishedError
from transforms.storage.objects import CHUNK_BYTES, FILE_SCHEME, PAGE_OBJECTS, ObjectInfo, ObjectStore, object_uri

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_ESCAPED_BYTE = re.compile(rb"\\x([89a-f][0-9a-f])")


class LocalStore(ObjectStore):
    """The files below a folder."""

    def __init__(self, bucket: str, *, inside: Iterable[str] | None = None) -> None:
        """Take `file:///folder`; that it is there is proved by listing.

        Args:
            bucket: The folder.
            inside: Folders in which all that is read must lie, links followed; None is anywhere.

        Raises:
            ConfigurationError: the path is not absolute.
        """
        path = bucket.removeprefix(FILE_SCHEME)
        if not path.startswith("/"):
            raise ConfigurationError(
                f"bucket {bucket!r}: a local folder is named by its whole path, file:///folder", field="bucket"
            )
        self.folder = os.path.normpath("/" + path.lstrip("/"))
        self.bucket = FILE_SCHEME + self.folder
        self._inside = None if inside is None else tuple(map(os.path.realpath, inside))

    def list_pages(self, prefix: str, *, delimiter: str | None = None) -> Iterator[list[ObjectInfo]]:
        """Yield the files whose keys begin with the prefix, `PAGE_OBJECTS` at a time."""
        self._require_folder()
        page: list[ObjectInfo] = []
        for key, path in self._walk(prefix):
            if delimiter is not None and delimiter in key[len(prefix) :]:
                continue
            info = self._info(key, path)
            if info is not None:
                page.append(info)
            if len(page) == PAGE_OBJECTS:
                yield page
                page = []
        if page:
            yield page

    def look_up(self, key: str) -> ObjectInfo:
        """Return a file as it is now."""
        self._require_folder()
        named = all(part not in ("", ".", "..") for part in key.split("/"))
        info = self._info(key, self._path(key)) if named else None
        if info is None:
            raise VanishedError(f"{object_uri(self.bucket, key)}: there is no such file")
        return info

    def read(self, info: ObjectInfo, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file; that it did not change is checked before the first and after the last."""
        stop = info.size if end is None else min(end, info.size)
        if start >= stop:
            return
        descriptor = self._open(info)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            self._require_inside(info, descriptor)
            self._require_unchanged(info, descriptor)
            file.seek(start)
            while start < stop:
                chunk = self._read_chunk(info, file.fileno(), min(CHUNK_BYTES, stop - start))
                start += len(chunk)
                if start == stop:
                    self._require_unchanged(info, descriptor)
                yield chunk

    def _walk(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        head, slash, tail = prefix.rpartition("/")
        if any(part in ("", ".", "..") for part in head.split("/")) and slash:
            return  # no file has such a key, and none of them may lead out of the folder
        root = self._path(head) if slash else os.fsencode(self.folder)
        if not os.path.isdir(root) or (slash and self._leads_elsewhere(head)):
            return
        folders = [(head + slash, root)]
        while folders:
            base, folder = folders.pop()
            for entry in self._scan(folder):
                name = entry.name.decode("utf-8", "backslashreplace")
                if base == head + slash and not name.startswith(tail):
                    # a prefix may end within the name of a file or folder, here only
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append((f"{base}{name}/", entry.path))
                else:
                    yield base + name, entry.path

    def _leads_elsewhere(self, head: str) -> bool:
        """Whether a folder on the way to the prefix is a link, which listing from above would not follow."""
        parts = head.split("/")
        return any(os.path.islink(self._path("/".join(parts[: n + 1]))) for n in range(len(parts)))

    def _scan(self, folder: bytes) -> Iterator[os.DirEntry[bytes]]:
        try:
            with os.scandir(folder) as entries:
                yield from entries
        except FileNotFoundError:  # removed since its parent was listed
            return
        except OSError as error:
            raise AccessError(
                f"{os.fsdecode(folder)!r} can't be listed: {error.strerror}; give the user who runs this the right "
                "to list it, or choose a pattern whose literal beginning leads past it"
            ) from error

    def _info(self, key: str, path: bytes) -> ObjectInfo | None:
        try:
            status = os.stat(path)
        except OSError:  # a link to nothing, or in a circle, or into a folder that is closed to us
            try:
                status = os.lstat(path)
            except FileNotFoundError:  # removed since its folder was listed
                return None
        else:
            if not stat.S_ISREG(status.st_mode):
                return None
        return ObjectInfo(
            self.bucket, key, _etag(status), status.st_size, _EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000)
        )

    def _path(self, key: str) -> bytes:
        r"""Return the path of a key's file: the key's own name, or else the bytes that its `\xNN` stand for."""
        path = os.fsencode(self.folder)
        for part in key.encode("utf-8", "surrogateescape").split(b"/"):
            named = path + b"/" + part
            if b"\\x" in part and not os.path.lexists(named):
                named = path + b"/" + _ESCAPED_BYTE.sub(lambda match: bytes.fromhex(match[1].decode()), part)
            path = named
        return path

    def _open(self, info: ObjectInfo) -> int:
        if any(part in ("", ".", "..") for part in info.key.split("/")):
            raise VanishedError(f"{info.uri}: no file can have this name")
        try:
            return os.open(self._path(info.key), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError as error:
            self._require_folder()  # a cluster's worker may not have it
            why = (
                "it is a link to a file that is not there"
                if os.path.islink(self._path(info.key))
                else "it was there when it was listed"
            )
            raise VanishedError(f"{info.uri}: no such file; {why}") from error
        except PermissionError as error:
            raise DeniedError(
                f"{info.uri}: no permission to read it; give the user who runs this the right to read it"
            ) from error
        except OSError as error:
            raise ObjectError(f"{info.uri}: can't be opened: {error.strerror}") from error

    def _read_chunk(self, info: ObjectInfo, descriptor: int, size: int) -> bytes:
        try:
            chunk = os.read(descriptor, size)
        except OSError as error:
            raise ObjectError(f"{info.uri}: can't be read: {error.strerror}") from error
        if not chunk:
            raise VanishedError(f"{info.uri}: it became shorter while it was read")
        return chunk

    def _require_unchanged(self, info: ObjectInfo, descriptor: int) -> None:
        status = os.fstat(descriptor)
        if _etag(status) != info.etag:
            raise VanishedError(
                f"{info.uri}: it changed since it was listed "
                f"({info.size} bytes then, {status.st_size} now, or its time)"
            )

    def _require_inside(self, info: ObjectInfo, descriptor: int) -> None:
        """Refuse a file that lies elsewhere: it is a link, and perhaps another one by now than when it was opened."""
        if self._inside is None:
            return
        path = os.path.realpath(os.fsdecode(self._path(info.key)))
        try:
            is_same = os.path.samestat(os.fstat(descriptor), os.lstat(path))
        except OSError:
            is_same = False
        if not (is_same and any(os.path.commonpath([path, folder]) == folder for folder in self._inside)):
            raise DeniedError(
                f"{info.uri}: it is a link to a file in none of the folders that may be read here "
                f"({', '.join(self._inside)}): put the file itself there"
            )

    def _require_folder(self) -> None:
        try:
            is_folder = stat.S_ISDIR(os.stat(self.folder).st_mode)
        except OSError as error:
            here = f"{error.strerror} on {socket.gethostname()}"
            raise AccessError(
                f"bucket {self.bucket}: {here}; name a folder that is there, on every machine that reads it"
            ) from error
        if not is_folder:
            raise AccessError(f"bucket {self.bucket}: this is a file; name its folder, and the file as --pattern")


def _etag(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}"
