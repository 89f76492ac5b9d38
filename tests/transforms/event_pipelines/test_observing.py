"""How many events each pipeline matched, and which failures are none because another pipeline knows the line."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone

import pyarrow as pa
import pytest

from transforms.core.schema import CONSTANT, TIME, EventBatch
from transforms.event_pipelines import PipelineCounts, StepName, apply_pipelines
from transforms.event_pipelines.definition import load_pipelines
from transforms.event_pipelines.trial import try_pipelines

UTC = timezone.utc
NOW = datetime(2025, 11, 21, 12, tzinfo=UTC)
ACCESS = '1.2.3.4 - ann [11/Aug/2025:22:24:37 +0000] "GET /x?y=1 HTTP/1.1" 200 1987 "-" "curl/8"'
SYSLOG = "<34>1 2025-08-11T22:14:15Z web-1 su 12 ID47 - failed"
ODD = "neither of them"
ALL = "include: [access_combined, nginx_error, syslog]\n"
ACCESS_FAILS = StepName("access_combined_odd", "steps[0].grok")
SYSLOG_FAILS = StepName("syslog", "steps[0].grok")


def batch_of(*messages: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "_message": pa.array(messages, pa.string_view()),
            "_observed_at": pa.array([NOW] * len(messages), TIME),
            "_format": pa.array(["text"] * len(messages), CONSTANT),
        }
    )


def counted(text: str, *messages: str) -> PipelineCounts:
    counts = PipelineCounts()
    for batch in (messages, messages[:0]):
        apply_pipelines(batch_of(*batch), load_pipelines(text, source="p.yaml"), received=NOW, counts=counts)
    return counts


def test_a_line_that_another_ready_made_pipeline_knows_is_no_failure() -> None:
    counts = counted(ALL, ACCESS, SYSLOG, ACCESS, ODD, SYSLOG, SYSLOG)
    assert counts.tried == {"access_combined": 6, "nginx_error": 6, "syslog": 6}
    assert +counts.matched == {"access_combined": 2, "syslog": 3}
    assert set(counts.failures.values()) == {1}, "the odd line is one that each of them fails on"
    assert counts.failures[SYSLOG_FAILS] == counts.failures[ACCESS_FAILS] == 1


def test_without_another_it_is_one() -> None:
    counts = counted("include: [syslog]", ACCESS, SYSLOG, ODD)
    assert (counts.tried, counts.matched, counts.failures) == ({"syslog": 3}, {"syslog": 1}, {SYSLOG_FAILS: 2})


def test_failures_of_a_files_own_pipelines_are_all_counted() -> None:
    own = "pipelines: [{name: own, steps: [{regex: {source: message, pattern: '^(?P<pri><[0-9]+>)'}}]}]"
    counts = counted(f"{ALL}{own}", ACCESS, SYSLOG)
    assert counts.failures == {StepName("own", "steps[0].regex"): 1}
    assert (counts.tried["own"], counts.matched["own"]) == (2, 1)


def test_a_line_of_its_kind_on_which_a_later_step_fails_is_a_failure() -> None:
    wrong = ACCESS.replace("11/Aug", "31/Feb")
    counts = counted("include: [access_combined, syslog]", wrong, ACCESS)
    assert counts.matched["access_combined"] == 2
    assert counts.failures == {StepName("access_combined", "steps[2].timestamp"): 1}


@pytest.mark.parametrize(
    ("steps", "matched"),
    [
        pytest.param("{set: {output: a, value: x, override: true}}", 3, id="a new attribute"),
        pytest.param("{set: {output: host, value: x, override: true}}", 2, id="one has the value already"),
        pytest.param("{set: {output: host, value: y, override: false}}", 1, id="not overridden"),
        pytest.param("{remove: {attributes: [host]}}", 2, id="removed"),
        pytest.param("{remove: {attributes: [none]}}", 0, id="nothing to remove"),
        pytest.param("{drop: {when: host=x}}", 1, id="dropped"),
        pytest.param("{message: {source: host}}", 2, id="message"),
        pytest.param("{timestamp: {source: t}}", 1, id="time"),
        pytest.param("{set: {output: a, value: x, override: true}}, {remove: {attributes: [a]}}", 0, id="and back"),
    ],
)
@pytest.mark.parametrize("when", ["", "when: NOT host=none, "])
def test_an_event_is_matched_if_something_of_it_changes(steps: str, matched: int, when: str) -> None:
    others = pa.RecordBatch.from_pydict({
        "_message": pa.array(["a", "b", "c"], pa.string_view()),
        "_time": pa.array([datetime(2025, 1, 1, tzinfo=UTC)] * 3, TIME),
        "_time_source": pa.array(["record"] * 3, CONSTANT),
        "host": pa.array(["x", "y", None]),
        "t": pa.array(["2025-01-02T00:00:00Z", None, "2025-01-01T00:00:00Z"]),
    })  # fmt: skip
    if "timestamp" in steps:
        others = others.set_column(2, "_time_source", pa.array(["pipeline"] * 3, CONSTANT))
    counts = PipelineCounts()
    text = f"pipelines: [{{name: p, {when}steps: [{steps}]}}]"
    apply_pipelines(others, load_pipelines(text, source="p.yaml"), received=NOW, counts=counts)
    assert counts.tried == {"p": 3}
    assert counts.matched == {"p": matched}


def test_what_was_dropped_is_not_tried_again() -> None:
    text = "pipelines: [{name: a, steps: [{drop: {when: odd}}]}, {name: b, steps: [{drop: {when: ann}}]}]"
    counts = counted(text.replace("odd", "neither"), ACCESS, ODD, SYSLOG)
    assert (counts.tried, counts.matched) == ({"a": 3, "b": 2}, {"a": 1, "b": 1})


def test_a_trial_tells_it_alike() -> None:
    counts = PipelineCounts()
    batch = EventBatch(batch_of(ACCESS, SYSLOG, ODD), NOW)
    found = list(try_pipelines(batch, load_pipelines(ALL, source="p.yaml"), counts=counts))
    whole = counted(ALL, ACCESS, SYSLOG, ODD)
    assert (counts.tried, +counts.matched, counts.failures) == (whole.tried, +whole.matched, whole.failures)
    outcomes = [Counter(step["outcome"] for step in event["steps"]) for event in found]
    assert [one["failed"] > 0 for one in outcomes] == [False, False, True]
    access, syslog, _ = ({step["pipeline"]: step["outcome"] for step in event["steps"][::-1]} for event in found)
    assert access["nginx_error"] == syslog["nginx_error"] == syslog["access_combined_odd"] == "not matched"
