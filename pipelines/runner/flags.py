"""Checks of Beam's flags.

Beam itself takes wrong ones silently, and waits for minutes, or starts workers that lack the code.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from difflib import get_close_matches

from apache_beam.options.pipeline_options import (
    PipelineOptions,
    PortableOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)

from pipelines.runner.errors import NoJobServerError
from transforms.core.errors import ConfigurationError

_ENVIRONMENTS = ("DOCKER", "PROCESS", "EXTERNAL", "LOOPBACK")
_CONNECT_SECONDS = 10.0


def parse(flags: Sequence[str]) -> PipelineOptions:
    """Return Beam's options.

    Raises:
        ConfigurationError: a flag has a wrong value; Beam would print all flags that it has.
    """
    printed = io.StringIO()
    try:
        with redirect_stderr(printed):
            options = PipelineOptions(list(flags))
            options.get_all_options(retain_unknown_options=True)
    except SystemExit as error:
        reason = printed.getvalue().strip().rpartition("error: ")[2]
        raise ConfigurationError(f"Beam refuses the flags {' '.join(flags)} (after --): {reason}") from error
    return options


def check_known(options: PipelineOptions) -> None:
    """Refuse flags that Beam does not have, where there is no job server that might.

    Raises:
        ConfigurationError: with their names.
    """
    unknown = _unknown(options)
    if unknown:
        raise ConfigurationError(f"Beam has no flag {', '.join('--' + name for name in unknown)} (after --)")


def check_cluster(options: PipelineOptions) -> None:
    """Refuse flags by which no cluster can be reached.

    Raises:
        ConfigurationError: with what they lack.
    """
    portable, runner = options.view_as(PortableOptions), options.view_as(StandardOptions).runner
    endpoint, kind = portable.job_endpoint, portable.environment_type
    if runner == "PortableRunner" and not endpoint:
        raise ConfigurationError(
            "--runner=PortableRunner (after --): add --job_endpoint=HOST:PORT, where a job server answers"
        )
    if endpoint not in (None, "embed") and not endpoint.rpartition(":")[2].isdigit():
        raise ConfigurationError(
            f"--job_endpoint={endpoint} (after --): it has no port; give HOST:PORT, such as localhost:8099"
        )
    if kind is not None and kind not in _ENVIRONMENTS and not kind.startswith("beam:env:"):
        raise ConfigurationError(f"--environment_type={kind} (after --): it must be one of {', '.join(_ENVIRONMENTS)}")


def check_reachable(options: PipelineOptions) -> None:
    """Connect to the job server, if one is named.

    Raises:
        NoJobServerError: it does not answer.
    """
    endpoint = options.view_as(PortableOptions).job_endpoint
    if endpoint in (None, "embed"):
        return
    host, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise NoJobServerError(
            f"no job server answers at --job_endpoint={endpoint}: {error}; start one, name another, "
            "or go on here with -- --runner=DirectRunner"
        ) from error


def suspicious_flags(options: PipelineOptions) -> Iterator[str]:
    """Yield a warning of each flag for a cluster that is probably not what was meant.

    They are no errors: a job server has flags that only it knows.
    """
    known = options.get_all_options()
    for name in _unknown(options):
        for like in get_close_matches(name, known, n=1, cutoff=0.85):
            yield f"Beam itself has no flag --{name}: was --{like} meant?"
    portable, setup = options.view_as(PortableOptions), options.view_as(SetupOptions)
    is_portable = options.view_as(StandardOptions).runner == "PortableRunner"
    image = portable.environment_config or options.view_as(WorkerOptions).sdk_container_image
    brought = image or setup.setup_file or setup.extra_packages or setup.requirements_file
    if is_portable and portable.environment_type in (None, "DOCKER") and not brought:
        yield (
            "Docker starts workers from Beam's own image, which lacks Rekindle: "
            "add --environment_config=IMAGE (docs/clusters.md)"
        )


def _unknown(options: PipelineOptions) -> list[str]:
    return sorted(set(options.get_all_options(retain_unknown_options=True)) - set(options.get_all_options()))
