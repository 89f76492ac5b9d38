"""Codecs: round trips, several members, damage of every kind, bombs, and which codec a file is found to have."""

from __future__ import annotations

import gzip
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.codecs import CODECS
from transforms.codecs.decoding import Decoder, decode
from transforms.codecs.detection import base_key, detect_codec
from transforms.errors import BombError, CorruptStreamError

PLAIN = b"".join(b"line %d of a text\n" % number for number in range(2000))


def _zstd(data: bytes, *, checksum: bool = True, size: bool = True) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=checksum, write_content_size=size).compress(data)


def _skippable(data: bytes, low: int = 0x50) -> bytes:
    return struct.pack("<II", 0x184D2A00 + low, len(data)) + data


_COMPRESS = {"none": lambda data: data, "gzip": gzip.compress, "zstd": _zstd}


@dataclass
class Decoded:
    data: bytes
    error: Exception | None = None
    sizes: list[int] = field(default_factory=list)


def _run(data: bytes, codec: str, *, cut: int = 1 << 16, max_expansion: float = 200.0, floor: int = 4 << 30) -> tuple[Decoded, Decoder]:
    decoder = decode(
        iter([data[start : start + cut] for start in range(0, len(data), cut)]), codec, max_expansion=max_expansion, floor=floor
    )
    chunks: list[bytes] = []
    error: Exception | None = None
    try:
        for chunk in decoder:
            chunks.append(chunk)  # noqa: PERF402 - kept if it raises
    except (CorruptStreamError, BombError) as raised:
        error = raised
    return Decoded(b"".join(chunks), error, [len(chunk) for chunk in chunks]), decoder


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
@pytest.mark.parametrize("data", [b"", b"x", PLAIN], ids=["nothing", "a byte", "a text"])
def test_round_trip(codec: str, cut: int, data: bytes) -> None:
    stored = _COMPRESS[codec](data)
    decoded, decoder = _run(stored, codec, cut=cut)
    assert (decoded.data, decoded.error) == (data, None)
    assert (decoder.bytes_in, decoder.bytes_out, decoder.codecs, decoder.unchecked) == (len(stored), len(data), (codec,), False)


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=4), cut=st.integers(1, 400), codec=st.sampled_from(["gzip", "zstd"]))
def test_members_in_a_row_are_one_stream(parts: list[bytes], cut: int, codec: str) -> None:
    stored = b"".join(_COMPRESS[codec](part) for part in parts)
    inner = b"".join(parts)
    if inner[:2] != b"\x1f\x8b" and not inner.startswith(CODECS["zstd"].magic):
        decoded, _ = _run(stored, codec, cut=cut)
        assert (decoded.data, decoded.error) == (inner, None)


def test_chunks_are_small() -> None:
    data = bytes(40 << 20)
    for codec in CODECS:
        decoded, _ = _run(_COMPRESS[codec](data), codec, cut=1 << 30, floor=1 << 40)
        assert len(decoded.data) == len(data)
        assert max(decoded.sizes) <= 8 << 20


@pytest.mark.parametrize("tool", ["gzip", "zstd", "pigz"])
def test_files_of_the_reference_tools(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    stored = subprocess.run([tool, "-c"], input=PLAIN, capture_output=True, check=True).stdout
    choice = detect_codec("x", stored[:1024])
    decoded, _ = _run(stored, choice.name)
    assert (decoded.data, decoded.error) == (PLAIN, None)


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
    decoded, _ = _run(_gzip_with_header_fields() * 2, "gzip", cut=cut)
    assert (decoded.data, decoded.error) == (PLAIN * 2, None)


@pytest.mark.parametrize("cut", [1, 100, 1 << 20])
def test_gzip_zero_padding(cut: int) -> None:
    decoded, decoder = _run(gzip.compress(PLAIN) + bytes(1000), "gzip", cut=cut)
    assert (decoded.data, decoded.error) == (PLAIN, None)
    assert decoder.bytes_in == len(gzip.compress(PLAIN)) + 1000


@pytest.mark.parametrize(
    "tail", [b"garbage", bytes(10) + b"x", bytes(10) + gzip.compress(b"x")], ids=["garbage", "padding, garbage", "padding, member"]
)
def test_gzip_garbage_after_the_end(tail: bytes) -> None:
    stored = gzip.compress(PLAIN)
    decoded, _ = _run(stored + tail, "gzip")
    assert decoded.data == PLAIN
    offset = len(stored) + (10 if tail[0] == 0 else 0)
    assert f"corrupt gzip stream near compressed byte {offset}" in str(decoded.error)


# zstd


@pytest.mark.parametrize("cut", [1, 9, 1 << 20])
def test_zstd_skippable_frames(cut: int) -> None:
    stored = _skippable(b"") + _zstd(PLAIN) + _skippable(b"x" * 1000, 0x5F) + _zstd(b"more") + _skippable(b"end")
    decoded, _ = _run(stored, "zstd", cut=cut)
    assert (decoded.data, decoded.error) == (PLAIN + b"more", None)
    assert _run(_skippable(b"nothing but this"), "zstd")[0] == Decoded(b"")


@pytest.mark.parametrize("tail", [_skippable(b"x" * 100)[:-1], _skippable(b"")[:6], b"\x28\xb5"])
def test_zstd_truncated_after_a_frame(tail: bytes) -> None:
    decoded, _ = _run(_zstd(PLAIN) + tail, "zstd", cut=10)
    assert decoded.data == PLAIN
    assert "truncated zstd stream" in str(decoded.error)


def test_zstd_without_checksum_is_unchecked() -> None:
    for stored, unchecked in ((_zstd(b"x"), False), (_zstd(b"x", checksum=False), True), (_zstd(b"x") + _zstd(b"y", checksum=False), True)):
        decoded, decoder = _run(stored, "zstd")
        assert decoded.error is None
        assert decoder.unchecked is unchecked


def test_zstd_garbage_after_the_end() -> None:
    stored = _zstd(PLAIN)
    decoded, _ = _run(stored + b"garbage", "zstd")
    assert decoded.data == PLAIN
    assert f"near compressed byte {len(stored)}: no zstd frame" in str(decoded.error)


# damage


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_every_prefix_is_truncated(codec: str) -> None:
    stored = {"gzip": _gzip_with_header_fields, "zstd": lambda: _zstd(PLAIN[:600])}[codec]()
    for size in [*range(1, 300), *range(len(stored) - 20, len(stored))]:
        size = min(size, len(stored) - 1)
        decoded, _ = _run(stored[:size], codec, cut=50)
        assert PLAIN.startswith(decoded.data)
        assert isinstance(decoded.error, CorruptStreamError)
        assert f"truncated {codec} stream: it ends at compressed byte {size}" in str(decoded.error)


@settings(max_examples=300, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255), codec=st.sampled_from(["gzip", "zstd"]))
def test_a_changed_byte_is_never_silently_wrong(place: float, change: int, codec: str) -> None:
    stored = bytearray(_COMPRESS[codec](PLAIN[:3000]))
    stored[int(place * len(stored))] ^= change
    decoded, decoder = _run(bytes(stored), codec)
    if decoded.error is None:
        assert decoded.data == PLAIN[:3000] or decoder.unchecked
    else:
        assert codec in str(decoded.error)
        assert "byte" in str(decoded.error)


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_not_the_codec_at_all(codec: str) -> None:
    decoded, _ = _run(b"plain text", codec)
    assert (decoded.data, type(decoded.error)) == (b"", CorruptStreamError)
    assert f"corrupt {codec} stream near compressed byte 0" in str(decoded.error)


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_an_error_of_the_source_goes_up(codec: str) -> None:
    stored = _COMPRESS[codec](PLAIN)

    def chunks() -> Iterator[bytes]:
        yield stored[: len(stored) // 2]
        raise CorruptStreamError("of the source")

    with pytest.raises(CorruptStreamError, match="of the source"):
        list(Decoder(chunks(), codec, max_expansion=200))


# growth


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_bomb_is_stopped(codec: str) -> None:
    stored = _COMPRESS[codec](bytes(64 << 20))
    decoded, decoder = _run(stored, codec, floor=16 << 20, cut=1 << 30)
    assert isinstance(decoded.error, BombError)
    assert f"{codec} stream grew" in str(decoded.error)
    assert "--max-expansion" in str(decoded.error)
    assert decoder.bytes_out <= 32 << 20
    assert _run(stored, codec, floor=16 << 20, max_expansion=1e6)[0].error is None


def test_zstd_bomb_behind_ordinary_data_stays_bounded() -> None:
    """Blocks that repeat one byte 131,072 times take four bytes each; a megabyte of them must not be unpacked in one piece."""
    block = struct.pack("<I", (128 << 10) << 3 | 1 << 1)[:3] + b"x"
    frame = b"\x28\xb5\x2f\xfd\x00\x58" + block * 4000 + struct.pack("<I", 1)[:3]
    decoded, _ = _run(frame, "zstd", cut=1 << 30, floor=64 << 20)
    assert isinstance(decoded.error, BombError)
    assert max(decoded.sizes) <= 8 << 20


# layers


def test_codec_inside_a_codec() -> None:
    stored = gzip.compress(_zstd(gzip.compress(PLAIN), checksum=False))
    decoded, decoder = _run(stored, "gzip", cut=11)
    assert (decoded.data, decoded.error) == (PLAIN, None)
    assert decoder.codecs == ("gzip", "zstd", "gzip")
    assert decoder.unchecked
    assert decoder.bytes_in == len(stored)


def test_no_more_than_three_layers() -> None:
    fourth = gzip.compress(PLAIN)
    decoded, decoder = _run(gzip.compress(gzip.compress(gzip.compress(fourth))), "gzip")
    assert (decoded.data, decoder.codecs) == (fourth, ("gzip",) * 3)


def test_error_in_an_inner_layer_names_it() -> None:
    decoded, _ = _run(gzip.compress(_zstd(PLAIN)[:-1]), "gzip")
    assert "truncated zstd (inside gzip) stream" in str(decoded.error)


def test_outer_layer_that_breaks_early() -> None:
    """What came before is given all the same, however little it is."""
    body = zlib.compressobj(wbits=31)
    stored = body.compress(b"some rows\n") + body.flush(zlib.Z_SYNC_FLUSH)
    decoded, _ = _run(stored, "gzip", cut=3)
    assert decoded.data == b"some rows\n"
    assert "truncated gzip" in str(decoded.error)


# detection

_GZIP, _ZSTD = gzip.compress(b"x"), _zstd(b"x")


@pytest.mark.parametrize(
    ("key", "head", "name", "rule", "warning"),
    [
        pytest.param("a.log", b"text\n", "none", "no codec", None, id="plain"),
        pytest.param("a.log", b"", "none", "no codec", None, id="nothing"),
        pytest.param("a.gz", _GZIP, "gzip", "magic", None, id="gzip"),
        pytest.param("a.GZ", _GZIP, "gzip", "magic", None, id="gzip, capitals"),
        pytest.param("a.log", _GZIP, "gzip", "magic", None, id="gzip without extension"),
        pytest.param("a.zst", _GZIP, "gzip", "magic", "its name says zstd, its bytes are gzip", id="gzip named zstd"),
        pytest.param("a.zst", _ZSTD, "zstd", "magic", None, id="zstd"),
        pytest.param("a.gz", _ZSTD, "zstd", "magic", "its name says gzip, its bytes are zstd", id="zstd named gzip"),
        pytest.param("a", _skippable(b"x") + _ZSTD, "zstd", "magic", None, id="zstd, skippable frame first"),
        pytest.param("a.json.gz", b'{"a":1}\n', "none", "plain text", "begins with plain text", id="text named gzip"),
        pytest.param("a.gz", "é".encode() * 600, "none", "plain text", "begins with plain text", id="UTF-8 named gzip, cut in a character"),
        pytest.param("a.gz", "text".encode("utf-16"), "none", "plain text", "begins with plain text", id="UTF-16 named gzip"),
        pytest.param("a.gz", b"\x1f", "gzip", "extension", None, id="gzip cut off in its magic"),
        pytest.param("a.gz", bytes(range(256)), "gzip", "extension", None, id="noise named gzip"),
        pytest.param("a.gz", b"", "gzip", "extension", None, id="nothing named gzip"),
    ],
)
def test_detect(key: str, head: bytes, name: str, rule: str, warning: str | None) -> None:
    choice = detect_codec(key, head[:1024])
    assert choice.name == name
    assert rule in choice.rule
    assert (choice.warning is None) if warning is None else (warning in str(choice.warning))


@pytest.mark.parametrize(
    ("key", "base"),
    [
        ("a.json.gz", "a.json"),
        ("a.json", "a.json"),
        ("a.JSON.GZ", "a.JSON"),
        ("a.csv.zst.gz", "a.csv"),
        ("a.gz.gz.gz.gz", "a.gz"),
        (".gz", ""),
        ("gz", "gz"),
        ("a.gz/b", "a.gz/b"),
    ],
)
def test_base_key(key: str, base: str) -> None:
    assert base_key(key, "gzip") == base
