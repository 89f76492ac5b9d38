"""YAML and JSON files with the place of everything that stands in them, so that a mistake can be pointed at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from transforms.errors import ConfigurationError

_MOST_NODES = 100_000  # aliases counted each time: a file of a kilobyte can stand for a billion
_LONGEST_PATH = 4096
_IN_STEPS = re.compile(r"(?:^|\.)steps\[[0-9]+\]$")
_COMMENT = re.compile(r"[ \t]+#.*")


class Place(NamedTuple):
    """Where something stands, both counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """A file that was read.

    Attributes:
        value: What it says.
        values: Path -> where the value begins. The one key of a step is passed over: `steps[0].pattern`.
        keys: Path -> where the name begins.
        comments: Path of a value without quotes -> the comment that follows it on its line.
    """

    value: object
    values: dict[str, Place] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)

    def place(self, path: str, *, at_key: bool = False) -> Place:
        """Return where a path stands, or else the nearest that it is in."""
        if at_key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.values.get(path, Place(1, 1))


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, which silently lets the last of two equal keys win, made to refuse them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  PyYAML's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for at, key in enumerate(keys):
            if key in keys[:at]:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice in one place", node.value[at][0].start_mark)
        return super().construct_mapping(node, deep=deep)


def read_document(text: str, *, source: str, field: str) -> Document:
    """Read YAML or JSON.

    Args:
        text: The file.
        source: Its name, for messages.
        field: What kind of file it is, by its flag: the field that errors name.

    Raises:
        ConfigurationError: It is neither.
    """
    try:
        document = Document(json.loads(text, object_pairs_hook=_unique))
    except (ValueError, RecursionError):
        return _read_yaml(text, source, field)
    with suppress(yaml.YAMLError):  # JSON that is no YAML: mistakes are told by their paths
        _note_places(document, yaml.compose(text.replace("\t", " "), _Loader), text)  # JSON's own tabs are never within strings
    return document


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of JSON, unless a key stands in it twice: then YAML says where."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError
    return dict(pairs)


def _read_yaml(text: str, source: str, field: str) -> Document:
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            document = Document(None)
            _note_places(document, node, text)
            document.value = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        raise ConfigurationError(f"{where}: is neither YAML nor JSON: {error.problem}", field=field) from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ConfigurationError(f"{source}: is neither YAML nor JSON: {' '.join(str(error).split())}", field=field) from error
    return document


def _note_places(document: Document, root: yaml.Node | None, text: str) -> None:
    lines = text.splitlines() or [""]
    for count, (path, node) in enumerate(_walk(root, "", document.keys)):
        if count > _MOST_NODES:
            raise ConfigurationError(f"the file has more than {_MOST_NODES:,} values (those that aliases repeat are counted each time)")
        document.values.setdefault(path, _place(node))
        if isinstance(node, yaml.ScalarNode) and node.style is None and node.end_mark.line < len(lines):
            comment = _COMMENT.fullmatch(lines[node.end_mark.line][node.end_mark.column :])
            if comment:
                document.comments[path] = comment[0].strip()


def _walk(root: yaml.Node | None, path: str, keys: dict[str, Place]) -> Iterator[tuple[str, yaml.Node]]:
    """Yield every value with its path, those that contain others before them."""
    waiting = [(path, root, False)] if root is not None else []
    while waiting:
        path, node, in_list = waiting.pop()
        yield path, node
        inner: list[tuple[str, yaml.Node, bool]] = []
        if len(path) > _LONGEST_PATH:
            raise yaml.YAMLError(f"{path[:60]}… lies too deep")  # an alias within itself has no end
        if isinstance(node, yaml.MappingNode):
            is_step = in_list and len(node.value) == 1 and _IN_STEPS.search(path) is not None
            for key, value in node.value:
                name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
                below = path if is_step else f"{path}.{name}".removeprefix(".")
                keys.setdefault(below, _place(key))
                inner.append((below, value, False))
        elif isinstance(node, yaml.SequenceNode):
            inner = [(f"{path}[{at}]", value, True) for at, value in enumerate(node.value)]
        waiting.extend(reversed(inner))


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
