"""Several patterns, exclusions and sources: which source takes an object, and what is listed for it."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.core.errors import ConfigurationError
from transforms.objects.discovery.key_glob import KeyGlob
from transforms.objects.discovery.key_globs import KeyGlobs, join_prefixes
from transforms.objects.discovery.object_filter import EXCLUDED, NO_SOURCE, OF_THE_TIER, KeyPatterns, ObjectFilter
from transforms.storage import ObjectInfo

AT = datetime(2025, 8, 12, tzinfo=timezone.utc)
WEB = KeyPatterns(include=("web/**", "old/web-*.log"), exclude=("**/*.tmp",))
DATABASE = KeyPatterns(include=("db/*.csv", "exact/[a]b?.csv"))
REST = KeyPatterns(exclude=("secret/**", "db/x.csv"))


def info(key: str, modified: datetime = AT) -> ObjectInfo:
    return ObjectInfo(bucket="b", key=key, etag="e", size=1, modified=modified)


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        pytest.param((WEB,), {"web/a.log": 0, "old/web-1.log": 0, "old/x": -1, "web/x.tmp": -2}, id="any-pattern"),
        pytest.param((WEB, REST), {"web/a.log": 0, "web/x.tmp": 1, "old/x": 1, "secret/a": -2}, id="the-first-wins"),
        pytest.param((REST, WEB), {"web/a.log": 0, "secret/a": -2, "db/x.csv": -2}, id="the-last-gets-nothing"),
        pytest.param(
            (DATABASE, WEB, REST), {"db/x.csv": 0, "web/a": 1, "z": 2, "secret/db/x.csv": -2}, id="three-sources"
        ),
        pytest.param((REST, DATABASE), {"db/x.csv": 1}, id="excluded-by-one-taken-by-another"),
        pytest.param(
            (KeyPatterns(include=("a/b.log", r"a/\*", "c")),),
            {"a/b.log": 0, "a/b-log": -1, "a/*": 0, "a/x": -1, "c": 0, "cc": -1},
            id="keys-without-wildcards",
        ),
        pytest.param(
            (KeyPatterns(include=("a|b", "c*")), KeyPatterns(include=("a", "b"))),
            {"a|b": 0, "a": 1, "b": 1, "xc": -1, "c\n": 0},
            id="patterns-do-not-run-together",
        ),
    ],
)
def test_the_source_of_a_key(sources: tuple[KeyPatterns, ...], expected: dict[str, int]) -> None:
    matcher = pickle.loads(pickle.dumps(ObjectFilter(sources=sources).compile()))  # as it travels to workers
    found = matcher.sources_of([info(key) for key in expected])
    assert dict(zip(expected, found, strict=True)) == expected
    assert all(any(key.startswith(one) for one in matcher.prefixes) for key, number in expected.items() if number >= 0)
    assert matcher.sources_of([]) == []


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        pytest.param(ObjectFilter(modified_after=AT), [NO_SOURCE, NO_SOURCE, NO_SOURCE], id="too-old"),
        pytest.param(
            ObjectFilter(sources=(KeyPatterns(exclude=("a",)),), modified_before=AT + timedelta(1)),
            [EXCLUDED, 0, 0],
            id="young-enough",
        ),
        pytest.param(
            ObjectFilter(sources=(KeyPatterns(exclude=("a",)),), modified_before=AT), [NO_SOURCE] * 3, id="dates-first"
        ),
        pytest.param(ObjectFilter(tier_prefix="hot/"), [0, OF_THE_TIER, 0], id="of-the-tier"),
    ],
)
def test_dates_and_the_tier(filter: ObjectFilter, expected: list[int]) -> None:
    assert filter.compile().sources_of([info("a"), info("hot/b"), info("hot")]) == expected


@pytest.mark.parametrize(
    ("prefixes", "expected"),
    [
        pytest.param(["b/", "a/x", "a/", "b/c/d"], ["a/", "b/"], id="one-under-another"),
        pytest.param(["a", "", "b"], [""], id="all"),
        pytest.param([f"a/{n}/x" for n in range(1001)] + ["b/1"], ["a/", "b/1"], id="many-deep"),
        pytest.param([f"a/{n}/" for n in range(1001)] + ["b/1"], ["a/", "b/1"], id="many"),
        pytest.param([f"k{n:04}" for n in range(1001)], [""], id="many-at-the-top"),
    ],
)
def test_prefixes(prefixes: list[str], expected: list[str]) -> None:
    assert join_prefixes(prefixes) == expected


def test_prefixes_of_all_patterns() -> None:
    patterns = ("logs/a/*", "logs/**/*.gz", "db/{x,y}/1", "db/x/**")
    assert KeyGlobs(patterns).prefixes == ["db/x/", "db/y/1", "logs/"]
    assert ObjectFilter(sources=(WEB, DATABASE)).compile().prefixes == ["db/", "exact/", "old/web-", "web/"]


def test_ten_thousand_keys_by_name_are_listed_by_folder() -> None:
    globs = KeyGlobs([f"logs/{n % 3}/{n}.log" for n in range(10_000)])
    assert globs.prefixes == ["logs/0/", "logs/1/", "logs/2/"]


def test_patterns_that_are_too_large_together_match_all_the_same() -> None:
    patterns = [f"logs/{n}/**/[!x]*{'?' * 50}.gz" for n in range(300)]
    keys = [f"logs/{n}/a/{'b' * 60}.gz" for n in (0, 150, 299, 300)]
    filter = ObjectFilter(sources=(KeyPatterns(include=tuple(patterns)),))
    assert filter.compile().sources_of([info(key) for key in keys]) == [0, 0, 0, NO_SOURCE]


def test_the_error_names_the_pattern() -> None:
    with pytest.raises(ConfigurationError, match=r"^exclude\[1\], character 2: .*\n  a\}\n   \^$") as raised:
        KeyGlobs(["a", "a}"], "exclude")
    assert raised.value.field == "exclude[1]"


PATTERNS = st.lists(st.sampled_from(["**", "a/*", "a/**/b", "*.x", "{a,b}/?", "a/b", "b/c.x", "[!a]*"]), max_size=3)
KEYS = st.lists(st.sampled_from(["a", "a/b", "a/c/b", "b/c.x", "b/c", "k.x", "a/", "z"]), max_size=8)


@given(st.lists(st.tuples(PATTERNS.filter(bool), PATTERNS), min_size=1, max_size=4), KEYS)
def test_like_one_pattern_after_the_other(given: list[tuple[list[str], list[str]]], keys: list[str]) -> None:
    filter = ObjectFilter(sources=tuple(KeyPatterns(include=tuple(a), exclude=tuple(b)) for a, b in given))

    def slowly(key: str) -> int:
        answer = NO_SOURCE
        for number, (include, exclude) in enumerate(given):
            if any(KeyGlob(one).matches(key) for one in include):
                if not any(KeyGlob(one).matches(key) for one in exclude):
                    return number
                answer = EXCLUDED
        return answer

    assert filter.compile().sources_of([info(key) for key in keys]) == [slowly(key) for key in keys]
