"""Globs in words, as people read them while they type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.core.errors import ConfigurationError
from transforms.objects.discovery.glob_words import explain_glob
from transforms.objects.discovery.key_glob import KeyGlob, literal_glob


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("**", "all keys"),
        ("logs/**", "all keys under logs/"),
        ("logs/**/*.gz", "keys under logs/, in any folder, that end in .gz"),
        ("**/*.gz", "keys in any folder, that end in .gz"),
        ("*.gz", "keys in no folder, that end in .gz"),
        ("*", "keys in no folder"),
        ("logs/*", "keys directly under logs/"),
        ("logs/*.gz", "keys directly under logs/, that end in .gz"),
        ("/logs/*", "keys directly under /logs/"),
        ("logs/", "the key logs/ alone"),
        ("logs/*/", "keys under logs/, in one folder of any name, that end in a slash"),
        ("logs/a.gz", "the key logs/a.gz alone"),
        (r"logs/\*.gz", "the key logs/*.gz alone"),
        ("logs/a b.gz", "the key “logs/a b.gz” alone"),
        ("logs/*/*", "keys under logs/, in one folder of any name"),
        ("logs/**/error/*.gz", "keys under logs/, in any folder, then error/, that end in .gz"),
        ("logs/2025-*/**", "keys under logs/, in a folder that begins with 2025-, at any depth"),
        ("logs/app*", "keys directly under logs/, that begin with app"),
        ("**/app*.log", "keys in any folder, that begin with app and end in .log"),
        ("**/*error*", "keys in any folder, that contain error"),
        ("**/app.log", "keys in any folder, that are called app.log"),
        ("a/app?.log", "keys directly under a/, that are called app, then any one character, then .log"),
        ("a/??.log", "keys directly under a/, that are called 2 × any one character, then .log"),
        ("a/[0-9][!x]", "keys directly under a/, that are called one of 0-9, then one character but x"),
        ("**/*.{gz,zst,bz2}", "keys in any folder, that end in .gz, .zst or .bz2"),
        ("{a,b}/x", "keys in a folder that is called a or b, that are called x"),
        ("{a/*,b}", "keys directly under a/; or the key b alone"),
        ("{a*,b*,c*,d*,e*}", "keys of many forms: braces stand for each of their alternatives in turn"),
        (
            "x{a,b}{a,b}{a,b}{a,b}*",
            "keys in no folder, that begin with xaaaa, xaaab, xaaba, xaabb, xabaa, xabab, xabba, xabbb "
            "or one of 8 others",
        ),
    ],
)
def test_globs_in_words(pattern: str, words: str) -> None:
    assert explain_glob(pattern) == words


@pytest.mark.parametrize("pattern", ["", "a[", "a{b", "a**"])
def test_what_is_malformed_has_no_words(pattern: str) -> None:
    with pytest.raises(ConfigurationError):
        explain_glob(pattern)


@given(st.lists(st.sampled_from(["a", "/", "*", "**", "?", "[ab]", "[!]]", "{", "}", ",", "\\*", "\\", "é"])))
def test_every_glob_has_words(parts: list[str]) -> None:
    pattern = "".join(parts)
    try:
        KeyGlob(pattern)
    except ConfigurationError:
        return
    assert explain_glob(pattern)


@given(st.text(min_size=1))
def test_a_key_is_itself(key: str) -> None:
    assert explain_glob(literal_glob(key)) in (f"the key {key} alone", f"the key “{key}” alone")
