"""Whether Beam's flags can be what was meant: Beam itself is silent, and waits for minutes, or starts workers that lack the code."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from difflib import get_close_matches

from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions, SetupOptions, StandardOptions, WorkerOptions

from transforms.errors import AccessError, ConfigurationError


def check_known(options: PipelineOptions) -> None:
    """Refuse flags that Beam does not have, where there is no job server that might.

    Raises:
        ConfigurationError: with their names.
    """
    unknown = _unknown(options)
    if unknown:
        raise ConfigurationError(f"Beam has no flag {', '.join('--' + name for name in unknown)} (after --)")


def check_job_server(endpoint: str | None) -> None:
    """Knock at the job server.

    Raises:
        AccessError: it does not answer.
    """
    host, _, port = (endpoint or "").rpartition(":")
    if not port.isdigit():  # none was named, or `embed`
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise AccessError(f"no job server answers at --job_endpoint={endpoint}: {error}; start one, or name another") from error


def doubts(options: PipelineOptions) -> Iterator[str]:
    """Yield what to say of flags for a cluster that are probably not what was meant; a job server has flags that only it knows."""
    known = options.get_all_options()
    for name in _unknown(options):
        for like in get_close_matches(name, known, n=1, cutoff=0.85):
            yield f"Beam itself has no flag --{name}: was --{like} meant?"
    portable, setup = options.view_as(PortableOptions), options.view_as(SetupOptions)
    is_portable = options.view_as(StandardOptions).runner == "PortableRunner"
    image = portable.environment_config or options.view_as(WorkerOptions).sdk_container_image
    brought = image or setup.setup_file or setup.extra_packages or setup.requirements_file
    if is_portable and portable.environment_type in (None, "DOCKER") and not brought:
        yield "Docker starts workers from Beam's own image, which lacks Rekindle: add --environment_config=IMAGE (docs/clusters.md)"


def _unknown(options: PipelineOptions) -> list[str]:
    return sorted(set(options.get_all_options(retain_unknown_options=True)) - set(options.get_all_options()))
