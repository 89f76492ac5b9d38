"""A bucket to its first histogram in a browser: the form with its preview, a job watched to its end, an upload."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.service.pages.browser.conftest import OpenPage
from tests.service.pages.browser.looking import look, wait_at_rest
from tests.service.pages.browser.sites import Site

LINES = "".join(f"2025-01-01 10:{minute:02}:00 GET /{minute}\n" for minute in range(30))


def watch_and_explore(page: Page) -> None:
    """Wait until the job of a page has ended, and go on to its events."""
    expect(page.get_by_role("heading", name="Job")).to_be_visible()
    expect(page.get_by_text("Succeeded")).to_be_visible()
    page.get_by_role("link", name="Explore the").first.click()
    expect(page.get_by_text("GET /7").first).to_be_visible()
    expect(page.get_by_role("heading", name="30 events").first).to_be_visible()


def test_from_an_empty_tier_to_the_first_histogram(own_site: Site, open_page: OpenPage) -> None:
    (own_site.source / "app.log").write_text(LINES)
    (own_site.source / "left.txt").write_text("out\n")
    page = open_page(own_site)
    page.goto(own_site.at("/explore"))
    page.get_by_role("link", name="Ingest a bucket").click()
    look(page)
    page.get_by_label("Bucket", exact=True).fill(f"file://{own_site.source}")
    page.get_by_label("Patterns").fill("**/*.log\na[")
    expect(page.get_by_text("keys in any folder, that end in .log")).to_be_visible()
    expect(page.get_by_text("this bracket is never closed")).to_be_visible()
    expect(page.get_by_label("Patterns")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Patterns").fill("**/*.log")
    start = page.get_by_role("button", name="Start: 1 object")
    expect(start).to_be_visible()
    expect(page.get_by_label("Patterns")).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("heading", name="First events")).to_be_visible()
    expect(page.get_by_label("Command line")).to_contain_text("rekindle backfill --bucket")
    look(page)
    page.reload()
    expect(page.get_by_label("Patterns")).to_have_value("**/*.log")
    start.click()
    watch_and_explore(page)


def test_files_are_uploaded(own_site: Site, open_page: OpenPage, tmp_path: Path) -> None:
    file = tmp_path / "mine.log"
    file.write_text(LINES)
    page = open_page(own_site)
    page.goto(own_site.at("/pages/backfill"))
    page.get_by_label("Files, or drop them here").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    watch_and_explore(page)


def test_files_are_dropped(own_site: Site, open_page: OpenPage) -> None:
    page = open_page(own_site)
    page.goto(own_site.at("/pages/backfill/upload"))
    wait_at_rest(page)
    dropped = page.evaluate_handle(
        "(text) => { const all = new DataTransfer(); all.items.add(new File([text], 'dropped.log')); return all; }",
        LINES,
    )
    page.get_by_label("Files, or drop them here").dispatch_event("drop", {"dataTransfer": dropped})
    page.get_by_role("button", name="Upload").click()
    watch_and_explore(page)


def test_without_scripts(own_site: Site, open_page: OpenPage) -> None:
    (own_site.source / "app.log").write_text(LINES)
    page = open_page(own_site, java_script_enabled=False)
    page.goto(own_site.at("/pages/backfill"))
    page.get_by_label("Bucket", exact=True).fill(f"file://{own_site.source}")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="First events")).to_be_visible()
    page.get_by_label("Bucket", exact=True).fill("a b")
    page.get_by_role("button", name="Start: 1 object").click()
    expect(page.get_by_text("is not a bucket's name")).to_be_visible()
    page.get_by_label("Bucket", exact=True).fill(f"file://{own_site.source}")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Job")).to_be_visible()


def test_by_keyboard_alone(own_site: Site, open_page: OpenPage) -> None:
    (own_site.source / "app.log").write_text(LINES)
    page = open_page(own_site)
    page.goto(own_site.at("/pages/backfill"))
    page.get_by_label("Bucket", exact=True).focus()
    page.keyboard.type(f"file://{own_site.source}")
    expect(page.get_by_role("heading", name="First events")).to_be_visible()
    wait_at_rest(page)
    page.keyboard.press("Enter")  # shows the preview by an address of its own, and starts nothing
    page.wait_for_url("**show=preview**")
    expect(page.get_by_role("heading", name="First events")).to_be_visible()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "start":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Job")).to_be_visible()
