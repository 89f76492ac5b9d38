"""Uploaded files as the objects of a bucket, in a folder and on S3."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tests.conftest import S3
from transforms.core.errors import AccessError, VanishedError
from transforms.storage import UPLOADED, SourceLocation, StorageOptions, TierLocation, TierStore, UploadLocation
from transforms.storage.uploads import UploadFolder, list_uploads

TASK = "6b1f7b3e-9d1c-4e3e-8d8e-2f8b0a7c1d11"
OTHER = "6b1f7b3e-9d1c-4e3e-8d8e-2f8b0a7c1d12"
TIME = datetime(2025, 1, 1, tzinfo=timezone.utc)
FILES = {"logs/a.log": b"x" * 100, "logs/b.log": b"y" * (9 << 20), "c": b""}


@pytest.fixture(params=["local", "s3"])
def location(request: pytest.FixtureRequest) -> TierLocation:
    """Where a tier is that has no files yet."""
    if request.param == "local":
        return TierLocation(str(request.getfixturevalue("tmp_path") / "hot"), StorageOptions())
    s3: S3 = request.getfixturevalue("s3")
    return TierLocation(f"s3://{s3.bucket}/team/hot", s3.options)


def add(tier: TierStore, task_id: str) -> None:
    """Upload the files for a job."""
    folder = UploadFolder(tier, task_id)
    found = []
    for number, (name, content) in enumerate(FILES.items(), 1):
        output = folder.begin_file(number, name)
        for start in range(0, len(content), 1 << 20):
            output.write(content[start : start + (1 << 20)])
        found.append(output.close(TIME))
    folder.finish(found)


def test_a_job_reads_what_was_uploaded_for_it(location: TierLocation) -> None:
    tier = location.open()
    for task_id in (TASK, OTHER):
        add(tier, task_id)
    store = SourceLocation(UPLOADED, upload=UploadLocation(location, TASK)).open()
    found = {info.key: info for page in store.list_pages("") for info in page}
    assert {key: info.size for key, info in found.items()} == {key: len(content) for key, content in FILES.items()}
    assert {info.uri for info in found.values()} == {f"upload://{key}" for key in FILES}
    assert {info.modified for info in found.values()} == {TIME}
    assert len({info.etag for info in found.values()}) == len(FILES)
    for key, content in FILES.items():
        assert b"".join(store.read(found[key])) == content
    assert b"".join(store.read(found["logs/b.log"], start=5, end=10)) == b"y" * 5
    assert [info.key for page in store.list_pages("logs/a") for info in page] == ["logs/a.log"]
    assert [info.key for page in store.list_pages("", delimiter="/") for info in page] == ["c"]
    assert list_uploads(tier).keys() == {TASK, OTHER}


def test_files_that_are_gone(location: TierLocation) -> None:
    tier = location.open()
    add(tier, TASK)
    store = SourceLocation(UPLOADED, upload=UploadLocation(location, TASK)).open()
    (info,) = (info for page in store.list_pages("logs/a") for info in page)
    UploadFolder(tier, TASK).remove()
    assert list_uploads(tier) == {}
    with pytest.raises(VanishedError, match="upload://logs/a.log: "):
        list(store.read(info))
    again = SourceLocation(UPLOADED, upload=UploadLocation(location, TASK)).open()
    with pytest.raises(AccessError, match=f"the uploaded files of job {TASK} are no longer kept: upload them again"):
        list(again.list_pages(""))


def test_a_file_that_is_aborted_is_not_there(location: TierLocation) -> None:
    tier = location.open()
    output = UploadFolder(tier, TASK).begin_file(1, "a")
    output.write(b"x" * (20 << 20))
    output.abort()
    assert list(tier.list("_rekindle/")) == []
