"""The hot tier's own files, in a folder and on S3: the same promises, and what each does with trouble."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from tests.conftest import S3
from tests.fault_proxy import Fault, FaultProxy
from transforms.core.errors import ConfigurationError, TierError
from transforms.storage import StorageOptions, TierFile, TierStore, open_tier

PART = bytes(range(256)) * (1 << 12)  # 1 MiB


@pytest.fixture(params=["local", "s3", "s3 root"])
def open_again(request: pytest.FixtureRequest) -> Callable[[], TierStore]:
    """Open one empty tier, as often as wanted."""
    if request.param == "local":
        folder = request.getfixturevalue("tmp_path") / "hot tier é"
        return lambda: open_tier(str(folder), StorageOptions())
    s3: S3 = request.getfixturevalue("s3")
    uri = f"s3://{s3.bucket}" + ("" if request.param == "s3 root" else "/team/hot-tier/")
    return lambda: open_tier(uri, s3.options)


@pytest.fixture
def tier(open_again: Callable[[], TierStore]) -> TierStore:
    return open_again()


@pytest.fixture
def faulty(s3: S3, fault_proxy: FaultProxy) -> TierStore:
    return open_tier(f"s3://{s3.bucket}/hot", replace(s3.options, endpoint_url=fault_proxy.endpoint_url))


def paths(tier: TierStore, prefix: str = "") -> list[str]:
    return sorted(file.path for file in tier.list(prefix))


class TestFiles:
    def test_put_get_delete(self, tier: TierStore) -> None:
        path = "events/tier=hot/date=2025-01-01/part-1.parquet"
        assert not tier.exists(path)
        tier.put(path, b"one")
        tier.put(path, b"two")
        assert tier.exists(path)
        assert tier.get(path) == b"two"
        tier.delete(path)
        tier.delete(path)
        assert not tier.exists(path)
        with pytest.raises(FileNotFoundError):
            tier.get(path)
        with pytest.raises(FileNotFoundError):
            tier.open_input(path)

    def test_an_empty_tier(self, tier: TierStore) -> None:
        assert paths(tier) == []
        assert not tier.exists("a")

    def test_put_new(self, tier: TierStore) -> None:
        tier.put_new("log/1.json", b"one")
        with pytest.raises(FileExistsError):
            tier.put_new("log/1.json", b"two")
        assert tier.get("log/1.json") == b"one"
        assert paths(tier) == ["log/1.json"]

    def test_of_many_at_once_one_creates(self, open_again: Callable[[], TierStore]) -> None:
        start = threading.Barrier(8)

        def create(number: int) -> bool:
            tier = open_again()
            start.wait()
            try:
                tier.put_new("log/1.json", str(number).encode())
            except FileExistsError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            created = list(pool.map(create, range(8)))
        assert sum(created) == 1
        assert open_again().get("log/1.json") == str(created.index(True)).encode()

    def test_conditional_put_is_proved_and_leaves_nothing(self, tier: TierStore) -> None:
        tier.probe_conditional_put()
        assert paths(tier) == []

    def test_list(self, tier: TierStore) -> None:
        for path in ("a/b/1", "a/b/2", "a/bc", "b", "_rekindle/jobs/x/job.json"):
            tier.put(path, b"12345")
        assert paths(tier) == ["_rekindle/jobs/x/job.json", "a/b/1", "a/b/2", "a/bc", "b"]
        assert paths(tier, "a/b/") == ["a/b/1", "a/b/2"]
        assert paths(tier, "a/b") == ["a/b/1", "a/b/2", "a/bc"]
        (file,) = tier.list("a/bc")
        assert file == TierFile("a/bc", 5, file.modified, file.etag)
        assert abs(datetime.now(timezone.utc) - file.modified) < timedelta(hours=1)

    @pytest.mark.parametrize("path", ["a b", "é/ü", "a%20b", "a=b+c&d#e?f", "~'()!@$,;:", "x[1]*{2}"])
    def test_names_of_other_programs(self, tier: TierStore, path: str) -> None:
        tier.put(f"x/{path}", b"12345")
        assert (tier.get(f"x/{path}"), tier.exists(f"x/{path}"), paths(tier, "x/")) == (b"12345", True, [f"x/{path}"])
        with tier.open_input(f"x/{path}") as file:
            assert file.read() == b"12345"
        tier.delete(f"x/{path}")
        assert paths(tier) == []

    @pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\0b"])
    def test_paths_that_are_a_mistake(self, tier: TierStore, path: str) -> None:
        for call in (
            tier.get,
            tier.exists,
            tier.delete,
            tier.open_input,
            tier.open_output,
            lambda p: tier.put(p, b""),
            lambda p: tier.put_new(p, b""),
        ):
            with pytest.raises(ValueError, match="no path in a hot tier"):
                call(path)


class TestStreams:
    @pytest.mark.parametrize("parts", [0, 1, 20])
    def test_output_is_there_when_it_is_closed(self, tier: TierStore, parts: int) -> None:
        output = tier.open_output("a/b")
        for _ in range(parts):
            assert output.write(PART) == len(PART)
        assert paths(tier) == []
        output.close()
        output.close()
        assert output.closed
        assert tier.get("a/b") == PART * parts

    @pytest.mark.parametrize("parts", [0, 1, 20])
    def test_abort_leaves_nothing(self, tier: TierStore, parts: int) -> None:
        with pytest.raises(ZeroDivisionError), tier.open_output("a/b") as output:
            for _ in range(parts):
                output.write(PART)
            raise ZeroDivisionError
        output.close()
        assert output.closed
        assert paths(tier) == []
        assert not tier.exists("a/b")
        if tier.local_path:
            assert [path for path in tier.local_path.rglob("*") if path.is_file()] == []

    def test_forgotten_output_is_not_published(self, tier: TierStore) -> None:
        tier.open_output("a/b").write(PART * 9)
        assert paths(tier) == []

    def test_parquet_goes_out_and_in(self, tier: TierStore) -> None:
        table = pa.table({"a": range(100_000), "b": ["x"] * 100_000})
        with tier.open_output("a.parquet") as output, pq.ParquetWriter(output, table.schema) as writer:
            writer.write_table(table, row_group_size=10_000)
        with tier.open_input("a.parquet") as source:
            file = pq.ParquetFile(source)
            assert file.read_row_group(3, columns=["a"]).num_rows == 10_000
            assert file.read() == table

    def test_input_is_random_access(self, tier: TierStore) -> None:
        tier.put("a", bytes(range(100)))
        with tier.open_input("a") as source:
            assert source.read(3) == b"\x00\x01\x02"
            assert source.seek(-2, os.SEEK_END) == 98
            assert source.read(10) == b"\x62\x63"
            assert source.read(1) == b""
            assert source.seek(50) == 50
            assert source.seek(1, os.SEEK_CUR) == source.tell() == 51
            assert source.read() == bytes(range(51, 100))


class TestTables:
    def test_delta_and_polars_reach_it(self, tier: TierStore) -> None:
        table = pa.table({"a": [1, 2]})
        write_deltalake(tier.table_uri("events"), table, storage_options=tier.delta_options())
        found = DeltaTable(tier.table_uri("events"), storage_options=tier.delta_options())
        assert found.version() == 0
        (path,) = (file.path for file in tier.list("events/part-"))
        uri = f"{tier.uri}/{path}"
        assert pl.scan_parquet(uri, storage_options=tier.polars_options() or None).collect().to_arrow() == table
        assert tier.exists("events/_delta_log/00000000000000000000.json")

    def test_the_uri_opens_the_same_tier_from_anywhere(
        self, tier: TierStore, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
    ) -> None:
        tier.put("a", b"1")
        monkeypatch.chdir("/")
        options = request.getfixturevalue("s3").options if not tier.is_local else StorageOptions()
        assert open_tier(tier.uri, options).get("a") == b"1"

    def test_free_space(self, tier: TierStore) -> None:
        free = tier.free_bytes()
        assert (free is None) == (tier.local_path is None) == (not tier.is_local)
        assert free is None or free > 0


class TestFolder:
    def test_a_relative_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert open_tier("hot-tier", StorageOptions()).uri == str(tmp_path / "hot-tier")
        assert open_tier("./x/../hot-tier/", StorageOptions()).local_path == tmp_path / "hot-tier"

    def test_a_file_url(self, tmp_path: Path) -> None:
        assert open_tier(f"file://{tmp_path}/hot", StorageOptions()).uri == f"{tmp_path}/hot"

    @pytest.mark.parametrize(
        "uri",
        [
            "",
            "gs://bucket/hot",
            "file://hot",
            "s3://",
            "s3:///hot",
            "s3://bucket/a//b",
            "s3://bucket/../x",
            "s3://bucket/50%",
        ],
    )
    def test_no_place_for_a_tier(self, uri: str) -> None:
        with pytest.raises(ConfigurationError):
            open_tier(uri, StorageOptions())

    def test_a_file_in_its_place(self, tmp_path: Path) -> None:
        (tmp_path / "hot").write_text("")
        tier = open_tier(f"{tmp_path}/hot", StorageOptions())
        for write in (tier.put, tier.put_new):
            with pytest.raises(TierError, match="hot.*Not a directory|is not a folder"):
                write("a", b"1")

    def test_a_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tier = open_tier(f"{tmp_path}/hot", StorageOptions())

        def fail(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)
        tier_folder = tmp_path / "hot"
        (tier_folder / "_rekindle/tmp").mkdir(parents=True)
        for write in (tier.put, tier.put_new):
            with pytest.raises(TierError, match=f"hot tier {tier_folder}: a: No space left on device; free some space"):
                write("a", b"1")
        monkeypatch.undo()
        assert [path for path in tier_folder.rglob("*") if path.is_file()] == []

    def test_a_file_system_without_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(source: object, target: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", fail)
        tier = open_tier(str(tmp_path), StorageOptions())
        tier.probe_conditional_put()
        tier.put_new("a", b"1")
        with pytest.raises(FileExistsError):
            tier.put_new("a", b"2")
        assert tier.get("a") == b"1"

    def test_what_a_killed_process_left_is_not_listed(self, tmp_path: Path) -> None:
        tier = open_tier(str(tmp_path), StorageOptions())
        output = tier.open_output("a")
        output.write(b"1")
        assert paths(tier) == []
        output.abort()

    @pytest.mark.parametrize(
        ("bucket", "prefix"),
        [
            ("file://{}", "logs/hot/"),
            ("file://{}/logs", "hot/"),
            ("file://{}/logs/hot", ""),
            ("file://{}/logs/hot/events", ""),
            ("file://{}/logs/hotter", None),
            ("file://{}/link", "hot/"),
            ("file:///", "{}/logs/hot/"),
            ("bucket", None),
        ],
    )
    def test_where_it_lies_in_a_source(self, tmp_path: Path, bucket: str, prefix: str | None) -> None:
        (tmp_path / "logs").mkdir()
        (tmp_path / "link").symlink_to("logs")
        tier = open_tier(f"{tmp_path}/logs/hot", StorageOptions())
        through_a_link = open_tier(f"{tmp_path}/link/hot", StorageOptions())
        expected = prefix.format(str(tmp_path)[1:]) if prefix else prefix
        assert (
            tier.key_prefix_in(bucket.format(tmp_path))
            == through_a_link.key_prefix_in(bucket.format(tmp_path))
            == expected
        )


class TestS3:
    def test_where_it_lies_in_a_source(self) -> None:
        assert open_tier("s3://bucket/team/hot/", StorageOptions()).key_prefix_in("bucket") == "team/hot/"
        assert open_tier("s3://bucket", StorageOptions()).key_prefix_in("bucket") == ""
        assert open_tier("s3://bucket/hot", StorageOptions()).key_prefix_in("other") is None
        assert open_tier("s3://bucket/hot", StorageOptions()).key_prefix_in("file:///bucket") is None

    @pytest.mark.parametrize("fault", [Fault("", status=503), Fault("", reset=True)], ids=["503", "reset"])
    def test_trouble_passes(self, fault_proxy: FaultProxy, faulty: TierStore, fault: Fault) -> None:
        for method in ("PUT", "GET", "HEAD", "DELETE"):
            fault_proxy.add(replace(fault, key="hot/a", method=method))
        faulty.put("a", b"12345")
        assert faulty.get("a") == b"12345"
        assert faulty.exists("a")
        faulty.delete("a")
        assert paths(faulty) == []

    def test_503_is_no_conflict(self, fault_proxy: FaultProxy, faulty: TierStore) -> None:
        fault_proxy.add(Fault("hot/a", method="PUT", status=503))
        faulty.put_new("a", b"1")
        assert faulty.get("a") == b"1"

    def test_a_lost_answer_is_never_taken_for_success_of_another(
        self, fault_proxy: FaultProxy, faulty: TierStore
    ) -> None:
        fault_proxy.add(Fault("hot/a", method="PUT", lose_answer=True))
        with pytest.raises((FileExistsError, TierError)):
            faulty.put_new("a", b"1")
        assert faulty.get("a") == b"1"

    def test_a_cut_off_answer_is_not_taken_for_the_file(
        self, s3: S3, fault_proxy: FaultProxy, faulty: TierStore
    ) -> None:
        faulty.put("a", PART)
        fault_proxy.add(Fault("hot/a", truncate=1000))
        assert faulty.get("a") == PART
        fault_proxy.add(Fault("hot/a", truncate=1000))
        with faulty.open_input("a") as source:
            assert source.read() == PART

    def test_a_store_that_ignores_conditions_is_refused(
        self, s3: S3, fault_proxy: FaultProxy, faulty: TierStore
    ) -> None:
        fault_proxy.add(Fault("*", method="PUT", count=-1, drop_conditions=True))
        with pytest.raises(TierError, match="If-None-Match.*Use a store with conditional writes"):
            faulty.probe_conditional_put()
        assert paths(faulty) == []

    def test_a_store_that_does_not_know_conditions_is_refused(self, fault_proxy: FaultProxy, faulty: TierStore) -> None:
        fault_proxy.add(Fault("*", method="PUT", count=-1, status=501, code="NotImplemented"))
        with pytest.raises(TierError, match="NotImplemented.*Use a store with conditional writes"):
            faulty.probe_conditional_put()

    def test_no_parts_stay_behind(self, s3: S3) -> None:
        tier = open_tier(f"s3://{s3.bucket}/hot", s3.options)
        output = tier.open_output("a")
        for _ in range(40):
            output.write(PART)
        output.abort()
        assert s3.client.list_multipart_uploads(Bucket=s3.bucket).get("Uploads", []) == []

    def test_no_such_bucket(self, s3: S3) -> None:
        tier = open_tier(f"s3://{s3.bucket}-not/hot", s3.options)
        for call in (
            lambda: tier.put("a", b"1"),
            lambda: tier.put_new("a", b"1"),
            lambda: list(tier.list("")),
            tier.probe_conditional_put,
        ):
            with pytest.raises(
                TierError, match=f"hot tier s3://{s3.bucket}-not/hot: there is no bucket {s3.bucket}-not"
            ):
                call()

    def test_no_permission_to_write(self, fault_proxy: FaultProxy, faulty: TierStore) -> None:
        fault_proxy.add(Fault("hot/a", method="*", count=-1, status=403, code="AccessDenied"))
        for call in (
            lambda: faulty.put("a", b"1"),
            lambda: faulty.put_new("a", b"1"),
            lambda: faulty.get("a"),
            lambda: faulty.delete("a"),
        ):
            with pytest.raises(TierError, match="/hot/a: no permission to .*s3:PutObject"):
                call()

    def test_in_another_region(self, s3: S3, fault_proxy: FaultProxy, faulty: TierStore) -> None:
        fault_proxy.add(Fault("*", method="*", count=-1, status=301, code="PermanentRedirect", region="eu-west-1"))
        with pytest.raises(TierError, match=f"bucket {s3.bucket} is in eu-west-1: use --region eu-west-1"):
            faulty.put("a", b"1")

    def test_no_credentials(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        tier = open_tier(f"s3://{s3.bucket}/hot", s3.options)
        for call in (lambda: tier.put("a", b"1"), tier.delta_options, tier.polars_options, lambda: list(tier.list(""))):
            with pytest.raises(TierError, match="no credentials"):
                call()
