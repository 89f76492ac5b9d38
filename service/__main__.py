"""Run the service: `python -m service SETTINGS`, which `rekindle serve` becomes."""

from __future__ import annotations

import os
import sys

from pipelines.cli.output.console import print_error
from service.server import serve
from service.settings import ServiceSettings
from transforms.core.errors import ConfigurationError, RekindleError


def main() -> int:
    """Run the service until it is ended, and return the exit code."""
    try:
        return serve(ServiceSettings.model_validate_json(sys.argv[1]))
    except RekindleError as error:
        print_error(str(error), field=error.field if isinstance(error, ConfigurationError) else None)
        return error.exit_code


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
