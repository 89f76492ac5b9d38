"""Where a stream of JSON text is being read, and the records that were found in the text at hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from transforms.formats.json.framing.brackets import find_objects
from transforms.formats.json.framing.found_records import BlankLines, FoundRecords, FramedRecords
from transforms.formats.json.framing.record_scan import ScannedRecord, scan_line, scan_object
from transforms.formats.json.framing.value_ends import HISTORY, skip_value

_LEAST_WINDOW, _MOST_WINDOW = 16 << 10, 16 << 20
_MOST_MISSES = 63  # records that are looked at one by one because those before them had to be

_COMMA = re.compile(rb"(?:[ \t\r]*,)?")
State = Callable[[], bool]
"""Reads on, and returns whether it could."""


class Cursor:
    """The text at hand, the place in it, and what is known of records there."""

    def __init__(self, *, max_record: int) -> None:
        """Begin with a stream."""
        self.max_record = max_record
        self.text, self.place = b"", 0
        self.origin, self.final = True, False
        self.found, self.gaps = FoundRecords(), BlankLines()
        self.state: State = lambda: False
        self._window = _LEAST_WINDOW
        self._misses, self._pause = 0, 0
        self._depth, self._within = 0, False  # of a record that was cut
        self.cut = 0  # bytes of records that were too long which are not kept

    def feed(self, *chunks: bytes, final: bool) -> None:
        """Take more of the stream."""
        keep = max(0, self.place - HISTORY)
        self.origin &= not keep
        self.gaps.move(keep)
        self.text = b"".join((memoryview(self.text)[keep:], *chunks))
        self.place, self.final = self.place - keep, final

    def scan(self) -> FramedRecords:
        """Read as far as the text can be understood without what follows it."""
        self.found = FoundRecords()
        while self.state():
            pass
        self.before_frame()
        frame = self.found.frame(self.text, self.gaps)
        blank = frame.lines.blank + self.gaps.count_to(self.text, max(self.place, self.gaps.done))
        if self.final:
            blank += self.gaps.count_to(self.text, len(self.text)) + self.gaps.count_last()
        return replace(frame, lines=replace(frame.lines, blank=blank))

    def before_frame(self) -> None:
        """Give the records that were found what is known of them only now."""

    def find(self, *, in_list: bool) -> bool:
        """Take many objects at once, elements of a list or not; whether there were any."""
        if self._pause:
            self._pause -= 1
            return False
        while True:
            stop = min(len(self.text), self.place + self._window)
            starts, ends, clean = find_objects(self.text, self.place, stop, in_list=in_list, max_record=self.max_record)
            self._window = min(self._window * 4, _MOST_WINDOW) if clean else _LEAST_WINDOW
            self._misses = (
                min(2 * self._misses + 1, _MOST_MISSES) if not clean and len(starts) <= self._misses + 1 else 0
            )
            self._pause = self._misses
            if len(starts):
                self.found.add(starts, ends)
                self.place = int(ends[-1])
                if not in_list:
                    self.place = _COMMA.match(self.text, self.place).end()  # type: ignore[union-attr]
                return True
            if not clean or stop == len(self.text) or stop - self.place > self.max_record:
                return False

    def object(self, start: int, *, in_list: bool) -> ScannedRecord | None:
        """Look at one object."""
        return scan_object(
            self.text, start, final=self.final, in_list=in_list, origin=self.origin, max_record=self.max_record
        )

    def line(self, start: int) -> ScannedRecord | None:
        """Look at what is left of a line."""
        return scan_line(self.text, start, final=self.final, max_record=self.max_record)

    def take(self, record: ScannedRecord | None, error: str | None = None) -> bool:
        """Take a record, if more of the text is not needed for it."""
        if record is None:
            return False
        self.found.add_one(record.start, record.end, long=record.rest is not None, error=error)
        self.place = record.after
        if record.rest is not None:
            self.cut += record.after - record.end
            back, self._depth, self._within = self.state, record.depth, False
            self.state = (lambda: self._pass_value(back)) if record.rest == "value" else (lambda: self._pass_line(back))
        return True

    def _pass_value(self, back: State) -> bool:
        """Pass over the rest of a record that was cut."""
        start = self.place
        self.place, self._depth, self._within, done = skip_value(self.text, start, self._depth, within=self._within)
        self.cut += self.place - start
        return self._passed(back, done=done)

    def _pass_line(self, back: State) -> bool:
        feed, start = self.text.find(b"\n", self.place), self.place
        self.place = len(self.text) if feed < 0 else feed
        self.cut += self.place - start
        return self._passed(back, done=feed >= 0)

    def _passed(self, back: State, *, done: bool) -> bool:
        self.found.passed(self.place, self.gaps)
        if done:
            self.state = back
        return done or self.run_out()

    def run_out(self) -> bool:
        """Take note that the text ends within a record or a list."""
        return False
