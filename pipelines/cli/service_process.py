"""Commands that become the service's process: the command line knows nothing of its insides."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from importlib.util import find_spec

import orjson

from pipelines.cli.common import Common
from transforms.core.errors import RekindleError

_PACKAGE = "service"


def check_installed(*packages: str) -> None:
    """Refuse to start where a package is missing that the service needs.

    Raises:
        RekindleError: with the command that installs it.
    """
    if missing := [name for name in (_PACKAGE, *packages) if find_spec(name) is None]:
        raise RekindleError(
            f"the service needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: "
            "pip install 'rekindle[service]'"
        )


def become_service(common: Common, *arguments: str, **settings: object) -> None:
    """Become the service, under this process's number.

    Args:
        common: Where the hot tier is, and how stores are reached.
        arguments: What stands before the settings.
        settings: The other fields of `ServiceSettings`, in camel case.
    """
    source, tier = common.stores()
    known = {"hotTier": common.hot_tier, "sourceOptions": asdict(source), "tierOptions": asdict(tier)}
    command = [sys.executable, "-m", _PACKAGE, *arguments, orjson.dumps(known | settings).decode()]
    _become(command)


def _become(command: list[str]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, {**os.environ, "PYTHONSAFEPATH": "1"})
