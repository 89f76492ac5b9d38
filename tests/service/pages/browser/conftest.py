"""Pages in Debian's Chromium, which Playwright drives, before a service's process over a filled tier.

`page` is one of a browser that has signed in, `open_page` gives more: each call is a fresh browser without the others'
cookies. What their pages log as an error, run against their policy or load from elsewhere fails the test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from service.pages.sessions import COOKIE
from tests.service.pages.browser.looking import HEIGHT, WIDTHS, Watch
from tests.service.pages.browser.sites import Site, site, write_samples

MILLISECONDS = 120_000
"""As long as a machine may take on which much else runs: Playwright's own five seconds are too few."""
expect.set_options(timeout=MILLISECONDS)


class OpenPage(Protocol):
    """Gives a page of a fresh browser."""

    def __call__(self, at: Site | None = None, role: str | None = "admin", **options: Any) -> Page: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser as slow."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


def chromium_path() -> str:
    """Return the browser's path; skip the test where there is none, unless `REKINDLE_BROWSER` is `required`."""
    found = os.environ.get("REKINDLE_CHROMIUM") or shutil.which("chromium")
    if found and os.access(found, os.X_OK):
        return found
    reason = "there is no Chromium: `apt-get install chromium`, or name one by REKINDLE_CHROMIUM"
    if os.environ.get("REKINDLE_BROWSER") == "required":
        raise FileNotFoundError(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser; while it is there its loop of events runs, so that no test of another module may share it."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def filled_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service over the logs of a day with an outage, and hostile events; what tests do there must not matter."""
    with site(tmp_path_factory.mktemp("site")) as filled:
        write_samples(filled.source)
        filled.ingest()
        yield filled


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    """A service of the test's own over an empty tier, whose jobs may read the folder `source`."""
    with site(tmp_path) as own:
        yield own


@pytest.fixture
def open_page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """Opens browsers: of the filled site and signed in as an administrator, unless told otherwise."""
    opened: list[tuple[Any, Watch]] = []

    def open_one(at: Site | None = None, role: str | None = "admin", **options: Any) -> Page:
        found: Site = at or request.getfixturevalue("filled_site")
        known = {"viewport": {"width": WIDTHS[0], "height": HEIGHT}, "reduced_motion": "reduce", "locale": "en-GB"}
        context = chromium.new_context(**known | options)
        context.set_default_timeout(MILLISECONDS)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        if role:
            context.add_cookies([{"name": COOKIE, "value": found.tokens[role], "url": f"{found.origin}{found.root}/"}])
        watch = Watch(found.origin)
        watch.watch(context)
        opened.append((context, watch))
        return context.new_page()

    yield open_one
    for context, _ in opened:
        context.close()
    assert [trouble for _, watch in opened for trouble in watch.troubles] == []


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page of a browser that has signed in at the filled site, as an administrator."""
    return open_page()


@pytest.fixture
def go(filled_site: Site) -> Callable[[Page, str], None]:
    """Goes to a page of the filled site."""

    def go_there(page: Page, path: str) -> None:
        page.goto(filled_site.at(path))

    return go_there
