"""A browser on Pipelines and Keys: edited and tested, saved and brought back; a key made, used and revoked."""

from __future__ import annotations

import json
from urllib.request import Request, urlopen

from playwright.sync_api import Page, expect

from tests.service.pages.browser.conftest import OpenPage
from tests.service.pages.browser.looking import look
from tests.service.pages.browser.sites import Site

BROKEN = "pipelines:\n  - name: a\n    steps:\n      - nope: {}\n"
MENDED = "pipelines:\n  - name: a\n    steps:\n      - set: {output: team, value: web}\n"


def test_pipelines_are_edited_tested_saved_and_brought_back(open_page: OpenPage, own_site: Site) -> None:
    page = open_page(own_site)
    page.goto(own_site.at("/pages/pipelines"))
    look(page)
    page.get_by_role("button", name="Insert an example").click()
    page.get_by_role("button", name="Test it").click()
    expect(page.get_by_role("heading", name="What it does to the sample")).to_be_visible()
    expect(page.get_by_role("article", name="Event 2")).to_contain_text("dropped")
    expect(page.get_by_role("article", name="Event 3").get_by_role("row", name="order_id")).to_contain_text("1042")
    look(page)
    text = page.get_by_label("Text, YAML or JSON")
    text.fill(BROKEN)
    link = page.get_by_role("link", name="Line 4, column 9")
    expect(link).to_be_visible()
    look(page)
    link.focus()
    page.keyboard.press("Enter")
    expect(text).to_be_focused()
    page.keyboard.type("N")
    expect(text).to_have_value(BROKEN.replace("nope", "Nope"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("1 mistake:")).to_be_visible()
    text.fill(MENDED)
    expect(page.get_by_text("1 mistake:")).not_to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as version 1")).to_be_visible()
    text.fill(MENDED.replace("web", "shop"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as version 2")).to_be_visible()
    page.get_by_role("link", name="Version 1").click()
    expect(page.get_by_label("From the newest to this one")).to_contain_text("value: web")
    look(page)
    page.get_by_role("button", name="Back to this one").click()
    expect(page.get_by_text("Saved as version 3")).to_be_visible()
    expect(text).to_have_value(MENDED)


def test_who_is_slower_keeps_what_was_typed(open_page: OpenPage, own_site: Site) -> None:
    mine, theirs = open_page(own_site), open_page(own_site)
    for page in (mine, theirs):
        page.goto(own_site.at("/pages/pipelines"))
    theirs.get_by_label("Text, YAML or JSON").fill(MENDED)
    theirs.get_by_role("button", name="Save").click()
    expect(theirs.get_by_text("Saved as version 1")).to_be_visible()
    typed = MENDED.replace("web", "shop")
    mine.get_by_label("Text, YAML or JSON").fill(typed)
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_role("heading", name="Somebody else has saved in between")).to_be_visible()
    expect(mine.get_by_label("Text, YAML or JSON")).to_have_value(typed)
    look(mine)
    mine.get_by_role("button", name="Save over theirs").click()
    expect(mine.get_by_text("Saved as version 2")).to_be_visible()


def test_without_scripts_a_sample_comes_from_a_search(open_page: OpenPage, filled_site: Site) -> None:
    page = open_page(role="read", java_script_enabled=False)
    page.goto(filled_site.at("/pages/pipelines"))
    page.get_by_label("Text, YAML or JSON").fill(MENDED)
    page.get_by_label("Take them from a search").fill("evil")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 event of the tier")).to_be_visible()
    expect(page.get_by_role("article", name="Event 1").get_by_role("row", name="team")).to_contain_text("web")
    expect(page.get_by_text("Saving takes a key of the role admin")).to_be_visible()


def test_a_key_is_made_used_and_revoked(open_page: OpenPage, own_site: Site) -> None:
    page = open_page(own_site)
    page.goto(own_site.at("/pages/keys"))
    page.get_by_label("Name", exact=True).fill("forwarders")
    page.get_by_label("Role").select_option("ingest")
    page.get_by_label("A HEC token too").check()
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="is made")).to_be_visible()
    look(page)
    token = page.get_by_label("HEC token", exact=True).inner_text()
    for name in ("An event, by curl", "Docker", "Fluent Bit", "Vector"):
        expect(page.get_by_label(name, exact=True)).to_contain_text(token)
    assert send(own_site, token) == {"text": "Success", "code": 0}
    page.goto(own_site.at("/pages/keys"))
    expect(page.get_by_text(token)).to_have_count(0)
    page.get_by_role("button", name="Revoke forwarders").click()
    expect(page.get_by_role("heading", name="Revoke “forwarders”?")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("row", name="forwarders")).to_contain_text("revoked")
    look_for_no_button(page, "Revoke forwarders")


def look_for_no_button(page: Page, name: str) -> None:
    expect(page.get_by_role("button", name=name)).to_have_count(0)


def send(site: Site, token: str) -> object:
    address = f"{site.origin}/services/collector/event"
    asked = Request(address, b'{"event": "hello"}', {"Authorization": f"Splunk {token}"})  # noqa: S310 - this machine
    with urlopen(asked, timeout=60) as answer:  # noqa: S310
        return json.load(answer)
