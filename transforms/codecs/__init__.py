"""Codecs: from compressed to plain bytes. One file each, one table of them; frames and records are the business of `formats`.

This package does not import Beam. A new codec is a new file, a row of `CODECS` and a row of the tests' table.
"""

from __future__ import annotations

from transforms.codecs.codec import Codec
from transforms.codecs.gzip_codec import GZIP
from transforms.codecs.none_codec import NONE
from transforms.codecs.zstd_codec import ZSTD

CODECS: dict[str, Codec] = {codec.name: codec for codec in (NONE, GZIP, ZSTD)}

__all__ = ["CODECS", "Codec"]
