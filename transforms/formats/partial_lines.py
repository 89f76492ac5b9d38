"""Lines that a container's runtime has cut, joined: CRI's in text, those of Docker's json-file in JSON (`joinPartial`).

A runtime cuts what a container writes every 16 KiB, and cuts stdout and stderr each by itself. CRI marks every line of
its log with `P` (more follows) or `F` (whole, or the last part):
https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md. In Docker's json-file the
`log` of a part has no newline at its end: https://docs.docker.com/engine/logging/drivers/json-file/. Bytes are joined
before they are decoded, because a cut may stand within a character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from transforms.formats.chunks import BreakableStream, ChunkBuffer
from transforms.formats.lines import DroppedBytes

_CRI_TIME = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9:]+)")
_CRI_TAG = rb"(?::[^ \r\n]*)?(?: |(?=\r?$))"
_DOCKER_LINE = b'{"log":"'
_JSON_TEXT = re.compile(rb'[^"\\\n]*(?:\\.[^"\\\n]*)*')


@dataclass(frozen=True, kw_only=True)
class PartLine:
    """A line that is a part, and where in its block.

    Attributes:
        stream: `stdout` or `stderr`.
        last: Whether no more follows.
        start, end: The line, without its line feed.
        text, text_end: What the container wrote.
    """

    stream: bytes
    last: bool
    start: int
    end: int
    text: int
    text_end: int


class PartFormat(Protocol):
    """How a log marks parts."""

    def may_have_parts(self, block: bytes) -> bool:
        """Whether it is worth looking for parts that more follows; many times as fast as looking."""

    def next_part(self, block: bytes, place: int, streams: frozenset[bytes]) -> PartLine | None:
        """Return the next line from a place on that more follows, or that is of streams of which a part is open."""

    def close(self, line: bytes) -> bytes:
        """Mark what stands before the text of a first part as that of a whole line."""


class CriLog:
    """Lines of CRI's log format: `2016-10-06T00:17:09.669794202Z stdout P a cut line`."""

    def __init__(self) -> None:
        """Compile a pattern for each set of streams of which a part is open."""
        self._patterns: dict[frozenset[bytes], re.Pattern[bytes]] = {}
        for streams in _STREAM_SETS:
            either = rb"|".join(stream[3:] for stream in sorted(streams)) or rb"(?!)"
            # It begins with a literal, which is searched for many times as fast as a line's beginning.
            kinds = rb" std(?:(?:" + either + rb") [PF]|(?:out|err) P)"
            self._patterns[streams] = re.compile(kinds + _CRI_TAG, re.MULTILINE)

    def may_have_parts(self, block: bytes) -> bool:
        """Whether a stream's name stands before a P."""
        return b" stdout P" in block or b" stderr P" in block

    def next_part(self, block: bytes, place: int, streams: frozenset[bytes]) -> PartLine | None:
        """Search for a stream's name and a tag that matter, and look whether only a time stands before them."""
        while found := self._patterns[streams].search(block, place):
            place, name = found.end(), found.start() + 1
            start = block.rfind(b"\n", 0, name) + 1
            if _CRI_TIME.fullmatch(block, start, name - 1):
                end = _line_end(block, place)
                stream, tag = block[name : name + 6], block[name + 7 : name + 8]
                return PartLine(stream=stream, last=tag == b"F", start=start, end=end, text=place, text_end=end)
        return None

    def close(self, line: bytes) -> bytes:
        """Put an F in place of the P."""
        return re.sub(rb"( std(?:out|err) )P", rb"\1F", line, count=1)


class DockerLog:
    r"""Lines of Docker's json-file: `{"log":"a cut line","stream":"stdout","time":"…"}`, the whole ones with `\n`."""

    def __init__(self) -> None:
        """Compile a pattern for each set of streams of which a part is open."""
        self._patterns: dict[frozenset[bytes], re.Pattern[bytes]] = {}
        for streams in _STREAM_SETS:
            either = rb"|".join(sorted(streams)) or rb"(?!)"
            cut = rb'(?:(?<!\\n","stream":")|(?<=\\\\n","stream":"))(?:stdout|stderr)'
            self._patterns[streams] = re.compile(rb'","stream":"(?P<stream>' + either + rb"|" + cut + rb')"')

    def may_have_parts(self, block: bytes) -> bool:
        """Whether there are lines whose text does not end with a newline, or with an n behind two backslashes."""
        all_, whole = block.count(b'","stream":"std'), block.count(b'\\n","stream":"std')
        return all_ > whole or b'\\\\n","stream":"std' in block

    def next_part(self, block: bytes, place: int, streams: frozenset[bytes]) -> PartLine | None:
        """Search for the end of a text that matters, and look whether its line is one of Docker's."""
        while found := self._patterns[streams].search(block, place):
            start, place = block.rfind(b"\n", 0, found.start()) + 1, found.end()
            stream = found["stream"]
            text = start + len(_DOCKER_LINE)
            if not block.startswith(_DOCKER_LINE, start) or _text_end(block, text) != found.start():
                place = _line_end(block, place)  # another object with such fields, and others between them
                continue
            last = _ends_with_newline(block[text : found.start()])
            if stream in streams or not last:
                end = _line_end(block, place)
                return PartLine(stream=stream, last=last, start=start, end=end, text=text, text_end=found.start())
        return None

    def close(self, line: bytes) -> bytes:
        """Return it as it is: a newline at the end of the text says it."""
        return line


def _text_end(block: bytes, text: int) -> int:
    """Return where a string of JSON ends that begins at some place: at its closing quote."""
    match = _JSON_TEXT.match(block, text)
    return match.end() if match else text


def _ends_with_newline(text: bytes) -> bool:
    """Whether a string of JSON ends with a newline: an n behind an odd number of backslashes."""
    before = text[:-1]
    return text.endswith(b"n") and (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


_STREAMS = (b"stdout", b"stderr")
_STREAM_SETS = [frozenset(set_) for set_ in ((), _STREAMS[:1], _STREAMS[1:], _STREAMS)]
PART_FORMATS: dict[str, PartFormat] = {"text": CriLog(), "json": DockerLog()}
"""By the name of the format whose lines they are."""


def has_parts(head: bytes, format_name: str) -> bool:
    """Whether the beginning of an object, as UTF-8, has lines that were cut."""
    parts = PART_FORMATS.get(format_name)
    return parts is not None and parts.may_have_parts(head) and parts.next_part(head, 0, frozenset()) is not None


def join_parts(
    chunks: Iterable[bytes], format_name: str, *, max_record: int, dropped: DroppedBytes | None = None
) -> Iterator[bytes]:
    """Join the parts of each line that was cut; what else there is stays as it is.

    The whole line stands where its last part stood, with the time of the first. Where the first line ends with CRLF, a
    CR at the end of a part is its line's end, else it is what the container wrote. Parts of which the last is missing
    at the end are joined there, marked as what they are. Lines longer than `max_record` are no parts, and no more of a
    joined one is kept than shows that it is too long.

    Args:
        chunks: A stream of UTF-8 lines, cut anywhere. If it breaks, open parts are left out.
        format_name: A name of `PART_FORMATS`.
        max_record: The longest record, in bytes.
        dropped: Where the bytes of joined lines are counted that are not given.
    """
    joiner = _Joiner(PART_FORMATS[format_name], max_record, dropped or DroppedBytes())
    stream, tail = BreakableStream(chunks), ChunkBuffer()
    passing = False  # the rest of a line that is too long
    before = b""
    for chunk in stream:
        start = 0
        if joiner.crlf is None:
            joiner.crlf = _ends_with_crlf(before, chunk)
            before = chunk[-1:] or before
        if passing:
            end = chunk.find(b"\n") + 1
            passing, start = not end, end or len(chunk)
            yield chunk[:start]
        cut = max(chunk.rfind(b"\n") + 1, start)
        if cut > start:
            tail.add(memoryview(chunk)[start:cut])
            yield joiner.join(tail.join())
        tail.add(memoryview(chunk)[cut:])
        if tail.size > max_record:
            passing = True
            yield tail.join()
    if stream.error is not None:
        yield tail.join()
        raise stream.error
    last = joiner.join(tail.join())
    yield last
    yield joiner.open_parts(after_line=not passing and last[-1:] in (b"", b"\n"))


@dataclass
class _OpenLine:
    """The parts of a line so far.

    Attributes:
        before, after: What stands before and behind the text of the first part.
        text: The texts, joined: there may be millions.
        dropped: Bytes of those that are not kept, because the line is too long.
    """

    before: bytes
    after: bytes
    text: bytearray = field(default_factory=bytearray)
    dropped: int = 0

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        return len(self.before) + len(self.text) + len(self.after)


class _Joiner:
    def __init__(self, parts: PartFormat, max_record: int, dropped: DroppedBytes) -> None:
        self._parts = parts
        self._max_record = max_record
        self._dropped = dropped
        self._open: dict[bytes, _OpenLine] = {}
        self.crlf: bool | None = None

    def join(self, block: bytes) -> bytes:
        """Return a block of whole lines, the cut ones joined or kept for the next block."""
        if not self._open and not self._parts.may_have_parts(block):
            return block
        kept: list[bytes] = []
        place = done = 0
        while part := self._parts.next_part(block, place, frozenset(self._open)):
            place = part.end
            if part.end - part.start > self._max_record:
                continue
            kept.append(block[done : part.start])
            done = min(part.end + 1, len(block))
            self._add(block, part)
            if part.last:
                kept += (self._take(part.stream, whole=True), block[part.end : done])
        return b"".join([*kept, block[done:]])

    def open_parts(self, *, after_line: bool) -> bytes:
        """Return the lines whose last parts are missing; `after_line` where a line's end stands before them."""
        lines = [self._take(stream, whole=False) + b"\n" for stream in [*self._open]]
        return b"".join([b"" if after_line or not lines else b"\n", *lines])

    def _add(self, block: bytes, part: PartLine) -> None:
        line, end = self._open.get(part.stream), part.text_end
        if self.crlf and end == part.end and block.endswith(b"\r", part.text, end):
            end -= 1
        if line is None:
            line = _OpenLine(block[part.start : part.text], block[end : part.end])
            self._open[part.stream] = line
        if line.size <= self._max_record:
            line.text += block[part.text : end]
        else:
            line.dropped += end - part.text

    def _take(self, stream: bytes, *, whole: bool) -> bytes:
        line = self._open.pop(stream)
        before = self._parts.close(line.before) if whole else line.before
        self._dropped.count += line.dropped
        return b"".join([before, line.text, line.after])


def _ends_with_crlf(before: bytes, chunk: bytes) -> bool | None:
    """Whether the first line ends with CRLF, None where it does not end in the chunk; `before` is the byte before."""
    end = chunk.find(b"\n")
    return None if end < 0 else (before + chunk[:end]).endswith(b"\r")


def _line_end(block: bytes, place: int) -> int:
    end = block.find(b"\n", place)
    return len(block) if end < 0 else end
