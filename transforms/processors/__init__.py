"""Processors: what a pipeline does to events.

A new one is a class here, a row in this table, and a row in the tests' table.
"""

from transforms.processors.arithmetic import Arithmetic
from transforms.processors.attributes import Map, Message, Remove, Set
from transforms.processors.drop import Drop, SampleByHash
from transforms.processors.grok import Grok
from transforms.processors.processor import Processor
from transforms.processors.redact import Redact
from transforms.processors.regex import Regex
from transforms.processors.structured import Json, KeyValue
from transforms.processors.timestamp import Timestamp

PROCESSORS: dict[str, type[Processor]] = {
    processor.name: processor
    for processor in (
        Regex,
        Grok,
        Map,
        Set,
        Remove,
        Arithmetic,
        Timestamp,
        Message,
        Redact,
        Json,
        KeyValue,
        Drop,
        SampleByHash,
    )
}
"""Name in the pipelines file -> processor."""

__all__ = ["PROCESSORS", "Processor"]
