"""Pictures of each page and state, in both themes and widths, over the demonstration's logs.

    python -m tests.service.pages.browser.take_screenshots [FOLDER] [NAME …]

FOLDER is docs/images. WebP, by Chromium itself: no other tool is needed.
"""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page, sync_playwright

from demo.sample_logs import sample_objects
from service.pages.sessions import COOKIE
from tests.service.conftest import ROOT
from tests.service.pages.browser.conftest import chromium_path
from tests.service.pages.browser.looking import HEIGHT, THEMES, WIDTHS, wait_at_rest
from tests.service.pages.browser.sites import Site, site

QUALITY = 55
OUTAGE = "from=2025-08-12T13%3A30Z&to=2025-08-12T15%3A00Z"
FILLED = {
    "explore": "/explore",
    "query": f"/explore?query=status%3D503&{OUTAGE}",
    "error": "/explore?query=status%3D503%20(login",
    "nothing": "/explore?query=status%3D418",
    "event": f"/explore?query=status%3D503&{OUTAGE}#first",
    "patterns": f"/explore/patterns?query=status%3D503&{OUTAGE}",
    "around": f"/explore?query=status%3D503&{OUTAGE}#around",
    "backfill": "/pages/backfill?bucket=file%3A%2F%2F{source}&pattern=logs%2Faudit%2F**&show=preview",
    "jobs": "/pages/jobs",
    "job": "/pages/jobs#first",
    "pipelines": "/pages/pipelines",
    "retention": "/pages/retention",
    "keys": "/pages/keys",
    "missing": "/pages/nothing",
}
"""Pages by the names of their pictures; what is behind `#` names the link of the first row that is followed."""
FOLLOWED = {"first": "main table tbody a", "around": "main table tbody a.without"}
TWICE = ("patterns", "around", "backfill", "pipelines", "retention")
"""Those of two pictures, not of four: wide and light, narrow and dark."""
RULES = """rules:
  - {name: debug, retention: 7d, when: level=debug, description: noise}
  - {name: all, retention: 900d}
"""
EMPTY = {"empty-explore": "/explore", "empty-jobs": "/pages/jobs", "sign-in": "/login"}
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
                shown = opened.enter_context(site(place / str(has_events)))
                if has_events:
                    fill(shown)
                take(browser, shown, chosen, folder)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])


def fill(shown: Site) -> None:
    """Make events of the demonstration's logs, as its backfill does."""
    for name, data in sample_objects():
        if name.startswith(("logs/web", "logs/app", "logs/audit")):
            path = shown.source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    shown.keep_pipelines(ROOT / "demo/access_logs.yaml")
    shown.ingest("logs/{web,app}/**")
    rules = shown.source.parent / "rules.yaml"
    rules.write_text(RULES, "utf-8")
    hold = ("holds", "add", "case 17", "--when", "user=fatima", "--description", "asked for by the court")
    for arguments in (("rules", "set", str(rules)), hold):
        command = [sys.executable, "-m", "pipelines.cli", *arguments, "--hot-tier", str(shown.tier)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def take(browser: Browser, shown: Site, paths: dict[str, str], folder: Path) -> None:
    """Take the pictures of some pages."""
    for width in WIDTHS:
        for theme in THEMES:
            context = browser.new_context(
                viewport={"width": width, "height": HEIGHT}, color_scheme=theme, reduced_motion="reduce"
            )
            context.set_default_timeout(120_000)
            context.add_cookies([{"name": COOKIE, "value": shown.tokens["admin"], "url": shown.origin}])
            page = context.new_page()
            for name, path in paths.items():
                if name in TWICE and (width == WIDTHS[0]) != (theme == THEMES[0]):
                    continue
                go(page, shown, path)
                (folder / f"{name}-{width}-{theme}.webp").write_bytes(picture(page))
            context.close()


def go(page: Page, shown: Site, path: str) -> None:
    """Open a page, and wait until all of it is there."""
    address, _, follows = path.partition("#")
    page.goto(shown.at(address.replace("{source}", quote(str(shown.source), safe=""))))
    wait_at_rest(page)
    if follows:
        href = page.locator(FOLLOWED[follows]).first.get_attribute("href")
        assert href
        page.goto(shown.at(href))
        wait_at_rest(page)


def picture(page: Page) -> bytes:
    """Return what the window shows, as WebP."""
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images", sys.argv[2:])
