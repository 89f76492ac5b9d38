"""What is wrong with a page in a browser: what axe finds, what lies across it, what it loads and logs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, WebError

THEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
WIDTHS = (1280, 400)
HEIGHT = 900
_AT_REST = "() => window.htmx && !document.querySelector('.htmx-request, [hx-trigger=load]')"
_ACROSS = """() => [...document.querySelectorAll('body *')].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1 && !one.closest('.wide, pre, .sr, .skip');
}).slice(0, 5).map((one) => one.outerHTML.slice(0, 120))"""
_OF_COLOURS = ("color-contrast", "link-in-text-block")
"""The rules whose findings another theme changes."""
_AXE = Axe()


@dataclass
class Watch:
    """What a browser's pages do that they must not.

    Attributes:
        origin: Whence they may load.
        troubles: What was seen.
    """

    origin: str
    troubles: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """See all that the pages of a browser log, load and get."""
        context.on("console", self._logged)
        context.on("weberror", self._failed)
        context.on("request", self._asked)
        context.on("response", self._answered)

    def _logged(self, message: ConsoleMessage) -> None:
        # an answer of 4xx is logged too: what may not be so is seen by `_answered`
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.troubles.append(f"{message.type} in the console: {message.text}")

    def _failed(self, error: WebError) -> None:
        self.troubles.append(f"script failed: {error.error.message}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.troubles.append(f"request to elsewhere: {request.url}")

    def _answered(self, response: Response) -> None:
        limit = 400 if response.request.resource_type in ("script", "stylesheet", "image", "font") else 500
        if response.status >= limit and response.status not in (503, 504):
            self.troubles.append(f"status {response.status} of {response.url}")


def wait_at_rest(page: Page) -> None:
    """Wait until all parts of a page are there."""
    page.wait_for_function(_AT_REST)


def look(page: Page, *, but: tuple[str, ...] = ()) -> None:
    """See that a page is as it must be in both themes and widths; `but` are rules of axe that it need not keep.

    Raises:
        AssertionError: axe finds something, or something lies across the page.
    """
    findings = []
    before = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            wait_at_rest(page)
            found = axe_findings(page, but=but, only=() if theme == THEMES[0] else _OF_COLOURS)
            findings += [f"{width} px, {theme}: {one}" for one in found]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            findings.append(f"{width} px: wider than the window: {page.evaluate(_ACROSS)}")
    page.emulate_media(color_scheme="light")
    if before:
        page.set_viewport_size(before)
    assert findings == [], f"{page.url}\n" + "\n".join(findings)


def axe_findings(
    page: Page, context: str | None = None, *, but: tuple[str, ...] = (), only: tuple[str, ...] = ()
) -> list[str]:
    """Return what axe finds on a page, or in the elements of a selector; by all of its rules, or some."""
    options: dict[str, Any] = {"resultTypes": ["violations"], "rules": {rule: {"enabled": False} for rule in but}}
    if only:
        options["runOnly"] = {"type": "rule", "values": [rule for rule in only if rule not in but]}
    found = _AXE.run(page, context, options).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'].splitlines()[-1].strip()})"
        for rule in found
        for node in rule["nodes"][:5]
    ]
