"""`rekindle serve` and `rekindle mcp`: which process they become, and what they report where they can't."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.cli import service_process
from service.settings import ServiceSettings
from tests.pipelines.conftest import Ended, rekindle

__all__ = ["rekindle"]
Rekindle = Callable[..., Ended]


def test_flags_are_the_settings_of_the_service(
    rekindle: Rekindle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(service_process, "_become", commands.append)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    flags = ("--hot-tier", "hot", "--port", "0", "--allow-dir", "logs", "--root-path", "logs/", "--log-format", "json")
    ended = rekindle("serve", *flags, "--job-workers", "3", "--endpoint-url", "http://s3", "--region", "eu-west-1")
    assert ended.code == 0, ended.err
    (command,) = commands
    assert command[1:3] == ["-m", "service"]
    settings = ServiceSettings.model_validate_json(command[3])
    assert settings.tier_options.endpoint_url == settings.source_options.endpoint_url == "http://s3"
    assert settings.source_options.region == "eu-west-1"
    assert (settings.hot_tier, settings.port, settings.job_workers, settings.log_format) == ("hot", 0, 3, "json")
    assert (settings.root_path, settings.allow_dirs) == ("/logs", (f"{tmp_path}/logs",))


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--tls-cert", "cert.pem"], 2, "--tls-cert and --tls-key go together"),
        (["--allow-dir", "nowhere"], 2, "--allow-dir nowhere: there is no such folder"),
        (["--port", "70000"], 2, "70000"),
        (["--log-format", "xml"], 2, "must be text or json"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else None,
)
def test_refused(
    rekindle: Rekindle, monkeypatch: pytest.MonkeyPatch, flags: list[str], code: int, message: str
) -> None:
    monkeypatch.setattr(service_process, "_become", lambda _: pytest.fail("it has started"))
    ended = rekindle("serve", *flags)
    assert (ended.code, message in ended.err) == (code, True), ended.err


@pytest.mark.parametrize(("command", "package"), [("serve", "uvicorn"), ("mcp", "mcp")])
def test_without_its_extra(rekindle: Rekindle, monkeypatch: pytest.MonkeyPatch, command: str, package: str) -> None:
    monkeypatch.setattr(service_process, "find_spec", lambda name: None if name == package else object())
    ended = rekindle(command)
    assert ended.code == 1
    assert f"the service needs {package}, which is not installed: pip install 'rekindle[service]'" in ended.err


def test_the_tools_for_models_are_the_service_too(rekindle: Rekindle, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(service_process, "_become", commands.append)
    assert rekindle("mcp", "--hot-tier", "hot", "--tier-endpoint-url", "http://s3").code == 0
    (command,) = commands
    assert command[1:4] == ["-m", "service", "mcp"]
    settings = ServiceSettings.model_validate_json(command[4])
    assert (settings.hot_tier, settings.tier_options.endpoint_url) == ("hot", "http://s3")
