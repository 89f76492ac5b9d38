"""An S3 bucket as an object store.

It is listed by boto3, which gives any key, and read by obstore, which is twice as fast (523 MB/s on one connection
against 254), where obstore can name the key. Whatever obstore stumbles over is tried again by boto3, whose errors have
codes.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property, partial
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_plus
from xml.etree import ElementTree

import botocore.exceptions as sdk
import obstore
from botocore.utils import parse_timestamp
from obstore.exceptions import BaseError
from obstore.store import S3Store as FastStore

from transforms.core.errors import AccessError, ObjectError, VanishedError
from transforms.storage.objects import CHUNK_BYTES, PAGE_OBJECTS, ObjectInfo, ObjectStore, StorageOptions
from transforms.storage.read_ahead import read_ahead
from transforms.storage.s3_connection import S3Connection, is_transient

_SDK_CHUNK_BYTES = 1 << 20
_CONTENT_RANGE = re.compile(r"bytes (?P<first>[0-9]+)-(?P<last>[0-9]+)/(?P<size>[0-9]+)")


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often a read without progress is tried again, and its pause: doubled each time, randomly halved.

    Attributes:
        attempts: How many attempts in a row may bring nothing.
        first_seconds: The first pause.
        longest_seconds: The longest.
    """

    attempts: int = 10
    first_seconds: float = 0.1
    longest_seconds: float = 15.0

    def seconds(self, failures: int) -> float:
        """Return the pause after so many failures in a row."""
        return min(self.first_seconds * 2.0 ** (failures - 1), self.longest_seconds) * random.uniform(0.5, 1)


class S3Store(ObjectStore):
    """The objects of one bucket."""

    def __init__(
        self,
        bucket: str,
        options: StorageOptions,
        *,
        retry: RetryPolicy | None = None,
        page_objects: int = PAGE_OBJECTS,
    ) -> None:
        """Ask for nothing yet."""
        self.bucket = bucket
        self.connection = S3Connection(bucket, options)
        self._retry = retry or RetryPolicy()
        self._page_objects = page_objects

    def list_pages(self, prefix: str, *, delimiter: str | None = None) -> Iterator[list[ObjectInfo]]:
        """Yield the objects whose keys begin with the prefix, a request a page, by their keys' UTF-8 bytes."""
        request: dict[str, Any] = {
            "Bucket": self.bucket,
            "Prefix": prefix,
            "MaxKeys": self._page_objects,
            "EncodingType": "url",
            "OptionalObjectAttributes": ["RestoreStatus"],
            **self.connection.payer,
            **({"Delimiter": delimiter} if delimiter else {}),
        }
        while True:
            try:
                answer = self._lister.list_objects_v2(**request)
            except (sdk.ClientError, sdk.BotoCoreError) as error:
                raise self.connection.explain(error, doing="list", key=prefix) from error
            if _OBJECTS not in answer:
                raise AccessError(
                    f"{self.connection.endpoint_url} does not answer as S3 does to a listing of {self.bucket}: "
                    "check --endpoint-url"
                )
            yield answer[_OBJECTS]
            if not answer.get("IsTruncated"):
                return
            request["ContinuationToken"] = answer["NextContinuationToken"]

    def look_up(self, key: str) -> ObjectInfo:
        """Return an object as it is now, by one request."""
        try:
            answer = self.connection.client.head_object(Bucket=self.bucket, Key=key, **self.connection.payer)
        except (sdk.ClientError, sdk.BotoCoreError) as error:
            raise self.connection.explain(error, doing="read", key=key) from error
        return ObjectInfo(
            bucket=self.bucket,
            key=key,
            etag=answer.get("ETag", "").strip('"'),
            size=answer["ContentLength"],
            modified=answer["LastModified"].astimezone(timezone.utc),
            storage_class=answer.get("StorageClass", "STANDARD"),
            restored='ongoing-request="false"' in answer.get("Restore", ""),
        )

    def read(self, info: ObjectInfo, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield an object's bytes; after a break the next request goes on at the offset, if the ETag is the same."""
        stop = info.size if end is None else min(end, info.size)
        if start >= stop:
            return
        stopped = threading.Event()
        chunks = self._chunks(info, start, stop, stopped)
        yield from chunks if stop - start <= CHUNK_BYTES else read_ahead(chunks, stopped)

    def _chunks(
        self, info: ObjectInfo, position: int, stop: int, stopped: threading.Event
    ) -> Generator[bytes, None, None]:
        request: Callable[[ObjectInfo, int, int], Iterator[bytes]] = (
            self._fast_request if is_plain(info.key) else self._request
        )
        failures = 0
        while position < stop and not stopped.is_set():
            cause: Exception | None = None
            try:
                for chunk in request(info, position, stop):
                    position += len(chunk)
                    failures = 0
                    yield chunk
            except _WrongAnswerError as error:
                cause = error
            except (BaseError, FileNotFoundError, ValueError, sdk.ClientError, sdk.BotoCoreError) as error:
                if request == self._request and not is_transient(error):
                    raise self.connection.explain(error, doing="read", key=info.key) from error
                cause = error
            if position < stop:
                failures += 1
                if request == self._request:
                    self._give_up_or_pause(info, position, failures, cause, stopped)
                request = self._request

    def _give_up_or_pause(
        self, info: ObjectInfo, position: int, failures: int, cause: Exception | None, stopped: threading.Event
    ) -> None:
        if failures < self._retry.attempts:
            stopped.wait(self._retry.seconds(failures))
            return
        if cause is None:
            raise ObjectError(
                f"{info.uri}: the store ends the answer at byte {position} of {info.size}, {failures} times in a row"
            )
        if isinstance(cause, _WrongAnswerError):
            raise ObjectError(
                f"{info.uri}: {cause}, {failures} times in a row (at byte {position} of {info.size}): the store, or a "
                "gateway before it, does not answer ranges as S3 does; nothing of this answer was used"
            ) from cause
        error = self.connection.explain(cause, doing="read", key=info.key)
        raise type(error)(f"{error} (at byte {position} of {info.size}, after {failures} attempts)") from cause

    def _fast_request(self, info: ObjectInfo, start: int, stop: int) -> Iterator[bytes]:
        answer = obstore.get(
            self._fast_store,
            info.key,
            options={"range": (start, stop), **({"if_match": f'"{info.etag}"'} if info.etag else {})},
        )
        _require_same(info, answer.meta["e_tag"])
        _require_range(info, (start, stop), answer.range, answer.meta["size"])
        yield from _at_most(answer.stream(min_chunk_size=CHUNK_BYTES), stop - start)

    def _request(self, info: ObjectInfo, start: int, stop: int) -> Iterator[bytes]:
        condition = {"IfMatch": f'"{info.etag}"'} if info.etag else {}
        answer = self.connection.plain_client.get_object(
            Bucket=self.bucket, Key=info.key, Range=f"bytes={start}-{stop - 1}", **condition, **self.connection.payer
        )
        with closing(answer["Body"]) as body:
            _require_same(info, answer.get("ETag"))
            given, size = _range_of(answer)
            _require_range(info, (start, stop), given, size)
            if answer["ContentLength"] != stop - start:
                raise _WrongAnswerError(
                    f"{stop - start} bytes were asked for, and Content-Length says {answer['ContentLength']}"
                )
            yield from _at_most(iter(partial(body.read, _SDK_CHUNK_BYTES), b""), stop - start)

    @cached_property
    def _fast_store(self) -> FastStore:
        return self.connection.fast_store(retries=0)

    @cached_property
    def _lister(self) -> Any:  # noqa: ANN401 - boto3 has no types
        client = self.connection.client
        client.meta.events.register("before-parse.s3.ListObjectsV2", _Listing(self.bucket))
        return client


def is_plain(key: str) -> bool:
    """Whether obstore names the object of this key by it, and no other.

    Its `Path` drops a slash at the beginning or end, and refuses empty, `.` and `..` segments and control characters.
    """
    return all(part not in ("", ".", "..") for part in key.split("/")) and not any(c < " " or c == "\x7f" for c in key)


def _require_same(info: ObjectInfo, etag: str | None) -> None:
    """Refuse an answer of other content, also from a store that takes no notice of If-Match."""
    if info.etag and etag is not None and etag.strip('"') != info.etag:
        raise VanishedError(
            f"{info.uri}: it changed while it was read (ETag {info.etag} when it was listed, now {etag})"
        )


class _WrongAnswerError(Exception):
    """The store answered another question than was asked: such an answer is not used, and the request made again."""


def _range_of(answer: dict[str, Any]) -> tuple[tuple[int, int], int]:
    """Return which bytes an answer of `GetObject` holds, and the size of the whole object.

    RFC 9110 §15.3.7: 206 says so in `Content-Range`; any other status means the whole object.

    Raises:
        _WrongAnswerError: it says neither.
    """
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    if status == HTTPStatus.PARTIAL_CONTENT:
        match = _CONTENT_RANGE.fullmatch(answer.get("ContentRange") or "")
        if match is None:
            raise _WrongAnswerError(f"status 206 with the Content-Range {answer.get('ContentRange')!r}")
        return (int(match["first"]), int(match["last"]) + 1), int(match["size"])
    return (0, answer["ContentLength"]), answer["ContentLength"]


def _require_range(info: ObjectInfo, asked: tuple[int, int], given: tuple[int, int], size: int) -> None:
    """Refuse an answer of other bytes than were asked for.

    Args:
        info: The object, as it was listed.
        asked: The first byte, and the one after the last.
        given: The same of the answer.
        size: The object's size, as the answer has it.

    Raises:
        VanishedError: the object has another size than when it was listed.
        _WrongAnswerError: the answer is of another range.
    """
    if size != info.size:
        became = "shorter" if size < info.size else "longer"
        raise VanishedError(
            f"{info.uri}: it became {became} since it was listed: {info.size} bytes then, and {size} now"
        )
    if given != asked:
        shown = [f"{first} to {after - 1}" for first, after in (asked, given)]
        raise _WrongAnswerError(f"bytes {shown[0]} were asked for, and bytes {shown[1]} came")


def _at_most(chunks: Iterable[Any], most: int) -> Iterator[bytes]:
    """Yield the chunks of an answer.

    Raises:
        _WrongAnswerError: it goes on behind its end; nothing of that is yielded.
    """
    for chunk in chunks:
        most -= len(chunk)
        if most < 0:
            raise _WrongAnswerError(f"{-most} bytes more came than were asked for")
        yield chunk


_OBJECTS = "RekindleObjects"


class _Listing:
    """Take the objects out of a ListObjectsV2 answer before boto3 parses it: 10 ms a page of 1,000, not 50."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def __call__(self, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
        # two threads may have registered it
        if response_dict["status_code"] != 200 or _OBJECTS in customized_response_dict:
            return
        try:
            root = ElementTree.fromstring(response_dict["body"])
        except ElementTree.ParseError:  # cut off, or no XML: boto3 reports it
            return
        if not root.tag.endswith("ListBucketResult"):
            return
        namespace = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
        decode = unquote_plus if root.findtext(f"{namespace}EncodingType") == "url" else str
        found = root.findall(f"{namespace}Contents")
        customized_response_dict[_OBJECTS] = [self._info(element, namespace, decode) for element in found]
        for element in found:
            root.remove(element)
        response_dict["body"] = ElementTree.tostring(root)

    def _info(self, element: ElementTree.Element, namespace: str, decode: Callable[[str], str]) -> ObjectInfo:
        field = {child.tag[len(namespace) :]: child.text or "" for child in element}
        restore = element.find(f"{namespace}RestoreStatus")
        return ObjectInfo(
            self._bucket,
            decode(field["Key"]),
            field.get("ETag", "").strip('"'),
            int(field["Size"]),
            _time(field["LastModified"]),
            field.get("StorageClass"),
            restore is not None and restore.findtext(f"{namespace}RestoreExpiryDate") is not None,
        )


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:  # a store with another number of digits
        parsed: datetime = parse_timestamp(text)
        return parsed
