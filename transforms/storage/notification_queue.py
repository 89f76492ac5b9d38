"""An SQS queue of notifications: messages are received, hidden from others while they are at work, and deleted.

A message that is neither deleted nor hidden again comes back when its time is over, so that what a killed process had
received is received by another (docs/watch.md).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import botocore.exceptions as sdk
from botocore.config import Config

from transforms.core.errors import AccessError, ConfigurationError, RekindleError
from transforms.storage.objects import StorageOptions
from transforms.storage.s3_connection import S3Connection

MOST_AT_ONCE = 10
"""Of SQS: how many messages a request receives, hides or deletes."""
HIDDEN_SECONDS = 60
"""How long others do not see what was received; it is hidden again before."""
LONGEST_HIDDEN_SECONDS = 43_200
"""Of SQS: 12 hours."""
_RIGHTS = "sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility and sqs:GetQueueAttributes on the queue"
_OF_AWS = re.compile(
    r"(?:sqs(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)"
    r"|(?P<legacy>[a-z0-9-]+)\.queue\.amazonaws\.com(?:\.cn)?|queue\.amazonaws\.com)"
)
_READ_TIMEOUT = 40
_ATTRIBUTES = ["ApproximateReceiveCount", "SentTimestamp"]


@dataclass(frozen=True, kw_only=True)
class QueueMessage:
    """A message as it was received.

    Attributes:
        id: The same whenever it is received.
        receipt: By which this receiver hides and deletes it.
        body: Its text.
        received: How often it was received by now, this time included.
        sent: When it was sent.
    """

    id: str
    receipt: str
    body: str
    received: int
    sent: datetime


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """What a queue tells of itself.

    Attributes:
        waiting: About how many messages wait to be received.
        has_dead_letters: Whether what is received too often goes to another queue.
    """

    waiting: int
    has_dead_letters: bool


class NotificationQueue:
    """One queue. Its methods raise AccessError where it can't be reached, or refuses."""

    def __init__(self, url: str, options: StorageOptions) -> None:
        """Take the queue's URL; nothing is requested yet.

        Args:
            url: As SQS names the queue.
            options: How S3 is reached; profile, role and, where the queue is not AWS's, the endpoint hold for SQS too.

        Raises:
            ConfigurationError: the URL is none of a queue, has credentials, or is of another endpoint than the one that
                is asked.
        """
        check_queue_url(url)
        self.url = url
        self._connection = S3Connection("", options)
        self._region = region_of_queue(url) or self._connection.region
        self._endpoint = None if is_of_aws(url) else _own_endpoint(url, options)
        self._making = threading.Lock()

    def receive(self, *, wait_seconds: int) -> list[QueueMessage]:
        """Return up to ten messages, as soon as there is one; nothing after so many seconds."""
        answer = self._ask(
            "receive_message",
            MaxNumberOfMessages=MOST_AT_ONCE,
            WaitTimeSeconds=wait_seconds,
            VisibilityTimeout=HIDDEN_SECONDS,
            AttributeNames=_ATTRIBUTES,
        )
        return [_message(one) for one in answer.get("Messages", ())]

    def delete(self, messages: Sequence[QueueMessage]) -> None:
        """Delete messages; one that is gone already is no error."""
        for block in _blocks(messages):
            entries = [{"Id": str(number), "ReceiptHandle": one.receipt} for number, one in enumerate(block)]
            self._ask("delete_message_batch", Entries=entries)

    def hide(self, messages: Sequence[QueueMessage], seconds: int) -> None:
        """Let others not see messages for so many seconds from now on; with 0 they see them at once."""
        for block in _blocks(messages):
            entries = [
                {"Id": str(number), "ReceiptHandle": one.receipt, "VisibilityTimeout": seconds}
                for number, one in enumerate(block)
            ]
            self._ask("change_message_visibility_batch", Entries=entries)  # one that is gone already fails, no other

    def state(self) -> QueueState:
        """Return about how many messages wait, and whether the queue has a dead-letter rule."""
        names = ["ApproximateNumberOfMessages", "RedrivePolicy"]
        found = self._ask("get_queue_attributes", AttributeNames=names).get("Attributes", {})
        return QueueState(
            waiting=int(found.get("ApproximateNumberOfMessages", 0)), has_dead_letters="RedrivePolicy" in found
        )

    def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(QueueUrl=self.url, **parameters)
        except (sdk.ClientError, sdk.BotoCoreError) as error:
            raise self._explain(error) from error
        return answer

    def _explain(self, error: Exception) -> RekindleError:
        if isinstance(error, sdk.ClientError):
            found = error.response.get("Error", {})
            code = str(found.get("Code", ""))
            if "NonExistentQueue" in code or "QueueDoesNotExist" in code:
                return AccessError(f"there is no queue {self.url}: check --queue")
            advice = f": the credentials need {_RIGHTS}" if "AccessDenied" in code else ""
            return AccessError(f"queue {self.url}: {code}: {found.get('Message', '')}{advice}")
        return AccessError(f"queue {self.url} can't be used: {error}")

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - boto3 has no types
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=10, read_timeout=_READ_TIMEOUT
        )
        with self._making:  # boto3's sessions can't make two clients at once
            return self._connection.session.client(
                "sqs",
                region_name=self._region,
                endpoint_url=self._endpoint,
                verify=self._connection.ca_bundle,
                config=config,
            )


def check_queue_url(url: str) -> None:
    """Check that a text is the URL of a queue.

    Raises:
        ConfigurationError: it is not.
    """
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and parts.hostname and len(parts.path.strip("/").split("/")) >= 2
        plain = url.isascii() and url.isprintable() and " " not in url
        allowed = named and plain and parts.username is None and not parts.query and not parts.fragment
    except ValueError:
        allowed = False
    if not allowed:
        raise ConfigurationError(
            f"queue: {url!r} is not the URL of a queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/name",
            field="queue",
        )


def is_of_aws(url: str) -> bool:
    """Whether a queue's URL is one of AWS's own, over TLS."""
    parts = urlsplit(url)
    return parts.scheme == "https" and parts.port in (None, 443) and bool(_OF_AWS.fullmatch(parts.hostname or ""))


def region_of_queue(url: str) -> str | None:
    """Return the region that a queue's URL names, None where it names none."""
    found = _OF_AWS.fullmatch(urlsplit(url).hostname or "")
    return (found["region"] or found["legacy"] or "us-east-1") if found else None


def _own_endpoint(url: str, options: StorageOptions) -> str:
    """Return the endpoint of a queue that is not AWS's, which must be the one that S3 has."""
    own = urlsplit(url)
    given = urlsplit(options.endpoint_url or "")
    if (own.hostname, own.port) != (given.hostname, given.port):
        raise ConfigurationError(
            f"queue: {url} is not a queue of AWS: name its endpoint by --endpoint-url {own.scheme}://{own.netloc}",
            field="queue",
        )
    return f"{own.scheme}://{own.netloc}"


def _message(document: dict[str, Any]) -> QueueMessage:
    attributes = document.get("Attributes", {})
    return QueueMessage(
        id=document["MessageId"],
        receipt=document["ReceiptHandle"],
        body=document.get("Body", ""),
        received=int(attributes.get("ApproximateReceiveCount", 1)),
        sent=datetime.fromtimestamp(int(attributes.get("SentTimestamp", 0)) / 1000, timezone.utc),
    )


def _blocks(messages: Sequence[QueueMessage]) -> Iterator[Sequence[QueueMessage]]:
    return (messages[start : start + MOST_AT_ONCE] for start in range(0, len(messages), MOST_AT_ONCE))
