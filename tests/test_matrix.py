"""The matrix: every codec × every format gives the same table, under its own name, under a lying one and under none.

The files are those of the reference tools (`tests/data/matrix/README.md`), read from a folder as a job reads them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from tests.transforms.codecs.streams import COMPRESSED
from tests.transforms.formats.cases import CASES
from transforms.codecs import CODECS
from transforms.core.schema import EventBatch
from transforms.formats import FORMATS as READERS
from transforms.hot_tier.ledger.entries import entry_of
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.objects.outcomes import ObjectOutcome
from transforms.objects.read_object import read_object
from transforms.objects.reading import ReadSettings
from transforms.storage.local import LocalStore

CORPUS = Path(__file__).parent / "data" / "matrix"

FORMATS = {name: CASES[name].file for name in READERS}
RECORDS = 1000

VARIANTS = {variant.extension: variant for variant in COMPRESSED.values()}
"""One a codec's extension: those that share one are all found alike, with or without it."""
ENDINGS = sorted(path.name.removeprefix("text.log") for path in CORPUS.glob("text.log.*"))


def extension(ending: str) -> str:
    """Return the last extension: `.gz` of `.pigz.gz`."""
    return ending[ending.rindex(".") :]


WITH_MAGIC = [ending for ending in ENDINGS if VARIANTS[extension(ending)].magic]


def codec_of(ending: str) -> str:
    return VARIANTS[extension(ending)].codec


def another(ending: str) -> str:
    """Return the extension of another codec."""
    ring = WITH_MAGIC[WITH_MAGIC.index(ending) :] + WITH_MAGIC
    return next(extension(other) for other in ring if codec_of(other) != codec_of(ending))


# What differs from one reading of the same bytes to the next.
_OF_THE_READING = {"_event_id", "_observed_at", "_object", "filename"}


def read(folder: Path, key: str, content: bytes) -> tuple[pl.DataFrame, LedgerEntry]:
    """Read one object as a job does: its events without what differs from object to object, and the ledger's entry."""
    (folder / key).write_bytes(content)
    store = LocalStore(f"file://{folder}")
    (info,) = [info for page in store.list_pages("") for info in page if info.key == key]
    *batches, outcome = read_object(info, store, ReadSettings(task_id="matrix"))
    assert isinstance(outcome, ObjectOutcome)
    tables = [pl.DataFrame(pl.from_arrow(batch.events)) for batch in batches if isinstance(batch, EventBatch)]
    assert len(tables) == len(batches)
    table = pl.concat(tables, how="diagonal")
    return table.drop(_OF_THE_READING, strict=False), entry_of(outcome, job="matrix", wave=1)


def compressed(name: str, ending: str) -> bytes:
    """Return a file of the corpus as the reference tool of a codec has compressed it."""
    return (CORPUS / (name + ending)).read_bytes()


@cache
def plain_table(folder: Path, name: str) -> pl.DataFrame:
    return read(folder, name, (CORPUS / name).read_bytes())[0]


@pytest.fixture(scope="module")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plain")


def test_every_codec_has_a_reference_file_of_every_format() -> None:
    assert {codec_of(ending) for ending in ENDINGS} == CODECS.keys() - {"none"}
    files = {name + ending for name in FORMATS.values() for ending in ENDINGS}
    assert files <= {path.name for path in CORPUS.iterdir()}


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
@pytest.mark.parametrize("ending", ENDINGS)
def test_codec_and_format(tmp_path: Path, plain_folder: Path, ending: str, format_name: str) -> None:
    name = FORMATS[format_name]
    table, entry = read(tmp_path, name + ending, compressed(name, ending))
    assert (entry.status, entry.codec, entry.format, entry.warnings) == ("ingested", codec_of(ending), format_name, ())
    assert table.equals(plain_table(plain_folder, FORMATS[format_name]))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("ending", WITH_MAGIC)
def test_under_a_lying_name_and_under_none(tmp_path: Path, plain_folder: Path, ending: str, format_name: str) -> None:
    plain = FORMATS[format_name]
    content = compressed(plain, ending)
    for key, warnings in ((plain + another(ending), 1), (plain, 0), ("no-extension-at-all", 0)):
        table, entry = read(tmp_path, key, content)
        assert (key, entry.status, entry.codec, entry.format, len(entry.warnings)) == (
            key,
            "ingested",
            codec_of(ending),
            format_name,
            warnings,
        )
        assert table.equals(plain_table(plain_folder, plain))
