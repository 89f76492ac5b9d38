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
    assert ended.json["byTimeSource"] == {"detected": 1, "inherited": 2, "object": 1}
    help_ = "What helps: --format text --multiline-start REGEX, or a pipeline's timestamp"
    a, b = (f"{source.as_uri()}/{name}" for name in ("a.log", "b.log"))
    assert warnings[:4] == [
        f"2 events (66.7 % of 1 text object) have the time of an event before them: {a} (2). {help_}",
        "1 event (100 % of 1 text object) have no time, so that of their object holds (its LastModified): "
        f"{b} (1). {help_}",
        "pipeline inner, steps[0].arithmetic failed on 2 events, left as they were",
        "pipeline numbers, steps[0].regex failed on 1 event, left as they were",
    ]
    shown = rekindle("jobs", "show", ended.json["taskId"], "--hot-tier", tmp_path / "hot", "--json")
    assert json.loads(shown.out)["warnings"] == warnings
    quiet = rekindle("backfill", "--bucket", f"file://{source}", *flags, "--force", "--timestamp", "received")
    assert not any("time" in text for text in quiet.json["warnings"])
    assert quiet.json["byTimeSource"] == {"received": 4}
