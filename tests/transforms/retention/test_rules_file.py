"""Rules files: what is read, and every mistake told with its place."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
from datetime import timedelta
from typing import Any

import pytest

from transforms.core.errors import ConfigurationError
from transforms.query import parse
from transforms.retention.rules import Hold, Rule
from transforms.retention.rules_file import load_rules

FILE = """\
rules:
  - {name: short, retention: 14d, when: service=postgresql, description: noisy}
  - name: all else
    retention: 52w  # a year, nearly
  - {name: spare, retention: 1h, when: '#observedAt<2025-01-01', enabled: false}
holds:
  - {name: case 17, when: user=ann, description: ask legal}
  - {name: january, when: '#time>=2025-01-01 #time<2025-02-01'}
tiers:
  - {name: cold, retention: 30d, when: '(service=a level=debug) OR service=b'}
"""
HOLDS = (
    Hold(name="case 17", when=parse("user=ann"), text="user=ann", description="ask legal"),
    Hold(name="january", when=parse("#time>=2025-01-01 #time<2025-02-01"), text="#time>=2025-01-01 #time<2025-02-01"),
)


def test_reads_the_rules_of_a_section_and_all_holds() -> None:
    found = load_rules(FILE, source="r.yaml")
    assert found.rules == (
        Rule(
            name="short",
            retention=timedelta(days=14),
            when=parse("service=postgresql"),
            text="service=postgresql",
            description="noisy",
        ),
        Rule(name="all else", retention=timedelta(weeks=52)),
        Rule(
            name="spare",
            retention=timedelta(hours=1),
            when=parse("#observedAt<2025-01-01"),
            text="#observedAt<2025-01-01",
            enabled=False,
        ),
    )
    assert found.holds == HOLDS
    assert found.sha256 == hashlib.sha256(FILE.encode()).hexdigest()
    tiers = load_rules(FILE, source="r.yaml", section="tiers")
    assert [(rule.name, rule.retention, rule.text) for rule in tiers.rules] == [
        ("cold", timedelta(days=30), "(service=a level=debug) OR service=b")
    ]
    assert tiers.holds == HOLDS
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize("section", ["rules", "tiers"])
def test_without_its_section_there_are_no_rules(section: str) -> None:
    found = load_rules(json.dumps({"holds": [{"name": "all"}]}), source="r.json", section=section)
    assert (found.rules, found.holds) == ((), (Hold(name="all"),))


def rule(**fields: object) -> dict[str, object]:
    return {"rules": [{"name": "a", "retention": "1d", **fields}]}


ALLOWED = "allowed is a whole number above 0 and m, h, d or w, as in 90m, 12h, 30d, 2w (a day is 24 hours)"
MANY = [{"name": f"rule {number}", "retention": "1d"} for number in range(1, 102)]
TIMED = "a rule has no condition on time: its retention is the age that events reach"
BRACKETS = "AND (or a space) beside OR needs brackets here: (a=b c=d) OR e=f"
MISTAKES: list[tuple[Any, str]] = [
    (None, "rules: the file must be a mapping with rules, holds and tiers, each of them a list"),
    ([], "rules: the file must be a mapping with rules, holds and tiers, each of them a list"),
    ({"rule": []}, "rule: unknown field; allowed are rules, holds and tiers"),
    ({"pipelines": [], "rules": []}, "pipelines: unknown field; allowed are rules, holds and tiers"),
    ({"rules": None}, "rules: is empty; write [] for none"),
    ({"rules": {}}, "rules: must be a list of rules, not {}"),
    ({"tiers": "x"}, "tiers: must be a list of rules, not 'x'"),
    ({"holds": 3}, "holds: must be a list of holds, not 3"),
    ({"rules": ["a"]}, "rules[0]: must be a mapping with name, description, retention, when, enabled, not 'a'"),
    ({"holds": [None]}, "holds[0]: must be a mapping with name, description, when, not None"),
    (rule(wehn="a=b"), "rules[0].wehn: unknown field; a rule has name, description, retention, when, enabled"),
    ({"holds": [{"name": "a", "retention": "1d"}]},
    "holds[0].retention: unknown field; a hold has name, description, when"),
    ({"rules": [{"retention": "1d"}]}, "rules[0].name: is required"),
    ({"holds": [{}]}, "holds[0].name: is required"),
    (rule(name=""), "rules[0].name: must not be empty"),
    (rule(name=17), "rules[0].name: must be a text, not 17; put it in quotes"),
    (rule(name="a "), "rules[0].name: 'a ' has a blank at its end or a control character; reports show it"),
    (rule(name="a\nb"), "rules[0].name: 'a\\nb' has a blank at its end or a control character; reports show it"),
    (rule(description=1), "rules[0].description: must be a text, not 1; put it in quotes"),
    (rule(enabled="no"), "rules[0].enabled: must be true or false, not 'no'"),
    ({"rules": MANY[:1] * 2},
    "rules[1].name: 'rule 1' names rules[0] too; reports and the audit refer to it by name"),
    ({"holds": [{"name": "a"}] * 2},
    "holds[1].name: 'a' names holds[0] too; reports and the audit refer to it by name"),
    ({"rules": MANY}, "rules[100]: 'rule 101' is number 101; there are at most 100 rules in rules"),
    ({"tiers": MANY}, "tiers[100]: 'rule 101' is number 101; there are at most 100 rules in tiers"),
    ({"rules": [{"name": "a"}]}, "rules[0].retention: is required, as in 90m, 12h, 30d, 2w"),
    (rule(retention=None), "rules[0].retention: is required, as in 90m, 12h, 30d, 2w"),
    (rule(retention=30), f"rules[0].retention: 30 has no unit; {ALLOWED}"),
    (rule(retention="0d"), f"rules[0].retention: '0d' is not a length of time; {ALLOWED}"),
    (rule(retention="14 days"), f"rules[0].retention: '14 days' is not a length of time; {ALLOWED}"),
    (rule(retention=True), f"rules[0].retention: True is not a length of time; {ALLOWED}"),
    (rule(retention="99999999999d"), 'rules[0].retention: "99999999999d" is longer than there are dates'),
    (rule(when=""), "rules[0].when: is empty; leave it out for all events"),
    (rule(when=" "), "rules[0].when: is empty; leave it out for all events"),
    (rule(when=None), "rules[0].when: is empty; leave it out for all events"),
    (rule(when=True), "rules[0].when: must be a text in the query language, not True; put it in quotes: when: '…'"),
    (rule(when=404), "rules[0].when: must be a text in the query language, not 404; put it in quotes: when: '…'"),
    (rule(when=["a=b"]),
     "rules[0].when: must be a text in the query language, not ['a=b']; put it in quotes: when: '…'"),
    ({"holds": [{"name": "a", "when": None}]}, "holds[0].when: is empty; leave it out for all events"),
    (rule(when="a=b ("),
     'rules[0].when: query, character 6: expected a condition (name=value), a word or a "phrase", found the end\n'
                         "  a=b (\n       ^"),
    (rule(when="#time<2025-01-01"), f"rules[0].when: query, character 1: {TIMED}\n  #time<2025-01-01\n  ^"),
    (rule(when="a=b AND NOT (c=d OR #time=x)"),
     f"rules[0].when: query, character 21: {TIMED}\n  a=b AND NOT (c=d OR #time=x)\n                      ^"),
    (rule(when="#time IN (a, b)"), f"rules[0].when: query, character 1: {TIMED}\n  #time IN (a, b)\n  ^"),
    (rule(when="a=b c=d OR e=f"), f"rules[0].when: query, character 9: {BRACKETS}\n  a=b c=d OR e=f\n          ^"),
    (rule(when="a=b OR c=d AND e=f"), f"rules[0].when: query, character 5: {BRACKETS}\n  a=b OR c=d AND e=f\n      ^"),
    (rule(when="NOT (a b OR c)"), f"rules[0].when: query, character 10: {BRACKETS}\n  NOT (a b OR c)\n           ^"),
    ({"holds": [{"name": "a", "when": "a b OR c"}]},
    f"holds[0].when: query, character 5: {BRACKETS}\n  a b OR c\n      ^"),
]  # fmt: skip
PLACE = re.compile(r"(?<=r\.json):[0-9]+:[0-9]+")


@pytest.mark.parametrize(
    ("document", "message"), MISTAKES, ids=[f"{message[:60]}-{at}" for at, (_, message) in enumerate(MISTAKES)]
)
def test_refuses_with_the_place(document: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_rules(json.dumps(document), source="r.json")
    assert PLACE.sub("", str(error.value)) == f"r.json: {message}"
    assert (error.value.exit_code, error.value.field) == (2, "rules")


@pytest.mark.parametrize("section", ["rules", "tiers"])
def test_mistakes_of_all_sections_are_told_at_once_with_line_and_column(section: str) -> None:
    text = """\
rules:
  - name: one
    retention: 30
    when: #error=*
  - name: one
    retention: 1w
    when: service=a #error=*
  - {name: three, retention: 1d, when: yes}
  - name: four
    retention: 2w # a fortnight
    when:
holds:
  - name: five
    wehn: a=b
    when: a=b c=d OR e=f
tiers:
  - {name: six, retention: soon}
  - name: seven
    retention: 1d
    when: 'a=b #time>2025-01-01'
zones: []
"""
    comment = "YAML takes '#error=*' for a comment; put the whole condition in single quotes: when: '…'"
    with pytest.raises(ConfigurationError) as error:
        load_rules(text, source="r.yaml", section=section)
    assert [line for line in str(error.value).splitlines() if line.startswith("r.yaml")] == [
        "r.yaml:21:1: zones: unknown field; allowed are rules, holds and tiers",
        "r.yaml:5:11: rules[1].name: 'one' names rules[0] too; reports and the audit refer to it by name",
        f"r.yaml:3:16: rules[0].retention: 30 has no unit; {ALLOWED}",
        f"r.yaml:4:10: rules[0].when: {comment}",
        f"r.yaml:7:11: rules[1].when: {comment}",
        "r.yaml:8:40: rules[2].when: must be a text in the query language, not True; put it in quotes: when: '…'",
        "r.yaml:11:10: rules[3].when: is empty; leave it out for all events",
        f"r.yaml:17:28: tiers[0].retention: 'soon' is not a length of time; {ALLOWED}",
        f"r.yaml:20:11: tiers[1].when: query, character 5: {TIMED}",
        "r.yaml:14:5: holds[0].wehn: unknown field; a hold has name, description, when",
        f"r.yaml:15:11: holds[0].when: query, character 9: {BRACKETS}",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: [", "r.yaml:1:9: is neither YAML nor JSON: expected the node content"),
        ("rules: [{name: a, retention: 1d, when: #error=*}]", "r.yaml:1:50: is neither YAML nor JSON: "),
        (f"rules: 0x{'f' * 5000}", "r.yaml:1:8: is neither YAML nor JSON: a number has more than 4,300 characters"),
        ("rules: []\nrules: []", "r.yaml:2:1: is neither YAML nor JSON: 'rules' stands twice in one place"),
        (
            "rules: [{name: a, retention: 1d, when: a=b, when: c=d}]",
            "r.yaml:1:45: is neither YAML nor JSON: 'when' stands twice",
        ),
        ("a: 2025-13-45", "r.yaml: is neither YAML nor JSON: "),
    ],
)
def test_refuses_what_is_no_document(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_rules(text, source="r.yaml")
    assert str(error.value).startswith(message)
    assert error.value.field == "rules"


def test_says_where_a_comment_took_the_end_of_braces() -> None:
    text = "rules:\n  - {name: a, retention: 1d, when: #error=*}\n  - {name: b, retention: 1d}"
    with pytest.raises(
        ConfigurationError, match=r"^r.yaml:3:3: .* \(line 2: YAML takes what follows ' #' for a comment; put"
    ):
        load_rules(text, source="r.yaml")


@pytest.mark.parametrize(
    "when", ["'a=b #receiver=s3.pull'", "'a=b'  # a comment", ">-\n      a=b\n      #error=*", "a=b#c"]
)
def test_conditions_that_no_comment_cuts_short(when: str) -> None:
    assert (
        load_rules(f"rules:\n  - name: p\n    retention: 1d\n    when: {when}\n", source="r.yaml").rules[0].when
        is not None
    )


def test_a_hundred_rules_in_each_section() -> None:
    text = json.dumps(
        {"rules": MANY[:100], "tiers": MANY[:100], "holds": [{"name": f"hold {number}"} for number in range(300)]}
    )
    found = load_rules(text, source="r.json")
    assert (len(found.rules), len(found.holds)) == (100, 300)


@pytest.mark.parametrize("section", ["rules", "holds"])
def test_a_column_by_its_own_name_is_no_condition(section: str) -> None:
    rules = "{name: a, retention: 3d, when: _format=text}" if section == "rules" else "{name: a, when: _format=text}"
    with pytest.raises(ConfigurationError, match="the column is written #format"):
        load_rules(f"{section}: [{rules}]", source="r.yaml")
