"""What deploy/ and the Dockerfile name exists: flags, routes, ports, files; and systemd takes the unit."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.cli.commands import serve
from service.operation.metrics import Metrics
from service.server import _GRACE_SECONDS
from tests.service.test_access import PUBLIC, ROUTES

ROOT = Path(__file__).resolve().parent.parent
UNIT = ROOT / "deploy" / "systemd" / "rekindle.service"
MANIFESTS = {
    document["kind"]: document
    for document in yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "rekindle.yaml").read_text())
}
POD = MANIFESTS["Deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
PATHS = {path for _, path in PUBLIC | ROUTES.keys()}


def unit_command() -> list[str]:
    found = re.search(r"^ExecStart=(.*)$", UNIT.read_text(), re.MULTILINE)
    assert found
    return shlex.split(found[1])


def image_command(name: str) -> list[str]:
    service = (ROOT / "Dockerfile").read_text().split("AS service")[1].split("FROM ")[0]
    found = re.search(rf"^{name} (\[.*\])$", service, re.MULTILINE)
    assert found
    command: list[str] = json.loads(found[1])
    return command


@pytest.mark.parametrize(
    "arguments",
    [unit_command()[1:], CONTAINER["args"], image_command("CMD")],
    ids=["systemd", "kubernetes", "image"],
)
def test_the_flags_are_those_of_serve(arguments: list[str]) -> None:
    assert arguments[0] == "serve"
    with serve.serve.make_context("serve", arguments[1:]) as context:
        flags: dict[str, Any] = context.params
    serve._check((), flags["trusted_proxy"], flags["daily"])
    assert flags["port"] == 8080


def test_the_manifests_fit_together() -> None:
    assert MANIFESTS.keys() == {"ServiceAccount", "Deployment", "Service", "PodDisruptionBudget"}
    labels = POD["metadata"]["labels"]
    for selector in (
        MANIFESTS["Deployment"]["spec"]["selector"]["matchLabels"],
        MANIFESTS["Service"]["spec"]["selector"],
        MANIFESTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    assert POD["spec"]["serviceAccountName"] == MANIFESTS["ServiceAccount"]["metadata"]["name"]
    (port,) = CONTAINER["ports"]
    assert f"--port={port['containerPort']}" in CONTAINER["args"]
    assert MANIFESTS["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = CONTAINER[probe]["httpGet"]
        assert ("GET", asked["path"]) in PUBLIC
        assert asked["port"] == port["name"]
    assert POD["spec"]["terminationGracePeriodSeconds"] >= 5 + 2 * _GRACE_SECONDS + 10
    volumes = {volume["name"] for volume in POD["spec"]["volumes"]}
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} <= volumes


def test_prometheus_asks_what_is_there() -> None:
    (scrape,) = yaml.safe_load((ROOT / "deploy" / "prometheus.yaml").read_text())["scrape_configs"]
    assert scrape["metrics_path"] in PATHS
    assert scrape["authorization"].keys() == {"credentials_file"}


def test_the_documented_metrics_are_there() -> None:
    text = (ROOT / "docs" / "service.md").read_text()
    named = set(re.findall(r"`(rekindle_\w+)`", text))
    of_tier = set(re.findall(r'"(rekindle_\w+)"', (ROOT / "service" / "operation" / "tier_state.py").read_text()))
    of_tier |= {f"rekindle_table_{name}" for name in ("events", "files", "bytes")}
    families = {family.name: family.type for family in Metrics().registry.collect()}
    process = {f"{name}_total" if kind == "counter" else name for name, kind in families.items()}
    assert named == {name for name in process | of_tier if name.startswith("rekindle_")}


def test_the_images_copy_what_is_not_left_out() -> None:
    text = (ROOT / "Dockerfile").read_text()
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")]
    copied = [name for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE) for name in line.split()]
    assert copied
    for name in copied:
        assert (ROOT / name).exists()
        assert any(fnmatch.fnmatch(name, pattern) for pattern in kept), name
    beam = re.search(r"^ARG BEAM_VERSION=(.*)$", text, re.MULTILINE)
    assert beam
    assert f"apache-beam=={beam[1]}" in (ROOT / "constraints.txt").read_text()
    assert image_command("ENTRYPOINT") == ["rekindle"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / "rekindle.service"
    copy.write_text(UNIT.read_text().replace(unit_command()[0], sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    about = [line for line in (done.stdout + done.stderr).splitlines() if "rekindle" in line]
    assert about == []
