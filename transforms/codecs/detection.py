"""Which codec an object has: by its first bytes, then by its key's extension (spec §4.1)."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from transforms.codecs import CODECS, Codec

MAX_LAYERS = 3
HEAD_BYTES = 1024
_TEXT_CONTROLS = frozenset(b"\t\n\v\f\r\x1b")


@dataclass(frozen=True, kw_only=True)
class CodecChoice:
    """A codec, the rule that chose it, and what is odd about it, if anything."""

    name: str
    rule: str
    warning: str | None = None


def detect_codec(key: str, head: bytes) -> CodecChoice:
    """Choose the codec of an object.

    Args:
        key: The object's whole key.
        head: Its first bytes, 1024 or all there are.

    Returns:
        The codec of the magic bytes; else that of the extension, unless the object begins like text; else none.
    """
    named, found = by_extension(key), by_magic(head)
    if found:
        return _by_magic_choice(found, named)
    if named is None:
        return CodecChoice(name="none", rule="no codec's magic bytes or extension")
    if looks_like_text(head):
        warning = f"its name says {named.name}, but it begins with plain text: read as it is"
        return CodecChoice(name="none", rule=f"plain text under a {named.name} name", warning=warning)
    return CodecChoice(name=named.name, rule=f"extension of {named.name}")


def _by_magic_choice(found: Codec, named: Codec | None) -> CodecChoice:
    odd = named is not None and named is not found
    warning = f"its name says {named.name}, its bytes are {found.name}: read by its bytes" if named and odd else None
    return CodecChoice(name=found.name, rule=f"magic bytes of {found.name}", warning=warning)


def by_magic(head: bytes) -> Codec | None:
    """Return the codec whose streams begin like this."""
    return next((codec for codec in CODECS.values() if head.startswith(codec.magic)), None)


def by_extension(key: str) -> Codec | None:
    """Return the codec whose extension the key has, whatever the case."""
    return next((codec for codec in CODECS.values() if key.lower().endswith(codec.extensions)), None)


def base_key(key: str, codec: str = "none") -> str:
    """Return the key without its codecs' extensions: `a.json.gz` is `a.json`, also where the bytes turned out to be plain.

    Args:
        key: The object's whole key.
        codec: The codec it was found to have; any codec's extension is taken off all the same, because none names a format.
    """
    del codec
    for _ in range(MAX_LAYERS):
        named = by_extension(key)
        if named is None:
            break
        key = key[: -next(len(ending) for ending in named.extensions if key.lower().endswith(ending))]
    return key


def looks_like_text(head: bytes) -> bool:
    """Whether bytes are the beginning of a text: UTF-16 with its mark, or UTF-8 without control characters; no bytes are not."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    try:
        codecs.utf_8_decode(head, "strict", False)
    except UnicodeDecodeError:
        return False
    return bool(head) and all(byte >= 0x20 or byte in _TEXT_CONTROLS for byte in head)
