"""The theme: a cookie that the service reads and the page's switch sets, without scripts too."""

from __future__ import annotations

import pytest

from tests.service.conftest import Api
from tests.service.pages.conftest import browser, read

OWN = {"Origin": "http://127.0.0.1:8080", "Referer": "http://127.0.0.1:8080/explore?query=a%20b"}


@pytest.mark.parametrize(("theme", "shown"), [("light", "light"), ("dark", "dark"), ("", ""), ("<x>", "")])
def test_a_chosen_theme_stays(filled: Api, theme: str, shown: str) -> None:
    with browser(filled) as client:
        client.post("/theme", data={"theme": "dark"}, headers=OWN)
        answer = client.post("/theme", data={"theme": theme}, headers=OWN)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/explore?query=a%20b")
        page = read(client.get("/login").text)
        assert page.one("html").get("data-theme", "") == shown
        pressed = [one["value"] for one in page.all("button") if one.get("aria-pressed") == "true"]
        assert pressed == [shown]


def test_a_cookie_of_another_value_is_the_systems_theme(filled: Api) -> None:
    page = read(filled.ask("GET", "/login", headers={"Cookie": 'rekindle_theme="><script>'}).text)
    assert "data-theme" not in page.one("html")


@pytest.mark.parametrize("referer", ["", "https://elsewhere.example//evil", "http://127.0.0.1:8080//evil.example/x"])
def test_the_switch_leads_nowhere_else(filled: Api, referer: str) -> None:
    headers = {"Origin": OWN["Origin"]} | ({"Referer": referer} if referer else {})
    with browser(filled) as client:
        answer = client.post("/theme", data={"theme": "dark"}, headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/explore")


def test_another_sites_form_sets_no_theme(filled: Api) -> None:
    with browser(filled) as client:
        answer = client.post("/theme", data={"theme": "dark"}, headers={"Origin": "https://elsewhere.example"})
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)
