"""What befalls events on their way is counted, and told in the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.pipelines.conftest import Ended

PIPELINES = """
pipelines:
  - name: numbers
    steps:
      - regex: {source: message, pattern: 'n=(?P<n>\\d+)'}
      - pipeline:
          name: inner
          when: n=*
          steps: [{arithmetic: {output: half, formula: 'n / (n - 2)'}}]
"""


def test_failed_processors_and_events_without_a_time(rekindle: Callable[..., Ended], tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.log").write_text("2025-08-11 00:00:00 n=1\nn=2\nnothing\n")
    (source / "b.log").write_text("n=2\n")
    (tmp_path / "pipelines.yaml").write_text(PIPELINES)
    flags = ("--pipelines", tmp_path / "pipelines.yaml", "--hot-tier", tmp_path / "hot", "--json")
    ended = rekindle("backfill", "--bucket", f"file://{source}", *flags)
    assert ended.code == 0, ended.err
    warnings = ended.json["warnings"]
    assert warnings[0].startswith("3 events of 2 objects: no time was found, that of receipt holds")
    assert warnings[1:3] == [
        "pipeline inner, steps[0].arithmetic failed on 2 events, left as they were",
        "pipeline numbers, steps[0].regex failed on 1 event, left as they were",
    ]
    shown = rekindle("jobs", "show", ended.json["taskId"], "--hot-tier", tmp_path / "hot", "--json")
    assert json.loads(shown.out)["warnings"] == warnings
    quiet = rekindle("backfill", "--bucket", f"file://{source}", *flags, "--force", "--timestamp", "received")
    assert not any("no time" in text for text in quiet.json["warnings"])
