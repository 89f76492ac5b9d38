"""Pipelines files: what is read, and every mistake told with its path."""

from __future__ import annotations

import json
import pickle

import pytest

from transforms.errors import ConfigurationError
from transforms.processors import outputs
from transforms.processors.definition import load_pipelines

ACCESS = r"""
pipelines:
  - name: access
    description: what the web servers say
    steps:
      - regex: {source: message, pattern: '^(?P<clientip>\S+) \S+ (?<user>\S+) \[(?P<req_time>[^\]]+)\]'}
      - timestamp: {source: req_time, format: CLF}
  - name: spare
    enabled: false
    steps:
      - regex:
          source: message
          pattern: '(\d+)'
          outputs: [number]
"""


def test_reads_yaml() -> None:
    access, spare = load_pipelines(ACCESS, source="p.yaml")
    assert (access.name, access.description, access.enabled, len(access.steps)) == ("access", "what the web servers say", True, 2)
    assert (spare.name, spare.enabled) == ("spare", False)
    assert outputs((access, spare)) == ["clientip", "user", "req_time"], "what is not enabled writes nothing"


def test_reads_json_with_tabs_and_escapes() -> None:
    step = {"regex": {"source": "message", "pattern": "(?P<a>\\d+)/\t\u00e9"}}
    text = json.dumps({"pipelines": [{"name": "a", "steps": [step]}]}, indent="\t").replace("/", "\\/")
    assert outputs(load_pipelines(text, source="p.json")) == ["a"]


def test_pipelines_travel_to_workers() -> None:
    pipelines = load_pipelines(ACCESS, source="p.yaml")
    assert pickle.loads(pickle.dumps(pipelines)) == pipelines


def test_outputs_are_named_once() -> None:
    step = {"regex": {"source": "message", "pattern": "(?P<b>.)(?P<a>.)"}}
    text = json.dumps({"pipelines": [{"name": name, "steps": [step]} for name in ("x", "y")]})
    assert outputs(load_pipelines(text, source="p.json")) == ["b", "a"]


def in_steps(step: object) -> dict[str, object]:
    return {"pipelines": [{"name": "a", "steps": [step]}]}


def regex(**parameters: object) -> dict[str, object]:
    return in_steps({"regex": {"source": "message", "pattern": "(?P<x>.)", **parameters}})


def timestamp(**parameters: object) -> dict[str, object]:
    return in_steps({"timestamp": {"source": "t", **parameters}})


MISTAKES = [
    ([], "pipelines: the file must be a mapping with the key pipelines"),
    ({"pipelines": {}}, "pipelines: must be a list of pipelines"),
    ({}, "pipelines: must be a list of pipelines, not None"),
    ({"pipeline": [], "pipelines": []}, "pipeline: unknown field; allowed is pipelines"),
    ({"include": ["access_combined"], "pipelines": []}, "include: ready-made pipelines come with a later version"),
    ({"pipelines": ["a"]}, r"pipelines[0]: must be a mapping with name, description, when, enabled, steps, not 'a'"),
    ({"pipelines": [{"steps": [], "name": "a"}]}, "pipelines[0].steps: must be a list with at least one processor, not []"),
    ({"pipelines": [{"name": "a"}]}, "pipelines[0].steps: must be a list with at least one processor, not None"),
    ({"pipelines": [{"name": 7}]}, "pipelines[0].name: must be a text, not 7; put it in quotes"),
    ({"pipelines": [{"name": ""}]}, "pipelines[0].name: must not be empty"),
    ({"pipelines": [{}]}, "pipelines[0].name: is required"),
    ({"pipelines": [{"name": "a,b"}]}, "pipelines[0].name: 'a,b' has a comma"),
    ({"pipelines": [{"name": "a", "nmae": "b"}]}, "pipelines[0].nmae: unknown field; a pipeline has name, description, when"),
    ({"pipelines": [{"name": "a", "when": "a=b"}]}, "pipelines[0].when: conditions come with a later version"),
    ({"pipelines": [{"name": "a", "when": ""}]}, "pipelines[0].when: conditions come with a later version"),
    ({"pipelines": [{"name": "a", "enabled": "no"}]}, "pipelines[0].enabled: must be true or false, not 'no'"),
    ({"pipelines": [{"name": "a", "description": 1}]}, "pipelines[0].description: must be a text, not 1"),
    ({"pipelines": [{"name": "a"}, {"name": "a"}]}, "pipelines[1].name: 'a' names pipelines[0] too"),
    (in_steps("regex"), "pipelines[0].steps[0]: must be one processor with its parameters"),
    (in_steps({"regex": {}, "timestamp": {}}), "pipelines[0].steps[0]: must be one processor with its parameters"),
    (in_steps({"redact": {}}), "pipelines[0].steps[0]: 'redact' is no processor of this version (it comes with a later version)"),
    (in_steps({"pipeline": {}}), "pipelines[0].steps[0]: 'pipeline' is no processor of this version (it comes"),
    (in_steps({"reg": {}}), "pipelines[0].steps[0]: 'reg' is no processor of this version; processors are regex, timestamp"),
    (in_steps({"regex": "x"}), "pipelines[0].steps[0]: regex must have a mapping of parameters, not 'x'"),
    (in_steps({"regex": {}}), "pipelines[0].steps[0].source: is required"),
    (regex(patern="x"), "pipelines[0].steps[0].patern: unknown parameter; this processor takes source, pattern, outputs"),
    (regex(source="_time"), "pipelines[0].steps[0].source: '_time' is a system attribute"),
    (regex(source="#eventId"), "pipelines[0].steps[0].source: '#eventId' is a system attribute"),
    (regex(pattern=""), "pipelines[0].steps[0].pattern: must not be empty"),
    (regex(pattern=12), "pipelines[0].steps[0].pattern: must be a text, not 12; put it in quotes"),
    (regex(pattern="a(?=b)(c)"), "pipelines[0].steps[0].pattern: character 2, '(?=': look-around, including look-ahead"),
    (regex(pattern="(?<!b)(c)"), "pipelines[0].steps[0].pattern: character 1, '(?<!': look-around"),
    (regex(pattern=r"(é)\1"), r"pipelines[0].steps[0].pattern: character 4, '\1': backreferences are not supported, in '(é)\1'"),
    (regex(pattern="(?>a)(b)"), "pipelines[0].steps[0].pattern: character 3, '>': unrecognized flag"),
    (regex(pattern="(?x)\n(a\n"), "pipelines[0].steps[0].pattern: "),
    (regex(pattern="(a{1000}{1000}{1000})"), "pipelines[0].steps[0].pattern: "),
    (regex(pattern="a"), "pipelines[0].steps[0].pattern: has no capture group"),
    (regex(pattern="(?P<a>.)(.)"), "pipelines[0].steps[0].pattern: group 2 has no name"),
    (regex(pattern="(.)"), "pipelines[0].steps[0].pattern: group 1 has no name"),
    (regex(pattern="(?P<_time>.)"), "pipelines[0].steps[0].pattern: '_time' is a system attribute"),
    (regex(pattern="(?P<a>.)(?P<a>.)"), "pipelines[0].steps[0].pattern: character 5, 'a': duplicate capture group name"),
    (regex(outputs=["y"]), "pipelines[0].steps[0].outputs: the pattern's groups have names of their own"),
    (regex(pattern="(.)(.)", outputs=["y"]), "pipelines[0].steps[0].outputs: names 1 attributes, but the pattern has 2 capture groups"),
    (regex(pattern="(.)(.)", outputs=["y", "y"]), "pipelines[0].steps[0].outputs: names an attribute twice"),
    (regex(pattern="(.)", outputs=["_object"]), "pipelines[0].steps[0].outputs: '_object' is a system attribute"),
    (regex(pattern="(.)", outputs=["#team"]), "pipelines[0].steps[0].outputs: '#team' is a system attribute"),
    (regex(pattern="(.)", outputs=[""]), "pipelines[0].steps[0].outputs: an attribute's name is not empty"),
    (regex(pattern="(.)", outputs="y"), "pipelines[0].steps[0].outputs: must be a list of texts, not 'y'"),
    (timestamp(timezone="Mars"), "pipelines[0].steps[0].timezone: 'Mars' is not an IANA time zone"),
    (timestamp(output="x"), "pipelines[0].steps[0].output: unknown parameter; this processor takes source, format, timezone"),
    (timestamp(format="yyyy-ww"), "pipelines[0].steps[0].format: character 6 of 'yyyy-ww': 'ww' can't be read. Or one of AUTO, ISO_8601"),
    (timestamp(source="_message"), "pipelines[0].steps[0].source: '_message' is a system attribute"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "message"), MISTAKES, ids=[message[:60] for _, message in MISTAKES])
def test_refuses_with_the_place(document: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_pipelines(json.dumps(document), source="p.json")
    assert f"p.json: {message}" in str(error.value)
    assert error.value.exit_code == 2


def test_tells_all_mistakes_at_once() -> None:
    steps = [{"regex": {"source": "_time", "pattern": "("}}, {"nothing": {}}]
    with pytest.raises(ConfigurationError) as error:
        load_pipelines(json.dumps({"pipelines": [{"name": "a", "when": 1, "steps": steps}], "x": 1}), source="p.json")
    places = [line.removeprefix("p.json: ").split(": ")[0] for line in str(error.value).splitlines()]
    assert places == ["x", "pipelines[0].when", "pipelines[0].steps[0].source", "pipelines[0].steps[0].pattern", "pipelines[0].steps[1]"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pipelines: [", "p.yaml: is neither YAML nor JSON: .*line 1"),
        ('{"pipelines": [], "pipelines": []}', "p.yaml: .*'pipelines' stands twice in one place.*line 1"),
        ("pipelines: []\npipelines: []", "p.yaml: .*'pipelines' stands twice in one place.*line 2"),
        ("pipelines:\n- {[a]: b}", "p.yaml: is neither YAML nor JSON"),
        ("!!python/object/apply:os.getcwd []", "p.yaml: is neither YAML nor JSON"),
        ("", "p.yaml: pipelines: the file must be a mapping"),
        ("a: 2025-13-45", "p.yaml: "),
    ],
)
def test_refuses_what_is_no_document(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_pipelines(text, source="p.yaml")
