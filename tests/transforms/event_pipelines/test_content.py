"""What a pipelines file comes to: changes of it that make no difference to an event make none to its content."""

from __future__ import annotations

import pytest

from transforms.event_pipelines.content import pipelines_content
from transforms.event_pipelines.definition import load_pipelines
from transforms.event_pipelines.ready_made import read_ready_made, ready_made_names

PLAIN = "pipelines: [{name: a, steps: [{set: {output: x, value: '1'}}]}]"
SAME = {
    "layout": 'pipelines:\n- name: a  # this\n  steps:\n  - set:\n      value: "1"\n      output: x\n',
    "json": '{"pipelines": [{"steps": [{"set": {"output": "x", "value": "1"}}], "name": "a"}]}',
    "description": "pipelines: [{name: a, description: why, steps: [{set: {output: x, value: '1'}}]}]",
    "enabled": "pipelines: [{name: a, enabled: true, steps: [{set: {output: x, value: '1'}}]}]",
    "disabled": PLAIN[:-1] + ", {name: b, enabled: false, steps: [{drop: {}}]}]",
    "disabled-within": "pipelines: [{name: a, steps: [{set: {output: x, value: '1'}}, "
    "{pipeline: {name: c, enabled: false, steps: [{drop: {}}]}}]}]",
    "nothing-included": "include: []\n" + PLAIN,
}
OTHER = {
    "name": "pipelines: [{name: b, steps: [{set: {output: x, value: '1'}}]}]",
    "when": "pipelines: [{name: a, when: y=1, steps: [{set: {output: x, value: '1'}}]}]",
    "value": "pipelines: [{name: a, steps: [{set: {output: x, value: '2'}}]}]",
    "order": "pipelines: [{name: c, steps: [{drop: {when: y=1}}]}, {name: a, steps: [{set: {output: x, value: '1'}}]}]",
    "within": "pipelines: [{name: a, steps: [{set: {output: x, value: '1'}}, "
    "{pipeline: {name: c, steps: [{drop: {}}]}}]}]",
    "included": "include: [syslog]\n" + PLAIN,
    "nothing": "pipelines: []",
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_same(text: str) -> None:
    load_pipelines(text, source="file")
    assert pipelines_content(text) == pipelines_content(PLAIN)


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_other(text: str) -> None:
    load_pipelines(text, source="file")
    assert pipelines_content(text) != pipelines_content(PLAIN)


@pytest.mark.parametrize("name", ready_made_names())
def test_an_included_file_is_as_if_it_were_written_out(name: str) -> None:
    included = pipelines_content(f"include: [{name}]")
    assert included == pipelines_content(read_ready_made(name))
    changed = pipelines_content(f"include: [{{name: {name}, when: x=1}}]")
    assert [one["when"] for one in changed] == ["x=1"] * len(included)
    assert [one["steps"] for one in changed] == [one["steps"] for one in included]
