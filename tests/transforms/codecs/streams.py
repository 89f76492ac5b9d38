"""Streams of every codec and variant, and a way to decode them that keeps what came before an error."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import brotli
import cramjam
import lz4.block
import lz4.frame
import ncompress
import zstandard

from transforms.codecs.decoding import Decoder, decode
from transforms.core.errors import ObjectError

PLAIN = b"".join(b"line %d of a text\n" % number for number in range(2000))
SMALL = PLAIN[:3000]


def zstd(data: bytes, *, checksum: bool = True, size: bool = True) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=checksum, write_content_size=size).compress(data)


def raw_deflate(data: bytes) -> bytes:
    body = zlib.compressobj(wbits=-15)
    return body.compress(data) + body.flush()


def skippable(data: bytes, low: int = 0x50) -> bytes:
    return struct.pack("<II", 0x184D2A00 + low, len(data)) + data


def lz4_legacy(data: bytes) -> bytes:
    """`lz4 -l`: magic bytes, and blocks of 8 MiB with their length."""
    blocks = (
        lz4.block.compress(data[start : start + (8 << 20)], store_size=False) for start in range(0, len(data), 8 << 20)
    )
    return b"\x02\x21\x4c\x18" + b"".join(struct.pack("<I", len(block)) + block for block in blocks)


def snappy_raw(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(data))


def hadoop_block(*pieces: bytes) -> bytes:
    """One block of `BlockCompressorStream`: its plain length, then each piece with its compressed length."""
    compressed = [snappy_raw(piece) for piece in pieces]
    return struct.pack(">I", sum(map(len, pieces))) + b"".join(
        struct.pack(">I", len(piece)) + piece for piece in compressed
    )


def snappy_hadoop(data: bytes) -> bytes:
    return b"".join(hadoop_block(data[start : start + 10_000]) for start in range(0, len(data), 10_000))


@dataclass(frozen=True)
class Variant:
    """A codec's stream of one kind: a row of the tables below, which all tests of codecs and the matrix go through."""

    codec: str
    extension: str
    compress: Callable[[bytes], bytes]
    checked: bool  # whether damage always shows
    magic: bool = True  # whether it is found without its extension
    joins: bool = True  # whether two streams in a row are one
    ends: bool = True  # whether there is an end that garbage behind it would show
    whole_prefixes: frozenset[int] = frozenset()  # lengths of beginnings that are whole streams of their own
    lost: int = 0  # plain bytes before damage that the library may not give
    files: tuple[str, ...] = ()  # in `data`: SMALL by the reference tool


VARIANTS = {
    "none": Variant("none", "", lambda data: data, checked=True, magic=False),
    "gzip": Variant("gzip", ".gz", gzip.compress, checked=True, files=("plain.gz",)),
    "zlib": Variant("deflate", ".zz", zlib.compress, checked=True, files=("plain.zz",)),
    "raw-deflate": Variant("deflate", ".deflate", raw_deflate, checked=False, magic=False, files=("raw.deflate",)),
    "bzip2": Variant("bzip2", ".bz2", bz2.compress, checked=True, files=("plain.bz2",)),
    "xz": Variant("xz", ".xz", lzma.compress, checked=True, files=("blocks.xz", "sha256.xz")),
    "xz-crc32": Variant("xz", ".xz", lambda data: lzma.compress(data, check=lzma.CHECK_CRC32), checked=True),
    "xz-none": Variant(
        "xz", ".xz", lambda data: lzma.compress(data, check=lzma.CHECK_NONE), checked=False, files=("no-check.xz",)
    ),
    "lzma": Variant(
        "lzma",
        ".lzma",
        lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
        checked=False,
        files=("plain.lzma",),
    ),
    "lz4": Variant(
        "lz4",
        ".lz4",
        lambda data: lz4.frame.compress(data, content_checksum=True, block_size=4),
        checked=True,
        files=("checksum.lz4",),
    ),
    "lz4-blocks": Variant(
        "lz4",
        ".lz4",
        lambda data: lz4.frame.compress(data, block_checksum=True, block_linked=False),
        checked=False,
        files=("block-checksums.lz4",),
    ),
    "lz4-none": Variant("lz4", ".lz4", lz4.frame.compress, checked=False, files=("no-checksum.lz4",)),
    "lz4-legacy": Variant(
        "lz4", ".lz4", lz4_legacy, checked=False, whole_prefixes=frozenset({4}), files=("legacy.lz4",)
    ),
    "snappy": Variant(
        "snappy",
        ".sz",
        lambda data: bytes(cramjam.snappy.compress(data)) or b"\xff\x06\x00\x00sNaPpY",
        checked=True,
        whole_prefixes=frozenset({10}),
        files=("go.sz",),
    ),
    "snappy-hadoop": Variant(
        "snappy",
        ".snappy",
        lambda data: snappy_hadoop(data) or bytes(4),
        checked=False,
        magic=False,
        whole_prefixes=frozenset({1}),
        files=("java.hadoop.snappy",),
    ),
    "snappy-raw": Variant(
        "snappy", ".snappy", snappy_raw, checked=False, magic=False, joins=False, lost=64, files=("go.raw.snappy",)
    ),
    "z": Variant(
        "z",
        ".Z",
        lambda data: ncompress.compress(data),
        checked=False,
        joins=False,
        ends=False,
        whole_prefixes=frozenset(range(3, 2000)),
        files=("12-bits.Z", "9-bits.Z"),
    ),
    "zstd": Variant("zstd", ".zst", zstd, checked=True, files=("plain.zst",)),
    "zstd-none": Variant(
        "zstd", ".zst", lambda data: zstd(data, checksum=False), checked=False, files=("no-checksum.zst",)
    ),
    "brotli": Variant("brotli", ".br", brotli.compress, checked=False, magic=False, files=("plain.br",)),
}
COMPRESSED = {name: variant for name, variant in VARIANTS.items() if name != "none"}


@dataclass
class Decoded:
    """What came out of a stream."""

    data: bytes
    error: ObjectError | None = None
    sizes: list[int] = field(default_factory=list)


def run(
    data: bytes, codec: str, *, cut: int = 1 << 16, max_expansion: float = 200.0, floor: int = 4 << 30, key: str = ""
) -> tuple[Decoded, Decoder]:
    pieces = iter([data[start : start + cut] for start in range(0, len(data), cut)])
    decoder = decode(pieces, codec, max_expansion=max_expansion, floor=floor, key=key)
    chunks: list[bytes] = []
    error: ObjectError | None = None
    try:
        for chunk in decoder:
            chunks.append(chunk)  # noqa: PERF402 - kept if it raises
    except ObjectError as raised:
        error = raised
    return Decoded(b"".join(chunks), error, [len(chunk) for chunk in chunks]), decoder
