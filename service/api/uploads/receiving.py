"""Takes the files of a body into the tier as they stream in: in bounded memory, within limits, all of them or none."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TypeVar

import anyio
from anyio import to_thread
from fastapi import Request
from starlette.requests import ClientDisconnect

from pipelines.jobs.specification import JobSpecification
from pipelines.units import show_size
from service.api.uploads.fields import NAME, check_file_name, check_name, modified_of, specify
from service.api.uploads.multipart import BodyReader, BodyStep, PartEnd, PartHead
from service.errors import ApiError
from transforms.core.errors import ConfigurationError, TierError
from transforms.storage import TierStore
from transforms.storage.uploads import UploadedFile, UploadFolder, UploadOutput

IDLE_SECONDS = 30.0
MOST_SECONDS = 12 * 3600.0
"""Shorter than what was left of an upload is kept (`pipelines.jobs.queued.uploads`)."""
MOST_FILES = 1000
_LEAST_RATE = 1 << 10
_LONGEST_TEXT = 64 << 10
_WRITE_BYTES = 1 << 20
_LOOK_BYTES = 64 << 20
"""So many bytes may come before the disk is looked at again."""
_FREE_BYTES = 256 << 20
_T = TypeVar("_T")


@dataclass(frozen=True)
class Admission:
    """A field that comes before the files, without which none is taken: the proof of a page's form.

    Attributes:
        field: Its name; the job has none of it.
        check: Raises where its text, empty without one, is not what it must be.
    """

    field: str
    check: Callable[[str], None]


class Receipt:
    """What comes in by one body.

    Attributes:
        texts: The fields, by their names.
        files: The files that are whole.
    """

    def __init__(
        self,
        tier: TierStore,
        task_id: str,
        *,
        texts: dict[str, str],
        most_bytes: int,
        admit: Admission | None = None,
    ) -> None:
        """Prepare for a body; nothing is written yet.

        Args:
            tier: The hot tier.
            task_id: The job that will read the files.
            texts: The fields of the query.
            most_bytes: The largest body.
            admit: What is asked for before a file is taken.
        """
        self.texts = texts
        self._admit = admit
        self.files: list[UploadedFile] = []
        self._tier = tier
        self._folder = UploadFolder(tier, task_id)
        self._most_bytes = most_bytes
        self._bytes = self._looked_at = 0
        self._part: PartHead | None = None
        self._output: UploadOutput | None = None
        self._names: set[str] = set()
        self._pending = bytearray()

    async def receive(self, request: Request, reader: BodyReader) -> None:
        """Take the whole body.

        Raises:
            ApiError: it is too large, comes too slowly, breaks off, or is malformed; then nothing of it stays.
        """
        length = request.headers.get("content-length", "")
        declared = int(length) if length.isascii() and length.isdecimal() else 0
        self._check_size(declared)
        await _in_thread(lambda: self._check_room(declared))
        try:
            await self._receive(request, reader)
        except ClientDisconnect:
            await self.discard()
            raise ApiError(HTTPStatus.BAD_REQUEST, "the connection ended before the body did") from None
        except BaseException:
            await self.discard()
            raise

    async def discard(self) -> None:
        """Leave nothing of it."""

        def remove() -> None:
            if self._output is not None:
                self._output.abort()
            if self.files:
                self._folder.remove()

        with anyio.CancelScope(shield=True):
            await _in_thread(remove)

    async def specify(self) -> JobSpecification:
        """Name the files, so that a job can read them, and return what that job is.

        Raises:
            ConfigurationError: a field is wrong, or no file came; then nothing of it stays.
        """

        def finish() -> JobSpecification:
            self._check_admission()
            if not self.files:
                raise ConfigurationError("file: no file came; curl -F file=@app.log sends one", field="file")
            specification = specify(self.texts, self.files)
            modified = modified_of(self.texts, datetime.now(timezone.utc)).isoformat()
            self._folder.finish([replace(file, modified=modified) for file in self.files])
            return specification

        try:
            return await _in_thread(finish)
        except BaseException:
            await self.discard()
            raise

    async def _receive(self, request: Request, reader: BodyReader) -> None:
        began = time.monotonic()
        chunks = aiter(request.stream())
        while True:
            try:
                with anyio.fail_after(IDLE_SECONDS):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise _slow(f"nothing came for {IDLE_SECONDS:.0f} s") from None
            self._check_rate(time.monotonic() - began)
            for step in reader.finish() if chunk is None else reader.feed(chunk):
                await self._take(step)
            if chunk is None:
                return
            self._bytes += len(chunk)
            self._check_size(self._bytes)
            if self._bytes - self._looked_at > _LOOK_BYTES:
                self._looked_at = self._bytes
                await _in_thread(lambda: self._check_room(0))

    async def _take(self, step: BodyStep) -> None:
        if isinstance(step, PartHead):
            await self._begin(step)
        elif isinstance(step, PartEnd):
            await self._end()
        else:
            self._pending += step
            if self._output is None and len(self._pending) > _LONGEST_TEXT:
                raise ApiError(HTTPStatus.BAD_REQUEST, "a field is longer than 64 KiB", field=self._field)
            if self._output is not None and len(self._pending) >= _WRITE_BYTES:
                await self._write()

    async def _begin(self, head: PartHead) -> None:
        self._part = head
        self._pending.clear()
        if head.file_name is None:
            is_proof = self._admit is not None and head.field == self._admit.field
            self._begin_field(head.field if is_proof else check_name(head.field))
            return
        self._check_admission()
        if head.file_name:
            name = check_file_name(head.file_name)
            if name in self._names:
                text = f"two files are called {name!r:.80}: give one another name, as in curl -F 'file=@a;filename=b'"
                raise ConfigurationError(text, field=NAME)
            if len(self._names) == MOST_FILES:
                raise ConfigurationError(f"more than {MOST_FILES:,} files: send several uploads", field="file")
            self._names.add(name)
            number = len(self._names)
            self._output = await _in_thread(lambda: self._folder.begin_file(number, name))

    def _check_admission(self) -> None:
        """Raise where what must come before the files has not."""
        if self._admit is not None:
            admit, self._admit = self._admit, None
            admit.check(self.texts.pop(admit.field, ""))

    def _begin_field(self, name: str) -> None:
        if name == NAME:
            text = f"{NAME}: names a body that is one file; in a form each file has its name by itself"
            raise ConfigurationError(text, field=NAME)
        if name in self.texts:
            raise ConfigurationError(f"{name}: is given twice", field=name)

    async def _end(self) -> None:
        head, self._part = self._part, None
        assert head is not None
        if head.file_name is None:
            try:
                self.texts[head.field] = self._pending.decode()
            except UnicodeDecodeError:
                raise ConfigurationError(f"{head.field}: is not UTF-8", field=head.field) from None
        elif self._output is not None:
            await self._write()
            output = self._output
            modified = datetime.now(timezone.utc)
            self.files.append(await _in_thread(lambda: output.close(modified)))
            self._output = None
        elif self._pending:  # a browser sends a part without a name, and empty, where no file was chosen
            raise ConfigurationError(f"{NAME}: a file has no name; curl -F 'file=@-;filename=app.log'", field=NAME)
        self._pending.clear()

    async def _write(self) -> None:
        output, data = self._output, bytes(self._pending)
        assert output is not None
        self._pending.clear()
        if data:
            await _in_thread(lambda: output.write(data))

    @property
    def _field(self) -> str | None:
        return self._part.field if self._part else None

    def _check_size(self, size: int) -> None:
        if size > self._most_bytes:
            text = f"the upload is larger than {show_size(self._most_bytes)} (rekindle serve --upload-limit)"
            raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, headers={"Connection": "close"})

    def _check_rate(self, seconds: float) -> None:
        """Refuse what keeps others from their turn for too long."""
        if seconds > MOST_SECONDS:
            raise _slow(f"it took more than {MOST_SECONDS / 3600:.0f} hours")
        if seconds > IDLE_SECONDS and self._bytes < seconds * _LEAST_RATE:
            raise _slow(f"it comes slower than {show_size(_LEAST_RATE)} a second")

    def _check_room(self, size: int) -> None:
        free = self._tier.free_bytes()
        if free is not None and free < size + _FREE_BYTES:
            text = f"an upload of {show_size(size)} is too much" if size else "the upload was broken off"
            raise TierError(f"too little disk for the hot tier {self._tier.uri}: {text}, {show_size(free)} are free")


async def _in_thread(work: Callable[[], _T]) -> _T:
    return await to_thread.run_sync(work)


def _slow(reason: str) -> ApiError:
    return ApiError(HTTPStatus.REQUEST_TIMEOUT, f"the upload was broken off: {reason}")
