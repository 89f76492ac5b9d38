"""How a pipeline is run: on Beam's in-process runner by default, on any other by Beam's own flags.

Its errors come back as the product's.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, GoogleCloudOptions, PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult, PipelineRunner, PipelineState, create_runner

from pipelines.runner.cores import usable_cores
from pipelines.runner.errors import RunnerError, silence_beam_logging, translate
from pipelines.runner.flags import check_cluster, check_known, check_reachable, parse, suspicious_flags
from pipelines.runner.processes import WorkerProcesses
from transforms.core.errors import CanceledError, ConfigurationError

_LOCAL = (None, "DirectRunner", "FnApiRunner")
_TRIES = 3
"""How often a cluster, or worker processes that die, may run a pipeline: each can be run again, and what was published
is found then.
"""
_THREADS = 8
"""How many workers share a process: the interpreter's lock is full at 8 to 11 (docs/decisions/0020-runners.md)."""
_PROCESS_BYTES = 128 << 20
"""So much work, compressed, is worth a process: it takes 1.6 CPU seconds to start."""
_PAUSE_SECONDS = 5.0
_USUAL_WORKERS = 8
"""Where no flag gives the number of a cluster: waves of fewer splits would leave most of it idle."""
_SPLIT_BYTES = 16 << 20
"""How large splits are on a cluster, which gives them to its workers at random: of many small ones each gets about as
much. The splits of a bundle share files, so they need not be worth one each.
"""
_LOSS_SECONDS = 0.2
_CANCEL_SECONDS = 20.0
"""Workers see within a second that they should stop; those that never started are stopped by the cluster."""


class Engine:
    """Apache Beam, as the flags after `--` ask for it.

    `DirectRunner`, the default, is Beam's in-process FnApi runner: Beam's own class of that name first tries to
    download a program, Prism, and then falls back silently.
    """

    def __init__(
        self,
        flags: Sequence[str],
        *,
        workers: int | None = None,
        message: Callable[[str], None] = lambda _: None,
        canceled: threading.Event | None = None,
    ) -> None:
        """Parse Beam's flags.

        Args:
            flags: What was given after `--`.
            workers: How many splits run at once on this machine; None for as many as cores. `--direct_num_workers`
                comes before it.
            message: Shows a warning of a flag, and that a cluster's pipeline is run again.
            canceled: Set when the pipeline should end; in-process workers look for that themselves.

        Raises:
            ConfigurationError: a flag is none of Beam's, or wrong.
            AccessError: the job server that they name does not answer.
        """
        self._flags = list(flags)
        self._given_workers = workers
        self._message = message
        self._canceled = canceled or threading.Event()
        options = self._options()
        runner = options.view_as(StandardOptions).runner
        self.is_local = runner in _LOCAL
        if self.is_local:
            check_known(options)
        self._running_mode = parse(self._flags).view_as(DirectOptions).direct_running_mode
        self._processes: WorkerProcesses | None = None
        self._servers: list[Any] = []  # job_server.JobServer
        self._cluster: PipelineRunner | None = None
        if not self.is_local:
            self._cluster = self._with_one_server(_create(runner))
            if workers is not None:
                message("Warning: --workers is for this machine; Beam's own flags say how many a cluster runs")
            check_cluster(options)
            check_reachable(options)
            for warning in suspicious_flags(options):
                message(f"Warning: {warning}")
        silence_beam_logging()

    @property
    def workers(self) -> int:
        """How many splits run at once, as far as the flags say."""
        options = self._options()
        if self.is_local:
            return int(options.view_as(DirectOptions).direct_num_workers)
        named = options.get_all_options(retain_unknown_options=True)
        return max(int(named.get(name) or 0) for name in ("parallelism", "num_workers")) or _USUAL_WORKERS

    @property
    def split_bytes(self) -> int | None:
        """How large splits are to be, in compressed bytes; None for one a worker."""
        return None if self.is_local else _SPLIT_BYTES

    def at_launcher(self) -> Engine:
        """Return an engine for what is not worth a cluster's start, such as listing."""
        return Engine(self._flags if self.is_local else [], workers=self._given_workers)

    @contextmanager
    def worker_processes(self, nbytes: int) -> Iterator[None]:
        """Run what is run in the block by worker processes, where there are so many workers that it pays.

        Args:
            nbytes: How much is read, in compressed bytes.
        """
        number = self._count_processes(nbytes)
        if not number:
            yield
            return
        self._processes = WorkerProcesses(number)
        try:
            yield
        finally:
            self._processes.close()
            self._processes = None

    def _count_processes(self, nbytes: int) -> int:
        if not self.is_local or self._running_mode == "multi_threading":
            return 0
        if self._running_mode == "multi_processing":
            return self.workers
        number = min(-(-self.workers // _THREADS), nbytes // _PROCESS_BYTES)
        return number if number > 1 else 0

    def run(self, build: Callable[[beam.Pipeline], object], *, name: str) -> None:
        """Run the pipeline that `build` composes, to its end.

        A cluster that fails for no reason of the pipeline's gets it again, and so do worker processes that die.

        Args:
            build: Composes the pipeline, which can be run again whatever became of it.
            name: What the cluster shows it as.

        Raises:
            RekindleError: it failed; of the class that a worker raised, where the runner hands that on.
            CanceledError: it was canceled.
        """
        for attempt in range(1, _TRIES + 1):
            before = len(self._losses())
            try:
                self._wait(self._submit(build, name))
            except RunnerError as error:
                lost = self._losses(patience=_LOSS_SECONDS)[before:]  # another pipeline may have seen it first
                failure = RunnerError(", ".join(lost)) if lost else error
                is_last = (self.is_local and not lost) or attempt == _TRIES
                if not is_last and not self._canceled.is_set():
                    self._message(f"The runner failed; pipeline {name} is run again: {failure}")
                    self._canceled.wait(0 if self.is_local else attempt * _PAUSE_SECONDS)
                if self._canceled.is_set():
                    raise CanceledError("the pipeline was canceled") from error
                if is_last:
                    raise failure from error
            else:
                return

    def _losses(self, *, patience: float = 0.0) -> list[str]:
        """Return how worker processes have ended, all of which are replaced."""
        if self._processes is None:
            return []
        self._processes.replace_lost(patience=patience)
        return list(self._processes.losses)

    def close(self) -> None:
        """Stop the job server, if Beam has started one; what it runs ends with it. Worker processes have ended."""
        while self._servers:
            self._servers.pop().stop()

    def _with_one_server(self, runner: PipelineRunner) -> PipelineRunner:
        """Return a runner whose pipelines share a job server; Beam's Flink runner starts a JVM for each."""
        start: Callable[[PipelineOptions], Any] | None = getattr(runner, "default_job_server", None)

        def default_job_server(options: PipelineOptions) -> Any:  # job_server.JobServer
            assert start is not None
            if not self._servers:
                self._servers.append(start(options))
            return self._servers[0]

        if start is not None:
            runner.default_job_server = default_job_server
        return runner

    def _options(self, name: str | None = None) -> PipelineOptions:
        """Return the options anew: Beam changes them while a pipeline runs."""
        options = parse(self._flags)
        if options.view_as(StandardOptions).runner in _LOCAL:
            direct = options.view_as(DirectOptions)
            direct.direct_running_mode = "in_memory"  # processes are our own, see `worker_processes`
            is_given = any(flag.startswith("--direct_num_workers") for flag in self._flags)
            if not is_given or not direct.direct_num_workers:  # 0 is Beam's word for all cores
                direct.direct_num_workers = self._given_workers or usable_cores()
        cloud = options.view_as(GoogleCloudOptions)
        cloud.job_name = "-".join(filter(None, (cloud.job_name, name))) or None
        return options

    def _submit(self, build: Callable[[beam.Pipeline], object], name: str) -> PipelineResult:
        options = self._options(name)
        if not self.is_local:
            check_reachable(options)
        before = signal.getsignal(signal.SIGINT)
        try:
            pipeline = beam.Pipeline(runner=self._cluster or self._local_runner(), options=options)
            build(pipeline)
            return pipeline.run()
        except Exception as error:
            raise translate(error) from error
        finally:
            if threading.current_thread() is threading.main_thread():
                # a job server's own handler would stop it, and with it a pipeline that can end well
                signal.signal(signal.SIGINT, before)

    def _local_runner(self) -> FnApiRunner:
        return FnApiRunner() if self._processes is None else self._processes.runner()

    def _wait(self, result: PipelineResult) -> None:
        try:
            state = result.wait_until_finish() if self.is_local else self._wait_for_cluster(result)
        except Exception as error:
            raise translate(error) from error
        except BaseException:
            if not self.is_local:
                result.cancel()
            raise
        if state not in (None, PipelineState.DONE):
            raise RunnerError(f"the runner ended the pipeline as {state}")

    def _wait_for_cluster(self, result: PipelineResult) -> str | None:
        """Wait for the end; where the pipeline is canceled and does not end by itself, have the cluster cancel it."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(1):
                if self._canceled.is_set():
                    if not over.wait(_CANCEL_SECONDS):
                        result.cancel()
                    return

        threading.Thread(target=watch, name="rekindle-cancel", daemon=True).start()
        try:
            state: str | None = result.wait_until_finish()
            return state
        finally:
            over.set()


def _create(name: str) -> PipelineRunner:
    try:
        return create_runner(name)
    except (ValueError, ImportError, AttributeError) as error:
        raise ConfigurationError(f"--runner={name} (after --): {error}") from error
