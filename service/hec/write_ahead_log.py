"""The write-ahead log: what is answered stands in it, flushed to the disk, until it is in the hot tier.

A thread takes all requests that wait, writes them behind each other, and flushes once for all of them. A write or flush
that fails is an error for these requests alone: the segment is cut back, and the next goes to a new one.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from service.hec.entries import Damage, LogEntry, read_entries
from service.hec.log_folder import LogFolder, Segment

BATCH_BYTES = 64 << 20
"""About so much of the log goes to the hot tier by one commit."""
SEGMENT_BYTES = 16 << 20
MOST_BYTES = 4 << 30
"""What the log may take on the disk."""
KEPT_FREE = 256 << 20
"""What is left free on the disk."""
_GROUP_BYTES = 16 << 20
_READ_BYTES = 8 << 20
_LOOK_SECONDS = 1.0


class LogFullError(Exception):
    """The log, or the disk, has no room."""


class LogClosedError(Exception):
    """The log takes nothing more."""


@dataclass(frozen=True)
class Disk:
    """How bytes reach the disk; tests let it fail."""

    write: Callable[[int, memoryview], int] = os.write
    sync: Callable[[int], None] = os.fdatasync


@dataclass
class _Waiting:
    """A request that is to be written."""

    context: bytes
    payload: bytes
    events: int
    received: int
    done: Future[int] = field(default_factory=Future)

    @property
    def size(self) -> int:
        return len(self.context) + len(self.payload) + 64

    def answer(self, result: int | Exception) -> None:
        """Answer whoever waits, if it still does."""
        if not self.done.set_running_or_notify_cancel():
            return
        if isinstance(result, Exception):
            self.done.set_exception(result)
        else:
            self.done.set_result(result)


@dataclass
class _Active:
    """The segment that is written to."""

    descriptor: int
    segment: Segment
    size: int = 0


class WriteAheadLog:
    """The log of one service."""

    def __init__(
        self,
        folder: LogFolder,
        *,
        committed: int,
        most_bytes: int = MOST_BYTES,
        kept_free: int = KEPT_FREE,
        segment_bytes: int = SEGMENT_BYTES,
        disk: Disk = Disk(),  # noqa: B008 - frozen
        report: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Take over a folder with what is left in it.

        Args:
            folder: The folder.
            committed: The number of the last event that is in the hot tier.
            most_bytes: What the log may take.
            kept_free: What is left free on the disk.
            segment_bytes: A segment of this size is followed by another.
            disk: How bytes reach the disk.
            report: Takes messages about damage.
        """
        self.folder = folder
        self.committed = committed
        self._most_bytes, self._kept_free, self._segment_bytes = most_bytes, kept_free, segment_bytes
        self._disk = disk
        self._report = report
        self._queue = threading.Condition()
        self._files = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._active: _Active | None = None
        self._sealed = folder.segments()
        self.next = max(committed, *self._last_numbers(), 0) + 1
        self._bytes = sum(segment.size for segment in self._sealed)
        self._free = (0, float("-inf"))
        self._closing = False
        self._thread = threading.Thread(target=self._write_all, name="rekindle-hec-log", daemon=True)
        self._thread.start()
        self.drop(committed)

    @property
    def size(self) -> int:
        """What it takes on the disk, with what waits to be written."""
        return self._bytes + self._waiting_bytes

    @property
    def fill(self) -> float:
        """How full it is, 1 where it takes nothing more."""
        if self._free_bytes() < self._kept_free:
            return 1.0
        return min(1.0, self.size / self._most_bytes)

    @property
    def has_events(self) -> bool:
        """Whether there is something that is not in the hot tier."""
        return bool(self._sealed) or self._active is not None

    def append(self, context: bytes, payload: bytes, *, events: int, received: int | None = None) -> Future[int]:
        """Write a request, and return the number of its last event once it is on the disk.

        Raises:
            LogFullError: there is no room; nothing was written.
            LogClosedError: the log is closed.
        """
        one = _Waiting(context, payload, events, time.time_ns() // 1000 if received is None else received)
        with self._queue:
            if self._closing:
                raise LogClosedError
            left = min(self._most_bytes - self.size, self._free_bytes() - self._kept_free - self._waiting_bytes)
            if one.size > left:
                raise LogFullError
            self._waiting.append(one)
            self._waiting_bytes += one.size
            self._queue.notify()
        return one.done

    def seal(self, most_bytes: int = BATCH_BYTES) -> list[Segment]:
        """End the segment that is written to, and return the oldest ones, of about so many bytes.

        Raises:
            OSError: the folder was removed; files of these names may be another service's by now.
        """
        with self._files:
            self.folder.check()
            self._end_segment()
            chosen: list[Segment] = []
            size = 0
            for segment in self._sealed:
                size += segment.size
                if chosen and size > most_bytes:
                    break
                chosen.append(segment)
            return chosen

    def read(self, segments: list[Segment]) -> Iterator[LogEntry]:
        """Yield the entries of segments that are not in the hot tier yet; what is damaged is reported."""
        for segment in segments:
            for found in read_entries(segment.path.read_bytes()):
                if isinstance(found, Damage):
                    self._report_damage(segment, found)
                elif found.last > self.committed:
                    yield found

    def portions(self, segments: list[Segment]) -> Iterator[list[LogEntry]]:
        """Yield those entries some at a time, each with its last one as the last."""
        some: list[LogEntry] = []
        size = 0
        for entry in self.read(segments):
            some.append(entry)
            size += len(entry.payload)
            if size >= _READ_BYTES:
                yield some
                some, size = [], 0
        if some:
            yield some

    def drop(self, committed: int, segments: list[Segment] | None = None) -> None:
        """Remove the segments all of whose events are in the hot tier.

        Args:
            committed: The number of the last event that is there.
            segments: Those that were read for it; None finds out which they are.
        """
        with self._files:
            self.committed = max(self.committed, committed)
            if segments is None:
                lasts = self._last_numbers()
                segments = [one for one, last in zip(self._sealed, lasts, strict=True) if last <= self.committed]
            gone = set(segments)
            self._sealed = [segment for segment in self._sealed if segment not in gone]
            for segment in segments:
                self._bytes -= segment.size
                segment.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Write what waits, and take nothing more."""
        with self._queue:
            self._closing = True
            self._queue.notify_all()
        self._thread.join()
        with self._files:
            self._end_segment()

    def _last_numbers(self) -> list[int]:
        """Return the number of the last event of each sealed segment, 0 where it has none."""
        return [
            max((one.last for one in read_entries(segment.path.read_bytes()) if isinstance(one, LogEntry)), default=0)
            for segment in self._sealed
        ]

    def _free_bytes(self) -> int:
        free, at = self._free
        now = time.monotonic()
        if now - at > _LOOK_SECONDS:
            found = os.statvfs(self.folder.path)
            free = found.f_bavail * found.f_frsize
            self._free = (free, now)
        return free

    def _write_all(self) -> None:
        while group := self._next_group():
            try:
                with self._files:
                    numbers = self._write(group)
            except Exception as error:  # noqa: BLE001 - it is raised by each of them
                for one in group:
                    one.answer(error)
            else:
                for one, number in zip(group, numbers, strict=True):
                    one.answer(number)

    def _next_group(self) -> list[_Waiting]:
        """Wait for requests, and return some; none where the log is closed."""
        with self._queue:
            while not self._waiting and not self._closing:
                self._queue.wait()
            group: list[_Waiting] = []
            size = 0
            while self._waiting and size < _GROUP_BYTES:
                group.append(self._waiting.popleft())
                size += group[-1].size
            return group

    def _write(self, group: list[_Waiting]) -> list[int]:
        """Write requests and flush them; return the number of the last event of each."""
        entries = list(self._numbered(group))
        data = memoryview(b"".join(entry.dump() for entry in entries))
        size = len(data)
        try:
            self.folder.check()
            active = self._active or self._open_segment(entries[0].first)
            while data:
                data = data[self._disk.write(active.descriptor, data) :]
            self._disk.sync(active.descriptor)
        except OSError:
            self._give_up_segment()
            raise
        finally:
            with self._queue:
                self._waiting_bytes -= sum(one.size for one in group)
        active.size += size
        self._bytes += size
        if active.size >= self._segment_bytes:
            self._end_segment()
        return [entry.last for entry in entries]

    def _numbered(self, group: list[_Waiting]) -> Iterator[LogEntry]:
        """Yield the entries of requests; the numbers of those that fail are not used again."""
        for one in group:
            yield LogEntry(
                first=self.next,
                events=one.events,
                received=one.received,
                context=one.context,
                payload=one.payload,
            )
            self.next += one.events

    def _open_segment(self, first: int) -> _Active:
        path = self.folder.segment_path(first)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._active = _Active(descriptor, Segment(path, first))
        self.folder.sync()
        return self._active

    def _end_segment(self) -> None:
        if self._active is None:
            return
        active, self._active = self._active, None
        os.close(active.descriptor)
        self._sealed.append(active.segment)

    def _give_up_segment(self) -> None:
        """Cut off what could not be written or flushed, and write no more to this segment."""
        active, self._active = self._active, None
        if active is None:
            return
        with suppress(OSError):
            os.ftruncate(active.descriptor, active.size)
        os.close(active.descriptor)
        if active.size:
            self._sealed.append(active.segment)
        else:
            with suppress(OSError):
                active.segment.path.unlink()

    def _report_damage(self, segment: Segment, damage: Damage) -> None:
        size = damage.stop - damage.start
        if damage.is_tail:
            text = f"the log ends with {size:,} bytes of requests that were not answered: they are left out"
        else:
            text = f"{size:,} bytes of the log are damaged, at {damage.start:,}: the events in them are lost"
        self._report(f"{segment.path}: {text}")
