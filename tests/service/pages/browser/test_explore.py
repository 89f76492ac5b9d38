"""Explore as a user has it: a query, the histogram, events that open, values, patterns, links that are sent."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.service.pages.browser.conftest import OpenPage
from tests.service.pages.browser.looking import look, wait_at_rest
from tests.service.pages.browser.sites import Site

RANGE = re.compile(r"from=2025-\d\d-\d\dT.*to=2025-")


def query_of(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Query")


def explore(page: Page, site: Site, query: str = "") -> None:
    """Open Explore, and ask there."""
    page.goto(site.at("/explore"))
    wait_at_rest(page)
    if query:
        query_of(page).fill(query)
        query_of(page).press("Enter")
        expect(page).to_have_title(re.compile("Explore"))
        expect(page.get_by_text("What is here")).to_have_count(0)
        wait_at_rest(page)


def first_event(page: Page) -> Locator:
    return page.get_by_role("table").get_by_role("link", expanded=False).first


def test_a_query_and_its_error_in_place(page: Page, filled_site: Site) -> None:
    explore(page, filled_site, "level=error AND (")
    expect(page.get_by_role("alert").filter(has_text="character")).to_contain_text("level=error AND (")
    expect(query_of(page)).to_have_value("level=error AND (")
    query_of(page).fill("level=error")
    query_of(page).press("Enter")
    expect(first_event(page)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_query_is_completed_by_keyboard(page: Page, filled_site: Site) -> None:
    explore(page, filled_site)
    query_of(page).press_sequentially("leve")
    expect(page.get_by_role("option", name="level")).to_be_visible()
    query_of(page).press("ArrowDown")
    query_of(page).press("Enter")
    expect(query_of(page)).to_have_value("level=")
    expect(page.get_by_role("option", name="error")).to_be_visible()
    query_of(page).press_sequentially("err")
    expect(page.get_by_role("listbox", name="Completions").get_by_role("option")).to_have_count(1)
    query_of(page).press("ArrowUp")
    expect(page.get_by_role("listbox", name="Completions").get_by_role("option", selected=True)).to_contain_text(
        "error"
    )
    query_of(page).press("Enter")
    expect(query_of(page)).to_have_value('level="error" ')
    query_of(page).press_sequentially("ser")
    expect(page.get_by_role("listbox", name="Completions")).to_be_visible()
    query_of(page).press("Escape")
    expect(page.get_by_role("listbox", name="Completions")).to_be_hidden()
    expect(query_of(page)).to_have_value('level="error" ser')


def test_the_histogram_is_dragged_and_keyed(page: Page, filled_site: Site) -> None:
    explore(page, filled_site, "level=*")
    chart = page.get_by_role("group", name="Events over time")
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 50, steps=5)
    page.mouse.up()
    page.wait_for_url(RANGE)
    wait_at_rest(page)
    dragged = page.url
    chart.get_by_role("link").last.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: bool(RANGE.search(address)) and address != dragged)
    wait_at_rest(page)
    page.go_back()
    page.wait_for_url(dragged)
    page.get_by_role("link", name="All time").click()
    expect(page.get_by_label("From (UTC)")).to_have_value("")


def test_an_event_opens_and_closes_in_place(page: Page, filled_site: Site) -> None:
    explore(page, filled_site, "level=error service=*")
    link = first_event(page)
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Copy link")).to_be_visible()
    look(page)
    page.get_by_role("link", name="Column: service", exact=True).click()
    expect(page.get_by_role("columnheader", name="service")).to_be_visible()
    wait_at_rest(page)
    page.get_by_role("link", name="No column: host").click()
    expect(page.get_by_role("columnheader", name="host")).to_have_count(0)
    first_event(page).click()
    opened = page.get_by_role("table").get_by_role("link", expanded=True)
    opened.click()
    expect(page.get_by_role("link", name="Copy link")).to_have_count(0)


def test_values_refine_the_query(page: Page, filled_site: Site) -> None:
    explore(page, filled_site, "level=*")
    page.get_by_role("link", name="Only events with level error", exact=True).click()
    expect(query_of(page)).to_have_value('level=* level="error"')
    wait_at_rest(page)
    page.go_back()
    wait_at_rest(page)
    page.get_by_role("link", name="Only events without level error", exact=True).click()
    expect(query_of(page)).to_have_value('level=* NOT level="error"')


def test_attributes_and_their_values(page: Page, filled_site: Site) -> None:
    explore(page, filled_site, "level=*")
    page.get_by_role("link", name="All attributes").click()
    page.get_by_role("link", name="service", exact=True).click()
    expect(page.get_by_role("heading", name="Most frequent values")).to_be_visible()
    page.get_by_role("link", name="Values: service", exact=True).click()
    wait_at_rest(page)
    expect(page.get_by_role("link", name="Hide service")).to_be_visible()


def test_patterns_of_messages_and_back(page: Page, filled_site: Site) -> None:
    explore(page, filled_site, "level=error")
    asked = page.url
    page.get_by_role("link", name="Patterns").click()
    expect(page.get_by_text(re.compile("shapes? of"))).to_be_visible()
    page.reload()
    expect(page.get_by_text(re.compile("shapes? of"))).to_be_visible()
    page.go_back()
    page.wait_for_url(asked)
    expect(first_event(page)).to_be_visible()


def test_what_is_around_an_event(page: Page, filled_site: Site) -> None:
    explore(page, filled_site, "level=error service=*")
    page.get_by_role("link", name="Around the event of").first.click()
    expect(page.get_by_role("heading", name="Around the event of")).to_be_visible()
    look(page)
    page.get_by_role("link", name="Same host").click()
    expect(page.get_by_role("link", name="Same host")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Back to the events").click()
    expect(query_of(page)).to_have_value("level=error service=*")


def test_a_copied_link_in_a_fresh_browser(page: Page, open_page: OpenPage, filled_site: Site) -> None:
    explore(page, filled_site, "level=error service=*")
    first_event(page).click()
    page.get_by_role("link", name="Copy link").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    address = page.evaluate("navigator.clipboard.readText()")
    other = open_page(role="read")
    other.goto(address)
    expect(other.get_by_role("heading", name="Event of")).to_be_visible()
    look(other)
    page.get_by_role("link", name="Copy JSON").click()
    page.wait_for_function("navigator.clipboard.readText().then((text) => text.startsWith('{'))")


@pytest.mark.parametrize("name", ["Count them over time", "Count their values", "Patterns", "Attributes"])
def test_without_scripts_each_part_is_a_page(open_page: OpenPage, filled_site: Site, name: str) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(filled_site.at("/explore?query=level%3Derror"))
    page.get_by_role("link", name=name).click()
    expect(page.get_by_label("Query")).to_have_value("level=error")
    page.get_by_role("link", name=re.compile("^(To the events|Events)$")).click()
    page.get_by_role("table").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Event of")).to_be_visible()
