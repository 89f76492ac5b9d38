"""The ready lines of a new key: in the forms that clients take, with the token that is theirs."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import yaml
from starlette.datastructures import URL

from service.pages.keys.ready import ready_lines
from tests.service.conftest import Api

MADE = {"role": "ingest", "token": "rk_secret"}
GUID = "11111111-2222-4333-8444-555555555555"


def lines_of(address: str = "http://127.0.0.1:8080/", **more: str) -> dict[str, str]:
    return dict(ready_lines(MADE | more, URL(address)))


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("ingest", ["An event, by curl", "Docker", "Fluent Bit", "Vector", "A job, by curl"]),
        ("read", ["A search, by curl"]),
        ("admin", ["An event, by curl", "Docker", "Fluent Bit", "Vector", "A job, by curl", "A search, by curl"]),
    ],
)
def test_a_role_has_the_lines_that_it_may_use(role: str, names: list[str]) -> None:
    assert list(lines_of(role=role)) == names


def test_clients_of_hec_get_the_guid() -> None:
    lines = lines_of("https://logs.example/", hecToken=GUID, role="admin")
    for name in ("An event, by curl", "Docker", "Fluent Bit", "Vector"):
        assert (GUID in lines[name], "rk_secret" in lines[name]) == (True, False)
    assert "rk_secret" in lines["A job, by curl"]
    assert lines["Fluent Bit"].split("\n") == [
        "[OUTPUT]",
        "    Name         splunk",
        "    Match        *",
        "    Host         logs.example",
        "    Port         443",
        f"    Splunk_Token {GUID}",
        "    TLS          On",
    ]
    assert yaml.safe_load(lines["Vector"]) == {
        "sinks": {
            "rekindle": {
                "type": "splunk_hec_logs",
                "inputs": ["*"],
                "endpoint": "https://logs.example",
                "default_token": GUID,
                "encoding": {"codec": "text"},
            }
        }
    }
    assert shlex.split(lines["Docker"].replace("\\\n", "")) == [
        *("docker", "run", "--log-driver", "splunk", "--log-opt", "splunk-url=https://logs.example"),
        *("--log-opt", f"splunk-token={GUID}", "IMAGE"),
    ]


def test_behind_a_path() -> None:
    lines = lines_of("https://example/logs/")
    assert "https://example/logs/services/collector/event" in lines["An event, by curl"]
    assert "splunk-url=https://example " in lines["Docker"]


def test_the_lines_of_curl_are_taken(api: Api) -> None:
    token = api.key("admin")

    def run(line: str) -> Any:
        words = shlex.split(line)
        headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
        address = next(word for word in words if word.startswith("http"))
        body = words[words.index("-d") + 1] if "-d" in words else None
        path = address.removeprefix("http://127.0.0.1:8080")
        return api.client.request("POST" if body else "GET", path, headers=headers, content=body)

    lines = lines_of(token=token, role="admin")
    assert run(lines["An event, by curl"]).json() == {"text": "Success", "code": 0}
    assert run(lines["A search, by curl"]).status_code in (200, 404)
    assert "Invalid token" not in run(lines["A job, by curl"]).text
