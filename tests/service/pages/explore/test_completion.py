"""Completion of queries: what is being typed, and how it may go on."""

from __future__ import annotations

import pytest

from service.pages.explore.completion import Unfinished, unfinished_of
from tests.service.conftest import Api
from tests.service.pages.conftest import read

CASES = [
    pytest.param("", Unfinished("", ""), id="nothing"),
    pytest.param("sta", Unfinished("", "sta"), id="name"),
    pytest.param("a=b (sta", Unfinished("a=b (", "sta"), id="second name"),
    pytest.param("`user a", Unfinished("", "`user a"), id="name in back-quotes"),
    pytest.param("#ev", Unfinished("", "#ev"), id="name of the system"),
    pytest.param("status=4", Unfinished("status=", "4", "status"), id="value"),
    pytest.param("x NOT host!=", Unfinished("x NOT host!=", "", "host"), id="no value yet"),
    pytest.param('host="web 1', Unfinished("host=", "web 1", "host"), id="value in quotes"),
    pytest.param("`user agent`=k", Unfinished("`user agent`=", "k", "`user agent`"), id="value of back-quotes"),
    pytest.param('"timed out sta', None, id="phrase"),
    pytest.param('"status=4', None, id="condition in a phrase"),
    pytest.param("status>4", None, id="number"),
    pytest.param("host IN (a", Unfinished("host IN (", "a"), id="list"),
    pytest.param("a=b ", Unfinished("a=b ", ""), id="after a space"),
]


@pytest.mark.parametrize(("text", "found"), CASES)
def test_what_is_being_typed(text: str, found: Unfinished | None) -> None:
    assert unfinished_of(text) == found


def options(api: Api, before: str) -> list[str]:
    answer = api.ask("GET", "/explore/complete", params={"before": before}, headers={"HX-Request": "true"})
    assert answer.status_code == 200, answer.text
    return [one["data-text"] for one in read(answer.text).all("li") if one["role"] == "option"]


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("GET hos", ["GET hos".replace("hos", "host=")]),
        ("level=error sta", ["level=error status="]),
        ("host=", ['host="web-1" ', 'host="<b>\\"" ']),
        ("x status=4", ['x status="404" ']),
        ("#eventI", ["#eventId="]),
        ("nowhere=", []),
        ('"hos', []),
    ],
)
def test_how_it_may_go_on(filled: Api, before: str, found: list[str]) -> None:
    assert options(filled, before) == found


def test_completion_of_what_is_not_there(filled: Api) -> None:
    answer = filled.ask("GET", "/explore/complete", params={"before": "#nothing=x"}, headers={"HX-Request": "true"})
    assert answer.status_code == 400
    assert len(options(filled, "name")) == 12
