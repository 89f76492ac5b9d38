"""The description of the API holds: Schemathesis calls each route as described, and otherwise.

Nothing answers with a 5xx, with a status that is not described, or with a body that is not as described. A route that
is new is called too; what a call needs so that it is more than refused stands in `api`.
"""

from __future__ import annotations

import os
import re
import resource
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.access.limits import RateLimit
from service.api.state import Service
from service.app import create_app
from service.settings import ServiceSettings
from tests.conftest import S3, THOROUGH
from tests.service.conftest import Api, make_api
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.storage import StorageOptions, open_tier

EXAMPLES = 300 if THOROUGH else 12
OWN_PROCESS = ("POST /deletions", "POST /restores")
"""Each of these calls starts a process: a fourth of the examples."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
_BLANK = create_app(
    Service(settings=ServiceSettings(hot_tier=os.devnull), tier=open_tier(os.devnull + "-none", StorageOptions()))
)
CALLS = [
    f"{method.upper()} {path}" for path, methods in sorted(_BLANK.openapi()["paths"].items()) for method in methods
]


@pytest.fixture
def api(tmp_path: Path, s3: S3) -> Api:
    """A service with a few events, whose sources are in a real S3."""
    Tier(open_tier(str(tmp_path / "hot"), StorageOptions())).add(
        [event(f"2025-01-01T00:00:0{second}", f"message {second}", host="web", status="404") for second in range(5)]
    )
    made = make_api(tmp_path, source_options=s3.options)
    made.service.calls = RateLimit(burst=1_000_000, a_second=1_000_000)
    return made


@pytest.mark.parametrize("call", CALLS)
def test_it_answers_as_described(api: Api, call: str) -> None:
    method, path = call.split(" ")
    app = api.client.app
    token = api.key("admin")
    schema = schemathesis.openapi.from_dict(app.openapi())  # type: ignore[attr-defined]
    operation = schema[path][method]
    modes: Any = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))

    @given(case=cases)
    @settings(
        max_examples=EXAMPLES // 4 if call in OWN_PROCESS else EXAMPLES,
        derandomize=not THOROUGH,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answers(case: Any) -> None:
        request = case.as_transport_kwargs(base_url="http://127.0.0.1:8080")
        sent = api.client.build_request(**_as_sent(request, token))
        sent.read()
        answer = api.client.send(sent)
        case.validate_response(answer, checks=CHECKS)

    answers()


def _as_sent(request: dict[str, Any], token: str) -> dict[str, Any]:
    """Return a call as the client takes it, with a key."""
    headers = {name: value for name, value in request.pop("headers", {}).items() if _is_header(name, value)}
    request.pop("cookies", None)
    if request.get("files"):
        request["files"] = [(name, _as_file(file)) for name, file in _pairs(request["files"])]
    if "data" in request and isinstance(request["data"], (bytes, str)):
        request["content"] = request.pop("data")
    return {**request, "headers": headers | {"Authorization": f"Bearer {token}"}}


def _pairs(files: Any) -> list[tuple[str, Any]]:
    return list(files.items() if isinstance(files, dict) else files)


def _as_file(file: Any) -> Any:
    """Return a part of a form as the client takes it: what is no text stands there as its text."""
    if isinstance(file, tuple):
        name, content, *more = file
        return (name, _as_file(content), *more)
    return file if isinstance(file, bytes) else str(file).encode(errors="replace")


def _is_header(name: str, value: object) -> bool:
    return name.lower() not in ("authorization", "transfer-encoding", "content-length") and str(value).isascii()


def test_the_openapi_names_all_that_is_refused(api: Api) -> None:
    document = api.ask("GET", "/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"].keys()
            assert {"400", "500", "503"} <= answers, (method, path)
            assert not {"405", "422"} & answers, (method, path)
            assert ("security" in operation) == ("401" in answers), (method, path)


def test_no_other_method_is_taken(api: Api) -> None:
    """400 as for all that is wrong about a call, with the methods that are allowed."""
    token = api.key("admin")
    for path, methods in api.client.app.openapi()["paths"].items():  # type: ignore[attr-defined]
        address = re.sub(r"\{\w+\}", quote("none"), path)
        for method in {"DELETE", "PATCH", "TRACE", "PROPFIND"} - {one.upper() for one in methods}:
            answer = api.ask(method, address, token=token)
            assert answer.status_code in (400, 404), (method, path, answer.text)
            assert answer.json()["error"].keys() == {"field", "message"}
            if answer.status_code == 400:
                assert answer.headers["Allow"], (method, path)


def test_a_compressed_bomb_is_refused_unread(api: Api) -> None:
    """A quarter of a GiB of zeros: each call with a body refuses it, and none unpacks it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
    token = api.key("admin")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    called = 0
    for path, methods in api.client.app.openapi()["paths"].items():  # type: ignore[attr-defined]
        for method, operation in methods.items():
            if "requestBody" in operation:
                called += 1
                address = re.sub(r"\{\w+\}", "none", path)
                for kind in ("application/json", "application/octet-stream"):
                    headers = {"Content-Encoding": "gzip", "Content-Type": kind}
                    answer = api.ask(method, address, token=token, content=bomb, headers=headers)
                    assert 400 <= answer.status_code < 500, (method, path, answer.text)
    assert called
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10 < 128
