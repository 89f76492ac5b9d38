"""The glob: a table of cases, what is malformed and where, the prefixes, and the answers of a slow, obvious matcher."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.core.errors import ConfigurationError
from transforms.objects.discovery.key_glob import KeyGlob, literal_glob

CASES = [
    # pattern, keys that match, keys that don't
    ("**", ["a", "a/b", "", "/lead", "a//b", "dir/", "line\nbreak", ".hidden"], []),
    ("*", ["a", ".hidden", "", "tab\tx", "😀"], ["a/b", "/"]),
    ("logs/**", ["logs/a", "logs/a/b", "logs/", "logs//"], ["logs", "Logs/a", "xlogs/a"]),
    ("**/x", ["x", "a/x", "a/b/x", "/x", "a//x"], ["ax", "x/", "a/xb"]),
    ("a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a//b"], ["ab", "a/xb", "a/b/"]),
    ("**/**/x", ["x", "a/x", "a/b/x"], ["ax"]),
    ("a/**/*.json", ["a/x.json", "a/b/.json"], ["a/json", "a/b/x.json/"]),
    ("a?c", ["abc", "a😀c", "a.c", "a\nc"], ["ac", "a/c", "abbc"]),
    ("a*c", ["ac", "abc", "abbc"], ["a/c", "a", "acb"]),
    ("[abc]", ["a", "b"], ["d", "", "ab", "A"]),
    ("[a-c]x", ["ax", "cx"], ["dx", "-x"]),
    ("[!a-c]x", ["dx", "!x", "\nx"], ["ax", "/x"]),
    ("[^a]", ["^", "a"], ["b"]),
    ("[+-9]", ["+", "0", "9", "."], ["/"]),
    ("[]a]", ["]", "a"], ["b"]),
    ("[!]a]", ["b"], ["]", "a", "/"]),
    ("[a-]", ["a", "-"], ["b"]),
    ("[é-ü]", ["é", "ö"], ["e"]),
    (r"[\]\\]", ["]", "\\"], ["a"]),
    ("{a,b,c}", ["a", "c"], ["d", "a,b", "{a,b,c}"]),
    ("x{,y}", ["x", "xy"], ["xyy"]),
    ("{a,b{c,d*}}e", ["ae", "bce", "bdzze"], ["be", "bd/e"]),
    ("{logs/{a,b},x}/2025-*", ["logs/a/2025-1", "x/2025-"], ["logs/2025-1", "logs/a/2025-1/2"]),
    ("{a,b/**}/c", ["a/c", "b/c", "b/x/y/c"], ["a/x/c", "bc"]),
    ("{,**/}x", ["x", "a/b/x"], ["ax"]),
    ("{a/,}**", ["a/b", "z"], []),
    ("a{*}*", ["a", "abc"], ["a/b"]),  # two `*`, and no `**`
    ("{**,x}/y", ["y", "x/y", "a/b/y"], ["ay"]),
    ("{{a,b/**},c}/d", ["a/d", "b/x/d", "c/d"], ["c/x/d"]),
    (r"\*\?\[\{\\", ["*?[{\\"], ["aa[{\\"]),
    ("a,b", ["a,b"], ["a", "b"]),
    ("a]b", ["a]b"], []),
    ("a.b+c(d)|e$", ["a.b+c(d)|e$"], ["axb+c(d)|e$", "e"]),
    ("/lead", ["/lead"], ["lead"]),
    ("a//b", ["a//b"], ["a/b"]),
    ("../x", ["../x"], ["x"]),
    ("dir/", ["dir/"], ["dir"]),
    ("tab\t*", ["tab\tx"], ["tab x"]),
    ("😀/*", ["😀/a"], ["😁/a"]),
    ("Straße/É", ["Straße/É"], ["STRASSE/É", "Straße/é", "Straße/E\N{COMBINING ACUTE ACCENT}"]),
]


@pytest.mark.parametrize(
    ("pattern", "matching", "others"), CASES, ids=[case[0].encode("unicode_escape").decode() for case in CASES]
)
def test_matches(pattern: str, matching: list[str], others: list[str]) -> None:
    glob = KeyGlob(pattern)
    assert glob.matches_all(matching + others) == [True] * len(matching) + [False] * len(others)
    assert all(any(key.startswith(prefix) for prefix in glob.prefixes) for key in matching)


def test_no_keys() -> None:
    assert KeyGlob("*").matches_all([]) == []


@pytest.mark.parametrize(
    ("pattern", "character", "what"),
    [
        ("", None, "matches nothing; leave it out"),
        ("[a", 1, "never closed by ']'"),
        ("x[]", 2, "never closed by ']'"),
        ("[!]", 1, "never closed by ']'"),
        ("[a\\", 3, "escapes nothing"),
        ("[z-a]", 2, "write [a-z]"),
        ("a/[b/c]", 5, "a slash within [ ]"),
        ("{a,b", 1, "never closed by '}'"),
        ("{a,{b}", 1, "never closed by '}'"),
        ("a}", 2, "closes none"),
        ("{}", 1, "nothing between these braces"),
        ("a\\", 2, "escapes nothing"),
        ("logs/**.json", 6, "logs/**/*.json"),
        ("a**", 2, "alone in its segment"),
        ("a/**b/c", 3, "alone in its segment"),
        ("***", 3, "more than two"),
        ("a{**,x}", 3, "alone in its segment"),
        ("{a/,b}**", 7, "alone in its segment"),
        ("{**,a}b", 2, "alone in its segment"),
        ("**{/x,y}", 1, "put the slash between them"),
        ("a\udce9", 2, "not UTF-8"),
        ("{" * 51 + "a" + "}" * 51, 51, "50 deep"),
    ],
)
def test_malformed_points_at_the_character(pattern: str, character: int | None, what: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        KeyGlob(pattern)
    message = str(raised.value)
    assert what in message
    assert raised.value.field == "pattern"
    if character is not None:
        first, shown, caret = message.split("\n")
        assert f"character {character}:" in first
        assert len(shown) == len(pattern) + 2
        assert caret.index("^") == character + 1


@pytest.mark.parametrize(
    ("pattern", "prefixes"),
    [
        ("**", [""]),
        ("logs/{a,b}/2025-*", ["logs/a/2025-", "logs/b/2025-"]),
        ("{logs/a,logs}/**", ["logs/"]),
        ("{a,ab,b}*", ["a", "b"]),
        ("logs/app.log", ["logs/app.log"]),
        ("a/**/b", ["a/"]),
        ("a?b", ["a"]),
        ("a[bc]", ["a"]),
        ("{a*,b}/c", ["a", "b/c"]),
        (r"a\*b*", ["a*b"]),
        ("/lead/*", ["/lead/"]),
        ("x{,y}z*", ["xyz", "xz"]),
        ("a/{*,b}", ["a/"]),
        ("t/{" + ",".join(map(str, range(1001))) + "}/*", ["t/"]),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_prefixes(pattern: str, prefixes: list[str]) -> None:
    assert KeyGlob(pattern).prefixes == prefixes


def test_braces_that_multiply_stay_bounded() -> None:
    glob = KeyGlob("{a,b}" * 40)
    assert len(glob.prefixes) <= 1000
    assert glob.matches("ab" * 20)


def test_a_pattern_too_large_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="too large"):
        KeyGlob("[!a-z]?" * 20_000)


def test_a_compiled_pattern_travels() -> None:
    assert pickle.loads(pickle.dumps(KeyGlob("a/*"))).matches("a/b")


# The slow reference: braces are written out, and what is left is matched character by character, trying everything.


SEAM = "\0"
"""Where a brace was: two `*` on its two sides are no `**`."""


def expand_braces(pattern: str) -> list[str]:
    """Return the pattern's readings without braces; what they hold is otherwise untouched."""
    start = find(pattern, "{", 0)
    if start is None:
        return [pattern]
    depth, pieces, begin, at = 1, [], start + 1, start + 1
    while True:
        step = width(pattern, at)
        if step == 1 and pattern[at] == "{":
            depth += 1
        elif step == 1 and pattern[at] == "}":
            depth -= 1
        if depth == 0 or (depth == 1 and step == 1 and pattern[at] == ","):
            pieces.append(pattern[begin:at])
            begin = at + 1
        if depth == 0:
            return [
                reading
                for piece in pieces
                for reading in expand_braces(pattern[:start] + SEAM + piece + SEAM + pattern[at + 1 :])
            ]
        at += step


def width(pattern: str, at: int) -> int:
    """Return how many characters the token at a place takes: an escape and a class are one token."""
    if pattern[at] == "\\":
        return 2
    if pattern[at] != "[":
        return 1
    end = at + 1 + pattern.startswith("!", at + 1)
    end += width(pattern, end) if pattern[end] != "[" else 1
    while pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return end + 1 - at


def find(pattern: str, character: str, at: int) -> int | None:
    while at < len(pattern):
        if pattern[at] == character:
            return at
        at += width(pattern, at)
    return None


def slow_match(pattern: str, key: str) -> bool:
    return any(match_segments(split(reading), key.split("/")) for reading in expand_braces(pattern))


def split(pattern: str) -> list[str]:
    slash = find(pattern, "/", 0)
    return [pattern] if slash is None else [pattern[:slash], *split(pattern[slash + 1 :])]


def match_segments(patterns: list[str], segments: list[str]) -> bool:
    if not patterns:
        return not segments
    globstar = "**" in patterns[0] and patterns[0].strip(SEAM) == "**"
    if globstar and len(patterns) == 1:
        return len(segments) > 0  # `logs/**` does not match the key `logs`
    if globstar:
        return any(match_segments(patterns[1:], segments[taken:]) for taken in range(len(segments) + 1))
    return bool(segments) and match_segment(patterns[0], segments[0]) and match_segments(patterns[1:], segments[1:])


def match_segment(pattern: str, text: str) -> bool:
    assert not pattern.startswith("**"), "such a pattern should have been refused"
    if not pattern:
        return not text
    step = width(pattern, 0)
    token, rest = pattern[:step], pattern[step:]
    if token == SEAM:
        return match_segment(rest, text)
    if token == "*":
        return any(match_segment(rest, text[taken:]) for taken in range(len(text) + 1))
    return bool(text) and match_one(token, text[0]) and match_segment(rest, text[1:])


def match_one(token: str, character: str) -> bool:
    if token == "?":
        return True
    if token[0] == "\\":
        return character == token[1]
    if len(token) == 1:
        return character == token
    members = token[1:-1].removeprefix("!")
    return (character in members) != token.startswith("[!")


TOKENS = st.sampled_from(["a", "b", "ab", "/", "*", "?", "[ab]", "[!a]", r"\*", "**/", "/**", "/**/", "-", ","])
PLAIN = st.lists(TOKENS, max_size=6).map("".join)
BRACED = st.recursive(
    PLAIN,
    lambda inner: st.tuples(PLAIN, st.lists(inner, min_size=1, max_size=3), PLAIN).map(
        lambda parts: f"{parts[0]}{{{','.join(piece or 'a' for piece in parts[1])}}}{parts[2]}"
    ),
    max_leaves=6,
)
ANYTHING = st.text("ab/*?{},\\", max_size=12)
KEYS = st.lists(st.text("ab/*-,", max_size=9), min_size=1, max_size=8)


@given(pattern=BRACED | ANYTHING, keys=KEYS)
def test_agrees_with_a_slow_reference(pattern: str, keys: list[str]) -> None:
    try:
        glob = KeyGlob(pattern)
    except ConfigurationError:
        return
    found = glob.matches_all(keys)
    assert found == [slow_match(pattern, key) for key in keys]
    assert all(
        any(key.startswith(prefix) for prefix in glob.prefixes)
        for key, matches in zip(keys, found, strict=True)
        if matches
    )


@given(pattern=BRACED | ANYTHING)
def test_prefixes_lie_apart(pattern: str) -> None:
    try:
        prefixes = KeyGlob(pattern).prefixes
    except ConfigurationError:
        return
    assert prefixes
    assert not any(one != other and one.startswith(other) for one in prefixes for other in prefixes)


@pytest.mark.parametrize("key", ["a.log", "a[1].log", "**", "*", "a{b,c}", "x\\y", "!a", "?", "a,b", " "])
def test_the_pattern_of_one_key(key: str) -> None:
    assert KeyGlob(literal_glob(key)).literal == key
