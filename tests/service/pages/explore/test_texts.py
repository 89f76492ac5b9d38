"""Texts of events as pages show them."""

from __future__ import annotations

import json

import pytest

from service.pages.explore.texts import in_lines, marked, words_of
from tests.service.conftest import Api, fill


@pytest.mark.parametrize(
    ("query", "text", "hits"),
    [
        ("eve", "login of Eve failed for 'eve'", ["Eve", "eve"]),
        ('"of * failed" status=200', "login of eve failed", ["of ", " failed"]),
        ("(login OR nothing) NOT eve", "login of eve", ["login"]),
        ("a.b", "a.b axb", ["a.b"]),
        ("status=200", "200", []),
        ("*", "all", []),
        ("", "all", []),
        ("broken(", "broken(", []),
    ],
)
def test_what_words_match_is_marked(query: str, text: str, hits: list[str]) -> None:
    parts = marked(text, words_of(query))
    assert [part for is_hit, part in parts if is_hit] == hits
    assert "".join(part for _, part in parts) == text


def test_a_long_text_is_cut() -> None:
    assert marked("x" * 600, None) == [(False, "x" * 500)]


def test_json_has_lines() -> None:
    text = '{"a": 1.50,"b":[true, {"c":"x: {1, 2}"}],"d":{},"e":[],"é":"\\u00e9"}'
    expected = """{
  "a": 1.50,
  "b": [
    true,
    {
      "c": "x: {1, 2}"
    }
  ],
  "d": {},
  "e": [],
  "é": "\\u00e9"
}"""
    assert in_lines(text) == expected
    assert json.loads(in_lines(text)) == json.loads(text)


@pytest.mark.parametrize("text", ["{not json}", "plain", "", '{"a": "' + "x" * 20_000 + '"}', "[" * 5_000, "[1] done"])
def test_other_texts_stay(text: str) -> None:
    assert in_lines(text) == text


def test_the_page_marks_words(api: Api) -> None:
    fill(api)
    assert "<mark>login</mark> of" in api.ask("GET", "/explore", params={"query": "login"}).text
