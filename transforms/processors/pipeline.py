"""Pipelines, and how they run on a batch (spec §6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from transforms.processors.processor import Processor


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """An ordered list of processors with a name."""

    name: str
    steps: tuple[Processor, ...]
    description: str = ""
    enabled: bool = True


def apply_pipelines(
    batch: pa.RecordBatch, pipelines: Sequence[Pipeline], *, received: datetime, modified: datetime | None = None
) -> pa.RecordBatch:
    """Run all enabled pipelines in order; each sees what those before it made.

    Args:
        batch: Events of one object.
        pipelines: As `load_pipelines` gives them.
        received: When Rekindle read the object.
        modified: When it was last modified, for times without a year; that of receipt if None.

    Returns:
        As many events in the same order, with the attributes, `_time`, `_time_source` that the processors set, and `_pipelines`.
    """
    names = [pipeline.name for pipeline in pipelines if pipeline.enabled]
    if not names or not batch.num_rows:
        return batch
    for pipeline in pipelines:
        for step in pipeline.steps if pipeline.enabled else ():
            batch = step.apply(batch, modified=modified or received, received=received)
    ran = pa.DictionaryArray.from_arrays(pa.array(np.zeros(batch.num_rows, dtype=np.int32)), pa.array([",".join(names)]))
    at = batch.schema.get_field_index("_pipelines")
    return batch.append_column("_pipelines", ran) if at < 0 else batch.set_column(at, "_pipelines", ran)


def outputs(pipelines: Iterable[Pipeline]) -> list[str]:
    """Return the names of the attributes that enabled pipelines may write, each once, in their order."""
    steps = (step for pipeline in pipelines if pipeline.enabled for step in pipeline.steps)
    return list(dict.fromkeys(name for step in steps for name in step.outputs))
