"""The page of pipelines without scripts: edited, tested, saved, brought back, also while others save."""

from __future__ import annotations

from typing import Any

import pytest

from service.pages.pipelines.catalogue import EXAMPLE, EXAMPLE_SAMPLE, catalogue, with_include
from service.pages.pipelines.history import difference
from service.pages.pipelines.samples import sample_of
from service.pages.sessions import COOKIE
from tests.service.conftest import Api, fill
from tests.service.pages.conftest import HOSTILE, Page, read, show
from transforms.event_pipelines.definition import load_pipelines
from transforms.hot_tier.configuration.holds import add_hold
from transforms.hot_tier.configuration.pipelines import set_pipelines
from transforms.hot_tier.configuration.store import load_configuration

PATH = "/pages/pipelines"
OWN = {"Origin": "http://127.0.0.1:8080"}
GOOD = "pipelines:\n  - name: {name}\n    steps: [{{set: {{output: team, value: web}}}}]\n"


def send(api: Api, action: str, *, token: str = "", path: str = PATH, **form: str) -> Any:
    """Send the form of the page, as it is when it has just been opened, with other values."""
    cookie = {"Cookie": f"{COOKIE}={token}"} if token else {}
    page = read(api.ask("GET", PATH, headers=cookie).text)
    data = {one["name"]: one.get("value", "") for one in page.all("input") if "name" in one}
    return api.client.post(path, data=data | {"do": action} | form, headers=OWN | cookie, follow_redirects=False)


def sent(api: Api, action: str, *, status: int = 200, **form: str) -> Page:
    answer = send(api, action, **form)
    page = read(answer.text)
    assert answer.status_code == status, [one for one in page.text.split("\n") if "ine" in one][:20]
    return page


def test_an_empty_tier_has_an_example_to_insert(api: Api) -> None:
    page = show(api, PATH)
    assert "The tier has no pipelines yet" in page.text
    assert "Nothing was saved yet" in page.text
    in_editor = [one for one in page.all("button") if one.get("form", "editor") == "editor" and one.get("name") == "do"]
    assert [one["value"] for one in in_editor][1:4] == ["test", "save", "take"]  # Enter in the editor tests
    inserted = sent(api, "example")
    assert (EXAMPLE in inserted.text, EXAMPLE_SAMPLE in inserted.text) == (True, True)
    assert "mistake" not in inserted.text
    tested = sent(api, "test", text=EXAMPLE, sample=EXAMPLE_SAMPLE)
    assert "Attributes that came: bytes" in " ".join(tested.text.split())
    assert [word in tested.text for word in ("1042", "***", "dropped")] == [True] * 3
    figures = " ".join(tested.text.split())
    for figure in ("Events 3", "Matched 3", "Changed 2", "Dropped 1", "With a step that failed 0", "Not read 0"):
        assert figure in figures
    assert load_configuration(api.service.tier).version == 0


def test_saved_shown_and_brought_back(api: Api) -> None:
    admin = api.key("admin", name="boss <b>")
    for name in ("first", "second"):
        answer = send(api, "save", token=admin, text=GOOD.format(name=name))
        assert answer.status_code == 303, answer.text
    assert answer.headers["Location"] == f"{PATH}?saved=2"
    cookie = {"Cookie": f"{COOKIE}={admin}"}
    page = read(api.ask("GET", answer.headers["Location"], headers=cookie).text)
    assert "Saved as version 2" in page.text
    assert "boss <b>" in page.text
    assert "name: second" in page.text
    older = read(api.ask("GET", page.links["Version 1"], headers=cookie).text)
    assert [line in older.text for line in ("-  - name: second", "+  - name: first")] == [True, True]
    assert older.one("input", name="base")["value"] == "2"
    assert "Back to this one" in older.text
    send(api, "save", token=admin, text=GOOD.format(name="first"))
    kept = load_configuration(api.service.tier)
    assert kept.pipelines is not None
    assert (kept.version, kept.pipelines.text) == (3, GOOD.format(name="first"))
    assert api.ask("GET", f"{PATH}?version=9", headers=cookie).status_code == 404


def test_what_does_not_check_is_not_saved(api: Api) -> None:
    text = "pipelines:\n  - name: a\n    when: status=\n    steps: [{nope: {}}]\n"
    for action in ("save", "test"):
        page = sent(api, action, status=400, text=text, sample="kept sample")
        assert "2 mistakes" in page.text
        assert [link in page.links for link in ("Line 3, column 11", "Line 4, column 14")] == [True, True]
        assert page.one("a", **{"data-line": "4"})["data-column"] == "14"
        assert page.one("textarea", id="text")["aria-invalid"] == "true"
        assert "kept sample" in page.text
        assert text in page.text
    assert "The text is empty" in sent(api, "save", status=400, text=" \n").text
    assert load_configuration(api.service.tier).version == 0


def test_mistakes_are_told_while_it_is_typed(api: Api) -> None:
    page = sent(api, "", path=f"{PATH}/check", text="pipelines: [{}]")
    assert (page.elements[0], "2 mistakes" in page.text) == (
        ("div", {"id": "mistakes", "class": "full", "role": "status"}),
        True,
    )
    assert "mistake" not in sent(api, "", path=f"{PATH}/check", text=EXAMPLE).text


def test_saved_in_between_keeps_what_was_typed_and_shows_theirs(api: Api) -> None:
    tier = api.service.tier
    set_pipelines(tier, GOOD.format(name="old"), file="p.yaml")
    set_pipelines(tier, GOOD.format(name="theirs"), file="p.yaml")
    page = sent(api, "save", status=409, text=GOOD.format(name="mine"), base="1", sample="my sample")
    assert "Somebody else has saved in between" in page.text
    assert [line in page.text for line in ("-  - name: theirs", "+  - name: mine", "my sample")] == [True] * 3
    assert page.one("input", name="base")["value"] == "2"
    assert load_configuration(tier).version == 2
    assert send(api, "save", text=GOOD.format(name="mine"), base="2").status_code == 303
    kept = load_configuration(tier).pipelines
    assert kept is not None
    assert (kept.file, "mine" in kept.text) == ("p.yaml", True)


def test_a_hold_in_between_is_no_conflict(api: Api) -> None:
    add_hold(api.service.tier, name="h", when="a=b")
    assert send(api, "save", text=GOOD.format(name="mine"), base="0").headers["Location"] == f"{PATH}?saved=2"


def test_a_sample_comes_from_a_search(api: Api) -> None:
    fill(api)
    text = "pipelines: [{name: paths, steps: [{regex: {source: message, pattern: 'GET (?P<path>\\S+)'}}]}]"
    page = sent(api, "take", text=text, query="status=200", limit="5")
    assert "3 events of the tier" in page.text
    figures = " ".join(page.text.split())
    assert "Matched 3" in figures, figures[600:1200]
    assert "/5" in page.text
    assert "GET /1" not in page.text
    by_link = show(api, PATH, query="login")
    assert "login of 'eve' failed" in by_link.text
    wrong = sent(api, "take", status=400, text=text, query="status=(")
    assert wrong.one("input", id="query")["aria-describedby"] == "wrong-query"
    assert "expected a value" in wrong.text
    assert "No event matches" in sent(api, "take", status=404, query="nowhere").text


def test_samples_that_can_not_be_tested(api: Api) -> None:
    assert "Paste some events" in sent(api, "test", status=400, text="pipelines: []").text
    page = sent(api, "test", status=400, text="pipelines: []", sample="x", format="nope")
    assert "format" in page.text
    assert "With a step that failed" in sent(api, "test", text="pipelines: []", sample="x", sourcetype="app").text


def test_a_reader_tests_and_saves_nothing(api: Api) -> None:
    api.key("admin")
    reader = api.key("read")
    page = read(send(api, "test", token=reader, text=EXAMPLE, sample=EXAMPLE_SAMPLE).text)
    assert "1042" in page.text
    assert "Saving takes a key of the role admin" in page.text
    assert "save" not in [one.get("value") for one in page.all("button")]
    assert send(api, "save", token=reader, text=EXAMPLE).status_code == 403
    assert load_configuration(api.service.tier).version == 0


@pytest.mark.parametrize("form", ["hash: true", '"h\\x61sh": true', "hash: true, hash_key_file: /etc/hostname"])
def test_a_reader_hashes_nothing_by_the_secret_key(api: Api, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKINDLE_HASH_KEY", "secret " * 8)
    api.key("admin")
    reader = api.key("read")
    text = f"pipelines: [{{name: a, steps: [{{redact: {{source: message, pattern: email, {form}}}}}]}}]"
    page = read(send(api, "test", token=reader, text=text, sample="ann@example.com").text)
    assert "only a key of the role admin may use" in page.text
    assert "What it does" not in page.text
    called = api.ask("POST", "/pipelines/test", token=reader, json={"text": text, "sample": "ann@example.com"})
    assert (called.status_code, called.json()["error"]["field"]) == (403, "text")
    set_pipelines(api.service.tier, text, file="p.yaml")
    assert api.ask("POST", "/pipelines/test", token=reader, json={"sample": "a@b.c"}).status_code == 403
    assert "mistake" not in read(api.ask("GET", PATH, headers={"Cookie": f"{COOKIE}={reader}"}).text).text


def test_a_form_without_proof_saves_nothing(api: Api) -> None:
    cookie = {"Cookie": f"{COOKIE}={api.key('admin')}"}
    answer = api.client.post(PATH, data={"do": "save", "text": EXAMPLE}, headers=OWN | cookie)
    assert answer.status_code == 403
    assert load_configuration(api.service.tier).version == 0


def test_texts_that_mean_harm_are_text(api: Api) -> None:
    text = f"pipelines:\n  - name: '{HOSTILE.split(chr(27), maxsplit=1)[0]}</textarea>'\n    steps: 1\n"
    page = sent(api, "test", status=400, text=text, sample=HOSTILE, query="<script>", source='"><script>')
    assert "alert(1)" in page.text
    assert {one.get("src", "")[:8] for one in page.all("script")} == {"/static/"}
    assert "Characters that are not seen" in page.text
    assert "\\u202e" in page.text
    tested = sent(api, "test", text=EXAMPLE, sample=HOSTILE)
    shown = tested.text[tested.text.index("What it does") :]
    assert ("\u202e" in shown, "\\u202e" in shown) == (False, True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "include: [waf]\n"),
        ("pipelines: []\n", "include: [waf]\n"),
        ("include: [syslog]   # c\n", "include: [syslog, waf]   # c\n"),
        ("include: [ ]\n", "include: [waf]\n"),
        ("include: [{name: syslog, when: 'a=b'},]\n", "include: [{name: syslog, when: 'a=b'}, waf]\n"),
        ("# c\ninclude:\n  - syslog\n", "# c\ninclude:\n  - waf\n  - syslog\n"),
        ("include:\n- syslog\n", "include:\n- waf\n- syslog\n"),
        (GOOD.format(name="a"), "include: [waf]\n" + GOOD.format(name="a")),
        ('{"include": ["syslog"]}', '{\n  "include": [\n    "syslog",\n    "waf"\n  ]\n}\n'),
    ],
)
def test_a_ready_made_one_is_included(before: str, after: str) -> None:
    assert with_include(before, "waf") == after
    assert "waf" in [pipeline.name for pipeline in load_pipelines(after, source="f")]


@pytest.mark.parametrize("text", ["include: &a [syslog]\n", "{[", "include: # none\n  - syslog\n"])
def test_where_the_list_is_not_found_nothing_is_broken(text: str, api: Api) -> None:
    assert with_include(text, "waf") is None
    assert "Add waf to the list" in sent(api, "include:waf", status=400, text=text).text


def test_included_by_its_button(api: Api) -> None:
    page = sent(api, "include:syslog", text="include: [waf]\n", sample="stays")
    assert ("include: [waf, syslog]" in page.text, "stays" in page.text) == (True, True)
    assert send(api, "include:nothing").status_code == 404
    assert {f"include:{one.name}" for one in catalogue()} <= {one.get("value", "") for one in page.all("button")}


def test_differences() -> None:
    assert difference("a\nb", "a\nc") == [("", "@@ -1,2 +1,2 @@"), ("", " a"), ("gone", "-b"), ("came", "+c")]
    assert difference("a", "a") == []
    assert difference("a\n" * 2_000, "a") is None


def test_samples_keep_what_events_had() -> None:
    rows = [{"_time": "t", "_message": text, "_format": "text", "host": "h", "level": "x"} for text in ("a", "b")]
    plain = {"sample": "a\nb\n", "format": "text", "source": "", "sourcetype": "", "host": "h"}
    assert sample_of(rows) == plain
    several = sample_of([rows[0], rows[1] | {"_message": "b\n  at c"}])
    assert several["format"] == "splunk_hec"
    assert several["sample"].splitlines()[1] == '{"time":"t","host":"h","event":"b\\n  at c"}'
    assert '"fields":{"level":"x"}' in sample_of([rows[0] | {"_format": "csv"}])["sample"]
