"""The matrix: every codec × every format gives the same table, under its own name, under a lying one and under none.

The files are those of the reference tools (`tests/data/matrix/README.md`), read from a folder as a job reads them. Of a
format that has its plain file alone, the compressed ones are made by the libraries of the codecs' own tests.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from tests.transforms.codecs.streams import VARIANTS
from tests.transforms.formats.cases import CASES
from transforms.formats import FORMATS as READERS
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.objects.read_object import read_object
from transforms.objects.reading import ReadSettings
from transforms.storage.local import LocalStore

CORPUS = Path(__file__).parent / "data" / "matrix"

FORMATS = {name: CASES[name].file for name in READERS}
RECORDS = 1000

# Ending of the corpus' file -> the codec, and another codec's ending.
WITH_MAGIC = {
    ".gz": ("gzip", ".zst"),
    ".pigz.gz": ("gzip", ".br"),
    ".zz": ("deflate", ".gz"),
    ".bz2": ("bzip2", ".lz4"),
    ".xz": ("xz", ".lzma"),
    ".lzma": ("lzma", ".xz"),
    ".lz4": ("lz4", ".snappy"),
    ".zst": ("zstd", ".Z"),
    ".Z": ("z", ".bz2"),
    ".sz": ("snappy", ".deflate"),
}
BY_EXTENSION = {".br": "brotli", ".deflate": "deflate", ".raw.snappy": "snappy", ".hadoop.snappy": "snappy"}

# Ending -> the variant of the codecs' tests, where it is not the one with that extension.
_VARIANTS = {".pigz.gz": "gzip", ".raw.snappy": "snappy-raw", ".hadoop.snappy": "snappy-hadoop"}

# What differs from one reading of the same bytes to the next.
_OF_THE_READING = {"_event_id", "_observed_at", "_object", "filename"}


def read(folder: Path, key: str, content: bytes) -> tuple[pl.DataFrame, LedgerEntry]:
    """Read one object as a job does: its events without what differs from object to object, and the ledger's entry."""
    (folder / key).write_bytes(content)
    store = LocalStore(f"file://{folder}")
    (info,) = [info for page in store.list_pages("") for info in page if info.key == key]
    *batches, entry = read_object(info, store, ReadSettings(task_id="matrix"), wave=1)
    assert isinstance(entry, LedgerEntry)
    table = pl.concat([pl.DataFrame(pl.from_arrow(batch)) for batch in batches], how="diagonal")
    return table.drop(_OF_THE_READING, strict=False), entry


def compressed(name: str, ending: str) -> bytes:
    if any(CORPUS.glob(f"{name}.*")):
        return (CORPUS / (name + ending)).read_bytes()
    by_extension = (key for key, variant in VARIANTS.items() if variant.extension == ending)
    return VARIANTS[_VARIANTS.get(ending) or next(by_extension)].compress((CORPUS / name).read_bytes())


@cache
def plain_table(folder: Path, name: str) -> pl.DataFrame:
    return read(folder, name, (CORPUS / name).read_bytes())[0]


@pytest.fixture(scope="module")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plain")


@pytest.mark.parametrize("format_name", FORMATS)
def test_plain(tmp_path: Path, format_name: str) -> None:
    name = FORMATS[format_name]
    table, entry = read(tmp_path, name, (CORPUS / name).read_bytes())
    assert (entry.status, entry.codec, entry.format, entry.events, entry.warnings) == (
        "ingested",
        "none",
        format_name,
        RECORDS,
        (),
    )
    assert entry.events_with_error == 0
    assert table.height == RECORDS


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("ending", [*WITH_MAGIC, *BY_EXTENSION])
def test_codec_and_format(tmp_path: Path, plain_folder: Path, ending: str, format_name: str) -> None:
    name = FORMATS[format_name]
    table, entry = read(tmp_path, name + ending, compressed(name, ending))
    codec = BY_EXTENSION.get(ending) or WITH_MAGIC[ending][0]
    assert (entry.status, entry.codec, entry.format, entry.warnings) == ("ingested", codec, format_name, ())
    assert table.equals(plain_table(plain_folder, FORMATS[format_name]))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("ending", WITH_MAGIC)
def test_under_a_lying_name_and_under_none(tmp_path: Path, plain_folder: Path, ending: str, format_name: str) -> None:
    plain = FORMATS[format_name]
    codec, other = WITH_MAGIC[ending]
    content = compressed(plain, ending)
    for key, warnings in ((plain + other, 1), (plain, 0), ("no-extension-at-all", 0)):
        table, entry = read(tmp_path, key, content)
        assert (key, entry.status, entry.codec, entry.format, len(entry.warnings)) == (
            key,
            "ingested",
            codec,
            format_name,
            warnings,
        )
        assert table.equals(plain_table(plain_folder, plain))
