"""Processors: what a pipeline does to events. A new one is a file here, a row in this table, and a row in the tests' table."""

from transforms.processors.pipeline import Pipeline, apply_pipelines, outputs
from transforms.processors.processor import Processor
from transforms.processors.regex import Regex
from transforms.processors.timestamp import Timestamp

PROCESSORS: dict[str, type[Processor]] = {
    "regex": Regex,
    "timestamp": Timestamp,
}
"""Name in the pipelines file -> processor."""

__all__ = ["PROCESSORS", "Pipeline", "Processor", "apply_pipelines", "outputs"]
