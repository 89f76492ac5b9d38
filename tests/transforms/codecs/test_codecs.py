"""Codecs: round trips, streams in a row, files of the reference tools, and how far output may grow."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.codecs.streams import (
    COMPRESSED,
    PLAIN,
    SMALL,
    VARIANTS,
    Decoded,
    Variant,
    hadoop_block,
    run,
    skippable,
    zstd,
)
from transforms.codecs import CODECS
from transforms.codecs.detection import detect_codec
from transforms.core.errors import BombError, UnsupportedError

DATA = Path(__file__).parent / "data"


def test_every_codec_has_a_row() -> None:
    assert {variant.codec for variant in VARIANTS.values()} == set(CODECS)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
@pytest.mark.parametrize("data", [b"", b"x", PLAIN], ids=["nothing", "a byte", "a text"])
def test_round_trip(name: str, cut: int, data: bytes) -> None:
    variant = VARIANTS[name]
    stored = variant.compress(data)
    decoded, decoder = run(stored, variant.codec, cut=cut)
    assert (decoded.data, decoded.error) == (data, None)
    assert (decoder.bytes_in, decoder.bytes_out, decoder.codecs) == (len(stored), len(data), (variant.codec,))
    assert decoder.unchecked is not variant.checked


@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=4),
    cut=st.integers(1, 400),
    name=st.sampled_from([name for name in COMPRESSED if COMPRESSED[name].joins]),
)
def test_streams_in_a_row_are_one(parts: list[bytes], cut: int, name: str) -> None:
    stored, plain = b"".join(map(COMPRESSED[name].compress, parts)), b"".join(parts)
    if detect_codec("", plain).name == "none":
        decoded, _ = run(stored, COMPRESSED[name].codec, cut=cut)
        assert (decoded.data, decoded.error) == (plain, None)


@pytest.mark.parametrize("name", VARIANTS)
def test_chunks_are_small(name: str) -> None:
    data = bytes(20 << 20)
    decoded, _ = run(VARIANTS[name].compress(data), VARIANTS[name].codec, cut=1 << 30, floor=1 << 40)
    assert len(decoded.data) == len(data)
    assert max(decoded.sizes) <= 8 << 20


@pytest.mark.parametrize("name", COMPRESSED)
def test_bomb_is_stopped(name: str) -> None:
    variant = COMPRESSED[name]
    stored = variant.compress(bytes(24 << 20))
    decoded, decoder = run(stored, variant.codec, floor=8 << 20, max_expansion=10, cut=1 << 30)
    assert isinstance(decoded.error, BombError)
    assert f"{variant.codec} stream grew" in str(decoded.error)
    assert "--max-expansion" in str(decoded.error)
    assert decoder.bytes_out <= 16 << 20
    assert run(stored, variant.codec, floor=8 << 20, max_expansion=1e6)[0].error is None


@pytest.mark.parametrize(
    ("file", "variant"), [(file, variant) for variant in VARIANTS.values() for file in variant.files]
)
@pytest.mark.parametrize("cut", [1, 1 << 20])
def test_files_of_the_reference_tools(file: str, variant: Variant, cut: int) -> None:
    stored = (DATA / file).read_bytes()
    choice = detect_codec(file, stored)
    decoded, decoder = run(stored, choice.name, cut=cut)
    assert (choice.name, choice.warning, decoded.data, decoded.error) == (variant.codec, None, SMALL, None)
    assert decoder.unchecked is not variant.checked


@pytest.mark.parametrize(
    ("file", "error"),
    [
        ("dictionary-256M.xz", "unsupported: an LZMA dictionary that takes more than 160 MiB of memory"),
        ("dictionary-256M.lzma", "unsupported: an LZMA dictionary that takes more than 160 MiB of memory"),
        ("window-256M.zst", "needs a window of 268435456 bytes, more than the 134217728 of --long=27"),
        ("large-window.br", "unsupported: Brotli with a large window"),
    ],
)
def test_what_takes_too_much_memory(file: str, error: str) -> None:
    stored = (DATA / file).read_bytes()
    decoded, _ = run(stored, detect_codec(file, stored).name)
    assert (decoded.data, type(decoded.error)) == (b"", UnsupportedError)
    assert error in str(decoded.error)


def test_zstd_with_a_dictionary() -> None:
    frame = b"\x28\xb5\x2f\xfd\x21\x07\x01" + struct.pack("<I", 1 << 3 | 1)[:3] + b"x"
    error = run(frame, "zstd")[0].error
    assert isinstance(error, UnsupportedError)
    assert "needs the dictionary 7" in str(error)


# gzip


def _gzip_with_header_fields() -> bytes:
    """A member with extra field, name, comment and header checksum (RFC 1952)."""
    header = b"\x1f\x8b\x08\x1e" + bytes(4) + b"\x00\x03" + b"\x03\x00abc" + b"name\0" + b"comment\0"
    header += struct.pack("<H", zlib.crc32(header) & 0xFFFF)
    body = zlib.compressobj(wbits=-15)
    deflated = body.compress(PLAIN) + body.flush()
    return header + deflated + struct.pack("<II", zlib.crc32(PLAIN), len(PLAIN))


@pytest.mark.parametrize("cut", [1, 2, 5, 10, 11, 15, 30, 1000])
def test_gzip_header_fields(cut: int) -> None:
    decoded, _ = run(_gzip_with_header_fields() * 2, "gzip", cut=cut)
    assert (decoded.data, decoded.error) == (PLAIN * 2, None)


@pytest.mark.parametrize("cut", [1, 100, 1 << 20])
def test_gzip_zero_padding(cut: int) -> None:
    decoded, decoder = run(gzip.compress(PLAIN) + bytes(1000), "gzip", cut=cut)
    assert (decoded.data, decoded.error) == (PLAIN, None)
    assert decoder.bytes_in == len(gzip.compress(PLAIN)) + 1000


# zstd, lz4


@pytest.mark.parametrize("cut", [1, 9, 1 << 20])
@pytest.mark.parametrize("name", ["zstd", "lz4"])
def test_skippable_frames(name: str, cut: int) -> None:
    compress = COMPRESSED[name].compress
    stored = skippable(b"") + compress(PLAIN) + skippable(b"x" * 1000, 0x5F) + compress(b"more") + skippable(b"end")
    decoded, _ = run(stored, name, cut=cut)
    assert (decoded.data, decoded.error) == (PLAIN + b"more", None)
    assert run(skippable(b"nothing but this"), name)[0] == Decoded(b"")


def test_checksums_of_some_frames_are_not_enough() -> None:
    for stored, unchecked in (
        (zstd(b"x"), False),
        (zstd(b"x", checksum=False), True),
        (zstd(b"x") + zstd(b"y", checksum=False), True),
    ):
        decoded, decoder = run(stored, "zstd")
        assert decoded.error is None
        assert decoder.unchecked is unchecked


def test_zstd_bomb_behind_ordinary_data_stays_bounded() -> None:
    """Blocks that repeat one byte 131,072 times take four bytes each; a megabyte of them must not unpack at once."""
    block = struct.pack("<I", (128 << 10) << 3 | 1 << 1)[:3] + b"x"
    frame = b"\x28\xb5\x2f\xfd\x00\x58" + block * 4000 + struct.pack("<I", 1)[:3]
    decoded, _ = run(frame, "zstd", cut=1 << 30, floor=64 << 20)
    assert isinstance(decoded.error, BombError)
    assert max(decoded.sizes) <= 8 << 20


def test_lz4_legacy_frame_before_another() -> None:
    stored = (
        COMPRESSED["lz4-legacy"].compress(PLAIN)
        + COMPRESSED["lz4"].compress(b"more")
        + COMPRESSED["lz4-legacy"].compress(b"end")
    )
    decoded, _ = run(stored, "lz4", cut=3)
    assert (decoded.data, decoded.error) == (PLAIN + b"moreend", None)


# xz, Snappy


@pytest.mark.parametrize("cut", [1, 1 << 20])
def test_xz_padding(cut: int) -> None:
    one = COMPRESSED["xz"].compress(PLAIN)
    decoded, decoder = run(one + bytes(8) + one + bytes(400), "xz", cut=cut)
    assert (decoded.data, decoded.error) == (PLAIN * 2, None)
    assert decoder.bytes_in == 2 * len(one) + 408


@pytest.mark.parametrize("cut", [1, 1 << 20])
def test_hadoop_blocks_of_several_pieces(cut: int) -> None:
    stored = hadoop_block(b"a" * 1000, b"b" * 10, b"c") + bytes(4) + hadoop_block(PLAIN)
    decoded, _ = run(stored, "snappy", cut=cut)
    assert (decoded.data, decoded.error) == (b"a" * 1000 + b"b" * 10 + b"c" + PLAIN, None)


_JAVA_SNAPPY = b"\x82SNAPPY\0" + struct.pack(">III", 1, 1, 5) + bytes(cramjam.snappy.compress_raw(b"abc"))
_JAVA_LZ4 = b"LZ4Block" + struct.pack("<BIII", 0x16, 3, 3, 0) + b"abc"


@pytest.mark.parametrize(
    ("data", "key", "named"),
    [
        (_JAVA_SNAPPY, "a.snappy", "snappy-java (xerial)"),
        (_JAVA_SNAPPY, "a", "snappy-java (xerial)"),
        (_JAVA_LZ4, "a.lz4", "lz4-java (LZ4Block)"),
        (_JAVA_LZ4, "a", "lz4-java (LZ4Block)"),
    ],
)
def test_streams_of_java_are_named(data: bytes, key: str, named: str) -> None:
    decoded, _ = run(data, detect_codec(key, data).name)
    assert isinstance(decoded.error, UnsupportedError)
    assert named in str(decoded.error)


def test_a_text_about_them_is_text() -> None:
    assert detect_codec("a", b"LZ4Block is a class of lz4-java\n").name == "none"
