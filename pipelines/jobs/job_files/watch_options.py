"""The `watch` part of a job's specification: by what a job that goes on learns of new objects (docs/watch.md)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from pipelines.documents import JsonModel
from transforms.core.errors import ConfigurationError
from transforms.query.instants import parse_span
from transforms.storage.notification_queue import check_queue_url

EVERY = "5m"
"""How often a watch without a queue lists again."""
_LEAST = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(minutes=15)
_LONGEST_INTERVAL = timedelta(days=7)


def _span(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be a length of time as text, such as 30s or 5m")
    try:
        parse_span(value)
    except ConfigurationError as error:
        raise ValueError("must be a length of time, such as 30s, 5m or 1h") from error
    return value


def _interval(value: str) -> str:
    if not _LEAST <= parse_span(value) <= _LONGEST_INTERVAL:
        raise ValueError("must be from 1s to 7d")
    return value


def _wait(value: str) -> str:
    if not _LEAST <= parse_span(value) <= _LONGEST_WAIT:
        raise ValueError("must be from 1s to 15m")
    return value


def _queue(value: str) -> str:
    try:
        check_queue_url(value)
    except ConfigurationError as error:
        raise ValueError(
            "must be the URL of an SQS queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/name"
        ) from error
    return value


class WatchSpecification(JsonModel):
    """How a job that goes on learns of what arrives."""

    every: Annotated[str, BeforeValidator(_span), AfterValidator(_interval)] | None = None
    """List again so often, such as `5m`; by default 5m where there is no queue, and never where there is one."""
    queue: Annotated[str, AfterValidator(_queue)] | None = None
    """The URL of the SQS queue that gets the bucket's notifications."""
    max_wait: Annotated[str, BeforeValidator(_span), AfterValidator(_wait)] = "10s"
    """So long what has arrived waits for more, before it is ingested."""

    @property
    def interval(self) -> timedelta | None:
        """How often the bucket is listed again; None where it is not."""
        if self.every is None and self.queue is not None:
            return None
        return parse_span(self.every or EVERY)

    @property
    def wait(self) -> timedelta:
        """How long what has arrived waits for more."""
        return parse_span(self.max_wait)


def check_watch(watch: WatchSpecification, bucket: str, on_error: str) -> None:
    """Check that a job can go on as its `watch` says.

    Raises:
        ConfigurationError: it can't.
    """
    if watch.queue is not None and bucket.startswith("file://"):
        raise ConfigurationError(
            f"watch.queue: {bucket} is a folder, of which no queue tells; use --every", field="watch.queue"
        )
    if on_error == "fail":
        raise ConfigurationError(
            "onError: fail would end the watch at the first broken object, for ever: use salvage or quarantine; the "
            "report names what failed",
            field="onError",
        )
