"""The processor `arithmetic`: numbers out of numbers (docs/pipelines.md)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import numpy as np
import polars as pl

from transforms.arrow import Flags
from transforms.arrow.arrays import as_series, as_view, is_present
from transforms.core.errors import ConfigurationError
from transforms.processors.kernels.computing import compute
from transforms.processors.kernels.events import Events
from transforms.processors.kernels.formula import Formula, Number, names_of, parse_formula
from transforms.processors.parameters import MESSAGE, Parameters, output_column, why_not_an_attribute
from transforms.processors.processor import Processor


@dataclass(frozen=True, slots=True)
class Arithmetic(Processor):
    """Compute an attribute.

    Attributes:
        output: The attribute.
        formula: What is computed.
        override: Whether it replaces a value that is there.
    """

    name: ClassVar[str] = "arithmetic"

    output: str
    formula: Formula
    override: bool

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `output`, `formula` and `override`."""
        parameters.allow("output", "formula", "override")
        output, text = parameters.output_name(), parameters.text("formula")
        formula: Formula = Number(Decimal(0))
        try:
            formula = parse_formula(text) if text else formula
        except ConfigurationError as error:
            parameters.problem("formula", str(error))
        names = list(names_of(formula))
        for name in names:
            if reason := why_not_an_attribute(name) or (
                f"{MESSAGE!r} is the event's text, no number" if name == MESSAGE else None
            ):
                parameters.problem("formula", reason)
        if not names and parameters.is_fine("formula"):
            parameters.problem("formula", f"{text!r} names no attribute; the processor set sets a constant")
        return cls(output, formula, parameters.flag("override"))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The attribute."""
        return (self.output,)

    def apply(self, events: Events) -> Flags | None:
        """Compute it for the events with all attributes of the formula.

        A value that is no number, or a division by zero, fails.
        """
        columns = {name: events.column(output_column(name)) for name in names_of(self.formula)}
        given = np.ones(len(events), np.bool_)
        for column in columns.values():
            if column is None:
                return None
            given &= is_present(column)
        if not self.override:
            given &= ~events.has(output_column(self.output))
        rows = np.flatnonzero(given)
        if not rows.size:
            return None
        found = compute(
            self.formula, {name: as_series(as_view(column)).gather(rows) for name, column in columns.items()}
        )
        result = (
            found
            if len(rows) == len(events)
            else pl.repeat(None, len(events), dtype=pl.String, eager=True).scatter(rows, found)
        )
        events.put(output_column(self.output), result)
        failed: Flags = given & result.is_null().to_numpy()
        return failed
