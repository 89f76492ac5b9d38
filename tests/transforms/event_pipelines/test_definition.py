"""Pipelines files: what is read, and every mistake told with its path."""

from __future__ import annotations

import json
import pickle
import re

import pytest

from transforms.core.errors import ConfigurationError
from transforms.event_pipelines import outputs
from transforms.event_pipelines.definition import load_pipelines

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
    assert (access.name, access.description, access.enabled, len(access.steps)) == (
        "access",
        "what the web servers say",
        True,
        2,
    )
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


def test_an_include_takes_a_condition_of_its_own() -> None:
    (pipeline,) = load_pipelines("include: [{name: aws_alb, when: 'source=alb*'}]", source="p.yaml")
    (shipped,) = load_pipelines("include: [{name: aws_alb}]", source="p.yaml")
    assert (pipeline.name, str(pipeline.when)) == ("aws_alb", "source=alb*")
    assert pipeline.steps == shipped.steps
    assert pipeline.when != shipped.when


def in_steps(step: object) -> dict[str, object]:
    return {"pipelines": [{"name": "a", "steps": [step]}]}


def nested(name: str, step: object) -> dict[str, object]:
    return {"pipeline": {"name": name, "steps": [step]}}


def regex(**parameters: object) -> dict[str, object]:
    return in_steps({"regex": {"source": "message", "pattern": "(?P<x>.)", **parameters}})


def timestamp(**parameters: object) -> dict[str, object]:
    return in_steps({"timestamp": {"source": "t", **parameters}})


MISTAKES = [
    ([], "pipelines: the file must be a mapping with the key pipelines"),
    ({"pipelines": {}}, "pipelines: must be a list of pipelines"),
    ({}, "pipelines: must be a list of pipelines, not None"),
    ({"pipeline": [], "pipelines": []}, "pipeline: unknown field; allowed are pipelines and include"),
    ({"include": ["access"], "pipelines": []},
    "include[0]: 'access' is no ready-made pipeline; there are access_combined, aws_alb"),
    ({"include": "access_combined"}, "include: must be a list of ready-made pipelines (access_combined, "),
    ({"include": [["a"]]}, "include[0]: ['a'] is no ready-made pipeline"),
    ({"include": ["syslog", "syslog"]}, "include[1]: 'syslog' is included already"),
    ({"include": [{"name": "syslog"}, "syslog"]}, "include[1]: 'syslog' is included already"),
    ({"include": [{"name": "alb"}]}, "include[0].name: 'alb' is no ready-made pipeline; there are access_combined"),
    ({"include": [{}]}, "include[0].name: None is no ready-made pipeline; there are access_combined"),
    ({"include": [{"name": "syslog", "if": "a=b"}]}, "include[0].if: unknown field; an include has name and when"),
    ({"include": [{"name": "syslog", "when": ""}]}, "include[0].when: is empty; leave it out for all events"),
    ({"include": [{"name": "syslog", "when": "a=("}]}, "include[0].when: query, character "),
    (in_steps({"set": {"output": "x", "value": "${a"}}), "pipelines[0].steps[0].value: '${' without a name and '}'"),
    (in_steps({"set": {"output": "x", "value": "${#eventId}"}}),
    "pipelines[0].steps[0].value: '#eventId' is a system attribute"),
    (in_steps({"key_value": {"source": "message", "separator": "::"}}),
    "pipelines[0].steps[0].separator: must be one character, or next_key, not '::'"),
    ({"include": ["syslog"], "pipelines": [{"name": "syslog"}]},
    "pipelines[0].name: 'syslog' names an included pipeline too"),
    ({"pipelines": ["a"]}, r"pipelines[0]: must be a mapping with name, description, when, enabled, steps, not 'a'"),
    ({"pipelines": [{"steps": [], "name": "a"}]},
    "pipelines[0].steps: must be a list with at least one processor, not []"),
    ({"pipelines": [{"name": "a"}]}, "pipelines[0].steps: must be a list with at least one processor, not None"),
    ({"pipelines": [{"name": 7}]}, "pipelines[0].name: must be a text, not 7; put it in quotes"),
    ({"pipelines": [{"name": ""}]}, "pipelines[0].name: must not be empty"),
    ({"pipelines": [{}]}, "pipelines[0].name: is required"),
    ({"pipelines": [{"name": "a,b"}]}, "pipelines[0].name: 'a,b' has a comma"),
    ({"pipelines": [{"name": "a", "nmae": "b"}]},
    "pipelines[0].nmae: unknown field; a pipeline has name, description, when"),
    ({"pipelines": [{"name": "a", "when": ""}]}, "pipelines[0].when: is empty; leave it out for all events"),
    ({"pipelines": [{"name": "a", "when": " "}]}, "pipelines[0].when: is empty; leave it out for all events"),
    ({"pipelines": [{"name": "a", "when": None}]}, "pipelines[0].when: is empty; leave it out for all events"),
    ({"pipelines": [{"name": "a", "when": 404}]},
    "pipelines[0].when: must be a text in the query language, not 404; put it in quotes"),
    ({"pipelines": [{"name": "a", "when": ["a=b"]}]}, "pipelines[0].when: must be a text in the query language"),
    ({"pipelines": [{"name": "a", "when": "a=b ("}]}, "pipelines[0].when: query, character 6: "),
    ({"pipelines": [{"name": "a", "when": "#evendId=1"}]}, "pipelines[0].when: query, character 1: "),
    ({"pipelines": [{"name": "a", "enabled": "no"}]}, "pipelines[0].enabled: must be true or false, not 'no'"),
    ({"pipelines": [{"name": "a", "description": 1}]}, "pipelines[0].description: must be a text, not 1"),
    ({"pipelines": [{"name": "a"}, {"name": "a"}]}, "pipelines[1].name: 'a' names pipelines[0] too"),
    (in_steps("regex"), "pipelines[0].steps[0]: must be one processor with its parameters"),
    (in_steps({"regex": {}, "timestamp": {}}), "pipelines[0].steps[0]: must be one processor with its parameters"),
    (in_steps({"reg": {}}), "pipelines[0].steps[0]: 'reg' is no processor; processors are regex, "),
    (in_steps({"pipeline": {}}), "pipelines[0].steps[0].name: is required"),
    (in_steps({"pipeline": "b"}),
    "pipelines[0].steps[0]: must be a mapping with name, description, when, enabled, steps, not 'b'"),
    (in_steps(nested("b", nested("a", {"remove": {"attributes": ["x"]}}))),
     "pipelines[0].steps[0].steps[0].name: 'a' names pipelines[0] too"),
    (in_steps(nested("b", nested("c", nested("d", {})))),
    "pipelines[0].steps[0].steps[0].steps[0]: pipelines nest at most 3 levels deep"),
    (in_steps({"regex": "x"}), "pipelines[0].steps[0]: regex must have a mapping of parameters, not 'x'"),
    (in_steps({"regex": {}}), "pipelines[0].steps[0].source: is required"),
    (regex(patern="x"),
     "pipelines[0].steps[0].patern: unknown parameter; this processor takes source, pattern, outputs"),
    (regex(source="_time"), "pipelines[0].steps[0].source: '_time' is a system attribute"),
    (regex(source="#eventId"), "pipelines[0].steps[0].source: '#eventId' is a system attribute"),
    (regex(pattern=""), "pipelines[0].steps[0].pattern: must not be empty"),
    (regex(pattern=12), "pipelines[0].steps[0].pattern: must be a text, not 12; put it in quotes"),
    (regex(pattern="a(?=b)(c)"),
    "pipelines[0].steps[0].pattern: character 2, '(?=': look-around, including look-ahead"),
    (regex(pattern="(?<!b)(c)"), "pipelines[0].steps[0].pattern: character 1, '(?<!': look-around"),
    (regex(pattern=r"(é)\1"),
    r"pipelines[0].steps[0].pattern: character 4, '\1': backreferences are not supported, in '(é)\1'"),
    (regex(pattern="(?>a)(b)"), "pipelines[0].steps[0].pattern: character 3, '>': unrecognized flag"),
    (regex(pattern="(?x)\n(a\n"), "pipelines[0].steps[0].pattern: "),
    (regex(pattern="(a{1000}{1000}{1000})"), "pipelines[0].steps[0].pattern: "),
    (regex(pattern="a"), "pipelines[0].steps[0].pattern: has no capture group"),
    (regex(pattern="(?P<a>.)(.)"), "pipelines[0].steps[0].pattern: group 2 has no name"),
    (regex(pattern="(.)"), "pipelines[0].steps[0].pattern: group 1 has no name"),
    (regex(pattern="(?P<_time>.)"), "pipelines[0].steps[0].pattern: '_time' is a system attribute"),
    (regex(pattern="(?P<a>.)(?P<a>.)"),
    "pipelines[0].steps[0].pattern: character 5, 'a': duplicate capture group name"),
    (regex(outputs=["y"]), "pipelines[0].steps[0].outputs: the pattern's groups have names of their own"),
    (regex(pattern="(.)(.)", outputs=["y"]),
    "pipelines[0].steps[0].outputs: names 1 attributes, but the pattern has 2 capture groups"),
    (regex(pattern="(.)(.)", outputs=["y", "y"]), "pipelines[0].steps[0].outputs: names an attribute twice"),
    (regex(pattern="(.)", outputs=["_object"]), "pipelines[0].steps[0].outputs: '_object' is a system attribute"),
    (regex(pattern="(.)", outputs=["#team"]), "pipelines[0].steps[0].outputs: '#team' is a system attribute"),
    (regex(pattern="(.)", outputs=[""]), "pipelines[0].steps[0].outputs: an attribute's name is not empty"),
    (regex(pattern="(.)", outputs="y"), "pipelines[0].steps[0].outputs: must be a list of texts, not 'y'"),
    (timestamp(timezone="Mars"), "pipelines[0].steps[0].timezone: 'Mars' is not an IANA time zone"),
    (timestamp(output="x"),
    "pipelines[0].steps[0].output: unknown parameter; this processor takes source, format, timezone"),
    (timestamp(format="yyyy-ww"),
    "pipelines[0].steps[0].format: character 6 of 'yyyy-ww': 'ww' can't be read. Or one of AUTO, ISO_8601"),
    (timestamp(source="_message"), "pipelines[0].steps[0].source: '_message' is a system attribute"),
]  # fmt: skip


PLACE = re.compile(r"(?<=p\.json):[0-9]+:[0-9]+")


@pytest.mark.parametrize(("document", "message"), MISTAKES, ids=[message[:60] for _, message in MISTAKES])
def test_refuses_with_the_place(document: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_pipelines(json.dumps(document), source="p.json")
    assert f"p.json: {message}" in PLACE.sub("", str(error.value))
    assert error.value.exit_code == 2


def test_tells_all_mistakes_at_once() -> None:
    steps = [{"regex": {"source": "_time", "pattern": "("}}, {"nothing": {}}]
    with pytest.raises(ConfigurationError) as error:
        load_pipelines(json.dumps({"pipelines": [{"name": "a", "when": 1, "steps": steps}], "x": 1}), source="p.json")
    places = [line.split(": ")[1] for line in str(error.value).splitlines()]
    assert places == [
        "x",
        "pipelines[0].when",
        "pipelines[0].steps[0].source",
        "pipelines[0].steps[0].pattern",
        "pipelines[0].steps[1]",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pipelines: [", r"p.yaml:1:13: is neither YAML nor JSON: expected the node content"),
        ('{"pipelines": [], "pipelines": []}', r"p.yaml:1:19: .*'pipelines' stands twice in one place"),
        ("pipelines: []\npipelines: []", r"p.yaml:2:1: .*'pipelines' stands twice in one place"),
        ("pipelines:\n- {[a]: b}", "p.yaml:2:4: is neither YAML nor JSON"),
        ("!!python/object/apply:os.getcwd []", "p.yaml:1:1: is neither YAML nor JSON"),
        ("", "p.yaml:1:1: pipelines: the file must be a mapping"),
        ("a: &a [*a]", "p.yaml: is neither YAML nor JSON: a.* lies too deep"),
        (
            "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n"
            "c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\n"
            "e: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]",
            "^p.yaml:[0-9]+:[0-9]+: the file has more than 100,000 values",
        ),
        ("a: 2025-13-45", "p.yaml: "),
        (
            "a: &p {x: 1}\nb:\n  <<: *p\n",
            r"^p.yaml:3:3: merge keys \(<<\) are not read; write out what they stand for$",
        ),
        ('pipelines:\n- {name: "p\\ud800"}', r"^p.yaml:2:10: pipelines\[0\].name: 'p\\ud800' has half of a character$"),
        ('pipelines:\n- {name: p, when: "a=\\udfff"}', r"^p.yaml:2:19: pipelines\[0\].when: "),
        (
            'pipelines:\n- name: p\n  steps:\n  - set: {output: "x\\ud800", value: a}',
            r"^p.yaml:4:19: pipelines\[0\].steps\[0\].output: ",
        ),
        (
            '{"pipelines": [{"name": "p",\n"steps": [{"regex": {"pattern": "\\ud800"}}]}]}',
            r"^p.yaml:2:33: .*steps\[0\].pattern: ",
        ),
        ('pipelines:\n- {"p\\ud800": "\\ud800"}', r"^p.yaml:2:[0-9]+: pipelines\[0\]"),
        ('{"pipelines": [{"name": "\ud800"}]}', r"^p.yaml:1:[0-9]+: pipelines\[0\].name: '\\ud800' has half"),
    ],
)
def test_refuses_what_is_no_document(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_pipelines(text, source="p.yaml")


def test_mistakes_have_their_line_and_column() -> None:
    text = """\
pipelines:
  - name: one
    wehn: a=b
    steps:
      - regex: {source: message, pattern: '(?P<a>.)(?=b)'}
  - name: two
    when: service=shop  # the shop
    steps:
      - set:
          output: _time
      - pipeline:
          name: three
          steps: [{remove: {attributes: [a, '#b']}}]
"""
    with pytest.raises(ConfigurationError) as error:
        load_pipelines(text, source="p.yaml")
    assert [": ".join(line.split(": ")[:2]) for line in str(error.value).splitlines()] == [
        "p.yaml:3:5: pipelines[0].wehn",
        "p.yaml:5:43: pipelines[0].steps[0].pattern",
        "p.yaml:7:11: pipelines[1].when",
        "p.yaml:10:19: pipelines[1].steps[0].output",
        "p.yaml:9:9: pipelines[1].steps[0].value",
        "p.yaml:13:45: pipelines[1].steps[1].steps[0].attributes[1]",
    ]


def test_places_in_json_with_tabs() -> None:
    with pytest.raises(ConfigurationError) as error:
        load_pipelines('{\n\t"pipelines": [\n\t\t{"name": "\\ud83d\\ude00", "steps": 7}\n\t]\n}', source="p.json")
    assert str(error.value).startswith("p.json:3:37: pipelines[0].steps: must be a list")


@pytest.mark.parametrize(
    ("when", "refused"),
    [
        ("a=b", False),
        ("'a=b #receiver=s3.pull'", False),
        ('"a=b #receiver=s3.pull"', False),
        ("'a=b'  # a comment", False),
        (">-\n      a=b\n      #error=*", False),
        ("a=b#c", False),
        ("a=b #receiver=s3.pull", True),
        ("#receiver=s3.pull", True),
        ("a=b  # comment", True),
        ("a=b\n      c=d # comment", True),
        ("a=b\n      #receiver=s3.pull", True),
        ("a=b  \n\n     # comment", True),
        ("a=b\n      c=d\n     #error=*", True),
        ("a=b\n    # comment\n      # comment", False),
        ("a=b\n# comment", False),
        ("'a=b'\n      # comment", False),
        ("&c a=b\n    # comment", False),
    ],
)
def test_a_comment_behind_an_unquoted_condition(when: str, *, refused: bool) -> None:
    text = f"pipelines:\n  - name: p\n    when: {when}\n    steps: [{{remove: {{attributes: [a]}}}}]\n"
    _is_refused(text, refused=refused)


@pytest.mark.parametrize(
    ("when", "refused"),
    [
        ("a=b\n #error=*\n", True),
        ("'a=b'\n #error=*\n", False),
        ("a=b\n,\n #comment\n", False),
        ("a=b #error=*\n", True),
    ],
)
def test_a_comment_behind_a_condition_in_braces(when: str, *, refused: bool) -> None:
    text = f"pipelines:\n - {{name: p, steps: [{{remove: {{attributes: [a]}}}}],\nwhen: {when}}}\n"
    _is_refused(text, refused=refused)


def _is_refused(text: str, *, refused: bool) -> None:
    if refused:
        with pytest.raises(
            ConfigurationError, match=r"p.yaml:3:[0-9]+: pipelines\[0\].when: YAML takes '#.*' for a comment"
        ):
            load_pipelines(text, source="p.yaml")
    else:
        assert load_pipelines(text, source="p.yaml")[0].when is not None


def test_a_phrase_needs_both_kinds_of_quotes() -> None:
    text = "pipelines:\n- {name: p, when: '\"out of memory\"', steps: [{remove: {attributes: [a]}}]}"
    assert str(load_pipelines(text, source="p.yaml")[0].when) == '"out of memory"'
