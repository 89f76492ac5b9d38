"""A service over some events, and its pages as a browser without scripts has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient

from tests.service.conftest import Api, make_api
from tests.transforms.hot_tier.tiers import Tier, event

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)
HOSTILE = "evil \u202elive <script>alert(1)</script> \x1b[31m \"quoted\" 'and' & more"
VOID = {"input", "link", "meta", "br", "img"}


@pytest.fixture(scope="package")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Api:
    """A service over some events of three days, for which no key was made; its tests only read."""
    api = make_api(tmp_path_factory.mktemp("pages"))
    many = [
        event(DAY + timedelta(seconds=number), f"GET /{number}", status="200", host="web-1") for number in range(60)
    ]
    second = [
        event(DAY + timedelta(days=1), HOSTILE, source="auth", level="error", host='<b>"'),
        event(DAY + timedelta(days=1, seconds=1), "wide", **{f"name{number:05}": "v" for number in range(1_000)}),
        event(DAY + timedelta(days=2), "x" * 300_000, status="404"),
    ]
    Tier(api.service.tier).add(many, second, promote=["status"])
    return api


@dataclass
class Page:
    """What stands on a page.

    Attributes:
        text: Its text, without scripts and styles.
        links: Addresses by the texts or labels of their links.
        elements: Names and attributes of all elements, but the form of the theme, which each page has.
    """

    text: str
    links: dict[str, str]
    elements: list[tuple[str, dict[str, str]]]

    def all(self, element: str) -> list[dict[str, str]]:
        """Return the attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == element]

    def one(self, element: str, /, **known: str) -> dict[str, str]:
        """Return the only element of a name that has some attributes."""
        (found,) = [one for one in self.all(element) if known.items() <= one.items()]
        return found


@dataclass
class Reader(HTMLParser):
    """Reads a page, and sees that its elements are closed in order."""

    page: Page = field(default_factory=lambda: Page("", {}, []))
    open: list[str] = field(default_factory=list)
    link: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if attributes.get("class") != "theme":
            self.page.elements.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "a":
            self.link = (attributes["href"], attributes.get("aria-label", ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "a":
            self.link = None

    def handle_data(self, data: str) -> None:
        self.page.text += data
        if self.link is not None and data.strip():
            self.page.links[self.link[1] or data.strip()] = self.link[0]


def read(html: str) -> Page:
    """Return what stands on a page."""
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader.page


def show(api: Api, path: str, **parameters: Any) -> Page:
    """Return a page that is there."""
    answer = api.ask("GET", path, params={name.rstrip("_"): value for name, value in parameters.items()})
    assert answer.status_code == 200, answer.text
    return read(answer.text)


def event_page(api: Api, query: str, **more: Any) -> Page:
    """Return the page of the only event that a query finds."""
    rows = show(api, "/explore", query=query)
    (address,) = [one["href"] for one in rows.all("a") if one["href"].startswith("/explore/event")]
    parts = urlsplit(address)
    return show(api, parts.path, **dict(parse_qsl(parts.query)) | more)


@contextmanager
def browser(api: Api, **settings: Any) -> Iterator[TestClient]:
    """Return a client with cookies of its own that follows no redirects."""
    address = settings.pop("base_url", "http://127.0.0.1:8080")
    with TestClient(
        api.client.app, base_url=address, follow_redirects=False, raise_server_exceptions=False, **settings
    ) as client:
        yield client
