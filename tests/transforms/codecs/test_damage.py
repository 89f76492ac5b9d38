"""Damage to streams (every prefix, changed bytes, garbage behind the end) shows, and what came before it is given."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transforms.codecs.streams import COMPRESSED, PLAIN, SMALL, VARIANTS, hadoop_block, run, skippable, zstd
from transforms.codecs import z_codec
from transforms.codecs.decoders import frames as members
from transforms.codecs.decoding import Decoder
from transforms.core.errors import CorruptStreamError, ObjectError

ROOT = Path(__file__).resolve().parents[3]
LARGEST_CHUNK = 8 << 20


def noise(size: int) -> bytes:
    """Text that hardly compresses."""
    chance = random.Random(3)
    return bytes(chance.choice(b"abcdefghijklmnopqrstuvwxyz \n") for _ in range(size))


@pytest.mark.parametrize("name", COMPRESSED)
def test_every_prefix(name: str) -> None:
    variant = COMPRESSED[name]
    stored = variant.compress(SMALL)
    silent = set()
    for size in range(len(stored)):
        decoded, decoder = run(stored[:size], variant.codec, cut=50)
        assert SMALL.startswith(decoded.data)
        if decoded.error is None:
            silent.add(size)
            assert decoder.unchecked or size in variant.whole_prefixes
        else:
            assert isinstance(decoded.error, CorruptStreamError)
            assert f" {variant.codec} stream" in str(decoded.error)
            assert "compressed byte" in str(decoded.error)
            assert (
                variant.codec == "snappy"
                or f"truncated {variant.codec} stream: it ends at compressed byte {size}" in str(decoded.error)
            )
    assert silent <= variant.whole_prefixes


@pytest.mark.parametrize("name", COMPRESSED)
def test_two_thousand_changed_bytes(name: str) -> None:
    variant = COMPRESSED[name]
    stored = variant.compress(SMALL)
    chance = random.Random(7)
    for _ in range(2000):
        damaged = bytearray(stored)
        damaged[chance.randrange(len(stored))] ^= chance.randrange(1, 256)
        decoded, decoder = run(bytes(damaged), variant.codec, floor=64 << 20)
        assert all(size <= LARGEST_CHUNK for size in decoded.sizes)
        if decoded.error is None:
            assert decoded.data == SMALL or decoder.unchecked
        else:
            assert variant.codec in str(decoded.error) or str(decoded.error).startswith("unsupported: ")


@pytest.mark.parametrize("name", [name for name in COMPRESSED if COMPRESSED[name].ends])
def test_garbage_behind_the_end(name: str) -> None:
    variant = COMPRESSED[name]
    stored = variant.compress(PLAIN)
    decoded, _ = run(stored + b"garbage!", variant.codec, cut=1000)
    assert decoded.data == PLAIN[: len(PLAIN) - variant.lost]
    assert isinstance(decoded.error, CorruptStreamError)


@pytest.mark.parametrize("name", COMPRESSED)
def test_not_the_codec_at_all(name: str) -> None:
    decoded, _ = run(b"plain text", COMPRESSED[name].codec)
    assert (decoded.data, type(decoded.error)) == (b"", CorruptStreamError)
    assert f"{COMPRESSED[name].codec} stream" in str(decoded.error)


@pytest.mark.parametrize("name", COMPRESSED)
def test_nothing_at_all_is_no_stream(name: str) -> None:
    decoded, _ = run(b"", COMPRESSED[name].codec)
    assert (decoded.data, str(decoded.error)) == (
        b"",
        f"truncated {COMPRESSED[name].codec} stream: it ends at compressed byte 0, before its end mark",
    )


# Where the libraries work byte by byte, everything before the damaged byte is given but for what its own state holds
# back; where they work block by block, the blocks before it.
@pytest.mark.parametrize(
    ("name", "plain", "kept"),
    [
        pytest.param("gzip", 4000, 0.45, id="gzip"),
        pytest.param("zlib", 4000, 0.45, id="zlib"),
        pytest.param("raw-deflate", 4000, 0.45, id="raw DEFLATE"),
        pytest.param("xz", 4000, 0.45, id="xz"),
        pytest.param("lzma", 4000, 0.45, id="lzma"),
        pytest.param("brotli", 4000, 0.4, id="brotli"),
        pytest.param("z", 4000, 0.3, id="z"),
        pytest.param("snappy-raw", 4000, 0.4, id="raw Snappy"),
        pytest.param("snappy-hadoop", 100_000, 0.4, id="Hadoop Snappy"),
        pytest.param("snappy", 1_000_000, 0.4, id="framed Snappy"),
        pytest.param("zstd", 1_000_000, 0.35, id="zstd"),
        pytest.param("lz4", 1_000_000, 0.4, id="lz4"),
        pytest.param("bzip2", 2_500_000, 0.3, id="bzip2"),
    ],
)
def test_what_came_before_the_damage_is_given(name: str, plain: int, kept: float) -> None:
    variant, data = COMPRESSED[name], noise(plain)
    stored = bytearray(variant.compress(data))
    half = len(stored) // 2
    stored[half : half + 200] = b"\xff" * 200
    decoded, _ = run(bytes(stored), variant.codec)
    same = next(
        (place for place, (one, other) in enumerate(zip(decoded.data, data, strict=False)) if one != other),
        len(decoded.data),
    )
    assert decoded.error is not None or not variant.checked
    assert same >= kept * plain


@pytest.mark.parametrize(
    ("name", "plain", "held_back"), [("bzip2", 2_500_000, 0), ("xz", 400_000, 200), ("lzma", 400_000, 300)]
)
def test_nothing_before_the_damage_is_given_twice(name: str, plain: int, held_back: int) -> None:
    """What had been given when the damage was met is passed over where the member is decoded again.

    Not for those whose damage shows only by a checksum at the end: they give what the damaged bytes decode to.
    """
    variant, data = COMPRESSED[name], noise(plain)
    stored = bytearray(variant.compress(data))
    place = len(stored) * 3 // 4
    stored[place : place + 200] = b"\xff" * 200
    decoded, _ = run(bytes(stored), variant.codec)
    assert isinstance(decoded.error, CorruptStreamError)
    assert plain * 0.7 < len(decoded.data) < plain * 0.76
    right = len(decoded.data) - held_back
    assert decoded.data[:right] == data[:right]


def test_the_error_names_the_byte() -> None:
    stored = bytearray(zlib.compress(noise(4000)))
    stored[-1] ^= 1
    decoded, _ = run(bytes(stored), "deflate")
    assert decoded.data == noise(4000)
    assert f"near compressed byte {len(stored) - 1}" in str(decoded.error)


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "lz4", "brotli"])
def test_damage_beyond_what_is_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the last piece is lost, and the error names where it began."""
    monkeypatch.setattr(members, "KEPT", 1000)
    data = noise(1_000_000)
    stored = bytearray(COMPRESSED[name].compress(data))
    stored[-300:-100] = b"\xff" * 200
    decoded, _ = run(bytes(stored), COMPRESSED[name].codec)
    assert decoded.error is not None
    assert len(decoded.data) > 700_000 or name == "bzip2"
    assert data[: len(decoded.data) - 200_000].startswith(decoded.data[:700_000])


def test_z_damage_beyond_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(z_codec, "_KEPT", 1000)
    data = noise(100_000)
    stored = bytearray(COMPRESSED["z"].compress(data))
    stored[30_000:30_200] = b"\xff" * 200
    decoded, _ = run(bytes(stored), "z")
    assert "corrupt z stream" in str(decoded.error)
    assert data.startswith(decoded.data[:30_000])
    assert len(decoded.data) > 30_000


@pytest.mark.parametrize("name", [*COMPRESSED, "none"])
def test_an_error_of_the_source_goes_up(name: str) -> None:
    stored = VARIANTS[name].compress(PLAIN)

    def chunks() -> Iterator[bytes]:
        yield stored[: len(stored) // 2]
        raise ObjectError("of the source")

    with pytest.raises(ObjectError, match="of the source"):
        list(Decoder(chunks(), VARIANTS[name].codec, max_expansion=200))


def test_raw_snappy_gives_what_came_before_an_error_of_the_source() -> None:
    """So that the sample of a long object shows something."""
    stored = COMPRESSED["snappy-raw"].compress(PLAIN)
    decoder = Decoder(_breaking(stored[: len(stored) // 2]), "snappy", max_expansion=200)
    given = b""
    with pytest.raises(ObjectError, match="of the source"):
        for chunk in decoder:
            given += chunk
    assert PLAIN.startswith(given)
    assert len(given) > 10_000


def _breaking(data: bytes) -> Iterator[bytes]:
    yield data
    raise ObjectError("of the source")


def test_an_abandoned_stream_ends() -> None:
    """The thread that LZW takes does not stay behind."""
    decoder = iter(Decoder(iter([COMPRESSED["z"].compress(noise(4 << 20))]), "z", max_expansion=200))
    assert next(decoder)
    decoder.close()  # type: ignore[attr-defined]  # a generator


_LEFT_OPEN = """
import sys, ncompress
from transforms.codecs.decoding import decode
sys.left_open = iter(decode(iter([ncompress.compress(bytes(range(256)) * 20_000)]), "z", max_expansion=200))
print(len(next(sys.left_open)) > 0)
"""


def test_the_interpreter_ends_while_a_stream_is_open() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _LEFT_OPEN], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "True\n"), ended.stderr


# one codec's own


@pytest.mark.parametrize(
    "tail",
    [b"garbage", bytes(10) + b"x", bytes(10) + gzip.compress(b"x")],
    ids=["garbage", "padding, garbage", "padding, member"],
)
def test_gzip_garbage_after_the_end(tail: bytes) -> None:
    stored = gzip.compress(PLAIN)
    decoded, _ = run(stored + tail, "gzip")
    assert decoded.data == PLAIN
    offset = len(stored) + (10 if tail[0] == 0 else 0)
    assert f"corrupt gzip stream near compressed byte {offset}" in str(decoded.error)


@pytest.mark.parametrize("tail", [skippable(b"x" * 100)[:-1], skippable(b"")[:6], b"\x28\xb5"])
@pytest.mark.parametrize("name", ["zstd", "lz4"])
def test_truncated_after_a_frame(name: str, tail: bytes) -> None:
    if name == "lz4" and tail.startswith(b"\x28"):
        tail = b"\x04\x22"
    decoded, _ = run(COMPRESSED[name].compress(PLAIN) + tail, name, cut=10)
    assert decoded.data == PLAIN
    assert f"truncated {name} stream" in str(decoded.error)


def test_zstd_garbage_after_the_end() -> None:
    stored = zstd(PLAIN)
    decoded, _ = run(stored + b"garbage", "zstd")
    assert decoded.data == PLAIN
    assert f"near compressed byte {len(stored)}: no zstd frame" in str(decoded.error)


@pytest.mark.parametrize("padding", [1, 2, 3, 5])
def test_xz_padding_of_a_wrong_length(padding: int) -> None:
    stored = COMPRESSED["xz"].compress(PLAIN)
    decoded, _ = run(stored + bytes(padding), "xz")
    assert decoded.data == PLAIN
    assert f"near compressed byte {len(stored)}: padding" in str(decoded.error)


_FRAMED = COMPRESSED["snappy"].compress(PLAIN)


@pytest.mark.parametrize(
    ("chunk", "error", "unchecked"),
    [
        pytest.param(b"\xfe\x03\x00\x00\x00\x00\x00", None, False, id="padding"),
        pytest.param(b"\xfe\x03\x00\x00\x00\x01\x00", None, True, id="padding that is data"),
        pytest.param(b"\x80\x03\x00\x00\x00\x00\x00", None, True, id="a kind to skip"),
        pytest.param(b"\x02\x03\x00\x00\x00\x00\x00", "unknown kind 2", False, id="a kind not to skip"),
        pytest.param(b"\xff\x06\x00\x00sNaPpX", "identifier", False, id="a wrong identifier"),
        pytest.param(b"\x00\x00\x00\xff", "a chunk of 16711680 bytes", False, id="too long"),
        pytest.param(b"\xfe\x03\x00\x00\x00", "truncated", False, id="padding cut off"),
    ],
)
def test_framed_snappy_chunks(chunk: bytes, error: str | None, unchecked: bool) -> None:
    decoded, decoder = run(_FRAMED + chunk, "snappy")
    assert decoded.data == PLAIN
    assert (error in str(decoded.error)) if error else decoded.error is None
    assert decoder.unchecked is unchecked


@pytest.mark.parametrize(
    ("stored", "error"),
    [
        pytest.param(
            hadoop_block(b"a" * 100)[:4] + b"\x7f\xff\xff\xff" + b"\x64" * 20,
            "a piece of 2147483647 bytes",
            id="length of a piece",
        ),
        pytest.param(
            b"\x00\x00\x00\x05" + hadoop_block(b"a" * 100)[4:], "in a block with 5 bytes", id="longer than its block"
        ),
        pytest.param(
            b"\x7f\xff\xff\xff\x08\x00\x00\x00\xff\xff\xff\x7f" + bytes(8),
            "unsupported: a piece of 268435455",
            id="a huge piece",
        ),
    ],
)
def test_hadoop_snappy_lengths(stored: bytes, error: str) -> None:
    assert error in str(run(stored, "snappy")[0].error)


def test_raw_snappy_that_declares_too_much() -> None:
    huge, larger = b"\xff\xff\xff\xff\x03", b"\xff\xff\xff\xff\x0f"
    assert "2 bytes" not in str(run(huge + bytes(100), "snappy")[0].error)
    assert "cannot hold the 1073741823" in str(run(huge + bytes(100), "snappy")[0].error)
    assert "unsupported: raw Snappy of 4294967295 bytes" in str(run(larger + bytes(100), "snappy")[0].error)
