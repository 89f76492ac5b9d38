"""Statistics of attributes: all of them, and the values of one."""

from __future__ import annotations

import re

import pytest

from service.pages.explore.fields import _share
from tests.service.conftest import Api
from tests.service.pages.conftest import read, show


def test_attributes_and_how_many_events_have_them(filled: Api) -> None:
    page = show(filled, "/explore/fields")
    assert re.search(r"At least 1,000 attributes of 63 events; the 200 that most have", page.text)
    assert re.search(r"host\s*61\s*96.8 %", page.text)
    assert page.links["host"] == "/explore/field?name=host"
    assert page.links["Column: name00001"] == "/explore?columns=host%2Cname00001"
    assert page.links["Values: host"] == "/explore?facets=host"
    assert page.links["Colour the bars by host"] == "/explore?by=host"
    filtered = show(filled, "/explore/fields", prefix="name0099", query="wide")
    assert "10 attributes of 1 event" in filtered.text
    assert filtered.one("input", id="prefix")["value"] == "name0099"
    assert "#eventId" in show(filled, "/explore/fields", prefix="#ev").links
    assert "has an attribute whose name begins so" in show(filled, "/explore/fields", prefix="nowhere").text


def test_the_values_of_one_attribute(filled: Api) -> None:
    page = show(filled, "/explore/field", name="status", last="7d", columns="status")
    assert re.search(r"61\s+96.8 % of 63", page.text)
    assert re.search(r"Distinct values\s*2\s", page.text)
    assert page.links["No column: status"] == "/explore?last=7d"
    found = read(filled.client.get(page.links["Only events with status 404"]).text)
    assert "xxx" in found.text
    assert "No event that matches has it" in show(filled, "/explore/field", name="nowhere").text


def test_rare_values_beside_the_frequent_ones(filled: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.pages.explore.fields._VALUES", 1)
    page = show(filled, "/explore/field", name="status")
    assert re.search(r"Most frequent values\s+200\s+60.*Rarest values\s+404\s+1", page.text, re.DOTALL)
    assert [one["width"] for one in page.all("rect")] == ["100.0", "1.7"]


def test_an_attribute_whose_name_means_harm_is_text(filled: Api) -> None:
    page = show(filled, "/explore/field", name="<script>\u202e")
    assert "<script>\\u202e" in page.text
    assert all(one.get("src", "").startswith("/static/") for one in page.all("script"))


def test_shares_of_some_events_are_not_none_or_all() -> None:
    assert [_share(*one) for one in ((0, 9), (1, 9_999), (9_998, 9_999), (5, 5), (1, 8), (0, 0))] == [
        *("0.0", "< 0.1", "> 99.9", "100.0", "12.5", "0.0")
    ]
