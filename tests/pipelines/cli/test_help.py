"""`--help` of every command: plain sentences, every flag explained, no private words."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from pipelines.cli.main import COMMANDS
from scripts.make_docs import description, summary, walk_commands

BANNED = {
    "upkeep", "place", "places", "wanted", "landed", "carry", "carries", "settle", "settles", "settled", "judge",
    "judges", "judging", "verdict", "hush", "doubts", "knock", "say", "says", "said", "tell", "tells", "told",
    "odd", "rests", "inner", "pieces", "reckon", "reckoned", "befall", "befalls", "whoever", "lest", "likewise",
    "thing", "things", "hence", "thereof", "nobody", "somebody",
}  # fmt: skip
"""Words that say less than the field's own; see tests/test_words.py for those of identifiers."""
CONTEXTS = {context.command_path: context for context in walk_commands()}


def texts(context: click.Context) -> Iterator[tuple[str, str]]:
    """Yield what `--help` of a command explains: the command itself, each argument, each option."""
    yield context.command_path, description(context.command)
    for one in context.command.get_params(context):
        assert isinstance(one, click.Argument | click.Option)
        yield f"{context.command_path} {one.opts[0]}", one.help or ""


EVERY = dict(text for context in CONTEXTS.values() for text in texts(context))


@pytest.mark.parametrize(("name", "text"), EVERY.items(), ids=EVERY)
def test_every_text_is_plain_sentences(name: str, text: str) -> None:
    assert text, f"{name} has no help"
    assert text[0].isupper() or text[0] in "`$"
    for paragraph in text.split("\n\n"):
        assert paragraph.endswith(".")
    assert "  " not in text
    assert BANNED & set(re.findall(r"[a-z]+", text.lower())) == set()


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_help_shows_every_option_in_lines_of_a_terminal(context: click.Context) -> None:
    shown = context.command.get_help(context)
    assert all(name in shown for one in context.command.get_params(context) for name in one.opts if name[0] == "-")
    assert not re.search(r"\b(TEXT|INTEGER|FLOAT)\b", shown), "an option has no metavar of its own"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_is_the_first_sentence_of_the_help(name: str) -> None:
    assert COMMANDS[name][1] == summary(CONTEXTS[f"rekindle {name}"].command)
