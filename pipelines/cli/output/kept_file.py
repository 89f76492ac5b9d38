"""Files of pipelines or rules whose text the hot tier keeps: how they are read, and how they are shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.common import Common
from pipelines.cli.output.console import print_message
from pipelines.cli.output.rows import print_json
from transforms.core.errors import ConfigurationError, reason_of

if TYPE_CHECKING:
    from transforms.hot_tier.configuration.store import KeptFile


def read_text(file: Path, field: str) -> str:
    """Return the text of a file, without a byte order mark.

    Raises:
        ConfigurationError: it can't be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} can't be read: {reason_of(error)}", field=field) from error


def report_set(kept: KeptFile | None, version: int, kind: str, common: Common) -> None:
    """Report that a file is kept from now on.

    Args:
        kept: The file.
        version: That of the tier's configuration.
        kind: What is in it: `pipelines` or `rules`.
        common: The command's flags.
    """
    if common.as_json:
        _print_document(kept, version)
    elif kept is not None and not common.quiet:
        print_message(f"The {kind} of {common.hot_tier} are those of {kept.file} (version {version}).")


def show_kept(kept: KeptFile | None, version: int, kind: str, common: Common) -> None:
    """Print the text of a file that the tier keeps, or a message where it keeps none."""
    if common.as_json:
        _print_document(kept, version)
    elif kept is not None:
        click.echo(kept.text, nl=False)
    elif not common.quiet:
        print_message(f"{common.hot_tier} has no {kind} of its own; `rekindle {kind} set FILE` sets them.")


def _print_document(kept: KeptFile | None, version: int) -> None:
    if kept is None:
        print_json({"version": version, "file": None, "sha256": None, "text": None})
    else:
        print_json({"version": version, "file": kept.file, "sha256": kept.sha256, "text": kept.text})
