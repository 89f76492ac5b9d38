"""The preview beside the form, over a real S3: what a job would take, and a *Start* that names it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pipelines.jobs.preview import run_preview
from pipelines.jobs.specification import JobSpecification
from service.pages.backfill.preview import duration
from service.pages.rendering import size as shown_size
from service.pages.sessions import COOKIE
from tests.conftest import S3
from tests.service.conftest import Api, make_api
from tests.service.pages.backfill.test_page import beside
from tests.service.pages.conftest import HOSTILE, Page, read, show
from tests.service.test_jobs import ingest, work_off
from transforms.core.errors import CanceledError
from transforms.hot_tier.search.serving.stop import StopSignal

LINES = b"".join(b"2025-01-01 10:00:%02d GET /%d\n" % (second, second) for second in range(60))
PIPELINES = """
pipelines:
  - name: web
    when: GET
    steps:
      - regex: {source: message, pattern: '(?P<verb>GET) /'}
"""


@pytest.fixture
def bucket(s3: S3, tmp_path: Path) -> Api:
    """A service whose S3 has some objects of two kinds."""
    for day in range(1, 4):
        s3.put(f"logs/2025-01-0{day}/app.log.gz", gzip.compress(LINES))
    s3.put("logs/users.json", b'{"time": "2025-01-01T10:00:00Z", "user": "ada"}\n')
    s3.put("other/x.txt", b"x\n")
    return make_api(tmp_path, source_options=s3.options)


def look(api: Api, **typed: str) -> tuple[Page, str]:
    answer = api.ask("GET", "/pages/backfill/preview", params=typed, headers={"HX-Request": "true"})
    return read(answer.text), answer.text


def label(page_text: str) -> str:
    """Return what stands on *Start*."""
    return page_text.partition('id="start"')[2].partition(">")[2].partition("<")[0]


def test_what_a_job_would_take(s3: S3, bucket: Api) -> None:
    page, text = look(bucket, bucket=s3.bucket, pattern="logs/**")
    size = sum(one["Size"] for one in s3.client.list_objects_v2(Bucket=s3.bucket, Prefix="logs/")["Contents"])
    assert label(text) == f"Start: 4 objects, {shown_size(size)}"
    assert page.one("button", id="start")["hx-swap-oob"] == "true"
    for shown in ("4 of 4 objects match", "logs/", "gzip", "json", "magic bytes", "under a minute", "GET /1", "ada"):
        assert shown in page.text, shown
    assert "free" in page.text
    assert bucket.service.queue.task_ids() == set()


def test_before_and_after_pipelines_and_rules(s3: S3, bucket: Api) -> None:
    assert bucket.ask("PUT", "/pipelines", json={"text": PIPELINES}).status_code == 200
    rules = "rules: [{name: short, retention: 1d}]"
    assert bucket.ask("PUT", "/rules", json={"text": rules}).status_code == 200
    page, _ = look(bucket, bucket=s3.bucket, pattern="logs/**")
    assert "verb=GET" in page.text
    assert "Of 181 sampled events the rule short would delete 181 at once" in page.text
    assert "no pipeline changes it" in page.text


def test_what_is_known_is_not_counted_again(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(api, tmp_path)
    work_off(api, monkeypatch)
    page, text = look(api, bucket=f"file://{tmp_path}/source")
    assert label(text) == "Start: nothing new"
    assert "1 known" in page.text


def test_a_preview_ends_where_nobody_waits_for_it(s3: S3, bucket: Api) -> None:
    stop, settings = StopSignal(), bucket.service.settings
    stop.cancel()
    specification = JobSpecification(bucket=s3.bucket)
    with pytest.raises(CanceledError):
        run_preview(specification, settings.run_settings(specification), check=stop.check)


def test_nothing_matches(s3: S3, bucket: Api) -> None:
    page, text = look(bucket, bucket=s3.bucket, pattern="/logs/**")
    assert "perhaps 'logs/**'" in page.text
    assert label(text) == "Start: nothing new"


def test_errors_stand_beside_their_field(s3: S3, bucket: Api) -> None:
    page, text = look(bucket, bucket=f"{s3.bucket}-nowhere")
    assert beside(page, text, "bucket")
    assert "Mend what is marked" in page.text
    assert label(text) == "Start"
    page, text = look(bucket, bucket=s3.bucket, pattern="a[")
    assert "never closed" in beside(page, text, "pattern")
    page, text = look(bucket, pattern="logs/**")
    assert "Name a bucket" in page.text


def test_without_scripts_a_button_shows_it(s3: S3, bucket: Api) -> None:
    page = show(bucket, "/pages/backfill", bucket=s3.bucket, pattern="logs/*.json", show="preview")
    assert "ada" in page.text
    assert page.one("section", id="preview")["hx-trigger"] == "input delay:700ms from:#job"
    untold = show(bucket, "/pages/backfill", bucket=s3.bucket)
    assert "load" in untold.one("section", id="preview")["hx-trigger"]


def test_hostile_objects_are_text(s3: S3, bucket: Api) -> None:
    s3.put("evil/<script>alert(1)</script>.log", f"2025-01-01 10:00:00 {HOSTILE}\n".encode())
    page, _ = look(bucket, bucket=s3.bucket, pattern="evil/**")
    assert page.all("script") == []
    assert "<script>alert(1)" in page.text
    assert "\u202e" not in page.text


def test_a_key_that_may_only_read_has_no_preview(s3: S3, bucket: Api) -> None:
    cookie = {"Cookie": f"{COOKIE}={bucket.key('read')}"}
    parameters = {"bucket": s3.bucket}
    text = bucket.ask("GET", "/pages/backfill/preview", params=parameters, headers=cookie).text
    assert "users.json" not in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "under a minute"),
        (61, "about 2 minutes"),
        (60, "about 1 minute"),
        (9000, "about 3 hours"),
        (10**6, "about 12 days"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
