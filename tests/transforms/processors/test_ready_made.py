"""Each ready-made pipeline, on the events that ship beside it: what it makes of them stands there too."""

from __future__ import annotations

from datetime import datetime, timezone
from importlib.resources import files
from typing import Any

import pyarrow as pa
import pytest
import yaml

from transforms.event_pipelines import PipelineCounts, apply_pipelines
from transforms.event_pipelines.definition import load_pipelines, load_ready_made
from transforms.event_pipelines.ready_made import ready_made_names

NOW = datetime(2025, 11, 21, 12, tzinfo=timezone.utc)
LIBRARY = files("transforms.event_pipelines.library")
NAMES = [
    "access_combined",
    "aws_alb",
    "aws_cloudfront",
    "aws_cloudtrail",
    "aws_s3_access",
    "aws_vpcflow",
    "cef",
    "docker_json",
    "fluentd_file",
    "gcs_usage",
    "haproxy",
    "iis",
    "kubernetes",
    "leef",
    "logfmt",
    "nginx_error",
    "postgresql",
    "postgresql_csv",
    "syslog",
    "waf",
    "windows_event_json",
]


def samples() -> list[Any]:
    return [
        pytest.param(name, sample, id=f"{name}-{at}")
        for name in NAMES
        for at, sample in enumerate(yaml.safe_load((LIBRARY / f"{name}.samples.yaml").read_text(encoding="utf-8")))
    ]


@pytest.mark.parametrize(("name", "sample"), samples())
def test_sample(name: str, sample: dict[str, Any]) -> None:
    before = {"_message": sample["message"], **sample.get("given", {})}
    types = [
        pa.dictionary(pa.int32(), pa.string()) if column in ("_format", "filename") else pa.string_view()
        for column in before
    ]
    arrays = [
        pa.array([value], pa.string()).dictionary_encode() if kind != pa.string_view() else pa.array([value], kind)
        for kind, value in zip(types, before.values(), strict=True)
    ]
    counts = PipelineCounts()
    pipelines = load_pipelines(f"include: [{name}]", source="p.yaml")
    batch = apply_pipelines(
        pa.RecordBatch.from_arrays(arrays, names=list(before)), pipelines, received=NOW, counts=counts
    )
    after = {column: value for column, value in batch.to_pylist()[0].items() if value is not None}
    time = sample.get("time")
    expected = {**before, **sample.get("attributes", {}), "_pipelines": sample.get("ran", name)}
    if time is not None:
        expected |= {"_time": time.replace(tzinfo=time.tzinfo or timezone.utc), "_time_source": "pipeline"}
    expected["_message"] = sample.get("text", sample["message"])
    assert after == {column: value for column, value in expected.items() if value is not None}
    assert sum(counts.failures.values()) == sample.get("failed", 0), counts


def test_the_library_is_as_documented() -> None:
    assert list(ready_made_names()) == NAMES
    for name in NAMES:
        (pipeline,) = load_ready_made(name)
        assert pipeline.name == name
        assert pipeline.description
        assert pipeline.when is not None


def test_all_go_together() -> None:
    pipelines = load_pipelines(f"include: [{', '.join(NAMES)}]\npipelines: []\n", source="p.yaml")
    assert [pipeline.name for pipeline in pipelines] == NAMES
