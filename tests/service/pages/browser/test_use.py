"""Pages as people use them: by keys alone, back and forward, in a theme of their own, and over hostile events."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.service.pages.browser.conftest import OpenPage
from tests.service.pages.browser.looking import THEMES, axe_findings, look, wait_at_rest
from tests.service.pages.browser.sites import Site
from tests.service.pages.browser.test_pages import PATHS

BESIDE_HOSTILE = "from=2025-08-13T09:00Z&to=2025-08-13T11:00Z"
MOST_ELEMENTS = 5_000
_WATCH_FOCUS = """() => {
  window.reached = new Set();
  window.unseen = [];
  document.addEventListener('focusin', ({ target }) => {
    const style = getComputedStyle(target), bars = target.closest('.bars');
    const isSeen = [style, bars && getComputedStyle(bars)].some(
      (one) => one && (one.outlineStyle !== 'none' || one.boxShadow !== 'none'));
    window.reached.add(target);
    if (!isSeen && target.id !== 'content') window.unseen.push(target.outerHTML.slice(0, 160));
  });
}"""
_NOT_REACHED = """() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex]')].filter((one) =>
  one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true })
  && !window.reached.has(one) && one.type !== 'hidden' && one.type !== 'radio')
  .map((one) => one.outerHTML.slice(0, 160))"""
HOVERED = (
    ("link", "Jobs"),
    ("link", "Rekindle"),
    ("button", "Dark"),
    ("button", "Sign out"),
    ("button", "Search"),
    ("link", "Only events with level info"),
    ("link", "Only events without level info"),
    ("link", "2025-08-12"),
)


@pytest.mark.parametrize("path", [path for path in PATHS if path not in ("/pages/nothing",)])
def test_everything_on_a_page_is_reached_by_keys_and_seen(page: Page, filled_site: Site, path: str) -> None:
    page.goto(filled_site.at(path))
    wait_at_rest(page)
    page.evaluate(_WATCH_FOCUS)
    focusable = "a, button, input, select, textarea, summary, [tabindex]"
    for _ in range(page.locator(focusable).count() + 2):  # from where the focus is, once around
        page.keyboard.press("Tab")
    assert (page.evaluate(_NOT_REACHED), page.evaluate("window.unseen")) == ([], [])


def test_a_question_is_asked_and_an_event_opened_by_keys_alone(page: Page, filled_site: Site) -> None:
    page.goto(filled_site.at("/explore"))
    wait_at_rest(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Query")).to_be_focused()
    page.keyboard.type("level=error")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"query=level%3Derror"))
    wait_at_rest(page)
    page.get_by_role("row").get_by_role("link", name=re.compile(r"^2025-")).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("_event_id")).first).to_be_visible()


def test_back_and_forward_keep_the_question(page: Page, filled_site: Site) -> None:
    query = page.get_by_role("combobox", name="Query")
    page.goto(filled_site.at("/explore"))
    for text in ("level=error", "level=info"):
        query.fill(text)
        page.get_by_role("button", name="Search").click()
        expect(page).to_have_url(re.compile(text.replace("=", "%3D")))
        wait_at_rest(page)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    for step, text in (("back", "level=info"), ("back", "level=error"), ("forward", "level=info")):
        page.evaluate(f"history.{step}()")
        expect(query).to_have_value(text)
        expect(page).to_have_url(re.compile(text.replace("=", "%3D")))
        wait_at_rest(page)


def test_a_theme_is_chosen_without_a_reload_and_stays(page: Page, filled_site: Site) -> None:
    root = page.locator("html")
    page.goto(filled_site.at("/explore"))
    page.get_by_role("combobox", name="Query").fill("typed")
    page.get_by_role("button", name="Dark").click()
    expect(root).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("combobox", name="Query")).to_have_value("typed")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.goto(filled_site.at("/pages/jobs"))
    expect(root).to_have_attribute("data-theme", "dark")
    look(page)
    page.get_by_role("button", name="As the system").click()
    page.reload()
    expect(root).not_to_have_attribute("data-theme", "dark")


def test_without_scripts_the_theme_is_a_form(open_page: OpenPage, filled_site: Site) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(filled_site.at("/explore?query=level%3Derror"))
    page.get_by_role("button", name="Dark").click()
    expect(page).to_have_url(filled_site.at("/explore?query=level%3Derror"))
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("theme", THEMES)
def test_what_is_hovered_or_focused_can_still_be_read(page: Page, filled_site: Site, theme: Any) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(filled_site.at("/explore"))
    wait_at_rest(page)
    for role, name in HOVERED:
        one = page.get_by_role(role, name=name).first  # type: ignore[arg-type]
        one.evaluate("(one) => { one.id ||= 'looked-at'; }")
        for state in (one.hover, one.focus):
            state()
            assert axe_findings(page, f"#{one.get_attribute('id')}", only=("color-contrast",)) == [], name
        one.evaluate("(one) => { if (one.id === 'looked-at') one.removeAttribute('id'); }")


def test_who_wants_less_motion_gets_none(page: Page, filled_site: Site) -> None:
    page.goto(filled_site.at("/explore"))
    button = page.get_by_role("button", name="Search")
    durations = {}
    wishes: tuple[Literal["reduce"], Literal["no-preference"]] = ("reduce", "no-preference")
    for wish in wishes:
        page.emulate_media(reduced_motion=wish)
        durations[wish] = button.evaluate("(one) => getComputedStyle(one).transitionDuration")
    assert set(durations["reduce"].split(", ")) == {"0s"} != set(durations["no-preference"].split(", "))


def test_hostile_events_run_nothing_and_keep_to_the_page(page: Page, filled_site: Site) -> None:
    page.goto(filled_site.at(f"/explore?{BESIDE_HOSTILE}"))
    wait_at_rest(page)
    expect(page.get_by_text("\\u202elive\\u202c <script>").first).to_be_visible()
    assert page.title().endswith("Rekindle")
    assert page.evaluate("document.querySelectorAll('main script, main img').length") == 0
    assert page.evaluate("document.querySelectorAll('*').length") < MOST_ELEMENTS
    look(page)
