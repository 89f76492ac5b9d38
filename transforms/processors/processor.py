"""What a processor is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from transforms.arrow import Flags
from transforms.processors.kernels.events import Events
from transforms.processors.parameters import Parameters
from transforms.query import Expr


class Processor(ABC):
    """One step of a pipeline: a column operation on events of one object. Frozen, picklable, linear in time."""

    name: ClassVar[str]
    """What it is called in a pipelines file."""

    when: Expr | None = None
    """The condition on which it runs; None is all events of its pipeline."""

    @classmethod
    @abstractmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Make the processor from a file's parameters; mistakes are noted in them, and the file is then refused."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the attributes that it may write, as far as they are known before it runs."""
        return ()

    @abstractmethod
    def apply(self, events: Events) -> Flags | None:
        """Change the events that have what it needs.

        Returns:
            Which events it failed on, and left as they were; None if it failed on none. An event without the source is
            none of them: there is nothing to do for it.
        """

    def going_on(self, events: Events, failed: Flags | None) -> Flags | None:
        """Return for which of the events the pipeline goes on behind this step; None is all.

        Args:
            events: What it was applied to.
            failed: What `apply` returned.
        """
        del events, failed
        return None
