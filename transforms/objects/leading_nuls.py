"""NULs at the beginning of a text file: its writer went on at its old place after the live file was truncated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from transforms.core.peeking import peek

_SAMPLE = 1024  # bytes behind the NULs that must be text
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]|\xfe\xff")


def has_leading_nuls(head: bytes) -> bool:
    """Whether what begins like this is text behind NULs, or nothing but NULs so far."""
    text = head.lstrip(b"\0")[:_SAMPLE]
    return head.startswith(b"\0") and not _NO_TEXT.search(text)


def without_leading_nuls(chunks: Iterator[bytes], head_bytes: int) -> tuple[Iterator[bytes], int]:
    """Pass over the NULs that a text file begins with, in memory that does not grow with them.

    Args:
        chunks: Decoded bytes.
        head_bytes: How many show whether it is text.

    Returns:
        The stream from the first byte on that is none, and how many were passed over.
    """
    head, stream = peek(chunks, head_bytes)
    if not has_leading_nuls(head):
        return stream, 0
    passed = 0
    for chunk in stream:
        rest = chunk.lstrip(b"\0")
        passed += len(chunk) - len(rest)
        if rest:
            return chain([rest], stream), passed
    return iter(()), passed
