"""Watchers that share a queue, killed at any moment, while a backfill runs over the same prefix: each object once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import boto3
import polars as pl
import pytest

from pipelines.jobs.rows.kept_rows import list_job_rows
from tests.conftest import REGION, S3, THOROUGH
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, object_uri, open_tier

pytestmark = [pytest.mark.slow, pytest.mark.moto_only(reason="it has no SQS")]
ROOT = Path(__file__).parents[4]
OBJECTS, KILLS = (5000, 20) if THOROUGH else (200, 3)
SECONDS = 7200.0 if THOROUGH else 1800.0


class Commands:
    """Processes of the command line over one bucket and one tier."""

    def __init__(self, s3: S3, tier: Path) -> None:
        self.s3, self.tier = s3, tier
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, command: str, *flags: str) -> subprocess.Popen[bytes]:
        chosen = ("--bucket", self.s3.bucket, "--pattern", "logs/**", "--hot-tier", str(self.tier))
        reached = ("--endpoint-url", self.s3.endpoint_url, "--quiet")
        line = [sys.executable, "-P", "-m", "pipelines.cli", command, *chosen, *reached, *flags]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "AWS_REGION": REGION}
        process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.running.append(process)
        return process

    def end_all(self) -> None:
        for process in self.running:
            process.kill()
            process.communicate()


def notification(bucket: str, keys: list[str]) -> str:
    described = [{"bucket": {"name": bucket}, "object": {"key": key, "size": 20}} for key in keys]
    return json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": one} for one in described]})


def announce(s3: S3, sqs: Any, url: str, choose: random.Random) -> set[str]:
    """Put objects, remove some, announce each one to three times in no order; return those that stay."""
    keys = [f"logs/{number % 7}/{number}.log" for number in range(OBJECTS)]
    for number, key in enumerate(keys):
        s3.put(key, f"2025-01-0{number % 7 + 1} 10:00:00 event {number}\n".encode())
    gone = set(choose.sample(keys, OBJECTS // 10))
    for key in gone:
        s3.client.delete_object(Bucket=s3.bucket, Key=key)
    sent = [[key] for key in keys for _ in range(choose.randint(1, 3))]
    sent += [choose.sample(keys, 3) for _ in range(OBJECTS // 10)]
    choose.shuffle(sent)
    for start in range(0, len(sent), 10):
        bodies = [notification(s3.bucket, some) for some in sent[start : start + 10]]
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    return set(keys) - gone


def messages_in(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def test_each_object_once(s3: S3, tmp_path: Path) -> None:
    choose = random.Random(uuid.uuid4().int)
    sqs = boto3.client("sqs", endpoint_url=s3.endpoint_url, region_name=REGION)
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex}")["QueueUrl"]
    s3.put("logs/first.log", b"2025-01-01 09:00:00 first\n")
    commands = Commands(s3, tmp_path / "hot")
    tier = open_tier(str(tmp_path / "hot"), StorageOptions())
    deadline = time.monotonic() + SECONDS
    flags = ("--queue", url, "--max-wait", "1s")
    try:
        watchers = [commands.start("watch", *flags) for _ in range(2)]
        while sum(row.stage == "Watching" for row in list_job_rows(tier)) < 2:
            assert time.monotonic() < deadline, [one.poll() for one in watchers]
            threading.Event().wait(0.2)
        expected = announce(s3, sqs, url, choose) | {"logs/first.log"}
        backfill = commands.start("backfill")
        for _ in range(KILLS):
            threading.Event().wait(choose.uniform(0.5, 6.0))
            victim = choose.randrange(2)
            watchers[victim].kill()
            watchers[victim].wait()
            watchers[victim] = commands.start("watch", *flags)
        assert backfill.wait(SECONDS) == 0
        while messages_in(sqs, url):
            assert time.monotonic() < deadline, messages_in(sqs, url)
            threading.Event().wait(0.5)
        for watcher in watchers:
            watcher.send_signal(signal.SIGTERM)
        for watcher in watchers:
            assert watcher.wait(60) == 0, watcher.stderr and watcher.stderr.read()
    finally:
        commands.end_all()
    snapshot = Snapshot.load(tier)
    files = [str(tier.local_path) + f"/events/{path}" for path in snapshot.files]
    found = Counter(pl.concat([pl.read_parquet(file, columns=["_object"]) for file in files])["_object"].to_list())
    assert found == dict.fromkeys((object_uri(s3.bucket, key) for key in expected), 1)
    ledger = Ledger.load(tier, snapshot)
    assert all(len(ledger.published(s3.bucket, key)) == 1 for key in expected)
