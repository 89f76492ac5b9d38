"""What the browser's tests look at: a service's process over a tier, with a key of each role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.sample_logs import sample_objects
from pipelines.keys import create_key
from tests.service.conftest import LiveService, serving
from transforms.storage import StorageOptions, open_tier

ROLES = ("admin", "read", "ingest")
SAMPLES = (
    "logs/web/web-1/access-2025-08-12-12",
    "logs/app/payment/2025/08/12/12",
    "logs/system/web-1/syslog-2025-08-12",
)
"""Of the demonstration's objects those that the shared tier holds: the day of the outage."""
LONG_KEY = "k" * 300
HOSTILE = (
    {"message": "evil \u202elive\u202c <script>document.title='run'</script> \x1b[31m", "level": "error"},
    {"message": "<img src=x onerror=alert(1)>", "level": "warn", LONG_KEY: "value of a long key", "service": "<b>\"'"},
    {"message": "\U0001f525" * 4_000, "service": "emoji", "level": "info"},
    {"message": "m" * 1_000_000, "service": "long", "level": "info"},
    {"message": "wide", "service": "wide", "level": "info"} | {f"name{number:05}": "v" for number in range(10_000)},
)
"""Events at which pages break: nothing of them may run, nor lie across the page."""


@dataclass(kw_only=True)
class Site:
    """A service that browsers look at.

    Attributes:
        service: Its process.
        tier: The folder of its tier.
        source: The folder whose files its jobs may read.
        tokens: The tokens of its keys, by role.
        root: The path before its pages.
    """

    service: LiveService
    tier: Path
    source: Path
    tokens: dict[str, str]
    root: str = ""

    @property
    def origin(self) -> str:
        """The start of all its addresses."""
        return f"http://127.0.0.1:{self.service.port}"

    def at(self, path: str) -> str:
        """Return the address of a page."""
        return f"{self.origin}{self.root}{path}"

    def ingest(self, pattern: str = "**") -> str:
        """Make events of the files in the source folder, and return the job's id."""
        document = {"bucket": f"file://{self.source}", "pattern": pattern}
        status, answer, _ = self.service.ask("POST", "/ingest", document, token=self.tokens["admin"])
        assert status == 200, answer
        report = self.service.wait_for(answer["taskId"], token=self.tokens["admin"])
        assert report["status"] == "Succeeded", report
        return str(answer["taskId"])


@contextmanager
def site(folder: Path, *flags: object, root: str = "") -> Iterator[Site]:
    """Run a service over the tier `hot` in a folder, which is made where it isn't there, with a key of each role."""
    tier, source = folder / "hot", folder / "source"
    source.mkdir(parents=True, exist_ok=True)
    store = open_tier(str(tier), StorageOptions())
    tokens = {
        role: create_key(store, name=f"the {role}", role=role, env=None, team=None, s3_pull={}).token for role in ROLES
    }
    with serving(tier, "--allow-dir", source, *flags) as service:
        yield Site(service=service, tier=tier, source=source, tokens=tokens, root=root)


def write_samples(folder: Path) -> None:
    """Write files of the demonstration's shop, and one of hostile events."""
    for name, data in sample_objects():
        if name.startswith(SAMPLES):
            (folder / name.replace("/", "-")).write_bytes(data)
    lines = [json.dumps({"time": f"2025-08-13T10:00:0{number}Z", **one}) for number, one in enumerate(HOSTILE)]
    (folder / "hostile.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
