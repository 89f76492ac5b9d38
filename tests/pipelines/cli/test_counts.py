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


def test_which_ready_made_pipeline_matched_how_much(rekindle: Callable[..., Ended], tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    access = '1.2.3.4 - ann [11/Aug/2025:22:24:37 +0000] "GET / HTTP/1.1" 200 1987 "-" "curl/8"\n'
    (source / "a.log").write_text(access * 3 + "<34>1 2025-08-11T22:14:15Z web-1 su 12 ID47 - failed\n")
    (source / "b.log").write_text(access * 2)
    (tmp_path / "pipelines.yaml").write_text("include: [aws_alb, syslog, access_combined]")
    flags = ("--pipelines", tmp_path / "pipelines.yaml", "--hot-tier", tmp_path / "hot")
    preview = rekindle("preview", "--bucket", f"file://{source}", *flags, "--json").json
    assert {family["sampled"][-5:]: family["byPipeline"]["access_combined"] for family in preview["families"]} == {
        "a.log": {"matched": 3, "tried": 4}, "b.log": {"matched": 2, "tried": 2},
    }  # fmt: skip
    assert "pipelines: access_combined 2 of 2 events" in rekindle("preview", "--bucket", f"file://{source}", *flags).out
    ended = rekindle("backfill", "--bucket", f"file://{source}", *flags, "--json")
    assert (ended.code, ended.json["warnings"]) == (0, []), ended.err
    expected = {"access_combined": (5, 6), "syslog": (1, 6), "aws_alb": (0, 6)}
    assert list(ended.json["byPipeline"].items()) == [
        (name, {"matched": matched, "tried": tried}) for name, (matched, tried) in expected.items()
    ]
    shown = rekindle("jobs", "show", ended.json["taskId"], "--hot-tier", tmp_path / "hot").out
    assert "access_combined 5 of 6 events, syslog 1 of 6 events, aws_alb 0 of 6 events" in shown


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
