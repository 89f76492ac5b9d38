"""Files of the pages: those of others are what their table tells, and own ones stay short."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from service.pages.assets import FOLDER, asset_path, assets
from tests.service.conftest import Api

ROOT = Path(__file__).parents[3]
TABLE = re.compile(r"^\| `([\w.]+)` \| ([\w.]+) ([\d.]+) \| (\w+) \| `([0-9a-f]{64})` \|", re.MULTILINE)
VENDORED = TABLE.findall((ROOT / "docs/dependencies.md").read_text("utf-8"))
OWN = ["app.css", "app.js", "backfill.js", "editor.js", "explore.js", "icon.svg", "keys.js"]
MOST_LINES = 600


def test_the_table_has_all_that_others_wrote() -> None:
    assert sorted(name for name, *_ in VENDORED) == sorted(set(assets()) - set(OWN))


@pytest.mark.parametrize(("name", "package", "version", "licence", "digest"), VENDORED)
def test_a_file_is_as_it_was_published(name: str, package: str, version: str, licence: str, digest: str) -> None:
    data = (FOLDER / name).read_bytes()
    assert sha256(data).hexdigest() == digest
    assert version.encode() in data
    assert (FOLDER / "licences" / f"{package.partition('.')[0]}.txt").read_text("utf-8").strip()
    assert licence


def test_own_styles_and_scripts_are_short() -> None:
    assert sum((FOLDER / name).read_text("utf-8").count("\n") for name in OWN) < MOST_LINES


@pytest.mark.parametrize("name", sorted(assets()))
def test_a_file_is_served_by_its_digest(filled: Api, name: str) -> None:
    answer = filled.client.get(asset_path(name))
    assert (answer.status_code, answer.content) == (200, (FOLDER / name).read_bytes())
    assert answer.headers["Content-Type"].partition(";")[0] in ("text/css", "text/javascript", "image/svg+xml")
    assert filled.client.get(f"/static/0000/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/static/x/../assets.py", "/static/x/%2e%2e%2fassets.py", "/static/x/licences"])
def test_no_other_file_is_served(filled: Api, path: str) -> None:
    assert filled.client.get(path).status_code == 404


def test_browsers_keep_files_and_no_answers(filled: Api) -> None:
    kept = filled.client.get(asset_path("app.css")).headers.get_list("Cache-Control")
    assert kept == ["public, max-age=31536000, immutable"]
    for path in ("/explore", "/static/0000/app.css"):
        assert filled.client.get(path).headers.get_list("Cache-Control") == ["no-store"]


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, br", "gzip"), ("identity", None)])
def test_a_file_is_sent_as_the_browser_takes_it(filled: Api, accepted: str, encoding: str | None) -> None:
    answer = filled.client.get(asset_path("pico.min.css"), headers={"Accept-Encoding": accepted})
    assert (answer.headers.get("Content-Encoding"), answer.headers["Vary"]) == (encoding, "Accept-Encoding")
    assert answer.content == (FOLDER / "pico.min.css").read_bytes()


def test_the_first_page_is_less_than_100_kb(filled: Api) -> None:
    page = filled.client.get("/explore")
    names = re.findall(r"/static/[0-9a-f]+/([\w.]+)", page.text)
    assert len(page.content) + sum(len(assets()[name].packed) for name in set(names)) < 100_000
