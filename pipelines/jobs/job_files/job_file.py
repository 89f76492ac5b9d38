"""Job files: JSON or YAML, read as they are (docs/jobs.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from transforms.config_files.bounds import BoundedLoader, check_length
from transforms.core.errors import ConfigurationError, reason_of


def load_job_file(path: str) -> dict[str, object]:
    """Return the fields of a JSON or YAML job file, unchecked.

    Raises:
        ConfigurationError: the file is not there, is too long or nested too deep, or holds no mapping.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--job {path} can't be read: {reason_of(error)}", field="job") from error
    check_length(text, source=f"--job {path}", field="job")
    try:
        document = yaml.load(text, Loader=_TimesAsText)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"--job {path} is neither JSON nor YAML: {error}", field="job") from error
    if not isinstance(document, dict):
        raise ConfigurationError(
            f"--job {path} must hold one mapping of fields (bucket, pattern, …), not {type(document).__name__}",
            field="job",
        )
    return document


class _TimesAsText(BoundedLoader):
    """YAML that refuses repeated fields, and whose times stay text, as in a JSON file; YAML 1.1 makes dates of them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the field {key!r} is here twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_TimesAsText.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
