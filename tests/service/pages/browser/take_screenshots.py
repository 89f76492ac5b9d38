"""Pictures of each page and state, in both themes and widths, over the demonstration's logs.

    python -m tests.service.pages.browser.take_screenshots [FOLDER] [NAME …]

FOLDER is docs/images. WebP, by Chromium itself: no other tool is needed.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from service.pages.sessions import COOKIE
from tests.service.conftest import ROOT
from tests.service.pages.browser.conftest import chromium_path
from tests.service.pages.browser.looking import HEIGHT, THEMES, WIDTHS, wait_at_rest
from tests.service.pages.browser.shop import BUCKET, shop
from tests.service.pages.browser.sites import Site

QUALITY = 50
OUTAGE = "from=2025-08-12T13%3A30Z&to=2025-08-12T15%3A00Z"
FILLED = {
    "explore": "/explore",
    "query": f"/explore?query=status%3D503&{OUTAGE}",
    "words": "/explore?query=acquirer&from=2025-08-12T14%3A00Z&to=2025-08-12T14%3A30Z",
    "error": "/explore?query=status%3D503%20(login",
    "nothing": "/explore?query=status%3D418",
    "event": f"/explore?query=acquirer&{OUTAGE}#first",
    "patterns": "/explore/patterns?query=level%3D*",
    "fields": "/explore/fields",
    "field": "/explore/field?name=status",
    "around": f"/explore?query=status%3D503&{OUTAGE}#around",
    "searches": "/explore/searches",
    "backfill": f"/pages/backfill?bucket={BUCKET}&pattern=logs%2Faudit%2F**&show=preview",
    "backfill-mistake": f"/pages/backfill?bucket={BUCKET}&pattern=logs%2F%7Bweb&show=preview",
    "jobs": "/pages/jobs",
    "jobs-nothing": "/pages/jobs?search=no-such-bucket",
    "job": "/pages/jobs#second",
    "job-failures": "/pages/jobs#first",
    "pipelines": "/pages/pipelines",
    "pipelines-mistake": "/pages/pipelines",
    "retention": "/pages/retention",
    "rules-mistake": "/pages/retention/rules",
    "hold-mistake": "/pages/retention",
    "dry-run": "/pages/retention",
    "keys": "/pages/keys",
    "missing": "/pages/nothing",
}
"""Pages by the names of their pictures; what is behind `#` names the link that is followed."""
FOLLOWED = {
    "first": "main table tbody a",
    "second": "main table tbody tr:nth-child(2) th a",
    "around": "main table tbody a.without",
}
TYPED = {
    "pipelines-mistake": (
        {"text": "pipelines:\n  - name: failed\n    when: status=(503\n    steps: []\n"},
        ("Test it",),
    ),
    "rules-mistake": ({"text": "rules:\n  - {name: debug, retention: 7x, when: level=debug}\n"}, ("Set these rules",)),
    "hold-mistake": ({"hold-name": "case 18", "hold-when": "user=(ann"}, ("Hold them",)),
    "dry-run": ({}, ("Dry run",)),
    "refused": ({"token": "rk_not-a-key"}, ("Sign in",)),
    "trial": ({}, ("Insert an example, with events to test it on", "Test it")),
}
"""What is typed into fields, by their ids, and the buttons that are pressed then."""
LOOKED_AT = {"trial": "#tried", "hold-mistake": "#holds", "dry-run": "#execute-heading, #chart-heading"}
"""What is at the top of a picture, where it isn't the page's beginning."""
ENDS = {"dry-run": "#execute-heading", "trial": "#tried"}
"""What is there when a state is reached, where it is no alert."""
EMPTY = {
    "empty-explore": "/explore",
    "empty-jobs": "/pages/jobs",
    "empty-pipelines": "/pages/pipelines",
    "empty-retention": "/pages/retention",
    "trial": "/pages/pipelines",
    "sign-in": "/login",
    "refused": "/login",
}
"""Those of a tier without events."""


def main(folder: Path, names: list[str]) -> None:
    """Take the pictures, or those of some names."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        place = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        browser = opened.enter_context(chromium())
        for paths, has_events in ((EMPTY, False), (FILLED, True)):
            chosen = {name: path for name, path in paths.items() if not names or name in names}
            if chosen:
                shown = opened.enter_context(shop(place / str(has_events), is_filled=has_events))
                take(browser, shown, chosen, folder)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])


def take(browser: Browser, shown: Site, paths: dict[str, str], folder: Path) -> None:
    """Take the pictures of some pages."""
    for width in WIDTHS:
        for theme in THEMES:
            context = browser.new_context(
                viewport={"width": width, "height": HEIGHT}, color_scheme=theme, reduced_motion="reduce"
            )
            context.set_default_timeout(120_000)
            for name, path in paths.items():
                context.clear_cookies()
                if path != "/login":
                    context.add_cookies([{"name": COOKIE, "value": shown.tokens["admin"], "url": shown.origin}])
                page = context.new_page()
                go(page, shown, name, path)
                (folder / f"{name}-{width}-{theme}.webp").write_bytes(picture(page))
                page.close()
            context.close()


def go(page: Page, shown: Site, name: str, path: str) -> None:
    """Open a page, bring it into its state, and wait until all of it is there."""
    address, _, follows = path.partition("#")
    page.goto(shown.at(address))
    wait_at_rest(page)
    if follows:
        href = page.locator(FOLLOWED[follows]).first.get_attribute("href")
        assert href
        page.goto(shown.at(href))
    if name in TYPED:
        fields, buttons = TYPED[name]
        for field, text in fields.items():
            page.locator(f"#{field}").fill(text)
        for button in buttons:
            page.get_by_role("button", name=button, exact=True).first.click()
        page.locator(ENDS.get(name, "[role=alert]:visible, #mistakes .alert")).first.wait_for()
    wait_at_rest(page)
    if name in LOOKED_AT:
        page.locator(LOOKED_AT[name]).first.evaluate("(one) => one.scrollIntoView()")


def picture(page: Page) -> bytes:
    """Return what the window shows, as WebP."""
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images", sys.argv[2:])
