"""The row groups that a search has not read yet, in the order of their times."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from transforms.hot_tier.data.small_files import grouped, is_small
from transforms.hot_tier.search.event_file import EventFile, RowGroup
from transforms.hot_tier.search.reading.empty_files import EmptyFileFinder
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.serving.stop import StopSignal

_Entry = tuple[int, int, EventFile, "RowGroup | None"]


class UnreadRowGroups:
    """The row groups not read yet, the first to read first; a file's footer is read when the file is next.

    Where files are small and some had no match, many of the next are looked into at once, and those without are left
    out.
    """

    def __init__(self, files: Sequence[EventFile], request: SearchRequest, stop: StopSignal) -> None:
        """Begin with all row groups of some files of one tier."""
        self._request = request
        self._stop = stop
        self._queue: list[_Entry] = []
        self._pushed = 0
        self._finder = EmptyFileFinder(files[0].tier, request) if files else None
        self._have_match: set[str] = set()
        for file in sorted(files, key=lambda file: file.path):
            self._push(file, None)

    def bound(self) -> int | None:
        """Return a time that nothing unread precedes in the request's order, or None where all is read."""
        if not self._queue:
            return None
        first = self._queue[0][0]
        return first if self._request.oldest_first else -first

    def take(self, count: int) -> list[tuple[EventFile, RowGroup]]:
        """Return the next row groups, at most so many.

        Raises:
            CanceledError: the search was canceled.
            TimeLimitError: its time is over.
        """
        taken: list[tuple[EventFile, RowGroup]] = []
        while self._queue and len(taken) < count:
            _, _, file, group = self._queue[0]
            if group is None and self._drop_empty_files(file):
                continue
            heapq.heappop(self._queue)
            if group is not None:
                taken.append((file, group))
            else:
                self._open(file)
        return taken

    def _open(self, file: EventFile) -> None:
        self._stop.check()
        if self._finder is not None:
            self._finder.count_opened()
        for found in file.row_groups(self._request):
            self._push(file, found)

    def _drop_empty_files(self, first: EventFile) -> bool:
        """Leave out those of the next files that have no match, where it is worth looking; return whether it was."""
        if self._finder is None or first.path in self._have_match or not is_small(first.live):
            return False
        most = self._finder.group_size
        entries: list[_Entry] = []
        while len(entries) < most and self._queue and self._queue[0][3] is None:
            entries.append(heapq.heappop(self._queue))
        group = next(grouped(file.live for _, _, file, _ in entries), [])
        if len(group) > 1:
            self._stop.check()
            matching = self._finder.matching(group)
            self._have_match.update(file.path for file, has_match in zip(group, matching, strict=True) if has_match)
        for number, entry in enumerate(entries):
            if number >= len(group) or len(group) < 2 or matching[number]:
                heapq.heappush(self._queue, entry)
        return len(group) > 1

    def _push(self, file: EventFile, group: RowGroup | None) -> None:
        bounds = group or file
        self._pushed += 1
        first = bounds.oldest if self._request.oldest_first else -bounds.newest
        heapq.heappush(self._queue, (first, self._pushed, file, group))
