"""Pages of a service that others stand before, beside or come back from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.service.conftest import serving
from tests.service.pages.browser.conftest import OpenPage
from tests.service.pages.browser.looking import wait_at_rest
from tests.service.pages.browser.proxy import Proxy, proxy
from tests.service.pages.browser.sites import Site, site
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.storage import StorageOptions, open_tier

LINKS = ("Backfill", "Jobs", "Pipelines", "Retention", "Keys", "Explore")


def through(proxied: Proxy, found: Site) -> Site:
    """Return a service as browsers reach it by a proxy."""
    return replace(found, service=replace(found.service, port=proxied.port), root=proxied.root)


def fill(found: Site) -> None:
    """Give a tier an event."""
    Tier(open_tier(str(found.tier), StorageOptions())).add([event("2025-01-01T00:00:00", "the only one", level="info")])


def sign_in(page: Page, found: Site) -> None:
    """Sign in by the form, as who has only the address and a token."""
    page.goto(found.at("/explore?query=only"))
    page.get_by_label("Token of a key").fill(found.tokens["admin"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("combobox", name="Query")).to_have_value("only")


def visit_all(page: Page) -> None:
    """Go to each page by its link, search, and sign out."""
    for name in LINKS:
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute("aria-current", "page")
        wait_at_rest(page)
    page.get_by_role("combobox", name="Query").fill("only one")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("the only one")).to_be_visible()
    wait_at_rest(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_behind_a_path(open_page: OpenPage, tmp_path: Path) -> None:
    with site(tmp_path, "--root-path", "/logs") as own, proxy([own.service.port], root="/logs") as proxied:
        fill(own)
        shown = through(proxied, own)
        page = open_page(shown, role=None)
        sign_in(page, shown)
        visit_all(page)


def test_two_services_answer_one_browser_in_turn(open_page: OpenPage, own_site: Site) -> None:
    fill(own_site)
    with (
        serving(own_site.tier, "--allow-dir", own_site.source) as second,
        proxy([own_site.service.port, second.port]) as proxied,
    ):
        shown = through(proxied, own_site)
        page = open_page(shown, role=None)
        sign_in(page, shown)
        visit_all(page)
        assert min(proxied.asked[port] for port in (own_site.service.port, second.port)) > len(LINKS)


def test_a_service_that_is_started_again_loses_nothing_that_was_typed(open_page: OpenPage, tmp_path: Path) -> None:
    with site(tmp_path) as own, proxy([own.service.port]) as proxied:
        fill(own)
        page = open_page(through(proxied, own))
        page.goto(through(proxied, own).at("/explore?last=7d"))
        wait_at_rest(page)
        own.service.process.terminate()
        own.service.process.wait(60)
        page.get_by_role("combobox", name="Query").fill("only one")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_text("The service can't be reached")).to_be_visible()
        expect(page.get_by_role("combobox", name="Query")).to_have_value("only one")
        with serving(own.tier) as again:
            proxied.ports[:] = [again.port]
            page.get_by_role("button", name="Search").click()
            expect(page.get_by_text("The service can't be reached")).to_be_hidden()
            expect(page.get_by_role("combobox", name="Query")).to_have_value("only one")
            expect(page.get_by_text("the only one")).to_be_visible()
