"""Events without their record as message: which keep it, and that nothing else of them changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from transforms.core.errors import ConfigurationError
from transforms.event_pipelines.definition import load_pipelines
from transforms.formats import check_options
from transforms.formats.options import FormatOptions
from transforms.objects.event_counts import CountKey, EventCount
from transforms.objects.event_shaping import ShapingSettings, shape_events
from transforms.objects.reading import Reading, ReadSettings
from transforms.objects.sampling.preview_object import before_and_after
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.rules_file import load_rules
from transforms.storage import ObjectInfo

AT = datetime(2025, 9, 1, tzinfo=timezone.utc)
DOCUMENTS = (
    '{"time":"2025-08-11T01:02:03Z","a":"1","b":{"c":[1]}}\n{bad\n{"_raw":"a line","_time":"1754870400","a":"2"}\n{}\n'
)
TABLE = "time,a\n2025-08-11 01:02:03,1\n2025-08-11 01:02:04,2,x\n"
DIRECTED = "#Fields: date time a\n2025-08-11 01:02:03 1\n2025-08-11 01:02:04 2 3\n"
ZEEK = "#separator \\x09\n#fields\tts\ta\n1754870400.5\t1\n1754870401.5\t2\t3\n"
EXPORT = "_time,_raw,a\n1754870400,a line,1\n"
COLLECTED = '{"time":1754870400,"event":"a line","fields":{"a":"1"}}\n'
BROKEN = "{bad"


def shaped(
    key: str, text: str, pipelines: str = "", *, keep: bool, counts: Counter[CountKey] | None = None
) -> list[dict[str, Any]]:
    formats = FormatOptions(keep_message=keep)
    info = ObjectInfo(bucket="b", key=key, etag="e", size=len(text), modified=AT)
    reading = Reading(info, ReadSettings(task_id="job", formats=formats), received=AT)
    settings = ShapingSettings.of(formats, load_pipelines(pipelines, source="p.yaml") if pipelines else ())
    rules = {"rules": CompiledRules.of(load_rules(RULES, source="r.yaml"), AT)}
    batches = [
        shape_events(batch, settings, rules_by_section=rules, counts=counts)
        for batch in reading.batches(iter([text.encode()]))
    ]
    return [
        {name: value for name, value in row.items() if value is not None and name != "_observed_at"}
        for batch in batches
        for row in batch.events.to_pylist()
    ]


RULES = "rules: [{name: worded, retention: 1d, when: line}, {name: all, retention: 1d}]"
# Key, text, the messages that stay.
CASES: list[tuple[str, str, list[str | None]]] = [
    ("a.json", DOCUMENTS, [None, BROKEN, "a line", None]),
    ("b.json", '{"time":"2025-08-11T01:02:03Z"}\n' * 3, [None] * 3),
    ("a.csv", TABLE, [None, "2025-08-11 01:02:04,2,x"]),
    ("w3c.log", DIRECTED, [None, "2025-08-11 01:02:04 2 3"]),
    ("zeek.log", ZEEK, [None, "1754870401.5\t2\t3"]),
    ("a.log", "2025-08-11 01:02:03 a line\n", ["2025-08-11 01:02:03 a line"]),
    ("splunk.csv", EXPORT, ["a line"]),
    ("hec.json", COLLECTED, ["a line"]),
]


@pytest.mark.parametrize(("key", "text", "messages"), CASES, ids=[key for key, *_ in CASES])
@pytest.mark.parametrize("pipelines", ["", "pipelines: [{name: p, steps: [{set: {output: x, value: y}}]}]"])
def test_records_whose_fields_say_it_all_have_no_message(
    key: str, text: str, messages: list[str | None], pipelines: str
) -> None:
    with_messages, without = (shaped(key, text, pipelines, keep=keep) for keep in (True, False))
    assert [row.pop("_message", None) for row in without] == messages
    assert all(row.pop("_message") for row in with_messages)
    assert without == with_messages


STEPS = [
    ("written", "{message: {source: a}}", ["1", BROKEN, "2", None]),
    ("masked", "{redact: {source: message, pattern: '\"a\"', replacement: '\"A\"'}}", [
        '{"time":"2025-08-11T01:02:03Z","A":"1","b":{"c":[1]}}', BROKEN, "a line", None]),
    ("only looked at", "{regex: {source: message, pattern: '(?P<digit>\"[0-9]\")'}}", [None, BROKEN, "a line", None]),
]  # fmt: skip


@pytest.mark.parametrize(("step", "messages"), [case[1:] for case in STEPS], ids=[case[0] for case in STEPS])
def test_pipelines_see_the_message_and_what_they_write_stays(step: str, messages: list[str | None]) -> None:
    rows = shaped("a.json", DOCUMENTS, f"pipelines: [{{name: p, steps: [{step}]}}]", keep=False)
    assert [row.get("_message") for row in rows] == messages
    assert "digit" not in step or rows[0]["digit"] == '"1"'


def test_rules_are_counted_on_what_is_published() -> None:
    found = {}
    for keep in (True, False):
        counts: Counter[CountKey] = Counter()
        shaped("a.json", '{"time":"2025-08-11T01:02:03Z","a":"a line"}\n', keep=keep, counts=counts)
        found[keep] = {key.name for key in counts if key.kind is EventCount.OLDER_THAN_RULE}
    assert found == {True: {"worded"}, False: {"all"}}


def test_the_preview_shows_what_pipelines_see_and_what_stays() -> None:
    info = ObjectInfo(bucket="b", key="a.json", etag="e", size=9, modified=AT)
    formats = FormatOptions(keep_message=False)
    reading = Reading(info, ReadSettings(task_id="job", formats=formats), received=AT)
    [batch] = reading.batches(iter([DOCUMENTS.encode()]))
    before, after = before_and_after(batch, ShapingSettings.of(formats, ()))
    assert before.events.column("_message").null_count == 0
    assert after.events.column("_message").null_count == 2
    assert {*before.events.schema.names} == {*after.events.schema.names}


@pytest.mark.parametrize("name", ["auto", "csv", "json", "w3c", "zeek", "text", "splunk_csv", "splunk_hec"])
def test_formats_with_another_message_refuse_it(name: str) -> None:
    options = replace(FormatOptions(keep_message=False), format=name)
    if name in ("text", "splunk_csv", "splunk_hec"):
        with pytest.raises(
            ConfigurationError, match=r"formatOptions\.keepMessage is False: it needs format w3c or zeek"
        ):
            check_options(options)
    else:
        check_options(options)
