"""What holds for every page: nothing is found by axe, lies across, or is loaded from elsewhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.service.pages.browser.looking import look, wait_at_rest
from tests.service.pages.browser.sites import Site

PATHS = [
    "/explore",
    "/explore?query=level=error",
    "/explore?query=status%3D",
    "/explore?query=no_such_word_anywhere",
    "/explore/patterns?query=level=error",
    "/explore/fields",
    "/explore/field?name=status",
    "/pages/backfill",
    "/pages/jobs",
    "/pages/jobs?search=nothing",
    "/pages/pipelines",
    "/pages/retention",
    "/pages/keys",
    "/pages/nothing",
    "/login",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_accessible_and_keeps_to_its_width(page: Page, filled_site: Site, path: str) -> None:
    page.goto(filled_site.at(path))
    look(page)


def test_an_event_with_ten_thousand_attributes(page: Page, filled_site: Site) -> None:
    page.goto(filled_site.at("/explore?query=service=wide"))
    wait_at_rest(page)
    page.locator("table.events a").first.click()
    expect(page.get_by_role("link", name="Copy link")).to_be_visible()
    page.get_by_role("link", name="attributes, with a filter").click()
    expect(page.get_by_role("heading", name="Event of")).to_be_visible()
    look(page)
