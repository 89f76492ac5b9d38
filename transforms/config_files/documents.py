"""YAML and JSON files with the place of everything that stands in them, so that a mistake can be pointed at."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from transforms.config_files.bounds import BoundedLoader, TooDeepError, check_length
from transforms.core.errors import ConfigurationError

_CUT_BY_COMMENT = re.compile(r"""[{\[][^'"{}\[\]]*[ :]#""")  # from the last bracket on: from each, it took square time
_MOST_NODES = 100_000  # aliases counted each time: a file of a kilobyte can stand for a billion
_LONGEST_PATH = 4096
_LONGEST_NUMBER = 4300  # characters: as many as Python reads of a decimal one
_IN_STEPS = re.compile(r"(?:^|\.)steps\[[0-9]+\]$")
_COMMENT = re.compile(r"[ \t]+#.*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MERGE = "tag:yaml.org,2002:merge"


class Position(NamedTuple):
    """Where something stands, both counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """A file that was read.

    Attributes:
        value: Its content.
        values: Path -> where the value begins. The one key of a step is passed over: `steps[0].pattern`.
        keys: Path -> where the name begins.
        comments: Path of a value without quotes -> the comment that follows it on its line, or below it and deeper than
            its key.
    """

    value: object
    values: dict[str, Position] = field(default_factory=dict)
    keys: dict[str, Position] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)

    def position(self, path: str, *, at_key: bool = False) -> Position:
        """Return where a path stands, or else the nearest that it is in."""
        if at_key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.values.get(path, Position(1, 1))


class _MergeKeyError(yaml.constructor.ConstructorError):
    """A mapping that takes over another: no place in the file is then that of what it takes over."""


class _Loader(BoundedLoader):
    """YAML's safe loader, which silently lets the last of two equal keys win, made to refuse them."""

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Return a number, unless no message could show it, and no text either."""
        if len(node.value) > _LONGEST_NUMBER:
            raise yaml.constructor.ConstructorError(
                None, None, f"a number has more than {_LONGEST_NUMBER:,} characters", node.start_mark
            )
        return int(super().construct_yaml_int(node))

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  PyYAML's signature
        for key, _ in node.value:
            if key.tag == _MERGE:
                raise _MergeKeyError(
                    None, None, "merge keys (<<) are not read; write out what they stand for", key.start_mark
                )
        seen: set[Hashable] = set()
        for node_of_key, _ in node.value:
            key = self.construct_object(node_of_key, deep=True)
            if not isinstance(key, Hashable):
                continue  # refused below
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} stands twice in one place", node_of_key.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def read_document(text: str, *, source: str, field: str) -> Document:
    """Read YAML or JSON.

    Args:
        text: The file.
        source: Its name, for messages.
        field: What kind of file it is, by its flag: the field that errors name.

    Raises:
        ConfigurationError: It is neither, has text that is no Unicode, is too long, or nested too deep.
    """
    check_length(text, source=source, field=field)
    try:
        document = Document(json.loads(text, object_pairs_hook=_unique))
    except (ValueError, RecursionError):
        document = _read_yaml(text, source, field)
    else:
        try:
            root = yaml.compose(text.replace("\t", " "), _Loader)  # JSON's own tabs are never within strings
            _note_positions(document, root, text, source, field)
        except TooDeepError as error:
            raise _refusal(error, text, source, field) from error
        except yaml.YAMLError:
            pass  # JSON that is no YAML: mistakes are told by their paths
    if "\\" in text or _SURROGATE.search(text):
        _refuse_halves(document, source, field)
    return document


def _refuse_halves(document: Document, source: str, field: str) -> None:
    r"""Refuse escapes such as `\ud800`, halves of characters, which no file can hold and no engine takes."""
    waiting: list[tuple[str, object, bool]] = [("", document.value, False)]
    while waiting:
        path, value, in_list = waiting.pop()
        if isinstance(value, str) and _SURROGATE.search(value):
            position = document.position(path)
            shown = path.encode("ascii", "backslashreplace").decode()
            raise ConfigurationError(
                f"{source}:{position.line}:{position.column}: {shown}: {value!r} has half of a character", field=field
            )
        if isinstance(value, dict):
            is_step = in_list and len(value) == 1 and _IN_STEPS.search(path) is not None
            for key, children in value.items():
                waiting += [
                    (path, str(key), False),
                    (path if is_step else f"{path}.{key}".removeprefix("."), children, False),
                ]
        elif isinstance(value, list):
            waiting += [(f"{path}[{at}]", children, True) for at, children in enumerate(value)]


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of JSON, unless a key occurs twice; then YAML finds the position."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError
    return dict(pairs)


def _read_yaml(text: str, source: str, field: str) -> Document:
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            document = Document(None)
            _note_positions(document, node, text, source, field)
            document.value = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _refusal(error, text, source, field) from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ConfigurationError(
            f"{source}: is neither YAML nor JSON: {' '.join(str(error).split())}", field=field
        ) from error
    return document


def _refusal(error: yaml.MarkedYAMLError, text: str, source: str, field: str) -> ConfigurationError:
    """Return the error of a file that can't be read, with its place."""
    mark = error.problem_mark or error.context_mark
    where = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
    what = "" if isinstance(error, _MergeKeyError | TooDeepError) else "is neither YAML nor JSON: "
    hint = _hint_of_comment(text.splitlines()[: mark.line + 1]) if mark else ""
    return ConfigurationError(f"{where}: {what}{error.problem}{hint}", field=field)


def _hint_of_comment(lines: list[str]) -> str:
    """Return a hint if braces or brackets lost their end to a comment."""
    for number in range(len(lines), 0, -1):
        if _CUT_BY_COMMENT.search(lines[number - 1]):
            return (
                f" (line {number}: YAML takes what follows ' #' for a comment; "
                "put the whole condition in single quotes)"
            )
    return ""


def _note_positions(document: Document, root: yaml.Node | None, text: str, source: str, field: str) -> None:
    lines = text.splitlines() or [""]
    for count, (path, node, column) in enumerate(_walk(root, "", document.keys)):
        if count > _MOST_NODES:
            position = _position(node)
            what = f"the file has more than {_MOST_NODES:,} values (those that aliases repeat are counted each time)"
            raise ConfigurationError(f"{source}:{position.line}:{position.column}: {what}", field=field)
        document.values.setdefault(path, _position(node))
        if isinstance(node, yaml.ScalarNode) and node.style is None:
            comment = _comment(lines, node.end_mark, column)
            if comment is not None:
                document.comments[path] = comment


def _comment(lines: list[str], end: yaml.Mark, column: int) -> str | None:
    """Return the comment after an unquoted value: on its line, or below it and deeper than its key."""
    rest = lines[end.line][end.column :] if end.line < len(lines) else ""
    if rest.strip():
        return rest.strip() if _COMMENT.fullmatch(rest) else None
    below = next((line for line in lines[end.line + 1 :] if line.strip()), "")
    return below.strip() if below.lstrip().startswith("#") and len(below) - len(below.lstrip()) > column else None


def _walk(root: yaml.Node | None, path: str, keys: dict[str, Position]) -> Iterator[tuple[str, yaml.Node, int]]:
    """Yield every value with its path and its key's indentation, -1 within braces; containers come first."""
    waiting = [(path, root, False, 0)] if root is not None else []
    while waiting:
        path, node, in_list, column = waiting.pop()
        yield path, node, column
        children: list[tuple[str, yaml.Node, bool, int]] = []
        if len(path) > _LONGEST_PATH:
            raise yaml.YAMLError(f"{path[:60]}… lies too deep")  # an alias within itself has no end
        if isinstance(node, yaml.MappingNode):
            is_step = in_list and len(node.value) == 1 and _IN_STEPS.search(path) is not None
            for key, value in node.value:
                name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
                below = path if is_step else f"{path}.{name}".removeprefix(".")
                keys.setdefault(below, _position(key))
                children.append((below, value, False, -1 if node.flow_style else key.start_mark.column))
        elif isinstance(node, yaml.SequenceNode):
            children = [(f"{path}[{at}]", value, True, column) for at, value in enumerate(node.value)]
        waiting.extend(reversed(children))


def _position(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)
