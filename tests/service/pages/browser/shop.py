"""A site over the demonstration's shop, for pictures: its logs come out of a bucket, as a user's own do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from demo.embedded_s3 import EmbeddedS3
from demo.sample_logs import sample_objects
from tests.service.conftest import ROOT
from tests.service.pages.browser.sites import Site, site

BUCKET = "shop-logs"
PROBES = """rules:
  - {name: probes, retention: 7d, when: uri=/healthz, description: calls of the load balancer}
"""
RULES = """rules:
  - {name: debug, retention: 7d, when: level=debug, description: noise}
  - {name: all, retention: 1100d}
tiers:
  - {name: old, retention: 730d}
"""
_NOWHERE = {
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def shop(folder: Path, *, is_filled: bool) -> Iterator[Site]:
    """Run a service beside the shop's bucket, over a tier, empty or with its logs, rules, a hold and a history."""
    os.environ.update(_NOWHERE)
    with EmbeddedS3() as s3:
        client = boto3.client("s3", endpoint_url=s3.endpoint_url)
        client.create_bucket(Bucket=BUCKET)
        for name, data in sample_objects():
            if name.startswith(("logs/web", "logs/app", "logs/audit")):
                client.put_object(Bucket=BUCKET, Key=name, Body=data)
        client.put_object(Bucket=BUCKET, Key="logs/broken/orders.csv.gz", Body=b"\x1f\x8b\x08 cut off")
        with site(folder, "--endpoint-url", s3.endpoint_url) as shown:
            if is_filled:
                _fill(shown)
            yield shown


def _fill(shown: Site) -> None:
    _run(shown, "pipelines", "set", ROOT / "demo/access_logs.yaml")
    for pattern in ("logs/web/**", "logs/app/**"):
        _ingest(shown, pattern)
    _ingest(shown, "logs/broken/**")
    _set_rules(shown, PROBES)
    _run(shown, "delete", "--execute", "--yes")
    _set_rules(shown, RULES)
    _run(shown, "holds", "add", "case 17", "--when", "user=fatima", "--description", "asked for by the court")


def _set_rules(shown: Site, text: str) -> None:
    path = shown.source / "rules.yaml"
    path.write_text(text, "utf-8")
    _run(shown, "rules", "set", path.name)


def _ingest(shown: Site, pattern: str) -> None:
    token = shown.tokens["admin"]
    _, answer, _ = shown.service.ask("POST", "/ingest", {"bucket": BUCKET, "pattern": pattern}, token=token)
    report = shown.service.wait_for(answer["taskId"], token=token)
    assert report["status"] == "Succeeded", report


def _run(shown: Site, *arguments: object) -> None:
    command = [sys.executable, "-m", "pipelines.cli", *map(str, arguments), "--hot-tier", str(shown.tier)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=shown.source, env=environment, check=True, capture_output=True)
