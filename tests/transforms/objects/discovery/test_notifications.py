"""Which objects a message of a queue is about, in whatever it is wrapped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from transforms.objects.discovery.notifications import CreatedObject, Notification, created_keys, parse_notification


def record(key: str = "logs/a.log", event: str = "ObjectCreated:Put", **more: Any) -> dict[str, Any]:
    described = {"key": key, "size": 3, "eTag": "e1", "sequencer": "0055AED6DCD90281E5"} | more
    return {"eventName": event, "s3": {"bucket": {"name": "b"}, "object": described}}


def s3(*records: dict[str, Any]) -> str:
    return json.dumps({"Records": records})


def sns(message: str) -> str:
    return json.dumps({"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:…", "Message": message})


def bridge(kind: str = "Object Created", **more: Any) -> dict[str, Any]:
    described = {"key": "logs/a b+c.log", "size": 3, "etag": "e1"} | more
    return {"detail-type": kind, "source": "aws.s3", "detail": {"bucket": {"name": "b"}, "object": described}}


def created(key: str = "logs/a.log") -> CreatedObject:
    return CreatedObject(bucket="b", key=key, etag="e1", size=3)


A = created()
EMPTY = CreatedObject(bucket="b", key="logs/a.log", etag="e1", size=0)
UNDESCRIBED = CreatedObject(bucket="b", key="logs/a.log")
CASES = {
    "of S3": (s3(record()), Notification(created=(A,))),
    "by a copy": (s3(record(event="ObjectCreated:Copy")), Notification(created=(A,))),
    "in parts": (s3(record(event="s3:ObjectCreated:CompleteMultipartUpload")), Notification(created=(A,))),
    "with a version": (s3(record(versionId="v1")), Notification(created=(A,))),
    "wrapped by SNS": (sns(s3(record())), Notification(created=(A,))),
    "wrapped by SNS twice": (sns(sns(s3(record()))), Notification(created=(A,))),
    "as SNS hands it to Lambda": (s3({"Sns": {"Message": s3(record())}}), Notification(created=(A,))),
    "several": (s3(record(), record("x"), record(event="ObjectRemoved:Delete")),
                Notification(created=(A, created("x")), others=1)),
    "blanks and plus": (s3(record("logs/a+b%2Bc+%C3%A9.log")),
                        Notification(created=(created("logs/a b+c é.log"),))),
    "no bytes": (s3(record(size=0)), Notification(created=(EMPTY,))),
    "without size and ETag": (s3(record(size=None, eTag=None)), Notification(created=(UNDESCRIBED,))),
    "EventBridge": (json.dumps(bridge()), Notification(created=(created("logs/a b+c.log"),))),
    "EventBridge by SNS": (sns(json.dumps(bridge(key="k"))), Notification(created=(created("k"),))),
    "EventBridge, a deletion": (json.dumps(bridge("Object Deleted")), Notification(others=1)),
    "a deletion": (s3(record(event="ObjectRemoved:Delete")), Notification(others=1)),
    "a restore": (s3(record(event="ObjectRestore:Completed")), Notification(others=1)),
    "S3's test": ('{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}', Notification(others=1)),
    "S3's test by SNS": (sns('{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}'), Notification(others=1)),
    "no records": (s3(), Notification()),
}  # fmt: skip
UNREADABLE = {
    "nothing": "",
    "text": "hello",
    "a number": "7",
    "a list": "[]",
    "another document": '{"a": 1}',
    "a record that is none": '{"Records": [1]}',
    "records of others": '{"Records": [{"eventSource": "aws:kinesis", "kinesis": {}}]}',
    "no JSON within SNS": sns("hello"),
    "wrapped for ever": sns(sns(sns(sns(s3(record()))))),
    "EventBridge without an object": '{"source":"aws.s3","detail-type":"Object Created","detail":{}}',
    "lone surrogate": '{"Records": "\\ud800"}',
}


@pytest.mark.parametrize(("body", "expected"), CASES.values(), ids=CASES)
def test_what_is_announced(body: str, expected: Notification) -> None:
    assert parse_notification(body) == expected


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_notification(body: str) -> None:
    assert parse_notification(body) == Notification(is_readable=False)


@pytest.mark.parametrize("part", [{"bucket": "b"}, {"bucket": {}, "object": {}}, {"bucket": {"name": 1}, "object": {}}])
def test_a_creation_without_its_object_is_let_go(part: Any) -> None:
    found = parse_notification(json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": part}]}))
    assert found == Notification(others=1)


def test_objects_of_another_bucket() -> None:
    found = parse_notification(s3(record()))
    assert list(created_keys(found, "b")) == [A]
    assert list(created_keys(found, "c")) == []
