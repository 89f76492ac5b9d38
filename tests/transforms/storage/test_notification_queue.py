"""A queue of notifications, on moto's SQS over HTTP."""

from __future__ import annotations

import json
import uuid
from typing import Any

import boto3
import pytest

from tests.conftest import REGION, S3
from transforms.core.errors import AccessError, ConfigurationError
from transforms.storage import StorageOptions
from transforms.storage.notification_queue import (
    NotificationQueue,
    QueueState,
    check_queue_url,
    is_of_aws,
    region_of_queue,
)

pytestmark = pytest.mark.moto_only(reason="it has no SQS")
AWS = "https://sqs.eu-west-1.amazonaws.com/123456789012/new-logs"


@pytest.fixture
def sqs(s3: S3) -> Any:
    return boto3.client("sqs", endpoint_url=s3.endpoint_url, region_name=REGION)


@pytest.fixture
def url(sqs: Any) -> str:
    return str(sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex}")["QueueUrl"])


def test_received_hidden_and_deleted(s3: S3, sqs: Any, url: str) -> None:
    for number in range(12):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    queue = NotificationQueue(url, s3.options)
    assert queue.state() == QueueState(waiting=12, has_dead_letters=False)
    received = [*queue.receive(wait_seconds=0), *queue.receive(wait_seconds=0)]
    assert sorted(int(one.body) for one in received) == list(range(12))
    assert {one.received for one in received} == {1}
    assert queue.receive(wait_seconds=0) == []
    queue.hide(received[:1], 0)
    again = queue.receive(wait_seconds=0)
    assert [(one.id, one.received) for one in again] == [(received[0].id, 2)]
    queue.delete(again + received[1:])
    queue.delete(received)  # once more, by receipts that are of no use now
    queue.hide(received, 0)
    assert queue.state().waiting == 0


def test_a_dead_letter_rule_is_known(s3: S3, sqs: Any, url: str) -> None:
    dead = sqs.create_queue(QueueName=f"d-{uuid.uuid4().hex}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": rule})
    assert NotificationQueue(url, s3.options).state().has_dead_letters


def test_a_queue_that_is_not_there(s3: S3, url: str) -> None:
    with pytest.raises(AccessError, match="there is no queue .*gone: check --queue"):
        NotificationQueue(f"{url}gone", s3.options).receive(wait_seconds=0)


def test_nobody_answers(aws_environment: None) -> None:
    queue = NotificationQueue("http://127.0.0.1:9/1/q", StorageOptions(endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(AccessError, match=r"queue http://127\.0\.0\.1:9/1/q can't be used"):
        queue.state()


@pytest.mark.parametrize(
    ("url", "region"),
    [
        (AWS, "eu-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1"),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/1/q", "us-gov-west-1"),
        ("https://us-west-2.queue.amazonaws.com/1/q", "us-west-2"),
        ("https://queue.amazonaws.com/1/q", "us-east-1"),
        ("http://127.0.0.1:1/1/q", None),
        ("https://sqs.eu-west-1.amazonaws.com.evil.example/1/q", None),
    ],
)
def test_regions_of_queues(url: str, region: str | None) -> None:
    assert region_of_queue(url) == region
    assert is_of_aws(url) == (region is not None)


@pytest.mark.parametrize(
    "url",
    ["", "new-logs", "arn:aws:sqs:eu-west-1:1:q", "ftp://h/1/q", "https://h/q", "https://u:p@h/1/q", "https://h/1/q?a",
     "https://h/1/q#f", "https:///1/q", "https://[/1/q", "https://h/1/ü", "https://h/1/a b"],
)  # fmt: skip
def test_no_urls_of_queues(url: str) -> None:
    with pytest.raises(ConfigurationError, match="is not the URL of a queue"):
        check_queue_url(url)


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://169.254.169.254/1/q", None),
        ("http://127.0.0.1:1/1/q", "http://127.0.0.1:2"),
        ("http://sqs.eu-west-1.amazonaws.com/1/q", None),  # without TLS
        ("https://sqs.eu-west-1.amazonaws.com:8443/1/q", None),
    ],
)
def test_only_the_endpoint_that_is_given_is_asked(url: str, endpoint: str | None) -> None:
    with pytest.raises(ConfigurationError, match="name its endpoint by --endpoint-url"):
        NotificationQueue(url, StorageOptions(endpoint_url=endpoint))


def test_a_queue_of_aws_needs_no_endpoint() -> None:
    NotificationQueue(AWS, StorageOptions(endpoint_url="http://minio:9000"))
