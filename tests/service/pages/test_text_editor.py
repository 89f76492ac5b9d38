"""Mistakes of an edited text, beside its lines."""

from __future__ import annotations

from service.pages.text_editor import Mistake, mistakes_of, read_text, unseen_lines


def test_mistakes_have_their_places() -> None:
    message = "f.yaml:2:5: p: query, character 3: x\n  a=(\n    ^\nf.yaml: no place"
    found = mistakes_of(message, "first\n" + "e" * 3 + "  " + "x" * 300, file="f.yaml")
    assert found == [
        Mistake(
            line=2,
            column=5,
            message="p: query, character 3: x",
            more="  a=(\n    ^",
            before="eee ",
            at=" ",
            after="x" * 120,
        ),
        Mistake(message="no place"),
    ]


def test_mistakes_without_a_place_in_the_text() -> None:
    assert mistakes_of("f.yaml: it is none", "", file="f.yaml") == [Mistake(message="it is none")]
    assert mistakes_of("no place\n  more", "", file="f.yaml") == [Mistake(message="no place", more="  more")]
    assert mistakes_of("f.yaml:9:9: x", "one", file="f.yaml") == [Mistake(line=9, column=9, message="x")]


def test_the_beginning_of_a_long_line_is_left_out() -> None:
    (found,) = mistakes_of("f.yaml:1:101: x", "a" * 100 + "b", file="f.yaml")
    assert (found.before, found.at, found.after) == ("…" + "a" * 60, "b", "")


def test_lines_that_a_reader_takes_for_others() -> None:
    assert unseen_lines("a\nb\u202ec\n") == [(2, "b\u202ec")]


def test_line_ends_of_browsers() -> None:
    assert read_text("a\r\nb\rc") == "a\nb\rc"
