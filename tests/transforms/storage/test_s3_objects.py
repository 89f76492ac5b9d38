"""What objects of an S3 bucket can be: versions, deleted ones, in parts, and more than a page of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain

import pytest

from tests.conftest import S3
from tests.fault_proxy import FaultProxy
from transforms.core.errors import VanishedError
from transforms.storage import ObjectInfo, ObjectStore, open_store, open_tier

KEYS = ["plain", "o\tdd"]
"""One that obstore reads, and one that boto3 reads."""
PART = bytes(range(256)) * 20480  # 5 MiB, the least that S3 takes for a part that is not the last


def all_objects(store: ObjectStore) -> list[ObjectInfo]:
    return list(chain.from_iterable(store.list_pages("")))


@pytest.fixture
def versioned(s3: S3) -> S3:
    """A bucket that keeps every version."""
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.mark.parametrize("key", KEYS)
class TestVersions:
    def test_the_newest_is_read(self, versioned: S3, key: str) -> None:
        for content in (b"first", b"second", b"newest!"):
            versioned.put(key, content)
        store = open_store(versioned.bucket, versioned.options)
        (info,) = all_objects(store)
        assert (info.key, info.size) == (key, 7)
        assert b"".join(store.read(info)) == b"newest!"

    def test_what_is_deleted_is_not_there(self, versioned: S3, key: str) -> None:
        for name in (key, "other"):
            versioned.put(name, b"first")
        store = open_store(versioned.bucket, versioned.options)
        listed = {info.key: info for info in all_objects(store)}
        versioned.client.delete_object(Bucket=versioned.bucket, Key=key)
        assert [info.key for info in all_objects(store)] == ["other"]
        with pytest.raises(VanishedError, match="is gone"):
            list(store.read(listed[key]))

    def test_what_is_deleted_and_put_again_is_the_new_one(self, versioned: S3, key: str) -> None:
        versioned.put(key, b"first")
        versioned.client.delete_object(Bucket=versioned.bucket, Key=key)
        versioned.put(key, b"again")
        store = open_store(versioned.bucket, versioned.options)
        (info,) = all_objects(store)
        assert b"".join(store.read(info)) == b"again"

    def test_a_new_version_is_a_change(self, versioned: S3, key: str) -> None:
        versioned.put(key, b"first")
        store = open_store(versioned.bucket, versioned.options)
        (info,) = all_objects(store)
        versioned.put(key, b"other")
        with pytest.raises(VanishedError, match="changed since it was listed"):
            list(store.read(info))


def test_a_hot_tier_in_a_bucket_with_versions(versioned: S3) -> None:
    tier = open_tier(f"s3://{versioned.bucket}/hot", versioned.options)
    tier.probe_conditional_put()
    tier.put_new("a", b"1")
    tier.put("a", b"2")
    tier.put("b", b"3")
    with pytest.raises(FileExistsError):
        tier.put_new("a", b"4")
    tier.delete("b")
    assert [file.path for file in tier.list("")] == ["a"]
    assert tier.get("a") == b"2"
    assert not tier.exists("b")
    tier.put_new("b", b"5")
    assert tier.get("b") == b"5"


@pytest.mark.parametrize("key", KEYS)
def test_an_object_that_was_put_in_parts(s3: S3, fault_proxy: FaultProxy, key: str) -> None:
    parts = [PART, PART[::-1], b"the end"]
    upload = {"Bucket": s3.bucket, "Key": key}
    upload["UploadId"] = s3.client.create_multipart_upload(**upload)["UploadId"]
    tags = [
        s3.client.upload_part(**upload, PartNumber=number, Body=part)["ETag"] for number, part in enumerate(parts, 1)
    ]
    listed = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
    s3.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": listed})
    store = open_store(s3.bucket, replace(s3.options, endpoint_url=fault_proxy.endpoint_url))
    (info,) = all_objects(store)
    whole = b"".join(parts)
    assert (info.size, info.etag.rpartition("-")[2]) == (len(whole), "3")
    for start, end in ((0, None), (len(PART) - 3, len(PART) + 3), (2 * len(PART) - 1, None)):
        assert b"".join(store.read(info, start=start, end=end)) == whole[start:end]
    assert {one.headers["if-match"] for one in fault_proxy.requests(key)} == {f'"{info.etag}"'}


def test_more_than_a_page_of_objects(s3: S3, fault_proxy: FaultProxy) -> None:
    """Stores give 1,000 at once, whatever they are asked for."""
    names = [f"hot/{number:04}" for number in range(1003)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: s3.put(name, b"x"), names))
    options = replace(s3.options, endpoint_url=fault_proxy.endpoint_url)
    assert [info.key for info in all_objects(open_store(s3.bucket, options))] == names
    assert len(fault_proxy.seen) == 2
    assert [f"hot/{file.path}" for file in open_tier(f"s3://{s3.bucket}/hot", options).list("")] == names
    assert len(fault_proxy.seen) == 4
