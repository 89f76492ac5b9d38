"""Retention in a browser: rules with a mistake in place, a hold, a dry run, its execution and its restore."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.service.pages.browser.conftest import OpenPage
from tests.service.pages.browser.looking import look
from tests.service.pages.browser.sites import Site

EVENTS = 20
MISTAKEN = "rules:\n  - {name: short, retention: 7x, when: word}\n"
LONGEST = 300_000
"""Milliseconds: a run takes ten seconds, and a minute where others are at work."""


def write_events(site: Site) -> None:
    """Let the site have 20 events of an old day, three of them about Ann."""
    lines = [f"2025-03-01 10:00:{number:02} word of {'ann' if number < 3 else 'bob'}" for number in range(EVENTS)]
    (site.source / "a.log").write_text("\n".join(lines) + "\n")
    site.ingest()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def set_rules(page: Page, at: Site) -> None:
    """Set a rule, the first time with a mistake."""
    page.goto(at.at("/pages/retention"))
    look(page)
    page.get_by_role("link", name="Write the first one").click()
    look(page)
    page.get_by_role("textbox", name="rules.yaml").fill(MISTAKEN)
    press(page, "Set these rules")
    expect(page.get_by_role("alert").filter(has_text="Line 2, column 30")).to_contain_text("is not a length of time")
    look(page)
    page.get_by_role("textbox", name="rules.yaml").fill(MISTAKEN.replace("7x", "7d"))
    press(page, "Set these rules")
    expect(page.get_by_role("rowheader", name="short")).to_be_visible()


def hold_ann(page: Page) -> None:
    """Hold three events, the first time with a mistake."""
    page.get_by_label("Name").fill("case 17")
    page.get_by_label("Query of the events").fill("ann OR")
    press(page, "Hold them")
    expect(page.get_by_label("Query of the events")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name")).to_have_value("case 17")
    page.get_by_label("Query of the events").fill("ann")
    page.get_by_label("Why").fill("asked for by a court")
    press(page, "Hold them")
    expect(page.get_by_role("row", name="case 17")).to_contain_text("asked for by a court")


def test_from_a_rule_to_its_restore(open_page: OpenPage, own_site: Site) -> None:
    write_events(own_site)
    page, reader = open_page(own_site), open_page(own_site, "read")
    set_rules(page, own_site)
    hold_ann(page)
    look(page)
    press(page, "Dry run")
    expect(page.get_by_role("button", name="Execute")).to_be_visible(timeout=LONGEST)
    expect(page.get_by_role("row", name="short")).to_contain_text("17")
    expect(page.get_by_role("link", name="2025-03-01: 20 events, short 17, kept by holds 3")).to_be_attached()
    look(page)
    reader.goto(page.url)
    expect(reader.get_by_text("Executing it takes a key of the role admin")).to_be_visible()
    page.get_by_label("Number of events").fill("20")
    press(page, "Execute")
    expect(page.get_by_label("Number of events")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Number of events").fill("17")
    press(page, "Execute")
    expect(page.get_by_text("17 events were deleted")).to_be_visible(timeout=LONGEST)
    look(page)
    page.get_by_role("link", name="Retention").last.click()
    restore_all(page)


def restore_all(page: Page) -> None:
    """Restore what was deleted, hold it, and lift the hold of Ann's events."""
    page.get_by_role("row", name="Deleted").get_by_role("button", name="Restore").click()
    expect(page.get_by_text("takes 17 at the next deletion")).to_be_visible(timeout=LONGEST)
    look(page)
    press(page, "Restore 17 events")
    expect(page.get_by_text("17 events came back")).to_be_visible(timeout=LONGEST)
    page.get_by_role("link", name="Retention").last.click()
    expect(page.get_by_role("row", name="Deleted")).to_contain_text("restored")
    look(page)
    page.get_by_role("button", name="Lift case 17").click()
    look(page)
    press(page, "Lift it")
    expect(page.get_by_text("Nothing is held")).to_be_visible()
