"""The page of retention without scripts: rules in an editor, and holds that are set and lifted."""

from __future__ import annotations

from typing import Any

import pytest

from service.pages.sessions import COOKIE
from tests.service.conftest import Api, fill
from tests.service.pages.conftest import HOSTILE, Page, read, show
from transforms.hot_tier.configuration.holds import add_hold
from transforms.hot_tier.configuration.rules import set_rules
from transforms.hot_tier.configuration.store import load_configuration

OWN = {"Origin": "http://127.0.0.1:8080"}
RULES = "rules:\n  - {name: short, retention: 1d, when: status=404, description: noise}\n"


def send(api: Api, path: str, token: str = "", **form: str) -> Any:
    """Send a form of the page, as the browser of a key, or of nobody's, does."""
    cookie = {"Cookie": f"{COOKIE}={token}"} if token else {}
    page = read(api.ask("GET", "/pages/retention", headers=cookie).text)
    proof = next((one["value"] for one in page.all("input") if one.get("name") == "proof"), "")
    return api.client.post(path, data={"proof": proof, **form}, headers=OWN | cookie, follow_redirects=False)


def set_text(api: Api, text: str) -> Any:
    """Set rules as the editor does: its text's lines end in CR LF."""
    editor = show(api, "/pages/retention/rules")
    form = {"based": editor.one("input", name="based")["value"], "text": text.replace("\n", "\r\n")}
    return send(api, "/pages/retention/rules", **form)


def test_nothing_yet_says_what_a_rule_and_a_hold_are(api: Api) -> None:
    page = show(api, "/pages/retention")
    assert "all events are kept for ever" in page.text
    assert "retention: 90d" in page.text
    assert "Nothing is held" in page.text
    editor = show(api, page.links["Write the first one"])
    assert "retention: 90d" in editor.text
    assert "No rules were set yet" in editor.text


def test_rules_are_set_and_an_older_version_again(api: Api) -> None:
    other = RULES.replace("short", "other")
    for text in (RULES, other):
        answer = set_text(api, text)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/pages/retention")
    kept = load_configuration(api.service.tier).rules
    assert kept is not None
    assert kept.text == other
    page = show(api, "/pages/retention")
    assert all(text in page.text for text in ("other", "noise", "status=404", "1d"))
    versions = show(api, page.links["Edit, and versions"])
    assert versions.links["1"] == "/pages/retention/rules?version=1"
    older = show(api, "/pages/retention/rules", version=1)
    assert "name: short" in older.text
    assert "This is how they were" in older.text
    assert set_text(api, RULES).status_code == 303
    assert "name: short" in show(api, "/pages/retention/rules").text


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("rules:\n  - {name: short, retention: 14x}\n", "Line 2, column 30", "is not a length of time"),
        ("rules:\n  - {name: a, retention: 1d, when: 'b='}\n", "Line 2, column", "expected a value"),
        ("rules: [\n", "Line", "neither YAML nor JSON"),
        ("holds: [{name: a, when: b=c}]\n", "", "rekindle holds add"),
    ],
)
def test_a_mistake_is_shown_with_its_line_and_what_was_typed(api: Api, text: str, line: str, message: str) -> None:
    answer = set_text(api, text)
    page = read(answer.text)
    assert answer.status_code == 400
    assert line in page.text
    assert message in page.text
    assert text in page.text
    assert page.one("textarea", id="text")["aria-invalid"] == "true"
    assert load_configuration(api.service.tier).rules is None


def test_of_two_who_edit_the_rules_one_succeeds(api: Api) -> None:
    add_hold(api.service.tier, name="h", when="a=b")  # another change is none of the rules
    assert set_text(api, RULES).status_code == 303
    late = send(api, "/pages/retention/rules", based="", text=RULES + "#\n")
    assert (late.status_code, "others were set meanwhile" in late.text) == (409, True)
    assert "#" in read(late.text).text
    assert send(api, "/pages/retention/rules", based=late_base(late.text), text=RULES + "#\n").status_code == 303


def late_base(html: str) -> str:
    return read(html).one("input", name="based")["value"]


def test_a_hold_is_set_and_lifted(api: Api) -> None:
    fill(api)
    hold = {"name": "<b>case", "when": 'user="eve"', "why": HOSTILE}
    assert send(api, "/pages/retention/holds", **hold).headers["Location"] == "/pages/retention#holds"
    page = show(api, "/pages/retention")
    assert "\\u202elive" in page.text
    assert page.links['user="eve"'] == "/explore?query=user%3D%22eve%22"
    asked = read(send(api, "/pages/retention/holds/lift", name="<b>case").text)
    assert "Lift the hold “<b>case”?" in asked.text
    assert len(load_configuration(api.service.tier).holds) == 1
    assert send(api, "/pages/retention/holds/lift", name="<b>case", sure="1").status_code == 303
    assert load_configuration(api.service.tier).holds == ()
    for form in ({}, {"sure": "1"}):
        assert send(api, "/pages/retention/holds/lift", name="<b>case", **form).status_code == 404


@pytest.mark.parametrize(
    ("hold", "field", "message"),
    [
        ({"name": "", "when": "a=b"}, "name", "the name is empty"),
        ({"name": "a", "when": "b="}, "when", "expected a value"),
        ({"name": "a", "when": ""}, "when", "the condition is empty"),
        ({"name": "taken", "when": "b=c"}, "name", "there is a hold 'taken' already"),
    ],
)
def test_what_is_wrong_with_a_hold_is_beside_its_field(
    api: Api, hold: dict[str, str], field: str, message: str
) -> None:
    add_hold(api.service.tier, name="taken", when="a=b")
    answer = send(api, "/pages/retention/holds", why="so", **hold)
    page = read(answer.text)
    assert (answer.status_code, message in page.text) == (400, True)
    assert page.one("input", id=f"hold-{field}")["aria-invalid"] == "true"
    assert [page.one("input", id=f"hold-{name}")["value"] for name in ("name", "when", "why")] == [
        hold["name"],
        hold["when"],
        "so",
    ]


def test_a_key_that_reads_sees_all_and_changes_nothing(api: Api) -> None:
    set_rules(api.service.tier, RULES, file="rules.yaml")
    add_hold(api.service.tier, name="h", when="a=b")
    token = api.key("read")
    cookie = {"Cookie": f"{COOKIE}={token}"}
    page = read(api.ask("GET", "/pages/retention", headers=cookie).text)
    assert "Setting and lifting holds takes a key of the role admin" in page.text
    editor = read(api.ask("GET", "/pages/retention/rules", headers=cookie).text)
    assert "readonly" in editor.one("textarea", id="text")
    for path in ("rules", "holds", "holds/lift"):
        assert send(api, f"/pages/retention/{path}", token, name="h", when="b=c", sure="1").status_code == 403
    assert load_configuration(api.service.tier).version == 2


@pytest.mark.parametrize(("version", "status"), [("x", 400), ("99", 404), ("9" * 30, 400)])
def test_an_unknown_version(api: Api, version: str, status: int) -> None:
    assert api.ask("GET", "/pages/retention/rules", params={"version": version}).status_code == status


def test_rules_that_are_no_longer_valid_are_shown_as_such(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    set_rules(api.service.tier, RULES, file="rules.yaml")
    monkeypatch.setattr("transforms.retention.rules_file._RULE_FIELDS", ("name",))
    page: Page = show(api, "/pages/retention")
    assert "no longer valid" in page.text


def test_a_query_of_explore_becomes_a_hold(api: Api) -> None:
    fill(api)
    found = read(api.ask("GET", "/explore", params={"query": "status=404 host=web-1"}).text)
    address = next(one["href"] for one in found.all("a") if one.get("title", "").startswith("Keep all"))
    assert read(api.ask("GET", address).text).one("input", id="hold-when")["value"] == "status=404 host=web-1"
    assert not [one for one in read(api.ask("GET", "/explore").text).all("a") if "Keep all" in one.get("title", "")]
