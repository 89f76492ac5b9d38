"""Codecs, which turn compressed bytes into plain ones; README.md has their contract and how to add one."""

from __future__ import annotations

from transforms.codecs.brotli_codec import BROTLI
from transforms.codecs.bzip2_codec import BZIP2
from transforms.codecs.decoders.codec import Codec
from transforms.codecs.deflate_codec import DEFLATE
from transforms.codecs.gzip_codec import GZIP
from transforms.codecs.lz4_codec import LZ4
from transforms.codecs.lzma_codec import LZMA
from transforms.codecs.none_codec import NONE
from transforms.codecs.snappy_codec import SNAPPY
from transforms.codecs.xz_codec import XZ
from transforms.codecs.z_codec import Z
from transforms.codecs.zstd_codec import ZSTD

# In the order in which a stream's beginning is compared with them: magic bytes before trials, and LZ4 before ZSTD,
# which takes every stream that begins with a skippable frame.
_ALL = (NONE, GZIP, LZ4, ZSTD, XZ, SNAPPY, BZIP2, Z, LZMA, DEFLATE, BROTLI)
CODECS: dict[str, Codec] = {codec.name: codec for codec in _ALL}

__all__ = ["CODECS", "Codec"]
