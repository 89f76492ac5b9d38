"""One story on every runner, at full size.

Prints what each tier holds, which must be the same, and how long each step took.

    python -m tests.runners.compare [--mib 1024] [--objects 240] [--s3 moto|minio] [--runners
    direct,prism,flink,spark,flink-cluster]

Starts and stops all servers itself. Python workers are processes of a worker pool, which share nothing with the
launcher but the S3.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3

from demo.embedded_s3 import EmbeddedS3
from tests.conftest import REGION
from tests.runners.minio import MinIO
from tests.runners.processes import Server
from tests.runners.serve import SERVERS
from tests.runners.servers import WorkerPool
from tests.runners.story import STEPS, Fingerprint, Story
from transforms.storage import StorageOptions

RUNNERS = ("direct", "prism", "flink", "spark", "flink-cluster")
BUCKET = "compare"


def main() -> int:
    """Run the story; return 1 where the tiers differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=float, default=1024)
    parser.add_argument("--objects", type=int, default=240)
    parser.add_argument("--wave-bytes", default="64MiB")
    parser.add_argument("--s3", choices=("moto", "minio"), default="minio")
    parser.add_argument("--runners", default=",".join(RUNNERS))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rekindle-compare-") as folder, store(arguments.s3) as endpoint_url:
        client = boto3.client("s3", endpoint_url=endpoint_url, region_name=REGION)
        client.create_bucket(Bucket=BUCKET)
        options = StorageOptions(endpoint_url=endpoint_url, region=REGION)
        story = Story(BUCKET, client, options, Path(folder), wave_bytes=arguments.wave_bytes)
        story.write_logs(mib=arguments.mib, objects=arguments.objects)
        return tell(story, arguments.runners.split(","))


def tell(story: Story, runners: list[str]) -> int:
    """Run each step on each runner, and print what came of it."""
    differing = 0
    for step in STEPS:
        if step == "backfill again":
            print(f"{story.change_logs()} objects changed")
        found: dict[str, Fingerprint] = {}
        for name in runners:
            seconds, events = run(story, step, name)
            found[name] = story.fingerprint(name)
            print(
                f"{step:15} {name:14} {seconds:7.1f} s {events / seconds:10,.0f} events/s   {found[name]}", flush=True
            )
        differing += len(set(found.values())) > 1
    print("all the same" if not differing else f"{differing} steps differ")
    return int(differing > 0)


def run(story: Story, step: str, name: str) -> tuple[float, int]:
    """Run a step on a runner; return its seconds, from the command's start to its end, and its events."""
    with ExitStack() as stack:
        flags: list[str] = []
        if name != "direct":
            server: Server = stack.enter_context(SERVERS[name]())
            flags = [*server.beam_flags, *stack.enter_context(WorkerPool()).beam_flags]
        began = time.monotonic()
        report = story.run(step, name, flags)
        return time.monotonic() - began, report["events"]


@contextmanager
def store(kind: str) -> Iterator[str]:
    """Start an S3, put its credentials into the environment, and give its address."""
    server: EmbeddedS3 | MinIO = EmbeddedS3() if kind == "moto" else MinIO()
    with server:
        user, password = (server.user, server.password) if isinstance(server, MinIO) else ("test", "test")
        os.environ |= {
            "AWS_ACCESS_KEY_ID": user,
            "AWS_SECRET_ACCESS_KEY": password,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        yield server.endpoint_url


if __name__ == "__main__":
    sys.exit(main())
