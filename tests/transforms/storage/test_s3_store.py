"""An S3 bucket as a source, over HTTP: every key, pages, ranges, and what networks and stores do on bad days."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import chain

import pytest

from tests.conftest import REGION, S3
from tests.fault_proxy import Fault, FaultProxy
from transforms.core.errors import (
    AccessError,
    ArchivedError,
    ConfigurationError,
    DeniedError,
    ObjectError,
    VanishedError,
)
from transforms.storage import ObjectInfo, ObjectStore, StorageOptions, open_store
from transforms.storage.s3 import RetryPolicy, S3Store, is_plain

AT_ONCE = RetryPolicy(first_seconds=0)
BLOCK = bytes(range(256)) * 4096  # 1 MiB
LARGE = BLOCK * 10
PLAIN_KEYS = [
    "a",
    "d/b",
    "a b",
    "a+b",
    "a%2Fb",
    "x#y?z",
    "[a]{b}",
    'q"\\^`|<>&amp;',
    "é",
    "😀",
    "...",
    "~",
    "*",
    "\x85",
]
NO_PATHS = ["a//b", "/lead", "../x", "a/../b", "./b", "a/."]
ODD_KEYS = ["dir/", "tab\tx", "\x01", "\x7f"]
KEYS = ["plain", "o\tdd"]
"""One that obstore reads, and one that boto3 reads."""
no_paths = pytest.mark.moto_only(
    reason="its keys are paths of files: none is empty, dotted, or listed below another object"
)


@pytest.fixture
def store(s3: S3) -> S3Store:
    return S3Store(s3.bucket, s3.options, retry=AT_ONCE)


@pytest.fixture
def faulty(s3: S3, fault_proxy: FaultProxy) -> S3Store:
    return S3Store(s3.bucket, replace(s3.options, endpoint_url=fault_proxy.endpoint_url), retry=AT_ONCE)


def all_objects(store: ObjectStore, prefix: str = "") -> list[ObjectInfo]:
    return list(chain.from_iterable(store.list_pages(prefix)))


def find(store: ObjectStore, key: str) -> ObjectInfo:
    return next(info for info in all_objects(store, key) if info.key == key)


def read(store: ObjectStore, info: ObjectInfo, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(store.read(info, start=start, end=end))


def reading_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    yield
    assert not reading_threads()


class TestListing:
    @pytest.mark.parametrize(
        "keys",
        [[*PLAIN_KEYS, *ODD_KEYS], pytest.param([*NO_PATHS, "a", "a/b"], marks=no_paths)],
        ids=["names", "no paths"],
    )
    def test_every_key_and_what_is_known_of_it(self, s3: S3, store: S3Store, keys: list[str]) -> None:
        for key in keys:
            s3.put(key, key.encode())
        found = {info.key: info for info in all_objects(store)}
        assert sorted(found) == sorted(keys)
        for key, info in found.items():
            head = s3.client.head_object(Bucket=s3.bucket, Key=key)
            assert info == ObjectInfo(
                s3.bucket, key, head["ETag"].strip('"'), len(key.encode()), info.modified, "STANDARD", restored=False
            )
            assert abs(info.modified - head["LastModified"]) < timedelta(seconds=1)
            assert info.modified.utcoffset() == timedelta(0)
            assert info.uri == f"s3://{s3.bucket}/{key}"
            assert info.identity == (s3.bucket, key, info.etag, len(key.encode()))

    def test_pages(self, s3: S3) -> None:
        keys = [f"p/{n:02}/\té" for n in range(25)]
        for key in keys:
            s3.put(key, b"x")
        pages = list(S3Store(s3.bucket, s3.options, page_objects=10).list_pages("p/"))
        assert [len(page) for page in pages] == [10, 10, 5]
        assert [info.key for page in pages for info in page] == keys

    def test_keys_as_s3_encodes_them(self, fault_proxy: FaultProxy, faulty: S3Store) -> None:
        """With `encoding-type=url` a blank is `+`, and a plus sign `%2B`, as in a form; other stores write `%20`."""
        entry = "<Contents><Key>{}</Key><Size>1</Size><LastModified>2025-01-01T00:00:00.000Z</LastModified></Contents>"
        encoded = ["a+b%2Bc", "a%20b", "d%2Fe%25", "%C3%A9%0A"]
        listed = "".join(map(entry.format, encoded))
        body = "<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>{}{}</ListBucketResult>"
        fault_proxy.add(Fault(None, status=200, body=body.format("<EncodingType>url</EncodingType>", listed)))
        assert [info.key for info in all_objects(faulty)] == ["a b+c", "a b", "d/e%", "é\n"]
        fault_proxy.add(Fault(None, status=200, body=body.format("", listed)))
        assert [info.key for info in all_objects(faulty)] == encoded

    def test_a_prefix_is_text_not_segments(self, s3: S3, store: S3Store) -> None:
        for key in ("logs/2025-01", "logs/2025-02/x", "logs/2024", "/logs/2025"):
            s3.put(key, b"x")
        assert [info.key for info in all_objects(store, "logs/2025-")] == ["logs/2025-01", "logs/2025-02/x"]
        assert [info.key for page in store.list_pages("logs/2025-", delimiter="/") for info in page] == ["logs/2025-01"]
        assert all_objects(store, "nothing") == []

    @pytest.mark.moto_only(reason="it has no archive")
    def test_restored_and_archived(self, s3: S3, store: S3Store) -> None:
        s3.put("cold", b"x", StorageClass="GLACIER")
        assert find(store, "cold").storage_class == "GLACIER"
        assert not find(store, "cold").restored

    def test_a_page_is_asked_for_again(self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store) -> None:
        s3.put("a", b"x")
        fault_proxy.add(Fault(None, status=503))
        fault_proxy.add(Fault(None, reset=True))
        fault_proxy.add(Fault(None, truncate=100))
        assert len(all_objects(faulty)) == 1
        assert len(fault_proxy.requests(None)) == 4

    def test_a_page_that_is_always_cut_off(self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store) -> None:
        s3.put("a", b"x")
        fault_proxy.add(Fault(None, truncate=100, count=-1))
        with pytest.raises(AccessError, match="to list it"):
            all_objects(faulty)

    @pytest.mark.parametrize("code", ["<html>no S3</html>", "<html><br>no XML</html>"])
    def test_a_server_that_is_no_s3(self, fault_proxy: FaultProxy, faulty: S3Store, code: str) -> None:
        fault_proxy.add(Fault(None, status=200, body=code, count=-1))
        with pytest.raises(AccessError, match=faulty.connection.endpoint_url):
            all_objects(faulty)


class TestReading:
    @pytest.mark.parametrize("key", [*PLAIN_KEYS, *ODD_KEYS, *(pytest.param(key, marks=no_paths) for key in NO_PATHS)])
    def test_every_key(self, s3: S3, store: S3Store, key: str) -> None:
        s3.put(key, key.encode() * 3)
        s3.put(key.strip("/") + "-not", b"another")
        assert read(store, find(store, key)) == key.encode() * 3

    @no_paths
    def test_two_objects_that_obstore_would_confuse(self, s3: S3, store: S3Store) -> None:
        for key in ("lead", "/lead", "lead/"):
            s3.put(key, key.encode())
        assert {info.key: read(store, info) for info in all_objects(store)} == {
            key: key.encode() for key in ("lead", "/lead", "lead/")
        }

    @pytest.mark.parametrize("key", KEYS)
    @pytest.mark.parametrize(
        ("start", "end"),
        [
            (0, None),
            (1, None),
            (0, 1),
            (100, 200),
            (len(LARGE) - 1, None),
            (0, 10 * len(LARGE)),
            (len(BLOCK), 9 * len(BLOCK)),
            (5, 5),
            (len(LARGE), None),
        ],
    )
    def test_ranges(self, s3: S3, store: S3Store, key: str, start: int, end: int | None) -> None:
        s3.put(key, LARGE)
        chunks = list(store.read(find(store, key), start=start, end=end))
        assert b"".join(chunks) == LARGE[start:end]
        assert all(0 < len(chunk) <= 4 << 20 for chunk in chunks)

    def test_an_empty_object_takes_no_request(self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store) -> None:
        s3.put("empty", b"")
        assert read(faulty, find(faulty, "empty")) == b""
        assert fault_proxy.requests("empty") == []

    def test_a_small_object_takes_one_request_and_no_thread(
        self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store
    ) -> None:
        s3.put("small", b"12345")
        chunks = faulty.read(find(faulty, "small"))
        assert next(chunks) == b"12345"
        assert not reading_threads()
        assert len(fault_proxy.requests("small")) == 1
        chunks.close()  # type: ignore[attr-defined]

    @pytest.mark.parametrize("key", KEYS)
    def test_bytes_come_as_they_are_stored(self, s3: S3, store: S3Store, key: str) -> None:
        s3.put(key, b"not really gzip", ContentEncoding="gzip")
        assert read(store, find(store, key)) == b"not really gzip"

    @pytest.mark.parametrize("key", KEYS)
    def test_closing_early_ends_the_thread_and_the_connection(self, s3: S3, store: S3Store, key: str) -> None:
        s3.put(key, LARGE)
        info = find(store, key)
        for _ in range(3):
            with closing(store.read(info)) as chunks:  # type: ignore[type-var]
                assert next(chunks)
                assert reading_threads()
            assert not reading_threads()

    def test_side_by_side(self, s3: S3, store: S3Store) -> None:
        keys = ["a", "b", "c\tc"]
        for key in keys:
            s3.put(key, key.encode() * 3_000_000)
        readers = {key: store.read(find(store, key)) for key in keys}
        got = dict.fromkeys(keys, b"")
        for chunk_of_each in zip(*readers.values(), strict=False):
            for key, chunk in zip(keys, chunk_of_each, strict=True):
                got[key] += chunk
        for key in keys:
            got[key] += b"".join(readers[key])
        assert {key: len(data) for key, data in got.items()} == {"a": 3_000_000, "b": 3_000_000, "c\tc": 9_000_000}


@pytest.mark.parametrize("key", KEYS)
class TestBadDays:
    @pytest.mark.parametrize(
        "fault",
        [
            Fault("", truncate=5_000_000),
            Fault("", truncate=5_000_000, reset=True),
            Fault("", truncate=0),
            Fault("", reset=True),
            Fault("", status=503, code="SlowDown"),
            Fault("", status=500, code="InternalError"),
            Fault("", status=429, code="TooManyRequests"),
            Fault("", status=400, code="RequestTimeout"),
        ],
        ids=["truncated", "reset midway", "no body", "reset", "503", "500", "429", "timeout"],
    )
    def test_goes_on_where_it_broke(
        self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store, key: str, fault: Fault
    ) -> None:
        s3.put(key, LARGE)
        fault_proxy.add(replace(fault, key=key, count=3))
        info = find(faulty, key)
        assert read(faulty, info, start=7) == LARGE[7:]
        requests = fault_proxy.requests(key)
        assert len(requests) == 4 if not fault.truncate else len(requests) >= 3
        starts = [int(one.headers["range"].removeprefix("bytes=").split("-")[0]) for one in requests]
        assert starts == sorted(starts)
        assert (starts[-1] > 7) == bool(fault.truncate)
        assert all(one.headers["if-match"] == f'"{info.etag}"' for one in requests)

    def test_only_failures_in_a_row_are_too_many(
        self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store, key: str
    ) -> None:
        """However often a large object breaks off: each time something comes, it goes on."""
        s3.put(key, LARGE)
        fault_proxy.add(Fault(key, truncate=1_100_000, count=7))
        store = S3Store(s3.bucket, faulty.connection.options, retry=replace(AT_ONCE, attempts=3))
        assert read(store, find(store, key)) == LARGE
        assert len(fault_proxy.requests(key)) == 8

    @pytest.mark.parametrize(
        "fault", [Fault("", truncate=0), Fault("", status=503), Fault("", reset=True)], ids=["no body", "503", "reset"]
    )
    def test_gives_up_at_last(self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store, key: str, fault: Fault) -> None:
        s3.put(key, b"12345")
        fault_proxy.add(replace(fault, key=key, count=-1))
        with pytest.raises(ObjectError, match="at byte 0 of 5.* 10 ") as raised:
            read(faulty, find(faulty, key))
        assert type(raised.value) is ObjectError
        assert f"s3://{s3.bucket}/{key}" in str(raised.value)

    def test_changed_since_it_was_listed(self, s3: S3, store: S3Store, key: str) -> None:
        s3.put(key, b"12345")
        info = find(store, key)
        s3.put(key, b"54321")
        with pytest.raises(VanishedError, match="changed since it was listed"):
            read(store, info)

    @pytest.mark.parametrize("knows_conditions", [True, False])
    def test_changed_while_it_was_read(
        self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store, key: str, knows_conditions: bool
    ) -> None:
        s3.put(key, LARGE)
        info = find(faulty, key)
        fault_proxy.add(Fault(key, truncate=5_000_000))
        fault_proxy.add(
            Fault(key, count=-1, drop_conditions=not knows_conditions, before=lambda: s3.put(key, LARGE[::-1]))
        )
        got: list[bytes] = []
        with pytest.raises(VanishedError, match="changed"):
            got.extend(faulty.read(info))
        assert LARGE.startswith(b"".join(got))
        assert got

    def test_an_etag_of_other_content(self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store, key: str) -> None:
        s3.put(key, b"12345")
        fault_proxy.add(Fault(key, count=-1, etag='"other"'))
        with pytest.raises(VanishedError, match="changed while it was read"):
            read(faulty, find(faulty, key))

    def test_shorter_at_a_store_without_etags(self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store, key: str) -> None:
        s3.put(key, b"12345")
        info = replace(find(faulty, key), etag="", size=7)
        with pytest.raises(VanishedError, match="became shorter"):
            read(faulty, info)

    @pytest.mark.parametrize("broken_at", [1, 4_500_000, len(LARGE) - 8], ids=["first", "middle", "last"])
    @pytest.mark.parametrize(
        "wrong",
        [
            Fault("", ranges=lambda first, last: None),
            Fault("", ranges=lambda first, last: (first - 1, last)),
            Fault("", ranges=lambda first, last: (first + 1, last)),
            Fault("", ranges=lambda first, last: (0, last)),
            Fault("", ranges=lambda first, last: (first, max(first, last - 1))),
            Fault("", ranges=lambda first, last: (max(0, first - 1), last - 1)),
            Fault("", content_length=lambda length: length - 1),
            Fault("", content_length=lambda length: length + 1),
        ],
        ids=["whole body", "earlier", "later", "from the start", "shorter", "shifted", "less body", "more body"],
    )
    @pytest.mark.parametrize("count", [2, -1], ids=["twice", "always"])
    def test_a_wrong_answer_to_a_resumed_range(
        self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store, key: str, broken_at: int, wrong: Fault, count: int
    ) -> None:
        """Never wrong bytes: the right ones once the store recovers, else an error that names the object."""
        s3.put(key, LARGE)
        info = find(faulty, key)
        fault_proxy.add(Fault(key, truncate=broken_at, reset=True))
        fault_proxy.add(replace(wrong, key=key, count=count))
        got: list[bytes] = []
        try:
            got.extend(faulty.read(info, start=7))
        except ObjectError as error:
            assert count < 0, error
            assert f"s3://{s3.bucket}/{key}" in str(error)
        else:
            assert count > 0
        data = b"".join(got)
        assert LARGE[7 : 7 + len(data)] == data
        assert count < 0 or len(data) == len(LARGE) - 7

    def test_vanished(self, s3: S3, store: S3Store, key: str) -> None:
        s3.put(key, b"12345")
        info = find(store, key)
        s3.client.delete_object(Bucket=s3.bucket, Key=key)
        with pytest.raises(VanishedError, match="is gone") as raised:
            read(store, info)
        assert raised.value.status == "vanished"

    @pytest.mark.moto_only(reason="it has no archive")
    def test_archived(self, s3: S3, store: S3Store, key: str) -> None:
        s3.put(key, b"12345", StorageClass="DEEP_ARCHIVE")
        with pytest.raises(ArchivedError, match="InvalidObjectState"):
            read(store, find(store, key))

    def test_one_object_may_not_be_read(self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store, key: str) -> None:
        s3.put(key, b"12345")
        fault_proxy.add(Fault(key, count=-1, status=403, code="AccessDenied"))
        with pytest.raises(DeniedError, match=r"no permission to read it \(AccessDenied.*s3:GetObject") as raised:
            read(faulty, find(faulty, key))
        assert isinstance(raised.value, ObjectError)
        assert isinstance(raised.value, AccessError)

    @pytest.mark.parametrize("code", ["ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch"])
    def test_credentials_refused_stop_everything(
        self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store, key: str, code: str
    ) -> None:
        s3.put(key, b"12345")
        fault_proxy.add(Fault(key, count=-1, status=403, code=code))
        with pytest.raises(AccessError, match=f"credentials are refused.*{code}") as raised:
            read(faulty, find(faulty, key))
        assert not isinstance(raised.value, ObjectError)

    def test_the_store_is_stopped_meanwhile(self, s3: S3, key: str) -> None:
        with FaultProxy(s3.endpoint_url) as proxy:
            store = S3Store(s3.bucket, replace(s3.options, endpoint_url=proxy.endpoint_url), retry=AT_ONCE)
            s3.put(key, b"12345")
            info = find(store, key)
        with pytest.raises(AccessError, match="can't be reached"):
            read(store, info)


class TestAccess:
    def test_no_such_bucket(self, s3: S3) -> None:
        with pytest.raises(AccessError, match=f"no bucket nowhere-{s3.bucket} at {s3.endpoint_url}"):
            all_objects(open_store(f"nowhere-{s3.bucket}", s3.options))

    def test_no_permission_to_list(self, fault_proxy: FaultProxy, faulty: S3Store) -> None:
        fault_proxy.add(Fault(None, count=-1, status=403, code="AccessDenied"))
        with pytest.raises(AccessError, match="no permission to list it.*s3:ListBucket") as raised:
            all_objects(faulty, "logs/")
        assert not isinstance(raised.value, ObjectError)
        assert f"s3://{faulty.bucket}/logs/:" in str(raised.value)

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(None, count=-1, status=301, code="PermanentRedirect", region="eu-west-1"),
            Fault(None, count=-1, status=307, code="TemporaryRedirect", region="eu-west-1"),
            Fault(None, count=-1, status=400, code="AuthorizationHeaderMalformed", region="eu-west-1"),
            Fault(None, count=-1, status=400, code="IllegalLocationConstraintException", region="eu-west-1"),
        ],
        ids=lambda fault: fault.code,
    )
    def test_in_another_region(self, s3: S3, fault_proxy: FaultProxy, faulty: S3Store, fault: Fault) -> None:
        s3.put("a", b"x")
        info = find(faulty, "a")
        fault_proxy.add(replace(fault))
        fault_proxy.add(replace(fault, key="a"))
        seen = len(fault_proxy.seen)
        message = f"bucket {s3.bucket} is in eu-west-1: use --region eu-west-1"
        with pytest.raises(AccessError, match=message):
            all_objects(faulty)
        assert len(fault_proxy.seen) == seen + 1, "it must not be followed there"
        with pytest.raises(AccessError, match=message):
            read(faulty, info)

    def test_nobody_listens(self, s3: S3) -> None:
        store = S3Store("bucket", replace(s3.options, endpoint_url="http://127.0.0.1:1"))
        with pytest.raises(AccessError, match=r"http://127.0.0.1:1 can't be reached.*--endpoint-url"):
            all_objects(store)

    def test_no_credentials(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        s3.put("a", b"x", ACL="public-read")
        s3.make_public()
        info = find(open_store(s3.bucket, s3.options), "a")
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        store = open_store(s3.bucket, s3.options)
        with pytest.raises(AccessError, match="no credentials.*--no-sign-request"):
            all_objects(store)
        with pytest.raises(AccessError, match="no credentials"):
            read(store, info)
        public = open_store(s3.bucket, replace(s3.options, no_sign_request=True))
        assert read(public, find(public, "a")) == b"x"

    def test_unsigned_requests_have_no_signature(self, s3: S3, fault_proxy: FaultProxy) -> None:
        s3.put("a", b"x", ACL="public-read")
        s3.put("\ta", b"x", ACL="public-read")
        s3.make_public()
        for no_sign_request in (False, True):
            options = replace(s3.options, endpoint_url=fault_proxy.endpoint_url, no_sign_request=no_sign_request)
            fault_proxy.seen.clear()
            store = open_store(s3.bucket, options)
            assert [read(store, info) for info in all_objects(store)] == [b"x", b"x"]
            assert len(fault_proxy.seen) == 3
            assert all(("authorization" not in one.headers) == no_sign_request for one in fault_proxy.seen)

    def test_the_requester_pays(self, s3: S3, fault_proxy: FaultProxy) -> None:
        s3.put("a", b"x")
        s3.put("\ta", b"x")
        store = open_store(s3.bucket, replace(s3.options, endpoint_url=fault_proxy.endpoint_url, request_payer=True))
        assert [read(store, info) for info in all_objects(store)] == [b"x", b"x"]
        assert [one.headers.get("x-amz-request-payer") for one in fault_proxy.seen] == ["requester"] * 3

    @pytest.mark.parametrize(
        ("options", "field"),
        [
            (StorageOptions(profile="nobody"), "profile"),
            (StorageOptions(endpoint_url="nonsense"), "endpointUrl"),
            (StorageOptions(endpoint_url="http://127.0.0.1:1", ca_bundle="/no/such/file", region=REGION), "caBundle"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_options_that_can_not_be(self, aws_environment: None, options: StorageOptions, field: str) -> None:
        info = ObjectInfo("bucket", "key", "etag", 1, datetime.now(timezone.utc))
        with pytest.raises(ConfigurationError) as raised:
            read(open_store("bucket", options), info)
        assert raised.value.field == field

    @pytest.mark.parametrize("bucket", ["", "s3://", "gs://bucket", "bucket/logs", "s3://bucket/logs", "no spaces"])
    def test_names_of_no_bucket(self, s3: S3, bucket: str) -> None:
        with pytest.raises(ConfigurationError) as raised:
            all_objects(open_store(bucket, s3.options))
        assert raised.value.field == "bucket"

    def test_the_scheme_may_be_written(self, s3: S3) -> None:
        assert open_store(f"s3://{s3.bucket}/", s3.options).bucket == s3.bucket

    def test_the_environment_does_not_override_what_is_said(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        s3.put("a", b"x")
        for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        store = open_store(s3.bucket, s3.options)
        assert b"".join(store._fast_request(find(store, "a"), 0, 1)) == b"x"  # type: ignore[attr-defined]  # noqa: SLF001 - boto3 would help out

    def test_the_environments_endpoint_is_taken(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        s3.put("a", b"x")
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint_url)
        store = open_store(s3.bucket, StorageOptions())
        assert b"".join(store._fast_request(find(store, "a"), 0, 1)) == b"x"  # type: ignore[attr-defined]  # noqa: SLF001


@pytest.mark.parametrize("key", PLAIN_KEYS)
def test_plain_keys(key: str) -> None:
    assert is_plain(key)


@pytest.mark.parametrize("key", [*NO_PATHS, *ODD_KEYS, "", "/"])
def test_odd_keys(key: str) -> None:
    assert not is_plain(key)


def test_pauses_grow_up_to_a_bound() -> None:
    policy = RetryPolicy(first_seconds=1, longest_seconds=10)
    for failures, longest in [(1, 1), (2, 2), (3, 4), (5, 10), (100, 10)]:
        assert longest / 2 <= policy.seconds(failures) <= longest
