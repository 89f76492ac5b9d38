"""`DiscoverObjects`: what is listed, counted and kept in the job's folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from tests.conftest import S3
from tests.transforms.beam import Given, run
from tests.transforms.sources import MODIFIED, Source
from transforms.core.errors import AccessError, ConfigurationError
from transforms.discover_objects import MANIFEST, DiscoverObjects, discover_objects, read_listings, read_manifest
from transforms.objects.discovery.listing import Listing
from transforms.objects.discovery.object_filter import KeyPatterns, ObjectFilter
from transforms.storage import SourceLocation, TierLocation
from transforms.storage.job_folder import JobFolder

DAY = timedelta(days=1)
LOGS = {
    "logs/a/1.log": b"one\n",
    "logs/a/2.log": b"two two\n",
    "logs/a/2.txt": b"no",
    "logs/b/deep/3.log": b"",
    "other/4.log": b"4",
}
PREFIXES = ["logs/a/", "logs/b/", "logs/none/"]


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "source").put(LOGS)


def filter_of(*patterns: str, **fields: Any) -> ObjectFilter:
    return ObjectFilter(sources=(KeyPatterns(include=patterns),), **fields)


def discovery(source: Source, tmp_path: Path, /, **fields: Any) -> DiscoverObjects:
    settings: dict[str, Any] = {
        "source": source.location,
        "filter": filter_of("logs/**/*.log"),
        "max_objects": 1000,
        "tier": TierLocation(str(tmp_path / "hot")),
        "task_id": "job",
    }
    return DiscoverObjects(**settings | fields)


def folder_of(discover: DiscoverObjects) -> JobFolder:
    return JobFolder(discover.tier.open(), discover.task_id)


def row(source: Source, key: str, modified: datetime = MODIFIED) -> dict[str, Any]:
    """Return what the manifest says of a file."""
    size = len((source.folder / key).read_bytes())
    etag = f"{size}-{int(modified.timestamp()) * 10**9}"
    return {
        "key": key,
        "etag": etag,
        "size": size,
        "modified": modified,
        "storage_class": None,
        "restored": False,
        "source": 0,
    }


def found(listings: list[Listing]) -> list[Listing]:
    """Return listings in the order of their prefixes, with `there` for the path of a part."""
    return sorted((replace(one, part=one.part and "there") for one in listings), key=lambda one: one.prefix)


def test_each_prefix_is_listed_and_its_matches_are_kept(source: Source, tmp_path: Path) -> None:
    discover = discovery(source, tmp_path)
    ran = run(discover, Given(str, PREFIXES))
    assert ran.labels == ["DiscoverObjects/Spread", "DiscoverObjects/List"]
    assert (ran.kinds, ran.counters) == ({"main": Listing}, {})
    assert found(ran.main) == [
        Listing("logs/a/", evaluated=3, matched=2, part="there", heaviest=(("logs/a/", 3),)),
        Listing("logs/b/", evaluated=1, matched=1, part="there", heaviest=(("logs/b/deep/", 1),)),
        Listing("logs/none/", evaluated=0, matched=0, part=None),
    ]
    listings = read_listings(folder_of(discover), PREFIXES)
    assert listings == sorted(ran.main, key=lambda one: one.prefix)
    assert all(type(one) is Listing for one in ran.main)
    manifest = read_manifest(folder_of(discover), listings)
    assert manifest.schema.equals(MANIFEST, check_metadata=True)
    assert manifest.to_pylist() == [row(source, key) for key in ("logs/a/1.log", "logs/a/2.log", "logs/b/deep/3.log")]


def test_each_object_is_of_the_first_source_that_takes_it(source: Source, tmp_path: Path) -> None:
    filter = ObjectFilter(
        sources=(
            KeyPatterns(include=("logs/a/*.log", "other/*"), exclude=("**/2.*",)),
            KeyPatterns(include=("logs/**",), exclude=("**/*.txt",)),
        )
    )
    assert filter.compile().prefixes == ["logs/", "other/"]
    discover = discovery(source, tmp_path, filter=filter)
    ran = run(discover, Given(str, ["logs/", "other/"]))
    assert [(one.prefix, one.evaluated, one.excluded, one.matched) for one in found(ran.main)] == [
        ("logs/", 4, 1, 3),
        ("other/", 1, 0, 1),
    ]
    manifest = read_manifest(folder_of(discover), read_listings(folder_of(discover), ["logs/", "other/"]))
    assert dict(zip(manifest["key"].to_pylist(), manifest["source"].to_pylist(), strict=True)) == {
        "logs/a/1.log": 0,
        "logs/a/2.log": 1,
        "logs/b/deep/3.log": 1,
        "other/4.log": 0,
    }


def test_nothing_to_list(source: Source, tmp_path: Path) -> None:
    discover = discovery(source, tmp_path)
    assert run(discover, Given(str)).main == []
    folder = folder_of(discover)
    assert folder.names() == []
    assert read_listings(folder, []) == []
    assert read_manifest(folder, []).equals(MANIFEST.empty_table())


def test_a_bundle_that_is_tried_again_lists_nothing_twice(source: Source, tmp_path: Path) -> None:
    once, thrice = discovery(source, tmp_path, task_id="once"), discovery(source, tmp_path, task_id="thrice")
    expected = run(once, Given(str, PREFIXES))
    ran = run(thrice, Given(str, PREFIXES), again=2, workers=2)
    assert found(ran.main) == found(expected.main)
    assert folder_of(thrice).names() == folder_of(once).names()
    assert len(folder_of(thrice).names()) == 5
    manifests = [read_manifest(folder_of(one), read_listings(folder_of(one), PREFIXES)) for one in (once, thrice)]
    assert manifests[0].equals(manifests[1])
    assert manifests[0].num_rows == 3


def test_a_prefix_that_is_listed_again_is_as_it_is_now(source: Source, tmp_path: Path) -> None:
    discover = discovery(source, tmp_path)
    run(discover, Given(str, PREFIXES))
    before = folder_of(discover).names()
    later = MODIFIED + DAY
    source.put({"logs/a/2.log": b"new"}, modified=later)
    (source.folder / "logs/a/1.log").unlink()
    (source.folder / "logs/b/deep/3.log").unlink()
    ran = run(discover, Given(str, PREFIXES))
    assert [(one.prefix, one.matched, one.part is None) for one in found(ran.main)] == [
        ("logs/a/", 1, False),
        ("logs/b/", 0, True),
        ("logs/none/", 0, True),
    ]
    folder = folder_of(discover)
    assert folder.names() == before
    assert read_manifest(folder, read_listings(folder, PREFIXES)).to_pylist() == [row(source, "logs/a/2.log", later)]


@pytest.mark.parametrize(
    ("filter", "evaluated", "of_tier", "keys"),
    [
        pytest.param(ObjectFilter(), 5, 0, sorted(LOGS), id="everything"),
        pytest.param(
            filter_of("*/*.log"),
            5,
            0,
            ["other/4.log"],
            id="pattern-over-the-whole-key",
        ),
        pytest.param(filter_of("**/*.LOG"), 5, 0, [], id="case-counts"),
        pytest.param(ObjectFilter(modified_after=MODIFIED), 5, 0, [], id="modified-after-is-later"),
        pytest.param(ObjectFilter(modified_before=MODIFIED), 5, 0, [], id="modified-before-is-earlier"),
        pytest.param(
            ObjectFilter(modified_after=MODIFIED - DAY, modified_before=MODIFIED + DAY),
            5,
            0,
            sorted(LOGS),
            id="between",
        ),
        pytest.param(ObjectFilter(tier_prefix="logs/"), 1, 4, ["other/4.log"], id="the-tiers-own"),
    ],
)
def test_what_the_filter_lets_through(
    source: Source, tmp_path: Path, filter: ObjectFilter, evaluated: int, of_tier: int, keys: list[str]
) -> None:
    discover = discovery(source, tmp_path, filter=filter)
    listing = discover_objects(source.store, "", filter, max_objects=1000, folder=folder_of(discover))
    assert (listing.evaluated, listing.of_tier, listing.matched, listing.complete) == (
        evaluated,
        of_tier,
        len(keys),
        True,
    )
    assert listing.heaviest == (("logs/", 4), ("other/", 1))
    assert read_manifest(folder_of(discover), [listing])["key"].to_pylist() == keys


@pytest.mark.parametrize(("limit", "complete"), [(4, False), (5, True)])
def test_listing_stops_at_the_limit(source: Source, tmp_path: Path, limit: int, complete: bool) -> None:
    discover = discovery(source, tmp_path, filter=filter_of("**/*.log"), max_objects=limit)
    [listing] = run(discover, Given(str, [""])).main
    assert (listing.complete, listing.part is not None) == (complete, complete)
    folder = folder_of(discover)
    assert len([name for name in folder.names() if name.endswith(".parquet")]) == int(complete)
    assert read_manifest(folder, [listing])["key"].to_pylist() == (
        sorted(key for key in LOGS if key.endswith(".log")) if complete else []
    )


def test_keys_that_are_no_text_and_hold_glob_characters(source: Source, tmp_path: Path) -> None:
    keys = ["odd/a b+ü%20.log", "odd/[1]*.log", "odd/back\\x80slash.log"]
    source.put(dict.fromkeys(keys[:2], b"x"))
    with open(bytes(source.folder) + b"/odd/back\x80slash.log", "wb"):
        pass
    discover = discovery(source, tmp_path, filter=filter_of("odd/*"))
    ran = run(discover, Given(str, ["odd/"]))
    assert read_manifest(folder_of(discover), ran.main)["key"].to_pylist() == sorted(keys)


@pytest.mark.parametrize(
    ("fields", "kind", "message"),
    [
        pytest.param(
            {"source": SourceLocation("file:///nowhere/at/all")},
            AccessError,
            r"bucket file:///nowhere/at/all: No such file or directory on .*; "
            r"name a folder that is there, on every machine that reads it",
            id="no-folder",
        ),
        pytest.param(
            {"source": SourceLocation("b/logs")},
            ConfigurationError,
            r"bucket 'b/logs': what follows the name belongs in the pattern",
            id="bucket",
        ),
        pytest.param(
            {"tier": TierLocation("gs://b")},
            ConfigurationError,
            r"hot tier 'gs://b': it is a folder .* or s3://bucket/prefix",
            id="tier",
        ),
    ],
)
def test_what_can_not_be_listed(
    source: Source, tmp_path: Path, fields: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=rf"^{message}.* \[while running 'DiscoverObjects/List'\]$") as raised:
        run(discovery(source, tmp_path, **fields), Given(str, PREFIXES))
    assert type(raised.value) is kind


def test_nothing_of_a_prefix_is_kept_that_fails_half_way(source: Source, tmp_path: Path) -> None:
    class Failing:
        bucket = source.bucket

        def list_pages(self, prefix: str, *, delimiter: str | None = None) -> Any:
            yield next(source.store.list_pages(prefix))
            raise AccessError("the second page is refused")

    discover, store = discovery(source, tmp_path), cast(Any, Failing())
    with pytest.raises(AccessError, match="the second page is refused"):
        discover_objects(store, "logs/a/", discover.filter, max_objects=1000, folder=folder_of(discover))
    assert folder_of(discover).names() == []


def test_on_s3_with_the_tier_in_the_same_bucket(s3: S3, tmp_path: Path) -> None:
    for number in range(5):
        s3.put(f"logs/{number}.log", b"x" * number)
    s3.put("hot/events/own.log", b"the tier's own")
    discover = DiscoverObjects(
        source=SourceLocation(s3.bucket, s3.options),
        filter=filter_of("**/*.log", tier_prefix="hot/"),
        max_objects=1000,
        tier=TierLocation(f"s3://{s3.bucket}/hot", s3.options),
        task_id="job",
    )
    ran = run(discover, Given(str, ["hot/", "logs/"]), again=1)
    assert [(one.prefix, one.evaluated, one.matched) for one in found(ran.main)] == [("hot/", 0, 0), ("logs/", 5, 5)]
    assert found(ran.main)[0].of_tier >= 1  # and what discovery itself has written there by then
    folder = folder_of(discover)
    manifest = read_manifest(folder, read_listings(folder, ["hot/", "logs/"]))
    heads = {key: s3.client.head_object(Bucket=s3.bucket, Key=key) for key in manifest["key"].to_pylist()}
    assert list(heads) == [f"logs/{number}.log" for number in range(5)]
    assert manifest["etag"].to_pylist() == [head["ETag"].strip('"') for head in heads.values()]
    assert manifest["size"].to_pylist() == [0, 1, 2, 3, 4]
    assert [one.replace(microsecond=0) for one in manifest["modified"].to_pylist()] == [
        head["LastModified"] for head in heads.values()
    ]
    assert manifest["restored"].to_pylist() == [False] * 5
