"""Downloads of Explore against what `rekindle search` writes for the same query."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from service.pages.sessions import COOKIE
from tests.pipelines.conftest import Ended, rekindle
from tests.service.conftest import Api, fill
from tests.service.pages.conftest import DAY, show
from tests.transforms.hot_tier.tiers import Tier, event

__all__ = ["rekindle"]
QUERY = {"query": "status=* NOT status=404", "from": "2025-01-01", "to": "2025-01-02T00:00:02Z"}
ROWS = 3


@pytest.mark.parametrize(("name", "flags"), [("csv", ["--csv"]), ("ndjson", ["--json"]), ("parquet", ["--parquet"])])
def test_it_is_what_the_command_finds(
    api: Api, tmp_path: Path, rekindle: Callable[..., Ended], name: str, flags: list[str]
) -> None:
    fill(api)
    file = tmp_path / "rows.parquet"
    flags = [*flags, *([str(file)] if name == "parquet" else []), "--hot-tier", api.service.settings.hot_tier]
    found = rekindle("search", QUERY["query"], "--from", QUERY["from"], "--to", QUERY["to"], *flags)
    assert found.code == 0, found.err
    answer = api.ask("GET", "/explore/download", params=QUERY | {"by": "host", "format": name})
    assert answer.headers["Content-Disposition"] == f'attachment; filename="events.{name}"'
    if name == "parquet":
        assert pq.read_table(io.BytesIO(answer.content)).equals(pq.read_table(file))
        assert pq.read_table(file).num_rows == ROWS
    else:
        assert answer.text == found.out
        assert len(answer.text.splitlines()) == ROWS + (name == "csv")


def test_its_form_keeps_the_question(api: Api) -> None:
    page = show(fill(api), "/explore", **QUERY, by="host")
    assert page.one("form", action="/explore/download")["method"] == "get"
    sent = [(one["name"], one["value"]) for one in page.all("input") if one.get("type") == "hidden"]
    assert set(QUERY.items()) <= set(sent)
    formats = [one["value"] for one in page.all("option")]
    assert formats[-3:] == ["csv", "ndjson", "parquet"]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [({"format": "xml"}, "format"), ({"query": "status="}, "query"), ({"from": "soon"}, "from")],
    ids=["format", "query", "range"],
)
def test_what_is_wrong_is_a_page(api: Api, wrong: dict[str, str], text: str) -> None:
    answer = fill(api).ask("GET", "/explore/download", params=wrong)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert text in answer.text and "Content-Disposition" not in answer.headers


def test_it_goes_by_the_cookie_of_a_key_that_may_read(api: Api) -> None:
    read, ingest = fill(api).key("read"), api.key("ingest")
    answer = api.ask("GET", "/explore/download", headers={"Cookie": f"{COOKIE}={read}"})
    assert (answer.status_code, len(answer.text.splitlines())) == (200, 7)
    assert api.ask("GET", "/explore/download", headers={"Cookie": f"{COOKIE}={ingest}"}).status_code == 403
    left = api.client.get("/explore/download?query=a", follow_redirects=False)
    assert (left.status_code, left.headers["Location"]) == (303, "/login?next=%2Fexplore%2Fdownload%3Fquery%3Da")


def test_cells_are_the_texts_of_the_logs_also_where_a_spreadsheet_takes_them_for_formulas(api: Api) -> None:
    texts = ["=1+1", "@SUM(1)", "+1", "-1", '=HYPERLINK("https://other.example")', "two\nlines", "a,b"]
    Tier(api.service.tier).add([event(DAY, text) for text in texts])
    answer = api.ask("GET", "/explore/download", params={"format": "csv"})
    assert sorted(row["_message"] for row in csv.DictReader(io.StringIO(answer.text))) == sorted(texts)


@pytest.mark.parametrize("name", ["html", "../csv", 'csv"; filename="a.exe', "csv\r\nX: y", ""])
def test_the_name_of_the_file_is_never_a_callers(api: Api, name: str) -> None:
    fill(api)
    answer = api.ask("GET", "/explore/download", params={"format": name})
    assert (answer.status_code, "Content-Disposition" in answer.headers) == (400, False)
