"""A process that publishes waves of a hot tier; the tests start many of them at once.

    python -m tests.transforms.hot_tier.rival TIER OPTIONS JOB WAVES

OPTIONS are `StorageOptions` as JSON, WAVES a JSON list of lists of `[key, content]`. It says `ready`, and begins when
it reads a line. It folds the ledger at every second commit. It ends as the product's processes do.
"""

from __future__ import annotations

import json
import sys

from pipelines.cli.streams import end_process
from tests.transforms.hot_tier.samples import entry, events, times_of, uri_of
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger import folding
from transforms.hot_tier.ledger import publish as publishing
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.table.prepare import prepare, promoted_columns
from transforms.storage import StorageOptions, TierStore, open_tier

ROWS = 4


def publish(tier: TierStore, job: str, wave: int, objects: list[tuple[str, str]]) -> None:
    writer = HotTierWriter(tier, columns=promoted_columns(tier), job=job)
    for key, content in objects:
        writer.write(events(uri_of(key), times_of(key, ROWS), content))
    entries = [entry(key, ROWS, job=job, wave=wave, content=content) for key, content in objects]
    publish_wave(tier, job=job, wave=wave, files=writer.close(), entries=entries)


def main(uri: str, options: str, job: str, waves: str) -> None:
    tier = open_tier(uri, StorageOptions(**json.loads(options)))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    folding.SIDECARS = folding.FILES = publishing.FOLD_INTERVAL = 2
    prepare(tier)
    for number, objects in enumerate(json.loads(waves)):
        publish(tier, job, number, [(key, content) for key, content in objects])


if __name__ == "__main__":
    main(*sys.argv[1:])
    end_process(0)
