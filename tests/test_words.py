"""One word for one thing, the field's where it has one: the private words of the first versions don't come back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

BANNED = {
    "upkeep": "maintenance",
    "wanted": "request",
    "landed": "committed",
    "carry": "commit, execute",
    "carrying": "committing, executing",
    "settle": "choose, resolve, finish: say what is decided",
    "settled": "chosen, resolved, finished",
    "settling": "choosing",
    "judge": "evaluate",
    "judging": "classifying",
    "judgement": "evaluation",
    "verdict": "file action",
    "program": "compiled rules",
    "hush": "silence",
    "doubts": "suspicious flags",
    "knock": "check reachable",
    "say": "message, report, log",
    "said": "reported",
    "says": "describe",
    "tell": "report, describe",
    "tells": "report, describe",
    "odd": "say which: guards, exceptions",
    "rests": "say of what",
    "inner": "nested",
    "pieces": "parts, chunks",
}
"""A word of an identifier -> what to use instead."""
ALLOWED = frozenset({"tell"})
"""`tell` is a method of Python's files."""
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def words(identifier: str) -> list[str]:
    """Return the words of `snake_case` and `CamelCase` in lower case."""
    return [part.lower() for part in _PART.findall(identifier)]


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield what a source gives names to: functions, classes, parameters, variables, attributes, aliases."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, line
        elif isinstance(node, ast.arg):
            yield node.arg, line
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, line
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, line
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, line


@pytest.mark.parametrize("top", ["pipelines", "transforms", "service", "demo", "benchmarks"])
def test_no_private_word_in_an_identifier(top: str) -> None:
    found = []
    for path in sorted((ROOT / top).rglob("*.py")):
        where = path.relative_to(ROOT)
        names = [(part, 0) for part in where.with_suffix("").parts]
        for name, line in [*names, *identifiers(ast.parse(path.read_text(encoding="utf-8")))]:
            bad = BANNED.keys() & set(words(name))
            if bad and name not in ALLOWED:
                word = min(bad)
                found.append(f"{where}:{line}: {name}: instead of {word!r} use {BANNED[word]}")
    assert found == []


@pytest.mark.parametrize(
    ("identifier", "parts"),
    [
        ("UpkeepSettings", ["upkeep", "settings"]),
        ("_carry_through", ["carry", "through"]),
        ("HTTPError", ["http", "error"]),
        ("says2", ["says"]),
    ],
)
def test_words_of_identifiers(identifier: str, parts: list[str]) -> None:
    assert words(identifier) == parts


def test_a_class_name_is_taken_once() -> None:
    places: dict[str, list[str]] = {}
    for top in ("pipelines", "transforms", "service"):
        for path in sorted((ROOT / top).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
