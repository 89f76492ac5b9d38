"""The write-ahead log: what is answered is there, whatever is torn, damaged, full or killed."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.hec.entries import Damage, LogEntry, read_entries
from service.hec.log_folder import LogFolder, hold_folder, left_folders
from service.hec.write_ahead_log import Disk, LogClosedError, LogFullError, WriteAheadLog
from tests.service.hec.conftest import CONTEXT
from transforms.core.errors import RekindleError

TABLE = "table"
SECONDS = 60.0


def entry(first: int, payload: bytes, events: int = 1) -> LogEntry:
    return LogEntry(first=first, events=events, received=5, context=b"{}", payload=payload)


SEGMENT = [entry(1, b"one\n"), entry(2, b"two\nthree\n", 2), entry(4, b"four RKL\x01 four\n")]
DATA = b"".join(one.dump() for one in SEGMENT)
STARTS = [DATA.index(one.dump()) for one in SEGMENT]


def test_entries_are_read_as_they_were_written() -> None:
    assert list(read_entries(DATA)) == SEGMENT
    assert [one.last for one in SEGMENT] == [1, 3, 4]


def test_a_torn_tail_is_left_out_wherever_it_is_torn() -> None:
    for size in range(STARTS[2] + 1, len(DATA)):
        assert list(read_entries(DATA[:size])) == [*SEGMENT[:2], Damage(STARTS[2], size, is_tail=True)]


def test_a_bit_that_flips_costs_no_other_entry() -> None:
    for place in range(STARTS[1], STARTS[2]):
        damaged = bytearray(DATA)
        damaged[place] ^= 0x10
        found = list(read_entries(bytes(damaged)))
        assert found == [SEGMENT[0], Damage(STARTS[1], STARTS[2], is_tail=False), SEGMENT[2]]


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"RKL\x01", b"RKL\x01" * 50], ids=["", "zeros", "short", "magic"])
def test_what_is_no_entry_is_damage(data: bytes) -> None:
    assert list(read_entries(data)) == ([Damage(0, len(data), is_tail=True)] if data else [])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[LogFolder]:
    held = hold_folder(tmp_path / "hec", TABLE)
    yield held
    held.close()


MakeLog = Callable[..., WriteAheadLog]


@pytest.fixture
def make_log(folder: LogFolder) -> Iterator[MakeLog]:
    """Make logs over one folder, one after the other."""
    logs: list[WriteAheadLog] = []

    def make(**options: object) -> WriteAheadLog:
        logs.append(WriteAheadLog(folder, **{"committed": 0, **options}))  # type: ignore[arg-type]
        return logs[-1]

    yield make
    for log in logs:
        log.close()


def append(log: WriteAheadLog, *payloads: str) -> list[int]:
    """Append requests of an event each, and return their numbers."""
    waiting = [log.append(CONTEXT.dump(), f"{payload}\n".encode(), events=1) for payload in payloads]
    return [one.result(SECONDS) for one in waiting]


def left(log: WriteAheadLog) -> list[str]:
    """Return what is left in a log."""
    return [one.payload.decode().strip() for one in log.read(log.seal(1 << 40))]


def test_requests_are_numbered_by_their_events(make_log: MakeLog) -> None:
    log = make_log()
    assert log.append(b"{}", b"a\nb\nc\n", events=3).result(SECONDS) == 3
    assert append(log, "d", "e") == [4, 5]
    assert [(one.first, one.last) for one in log.read(log.seal())] == [(1, 3), (4, 4), (5, 5)]


def test_a_log_that_is_opened_again_has_what_was_answered(make_log: MakeLog) -> None:
    append(make_log(), "a", "b")  # not closed: killed
    again = make_log()
    assert append(again, "c") == [3]
    assert left(again) == ["a", "b", "c"]


def test_numbers_go_on_behind_what_is_committed(make_log: MakeLog) -> None:
    assert append(make_log(committed=41), "a") == [42]


def test_what_is_committed_is_removed(make_log: MakeLog, folder: LogFolder) -> None:
    log = make_log(segment_bytes=1)
    append(log, "a")
    append(log, "b")
    append(log, "c")
    segments = log.seal(1)
    assert [one.payload for one in log.read(segments)] == [b"a\n"]
    log.drop(1, segments)
    assert left(log) == ["b", "c"]
    assert left(make_log(committed=2)) == ["c"]
    assert [segment.first for segment in folder.segments()] == [3]


def test_segments_do_not_grow_without_end(make_log: MakeLog, folder: LogFolder) -> None:
    log = make_log(segment_bytes=1000)
    for number in range(20):
        append(log, f"{number:0200d}")
    assert len(folder.segments()) == 5
    assert log.size == sum(segment.size for segment in folder.segments())
    assert len(left(log)) == 20


def test_damage_is_reported_and_costs_nothing_else(make_log: MakeLog, folder: LogFolder) -> None:
    append(make_log(), "a", "b", "c")
    path = folder.segments()[0].path
    data = bytearray(path.read_bytes())
    data[data.index(b"b\n")] = ord("x")
    path.write_bytes(data + b"RKL\x01torn")
    reports: list[str] = []
    assert left(make_log(report=reports.append)) == ["a", "c"]
    assert ["damaged" in one for one in reports] == [True, False]
    assert all(str(path) in one for one in reports)


def test_a_log_that_is_full_refuses_before_it_writes(make_log: MakeLog) -> None:
    log = make_log(most_bytes=1000)
    append(log, "x" * 500)
    with pytest.raises(LogFullError):
        append(log, "x" * 500)
    assert append(log, "y") == [2]
    log.drop(2, log.seal())
    assert append(log, "x" * 500) == [3]


def test_a_disk_without_room_refuses_before_it_writes(make_log: MakeLog) -> None:
    log = make_log(kept_free=1 << 62)
    assert log.fill == 1
    with pytest.raises(LogFullError):
        append(log, "a")


def test_a_closed_log_takes_nothing(make_log: MakeLog) -> None:
    log = make_log()
    log.close()
    with pytest.raises(LogClosedError):
        append(log, "a")


class FailingDisk:
    """A disk that fails as it is told."""

    def __init__(self, *, short: int | None = None) -> None:
        """Write normally, or at most `short` bytes before the disk is full."""
        self.short = short
        self.syncs_fail = False
        self.disk = Disk(write=self.write, sync=self.sync)

    def write(self, descriptor: int, data: memoryview) -> int:
        if self.short is None:
            return os.write(descriptor, data[:7])
        if self.short <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = os.write(descriptor, data[: self.short])
        self.short -= written
        return written

    def sync(self, descriptor: int) -> None:
        if self.syncs_fail:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fdatasync(descriptor)


def test_writes_that_take_part_of_the_bytes_go_on(make_log: MakeLog) -> None:
    log = make_log(disk=FailingDisk().disk)
    append(log, "a", "b" * 100)
    assert left(log) == ["a", "b" * 100]


@pytest.mark.parametrize("short", [0, 1, 60, 200])
def test_a_full_disk_loses_nothing_that_was_answered(make_log: MakeLog, short: int) -> None:
    failing = FailingDisk()
    log = make_log(disk=failing.disk)
    append(log, "a", "b")
    failing.short = short
    with pytest.raises(OSError, match="No space left"):
        append(log, "c" * 300)
    failing.short = None
    number = append(log, "d")[0]
    assert left(log) == ["a", "b", "d"]
    assert left(make_log()) == ["a", "b", "d"]
    assert number > 2


@pytest.mark.parametrize("is_made_again", [False, True], ids=["gone", "another's"])
def test_a_folder_that_was_removed_takes_nothing(make_log: MakeLog, folder: LogFolder, *, is_made_again: bool) -> None:
    log = make_log()
    append(log, "a")
    shutil.rmtree(folder.path)
    if is_made_again:
        other = hold_folder(folder.path.parent, folder.table)
        assert other.path == folder.path
        (other.segment_path(1)).write_bytes(b"another service's")
    with pytest.raises(FileNotFoundError):
        append(log, "b")
    with pytest.raises(FileNotFoundError, match="start the service again"):
        log.seal()
    if is_made_again:
        assert other.segment_path(1).read_bytes() == b"another service's"
        other.close()


def test_a_flush_that_fails_answers_nothing(make_log: MakeLog) -> None:
    failing = FailingDisk()
    log = make_log(disk=failing.disk)
    append(log, "a")
    failing.syncs_fail = True
    with pytest.raises(OSError, match="Input/output"):
        append(log, "b")
    failing.syncs_fail = False
    append(log, "c")
    assert left(log) == ["a", "c"]


def test_one_flush_is_for_all_that_wait(make_log: MakeLog) -> None:
    syncs = 0
    begun, go_on = threading.Event(), threading.Event()

    def sync(descriptor: int) -> None:
        nonlocal syncs
        syncs += 1
        begun.set()
        go_on.wait(SECONDS)
        os.fdatasync(descriptor)

    log = make_log(disk=Disk(sync=sync))
    first = log.append(b"{}", b"a\n", events=1)
    assert begun.wait(SECONDS)
    others = [log.append(b"{}", b"b\n", events=1) for _ in range(50)]
    go_on.set()
    assert [one.result(SECONDS) for one in (first, *others)] == list(range(1, 52))
    assert syncs == 2


def test_a_client_that_left_harms_nobody(make_log: MakeLog) -> None:
    log = make_log()
    log.append(b"{}", b"a\n", events=1).cancel()
    assert append(log, "b") == [2]


def test_two_never_share_a_folder(tmp_path: Path) -> None:
    base = tmp_path / "hec"
    first, second = hold_folder(base, TABLE), hold_folder(base, TABLE)
    assert [first.path.name, second.path.name] == ["log-0", "log-1"]
    assert first.instance != second.instance
    first.close()
    third = hold_folder(base, TABLE)
    assert (third.path.name, third.instance) == ("log-0", first.instance)
    second.close(), third.close()


def test_only_folders_that_nobody_holds_are_left(tmp_path: Path) -> None:
    base = tmp_path / "hec"
    folders = [hold_folder(base, TABLE) for _ in range(3)]
    for folder in folders:
        log = WriteAheadLog(folder, committed=0)
        append(log, "a")
        log.close()
    folders[1].close()
    found = list(left_folders(base, TABLE))
    assert [one.path.name for one in found] == ["log-1"]
    for one in (folders[0], folders[2], *found):
        one.close()


def test_a_log_of_another_hot_tier_is_refused_while_it_has_events(tmp_path: Path) -> None:
    folder = hold_folder(tmp_path / "hec", TABLE)
    log = WriteAheadLog(folder, committed=0)
    append(log, "a")
    log.close()
    folder.close()
    with pytest.raises(RekindleError, match=r"log-0 has events for another hot tier.*name another folder"):
        hold_folder(folder.path.parent, "other")
    for segment in folder.segments():
        segment.path.unlink()
    other = hold_folder(folder.path.parent, "other")
    assert other.instance != folder.instance
    other.close()


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RekindleError, match="--hec-dir: .*file.*can't be used: Not a directory"):
        hold_folder(tmp_path / "file", TABLE)
