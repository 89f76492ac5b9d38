"""The calls of HEC: what they answer, and what comes into the hot tier."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest
from deltalake import DeltaTable

from service.api.hec import routes
from service.hec.bodies import INLINE_BYTES
from tests.service.hec.conftest import CHANNEL, Hec
from transforms.core.names import ATTRIBUTES_COLUMN, PARTITION_COLUMNS, SYSTEM_NAMES


@pytest.mark.parametrize(
    "path", ["", "/", "/event", "/event/", "/event/1.0", "/raw", "/raw/1.0"], ids=lambda path: path or "collector"
)
def test_events_are_taken_by_each_call(shared: Hec, path: str) -> None:
    for base in ("", "/"):
        assert shared.api.client.options(f"http://127.0.0.1:8080{base}/services/collector{path}").status_code == 200
    response = shared.post(path)
    assert (response.status_code, response.text) == (200, '{"text":"Success","code":0}')


BODIES: dict[str, tuple[str, str | bytes, list[dict[str, Any]]]] = {
    "one": ("", '{"event":"a"}', [{"_message": "a"}]),
    "run together": ("", '{"event":"a"}{"event":"b"}', [{"_message": "a"}, {"_message": "b"}]),
    "an array": ("", '[{"event":"a"}, {"event":"b"}]', [{"_message": "a"}, {"_message": "b"}]),
    "lines": ("", '{"event":"a"}\n\n{"event":"b"}\n', [{"_message": "a"}, {"_message": "b"}]),
    "over lines": ("", '{\n "event": "a"\n}\n{"event":\n"b"}', [{"_message": "a"}, {"_message": "b"}]),
    "an object": ("", '{"event":{"n":1.10}}', [{"_message": '{"n":1.10}'}]),
    "a byte order mark": ("", b'\xef\xbb\xbf{"event":"a"}', [{"_message": "a"}]),
    "empty fields": ("", '{"event":"a","fields":{}}', [{"_message": "a"}]),
    "fields": (
        "",
        '{"event":"a","host":"h","fields":{"x":["1","2"],"n":3}}',
        [{"_message": "a", "host": "h", "x": '["1","2"]', "n": "3"}],
    ),
    "the query's metadata": (
        "/event?host=q&index=i",
        '{"event":"a","host":"own"}{"event":"b"}',
        [{"_message": "a", "host": "own", "index": "i"}, {"_message": "b", "host": "q", "index": "i"}],
    ),
    "raw in UTF-16": ("/raw", "one\ntwo".encode("utf-16"), [{"_message": "one"}, {"_message": "two"}]),
    "bad bytes": ("", b'{"event":"a\xff"}', [{"_message": "a\ufffd"}]),
    "raw": (
        "/raw?sourcetype=s&source=o&host=h&index=i&fields=%7B%22k%22:%22v%22%7D",
        "one\n\ntwo",
        [
            {"_message": "one", "sourcetype": "s", "source": "o", "host": "h", "index": "i", "k": "v"},
            {"_message": "two", "sourcetype": "s", "source": "o", "host": "h", "index": "i", "k": "v"},
        ],
    ),
}


@pytest.mark.parametrize(("path", "body", "expected"), BODIES.values(), ids=BODIES)
def test_bodies_become_events(shared: Hec, path: str, body: str | bytes, expected: list[dict[str, Any]]) -> None:
    shared.commit()
    before = shared.wal.committed
    assert shared.post(path, body).status_code == 200
    shared.commit()
    shown = {"_message", "host", "source", "sourcetype", "index", "x", "n", "k"}
    default = {} if path.startswith("/raw") else {"sourcetype": "httpevent"}
    found = [{name: value for name, value in row.items() if name in shown} for row in shared.events()[before:]]
    assert found == [{**default, **row} for row in expected]


def test_the_kind_of_the_content_does_not_matter(hec: Hec) -> None:
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""):
        assert hec.post(headers={"Content-Type": kind}).status_code == 200
    assert hec.post(content=gzip.compress(b'{"event":"a"}'), headers={"Content-Encoding": "gzip"}).status_code == 200
    hec.commit()
    assert [row["_message"] for row in hec.events()] == ["a"] * 5


def test_events_are_the_keys_and_have_ids_of_their_own(hec: Hec) -> None:
    hec.post(content='{"event":"a","time":1437522387.25}{"event":"b","time":"2015-07-21T23:46:27Z"}')
    hec.post(content='{"event":"2020-01-02 03:04:05 c"}')
    hec.commit()
    rows = hec.events()
    instance = hec.wal.folder.instance
    assert {row["_receiver"] for row in rows} == {"http.hec"}
    assert {(row["_env"], row["_team"]) for row in rows} == {("prod", "core")}
    assert {row["_object"] for row in rows} == {f"hec://{instance}"}
    assert [row["_event_id"].rpartition("-")[2] for row in rows] == ["1", "2", "3"]
    assert [(f"{row['_time']:%Y-%m-%d %H:%M:%S.%f}", row["_time_source"]) for row in rows] == [
        ("2015-07-21 23:46:27.250000", "record"),
        ("2015-07-21 23:46:27.000000", "record"),
        ("2020-01-02 03:04:05.000000", "detected"),
    ]
    assert all("filename" not in row for row in rows)


def test_an_event_without_a_time_has_that_of_its_receipt(hec: Hec) -> None:
    hec.post(content='{"event":"old","time":1437522387}{"event":"new"}')
    hec.commit()
    old, new = hec.events()
    assert (new["_time"], new["_time_source"]) == (new["_observed_at"], "received")
    assert old["_time"] < new["_time"]


def test_lines_have_the_time_of_the_line_before_in_the_same_request(hec: Hec) -> None:
    hec.post("/raw", "2020-01-02 03:04:05 failed\n  at foo")
    hec.post("/raw", "  at bar")
    hec.commit()
    rows = hec.events()
    assert [row["_time_source"] for row in rows] == ["detected", "inherited", "received"]
    assert rows[1]["_time"] == rows[0]["_time"]


def test_fields_of_the_query_are_attributes_and_no_system_columns(hec: Hec) -> None:
    names = (*SYSTEM_NAMES, *PARTITION_COLUMNS, ATTRIBUTES_COLUMN)
    fields = json.dumps(dict.fromkeys(names, "forged"))
    assert hec.post("/event", params={"fields": fields}).status_code == 200
    hec.commit()
    (row,) = DeltaTable(str(hec.tier / "events")).to_pyarrow_table().to_pylist()
    assert dict(row.pop("attributes")) == dict.fromkeys(names, "forged")
    assert "forged" not in row.values()
    assert (row["_receiver"], row["_env"], row["_error"]) == ("http.hec", "prod", None)


def test_a_long_list_of_acks_is_not_read_on_the_event_loop(hec: Hec, monkeypatch: pytest.MonkeyPatch) -> None:
    on_loop: list[bool] = []
    numbers_of = routes._numbers

    def numbers(body: bytes) -> list[int]:
        on_loop.append(asyncio._get_running_loop() is not None)
        return numbers_of(body)

    monkeypatch.setattr(routes, "_numbers", numbers)
    for count in (1, INLINE_BYTES):
        answer = hec.post(f"/ack?channel={CHANNEL}", json.dumps({"acks": list(range(count))}))
        assert len(answer.json()["acks"]) == count
    assert on_loop == [True, False]
