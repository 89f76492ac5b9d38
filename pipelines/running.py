"""How a pipeline is run: on Beam's in-process runner by default, on any other by Beam's own flags.

Its errors come back as the product's.
"""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Callable, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, PortableOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineState, create_runner

from transforms import errors
from transforms.errors import AccessError, ConfigurationError, RekindleError

_LOCAL = (None, "DirectRunner", "FnApiRunner")
_RAISED = re.compile(r"transforms\.errors\.(?P<name>\w+): (?P<message>.*?)(?: \[while running '|\s*$)", re.MULTILINE)

_NOTE = re.compile(r" \[while running '.*'\]$")


class Engine:
    """Apache Beam, as the flags after `--` ask for it.

    `DirectRunner`, the default, is Beam's in-process FnApi runner: Beam's own class of that name first tries to download a program, Prism,
    and then falls back without a word.
    """

    def __init__(self, flags: Sequence[str]) -> None:
        """Parse Beam's flags.

        Raises:
            ConfigurationError: a flag is none of Beam's, or wrong.
        """
        try:
            self.options = PipelineOptions(list(flags))
            named = self.options.get_all_options(retain_unknown_options=True)
        except SystemExit as error:
            raise ConfigurationError(f"Beam does not take the flags {' '.join(flags)}") from error
        runner = self.options.view_as(StandardOptions).runner
        self.is_local = runner in _LOCAL
        if not self.is_local:
            _check_runner(runner)
            _check_job_server(self.options.view_as(PortableOptions).job_endpoint)
        unknown = sorted(set(named) - set(self.options.get_all_options()))
        if self.is_local and unknown:  # a job server has flags of its own, which only it knows
            raise ConfigurationError(f"Beam has no flag {', '.join('--' + name for name in unknown)} (after --)")
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)  # errors come back as exceptions, and are told once
        if self.is_local and self.options.view_as(DirectOptions).direct_num_workers < 2:
            self.options.view_as(DirectOptions).direct_num_workers = os.cpu_count() or 1

    @property
    def workers(self) -> int:
        """How many splits run at once, as far as the flags say."""
        if self.is_local:
            return int(self.options.view_as(DirectOptions).direct_num_workers)
        named = self.options.get_all_options(retain_unknown_options=True)
        return max(int(named.get(name) or 0) for name in ("parallelism", "num_workers", "direct_num_workers")) or 1

    def run(self, build: Callable[[beam.Pipeline], object]) -> None:
        """Run the pipeline that `build` composes, to its end.

        Raises:
            RekindleError: it failed; of the class that a worker raised, where the runner hands that on.
        """
        pipeline = beam.Pipeline(runner=FnApiRunner() if self.is_local else None, options=self.options)
        build(pipeline)
        try:
            result = pipeline.run()
            state = result.wait_until_finish()
        except Exception as error:
            raise _translate(error) from error
        if state not in (None, PipelineState.DONE):
            raise RekindleError(f"the runner ended the pipeline as {state}")


def _check_runner(name: str) -> None:
    try:
        create_runner(name)
    except (ValueError, ImportError, AttributeError) as error:
        raise ConfigurationError(f"--runner={name} (after --): {error}") from error


def _check_job_server(endpoint: str | None) -> None:
    """Knock at the job server: Beam itself waits for it in silence, for minutes."""
    host, _, port = (endpoint or "").rpartition(":")
    if not port.isdigit():  # none was named, or `embed`
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise AccessError(f"no job server answers at --job_endpoint={endpoint}: {error}; start one, or name another") from error


def _translate(error: Exception) -> RekindleError:
    """Return the error that a worker raised: here itself, with Beam's note at its end; from elsewhere as the text of a traceback."""
    if isinstance(error, RekindleError):
        return type(error)(_NOTE.sub("", str(error)))
    raised = list(_RAISED.finditer(str(error)))
    if raised:
        kind = getattr(errors, raised[-1]["name"], RekindleError)
        if issubclass(kind, RekindleError):
            translated: RekindleError = kind(raised[-1]["message"])
            return translated
    text = str(error).strip().splitlines()
    return RekindleError(f"the pipeline failed: {text[-1] if text else type(error).__name__}")
