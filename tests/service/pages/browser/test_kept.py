"""In a browser: saved searches, a download beside what the command finds, keys, and the zone of times."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
from playwright.sync_api import Page, expect

from pipelines.cli import main as cli
from tests.service.pages.browser.conftest import OpenPage
from tests.service.pages.browser.looking import look, wait_at_rest
from tests.service.pages.browser.sites import Site, write_samples

ERRORS = "/explore?query=level%3Derror&from=2025-08-12&to=2025-08-13"


def test_a_search_is_saved_by_keys_and_opened_by_another_browser(open_page: OpenPage, filled_site: Site) -> None:
    page = open_page()
    page.goto(filled_site.at(ERRORS))
    wait_at_rest(page)
    page.keyboard.press("s")
    name = page.get_by_label("Save this search for all as")
    expect(name).to_be_focused()
    name.fill("Errors of the outage")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved as “Errors of the outage”")).to_be_visible()
    other = open_page(role="read", java_script_enabled=False)
    other.goto(filled_site.at("/explore/searches"))
    other.get_by_role("link", name="Errors of the outage").click()
    expect(other.get_by_label("Query")).to_have_value("level=error")
    page.get_by_text("Saved searches", exact=True).click()
    expect(page.get_by_role("link", name="Errors of the outage")).to_be_visible()
    expect(page.get_by_role("heading", name="Recent in this browser")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Delete Errors of the outage").click()
    expect(page.get_by_text("is deleted")).to_be_visible()
    look(page)


def test_a_download_is_what_the_command_finds(page: Page, filled_site: Site, tmp_path: Path) -> None:
    page.goto(filled_site.at(ERRORS))
    page.get_by_text("Download", exact=True).first.click()
    page.get_by_label("All events that match, as").select_option("parquet")
    with page.expect_download() as started:
        page.get_by_role("button", name="Download").click()
    found = tmp_path / "found.parquet"
    span = ("--from", "2025-08-12", "--to", "2025-08-13")
    assert cli.run(["search", "level=error", *span, "--parquet", str(found), "--hot-tier", str(filled_site.tier)]) == 0
    started.value.save_as(tmp_path / "download.parquet")
    assert read(tmp_path / "download.parquet") == read(found)


def read(file: Path) -> object:
    """Return the rows of a file."""
    return pq.read_table(file).to_pylist()


def test_by_keys_alone(open_page: OpenPage, filled_site: Site) -> None:
    page = open_page(timezone_id="Asia/Tokyo")
    page.goto(filled_site.at(ERRORS))
    wait_at_rest(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    look(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("e")
    first = page.locator(":focus")
    in_utc = first.inner_text()
    assert in_utc.startswith("2025-08-12 ")
    page.keyboard.press("u")
    expect(page.get_by_role("columnheader", name="Time (Asia/Tokyo)")).to_be_visible()
    expect(first).not_to_have_text(in_utc)
    page.keyboard.press("u")
    expect(first).to_have_text(in_utc)
    page.keyboard.press("j")
    expect(first).not_to_have_text(in_utc)
    page.keyboard.press("k")
    expect(first).to_have_text(in_utc)
    page.keyboard.press("w")
    expect(page.get_by_role("button", name="One line each", pressed=True)).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_label("Last")).to_be_focused()
    page.get_by_role("link", name="Rekindle").focus()
    page.keyboard.press("g")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()


def test_keys_without_a_script(open_page: OpenPage, filled_site: Site) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(filled_site.at("/explore"))
    page.get_by_role("link", name="Keyboard").click()
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    expect(page.get_by_text("times are in UTC")).to_be_visible()


def test_a_job_is_watched_until_its_end(open_page: OpenPage, own_site: Site) -> None:
    write_samples(own_site.source)
    document = {"bucket": f"file://{own_site.source}", "pattern": "**"}
    _, answer, _ = own_site.service.ask("POST", "/ingest", document, token=own_site.tokens["admin"])
    page = open_page(own_site)
    page.goto(own_site.at(f"/pages/jobs/{answer['taskId']}"))
    expect(page.get_by_text("Succeeded")).to_be_visible(timeout=120_000)
    look(page)
    page.get_by_role("link", name="Explore these events").click()
    expect(page.get_by_label("Query")).to_have_value(f'#correlationId="{answer["taskId"]}"')
    wait_at_rest(page)
    page.goto(own_site.at("/pages/jobs?sort=status"))
    expect(page.get_by_role("cell", name="Succeeded")).to_be_visible()
    look(page)
