"""Which codec a file is found to have, and codecs inside codecs."""

from __future__ import annotations

import bz2
import gzip
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.codecs.streams import COMPRESSED, PLAIN, VARIANTS, run, skippable, zstd
from transforms.codecs.detection import HEAD_BYTES, base_key, detect_codec

_GZIP, _ZSTD = gzip.compress(b"x"), zstd(b"x")


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
        pytest.param("a", skippable(b"x") + _ZSTD, "zstd", "magic", None, id="zstd, skippable frame first"),
        pytest.param("a.json.gz", b'{"a":1}\n', "none", "plain text", "begins with plain text", id="text named gzip"),
        pytest.param(
            "a.gz",
            "é".encode() * 600,
            "none",
            "plain text",
            "begins with plain text",
            id="UTF-8 named gzip, cut in a character",
        ),
        pytest.param(
            "a.gz", "text".encode("utf-16"), "none", "plain text", "begins with plain text", id="UTF-16 named gzip"
        ),
        pytest.param("a.gz", b"\x1f", "gzip", "extension", None, id="gzip cut off in its magic"),
        pytest.param("a.gz", bytes(range(256)), "gzip", "extension", None, id="noise named gzip"),
        pytest.param("a.gz", b"", "gzip", "extension", None, id="nothing named gzip"),
    ],
)
def test_detect(key: str, head: bytes, name: str, rule: str, warning: str | None) -> None:
    choice = detect_codec(key, head[:HEAD_BYTES])
    assert choice.name == name
    assert rule in choice.rule
    assert (choice.warning is None) if warning is None else (warning in str(choice.warning))


@pytest.mark.parametrize("name", [name for name in COMPRESSED if COMPRESSED[name].magic])
@pytest.mark.parametrize("size", [1, 300, 300_000], ids=["a byte", "a line", "300 kB"])
def test_found_without_a_name(name: str, size: int) -> None:
    chance = random.Random(size)
    plain = bytes(chance.choices(b"abcdefgh \n", k=size))
    choice = detect_codec("no-extension", COMPRESSED[name].compress(plain)[:HEAD_BYTES])
    assert (choice.name, choice.warning) == (COMPRESSED[name].codec, None)


@pytest.mark.parametrize("name", COMPRESSED)
def test_found_by_its_name(name: str) -> None:
    variant = COMPRESSED[name]
    for size in (1, 300, len(PLAIN)):
        choice = detect_codec(f"logs/a.json{variant.extension}", variant.compress(PLAIN[:size])[:HEAD_BYTES])
        assert (choice.name, choice.warning) == (variant.codec, None)


@pytest.mark.parametrize(
    ("key", "stored", "rule"),
    [
        ("a", gzip.compress(PLAIN), "magic bytes of gzip"),
        ("a.bz2", bz2.compress(PLAIN), "magic bytes of bzip2, and its first block decodes"),
        ("a", zlib.compress(PLAIN), "zlib header, and its first block decodes"),
        ("a.Z", COMPRESSED["z"].compress(PLAIN), "magic bytes of compress (LZW)"),
        ("a", COMPRESSED["lzma"].compress(PLAIN), "header of LZMA alone, and its first bytes decode"),
        ("a.br", COMPRESSED["brotli"].compress(PLAIN), "extension .br"),
        ("a.DEFLATE", COMPRESSED["raw-deflate"].compress(PLAIN), "extension .deflate (raw, for it has no zlib header)"),
        (
            "a.snappy",
            COMPRESSED["snappy-hadoop"].compress(PLAIN),
            "extension .snappy (Hadoop blocks, for its big-endian lengths fit)",
        ),
        (
            "a.sz",
            COMPRESSED["snappy-raw"].compress(PLAIN),
            "extension .sz (raw, for it has neither magic bytes nor Hadoop's lengths)",
        ),
    ],
)
def test_the_rule_is_a_sentence_for_people(key: str, stored: bytes, rule: str) -> None:
    assert detect_codec(key, stored[:HEAD_BYTES]).rule == rule


_TEXTS = [
    b"x^2",
    b"x^2 + y^2 = z^2\n",
    b"x^",
    b"BZh9 bug",
    b"BZh9",
    b"BZh91AY&SY",
    b"BZh91AY&SY is how a bzip2 block begins\n",
    b"BZh9\x17rE8P and more",
    b"8O",
    b"8O is a smiley\n",
    b"h\x5e x",
    b"]",
    b"sNaPpY",
]


@pytest.mark.parametrize("text", _TEXTS)
@pytest.mark.parametrize(
    "more",
    [b"", b" and the rest of the line\n", b"2024-02-28 12:00:00 a line of a log\n" * 300],
    ids=["tiny", "a line", "KBs"],
)
def test_text_that_looks_like_a_magic(text: bytes, more: bytes) -> None:
    assert detect_codec("a.log", (text + more)[:HEAD_BYTES]).name == "none"
    decoded, _ = run(gzip.compress(text + more), "gzip", key="a.log.gz")
    assert (decoded.data, decoded.error) == (text + more, None)


@settings(max_examples=500, deadline=None)
@given(start=st.sampled_from(_TEXTS), text=st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=200))
def test_no_text_is_taken_for_a_codec(start: bytes, text: str) -> None:
    assert detect_codec("a.log", start + text.encode()).name == "none"


@settings(max_examples=300, deadline=None)
@given(plain=st.binary(min_size=1, max_size=2000), level=st.integers(0, 9))
def test_no_stream_is_taken_for_text(plain: bytes, level: int) -> None:
    assert detect_codec("a", zlib.compress(plain, level)[:HEAD_BYTES]).name == "deflate"
    assert detect_codec("a", bz2.compress(plain, max(1, level))[:HEAD_BYTES]).name == "bzip2"


def test_a_damaged_stream_is_no_text() -> None:
    """Its name or its magic bytes say what it is, so that it is an error and not a line of nonsense."""
    stored = bytearray(bz2.compress(PLAIN))
    stored[20:60] = bytes(40)
    assert detect_codec("a", bytes(stored)).name == "bzip2"
    assert detect_codec("a.bz2", b"BZh91AY&SY").name == "bzip2"
    assert detect_codec("a.zz", b"\x78\x9c\xff\xff\xff").name == "deflate"


@pytest.mark.parametrize("size", range(1, 130))
def test_raw_snappy_that_looks_like_text(size: int) -> None:
    stored = COMPRESSED["snappy-raw"].compress(bytes(range(32, 127))[:size] * 2)
    assert detect_codec("a.snappy", stored).name == "snappy"
    assert detect_codec("a.log", b"\n$abcdefghij").name == "none"


@pytest.mark.parametrize("text", ["x^2 größer", "x^2 é", "8O größer als"])
def test_old_encodings_are_no_zlib(text: str) -> None:
    for repeat in (1, 10, 1000):
        assert detect_codec("a.log", (text.encode("latin-1") * repeat)[:HEAD_BYTES]).name == "none"


@pytest.mark.parametrize("name", ["lz4", "zstd"])
def test_skippable_frame_first(name: str) -> None:
    stored = skippable(b"x" * 20) + skippable(b"") + COMPRESSED[name].compress(PLAIN)
    for key in ("a", "a.lz4", "a.zst"):
        assert detect_codec(key, stored).name == name
    assert detect_codec(f"a{COMPRESSED[name].extension}", skippable(b"x" * 8000)[:HEAD_BYTES]).name == name


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


# layers


def test_codec_inside_a_codec() -> None:
    stored = gzip.compress(zstd(gzip.compress(PLAIN), checksum=False))
    decoded, decoder = run(stored, "gzip", cut=11)
    assert (decoded.data, decoded.error) == (PLAIN, None)
    assert decoder.codecs == ("gzip", "zstd", "gzip")
    assert decoder.unchecked
    assert decoder.bytes_in == len(stored)


def test_no_more_than_three_layers() -> None:
    fourth = gzip.compress(PLAIN)
    decoded, decoder = run(gzip.compress(gzip.compress(gzip.compress(fourth))), "gzip")
    assert (decoded.data, decoder.codecs) == (fourth, ("gzip",) * 3)


def test_error_in_an_inner_layer_names_it() -> None:
    decoded, _ = run(gzip.compress(zstd(PLAIN)[:-1]), "gzip")
    assert "truncated zstd (inside gzip) stream" in str(decoded.error)


def test_outer_layer_that_breaks_early() -> None:
    """What came before is given all the same, however little it is."""
    body = zlib.compressobj(wbits=31)
    stored = body.compress(b"some rows\n") + body.flush(zlib.Z_SYNC_FLUSH)
    decoded, _ = run(stored, "gzip", cut=3)
    assert decoded.data == b"some rows\n"
    assert "truncated gzip" in str(decoded.error)


@pytest.mark.parametrize("inner", COMPRESSED)
def test_a_codec_without_magic_inside_is_found_by_the_further_extension(inner: str) -> None:
    stored = gzip.compress(COMPRESSED[inner].compress(PLAIN))
    decoded, decoder = run(stored, "gzip", key=f"a.json{COMPRESSED[inner].extension}.gz")
    assert (decoded.data, decoded.error, decoder.codecs) == (PLAIN, None, ("gzip", COMPRESSED[inner].codec))


@pytest.mark.parametrize("key", ["a.json.br.gz", "a.json.br", "a.br.br.gz"])
def test_text_inside_stays_text_whatever_the_name_says(key: str) -> None:
    decoded, decoder = run(gzip.compress(PLAIN), "gzip", key=key)
    assert (decoded.data, decoder.codecs) == (PLAIN, ("gzip",))


def test_a_lying_name_says_nothing_of_what_is_inside() -> None:
    """`a.br` that is gzip holds no Brotli, but perhaps text in an old encoding."""
    latin = "größer\n".encode("latin-1") * 10
    decoded, decoder = run(gzip.compress(latin), "gzip", key="a.br")
    assert (decoded.data, decoder.codecs) == (latin, ("gzip",))


def test_three_layers_by_name() -> None:
    stored = gzip.compress(VARIANTS["brotli"].compress(VARIANTS["snappy-raw"].compress(PLAIN)))
    decoded, decoder = run(stored, "gzip", key="a.csv.snappy.br.gz", cut=13)
    assert (decoded.data, decoder.codecs) == (PLAIN, ("gzip", "brotli", "snappy"))
