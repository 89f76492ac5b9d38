"""Which objects a notification of S3 is about: S3's own form, also wrapped by SNS, and EventBridge's.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import orjson

_CREATED = "ObjectCreated:"
_DEEPEST = 4
"""How many wraps are taken off: SNS in EventBridge in SNS is more than anybody sends."""


@dataclass(frozen=True, kw_only=True)
class CreatedObject:
    """An object that was created, as a notification has it.

    Attributes:
        bucket: The bucket's name.
        key: The whole key, decoded.
        etag: Its ETag without quotes, "" where the notification has none.
        size: In bytes, None where the notification has none.
    """

    bucket: str
    key: str
    etag: str = ""
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Notification:
    """What a message is about.

    Attributes:
        created: Objects that were created.
        others: How many other events it has: deletions, restores, S3's test of a queue.
        is_readable: Whether it is a notification of S3 at all.
    """

    created: tuple[CreatedObject, ...] = ()
    others: int = 0
    is_readable: bool = True


_UNREADABLE = Notification(is_readable=False)
_OTHER = Notification(others=1)


def parse_notification(body: str) -> Notification:
    """Return what a message of a queue is about, whatever it holds."""
    document: object = body
    for _ in range(_DEEPEST):
        if isinstance(document, str):
            try:
                document = orjson.loads(document)
            except orjson.JSONDecodeError:
                return _UNREADABLE
        if not isinstance(document, dict):
            return _UNREADABLE
        found = _parse(document)
        if found is not None:
            return found
        document = document.get("Message")  # SNS
    return _UNREADABLE


def _parse(document: dict[str, Any]) -> Notification | None:
    """Return what a document is about, None where it may be a wrap."""
    records = document.get("Records")
    if isinstance(records, list):
        return _of_records(records)
    if document.get("Event") == "s3:TestEvent":
        return _OTHER
    if document.get("source") == "aws.s3" and isinstance(document.get("detail"), dict):
        return _of_event_bridge(document)
    return None


def _of_records(records: list[Any]) -> Notification:
    created: list[CreatedObject] = []
    others = 0
    for record in records:
        if not isinstance(record, dict):
            return _UNREADABLE
        if "Sns" in record and isinstance(record["Sns"], dict):  # as SNS hands on to Lambda, and some forward
            nested = parse_notification(str(record["Sns"].get("Message", "")))
            created += nested.created
            others += nested.others
            continue
        s3, name = record.get("s3"), str(record.get("eventName", "")).removeprefix("s3:")
        if not isinstance(s3, dict):
            return _UNREADABLE
        found = _created(s3, decode=True) if name.startswith(_CREATED) else None
        if found is not None:
            created.append(found)
        else:
            others += 1
    return Notification(created=tuple(created), others=others)


def _of_event_bridge(document: dict[str, Any]) -> Notification:
    if document.get("detail-type") != "Object Created":
        return _OTHER
    found = _created(document["detail"], decode=False)  # keys are as they are there
    return _UNREADABLE if found is None else Notification(created=(found,))


def _created(part: dict[str, Any], *, decode: bool) -> CreatedObject | None:
    bucket, described = part.get("bucket"), part.get("object")
    if not isinstance(bucket, dict) or not isinstance(described, dict):
        return None
    name, key = bucket.get("name"), described.get("key")
    if not isinstance(name, str) or not isinstance(key, str) or not key:
        return None
    etag, size = described.get("eTag", described.get("etag", "")), described.get("size")
    return CreatedObject(
        bucket=name,
        key=unquote_plus(key) if decode else key,
        etag=etag.strip('"') if isinstance(etag, str) else "",
        size=size if isinstance(size, int) and size >= 0 else None,
    )


def created_keys(notification: Notification, bucket: str) -> Iterator[CreatedObject]:
    """Yield the objects of a bucket."""
    return (one for one in notification.created if one.bucket == bucket)
