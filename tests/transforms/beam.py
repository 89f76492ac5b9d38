"""PTransforms run as the product runs them: on Beam's in-process runner, which can try every bundle again."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.test_pipeline import TestPipeline

MAIN = "main"


@dataclass(frozen=True)
class Given:
    """What a PTransform is given: elements, of the type by which the product's pipelines declare them."""

    kind: type
    elements: Sequence[Any] = ()


@dataclass(frozen=True)
class Ran:
    """What a pipeline of one PTransform came to.

    Attributes:
        outputs: The elements of each output by its tag, `main` where there is but one.
        kinds: The element types that the outputs declare.
        counters: The counters of the namespace `rekindle`.
        labels: The PTransform's own steps, as metrics and errors name them.
    """

    outputs: dict[str, list[Any]]
    kinds: dict[str, Any]
    counters: dict[str, int]
    labels: list[str]

    @property
    def main(self) -> list[Any]:
        return self.outputs[MAIN]


def run(transform: beam.PTransform, given: Given | Mapping[str, Given], *, again: int = 0, workers: int = 1) -> Ran:
    """Run one PTransform to its end.

    Args:
        transform: What to run; it is labelled with the name of its class, as in the product's pipelines.
        given: Its input, or its inputs by their names.
        again: How many times every bundle is tried before it counts: all that is done is done, and what came out of it
            is dropped, as where a worker is lost at the end of a bundle.
        workers: How many bundles an input is cut into, at most.

    Raises:
        Exception: what a worker raised, with Beam's note of the step at the end of the message.
    """
    options = PipelineOptions(["--direct_num_workers", str(workers)])
    pipeline = TestPipeline(runner=FnApiRunner(bundle_repeat=again), options=options)
    inputs = given if isinstance(given, Mapping) else {"Given": given}
    created = {
        name: pipeline
        | f"Create {name}" >> beam.Create(list(one.elements), reshuffle=False).with_output_types(one.kind)
        for name, one in inputs.items()
    }
    name = type(transform).__name__
    made = (created if isinstance(given, Mapping) else created["Given"]) | name >> transform
    outputs = (
        {MAIN: made}
        if isinstance(made, beam.PCollection)
        else {tag: made[tag] for tag in (made._main_tag, *made._tags)}
    )
    with TemporaryDirectory() as folder:
        for tag, output in outputs.items():
            output | f"Keep {tag}" >> _Keep(str(Path(folder) / tag))
        result = pipeline.run(test_runner_api=False)
        found = {tag: _kept(Path(folder) / tag) for tag in outputs}
    counters = result.metrics().query(MetricsFilter().with_namespace("rekindle"))["counters"]
    kinds = {tag: output.element_type for tag, output in outputs.items()}
    return Ran(found, kinds, {one.key.metric.name: one.committed for one in counters}, _steps(pipeline, name))


@dataclass
class _Keep(beam.PTransform):
    """Keep an output where the test finds it.

    It stands behind a shuffle, because only there the bundles that were tried again are left out. Beam's own
    `assert_that` takes the same way, in three times as many steps, each of which costs 10 ms.
    """

    path: str

    def expand(self, output: beam.PCollection[Any]) -> beam.PCollection[None]:
        keyed = output | beam.Map(_with_one_key).with_output_types(tuple[int, output.element_type])
        return keyed | beam.GroupByKey() | beam.Map(partial(_keep, self.path))


def _with_one_key(element: Any) -> tuple[int, Any]:
    return 0, element


def _keep(path: str, grouped: tuple[int, Iterable[Any]]) -> None:
    Path(path).write_bytes(pickle.dumps(list(grouped[1])))


def _kept(path: Path) -> list[Any]:
    return pickle.loads(path.read_bytes()) if path.exists() else []


def _steps(pipeline: beam.Pipeline, name: str) -> list[str]:
    steps: list[str] = []

    class Visitor(PipelineVisitor):
        def enter_composite_transform(self, node: AppliedPTransform) -> None:
            self.visit_transform(node)

        def visit_transform(self, node: AppliedPTransform) -> None:
            if node.full_label.startswith(f"{name}/") and node.full_label.count("/") == 1:
                steps.append(node.full_label)

    pipeline.visit(Visitor())
    return steps
