"""What befalls events on their way is counted, and told in the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.pipelines.conftest import Ended
from transforms.objects.sampling.time_hints import what_helps

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
    lines, none = (f"What helps: {what_helps('text', inherited=inherited)}" for inherited in (True, False))
    assert "--multiline-start REGEX" in lines
    assert "--multiline-start" not in none, "to join lines without a time gives them none"
    a, b = (f"{source.as_uri()}/{name}" for name in ("a.log", "b.log"))
    assert warnings[:4] == [
        f"2 events (66.7 % of 1 text object) with the time of an event before them: {a} (2). {lines}",
        "1 event (100 % of 1 text object) without a time: that of the object holds (its LastModified): "
        f"{b} (1). {none}",
        "pipeline inner, steps[0].arithmetic failed on 2 events, left as they were",
        "pipeline numbers, steps[0].regex failed on 1 event, left as they were",
    ]
    shown = rekindle("jobs", "show", ended.json["taskId"], "--hot-tier", tmp_path / "hot", "--json")
    assert json.loads(shown.out)["warnings"] == warnings
    quiet = rekindle("backfill", "--bucket", f"file://{source}", *flags, "--force", "--timestamp", "received")
    assert not any("time" in text for text in quiet.json["warnings"])
    assert quiet.json["byTimeSource"] == {"received": 4}


def test_times_that_are_not_believed_are_told(rekindle: Callable[..., Ended], tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.log").write_text("2025-08-11 00:00:00 a\n2099-08-11 00:00:00 b\n1969-07-20 20:17:40 c\n")
    (source / "b.csv").write_text("time,n\n2025-08-11T00:00:00Z,1\n2099-01-01T00:00:00Z,2\n0001-01-01T00:00:00Z,3\n")
    (source / "c.json").write_text('{"time": "2099-01-01T00:00:00Z"}\n')
    ended = rekindle("backfill", "--bucket", source.as_uri(), "--hot-tier", tmp_path / "hot", "--json")
    assert ended.json["byTimeSource"] == {"detected": 1, "inherited": 2, "object": 3, "record": 1}
    a, b, c = (f"{source.as_uri()}/{name}" for name in ("a.log", "b.csv", "c.json"))
    assert [text for text in ended.json["warnings"] if "not believed" in text] == [
        f"2 times before 1970 are not believed, as if there were none: {a} (1), {b} (1)",
        f"3 times in the future (more than a day after receipt) are not believed, as if there were none: {a} (1), "
        f"{b} (1), {c} (1)",
    ]
