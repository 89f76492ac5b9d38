"""The documentation is true where that is cheap to check: links, paths, sizes, references to what is not there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import README, ROOT, TOUR, excerpt, output, pages

MOST_README_LINES = 200
MOST_COLUMNS = 120
MOST_WORDS = 100

GENERATED = (
    "docs/api.md",
    "docs/commands.md",
    "docs/ready-made-pipelines.md",
    "docs/job.schema.json",
    "docs/report.schema.json",
)
"""Written by `make docs`, and compared by a test of their own."""

_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
_CODE = re.compile(r"`([^`\s]+)`")
_TOP = ("pipelines/", "transforms/", "tests/", "docs/", "demo/", "benchmarks/", "scripts/", ".ci/")
_PLACEHOLDER = re.compile(r"NAME|…|<|\*\.py")
_GONE = re.compile(r"\bspec(?:\.md)?\s+§|\(spec\b|\bdesign\.md|\bdesign\s+§")
_REFERRING = (".py", ".md", ".sh", ".yaml", ".yml", ".toml", ".txt", "Dockerfile", "Makefile", "run")

PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages()]


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line of a page that does not stand in a code block."""
    inside = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside:
            yield number, line


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = [line.lstrip("#").strip() for _, line in prose(page) if re.match(r"#+ ", line)]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for number, line in prose(page):
        for target in _LINK.findall(line):
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if str(file).removeprefix(f"{ROOT}/") in GENERATED:
                continue
            if not file.exists() or (anchor and anchor not in anchors(file)):
                broken.append(f"{number}: {target}")
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_paths_are_there(page: Path) -> None:
    named = [
        (number, path)
        for number, line in prose(page)
        for path in _CODE.findall(line)
        if path.startswith(_TOP) and not _PLACEHOLDER.search(path)
    ]
    missing = [f"{number}: {path}" for number, path in named if not any(ROOT.glob(path.rstrip("/")))]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_prose_is_short_and_wrapped(page: Path) -> None:
    """A block of prose over a hundred words wants a list, a table or a heading; tables can't be wrapped."""
    if str(page.relative_to(ROOT)) in GENERATED:
        pytest.skip("its lines are those of the command line and the library")
    long: list[str] = []
    words = 0
    for number, line in prose(page):
        if len(line) > MOST_COLUMNS and not line.startswith("|") and " " in line.strip():
            long.append(f"{number}: {len(line)} columns")
        if not line.strip() or re.match(r"\s*(?:[-*|#>]|\d+\.) ?", line):
            words = 0
        before, words = words, words + (0 if line.startswith("|") else len(line.split()))
        if before <= MOST_WORDS < words:
            long.append(f"{number}: a block of more than {MOST_WORDS} words")
    assert long == []


def test_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MOST_README_LINES


def test_readme_shows_the_demonstration_of_the_tour() -> None:
    assert output(README, "demonstration").strip() == excerpt(output(TOUR, "demonstration")).strip()
    assert "Succeeded" in output(README, "demonstration")


def test_readme_has_every_ptransform() -> None:
    """`ls transforms/*.py` is README's table."""
    files = {path.name for path in (ROOT / "transforms").glob("*.py")} - {"__init__.py"}
    text = README.read_text(encoding="utf-8")
    assert {name for name in files if f"(transforms/{name})" not in text} == set()
    assert set(re.findall(r"\(transforms/(\w+\.py)\)", text)) == files


def test_every_page_of_docs_can_be_reached_from_readme() -> None:
    seen, todo = set(), [README]
    while todo:
        page = todo.pop()
        if page not in seen and page.suffix == ".md" and page.exists():
            seen.add(page)
            todo += [(page.parent / target.partition("#")[0]).resolve() for target in _LINK.findall(page.read_text())]
    assert set((ROOT / "docs").rglob("*.md")) - seen == set()


def test_nothing_refers_to_what_is_not_in_the_repository() -> None:
    """Documents that the product was made from, and pages that were split, are named nowhere."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.split("\0") if listed.returncode == 0 else []
    found = []
    for name in names:
        path = ROOT / name
        if name.endswith(_REFERRING) and path.is_file() and path != Path(__file__).resolve():
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{name}: {' '.join(match[0].split())}" for match in _GONE.finditer(text)]
    assert found == []
