"""Which codec an object has: by its first bytes, then by its key's extension (docs/formats.md)."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.codecs import CODECS, Codec
from transforms.codecs.decoders.codec import looks_like_text

MAX_LAYERS = 3
HEAD_BYTES = 4096  # of a stream, to look at: a trial decode of its first block takes some


@dataclass(frozen=True, kw_only=True)
class CodecChoice:
    """A codec, the rule that chose it, and a warning where name and bytes differ."""

    name: str
    rule: str
    warning: str | None = None


def detect_codec(key: str, head: bytes) -> CodecChoice:
    """Choose the codec of an object.

    Args:
        key: The object's whole key.
        head: Its first bytes, HEAD_BYTES or all there are.

    Returns:
        The codec that the bytes show; else that of the extension, unless the object begins like text; else none.
    """
    named = by_extension(key)
    for codec in CODECS.values():
        rule = codec.rule(head, named=codec is named)
        if rule is not None:
            return CodecChoice(name=codec.name, rule=rule, warning=_contradiction(named, codec))
    if named is None:
        return CodecChoice(name="none", rule="no codec's magic bytes or extension")
    ending = _ending(key, named)
    if looks_like_text(head):
        warning = f"its name says {named.name}, but it begins with plain text: read as it is"
        return CodecChoice(name="none", rule=f"plain text under a name that ends in {ending}", warning=warning)
    variant = f" ({named.variant(head)})" if named.variant and head else ""
    return CodecChoice(name=named.name, rule=f"extension {ending}{variant}")


def _contradiction(named: Codec | None, found: Codec) -> str | None:
    """Return a warning where name and bytes differ."""
    if named is None or named is found:
        return None
    return f"its name says {named.name}, its bytes are {found.name}: read by its bytes"


def by_extension(key: str) -> Codec | None:
    """Return the codec whose extension the key has, whatever the case."""
    return next((codec for codec in CODECS.values() if key.lower().endswith(codec.extensions)), None)


def without_extension(key: str, codec: Codec) -> str:
    """Return a key without the extension of a codec that it has."""
    return key[: -len(_ending(key, codec))]


def _ending(key: str, codec: Codec) -> str:
    return next(ending for ending in codec.extensions if key.lower().endswith(ending))


def base_key(key: str, codec: str = "none") -> str:
    """Return the key without its codecs' extensions: `a.json` for `a.json.gz`, also if the bytes were plain.

    Args:
        key: The object's whole key.
        codec: The codec it was found to have; any codec's extension is taken off all the same, because none names a
            format.
    """
    del codec
    for _ in range(MAX_LAYERS):
        named = by_extension(key)
        if named is None:
            break
        key = without_extension(key, named)
    return key


def nested_codec(key: str, outer: str, head: bytes) -> tuple[str, str]:
    """Choose the codec inside a codec.

    Args:
        key: The key at the outer codec, with its extension.
        outer: The outer codec's name.
        head: The first bytes that it gave.

    Returns:
        The nested codec's name, and the key for it. A codec without magic bytes is accepted only where the key named
        the outer codec rightly and has a further extension: `a.br.gz`, but not `a.br` that holds gzip.
    """
    named = by_extension(key)
    if named is not None and named.name == outer:
        key = without_extension(key, named)
        return detect_codec(key, head).name, key
    return detect_codec("", head).name, key
