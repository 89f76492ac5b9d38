"""Bodies of an upload as they stream in, cut wherever the network cuts them: a form of several parts, or one file.

The parser of forms is python-multipart's (RFC 7578), which keeps no part; what it finds goes on as steps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol, TypeAlias
from urllib.parse import unquote

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.errors import ApiError

_MOST_HEADER_BYTES = 16 << 10
_EXTENDED = re.compile(r"filename\*\s*=\s*\"?utf-8'[^']*'(?P<name>[^\";\s]+)", re.I)


@dataclass(frozen=True)
class PartHead:
    """A part begins: a file, or a field of the form, whose `file_name` is None."""

    field: str
    file_name: str | None


class PartEnd:
    """A part ends."""


PART_END: Final = PartEnd()
BodyStep: TypeAlias = PartHead | PartEnd | bytes


class BodyReader(Protocol):
    """Turns the chunks of a body into steps."""

    def feed(self, chunk: bytes) -> list[BodyStep]:
        """Return what a chunk brings."""

    def finish(self) -> list[BodyStep]:
        """Return what the end of the body brings."""


class FileReader:
    """The body is one file."""

    def __init__(self, file_name: str) -> None:
        """Take its name."""
        self._begun: list[BodyStep] = [PartHead("file", file_name)]

    def feed(self, chunk: bytes) -> list[BodyStep]:
        """Return the chunk, behind the head of the part where it is the first."""
        begun, self._begun = self._begun, []
        return [*begun, chunk]

    def finish(self) -> list[BodyStep]:
        """End the part."""
        begun, self._begun = self._begun, []
        return [*begun, PART_END]


class FormReader:
    """The body is a form of several parts."""

    def __init__(self, boundary: bytes) -> None:
        """Take what parts are divided by."""
        self._steps: list[BodyStep] = []
        self._headers: dict[str, str] = {}
        self._name = bytearray()
        self._value = bytearray()
        self._header_bytes = 0
        self._has_ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._add_to_name,
                "on_header_value": self._add_to_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": lambda data, start, end: self._steps.append(bytes(data[start:end])),
                "on_part_end": lambda: self._steps.append(PART_END),
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> list[BodyStep]:
        """Return what a chunk brings.

        Raises:
            ApiError: the body is no form of several parts.
        """
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise _malformed(str(error)) from error
        steps, self._steps = self._steps, []
        return steps

    def finish(self) -> list[BodyStep]:
        """Check that the form has come to its end.

        Raises:
            ApiError: it has not: the body was cut off.
        """
        if not self._has_ended:
            raise _malformed("the last boundary is missing: it was cut off")
        return []

    def _begin(self) -> None:
        self._headers, self._header_bytes = {}, 0

    def _add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._name += self._checked(data[start:end])

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._checked(data[start:end])

    def _checked(self, part: bytes) -> bytes:
        self._header_bytes += len(part)
        if self._header_bytes > _MOST_HEADER_BYTES:
            raise _malformed("the headers of a part are too long")
        return part

    def _end_header(self) -> None:
        self._headers[_decode(self._name).strip().lower()] = _decode(self._value).strip()
        self._name.clear()
        self._value.clear()

    def _end_headers(self) -> None:
        disposition = self._headers.get("content-disposition", "")
        kind, options = parse_options_header(disposition.encode().decode("latin-1"))
        if kind != b"form-data" or b"name" not in options:
            raise _malformed('a part has no header `Content-Disposition: form-data; name="…"`')
        named = options.get(b"filename")
        self._steps.append(PartHead(_decode(options[b"name"]), None if named is None else _decode(named)))

    def _end(self) -> None:
        self._has_ended = True


def boundary_of(content_type: str) -> bytes | None:
    """Return the boundary of a form of several parts, None of any other body.

    Raises:
        ApiError: it is such a form, and names none.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        return None
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 200:  # RFC 2046 allows 70
        raise _malformed("the Content-Type names no boundary; curl -F writes one by itself")
    return boundary


def name_in(disposition: str) -> str | None:
    """Return the file's name in a `Content-Disposition` (RFC 6266), None where it names none."""
    if match := _EXTENDED.search(disposition):
        return unquote(match["name"], errors="replace")
    _, options = parse_options_header(disposition)
    name = options.get(b"filename")
    return None if name is None else _decode(name)


def _decode(text: bytes | bytearray) -> str:
    try:
        return bytes(text).decode()
    except UnicodeDecodeError:
        raise _malformed(f"{bytes(text)[:80]!r} is not UTF-8") from None


def _malformed(reason: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, f"the body is no multipart/form-data: {reason}")
