"""Sample what the threads of this process do: CPU time by step, and the time in which cores had nothing to do.

The kernel knows for each thread how long it ran, and whether it could run now. So idle cores can be told on a busy
machine too: an interval is taken to be as long as it would have been on a quiet one.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

SECONDS = 0.01
_TASKS = Path("/proc/self/task")
_NANO = 1e9

STEPS: tuple[tuple[str, str], ...] = (
    ("transforms/codecs/", "decode"),
    ("transforms/storage/", "read"),
    ("transforms/formats/lines", "frame"),
    ("transforms/formats/chunks", "frame"),
    ("transforms/formats/encoding", "frame"),
    ("transforms/formats/transcoding", "frame"),
    ("transforms/formats/partial_lines", "frame"),
    ("transforms/formats/", "parse"),
    ("transforms/timestamps/", "times"),
    ("transforms/objects/inherited_times/", "times"),
    ("transforms/event_pipelines/", "apply"),
    ("transforms/processors/", "apply"),
    ("transforms/objects/event_columns", "ids"),
    ("transforms/objects/event_shaping", "apply"),
    ("transforms/objects/event_tally", "apply"),
    ("transforms/objects/joined/", "apply"),
    ("transforms/hot_tier/data/data_file", "Parquet"),
    ("transforms/hot_tier/data/", "lay out"),
    ("transforms/hot_tier/ledger/", "publish"),
    ("transforms/hot_tier/table/", "publish"),
)
"""Whose code a step is, by the path of the innermost function that is named here."""
WORK = ("decode", "frame", "parse", "ids", "times", "apply", "lay out", "Parquet")
NAMES = (*WORK, "read", "publish", "Beam", "launcher", "imports")

_PHASES: tuple[tuple[str, str], ...] = (
    ("publish_wave", "publishing a wave"),
    ("make_plan", "discovery and plan"),
    ("promote_sampled", "sampling"),
    ("prepare", "the table's creation"),
    ("_process", "starting and ending a wave's pipeline"),
    ("run_job", "the job's start and end"),
)
"""What a job does while no worker reads or writes, by a function on the stack of some thread."""


class StepSampler:
    """Samples until it is stopped.

    Attributes:
        cpu: Seconds of CPU by step.
        idle: Seconds of idle cores by cause.
        seconds: How long it would have taken on a quiet machine.
    """

    def __init__(self, cores: int) -> None:
        """Take what the process has used so far as its start, on one core."""
        before = sum(os.times()[:2])
        self.cores = cores
        self.cpu: defaultdict[str, float] = defaultdict(float, {"imports": before})
        self.idle: defaultdict[str, float] = defaultdict(float, {"imports": before * (cores - 1)})
        self.seconds = before
        self._last: dict[int, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="sampler", daemon=True)

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> None:
        """Take the last sample."""
        self._ended.set()
        self._thread.join()

    def result(self) -> dict[str, object]:
        """Return what was found, as JSON takes it."""
        return {"cpu": dict(self.cpu), "idle": dict(self.idle), "seconds": self.seconds}

    def _loop(self) -> None:
        self._last = {thread: ran for thread, ran, _ in self._threads()}
        then = time.monotonic()
        while not self._ended.wait(SECONDS):
            now = time.monotonic()
            self._sample(now - then)
            then = now

    def _threads(self) -> Iterator[tuple[int, float, bool]]:
        """Yield the other threads: the seconds that each ran, and whether it could run now."""
        own = threading.get_native_id()
        for name in os.listdir(_TASKS):
            try:
                ran = int((_TASKS / name / "schedstat").read_text().split()[0]) / _NANO
                state = (_TASKS / name / "stat").read_text().rpartition(") ")[2][0]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(name) != own:
                yield int(name), ran, state == "R"

    def _sample(self, elapsed: float) -> None:
        stacks, threads = self._stacks(), list(self._threads())
        steps = {thread: step_of(stack) for thread, stack in stacks.items()}
        ran = {thread: total - self._last.get(thread, 0.0) for thread, total, _ in threads}
        self._last = {thread: total for thread, total, _ in threads}
        self._attribute(ran, steps, elapsed)
        used, runnable = sum(ran.values()), sum(could for _, _, could in threads)
        parallel = min(self.cores, max(1, runnable))
        quiet = used / parallel if runnable else max(elapsed, used)
        self.seconds += quiet
        idle = quiet * self.cores - used
        if idle > 0:
            self.idle[self._cause(list(steps.values()), list(stacks.values()))] += idle

    def _stacks(self) -> dict[int | None, list[tuple[str, str]]]:
        """Return the stacks of all other threads; no frame is kept, or with it what a function had in memory."""
        frames = sys._current_frames()
        return {
            thread.native_id: list(_stack(frames.pop(thread.ident)))
            for thread in threading.enumerate()
            if thread.ident in frames and thread is not self._thread
        }

    def _attribute(self, ran: dict[int, float], steps: dict[int | None, str], elapsed: float) -> None:
        """Give each thread's time to its step; that of a library's own threads to who waits for them."""
        for thread, seconds in ran.items():
            if thread in steps:
                self.cpu[steps[thread]] += seconds
                continue
            waiting = [step for one, step in steps.items() if step in WORK and ran.get(one or 0, 0.0) < elapsed / 4]
            for step in waiting or ["Beam"]:
                self.cpu[step] += seconds / max(1, len(waiting))

    def _cause(self, steps: list[str], stacks: list[list[tuple[str, str]]]) -> str:
        at_work = sum(step in WORK or step == "read" for step in steps)
        if at_work:
            return "waiting among workers" if at_work >= self.cores else "fewer splits than cores"
        functions = {name for stack in stacks for _, name in stack}
        if any(file.startswith("<frozen importlib") for stack in stacks for file, _ in stack):
            return "imports"
        return next((phase for name, phase in _PHASES if name in functions), "the process's start and end")


def step_of(stack: list[tuple[str, str]]) -> str:
    """Return the step that a stack is in, by its innermost function that belongs to one."""
    for file, _ in stack:
        if file.startswith("<frozen importlib"):
            return "imports"
        for part, step in STEPS:
            if part in file:
                return step
        if "/apache_beam/" in file or "/grpc/" in file:
            return "Beam"
    return "launcher"


def _stack(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    """Yield the file and name of each function, the innermost first."""
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_code.co_name
        frame = frame.f_back
