"""`rekindle files`."""

from __future__ import annotations

import sys

import click

from pipelines.cli.common import Common, common_flags
from pipelines.cli.flags import Command
from pipelines.cli.output.rows import print_rows_json


@click.command(cls=Command)
@common_flags
def files(common: Common) -> int:
    """List the live data files of the hot tier.

    One file a line, for tools that can't read Delta Lake tables. Do not glob the folder instead: it also holds files
    that were replaced.
    """
    from transforms.hot_tier.table.live_files import live_files

    paths = live_files(common.open_events())
    if common.as_json:
        print_rows_json({"path": path} for path in paths)
    else:
        sys.stdout.writelines(path + "\n" for path in paths)
    return 0
