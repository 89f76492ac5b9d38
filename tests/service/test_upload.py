"""`POST /upload`: files become a job like others, whatever cuts the body; broken-off ones leave nothing."""

from __future__ import annotations

import gzip
import json
from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main as cli
from pipelines.jobs.queued.uploads import KEPT, remove_old_uploads
from pipelines.keys import list_keys
from service.api.uploads import receiving
from service.api.uploads.multipart import FormReader, PartHead
from service.errors import ApiError
from tests.service.conftest import Api, make_api
from tests.service.test_jobs import work_off
from transforms.storage.job_folder import JobFolder

LINES = b"2025-01-01 10:00:00 one\n2025-01-01 10:00:01 two\n"


def upload(api: Api, *files: tuple[str, bytes], token: str | None = None, **fields: str) -> str:
    """Upload files in a form, and return the job's id."""
    parts = [("file", (name, data)) for name, data in files]
    answer = api.ask("POST", "/upload", token=token, files=parts, data=fields)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"taskId"}
    task_id: str = answer.json()["taskId"]
    return task_id


def rows_of(api: Api) -> list[dict[str, Any]]:
    """Return the events, the oldest first."""
    api.service.engine.snapshots.refresh()
    answer = api.ask("GET", "/search?oldestFirst=true&limit=1000")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def kept(api: Api) -> list[str]:
    """Return which files of uploads lie in the tier, whole or not."""
    folder = Path(api.service.tier.uri) / "_rekindle"
    return [path.name for name in ("uploads", "tmp") for path in (folder / name).glob("*")]


def test_files_become_a_job(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    token, reader = api.key("ingest", env="prod", s3_pull={"index": "main", "host": "h"}), api.key("read")
    files = (("dir/app.log.gz", gzip.compress(LINES)), ("b.csv", b"time,status\n2025-01-01T09:00:00Z,404\n"))
    task_id = upload(api, *files, token=token, sourcetype="app", host="")
    assert kept(api)
    (row,) = api.ask("GET", "/jobs?search=app.log", token=token).json()["jobs"]
    assert (row["taskId"], row["job"]["bucket"], row["job"]["pattern"]) == (
        task_id,
        "upload://",
        ["dir/app.log.gz", "b.csv"],
    )
    work_off(api, monkeypatch)
    report = api.ask("GET", f"/jobs/{task_id}", token=token).json()
    assert (report["status"], report["events"], report["objects"]["ingested"]) == ("Succeeded", 3, 2)
    assert kept(api) == []
    rows = api.ask("GET", "/search?oldestFirst=true", token=reader).json()["rows"]
    (key,) = [key for key in list_keys(api.service.tier) if key.role == "ingest"]
    assert [(row["_object"], row["source"], row["filename"]) for row in rows] == [
        ("upload://b.csv", "b.csv", "b.csv"),
        *[("upload://dir/app.log.gz", "dir/app.log.gz", "dir/app.log.gz")] * 2,
    ]
    common = {"_receiver": "upload", "_correlation_id": task_id, "_iam_key_id": key.id, "_env": "prod"}
    given = {"index": "main", "host": "h", "sourcetype": "app"}
    assert all(row.items() >= (common | given).items() for row in rows)
    assert rows[0]["status"] == "404"
    assert len({row["_event_id"] for row in rows}) == 3


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/upload?name=x.log.gz&source=s", {}),
        ("/upload?name=x.log.gz&source=s", {"Content-Type": "application/x-www-form-urlencoded"}),
        ("/upload?source=s", {"Content-Disposition": 'attachment; filename="x.log.gz"'}),
        ("/upload?source=s", {"Content-Disposition": "attachment; filename=y; filename*=UTF-8''x.log%2Egz"}),
    ],
    ids=["query", "curl", "disposition", "extended"],
)
def test_the_body_is_a_file(api: Api, monkeypatch: pytest.MonkeyPatch, path: str, headers: dict[str, str]) -> None:
    answer = api.ask("POST", path, content=gzip.compress(LINES), headers=headers)
    assert answer.status_code == 200, answer.text
    work_off(api, monkeypatch)
    assert [(row["_object"], row["source"], row["_message"]) for row in rows_of(api)] == [
        ("upload://x.log.gz", "s", line.decode()) for line in LINES.splitlines()
    ]


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"formatOptions": '{"format": "csv", "skipRows": 1}'}, {"format": "csv", "skipRows": 1}),
        ({"format": "csv", "skipRows": "1"}, {"format": "csv", "skipRows": 1}),
        ({"skipRows": "1", "headers": "a,b"}, {"format": "csv", "skipRows": 1, "headers": ["a", "b"]}),
        (
            {"formatOptions": '{"timezone": "Europe/Berlin"}', "year": "2024"},
            {"timezone": "Europe/Berlin", "year": 2024},
        ),
        ({"dayFirst": "true", "keepMessage": "false"}, {"dayFirst": True, "keepMessage": False}),
    ],
    ids=str,
)
def test_how_files_are_read(api: Api, fields: dict[str, str], options: dict[str, Any]) -> None:
    task_id = upload(api, ("a", b"x"), **fields)
    job = JobFolder(api.service.tier, task_id).read_json("job.json")["job"]
    assert job["formatOptions"].items() >= options.items()
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    answer = api.ask("POST", f"/upload?name=a&{query}", content=b"x")
    again = JobFolder(api.service.tier, answer.json()["taskId"]).read_json("job.json")["job"]
    assert again == job


def test_times_without_a_year_go_by_when_the_file_was_modified(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(api, ("a.log", b"Mar  1 10:00:00 h p: one\n"), modified="2019-06-01T00:00:00Z")
    work_off(api, monkeypatch)
    assert [row["_time"][:10] for row in rows_of(api)] == ["2019-03-01"]


def test_a_file_is_known_by_name_and_content(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    other = LINES + b"2025-01-01 10:00:02 three\n"
    ids = [upload(api, ("a.log", content)) for content in (LINES, other, LINES)]
    work_off(api, monkeypatch)
    reports = [api.ask("GET", f"/jobs/{task_id}").json() for task_id in ids]
    assert [(one["status"], one["events"], one["objects"]["known"]) for one in reports] == [
        ("Succeeded", 2, 0),
        ("Succeeded", 3, 0),
        ("Succeeded", 0, 1),
    ]
    assert len({row["_event_id"] for row in rows_of(api)}) == 5
    assert cli.run(["jobs", "undo", ids[0], "--yes", "--hot-tier", api.service.tier.uri]) == 0
    assert len(rows_of(api)) == 3
    upload(api, ("a.log", LINES))
    work_off(api, monkeypatch)
    assert len(rows_of(api)) == 5


def test_a_canceled_one_is_resumed_while_its_files_are_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (upload(api, (name, LINES)) for name in ("a.log", "b.log"))
    for task_id in (first, second):
        assert api.ask("POST", f"/jobs/{task_id}/cancel").json()["status"] == "Canceled"
    assert remove_old_uploads(api.service.tier) == []
    assert api.ask("POST", f"/jobs/{first}/resume").status_code == 200
    later = datetime.now(timezone.utc) + KEPT + timedelta(minutes=1)
    assert remove_old_uploads(api.service.tier, later) == [second]
    refused = api.ask("POST", f"/jobs/{second}/resume")
    assert (refused.status_code, "are no longer kept: upload them again" in refused.text) == (409, True)
    work_off(api, monkeypatch)
    assert api.ask("GET", f"/jobs/{first}").json()["events"] == 2
    assert kept(api) == []


def test_what_a_killed_service_has_left_is_removed_after_a_day(api: Api) -> None:
    receipt = receiving.Receipt(api.service.tier, "0" * 36, texts={}, most_bytes=100)
    output = receipt._folder.begin_file(1, "a.log")
    output.write(b"x")
    output.close(datetime.now(timezone.utc))
    assert remove_old_uploads(api.service.tier) == []
    later = datetime.now(timezone.utc) + KEPT + timedelta(minutes=1)
    assert remove_old_uploads(api.service.tier, later) == ["0" * 36]
    assert kept(api) == []


FORM = {"Content-Type": "multipart/form-data; boundary=B"}
FILE = b'--B\r\nContent-Disposition: form-data; name="f"; filename="%s"\r\n\r\nx\r\n'
FIELD = b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
END = b"--B--\r\n"
YEAR = FIELD % (b"year", b"x")
REFUSED: list[Any] = [
    pytest.param("/upload", b"x", {}, 400, "name", "name the file, as in /upload?name=", id="no-name"),
    pytest.param("/upload?name=a%0Ab", b"x", {}, 400, "name", "no control characters", id="control"),
    pytest.param("/upload?name=/", b"x", {}, 400, "name", "1 to 1024 bytes", id="slash"),
    pytest.param("/upload?name=" + "a" * 1025, b"x", {}, 400, "name", "1 to 1024 bytes", id="long-name"),
    pytest.param("/upload?name=a&name=b", b"x", {}, 400, "name", "is given twice", id="two-names"),
    pytest.param("/upload?name=a&bucket=b", b"x", {}, 400, "bucket", "unknown field", id="bucket"),
    pytest.param("/upload?name=a&format=xml", b"x", {}, 400, "formatOptions.format", "'csv'", id="format"),
    pytest.param("/upload?name=a&skipRows=x", b"x", {}, 400, "formatOptions.skipRows", "integer", id="rows"),
    pytest.param("/upload?name=a&skipRows=1.5", b"x", {}, 400, "formatOptions.skipRows", "integer", id="fraction"),
    pytest.param("/upload?name=a&onChanged=drop", b"x", {}, 400, "onChanged", "'append'", id="policy"),
    pytest.param("/upload?name=a&formatOptions=[]", b"x", {}, 400, "formatOptions", "JSON object", id="list"),
    pytest.param("/upload?name=a&formatOptions={", b"x", {}, 400, "formatOptions", "is no JSON", id="json"),
    pytest.param("/upload?name=a&modified=soon", b"x", {}, 400, "modified", "modified: ", id="time"),
    pytest.param("/upload?name=a&modified=2999-01-01", b"x", {}, 400, "modified", "in the future", id="future"),
    pytest.param("/upload?name=a", b"x", {"Content-Encoding": "gzip"}, 415, None, "a Content-Encoding", id="encoded"),
    pytest.param("/upload", b"x", {"Content-Type": "multipart/form-data"}, 400, None, "no boundary", id="boundary"),
    pytest.param("/upload?name=a", END, FORM, 400, "name", "a form names each", id="name-and-form"),
    pytest.param("/upload", b"x", FORM, 400, None, "no multipart/form-data", id="no-form"),
    pytest.param("/upload", b"", FORM, 400, None, "it was cut off", id="empty"),
    pytest.param("/upload", FILE % b"a", FORM, 400, None, "it was cut off", id="cut"),
    pytest.param("/upload", FIELD % (b"source", b"s") + END, FORM, 400, "file", "no file came", id="no-file"),
    pytest.param("/upload", FILE % b"a" + FILE % b"a" + END, FORM, 400, "name", "two files are called", id="twice"),
    pytest.param("/upload", FILE % b"" + END, FORM, 400, "name", "a file has no name", id="nameless"),
    pytest.param("/upload", FILE % b"\xff" + END, FORM, 400, None, "is not UTF-8", id="undecodable-name"),
    pytest.param("/upload", FIELD % (b"x", b"") + END, FORM, 400, "x", "unknown field", id="field"),
    pytest.param("/upload", FIELD % (b"name", b"a") + END, FORM, 400, "name", "one file", id="name-field"),
    pytest.param("/upload?source=a", FIELD % (b"source", b"b") + END, FORM, 400, "source", "twice", id="both"),
    pytest.param("/upload", FIELD % (b"source", b"\xff") + END, FORM, 400, "source", "not UTF-8", id="undecodable"),
    pytest.param("/upload", FIELD % (b"host", b"h" * 65537) + END, FORM, 400, "host", "longer than 64 KiB", id="long"),
    pytest.param("/upload", FILE % b"a" + YEAR + END, FORM, 400, "formatOptions.year", "integer", id="year"),
    pytest.param("/upload", b"--B\r\nX: y\r\n\r\nx\r\n" + END, FORM, 400, None, "has no header", id="no-disposition"),
    pytest.param("/upload?name=a", b"x" * 5000, {}, 413, None, "larger than 4.0 KiB", id="large"),
]


@pytest.mark.parametrize(("path", "body", "headers", "status", "field", "message"), REFUSED)
def test_refused(
    api: Api, path: str, body: bytes, headers: dict[str, str], status: int, field: str | None, message: str
) -> None:
    if status == 413:
        api.service.settings = api.service.settings.model_copy(update={"upload_limit": 4096})
    answer = api.ask("POST", path, content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field), answer.text
    assert message in answer.json()["error"]["message"]
    assert kept(api) == []
    assert api.ask("GET", "/jobs").json() == {"jobs": []}


def test_what_has_no_length_is_cut_at_the_limit(tmp_path: Path) -> None:
    api = make_api(tmp_path, upload_limit=4096)
    body = (b"x" * 1000 for _ in range(5))
    answer = api.ask("POST", "/upload?name=a", content=body)
    assert (answer.status_code, kept(api)) == (413, [])


@pytest.mark.parametrize(
    ("seconds", "size", "message"),
    [
        (29.0, 0, None),
        (31.0, 31 << 10, None),
        (31.0, 30 << 10, "slower than"),
        (43201.0, 1 << 40, "more than 12 hours"),
    ],
)
def test_what_takes_too_long_is_broken_off(api: Api, seconds: float, size: int, message: str | None) -> None:
    receipt = receiving.Receipt(api.service.tier, "0" * 36, texts={}, most_bytes=100)
    receipt._bytes = size
    with nullcontext() if message is None else pytest.raises(ApiError, match=message):
        receipt._check_rate(seconds)


def test_a_disk_that_is_full_keeps_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_LOOK_BYTES", 1000)
    free = iter([1 << 40, 0])
    monkeypatch.setattr(api.service.tier, "free_bytes", lambda: next(free))
    answer = api.ask("POST", "/upload?name=a", content=(b"x" * 600 for _ in range(5)))
    assert (answer.status_code, answer.headers["Retry-After"], kept(api)) == (503, "5", [])
    assert "too little disk" in answer.text


def test_many_files_have_no_long_pattern(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = upload(api, *((f"{number}[x].log", LINES) for number in range(21)))
    assert JobFolder(api.service.tier, task_id).read_json("job.json")["job"]["pattern"] == "**"
    work_off(api, monkeypatch)
    assert api.ask("GET", f"/jobs/{task_id}").json()["events"] == 42


def test_a_key_without_s3_pull_uploads(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = upload(api, ("a[1].log", LINES), ("empty.log", b""), token=api.key("ingest", s3_pull=None))
    work_off(api, monkeypatch)
    report = api.ask("GET", f"/jobs/{task_id}", token=api.key("read")).json()
    assert (report["status"], report["events"], report["objects"]["empty"]) == ("Succeeded", 2, 1)


BODY = FIELD % (b"source", b"s") + FILE % b"a" + FILE.replace(b"x\r\n", b"\r\n--\r\n--B-\r\n") % b"b" + END


def parts_of(body: bytes, *cuts: int) -> list[tuple[PartHead, bytes]]:
    """Return the parts of a form that comes in chunks which end at some places."""
    reader, found = FormReader(b"B"), []
    head, data = PartHead("", None), b""
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        for step in reader.feed(body[start:end]):
            if isinstance(step, PartHead):
                head, data = step, b""
            elif isinstance(step, bytes):
                data += step
            else:
                found.append((head, data))
    assert reader.finish() == []
    return found


def test_a_form_is_the_same_wherever_it_is_cut() -> None:
    places = range(1, len(BODY))
    expected = [
        (PartHead("source", None), b"s"),
        (PartHead("f", "a"), b"x"),
        (PartHead("f", "b"), b"\r\n--\r\n--B-"),
    ]
    assert [cut for cut in places if parts_of(BODY, cut) != expected] == []
    assert parts_of(BODY, *places) == expected


def test_no_body_breaks_the_reader() -> None:
    found = set()
    for place in range(len(BODY)):
        for byte in (b"", b"\0", b"\r", b"-", b'"', b"\xff"):
            try:
                parts_of(BODY[:place] + byte + BODY[place + 1 :])
            except ApiError as error:
                found.add(error.status)
    assert found == {400}


def test_the_description_names_all_fields(api: Api) -> None:
    call = api.ask("GET", "/openapi.json").json()["paths"]["/upload"]["post"]
    assert {one["name"] for one in call["parameters"]} >= {"name", "modified", "formatOptions", "skipRows", "host"}
    form = call["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert form.keys() == {one["name"] for one in call["parameters"]} - {"name"} | {"file"}
    json.dumps(call)
