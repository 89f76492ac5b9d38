"""Run the service: `python -m service SETTINGS`, which `rekindle serve` becomes.

`python -m service mcp SETTINGS` is `rekindle mcp`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from pipelines.cli.output.console import print_error
from pipelines.cli.streams import INTERRUPTED
from service.settings import ServiceSettings
from transforms.core.errors import ConfigurationError, RekindleError


def main() -> int:
    """Run the service until it is ended, and return the exit code."""
    *door, settings = sys.argv[1:]
    try:
        return _serve(door)(ServiceSettings.model_validate_json(settings))
    except KeyboardInterrupt:
        return INTERRUPTED
    except RekindleError as error:
        print_error(str(error), field=error.field if isinstance(error, ConfigurationError) else None)
        return error.exit_code


def _serve(door: list[str]) -> Callable[[ServiceSettings], int]:
    """Return what serves; each imports what the other has no use for."""
    if door == ["mcp"]:
        from service.mcp.stdio import serve_on_stdio

        return serve_on_stdio
    from service.server import serve

    return serve


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
